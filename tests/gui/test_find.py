"""Finding on the canvas: type, walk with Enter and F3, see the marks, leave with Esc."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph.document import Comment
from engine.graph.edits import rename, set_params
from gui.canvas import navigation
from tests.gui.window_help import click_node, open_window

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot):
    """A window with LeNet-5."""
    with open_window(qtbot, "lenet5") as window:
        window.activateWindow()
        window.canvas.setFocus()
        yield window


def seek(window, text: str):
    """Press Ctrl+F, type, and return the bar."""
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F, CONTROL)
    bar = window.canvas.find_bar
    assert bar.isVisible()
    assert QApplication.focusWidget() is bar.field
    QTest.keyClick(bar.field, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(bar.field, text)
    return bar


def ids(bar) -> list[str]:
    return [hit.id for hit in bar.hits]


def test_hits_are_listed_while_one_types_and_the_canvas_stays(window):
    place = window.canvas.viewportTransform()
    bar = seek(window, "con")
    assert ids(bar) == ["conv1", "conv2"]
    QTest.keyClicks(bar.field, "v2")
    assert set(ids(bar)) >= {"conv2"}
    assert window.bench.store.selection == frozenset()
    assert window.canvas.viewportTransform() == place
    assert bar.count.text() == f"{len(bar.hits)} found"


def test_enter_walks_through_the_hits_and_around(window):
    bar = seek(window, "tanh")
    hits = ids(bar)
    assert len(hits) == 4
    for n in (0, 1, 2, 3, 0):
        QTest.keyClick(bar.field, Qt.Key.Key_Return)
        assert window.bench.store.selection == {hits[n]}
        assert bar.count.text() == f"{n + 1} of 4"
        assert bar.list.currentIndex().row() == n
        body = window.canvas.graph.nodes[hits[n]].body()
        assert window.canvas.visible_rect().contains(body)
    QTest.keyClick(bar.field, Qt.Key.Key_Return, SHIFT)
    assert window.bench.store.selection == {hits[3]}
    QTest.keyClick(bar.field, Qt.Key.Key_Up)
    assert window.bench.store.selection == {hits[2]}
    QTest.keyClick(bar.field, Qt.Key.Key_Down)
    assert window.bench.store.selection == {hits[3]}
    assert QApplication.focusWidget() is bar.field


def test_f3_walks_on_from_the_canvas_also_after_the_bar_was_left(window):
    bar = seek(window, "tanh")
    hits = ids(bar)
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert QApplication.focusWidget() is window.canvas
    QTest.keyClick(window.canvas, Qt.Key.Key_F3)
    assert window.bench.store.selection == {hits[0]}
    assert bar.isVisible()
    assert QApplication.focusWidget() is window.canvas
    QTest.keyClick(window.canvas, Qt.Key.Key_F3)
    assert window.bench.store.selection == {hits[1]}
    QTest.keyClick(window.canvas, Qt.Key.Key_F3, SHIFT)
    assert window.bench.store.selection == {hits[0]}


def test_the_walk_begins_at_the_hit_that_is_selected(window):
    click_node(window, "tanh3")
    bar = seek(window, "tanh")
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert window.bench.store.selection == {"tanh3"}
    assert bar.count.text() == "3 of 4"


def test_parameters_are_found_and_the_row_says_why(window):
    bar = seek(window, "kernel_size=5")
    assert ids(bar) == ["conv1", "conv2"]
    assert [bar.why(hit) for hit in bar.hits] == ["kernel_size=5", "kernel_size=5"]
    spoken = bar.list.model().index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "conv1, Conv2d, kernel_size=5"


def test_a_click_in_the_list_goes_there(window):
    bar = seek(window, "tanh")
    at = bar.list.visualRect(bar.list.model().index(2)).center()
    QTest.mouseClick(bar.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.bench.store.selection == {ids(bar)[2]}
    assert bar.count.text() == "3 of 4"


def test_problems_are_found(window, qtbot):
    store = window.bench.store
    store.apply("Break it", lambda d: set_params(d, "conv2", kernel_size=99))
    qtbot.waitUntil(lambda: bool(window.bench.analysis.problems), timeout=60_000)
    bar = seek(window, "error")
    assert "conv2" in ids(bar)
    hit = bar.hits[ids(bar).index("conv2")]
    assert bar.why(hit) in [each.message for each in window.bench.analysis.problems_of("conv2")]
    store.undo_stack.undo()
    qtbot.waitUntil(lambda: bar.hits == [], timeout=60_000)
    assert bar.count.text() == "Nothing found"


def test_problems_outside_are_found_from_inside_a_block(qtbot):
    with open_window(qtbot, "resnet18-small") as window:
        store, canvas = window.bench.store, window.canvas
        store.apply("Break it", lambda d: set_params(d, "conv1", kernel_size=99))
        qtbot.waitUntil(lambda: bool(window.bench.analysis.problems), timeout=60_000)
        store.enter(
            next(node.type for node in store.document.nodes.values() if node.type in store.whole.blocks)
        )
        canvas.setFocus()
        bar = seek(window, "error")
        assert ((), "conv1") in [(hit.scope, hit.id) for hit in bar.hits]
        QTest.keyClick(bar.field, Qt.Key.Key_Return)
        assert store.scope == bar.hits[0].scope


def test_notes_are_found_marked_and_shown(window):
    store = window.bench.store
    note = Comment("note 1", "note", "", "It overfits after 40 epochs.", box=(4000, 3000, 280, 80))
    store.apply("Add a note", lambda d: d.with_(comments={note.id: note}))
    bar = seek(window, "overfits")
    assert [hit.id for hit in bar.hits] == ["note 1"]
    assert bar.marks == {"note 1"}
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert store.chosen == {"note 1"}
    assert window.canvas.visible_rect().contains(window.canvas.graph.item("note 1").body())
    wanted = window.bench.theme.color("warning").rgb()
    picture = window.canvas.viewport().grab().toImage()
    pixels = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
    assert sum(picture.pixel(x, y) == wanted for x, y in pixels) > 100


def test_nothing_found_says_so(window):
    bar = seek(window, "quaternion")
    assert bar.hits == []
    assert bar.count.text() == "Nothing found"
    assert not bar.list.isVisible()
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert window.bench.store.selection == frozenset()
    bar.field.clear()
    assert bar.count.text() == ""


def test_hits_in_blocks_are_entered_and_left(qtbot):
    with open_window(qtbot, "resnet18-small") as window:
        store = window.bench.store
        window.canvas.setFocus()
        bar = seek(window, "batchnorm")
        scopes = [hit.scope for hit in bar.hits]
        assert () in scopes
        assert any(scopes)
        for hit in bar.hits:
            QTest.keyClick(bar.field, Qt.Key.Key_Return)
            assert store.scope == hit.scope
            assert tuple(node for node, _ in store.way) == hit.way
            assert store.selection == {hit.id}
            shown = {each.id for each in bar.hits if each.scope == store.scope}
            assert bar.marks == shown
        QTest.keyClick(bar.field, Qt.Key.Key_Return)
        assert store.scope == bar.hits[0].scope
        assert bar.isVisible()


def test_what_is_edited_is_searched_again_and_one_stays_where_one_was(window, qtbot):
    bar = seek(window, "tanh")
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    store = window.bench.store
    store.apply("Rename", lambda d: rename(d, "conv1", "Before tanh"))
    qtbot.waitUntil(lambda: len(bar.hits) == 5)
    assert bar.count.text() == "3 of 5"
    store.undo_stack.undo()
    qtbot.waitUntil(lambda: len(bar.hits) == 4)
    assert bar.count.text() == "2 of 4"


def test_hits_are_marked_until_one_leaves(window):
    def amber(id: str) -> int:
        canvas = window.canvas
        body = canvas.viewportTransform().mapRect(canvas.graph.nodes[id].body()).toAlignedRect()
        picture: QImage = canvas.viewport().grab(body.adjusted(-8, -8, 8, 8)).toImage()
        wanted = window.bench.theme.color("warning").rgb()
        pixels = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
        return sum(picture.pixel(x, y) == wanted for x, y in pixels)

    assert amber("tanh1") == 0
    bar = seek(window, "tanh")
    assert bar.marks == {"tanh1", "tanh2", "tanh3", "tanh4"}
    assert amber("tanh1") > 50
    assert amber("conv1") == 0
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert bar.marks == frozenset()
    assert amber("tanh1") == 0


def test_hits_are_marked_from_afar(window):
    seek(window, "tanh")
    window.canvas.zoom_to(0.1)
    assert window.canvas.far()
    picture = window.canvas.viewport().grab().toImage()
    wanted = window.bench.theme.color("warning").rgb()
    pixels = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
    assert any(picture.pixel(x, y) == wanted for x, y in pixels)


def test_the_bar_stays_open_while_one_works_and_esc_closes_it_before_it_deselects(window):
    bar = seek(window, "tanh")
    click_node(window, "conv1")
    assert bar.isVisible()
    assert window.bench.store.selection == {"conv1"}
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert window.bench.store.selection == {"conv1"}
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert window.bench.store.selection == frozenset()


def test_what_was_searched_for_waits_to_be_replaced(window):
    bar = seek(window, "tanh")
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    QTest.keyClick(window.canvas, Qt.Key.Key_F, CONTROL)
    assert bar.text == "tanh"
    assert len(bar.hits) == 4
    QTest.keyClicks(bar.field, "conv")
    assert bar.text == "conv"


@pytest.mark.parametrize(("size", "heat"), [((1000, 700), ""), ((1500, 950), ""), ((1500, 950), "macs")])
def test_the_list_gives_way_to_what_it_would_cover(window, size, heat):
    window.resize(*size)
    window.show_heat(heat)
    bar = seek(window, "tanh")
    assert bar.list.isVisible()
    for _ in range(4):
        QTest.keyClick(bar.field, Qt.Key.Key_Return)
        node = window.canvas.graph.nodes[next(iter(window.bench.store.selection))]
        body = window.canvas.viewportTransform().mapRect(node.body()).toAlignedRect()
        assert not bar.geometry().intersects(body)
        assert window.canvas.rect().contains(bar.geometry())
        assert heat or not bar.geometry().intersects(window.canvas.heat.geometry())
    QTest.keyClicks(bar.field, " ")
    assert bar.list.isVisible()


def test_the_canvas_glides_to_a_hit_where_motion_is_welcome(window, qtbot, monkeypatch):
    canvas = window.canvas
    canvas.zoom_to(1.0)
    canvas.pan(QPointF(-4000, 0))
    bar = seek(window, "tanh4")
    monkeypatch.setattr(navigation, "moves", lambda widget: True)
    before = canvas.viewportTransform()
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert canvas.viewportTransform() == before
    body = canvas.graph.item("tanh4").body()
    assert not canvas.visible_rect().contains(body)
    with qtbot.waitSignal(canvas.arrived):
        pass
    assert canvas.visible_rect().contains(body)
    assert not bar.geometry().intersects(canvas.viewportTransform().mapRect(body).toAlignedRect())
