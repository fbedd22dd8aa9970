"""Another layer in a node's place: by the palette, by dropping a layer on a node, by dragging one there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph import edits
from engine.graph.document import Slot
from engine.graph.modes import set_mode
from gui.canvas.layer_drop import MIME
from tests.gui.canvas_help import LEFT, NONE, canvas, drag, point, title
from tests.gui.window_help import open_window

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def view(qtbot):
    return canvas(qtbot)


def document(view):
    return view.bench.store.document


def steps(view):
    stack = view.bench.store.undo_stack
    return stack.count(), stack.undoText()


def body(view, node: str) -> QPoint:
    return point(view, view.graph.nodes[node].body().center())


def drop(view, type_: str, at: QPoint, modifiers=NONE, let_go: bool = True) -> None:
    """Carry a layer of the palette over the canvas and drop it."""
    data, actions = QMimeData(), Qt.DropAction.CopyAction
    data.setData(MIME, type_.encode())
    QApplication.sendEvent(view.viewport(), QDragEnterEvent(at, actions, data, LEFT, modifiers))
    if let_go:
        QApplication.sendEvent(view.viewport(), QDropEvent(QPointF(at), actions, data, LEFT, modifiers))


def test_the_palette_offers_what_fits_and_swaps_the_type(view):
    before = document(view)
    view.bench.store.select({"relu1"})
    view.open_replace()
    assert view.quick_add.isVisible()
    offered = view.quick_add.types()
    assert "Tanh" in offered
    assert not {"ReLU", "Linear", "Input"} & set(offered), "itself, what refuses 4×8×8, what reads nothing"
    QTest.keyClicks(view.quick_add.field, "tanh")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert document(view).nodes["relu1"].type == "Tanh"
    assert document(view).edges == before.edges
    assert steps(view) == (1, "Replace relu1 with Tanh")
    view.bench.store.undo_stack.undo()
    assert document(view) == before


def test_several_nodes_are_replaced_in_one_step(view):
    view.bench.store.select({"relu1", "conv1"})
    view.open_replace()
    QTest.keyClicks(view.quick_add.field, "tanh")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert {document(view).nodes[id].type for id in ("relu1", "conv1")} == {"Tanh"}
    assert steps(view) == (1, "Replace 2 nodes with Tanh")


def test_a_layer_dropped_on_a_node_replaces_it_and_says_what_was_lost(view):
    offers = []
    view.bench.offered.connect(offers.append)
    drop(view, "MaxPool2d", body(view, "conv1"), let_go=False)
    assert view.graph.nodes["conv1"].mood.target
    drop(view, "MaxPool2d", body(view, "conv1"))
    node = document(view).nodes["conv1"]
    assert (node.type, dict(node.params)) == ("MaxPool2d", {"padding": 1})
    assert document(view).edges[Slot("relu1", "x")] == Slot("conv1", "y")
    assert not view.graph.nodes["conv1"].mood.target
    assert offers[0].text == "conv1 became MaxPool2d; without filters."
    assert steps(view)[0] == 1
    dict(offers[0].actions)["Undo"]()
    assert document(view).nodes["conv1"].type == "Conv2d"


def test_with_alt_a_layer_is_dropped_beside(view):
    drop(view, "Tanh", body(view, "conv1"), ALT)
    assert document(view).nodes["conv1"].type == "Conv2d"
    assert "Tanh" in {node.type for node in document(view).nodes.values()}


def test_a_free_node_dragged_onto_the_middle_of_another_takes_its_place(view):
    view.bench.store.apply("x", lambda d: edits.add_node(d, "Tanh", {}, (220, 300), id="free")[0])
    before = document(view)
    start = title(view, "free")
    grip = start - body(view, "free")
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    for share in (0.4, 0.8, 1.0):
        QTest.mouseMove(view.viewport(), start + (body(view, "relu1") + grip - start) * share)
    assert view.graph.nodes["relu1"].mood.target
    assert view._lit is None
    QTest.mouseRelease(view.viewport(), LEFT, NONE, body(view, "relu1") + grip)
    after = document(view)
    assert "relu1" not in after.nodes
    assert after.edges[Slot("free", "x")] == Slot("conv1", "y")
    assert after.edges[Slot("flatten1", "x")] == Slot("free", "y")
    assert after.nodes["free"].position == before.nodes["relu1"].position
    assert steps(view)[1] == "Replace relu1 with free"
    view.bench.store.undo_stack.undo()
    assert document(view) == before


def test_with_alt_or_with_links_it_is_only_moved(view):
    view.bench.store.apply("x", lambda d: edits.add_node(d, "Tanh", {}, (220, 300), id="free")[0])
    start, grip = title(view, "free"), title(view, "free") - body(view, "free")
    drag(view, start, body(view, "relu1") + grip, ALT)
    assert {"free", "relu1"} <= document(view).nodes.keys()
    view.bench.store.undo_stack.undo()
    start, grip = title(view, "conv1"), title(view, "conv1") - body(view, "conv1")
    drag(view, start, body(view, "relu1") + grip)
    assert {"conv1", "relu1"} <= document(view).nodes.keys()


def test_the_key_opens_it_and_a_mode_stays(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        id = next(id for id, node in store.document.nodes.items() if node.type == "AvgPool2d")
        store.apply("x", lambda d: set_mode(d, [id], "bypassed"))
        store.select([id])
        window.canvas.setFocus()
        QTest.keyClick(window.canvas, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
        QTest.keyClicks(window.canvas.quick_add.field, "maxpool2d")
        QTest.keyClick(window.canvas.quick_add.field, Qt.Key.Key_Return)
        assert (store.document.nodes[id].type, store.document.nodes[id].mode) == ("MaxPool2d", "bypassed")
