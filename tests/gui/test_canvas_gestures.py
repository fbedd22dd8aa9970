"""Gestures of the canvas that change several things at once: each is one step with a name."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.compiler import trial
from engine.compiler.analyze import analyze
from engine.graph import edits
from engine.graph.document import Slot
from engine.graph.modes import set_mode
from engine.layers.declaration import TensorType
from gui.canvas import link
from gui.canvas.wire_item import WIDTH, width_of
from tests.gui.canvas_help import LEFT, NONE, RIGHT, canvas, drag, messages, point, port
from tests.gui.window_help import open_window

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def view(qtbot):
    return canvas(qtbot)


def document(view):
    return view.bench.store.document


def steps(view):
    stack = view.bench.store.undo_stack
    return stack.count(), stack.undoText()


def right_drag(view, start: QPoint, end: QPoint, release: bool = True) -> None:
    """Press the right button with Ctrl, move, and release: as the platform tells it."""
    over = view.viewport()
    QTest.mousePress(over, RIGHT, CTRL, start)
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, start, over.mapToGlobal(start), CTRL)
    QApplication.sendEvent(over, menu)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(over, start + (end - start) * share)
    if release:
        QTest.mouseRelease(over, RIGHT, CTRL, end)
    QApplication.processEvents()


def middle(view, node: str, name: str = "x") -> QPoint:
    """The pixel in the middle of the wire that enters a port."""
    return point(view, view.graph.wires[Slot(node, name)].route.path.pointAtPercent(0.5))


# -- the knife ---------------------------------------------------------------------------------------------


def test_the_knife_cuts_every_wire_it_crosses_in_one_step(view):
    before = document(view)
    crossed = {slot for slot in before.edges if slot.node == "loss"}
    high, low = sorted((port(view, "loss", slot.port, True) for slot in crossed), key=lambda at: at.y())
    top, bottom = high + QPoint(-6, -40), low + QPoint(-6, 40)
    right_drag(view, top, bottom, release=False)
    assert {slot for slot, wire in view.graph.wires.items() if wire.lit} == crossed
    QTest.mouseRelease(view.viewport(), RIGHT, CTRL, bottom)
    assert before.edges.keys() - document(view).edges.keys() == crossed
    assert steps(view) == (1, "Cut 2 wires")
    assert not view.quick_add.isVisible(), "Ctrl and the right button are the knife's"
    view.bench.store.undo_stack.undo()
    assert document(view).edges == before.edges


def test_the_knife_that_is_moved_back_or_given_up_cuts_nothing(view):
    before = document(view)
    at = middle(view, "relu1")
    up, down = at - QPoint(0, 60), at + QPoint(0, 60)
    right_drag(view, up, down, release=False)
    assert view.graph.wires[Slot("relu1", "x")].lit
    QTest.mouseMove(view.viewport(), up + QPoint(0, 8))
    assert not view.graph.wires[Slot("relu1", "x")].lit
    QTest.mouseMove(view.viewport(), down)
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    QTest.mouseRelease(view.viewport(), RIGHT, CTRL, down)
    assert document(view).edges == before.edges
    assert steps(view)[0] == 0
    assert not view.graph.wires[Slot("relu1", "x")].lit
    right_drag(view, up, down)
    assert Slot("relu1", "x") not in document(view).edges
    assert steps(view) == (1, "Cut a wire")


def test_the_knife_works_where_only_boxes_are_painted(view):
    view.zoom_to(0.1)
    at = view.graph.wires[Slot("relu1", "x")].route.path.pointAtPercent(0.5)
    right_drag(view, point(view, at + QPointF(0, -150)), point(view, at + QPointF(0, 200)))
    assert Slot("relu1", "x") not in document(view).edges


# -- a wire in the hand ------------------------------------------------------------------------------------


def hang(view, start: QPoint, end: QPoint) -> None:
    """Press at a port and hold the wire over a place."""
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(view.viewport(), start + (end - start) * share)


@pytest.fixture
def known(view):
    """The canvas with what an analysis really finds."""
    view.bench.analysis = analyze(document(view))
    view.bench.analyzed.emit(view.bench.analysis)
    return view


def bubbles(view, monkeypatch) -> list[tuple[str, str]]:
    """What the bubble at the pointer says from now on, and its tone."""
    said = []
    monkeypatch.setattr(link, "paint_bubble", lambda p, at, text, theme, tone: said.append((text, tone)))
    view.grab()
    return said


def test_before_the_drop_one_sees_the_shape_that_comes_out(known, monkeypatch):
    view = known
    said = bubbles(view, monkeypatch)
    hang(view, port(view, "images", "y", False), port(view, "flatten1", "x", True))
    view.grab()
    assert said[-1] == ("flatten1 gives 64", "line")
    QTest.mouseRelease(view.viewport(), LEFT, NONE, port(view, "flatten1", "x", True))
    assert analyze(document(view)).types[Slot("flatten1", "y")].sample == "64"


def test_ports_that_refuse_the_tensor_are_dimmed_and_say_what_they_expect(known, monkeypatch):
    view = known
    said = bubbles(view, monkeypatch)
    hang(view, port(view, "fc1", "y", False), port(view, "loss", "target", True))
    assert ("target", True) in view.graph.nodes["loss"].mood.dimmed
    assert ("logits", True) not in view.graph.nodes["loss"].mood.dimmed
    view.grab()
    assert said[-1] == (
        "loss expects whole numbers (class or token indices), decimal numbers arrive.",
        "warning",
    )
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    assert not view.graph.nodes["loss"].mood.dimmed


def test_a_port_behind_says_that_it_would_close_a_cycle(known, monkeypatch):
    view = known
    said = bubbles(view, monkeypatch)
    hang(view, port(view, "fc1", "y", False), port(view, "conv1", "x", True))
    view.grab()
    assert said[-1] == ("fc1 already depends on conv1; this edge would close a cycle.", "error")
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)


def test_a_node_without_an_open_port_says_so(known, monkeypatch):
    view = known
    told, said = messages(view), bubbles(view, monkeypatch)
    middle_of = point(view, view.graph.nodes["relu1"].body().center())
    hang(view, port(view, "images", "y", False), middle_of)
    view.grab()
    assert said[-1] == ("relu1 has no open input.", "error")
    QTest.mouseRelease(view.viewport(), LEFT, NONE, middle_of)
    assert told == ["relu1 has no open input."]
    assert steps(view)[0] == 0


def test_a_wire_tries_each_port_once_however_often_the_mouse_moves(known, monkeypatch):
    view = known
    tried = []
    real = trial.try_node
    monkeypatch.setattr(trial, "try_node", lambda *args: tried.append(args[1]) or real(*args))
    at = port(view, "flatten1", "x", True)
    hang(view, port(view, "images", "y", False), at)
    for step in range(12):
        QTest.mouseMove(view.viewport(), at + QPoint(step % 4 - 2, step % 3 - 1))
    assert tried.count("flatten1") == 1
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)


# -- pasting with links ------------------------------------------------------------------------------------


def test_a_copy_pasted_with_links_reads_what_its_original_reads(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store, editor = window.bench.store, window.canvas
        before = store.document
        ids = [id for id, node in before.nodes.items() if node.type in ("Conv2d", "AvgPool2d")][1:3]
        store.select(ids)
        editor.setFocus()
        QTest.keyClick(editor, Qt.Key.Key_C, CTRL)
        QTest.keyClick(editor, Qt.Key.Key_V, CTRL | Qt.KeyboardModifier.ShiftModifier)
        copies = dict(zip(sorted(ids), sorted(store.selection), strict=True))
        read = {
            (target, source)
            for target, source in store.document.edges.items()
            if target.node in store.selection
        }
        assert {source for _, source in read} >= {
            source for target, source in before.edges.items() if target.node in ids and source.node not in ids
        }
        assert len(read) == sum(target.node in ids for target in before.edges)
        assert set(copies) == set(ids)
        assert {
            k: v for k, v in store.document.edges.items() if k.node not in store.selection
        } == before.edges
        window.undo_stack.undo()
        assert store.document == before
        QTest.keyClick(editor, Qt.Key.Key_V, CTRL)
        free = {target for target in store.document.edges if target.node in store.selection}
        assert len(free) < len(read), "a plain copy reads nothing from outside"


def test_links_from_what_is_not_here_are_left_out(view):
    view.bench.store.select({"relu1", "flatten1"})
    view.copy()
    view.bench.store.apply("x", lambda d: edits.delete(d, ["conv1"]))
    view.paste_linked()
    copies = view.bench.store.selection
    edges = {t: s for t, s in document(view).edges.items() if t.node in copies}
    assert len(edges) == 1
    assert next(iter(edges.values())).node in copies


# -- the wheel ---------------------------------------------------------------------------------------------


def wheel(view, notches: int, modifiers=NONE) -> None:
    at = QPointF(400, 300)
    event = QWheelEvent(
        at,
        view.viewport().mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_the_wheel_zooms_or_moves_as_one_chooses(view):
    wheel(view, 1)
    assert view.zoom > 1
    view.zoom_to(1.0)
    view.wheel_pans = True
    before = view.map_to_canvas(QPointF(0, 0))
    wheel(view, -2)
    after = view.map_to_canvas(QPointF(0, 0))
    assert view.zoom == 1
    assert after.x() == before.x()
    assert after.y() > before.y()
    wheel(view, -1, Qt.KeyboardModifier.ShiftModifier)
    assert view.map_to_canvas(QPointF(0, 0)).x() > before.x()
    wheel(view, 1, CTRL)
    assert view.zoom > 1


def test_space_adds_a_layer_as_tab_does(view):
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Tab):
        QTest.keyClick(view, key)
        assert view.quick_add.isVisible()
        assert view.quick_add.field.text() == ""
        QTest.keyClick(view.quick_add.field, Qt.Key.Key_Escape)
        assert view.quick_add.isHidden()


def test_space_that_goes_with_the_keyboard_adds_nothing(view):
    QTest.keyPress(view, Qt.Key.Key_Space)
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.quick_add.isHidden()


def test_space_held_makes_the_left_button_pan_and_a_pinch_zooms(view):
    before, start = document(view), QPoint(500, 500)
    QTest.keyPress(view, Qt.Key.Key_Space)
    place = view.map_to_canvas(QPointF(0, 0))
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), start + QPoint(60, 40))
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(60, 40))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    moved = place - view.map_to_canvas(QPointF(0, 0))
    assert (moved.x(), moved.y()) == (60, 40)
    assert view.quick_add.isHidden()
    assert document(view) is before
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        QPointF(start),
        QPointF(start),
        QPointF(view.viewport().mapToGlobal(start)),
        0.25,
        QPointF(),
    )
    QApplication.sendEvent(view.viewport(), pinch)
    assert view.zoom == 1.25


# -- a new node on the pointer -----------------------------------------------------------------------------


def quick_add(view, at: QPoint, word: str) -> str:
    """Add a layer by a double click on the empty canvas and a word; return its id."""
    QTest.mouseDClick(view.viewport(), LEFT, NONE, at)
    QTest.keyClicks(view.quick_add.field, word)
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    (id,) = view.bench.store.selection
    return id


def test_a_new_node_follows_the_pointer_until_a_click_and_is_one_step(view):
    before, at = document(view), QPoint(400, 400)
    id = quick_add(view, at, "dropout")
    for by in (20, 60, 100):
        QTest.mouseMove(view.viewport(), at + QPoint(by, by))
    shown = view.graph.nodes[id].pos()
    placed = document(view).nodes[id].position
    assert (shown.x() - placed[0], shown.y() - placed[1]) == (100, 100)
    QTest.mouseClick(view.viewport(), LEFT, NONE, at + QPoint(100, 100))
    assert document(view).nodes[id].position == (shown.x(), shown.y())
    assert steps(view) == (1, "Add Dropout")
    QTest.mouseMove(view.viewport(), at + QPoint(200, 0))
    assert view.graph.nodes[id].pos() == shown
    view.bench.store.undo_stack.undo()
    assert document(view) == before


def test_a_new_node_is_clicked_into_a_wire(view):
    id = quick_add(view, QPoint(400, 400), "dropout")
    at = middle(view, "relu1")
    title_of = view.graph.nodes[id].pos() + QPointF(view.graph.nodes[id].face.width / 2, 25)
    start = QPoint(400, 400)
    end = start + at - point(view, title_of)
    for share in (0.5, 1.0):
        QTest.mouseMove(view.viewport(), start + (end - start) * share)
    QTest.mouseClick(view.viewport(), LEFT, NONE, end)
    assert document(view).edges[Slot("relu1", "x")] == Slot(id, "y")
    assert steps(view) == (1, "Add Dropout")


def test_escape_leaves_a_new_node_where_it_was_added(view):
    id = quick_add(view, QPoint(400, 400), "dropout")
    QTest.mouseMove(view.viewport(), QPoint(600, 500))
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    item = view.graph.nodes[id]
    assert (item.x(), item.y()) == document(view).nodes[id].position
    QTest.mouseMove(view.viewport(), QPoint(700, 500))
    assert (item.x(), item.y()) == document(view).nodes[id].position
    assert steps(view)[0] == 1


# -- what wires tell ---------------------------------------------------------------------------------------


def test_a_wire_is_as_thick_as_its_tensor_is_large_and_dashed_for_whole_numbers(known):
    wires = known.graph.wires
    widths = {id: wires[Slot(id, "x")].pen().widthF() for id in ("conv1", "relu1", "fc1")}
    assert widths == {"conv1": WIDTH, "relu1": WIDTH, "fc1": WIDTH}
    assert wires[Slot("loss", "logits")].pen().widthF() < WIDTH, "ten numbers"
    assert wires[Slot("loss", "target")].pen().style() == Qt.PenStyle.CustomDashLine
    sizes = [(8,), (64, 4, 4), (32, 28, 28), (64, 112, 112)]
    widths = [width_of(TensorType(("N", *size))) for size in sizes]
    assert widths == sorted(set(widths)), "each larger than the one before"


def test_behind_a_bypassed_node_a_wire_still_tells_what_comes_out(known, monkeypatch):
    view = known
    view.bench.store.apply("x", lambda d: set_mode(d, ["relu1"], "bypassed"))
    view.bench.analysis = analyze(document(view))
    view.bench.analyzed.emit(view.bench.analysis)
    said = bubbles(view, monkeypatch)
    hang(view, port(view, "relu1", "y", False), port(view, "flatten1", "x", True))
    view.grab()
    assert said[-1] == ("flatten1 gives 256", "line")
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)


# -- boxes -------------------------------------------------------------------------------------------------


def test_a_box_adds_with_shift_and_toggles_with_ctrl(view):
    store = view.bench.store
    store.select({"fc1", "conv1"})
    box = view.graph.nodes["conv1"].body().united(view.graph.nodes["relu1"].body())
    start, end = point(view, box.topLeft() + QPointF(5, -30)), point(view, box.bottomRight() - QPointF(20, 0))
    drag(view, start, end, Qt.KeyboardModifier.ShiftModifier)
    assert store.selection == {"fc1", "conv1", "relu1"}
    drag(view, start, end, CTRL)
    assert store.selection == {"fc1"}
    drag(view, start, end, CTRL)
    assert store.selection == {"fc1", "conv1", "relu1"}
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), end)
    assert store.selection == {"conv1", "relu1"}
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, end)
    assert not store.selection


def test_a_node_dropped_into_a_wire_pushes_those_behind_and_alt_drops_it_beside(view):
    view.bench.store.apply("x", lambda d: edits.add_node(d, "Tanh", {}, (220, 300), id="free")[0])
    before = document(view)
    over = middle(view, "relu1") - point(view, view.graph.nodes["free"].pos() + QPointF(74, 25))
    start = point(view, view.graph.nodes["free"].pos() + QPointF(60, 12))
    drag(view, start, start + over, Qt.KeyboardModifier.AltModifier)
    assert document(view).edges == before.edges
    view.bench.store.undo_stack.undo()
    drag(view, start, start + over)
    after = document(view)
    assert after.edges[Slot("relu1", "x")] == Slot("free", "y")
    assert after.nodes["relu1"].position[0] > before.nodes["relu1"].position[0]
    assert after.nodes["conv1"].position == before.nodes["conv1"].position
