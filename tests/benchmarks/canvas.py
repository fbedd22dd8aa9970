"""How the canvas compares with a bare QGraphicsView of the same items.

``python -m tests.benchmarks.canvas --json`` prints rows of ``name``, ``ratio``, ``bound``, ``better`` and
``detail``; ratios are minima of interleaved rounds, so a busy machine changes them little.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem, QGraphicsScene, QGraphicsView

from engine.compiler.analysis import Analysis
from engine.graph.document import Document, Node, Slot, frozen
from engine.training.events import Activation, Snapshot
from gui.bench import Bench
from gui.canvas.face import face_of, places_of
from gui.canvas.node_item import NodeItem
from gui.canvas.scene import CanvasScene
from gui.canvas.view import CanvasView
from gui.store import Store
from gui.theme import DARK

NODES, EDGES, ROUNDS = 1000, 1500, 5
SIZE = (1280, 800)


def network(nodes: int = NODES, edges: int = EDGES) -> Document:
    """A chain of convolutions with sums, wrapped into rows of 25."""
    made: dict[str, Node] = {"in": Node("in", "Input")}
    joined: dict[Slot, Slot] = {}
    last = "in"
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


def _row(name: str, ours: float, theirs: float, bound: float, detail: str) -> dict[str, object]:
    words = f"{detail}; {1e3 * ours:.1f} ms against {1e3 * theirs:.1f} ms"
    return {
        "name": name,
        "ratio": round(ours / theirs, 2),
        "bound": bound,
        "better": "lower",
        "detail": words,
    }


def build(document: Document) -> dict[str, object]:
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


def zoom(document: Document, view: CanvasView) -> dict[str, object]:
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


def drag(document: Document, view: CanvasView) -> dict[str, object]:
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


def live(document: Document, view: CanvasView) -> dict[str, object]:
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


def measure(nodes: int = NODES, edges: int = EDGES) -> list[dict[str, object]]:
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
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    as_json = parser.parse_args().json
    rows = measure()
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print("{name}: {ratio} (bound {bound}, {better} is better) {detail}".format(**row))


if __name__ == "__main__":
    main()
