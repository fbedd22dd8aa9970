"""Lining nodes up: by commands, and by what holds them while they are dragged."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from engine.graph import edits
from engine.graph.build import Builder
from gui.canvas.aligning import ALIGNMENTS
from gui.canvas.menus import node_menu
from gui.canvas.snapping import Snapper
from tests.gui.canvas_help import LEFT, NONE, canvas, title
from tests.gui.window_help import open_window

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
WAYS = {each.id: each for each in ALIGNMENTS}
BOXES = {"a": (0.0, 0.0, 100.0, 40.0), "b": (130.0, 50.0, 60.0, 80.0), "c": (400.0, 20.0, 100.0, 40.0)}


@pytest.mark.parametrize(
    ("way", "places"),
    [
        ("align_left", {"a": (0, 0), "b": (0, 50), "c": (0, 20)}),
        ("align_right", {"a": (400, 0), "b": (440, 50), "c": (400, 20)}),
        ("align_center", {"a": (200, 0), "b": (220, 50), "c": (200, 20)}),
        ("align_top", {"a": (0, 0), "b": (130, 0), "c": (400, 0)}),
        ("align_bottom", {"a": (0, 90), "b": (130, 50), "c": (400, 90)}),
        ("align_middle", {"a": (0, 45), "b": (130, 25), "c": (400, 45)}),
        ("spread_across", {"a": (0, 0), "b": (220, 50), "c": (400, 20)}),
        ("spread_down", {"a": (0, 0), "b": (130, 50), "c": (400, 25)}),
    ],
)
def test_where_each_way_puts_boxes(way, places):
    assert WAYS[way].place(BOXES) == places


def test_equal_gaps_stay_equal_whatever_the_sizes():
    again = {id: (*place, *BOXES[id][2:]) for id, place in WAYS["spread_across"].place(BOXES).items()}
    assert WAYS["spread_across"].place(again) == {id: box[:2] for id, box in again.items()}


def loose(*places):
    """Nodes without links, all of one size."""
    g = Builder("Loose")
    for _ in places:
        g.add("ReLU")
    document = g.document()
    return edits.move(document, dict(zip(document.nodes, places, strict=True)))


@pytest.fixture
def view(qtbot):
    view = canvas(qtbot, loose((0, 0), (300, 3), (603, 200), (40, 420)))
    view.ids = list(view.bench.store.document.nodes)
    return view


def at(view, place: int):
    return view.bench.store.document.nodes[view.ids[place]].position


def carry(view, node: int, dx: int, dy: int, release: bool = True, modifiers=NONE) -> None:
    start = title(view, view.ids[node])
    over = view.viewport()
    QTest.mousePress(over, LEFT, NONE, start)
    for share in (0.5, 0.9, 1.0):
        move(view, start + QPoint(dx, dy) * share, modifiers)
    if release:
        QTest.mouseRelease(over, LEFT, modifiers, start + QPoint(dx, dy))


def move(view, to: QPoint, modifiers) -> None:
    """A move of the mouse with a key held: QTest.mouseMove knows none."""
    view._gesture.move(QPointF(to), modifiers) if modifiers else QTest.mouseMove(view.viewport(), to)


def test_a_dragged_node_falls_in_line_with_its_neighbors_and_shows_why(view):
    carry(view, 2, -604, -60, release=False)
    item = view.graph.nodes[view.ids[2]]
    assert item.x() == 0, "4 pixels away the left edges hold"
    guides = view._gesture._guides
    assert any(line.x1() == line.x2() == 0 for line in guides)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, title(view, view.ids[2]))
    assert at(view, 2)[0] == 0
    view.grab()


def test_farther_away_only_the_grid_holds(view):
    carry(view, 2, -581, -60)
    assert at(view, 2)[0] == 23, "in steps of four from where it was"


def test_alt_and_the_switch_let_it_go_anywhere(view):
    carry(view, 2, -602, -61, modifiers=ALT)
    assert at(view, 2) == (1, 139)
    view.bench.store.undo_stack.undo()
    view.snaps = False
    carry(view, 2, -602, -61)
    assert at(view, 2)[0] in (-1, 3), "in steps of four from where it was"


def test_the_middle_between_two_neighbors_holds(view):
    width = view.graph.nodes[view.ids[0]].face.width
    view.bench.store.apply("x", lambda d: edits.move(d, {view.ids[1]: (803, 0), view.ids[2]: (300, 17)}))
    middle = (width + 803 - width) / 2
    carry(view, 2, round(middle - 300 - 3), -7)
    assert at(view, 2)[0] == middle


def test_a_gap_repeats():
    snapper = Snapper([QRectF(0, 0, 100, 40), QRectF(150, 0, 100, 40)])
    snap = snapper.snap(QRectF(303, 11, 90, 40), 6)
    assert snap.dx == -3
    assert sorted((line.x1(), line.x2()) for line in snap.guides) == [(100, 150), (250, 300)]
    assert Snapper([]).snap(QRectF(0, 0, 10, 10), 6).dx is None
    assert snapper.snap(QRectF(330, 200, 90, 40), 6).dx is None, "another row has no gaps with these"


def test_escape_puts_back_and_leaves_no_lines(view):
    carry(view, 2, -604, -60, release=False)
    assert view._gesture._guides
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    assert at(view, 2) == (603, 200)
    assert view.graph.nodes[view.ids[2]].x() == 603
    QTest.mouseRelease(view.viewport(), LEFT, NONE, QPoint(50, 50))


def test_the_menu_lines_up_the_selection(view):
    view.bench.store.select(view.ids[:2])
    menu = node_menu(view, view.ids[0])
    lines = next(action.menu() for action in menu.actions() if action.text() == "Align")
    words = {action.text(): action for action in lines.actions()}
    assert not words["Distribute horizontally"].isEnabled()
    words["Align top"].trigger()
    assert at(view, 1) == (300, 0)
    assert view.bench.store.undo_stack.undoText() == "Align top: 2 nodes"


def test_keys_line_up_in_the_window_and_the_switch_is_an_action(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store, canvas_ = window.bench.store, window.canvas
        ids = list(store.document.nodes)[1:5]
        store.apply(
            "x", lambda d: edits.move(d, {id: (n * 170 + n * n * 9, n * 11) for n, id in enumerate(ids)})
        )
        store.select(ids)
        canvas_.setFocus()
        QTest.keyClick(canvas_, Qt.Key.Key_Up, CTRL | SHIFT)
        assert {store.document.nodes[id].position[1] for id in ids} == {0}
        QTest.keyClick(canvas_, Qt.Key.Key_H, CTRL | ALT)
        bodies = [canvas_.graph.nodes[id].body() for id in ids]
        gaps = [round(b.left() - a.right(), 1) for a, b in itertools.pairwise(bodies)]
        assert max(gaps) - min(gaps) <= 0.1
        QTest.keyClick(canvas_, Qt.Key.Key_S, SHIFT)
        assert not canvas_.snaps
        assert not window.actions_["snap"].isChecked()
    with open_window(qtbot) as again:
        assert not again.canvas.snaps, "it is remembered"
        again.canvas.setFocus()
        QTest.keyClick(again.canvas, Qt.Key.Key_S, SHIFT)
        assert again.canvas.snaps
