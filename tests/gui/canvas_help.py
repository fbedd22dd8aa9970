"""Documents, analyses, snapshots and gestures that the tests of the canvas share."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.compiler.analysis import Analysis, Problem
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.layers.declaration import TensorType
from engine.training.events import Activation, Snapshot
from gui.bench import Bench
from gui.canvas.view import CanvasView
from gui.store import Store

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE = Qt.KeyboardModifier.NoModifier
SHAPES = {
    "images": (1, 8, 8),
    "conv1": (4, 8, 8),
    "relu1": (4, 8, 8),
    "flatten1": (256,),
    "fc1": (10,),
}


def lenet() -> Document:
    """A small reader of digits with a label that skips the model."""
    g = Builder("Digits", "reads digits\nwith one convolution")
    image = g.add("Input", id="images", shape=(1, 8, 8))
    conv = g.add("Conv2d", image, out_channels=4, padding=1)
    relu = g.add("ReLU", conv)
    flat = g.add("Flatten", relu)
    scores = g.add("Linear", flat, out_features=10)
    label = g.add("Input", id="label", shape=(1,), dtype="int")
    g.add("CrossEntropyLoss", scores, label, id="loss")
    return g.document()


def analysis_of(document: Document, *problems: Problem) -> Analysis:
    """What an analysis of ``lenet`` says."""
    types = {Slot(id, "y"): TensorType(("N", *shape)) for id, shape in SHAPES.items()}
    types[Slot("label", "y")] = TensorType(("N",), "int")
    return Analysis(document, problems, types, {"conv1": 40, "fc1": 2570})


def snapshot(seed: int = 0, only: tuple[str, ...] = tuple(SHAPES), loss: float = 0.182) -> Snapshot:
    """Activations of every node, as a run would tell them."""
    rng = np.random.default_rng(seed)
    activations = {}
    for id in only:
        maps = rng.normal(size=SHAPES[id]).astype(np.float32)
        labels = tuple("0123456789") if id == "fc1" else ()
        activations[id] = Activation(SHAPES[id], maps, -2.0, 2.0, 0.0, 1.0, 0.0, labels)
    return Snapshot(seed, 0, activations, gradients={"conv1": 0.2}, losses={"loss": loss})


def canvas(qtbot: object, document: Document | None = None) -> CanvasView:
    """Return a shown canvas at 1:1 with the document's top left node near its corner."""
    document = document if document is not None else lenet()
    bench = Bench(Store(document))
    bench.analysis = analysis_of(document)
    view = CanvasView(bench)
    qtbot.addWidget(view)
    view.resize(1300, 760)
    view.show()
    qtbot.waitExposed(view)
    view.zoom_to(1.0)
    view.pan(-view.viewportTransform().map(view.graph.bounds().topLeft()) + QPointF(60, 60))
    return view


def point(view: CanvasView, place: QPointF) -> QPoint:
    """The pixel of the viewport at a place of the canvas."""
    return view.to_view(place)


def port(view: CanvasView, node: str, name: str, is_input: bool) -> QPoint:
    """The pixel of a port."""
    return point(view, view.graph.slot_at(Slot(node, name), is_input))


def title(view: CanvasView, node: str) -> QPoint:
    """A pixel on a node's title."""
    return point(view, view.graph.nodes[node].pos() + QPointF(60, 12))


def drag(view: CanvasView, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Press, move in a few steps, release."""
    port = view.viewport()
    QTest.mousePress(port, LEFT, modifiers, start)
    for share in (0.2, 0.6, 1.0):
        QTest.mouseMove(port, start + (end - start) * share)
    QTest.mouseRelease(port, LEFT, modifiers, end)
    QApplication.processEvents()


def messages(view: CanvasView) -> list[str]:
    """Collect what the canvas says from now on."""
    said: list[str] = []
    view.bench.message.connect(said.append)
    return said
