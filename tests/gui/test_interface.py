"""A block's interface edited in the inspector, with mouse and keys; every use follows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QPushButton, QWidget

from engine.graph.document import About, Slot
from engine.graph.edits import disconnect, paste
from engine.graph.interface import ports_of
from gui.canvas.port_strip import strip_of
from gui.inspector.block_page import BlockPage
from gui.inspector.interface import Interface
from gui.inspector.node_page import NodePage
from gui.inspector.rows import Row, Rows
from tests.graph.test_interface import network
from tests.gui.window_help import LEFT, NONE, open_window

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot):
    with open_window(qtbot) as window:
        window.bench.store.open(network())
        yield window


def inside(window) -> Interface:
    """Enter the block and return the editor in the inspector."""
    window.bench.store.enter("Cell", "first")
    QApplication.processEvents()
    return window.inspector.page.interface


def row(rows: Rows, name: str) -> Row:
    return next(each for each in rows.rows if each.shown == name)


def type_name(each: Row, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
    """Click into a name, type another one over it, and press a key."""
    QTest.mouseClick(each.name, LEFT)
    each.name.selectAll()
    QTest.keyClicks(each.name, text)
    QTest.keyClick(each.name, key)


def test_a_port_is_renamed_where_it_stands_and_links_follow(window):
    store, editor = window.bench.store, inside(window)
    type_name(row(editor.inputs, "x"), "image")
    assert ports_of(store.whole.blocks["Cell"], "Input") == ["image", "y"]
    assert store.whole.incoming("first") == {"image": Slot("image", "y"), "y": Slot("image", "y")}
    assert "image" in window.canvas.graph.nodes
    assert window.undo_stack.undoText() == "Rename the input x"
    window.undo_stack.undo()
    assert store.whole == network()
    assert [each.name.text() for each in editor.inputs.rows] == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("two words", "cannot name a port"), ("class", "no word of Python"), ("conv", "already")],
)
def test_a_name_that_cannot_be_is_refused_in_place_and_may_be_mended(window, name, words):
    editor = inside(window)
    each = row(editor.inputs, "x")
    type_name(each, name)
    assert words in each.error.text()
    assert each.error.isVisible()
    assert window.bench.store.whole == network()
    QTest.keyClick(each.name, Qt.Key.Key_Escape)
    assert each.name.text() == "x"
    assert not each.error.isVisible()
    assert window.bench.store.scope == ("Cell",), "Escape gives the name up, and does not leave the block"


def test_alt_and_the_arrows_carry_a_port(window):
    store, editor = window.bench.store, inside(window)
    first = row(editor.inputs, "y")
    QTest.mouseClick(first.name, LEFT)
    QTest.keyClick(first.name, Qt.Key.Key_Up, ALT)
    assert ports_of(store.whole.blocks["Cell"], "Input") == ["y", "x"]
    assert QApplication.focusWidget() is row(editor.inputs, "y").name
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Up, ALT)
    assert ports_of(store.whole.blocks["Cell"], "Input") == ["y", "x"], "it is the first"
    store.leave()
    QApplication.processEvents()
    assert [spot.name for spot in window.canvas.graph.nodes["first"].face.inputs] == ["y", "x"]
    window.undo_stack.undo()
    assert [spot.name for spot in window.canvas.graph.nodes["first"].face.inputs] == ["x", "y"]
    assert store.whole == network()


def test_a_parameter_is_dragged_by_its_grip(window):
    store, editor = window.bench.store, inside(window)
    rows = editor.parameters
    grip, other = row(rows, "scale").grip, row(rows, "channels")
    start = grip.rect().center()
    end = grip.mapFromGlobal(other.mapToGlobal(QPoint(5, 2)))
    QTest.mousePress(grip, LEFT, NONE, start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(grip, start + (end - start) * share)
    assert rows._mark.isVisible()
    QTest.mouseRelease(grip, LEFT, NONE, end)
    assert list(store.whole.blocks["Cell"].params) == ["scale", "channels"]
    assert [each.name.text() for each in rows.rows] == ["scale", "channels"]
    assert not rows._mark.isVisible()
    window.undo_stack.undo()
    assert store.whole == network()


def test_a_port_that_goes_says_how_many_links_went_with_it(window):
    store, editor = window.bench.store, inside(window)
    QTest.mouseClick(row(editor.outputs, "same").remove, LEFT)
    assert ports_of(store.whole.blocks["Cell"], "Output") == ["wider"]
    assert "same is gone, and 3 links with it" in window.canvas.notice.accessibleName()
    undo = button(window.canvas.notice, "Undo")
    QTest.mouseClick(undo, LEFT)
    assert store.whole == network()
    assert [each.shown for each in editor.outputs.rows] == ["same", "wider"]


def test_ports_and_parameters_are_added_and_named_at_once(window):
    store, editor = window.bench.store, inside(window)
    QTest.mouseClick(editor.inputs.add, LEFT)
    field = QApplication.focusWidget()
    assert field is row(editor.inputs, "input").name
    QTest.keyClicks(field, "mask")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert ports_of(store.whole.blocks["Cell"], "Input") == ["x", "y", "mask"]
    QTest.mouseClick(editor.parameters.add, LEFT)
    QTest.keyClicks(QApplication.focusWidget(), "depth")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert dict(store.whole.blocks["Cell"].params) == {"channels": 4, "scale": 2, "depth": 1}
    store.leave()
    store.select(["first"])
    assert "depth" in window.inspector.page.form.fields


def test_a_default_a_range_and_a_sentence_are_typed(window):
    store, editor = window.bench.store, inside(window)
    each = row(editor.parameters, "scale")
    line = each.default.line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "12")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert store.whole.blocks["Cell"].params["scale"] == 12
    window.undo_stack.undo()
    assert store.whole == network(), "a typed number is one step"
    assert not each.details.isVisible()
    QTest.mouseClick(each.toggle, LEFT)
    low = each.ends["min"].line
    low.setFocus()
    QTest.keyClicks(low, "3")
    assert "The default of scale is 2, outside of its range from 3" in each.error.text()
    low.selectAll()
    QTest.keyClicks(low, "1")
    assert not each.error.isVisible()
    each.doc.setFocus()
    QTest.keyClicks(each.doc, "How much wider it gets.")
    assert store.whole.blocks["Cell"].about == {"scale": About("How much wider it gets.", 1)}
    store.leave()
    store.select(["first"])
    field = window.inspector.page.form.fields["scale"]
    assert field.line.toolTip() == "How much wider it gets."


def test_a_block_is_edited_from_outside_while_one_of_its_nodes_is_selected(window):
    store = window.bench.store
    store.select(["first"])
    QTest.mouseClick(window.inspector.page.edit_block, LEFT)
    page = window.inspector.page
    assert isinstance(page, BlockPage)
    type_name(row(page.interface.outputs, "wider"), "features")
    assert window.inspector.page is page, "it stays open"
    spots = [spot.name for spot in window.canvas.graph.nodes["first"].face.outputs]
    assert spots == ["same", "features"]
    assert store.document.edges[Slot("wide_out", "x")] == Slot("first", "features")
    QTest.mouseClick(page.back, LEFT)
    assert isinstance(window.inspector.page, NodePage)
    QTest.mouseClick(window.inspector.page.edit_block, LEFT)
    store.select(["stage"])
    assert isinstance(window.inspector.page, NodePage)


def test_the_shapes_at_the_ports_are_shown(window, qtbot):
    editor = inside(window)
    qtbot.waitUntil(lambda: bool(row(editor.outputs, "wider").shape.text()), timeout=60_000)
    assert row(editor.inputs, "x").shape.text() == "4×8×8"
    assert row(editor.outputs, "wider").shape.text() == "12×8×8"


# -- the way into a block, and out of it ---------------------------------------------------------------------


def test_the_trail_leads_back_to_every_level_and_to_the_other_uses(window, qtbot):
    store = window.bench.store
    store.enter("Stage", "stage")
    store.enter("Cell", "cell")
    trail = window.canvas.trail
    assert trail.uses.accessibleName() == "Use 2 of 2"
    assert [action.text() for action in trail.uses.menu().actions()] == ["first", "stage › cell"]
    QTest.mouseClick(button(trail, "Stage"), LEFT)
    assert store.scope == ("Stage",)
    store.enter("Cell", "cell")
    trail.uses.menu().actions()[0].trigger()
    assert store.scope == ("Cell",)
    assert store.way == (("first", 0),)
    assert trail.uses.accessibleName() == "Use 1 of 2"
    slot = Slot("wide", "y")
    qtbot.waitUntil(lambda: slot in window.bench.analysis.types, timeout=60_000)
    assert str(window.bench.analysis.types[slot]) == "N×12×8×8"
    trail.uses.menu().actions()[1].trigger()
    assert store.way == (("stage", 0), ("cell", 0))
    assert str(window.bench.analysis.types[slot]) == "N×8×8×8", "the shapes are those of this use"
    QTest.mouseClick(button(trail, "Net"), LEFT)
    assert store.scope == ()


def test_another_use_in_the_same_blocks_is_a_turn(window):
    store = window.bench.store
    copied, _ = paste(store.document, [store.document.nodes["first"]], [], (0, 300))
    store.apply("Copy", copied)
    store.enter("Cell", "first")
    scene = window.canvas.graph
    item = scene.nodes["conv"]
    uses = window.canvas.trail.uses
    assert uses.accessibleName() == "Use 1 of 3"
    next(each for each in uses.menu().actions() if each.text() == "cell1").trigger()
    assert store.way == (("cell1", 0),)
    assert scene.nodes["conv"] is item, "the drawing stays"
    assert window.canvas.trail.uses.accessibleName() == "Use 3 of 3"


def test_escape_first_deselects_and_then_leaves(window):
    store = window.bench.store
    store.enter("Cell", "first")
    store.select(["conv"])
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert (store.scope, store.selection) == (("Cell",), frozenset())
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert store.scope == ()


def test_grouping_and_unpacking_with_keys_lead_back(window, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Front", True))
    store, before = window.bench.store, window.bench.store.document
    ids = {"first", "stage"}
    store.select(ids)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_G, CONTROL)
    assert store.selection == {"front"}
    QTest.keyClick(window.canvas, Qt.Key.Key_G, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert store.selection == ids, "what was unpacked is selected"
    assert window.undo_stack.undoText() == "Unpack front"
    assert dict(store.document.nodes) == dict(before.nodes)
    assert dict(store.document.edges) == dict(before.edges)


def test_several_blocks_are_unpacked_in_one_step(window):
    store = window.bench.store
    store.select(["first", "stage"])
    steps = window.undo_stack.count()
    QTest.keyClick(window.canvas, Qt.Key.Key_G, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert window.undo_stack.count() == steps + 1
    assert window.undo_stack.undoText() == "Unpack 2 blocks"
    assert {"conv", "wide", "cell", "joined"} <= store.selection


def button(parent: QWidget, text: str) -> QPushButton:
    return next(each for each in parent.findChildren(QPushButton) if each.text() == text and each.isVisible())


# -- ports made by a wire ------------------------------------------------------------------------------------


def drag_wire(window, start: QPointF, end: QPoint) -> None:
    """Drag from a place of the canvas to a pixel of its viewport."""
    port, a = window.canvas.viewport(), window.canvas.to_view(start)
    QTest.mousePress(port, LEFT, NONE, a)
    for share in (0.2, 0.6, 1.0):
        QTest.mouseMove(port, a + (end - a) * share)
    QTest.mouseRelease(port, LEFT, NONE, end)
    QApplication.processEvents()


@pytest.mark.parametrize("forward", [True, False])
def test_a_wire_that_is_dropped_at_the_edge_becomes_a_port(window, forward):
    store = window.bench.store
    store.enter("Cell", "first")
    QApplication.processEvents()
    canvas = window.canvas
    if forward:
        slot = Slot("conv", "y")
    else:
        store.apply("Open", lambda d: disconnect(d, [Slot("both", "xs.1")]))
        slot = Slot("both", "xs.1")
    edge = strip_of(canvas, forward).center().toPoint()
    steps = window.undo_stack.count()
    drag_wire(window, canvas.graph.slot_at(slot, not forward), edge)
    kind, name = ("Output", "output") if forward else ("Input", "input")
    assert ports_of(store.whole.blocks["Cell"], kind)[-1] == name
    ends = (Slot(name, "x"), slot) if forward else (slot, Slot(name, "y"))
    assert store.document.edges[ends[0]] == ends[1]
    assert store.selection == {name}
    assert window.undo_stack.count() == steps + 1
    assert window.undo_stack.undoText() == f"New {kind.lower()}"
    store.leave()
    face = canvas.graph.nodes["first"].face
    assert name in [spot.name for spot in (face.outputs if forward else face.inputs)]


def test_outside_of_blocks_there_is_no_edge_for_ports(window):
    assert strip_of(window.canvas, True).isEmpty()
    end = window.canvas.viewport().rect().center() + QPoint(0, 150)
    drag_wire(window, window.canvas.graph.slot_at(Slot("first", "same"), False), end)
    assert window.canvas.quick_add.isVisible()


def test_a_port_that_is_deleted_on_the_canvas_tells_of_the_links_outside(window):
    store = window.bench.store
    store.enter("Cell", "first")
    store.select(["same"])
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert "2 links outside ended at a port that is gone" in window.canvas.notice.accessibleName()
    QTest.mouseClick(button(window.canvas.notice, "Undo"), LEFT)
    assert store.whole == network()
    store.select(["conv"])
    window.canvas.notice.hide()
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert window.canvas.notice.isHidden()
