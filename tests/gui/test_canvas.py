"""The canvas follows the document, and every gesture is one edit."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QRegion,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.compiler.analysis import WARNING, Fix, Problem
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Slot
from engine.training.events import Failed
from gui.canvas import navigation
from gui.canvas.menus import node_menu, wire_menu
from gui.theme import LIGHT
from tests.gui.canvas_help import (
    LEFT,
    MIDDLE,
    analysis_of,
    canvas,
    drag,
    lenet,
    messages,
    point,
    port,
    snapshot,
    title,
)

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT, NONE = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def view(qtbot):
    return canvas(qtbot)


def document(view):
    return view.bench.store.document


def steps(view):
    return view.bench.store.undo_stack.count()


# -- following ---------------------------------------------------------------------------------------------


def test_every_node_and_edge_has_an_item_that_follows_undo(view):
    store = view.bench.store
    assert view.graph.nodes.keys() == document(view).nodes.keys()
    assert view.graph.wires.keys() == document(view).edges.keys()
    store.apply("Delete", lambda d: edits.delete(d, ["relu1"], heal=True))
    assert "relu1" not in view.graph.nodes
    assert view.graph.wires[Slot("flatten1", "x")].edge.source == Slot("conv1", "y")
    store.undo_stack.undo()
    assert view.graph.nodes.keys() == document(view).nodes.keys()
    assert view.graph.wires[Slot("flatten1", "x")].edge.source == Slot("relu1", "y")
    store.undo_stack.redo()
    assert view.graph.wires.keys() == document(view).edges.keys()


def test_wires_carry_shapes_and_labels_are_dashed(view):
    wires = view.graph.wires
    assert wires[Slot("relu1", "x")].label == "4×8×8"
    assert not wires[Slot("relu1", "x")].dashed
    assert wires[Slot("loss", "target")].label == "y · N"
    assert wires[Slot("loss", "target")].dashed


def test_a_node_with_an_error_gives_the_reason_and_its_wire_is_red(view):
    problem = Problem("Linear expects 400 numbers, 256 arrive.", "fc1", "x", fix=None)
    view.bench.analysis = analysis_of(document(view), problem, Problem("Unused.", "relu1", severity=WARNING))
    view.bench.analyzed.emit(view.bench.analysis)
    face = view.graph.nodes["fc1"].face
    assert face.failing
    assert " ".join(face.note.lines) == problem.message
    assert view.graph.wires[Slot("fc1", "x")].failing
    assert not view.graph.wires[Slot("relu1", "x")].failing
    assert not view.graph.nodes["relu1"].face.failing
    assert view.graph.nodes["relu1"].face.problem.message == "Unused."


def test_the_button_of_a_mend_is_one_step(view):
    fix = Fix("Use 12 filters", lambda d: edits.set_params(d, "conv1", out_channels=12))
    view.bench.analysis = analysis_of(document(view), Problem("Too few.", "conv1", fix=fix))
    view.bench.analyzed.emit(view.bench.analysis)
    item = view.graph.nodes["conv1"]
    at = point(view, item.pos() + item.face.note.button.center())
    QTest.mouseClick(view.viewport(), LEFT, NONE, at)
    assert document(view).nodes["conv1"].params["out_channels"] == 12
    assert view.bench.store.undo_stack.undoText() == "Use 12 filters"


def test_an_error_of_a_run_shows_until_the_document_changes(view):
    view.bench.failed.emit(Failed("The numbers became nan.", "relu1"))
    assert view.graph.nodes["relu1"].face.failing
    view.bench.store.apply("x", lambda d: edits.set_params(d, "conv1", out_channels=5))
    view.graph.show_analysis()
    assert not view.graph.nodes["relu1"].face.failing


def test_an_error_of_a_run_goes_when_another_begins(view):
    height = view.graph.nodes["relu1"].face.height
    view.bench.failed.emit(Failed("The numbers became nan.", "relu1"))
    view.bench.run_reset.emit()
    assert not view.graph.nodes["relu1"].face.failing
    assert view.graph.nodes["relu1"].face.note is None
    assert view.graph.nodes["relu1"].face.height == height


def test_a_snapshot_grows_a_node_once_and_repaints_only_its_strip(view, qtbot):
    before = view.graph.nodes["conv1"].face.height
    flat = view.graph.nodes["flatten1"].face.height
    view.bench.snapshot_taken.emit(snapshot(0))
    grown = view.graph.nodes["conv1"].face.height
    assert grown > before
    assert view.graph.nodes["flatten1"].face.height == flat
    assert view.graph.nodes["loss"].mood.strip.text == "0.182"
    assert view.graph.nodes["conv1"].mood.health == "|g| 0.20"
    QApplication.processEvents()
    painted = Painted(view.viewport())
    view.bench.snapshot_taken.emit(snapshot(1, only=("conv1",)))
    qtbot.waitUntil(lambda: not painted.region.isEmpty())
    assert view.graph.nodes["conv1"].face.height == grown
    for id in ("images", "relu1", "fc1"):
        body = view.viewportTransform().mapRect(view.graph.nodes[id].body()).toRect()
        assert not painted.region.intersects(body)


class Painted(QObject):
    """Collects what a widget repaints."""

    def __init__(self, widget):
        super().__init__(widget)
        self.region = QRegion()
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.region = self.region.united(event.region())
        return False


def test_a_view_that_shows_all_still_does_when_the_nodes_have_grown(view):
    view.resize(900, 560)
    view.fit_all()
    view.resize(900, round(view.graph.bounds().height() * view.zoom) + 84)
    view.bench.snapshot_taken.emit(snapshot())
    assert view.visible_rect().contains(view.graph.bounds())
    view.zoom_to(2.0)
    view.graph.grown.emit()
    assert view.zoom == 2.0  # somebody looks at a part


def test_a_new_run_empties_the_strips_but_keeps_the_sizes(view):
    view.bench.snapshot_taken.emit(snapshot())
    height = view.graph.nodes["conv1"].face.height
    view.bench.run_reset.emit()
    assert view.graph.nodes["conv1"].mood.strip is None
    assert view.graph.nodes["conv1"].face.height == height


def test_it_tells_which_nodes_are_in_view(view, qtbot):
    qtbot.waitUntil(lambda: "conv1" in view.bench.visible_nodes)
    view.pan(QPointF(-100_000, 0))
    qtbot.waitUntil(lambda: not view.bench.visible_nodes)
    view.fit_all()
    qtbot.waitUntil(lambda: view.bench.visible_nodes == document(view).nodes.keys())
    view.zoom_to(0.05)
    qtbot.waitUntil(lambda: not view.bench.visible_nodes)


def test_both_themes_paint_without_an_error_look(view):
    view.bench.snapshot_taken.emit(snapshot())
    dark = view.grab().toImage()
    view.bench.set_theme(LIGHT)
    light = view.grab().toImage()
    assert light.pixelColor(3, 300).lightness() > 200 > 60 > dark.pixelColor(3, 300).lightness()
    assert not any(item._broken for item in view.graph.nodes.values())


def test_a_face_that_cannot_be_painted_shows_the_error_look(view, caplog):
    item = view.graph.nodes["conv1"]
    item.face.color = object()  # what no painter can take
    view.grab()
    assert item._broken
    assert len([r for r in caplog.records if "conv1" in r.getMessage()]) == 1


# -- wires -------------------------------------------------------------------------------------------------


def test_drag_from_an_output_to_an_input_connects(view):
    view.bench.store.apply("x", lambda d: edits.disconnect(d, [Slot("relu1", "x")]))
    drag(view, port(view, "conv1", "y", False), port(view, "relu1", "x", True) + QPoint(12, 9))
    assert document(view).edges[Slot("relu1", "x")] == Slot("conv1", "y")
    assert view.bench.store.undo_stack.undoText() == "Connect"


def test_drag_from_an_open_input_back_to_an_output_connects(view):
    view.bench.store.apply("x", lambda d: edits.disconnect(d, [Slot("relu1", "x")]))
    drag(view, port(view, "relu1", "x", True), port(view, "images", "y", False))
    assert document(view).edges[Slot("relu1", "x")] == Slot("images", "y")


def test_a_refused_port_says_why_and_changes_nothing(view):
    said = messages(view)
    before = document(view)
    start, end = port(view, "relu1", "y", False), port(view, "conv1", "x", True)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), (start + end) / 2)
    QTest.mouseMove(view.viewport(), end)
    assert ("x", True) in view.graph.nodes["conv1"].mood.dimmed
    assert ("x", True) not in view.graph.nodes["flatten1"].mood.dimmed
    QTest.mouseRelease(view.viewport(), LEFT, NONE, end)
    assert "cycle" in said[0]
    assert document(view) is before
    assert not view.graph.nodes["conv1"].mood.dimmed


def test_the_end_of_a_wire_is_re_routed_or_deleted(view):
    drag(view, port(view, "flatten1", "x", True), port(view, "fc1", "x", True))
    assert Slot("flatten1", "x") not in document(view).edges
    assert document(view).edges[Slot("fc1", "x")] == Slot("relu1", "y")
    assert view.bench.store.undo_stack.undoText() == "Re-route"
    assert steps(view) == 1
    view.bench.store.undo_stack.undo()
    drag(view, port(view, "relu1", "x", True), point(view, QPointF(300, -40)))
    assert Slot("relu1", "x") not in document(view).edges
    assert view.bench.store.undo_stack.undoText() == "Disconnect"


def test_a_wire_dropped_where_it_came_from_changes_nothing(view):
    before = document(view)
    drag(view, port(view, "relu1", "x", True), port(view, "relu1", "x", True) + QPoint(6, 8))
    assert document(view) is before
    assert view.graph.wires[Slot("relu1", "x")].isVisible()


def test_a_variadic_port_always_has_a_free_place(qtbot):
    g = Builder()
    a = g.add("Input", id="a", shape=(4,))
    b = g.add("Input", id="b", shape=(4,))
    g.add("Add", a, id="sum")
    view = canvas(qtbot, g.document())
    names = lambda: [spot.name for spot in view.graph.nodes["sum"].face.inputs]  # noqa: E731
    assert names() == ["xs.0", "xs.1"]
    drag(view, port(view, "b", b.port, False), port(view, "sum", "xs.1", True))
    assert document(view).edges[Slot("sum", "xs.1")] == Slot("b", "y")
    assert names() == ["xs.0", "xs.1", "xs.2"]


def test_a_link_dropped_on_the_canvas_asks_for_what_fits_and_connects_it(view):
    drag(view, port(view, "conv1", "y", False), point(view, QPointF(330, 330)))
    assert view.quick_add.isVisible()
    assert "ReLU" in view.quick_add.types()
    assert "Input" not in view.quick_add.types()
    assert "Linear" not in view.quick_add.types()
    QTest.keyClicks(view.quick_add.field, "maxpo")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    new = view.bench.store.selection
    assert document(view).nodes[next(iter(new))].type == "MaxPool2d"
    assert document(view).edges[Slot(next(iter(new)), "x")] == Slot("conv1", "y")
    assert steps(view) == 1


def test_a_loose_input_dropped_on_the_canvas_asks_for_what_feeds_it(view):
    view.bench.store.apply("x", lambda d: edits.disconnect(d, [Slot("loss", "target")]))
    drag(view, port(view, "loss", "target", True), point(view, QPointF(330, 330)))
    assert {"Input", "Spirals"} <= set(view.quick_add.types())
    assert "CrossEntropyLoss" not in view.quick_add.types()
    QTest.keyClicks(view.quick_add.field, "spirals")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert document(view).edges[Slot("loss", "target")].port == "label"


def test_a_wire_dropped_on_a_node_takes_its_open_port(view):
    view.bench.store.apply("x", lambda d: edits.disconnect(d, [Slot("fc1", "x")]))
    body = view.graph.nodes["fc1"].body()
    drag(view, port(view, "flatten1", "y", False), point(view, body.center()))
    assert document(view).edges[Slot("fc1", "x")] == Slot("flatten1", "y")


def test_the_menu_of_a_wire_inserts(view):
    wire = view.graph.wires[Slot("relu1", "x")]
    menu = wire_menu(view, wire, QPointF(point(view, wire.path().pointAtPercent(0.5))))
    next(action for action in menu.actions() if action.text() == "Insert layer").trigger()
    assert "CrossEntropyLoss" not in view.quick_add.types()
    QTest.keyClicks(view.quick_add.field, "batchnorm2d")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert document(view).edges[Slot("relu1", "x")] == Slot("bn1", "y")


def test_the_label_of_a_deleted_wire_does_not_stay_on_the_screen(view, qtbot):
    view.grab()
    box = view.graph.wires[Slot("relu1", "x")].label_box
    painted = Painted(view.viewport())
    view.bench.store.apply("x", lambda d: edits.disconnect(d, [Slot("relu1", "x")]))
    there = view.viewportTransform().mapRect(box).toRect()
    qtbot.waitUntil(lambda: painted.region.boundingRect().contains(there))


def on_screen(view):
    """What was painted piece by piece, without asking for anything anew."""
    QTest.qWait(60)
    return view.screen().grabWindow(view.window().winId()).toImage()


def test_nothing_old_stays_on_the_screen_after_an_edit(view):
    view.resize(900, 500)
    view.fit_all()
    store = view.bench.store
    wire = view.graph.wires[Slot("relu1", "x")]
    view.light_wire(wire)
    view.commands.insert("ReLU", wire.edge, view.graph.nodes["relu1"].pos())
    on_screen(view)
    assert view.minimap.isVisible()
    store.undo_stack.undo()
    view.viewport().repaint(0, 0, 700, 400)  # as a label or the minimap may ask, before the scene is heard
    assert not view.minimap.isVisible()
    piecewise = on_screen(view)
    view.window().update()
    view.viewport().update()
    assert piecewise == on_screen(view)


def test_a_drag_takes_the_labels_along(view):
    view.grab()
    before = view.graph.wires[Slot("relu1", "x")].label_box
    QTest.mousePress(view.viewport(), LEFT, NONE, title(view, "relu1"))
    QTest.mouseMove(view.viewport(), title(view, "relu1") + QPoint(0, 200))
    after = view.graph.wires[Slot("relu1", "x")].label_box
    assert after.y() > before.y()
    assert view.graph.wires[Slot("relu1", "x")] in view.graph.labels_in(after)
    assert view.graph.wires[Slot("relu1", "x")] not in view.graph.labels_in(before)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, title(view, "relu1"))


# -- selecting and moving ----------------------------------------------------------------------------------


def test_click_shift_ctrl_and_box_select(view):
    store, pane = view.bench.store, view.viewport()
    QTest.mouseClick(pane, LEFT, NONE, title(view, "conv1"))
    assert store.selection == {"conv1"}
    QTest.mouseClick(pane, LEFT, SHIFT, title(view, "relu1"))
    assert store.selection == {"conv1", "relu1"}
    QTest.mouseClick(pane, LEFT, CTRL, title(view, "conv1"))
    assert store.selection == {"relu1"}
    QTest.mouseClick(pane, LEFT, NONE, point(view, QPointF(100, 330)))
    assert not store.selection
    box = view.graph.nodes["conv1"].body().united(view.graph.nodes["relu1"].body())
    drag(view, point(view, box.topLeft() + QPointF(5, -30)), point(view, box.bottomRight() - QPointF(20, 0)))
    assert store.selection == {"conv1", "relu1"}


def test_moving_several_nodes_is_one_step(view):
    view.bench.store.select({"conv1", "relu1"})
    before = {id: document(view).nodes[id].position for id in ("conv1", "relu1")}
    drag(view, title(view, "conv1"), title(view, "conv1") + QPoint(40, 200))
    for id, (x, y) in before.items():
        assert document(view).nodes[id].position == (x + 40, y + 200)
    assert view.bench.store.undo_stack.undoText() == "Move 2 nodes"
    assert steps(view) == 1
    view.bench.store.undo_stack.undo()
    assert view.graph.nodes["conv1"].pos().toTuple() == before["conv1"]


def test_the_canvas_moves_on_when_a_node_is_dragged_to_the_edge(view, qtbot):
    start, seen = title(view, "conv1"), view.visible_rect()
    edge = QPoint(view.viewport().width() - 4, start.y())
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), edge)
    qtbot.waitUntil(lambda: view.visible_rect().left() > seen.left() + 60)
    assert abs(point(view, view.graph.nodes["conv1"].pos()).x() + 60 - edge.x()) <= 4  # still held
    QTest.mouseMove(view.viewport(), QPoint(600, start.y()))
    held = view.visible_rect()
    qtbot.wait(50)
    assert view.visible_rect() == held
    QTest.mouseRelease(view.viewport(), LEFT, NONE, QPoint(600, start.y()))
    assert steps(view) == 1


def test_a_drag_along_the_edge_or_away_from_it_holds_the_canvas_still(view, qtbot):
    seen = view.visible_rect()
    QTest.mousePress(view.viewport(), LEFT, NONE, QPoint(8, 700))
    QTest.mouseMove(view.viewport(), QPoint(14, 600))
    qtbot.wait(60)
    assert view.visible_rect() == seen
    QTest.mouseRelease(view.viewport(), LEFT, NONE, QPoint(14, 600))


def test_a_drag_moves_live_and_escape_puts_back(view):
    start = view.graph.nodes["relu1"].pos()
    pane = view.viewport()
    QTest.mousePress(pane, LEFT, NONE, title(view, "relu1"))
    QTest.mouseMove(pane, title(view, "relu1") + QPoint(30, 120))
    assert view.graph.nodes["relu1"].pos() != start
    assert steps(view) == 0
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.graph.nodes["relu1"].pos() == start
    QTest.mouseRelease(pane, LEFT, NONE, title(view, "relu1"))
    assert steps(view) == 0


def test_arrows_move_the_selection_as_one_step(view):
    view.bench.store.select({"conv1"})
    x, y = document(view).nodes["conv1"].position
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down, SHIFT)
    assert document(view).nodes["conv1"].position == (x + 16, y + 4)
    assert steps(view) == 1


def test_alt_and_arrows_walk_along_the_wires(view):
    view.bench.store.select({"conv1"})
    QTest.keyClick(view, Qt.Key.Key_Right, ALT)
    assert view.bench.store.selection == {"relu1"}
    QTest.keyClick(view, Qt.Key.Key_Left, ALT)
    assert view.bench.store.selection == {"conv1"}


# -- adding ------------------------------------------------------------------------------------------------


def test_tab_opens_the_palette_and_enter_adds_behind_the_selected_node(view):
    view.bench.store.select({"fc1"})
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.quick_add.isVisible()
    QTest.keyClicks(view.quick_add.field, "fc")
    assert view.quick_add.types()[0] == "Linear"
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert not view.quick_add.isVisible()
    assert document(view).edges[Slot("fc2", "x")] == Slot("fc1", "y")
    assert view.bench.store.selection == {"fc2"}


def test_double_click_on_the_canvas_adds_there_and_escape_does_not(view):
    place = QPointF(330, 360)
    QTest.mouseDClick(view.viewport(), LEFT, NONE, point(view, place))
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Escape)
    assert not view.quick_add.isVisible()
    QTest.mouseDClick(view.viewport(), LEFT, NONE, point(view, place))
    QTest.keyClicks(view.quick_add.field, "tanh")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert view.graph.nodes["tanh1"].body().contains(place)
    assert steps(view) == 1


def test_right_click_on_the_canvas_opens_the_palette(view):
    at = point(view, QPointF(330, 360))
    QApplication.sendEvent(
        view.viewport(),
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at)),
    )
    assert view.quick_add.isVisible()


def test_double_click_on_a_node_activates_it(view, qtbot):
    with qtbot.waitSignal(view.node_activated) as signal:
        QTest.mouseDClick(view.viewport(), LEFT, NONE, title(view, "conv1"))
    assert signal.args == ["conv1"]


def _drop(view, mime, at, modifiers=NONE):
    actions = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(at, actions, mime, LEFT, modifiers)
    QApplication.sendEvent(view.viewport(), enter)
    if enter.isAccepted():
        QApplication.sendEvent(view.viewport(), QDropEvent(QPointF(at), actions, mime, LEFT, modifiers))
    return enter.isAccepted()


def _layer(type_):
    mime = QMimeData()
    mime.setData("application/x-netwright-layer", type_.encode())
    return mime


def test_a_layer_dropped_on_the_canvas_is_added_there(view):
    place = QPointF(400, 380)
    assert _drop(view, _layer("Sigmoid"), point(view, place))
    assert view.graph.nodes["sigmoid1"].body().contains(place)


def test_a_layer_dropped_on_a_wire_is_inserted_and_neighbors_make_room(view):
    wire = view.graph.wires[Slot("relu1", "x")]
    at = point(view, wire.path().pointAtPercent(0.5))
    assert _drop(view, _layer("BatchNorm2d"), at)
    assert document(view).edges[Slot("relu1", "x")] == Slot("bn1", "y")
    assert document(view).edges[Slot("bn1", "x")] == Slot("conv1", "y")
    bodies = [item.body() for item in view.graph.nodes.values()]
    assert not any(a.intersects(b) for n, a in enumerate(bodies) for b in bodies[:n])
    assert steps(view) == 1


def test_alt_keeps_a_dropped_layer_off_the_wire(view):
    wire = view.graph.wires[Slot("relu1", "x")]
    assert _drop(view, _layer("BatchNorm2d"), point(view, wire.path().pointAtPercent(0.5)), ALT)
    assert document(view).edges[Slot("relu1", "x")] == Slot("conv1", "y")


def test_files_and_unknown_layers_are_left_to_the_window(view):
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/some/file.json")])
    assert not _drop(view, files, QPoint(200, 200))
    assert not _drop(view, _layer("os.system"), QPoint(200, 200))


def test_a_free_node_dropped_on_a_wire_is_inserted(view):
    view.commands.add("Tanh", QPointF(300, 420))
    wire = view.graph.wires[Slot("relu1", "x")]
    item = view.graph.nodes["tanh1"]
    at = title(view, "tanh1")
    there = point(view, wire.path().pointAtPercent(0.5)) - point(view, item.pos() + QPointF(74, 25))
    drag(view, at, at + there)
    assert document(view).edges[Slot("relu1", "x")] == Slot("tanh1", "y")
    assert document(view).edges[Slot("tanh1", "x")] == Slot("conv1", "y")


# -- commands ----------------------------------------------------------------------------------------------


def test_delete_and_heal(view):
    view.bench.store.select({"relu1"})
    view.delete_selection(heal=True)
    assert document(view).edges[Slot("flatten1", "x")] == Slot("conv1", "y")
    view.bench.store.undo_stack.undo()
    view.bench.store.select({"relu1"})
    view.delete_selection()
    assert Slot("flatten1", "x") not in document(view).edges


def test_a_clicked_wire_is_what_delete_means(view):
    wire = view.graph.wires[Slot("relu1", "x")]
    QTest.mouseClick(view.viewport(), LEFT, NONE, point(view, wire.path().pointAtPercent(0.5)))
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert Slot("relu1", "x") not in document(view).edges
    assert "relu1" in document(view).nodes


def test_copy_and_paste_keeps_edges_and_names_new_nodes(view):
    view.bench.store.select({"conv1", "relu1"})
    view.copy()
    assert json.loads(QGuiApplication.clipboard().text())["netwright-nodes"] == 1
    view.paste()
    assert view.bench.store.selection == {"conv2", "relu2"}
    assert document(view).edges[Slot("relu2", "x")] == Slot("conv2", "y")
    assert document(view).nodes["conv2"].params == document(view).nodes["conv1"].params
    assert steps(view) == 1


def test_cut_and_duplicate(view):
    view.bench.store.select({"relu1"})
    view.duplicate()
    assert "relu2" in document(view).nodes
    view.bench.store.select({"relu2"})
    view.cut()
    assert "relu2" not in document(view).nodes
    view.paste()
    assert "relu2" in document(view).nodes


def test_hostile_text_is_refused_with_a_message(view):
    said = messages(view)
    before = document(view)
    for text in ("hello", '{"netwright-nodes": 1, "nodes": [{"id": "a", "type": "os.system"}]}'):
        QGuiApplication.clipboard().setText(text)
        view.paste()
    assert len(said) == 2
    assert document(view) is before


def test_rename_in_place(view):
    view.bench.store.select({"conv1"})
    view.rename_selected()
    QTest.keyClicks(view.title_field, "edges")
    QTest.keyClick(view.title_field, Qt.Key.Key_Return)
    assert document(view).nodes["conv1"].title == "edges"
    assert view.graph.nodes["conv1"].face.title == "edges"
    view.rename_selected()
    QTest.keyClicks(view.title_field, "other")
    QTest.keyClick(view.title_field, Qt.Key.Key_Escape)
    assert document(view).nodes["conv1"].title == "edges"


def test_layout_is_one_step_and_leaves_no_overlap(view):
    view.bench.store.apply("x", lambda d: edits.move(d, {"relu1": (5.0, 5.0), "fc1": (10.0, 10.0)}))
    view.layout()
    assert view.bench.store.undo_stack.undoText() == "Lay out"
    bodies = [item.body() for item in view.graph.nodes.values()]
    assert not any(a.intersects(b) for n, a in enumerate(bodies) for b in bodies[:n])


# -- moving over the canvas --------------------------------------------------------------------------------


def test_the_wheel_zooms_at_the_pointer(view):
    at = QPointF(500, 300)
    before = view.map_to_canvas(at)
    wheel = QWheelEvent(
        at, view.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), wheel)
    assert view.zoom == pytest.approx(1.44)
    after = view.map_to_canvas(at)
    assert (after - before).manhattanLength() < 2


def test_middle_drag_and_space_drag_pan(view):
    pane = view.viewport()
    before = view.visible_rect().topLeft()
    QTest.mousePress(pane, MIDDLE, NONE, QPoint(300, 300))
    QTest.mouseMove(pane, QPoint(340, 320))
    QTest.mouseRelease(pane, MIDDLE, NONE, QPoint(340, 320))
    assert (before - view.visible_rect().topLeft()).toTuple() == pytest.approx((40, 20))
    QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, title(view, "conv1"), title(view, "conv1") - QPoint(40, 20))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert (before - view.visible_rect().topLeft()).toTuple() == pytest.approx((0, 0))
    assert steps(view) == 0


def test_fit_all_and_fit_selection(view):
    view.pan(QPointF(5000, 5000))
    view.fit_all()
    assert view.visible_rect().contains(view.graph.bounds())
    view.pan(QPointF(5000, 5000))
    view.bench.store.select({"conv1"})
    view.fit_selection()
    assert view.visible_rect().contains(view.graph.nodes["conv1"].body())
    view.pan(QPointF(5000, 5000))
    view.bench.reveal.emit("loss")
    assert view.visible_rect().contains(view.graph.nodes["loss"].body())


def test_the_minimap_shows_when_something_is_out_of_view(view):
    view.fit_all()
    assert not view.minimap.isVisible()
    view.zoom_to(2.0)
    assert view.minimap.isVisible()
    view.show_minimap(False)
    assert not view.minimap.isVisible()


def test_a_press_on_the_minimap_goes_there(view):
    view.zoom_to(3.0)
    QTest.mouseClick(view.minimap, LEFT, NONE, QPoint(view.minimap.width() - 12, 40))
    right = view.visible_rect().center().x()
    QTest.mouseClick(view.minimap, LEFT, NONE, QPoint(12, 40))
    assert view.visible_rect().center().x() < right - 300


def test_fitting_glides_there_where_motion_is_welcome(view, qtbot, monkeypatch):
    monkeypatch.setattr(navigation, "moves", lambda widget: True)
    view.zoom_to(3.0)
    view.fit_all()
    assert view.zoom == pytest.approx(3.0)
    seen = set()
    qtbot.waitUntil(lambda: seen.add(view.zoom) or view._glide.state() == view._glide.State.Stopped)
    assert len(seen) > 2
    there = view.visible_rect()
    view.show_all()
    assert view.visible_rect() == there
    view.zoom_to(3.0)
    view.fit_all()
    QTest.mouseClick(view.viewport(), LEFT, NONE, QPoint(5, 5))
    held = view.zoom
    qtbot.wait(40)
    assert view.zoom == held  # a press stops it


def test_a_title_is_read_from_where_the_rest_cannot(view):
    view.bench.store.select(())
    view.zoom_to(0.45)

    def named(name):
        view.commands.rename("conv1", name)
        QApplication.processEvents()
        return view.viewport().grab().toImage()

    assert named("one") != named("two")


def test_from_afar_the_nodes_are_boxes_in_the_colors_of_their_categories(view):
    view.fit_all()
    view.zoom_to(0.1)
    assert view.far()
    image = view.grab().toImage()
    body = view.viewportTransform().mapRect(view.graph.nodes["conv1"].body())
    assert image.pixelColor(body.center().toPoint()).name() == "#4c9dff"


def test_a_node_menu_and_a_wire_menu_offer_their_edits(view):
    menu = node_menu(view, "relu1")
    by_text = {action.text(): action for action in menu.actions()}
    by_text["Disconnect"].trigger()
    assert not document(view).incoming("relu1")
    view.bench.store.undo_stack.undo()
    wire = view.graph.wires[Slot("relu1", "x")]
    texts = {action.text(): action for action in wire_menu(view, wire, QPointF(50, 50)).actions()}
    texts["Disconnect"].trigger()
    assert Slot("relu1", "x") not in document(view).edges


def test_screen_readers_hear_the_selected_node_and_its_problems(view):
    view.bench.analysis = analysis_of(document(view), Problem("Expects 400 numbers.", "fc1"))
    view.bench.store.select({"fc1"})
    words = view.accessibleDescription()
    assert "fc1" in words
    assert "Expects 400 numbers." in words


def test_an_empty_canvas_invites_and_stops_when_something_is_there(qtbot):
    view = canvas(qtbot, Builder().document())
    assert view.caption.invites
    view.commands.add("Linear", QPointF(0, 0))
    assert not view.caption.invites


def test_another_document_replaces_everything(view):
    view.bench.store.open(Builder("Other").document())
    assert not view.graph.nodes
    assert not view.graph.items()
    view.grab()
    view.bench.store.open(lenet())
    view.grab()
    assert view.graph.nodes.keys() == document(view).nodes.keys()
