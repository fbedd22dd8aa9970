"""The canvas: against a bare QGraphicsView of the same items, and against the time of one frame when huge.

``python -m tests.benchmarks.canvas --json`` prints rows; ratios are minima of interleaved rounds, so a busy
machine changes them little. Where NodeGraphQt is installed, it draws the same network for comparison.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem, QGraphicsScene, QGraphicsView

from engine.compiler.analysis import Analysis
from engine.graph.document import Document, Node, Slot, frozen
from engine.graph.find import find
from engine.storage.document_file import from_json, to_json
from engine.training.events import Activation, Snapshot
from gui.bench import Bench
from gui.canvas.face import face_of, places_of
from gui.canvas.node_item import NodeItem
from gui.canvas.scene import CanvasScene
from gui.canvas.view import CanvasView
from gui.store import Store
from gui.theme import DARK
from tests.benchmarks.rows import Row, report

NODES, EDGES, ROUNDS = 1000, 1500, 5
SIZE = (1280, 800)


def network(nodes: int = NODES, edges: int = EDGES) -> Document:
    """A chain of convolutions with sums, wrapped into rows of 25."""
    made: dict[str, Node] = {"image": Node("image", "Input")}
    joined: dict[Slot, Slot] = {}
    last = "image"
    for n in range(1, nodes):
        adds = n >= 3 and len(joined) < edges - (nodes - n) and n % 2 == 0
        id, type_ = f"n{n}", "Add" if adds else "Conv2d"
        made[id] = Node(id, type_, position=(218.0 * (n % 25), 192.0 * (n // 25)))
        joined[Slot(id, "xs.0" if adds else "x")] = Slot(last, "y")
        if adds:
            joined[Slot(id, "xs.1")] = Slot(f"n{n - 2}", "y")
        last = id
    return Document(nodes=frozen(made), edges=frozen(joined))


def bare(document: Document) -> tuple[QGraphicsScene, dict[str, NodeItem], dict[Slot, QGraphicsPathItem]]:
    """The same node items and one native path for each edge, in a plain scene that knows no more."""
    scene = QGraphicsScene()
    places = places_of(document)
    analysis = Analysis(document)
    items: dict[str, NodeItem] = {}
    for id, node in document.nodes.items():
        items[id] = item = NodeItem(face_of(document, id, analysis, places), DARK)
        item.setPos(*node.position)
        scene.addItem(item)
    pen = QPen(QColor("#4A5364"), 2.2)
    wires: dict[Slot, QGraphicsPathItem] = {}
    for target, source in document.edges.items():
        wire = QGraphicsPathItem(_curve(items[source.node], items[target.node]))
        wire.setPen(pen)
        scene.addItem(wire)
        wires[target] = wire
    return scene, items, wires


def _curve(source: NodeItem, target: NodeItem) -> QPainterPath:
    start, end = source.pos() + QPointF(148, 25), target.pos() + QPointF(0, 25)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(60, 0), end - QPointF(60, 0), end)
    return path


def best(
    first: Callable[[], object], second: Callable[[], object], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Return the least time of each, taken in turns, in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, taken in zip((first, second), times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return min(times[0]), min(times[1])


def _row(name: str, ours: float, theirs: float, bound: float, detail: str) -> Row:
    words = f"{detail}; {1e3 * ours:.1f} ms against {1e3 * theirs:.1f} ms"
    return Row(name, float(f"{ours / theirs:.3g}"), bound, "lower", words)


def build(document: Document) -> Row:
    """Every item made anew."""
    bench = Bench(Store(document))
    keep: list[object] = []
    ours, theirs = best(lambda: keep.append(CanvasScene(bench)), lambda: keep.append(bare(document)), 7)
    return _row(
        "canvas build",
        ours,
        theirs,
        3.0,
        f"{len(document.nodes)} nodes, {len(document.edges)} edges, the same items without routing",
    )


def zoom(document: Document, view: CanvasView) -> Row:
    """One step of zoom with everything in view, painting included."""
    boxes = [QRectF(*node.position, 148, 68) for node in document.nodes.values()]
    lines = [
        QLineF(*document.nodes[source.node].position, *document.nodes[target.node].position)
        for target, source in document.edges.items()
    ]
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    view.fit_all()
    view.viewport().repaint()
    scale = view.zoom

    def overview() -> None:
        painter = QPainter(image)
        painter.fillRect(image.rect(), QColor("#171A20"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setTransform(view.viewportTransform())
        painter.setPen(QPen(QColor("#4A5364"), 0))
        painter.drawLines(lines)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#4C9DFF"))
        painter.drawRects(boxes)
        painter.end()

    def step() -> None:
        view.zoom_to(scale * (1.1 if view.zoom < scale * 1.05 else 1.0))
        view.viewport().repaint()

    ours, theirs = best(step, overview, 21)
    return _row("canvas zoom", ours, theirs, 1.5, "all in view, bare overview painting")


def drag(document: Document, view: CanvasView) -> Row:
    """One mouse move of a drag at 1:1, painting included."""
    scene, items, wires = bare(document)
    plain = QGraphicsView(scene)
    plain.setRenderHint(QPainter.RenderHint.Antialiasing)
    plain.resize(*SIZE)
    plain.show()
    id = f"n{min(25 * 5 + 5, len(document.nodes) // 2)}"
    moved = [(s.node, t) for t, s in document.edges.items() if id in (s.node, t.node)]
    place = QPointF(*document.nodes[id].position)
    plain.centerOn(place)
    view.zoom_to(1.0)
    view.show_node(id)
    QApplication.processEvents()
    turn = [0, 0]

    def ours_step() -> None:
        turn[0] += 1
        view.graph.nodes[id].setPos(place + QPointF(turn[0] % 7, turn[0] % 5))
        view.graph.follow_drag([id])
        QApplication.processEvents()

    def bare_step() -> None:
        turn[1] += 1
        items[id].setPos(place + QPointF(turn[1] % 7, turn[1] % 5))
        for source, target in moved:
            wires[target].setPath(_curve(items[source], items[target.node]))
        QApplication.processEvents()

    ours, theirs = best(ours_step, bare_step, 41)
    return _row(
        "canvas drag",
        ours,
        theirs,
        1.5,
        "one node and its wires at 1:1, the same items without routing or grid",
    )


def live(document: Document, view: CanvasView) -> Row:
    """Ten snapshots of the nodes in view, a second's worth, against one full repaint."""
    view.zoom_to(1.0)
    seen = [id for id, item in view.graph.nodes.items() if view.visible_rect().intersects(item.body())]
    rng = np.random.default_rng(0)
    snapshots = [
        Snapshot(
            n,
            0,
            {
                id: Activation((16, 10, 10), rng.normal(size=(16, 10, 10)).astype(np.float32), -2, 2, 0, 1, 0)
                for id in seen
            },
        )
        for n in range(2)
    ]
    view.graph.show_snapshot(snapshots[0])
    QApplication.processEvents()
    turn = [0]

    def step() -> None:
        turn[0] += 1
        view.graph.show_snapshot(snapshots[turn[0] % 2])
        QApplication.processEvents()

    ours, theirs = best(step, view.viewport().repaint, 11)
    return _row("canvas snapshot", ours, theirs, 2.0, f"{len(seen)} miniatures, one repaint of the view")


FRAME, OPENING, ANSWER = 0.016, 3.0, 0.05
"""What a hand feels as one: a frame at 60 a second, an open document, an answer to a letter; in seconds."""


def huge(document: Document, rounds: int = 40) -> list[Row]:
    """Opening, panning, zooming and searching a network that no screen can show."""
    text, view = to_json(document), CanvasView(Bench(Store()))
    view.resize(*SIZE)
    view.show()
    QApplication.processEvents()

    def opened() -> None:
        view.bench.store.open(from_json(text))
        QApplication.processEvents()

    count = len(document.nodes)
    rows = [_row(f"{count} nodes: open", _median(opened, 3), OPENING, 1.0, "text to painted canvas")]
    view.fit_all()
    for word, zoom in (("all", view.zoom), ("half size", 0.52), ("full size", 1.0)):
        view.zoom_to(zoom)
        view.show_node(f"n{count // 2}") if zoom >= 0.5 else None
        turn = [0]

        def pan(turn: list[int] = turn) -> None:
            turn[0] += 1
            view.pan(QPointF(9, 5) * (1 if turn[0] % 2 else -1))
            view.viewport().repaint()

        def step(turn: list[int] = turn, zoom: float = zoom) -> None:
            turn[0] += 1
            view.zoom_to(zoom * (1.04 if turn[0] % 2 else 1.0))
            view.viewport().repaint()

        for what, call in (("pan", pan), ("zoom", step)):
            view.zoom_to(zoom)
            view.viewport().repaint()
            rows.append(
                _row(f"{count} nodes: {what}, {word}", _median(call, rounds), FRAME, 1.0, "one step, painted")
            )
    view.close()
    return rows + search(text, rounds)


def search(text: str, rounds: int = 40, first: int = 5) -> list[Row]:
    """Finding a parameter in a written document: where nothing is known of it, and letter by letter."""
    documents = [from_json(text) for _ in range(first)]
    count, fresh, turn = len(documents[0].nodes), iter(documents), [0]

    def anew() -> None:
        find(Document(), "input")  # forgets what was searched before
        find(next(fresh), "kernel_size=3")

    def again() -> None:
        turn[0] += 1
        find(documents[-1], "kernel_size=3"[: 8 + turn[0] % 6])

    return [
        _row(f"{count} nodes: first search", _median(anew, first), ANSWER, 1.0, "a parameter and its value"),
        _row(f"{count} nodes: search", _median(again, rounds), ANSWER, 1.0, "one letter more or less"),
    ]


def _median(call: Callable[[], object], rounds: int) -> float:
    """Return the median of the processor's seconds: another program's share is not the canvas' fault."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def other_editor(document: Document) -> list[Row]:
    """NodeGraphQt with the same nodes and links, where it is installed."""
    if importlib.util.find_spec("NodeGraphQt") is None:
        return []
    from NodeGraphQt import BaseNode, NodeGraph

    class Layer(BaseNode):
        __identifier__, NODE_NAME = "bench", "Layer"

        def __init__(self) -> None:
            super().__init__()
            self.add_input("x", multi_input=True)
            self.add_output("y")

    def theirs() -> NodeGraph:
        graph = NodeGraph()
        graph.register_node(Layer)
        made = {
            id: graph.create_node("bench.Layer", name=id, pos=node.position, push_undo=False)
            for id, node in document.nodes.items()
        }
        for target, source in document.edges.items():
            made[source.node].output(0).connect_to(made[target.node].input(0), push_undo=False)
        return graph

    bench, keep = Bench(Store(document)), []
    ours, others = best(lambda: keep.append(CanvasScene(bench)), lambda: keep.append(theirs()), 2)
    return [_row("canvas build, NodeGraphQt", ours, others, 1.0, f"{len(document.nodes)} nodes")]


def measure(nodes: int = NODES, edges: int = EDGES, many: int = 10 * NODES) -> list[Row]:
    """Return every row, for a network of this size."""
    app = QApplication.instance() or QApplication([])
    document = network(nodes, edges)
    rows = [build(document)]
    view = CanvasView(Bench(Store(document)))
    view.resize(*SIZE)
    view.show()
    app.processEvents()
    rows += [row(document, view) for row in (zoom, drag, live)]
    view.close()
    gc.collect()
    return rows + huge(network(many, many * 3 // 2))


if __name__ == "__main__":
    small = (200, 300, 1000)
    suites = [
        lambda quick: measure(*(small if quick else ())),
        lambda quick: other_editor(network(*(small[:2] if quick else ()))),
    ]
    sys.exit(report(__doc__, suites))
