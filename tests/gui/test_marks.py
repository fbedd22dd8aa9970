"""Frames, notes and dots by mouse and keys: made, moved, resized, written, deleted, undone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QTest

from engine.graph import marks
from engine.graph.blocks import group
from engine.graph.document import COLORS, Document, Slot
from engine.storage.document_file import load_document, save_document
from gui.canvas.comment_paint import body_of, fill_of, text_of
from gui.canvas.frame_item import FrameItem
from gui.canvas.menus import mark_menu, wire_menu
from gui.canvas.note_item import NoteItem
from gui.canvas.picture import picture
from gui.canvas.view import CanvasView
from gui.theme import DARK, LIGHT
from tests.gui.canvas_help import LEFT, NONE, analysis_of, canvas, lenet, point, snapshot
from tests.gui.window_help import open_window

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
WIRE = Slot("conv1", "x")


@pytest.fixture
def view(qtbot) -> CanvasView:
    return canvas(qtbot)


def document(view: CanvasView) -> Document:
    return view.bench.store.document


def drag(view: CanvasView, start: QPointF, by: tuple[float, float], modifier=NONE) -> None:
    a, b = point(view, start), point(view, start + QPointF(*by))
    QTest.mousePress(view.viewport(), LEFT, modifier, a)
    QTest.mouseMove(view.viewport(), (a + b) / 2)
    QTest.mouseMove(view.viewport(), b)
    QTest.mouseRelease(view.viewport(), LEFT, modifier, b)


def framed(view: CanvasView, *ids: str) -> FrameItem:
    view.bench.store.select(ids)
    view.add_frame()
    QTest.keyClicks(view.title_field, "Front")
    QTest.keyClick(view.title_field, Qt.Key.Key_Return)
    return view.graph.item("frame 1")


def noted(view: CanvasView, text: str) -> NoteItem:
    view.add_note(QPointF(300, 420))
    view.note_field.setPlainText(text)
    QTest.keyClick(view.note_field, Qt.Key.Key_Return, CONTROL)
    return view.graph.item("note 1")


def middle(view: CanvasView, slot: Slot = WIRE) -> QPointF:
    return view.graph.wires[slot].route.path.pointAtPercent(0.5)


def double_click(view: CanvasView, place: QPointF) -> None:
    QTest.mouseDClick(view.viewport(), LEFT, NONE, point(view, place))


# -- frames ----------------------------------------------------------------------------------------------


def test_a_frame_goes_around_the_selection_and_asks_for_its_title(view):
    frame = framed(view, "conv1", "relu1")
    assert document(view).comments["frame 1"].title == "Front"
    assert all(frame.body().contains(view.graph.nodes[id].body()) for id in ("conv1", "relu1"))
    assert not frame.body().intersects(view.graph.nodes["flatten1"].body())
    assert view.bench.store.chosen == {"frame 1"}
    view.bench.store.undo_stack.undo()
    view.bench.store.undo_stack.undo()
    assert not view.graph.marks.items


def test_moving_a_frame_moves_what_stands_in_it_as_one_step(view):
    frame = framed(view, "conv1", "relu1")
    before, steps = document(view), view.bench.store.undo_stack.count()
    drag(view, frame.title_box().center(), (40, 80))
    after = document(view)
    for id in ("conv1", "relu1"):
        (x, y), (u, v) = before.nodes[id].position, after.nodes[id].position
        assert (u - x, v - y) == (40, 80)
    assert after.nodes["fc1"].position == before.nodes["fc1"].position
    assert after.comments["frame 1"].box[:2] == tuple(
        a + b for a, b in zip(before.comments["frame 1"].box, (40, 80), strict=False)
    )
    assert view.bench.store.undo_stack.count() == steps + 1
    assert view.bench.store.undo_stack.undoText() == "Move the frame Front"
    view.bench.store.undo_stack.undo()
    assert document(view) == before


def test_escape_puts_a_frame_and_its_nodes_back(view):
    frame = framed(view, "conv1")
    before = document(view)
    a = point(view, frame.title_box().center())
    QTest.mousePress(view.viewport(), LEFT, NONE, a)
    QTest.mouseMove(view.viewport(), a + point(view, QPointF(0, 0)))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, a)
    assert document(view) == before
    assert view.graph.nodes["conv1"].pos().toTuple() == before.nodes["conv1"].position
    assert frame.pos().toTuple() == before.comments["frame 1"].box[:2]


@pytest.mark.parametrize(
    ("corner", "by", "changed"),
    [
        ("bottomRight", (60, 30), (0, 0, 60, 30)),
        ("topLeft", (-20, -40), (-20, -40, 20, 40)),
        ("bottomLeft", (2000, 0), None),
    ],
)
def test_edges_of_a_frame_are_dragged(view, corner, by, changed):
    frame = framed(view, "conv1")
    view.zoom_to(0.9)
    before = document(view).comments["frame 1"].box
    drag(view, getattr(frame.body(), corner)(), by)
    after = document(view).comments["frame 1"].box
    if changed is None:
        assert after[2] == marks.SMALLEST[0], "it can become no smaller"
        assert after[0] + after[2] == before[0] + before[2]
    else:
        assert all(abs(b - a - c) <= 4 for a, b, c in zip(before, after, changed, strict=True))
    assert view.bench.store.undo_stack.undoText() == "Resize the frame"


def test_inside_of_a_frame_one_draws_a_selection_box(view):
    frame = framed(view, "conv1", "relu1")
    view.bench.store.select(())
    start = frame.body().bottomLeft() + QPointF(14, -12)
    drag(view, start, (frame.body().width() - 28, -120))
    assert view.bench.store.selection == {"conv1", "relu1"}
    assert not view.bench.store.marks


def test_a_frame_is_deleted_and_leaves_the_nodes(view):
    framed(view, "conv1", "relu1")
    nodes = document(view).nodes
    view.delete_selection()
    assert not document(view).comments
    assert document(view).nodes == nodes
    assert not view.graph.marks.items


def test_f2_and_double_click_rename_a_frame(view):
    frame = framed(view, "conv1")
    view.rename_selected()
    assert view.title_field.isVisible()
    assert view.title_field.text() == "Front"
    QTest.keyClicks(view.title_field, "Encoder")
    QTest.keyClick(view.title_field, Qt.Key.Key_Return)
    assert document(view).comments["frame 1"].title == "Encoder"
    double_click(view, frame.title_box().center())
    QTest.keyClicks(view.title_field, "X")
    QTest.keyClick(view.title_field, Qt.Key.Key_Escape)
    assert document(view).comments["frame 1"].title == "Encoder"


def test_a_menu_colors_frames_writes_on_them_and_selects_what_they_hold(view):
    frame = framed(view, "conv1", "relu1")
    actions = {action.text(): action for action in mark_menu(view, frame).actions()}
    colors = actions["Color"].menu().actions()
    assert [color.text().lower() for color in colors] == list(COLORS)
    colors[2].trigger()
    assert document(view).comments["frame 1"].color == COLORS[2]
    actions["Edit the text"].trigger()
    QTest.keyClicks(view.note_field, "halves the picture")
    QTest.keyClick(view.note_field, Qt.Key.Key_Return, CONTROL)
    assert document(view).comments["frame 1"].text == "halves the picture"
    actions["Select what stands in it"].trigger()
    assert view.bench.store.chosen == {"conv1", "relu1"}


def test_a_frame_leaves_room_for_what_its_nodes_will_show(view):
    frame = framed(view, "conv1", "relu1")
    view.graph.show_snapshot(snapshot())
    assert all(frame.body().contains(view.graph.nodes[id].body()) for id in ("conv1", "relu1"))


def test_labels_stand_on_the_ground_of_their_frame(view):
    framed(view, "conv1", "relu1")
    label = view.graph.wires[Slot("relu1", "x")].label_box
    comment = document(view).comments["frame 1"]
    assert view.graph.marks.ground(label) == fill_of(comment, view.bench.theme)
    assert view.graph.marks.ground(label.translated(0, 900)) == view.bench.theme.canvas


# -- notes -----------------------------------------------------------------------------------------------


def test_a_note_is_written_where_it_stands_and_grows_with_its_text(view):
    note = noted(view, "# Watch\n\nthe **loss**\n\n- first\n- second\n- third")
    assert document(view).comments["note 1"].text.startswith("# Watch")
    assert note.body().height() > document(view).comments["note 1"].box[3]
    double_click(view, note.body().center())
    assert view.note_field.isVisible()
    view.note_field.setPlainText("short")
    QTest.mouseClick(view.viewport(), LEFT, NONE, point(view, note.body().center() + QPointF(500, 0)))
    assert document(view).comments["note 1"].text == "short", "leaving the field keeps it"
    double_click(view, view.graph.item("note 1").body().center())
    view.note_field.setPlainText("never")
    QTest.keyClick(view.note_field, Qt.Key.Key_Escape)
    assert document(view).comments["note 1"].text == "short"


def test_the_palette_offers_a_note_on_the_empty_canvas_and_nowhere_else(view):
    view.open_quick_add(QPointF(300, 500))
    QTest.keyClicks(view.quick_add.field, "markdown")
    QTest.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert view.note_field.isVisible()
    QTest.keyClicks(view.note_field, "seen")
    QTest.keyClick(view.note_field, Qt.Key.Key_Return, CONTROL)
    (comment,) = document(view).comments.values()
    assert comment.text == "seen"
    view.open_quick_add(QPointF(300, 500), view.graph.wires[WIRE].edge)
    assert "a note" not in view.quick_add.types()


def test_what_is_being_written_is_kept_when_the_view_moves_or_the_document_changes(view):
    note = noted(view, "one")
    view.write(note.id)
    view.note_field.setPlainText("two")
    view.pan(QPointF(20, 0))
    assert document(view).comments["note 1"].text == "two"


def test_letters_typed_into_a_note_are_no_commands(qtbot, view):
    view.add_note(QPointF(300, 420))
    QTest.keyClicks(view.note_field, "nmLb")
    QTest.keyClick(view.note_field, Qt.Key.Key_Delete)
    assert view.note_field.toPlainText() == "nmLb"
    assert len(document(view).comments) == 1


def test_a_note_is_as_wide_as_one_drags_it(view):
    note = noted(view, "words " * 30)
    tall = note.body().height()
    drag(view, QPointF(note.body().right(), note.body().center().y()), (160, 0))
    assert abs(document(view).comments["note 1"].box[2] - 440) <= 4
    assert view.graph.item("note 1").body().height() < tall


def test_a_note_loads_nothing_and_opens_links_only_by_a_click(view, monkeypatch, tmp_path):
    secret = tmp_path / "pixel.png"
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(0xFF00FF)
    image.save(str(secret))
    asked: list[str] = []
    monkeypatch.setattr(QTextDocument, "loadResource", lambda self, kind, url: asked.append(url.toString()))
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    text = f"[paper](https://arxiv.org/abs/1505.04597)\n\n![x]({secret.as_uri()}) <b>raw</b>"
    note = noted(view, text)
    view.grab()
    assert asked == [], "the base class reads files; it is never reached"
    assert opened == []
    place = note.pos() + QPointF(26, 22)
    assert view.link_at(QPointF(point(view, place))) == "https://arxiv.org/abs/1505.04597"
    QTest.mouseClick(view.viewport(), LEFT, NONE, point(view, place))
    assert opened == ["https://arxiv.org/abs/1505.04597"]
    drag(view, place, (60, 0))
    assert len(opened) == 1, "a drag is no click"
    view.open_link("file:///etc/passwd")
    assert len(opened) == 1


def test_raw_html_in_a_note_is_text(qapp):
    assert "<b>" in text_of("a <b>bold</b> word", 300).toPlainText()


# -- dots ------------------------------------------------------------------------------------------------


def test_a_double_click_puts_a_dot_into_a_wire_and_dragging_it_bends_the_wire(view):
    place = middle(view)
    double_click(view, place)
    (at,) = document(view).bends[WIRE]
    assert abs(at[0] - place.x()) <= 1
    dot = view.graph.item(marks.dot_id(WIRE, 0))
    drag(view, dot.pos(), (8, 120))
    (moved,) = document(view).bends[WIRE]
    assert moved[1] > at[1] + 100
    path = view.graph.wires[WIRE].route.path
    assert min((path.pointAtPercent(n / 200) - QPointF(*moved)).manhattanLength() for n in range(201)) < 4
    assert document(view).edges == lenet().edges


def test_dots_come_in_the_order_of_the_way(view):
    ends = view.graph.ends_of(view.graph.wires[WIRE].edge)
    for share in (0.5, 0.2, 0.8):
        view.add_dot(view.graph.wires[WIRE], QPointF(point(view, ends[0] + (ends[1] - ends[0]) * share)))
    xs = [x for x, _ in document(view).bends[WIRE]]
    assert xs == sorted(xs)
    assert len(set(xs)) == 3


def test_a_wire_follows_its_dot_while_it_is_dragged_and_escape_puts_it_back(view):
    double_click(view, middle(view))
    before = document(view)
    dot = view.graph.item(marks.dot_id(WIRE, 0))
    route = view.graph.wires[WIRE].route
    a = point(view, dot.pos())
    QTest.mousePress(view.viewport(), LEFT, NONE, a)
    QTest.mouseMove(view.viewport(), a + point(view, QPointF(0, 60)) - point(view, QPointF(0, 0)))
    assert view.graph.wires[WIRE].route.path != route.path
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, a)
    assert view.graph.wires[WIRE].route.path == route.path
    assert document(view) == before


def test_delete_takes_the_selected_dots_and_no_others(view):
    wire = view.graph.wires[WIRE]
    ends = view.graph.ends_of(wire.edge)
    for share in (0.3, 0.7):
        view.add_dot(view.graph.wires[WIRE], QPointF(point(view, ends[0] + (ends[1] - ends[0]) * share)))
    keep = document(view).bends[WIRE][1]
    view.bench.store.select({marks.dot_id(WIRE, 0)})
    view.delete_selection()
    assert document(view).bends[WIRE] == (keep,)
    assert not view.bench.store.chosen, "the dot that moved up is not deleted with the next key"
    view.delete_selection()
    assert document(view).bends[WIRE] == (keep,)
    menu = wire_menu(view, view.graph.wires[WIRE], QPointF())
    actions = {action.text(): action for action in menu.actions()}
    actions["Straighten"].trigger()
    assert not document(view).bends


def test_a_box_selects_dots_and_notes_and_moves_them_with_nodes(view):
    double_click(view, middle(view))
    noted(view, "words")
    view.select_all()
    dot = marks.dot_id(WIRE, 0)
    assert view.bench.store.chosen == {*document(view).nodes, dot, "note 1"}
    before = document(view)
    body = view.graph.nodes["conv1"].body()
    drag(view, body.center() + QPointF(0, 10), (48, 24), NONE)
    after = document(view)
    (ax, ay), (bx, by) = before.bends[WIRE][0], after.bends[WIRE][0]
    assert (bx - ax, by - ay) == (48, 24)
    assert after.comments["note 1"].box[0] == before.comments["note 1"].box[0] + 48
    assert after.nodes["fc1"].position[0] == before.nodes["fc1"].position[0] + 48
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert document(view).bends[WIRE][0][0] == bx + 16


# -- all of them -----------------------------------------------------------------------------------------


def test_marks_are_copied_with_nodes(view):
    framed(view, "images", "conv1")
    double_click(view, middle(view))
    view.bench.store.select({"images", "conv1", "frame 1"})
    view.duplicate()
    after = document(view)
    assert set(after.comments) == {"frame 1", "frame 2"}
    assert after.comments["frame 2"].title == "Front"
    assert len(after.bends) == 2
    assert "frame 2" in view.bench.store.marks
    view.bench.store.select({"frame 1"})
    view.copy()
    view.commands.paste(QPointF(900, 600))
    assert set(document(view).comments) == {"frame 1", "frame 2", "frame 3"}


def test_a_selection_holds_both_and_toggles_with_control(view):
    frame = framed(view, "conv1")
    QTest.mouseClick(view.viewport(), LEFT, CONTROL, point(view, frame.body().topLeft() + QPointF(60, 16)))
    assert not view.bench.store.chosen
    view.bench.store.select({"fc1"})
    QTest.mouseClick(view.viewport(), LEFT, SHIFT, point(view, frame.body().topLeft() + QPointF(60, 16)))
    assert view.bench.store.chosen == {"fc1", "frame 1"}
    assert view.bench.store.selection == {"fc1"}


def test_blocks_have_marks_of_their_own(view):
    noted(view, "outside")
    view.edit("Group", lambda d: group(d, ["conv1", "relu1"], "Front")[0])
    view.bench.store.enter("Front")
    assert not view.graph.marks.items
    view.add_note()
    view.note_field.setPlainText("inside")
    view.note_field.keep()
    assert view.bench.store.whole.blocks["Front"].comments["note 1"].text == "inside"
    view.bench.store.leave()
    assert view.graph.item("note 1").comment.text == "outside"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_pictures_hold_frames_notes_and_bent_wires(view, tmp_path, ending):
    framed(view, "conv1", "relu1")
    noted(view, "# Seen")
    plain, full = tmp_path / f"plain.{ending}", tmp_path / f"full.{ending}"
    picture(lenet(), analysis_of(lenet()), LIGHT, plain)
    picture(document(view), analysis_of(document(view)), LIGHT, full)
    assert full.stat().st_size > plain.stat().st_size
    if ending == "svg":
        assert "Seen" in full.read_text()
        assert "Front" in full.read_text()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_from_afar_frames_and_notes_are_plain_boxes(view, theme):
    view.bench.set_theme(theme)
    frame = framed(view, "conv1", "relu1")
    view.zoom_to(0.12)
    assert view.far()
    image = view.grab().toImage()
    at = view.to_view(frame.body().bottomLeft() + QPointF(20, -20))
    assert image.pixelColor(at) != theme.color("canvas")


def test_a_smaller_frame_lies_on_a_larger_one_whichever_was_first(view):
    framed(view, "conv1")
    view.bench.store.select(document(view).nodes)
    view.add_frame()
    QTest.keyClick(view.title_field, Qt.Key.Key_Return)
    small, large = view.graph.item("frame 1"), view.graph.item("frame 2")
    assert large.body().contains(small.body())
    assert large.zValue() < small.zValue() < -1
    left, top, *_ = document(view).comments["frame 1"].box
    view.commands.change_comments("Grow", ["frame 1"], box=(left - 900, top - 900, 4000, 4000))
    assert small.zValue() < large.zValue()
    view.bench.store.select(())
    QTest.mouseClick(view.viewport(), LEFT, NONE, point(view, large.body().topLeft() + QPointF(80, 14)))
    assert view.bench.store.marks == {"frame 2"}, "the smaller one is meant"


def test_a_canvas_without_marks_does_no_work_for_them(view):
    assert not view.graph.marks.items
    assert view.graph.marks.hit(QPointF(0, 0), 1.0) is None
    assert view.graph.marks.points(WIRE) == []


def test_the_body_of_a_frame_is_its_box(qapp):
    comment = marks.add_comment(Document(), "frame", (5, 6, 300, 200), "T")[0].comments["frame 1"]
    assert body_of(comment).getRect() == (0, 0, 300, 200)


# -- through the window ----------------------------------------------------------------------------------


def test_keys_of_the_window_frame_write_delete_and_undo(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store, view = window.bench.store, window.canvas
        view.setFocus()
        store.select(["conv1", "tanh1"])
        QTest.keyClick(window, Qt.Key.Key_J, CONTROL)
        QTest.keyClicks(view.title_field, "Edges")
        QTest.keyClick(view.title_field, Qt.Key.Key_Return)
        assert store.document.comments["frame 1"].title == "Edges"
        assert window.actions_["delete"].isEnabled()
        QTest.keyClick(window, Qt.Key.Key_F2)
        assert view.title_field.isVisible()
        QTest.keyClick(view.title_field, Qt.Key.Key_Escape)
        QTest.keyClick(window, Qt.Key.Key_N)
        QTest.keyClicks(view.note_field, "no")
        assert view.note_field.toPlainText() == "no", "a letter that is a command, too"
        QTest.keyClick(view.note_field, Qt.Key.Key_Return, CONTROL)
        assert store.document.comments["note 1"].text == "no"
        QTest.keyClick(window, Qt.Key.Key_Delete)
        assert list(store.document.comments) == ["frame 1"]
        assert store.document.nodes.keys() == window.canvas.graph.nodes.keys()
        for _ in range(5):
            QTest.keyClick(window, Qt.Key.Key_Z, CONTROL)
        assert not store.document.comments


def test_a_saved_document_opens_with_its_marks(qtbot, tmp_path):
    path = tmp_path / "noted.netwright"
    with open_window(qtbot, "lenet5") as window:
        view = window.canvas
        view.add_note(QPointF(200, 200))
        QTest.keyClicks(view.note_field, "kept")
        view.note_field.keep()
        slot = Slot("tanh1", "x")
        view.add_dot(view.graph.wires[slot], QPointF(point(view, middle(view, slot))))
        save_document(window.bench.store.whole, path)
        window.bench.store.open(load_document(path))
        assert view.graph.item("note 1").comment.text == "kept"
        assert marks.dot_id(slot, 0) in view.graph.marks.items
