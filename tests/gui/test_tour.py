"""The tour, played to its end with the mouse as its cards say."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QListWidget

from engine.graph import edits
from gui.tour.steps import FIRST_NETWORK, TOURS, bend, data, hidden, loss, scores
from tests.gui.window_help import LEFT, NONE, click_node, connect, drag_layer, open_window


@pytest.fixture
def window(qtbot):
    with open_window(qtbot) as window:
        window.show_welcome()
        yield window
        window.guide.leave()


def title(window) -> str:
    return window.guide.step.title if window.guide.step else ""


def add_by_double_click(window, label: str) -> None:
    """Double-click a row of the palette."""
    rows = window.palette_.findChild(QListWidget)
    items = [rows.item(n) for n in range(rows.count())]
    item = next(each for each in items if each.text() == label and each.flags() & Qt.ItemFlag.ItemIsEnabled)
    rows.scrollToItem(item)
    at = rows.visualItemRect(item).center()
    QTest.mouseClick(rows.viewport(), LEFT, NONE, at)
    QTest.mouseDClick(rows.viewport(), LEFT, NONE, at)


def test_the_tour_is_played_by_hand_to_its_end(qtbot, window, monkeypatch):
    guide, store = window.guide, window.bench.store
    titles = [step.title for step in FIRST_NETWORK.steps]
    QTest.mouseClick(window.welcome.tour_button, LEFT)
    assert guide.active
    assert window.at_work
    assert not store.document.nodes
    place = window.canvas.viewport().rect().center() + QPoint(-330, -90)

    def at(number: int) -> None:
        qtbot.waitUntil(lambda: title(window) == titles[number])
        assert guide.card.isVisible()
        first = FIRST_NETWORK.steps[number].where(window)[0]
        assert not first.isEmpty()
        assert window.rect().contains(first)
        assert not guide.card.geometry().intersects(first)
        assert window.rect().contains(guide.card.geometry())

    at(0)
    drag_layer(window, "Spirals", place, monkeypatch)
    at(1)
    store.select([])
    drag_layer(window, "Linear", place + QPoint(240, 0), monkeypatch)
    at(2)
    connect(window, (data(window), "point"), (hidden(window), "x"))
    at(3)
    click_node(window, hidden(window))
    add_by_double_click(window, "ReLU")
    at(4)
    add_by_double_click(window, "Linear")
    at(5)
    click_node(window, scores(window))
    qtbot.waitUntil(lambda: window.inspector.page.form.fields["out_features"].isVisible())
    field = window.inspector.page.form.fields["out_features"].findChild(QLineEdit)
    QTest.mouseClick(field, LEFT)
    field.selectAll()
    QTest.keyClicks(field, "3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    at(6)
    add_by_double_click(window, "Cross-entropy")
    at(7)
    window.canvas.fit_all()
    connect(window, (data(window), "label"), (loss(window), "target"))
    at(8)
    qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)
    assert window.bench.analysis.problems == ()
    QTest.mouseClick(window.top.run_button, LEFT)
    at(9)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=120_000)
    qtbot.waitUntil(lambda: guide.step is None)
    assert guide.card.leave.text() == "Close"
    ended = []
    guide.finished.connect(lambda: ended.append(True))
    QTest.mouseClick(guide.card.leave, LEFT)
    assert ended
    assert not guide.active
    assert not guide.resumable
    assert bend(window)


def test_it_can_be_left_and_goes_on_where_it_was(qtbot, window, monkeypatch):
    guide, store = window.guide, window.bench.store
    QTest.mouseClick(window.welcome.tour_button, LEFT)
    drag_layer(window, "Spirals", window.canvas.viewport().rect().center(), monkeypatch)
    qtbot.waitUntil(lambda: title(window) == "A layer")
    QTest.mouseClick(guide.card.leave, LEFT)
    assert not guide.card.isVisible()
    assert not guide.isVisible()
    window.show_welcome()
    assert "Go on" in window.welcome.tour_button.accessibleName()
    QTest.mouseClick(window.welcome.tour_button, LEFT)
    qtbot.waitUntil(lambda: title(window) == "A layer")
    assert data(window)
    store.undo_stack.undo()
    qtbot.waitUntil(lambda: title(window) == "Something to learn from")
    QTest.keyClick(window.canvas, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    assert not guide.active


def test_going_to_the_welcome_page_puts_the_cards_away(qtbot, window):
    QTest.mouseClick(window.welcome.tour_button, LEFT)
    qtbot.waitUntil(lambda: window.guide.card.isVisible())
    window.show_welcome()
    qtbot.waitUntil(lambda: not window.guide.active)
    assert not window.guide.card.isVisible()


def test_a_step_is_done_whoever_did_it(qtbot, window):
    window.take_tour()
    store = window.bench.store
    store.apply("Ahead", lambda d: edits.add_node(d, "Spirals", position=(0, 0))[0])
    store.apply("Ahead", lambda d: edits.add_node(d, "Linear", position=(200, 0))[0])
    qtbot.waitUntil(lambda: title(window) == "Connect them")
    assert window.guide.card.accessibleName().startswith("Step 3 of 10. Connect them")


@pytest.mark.parametrize("tour", TOURS.values(), ids=lambda tour: tour.name)
def test_cards_are_short_and_say_what_to_do(tour):
    assert len({step.title for step in tour.steps}) == len(tour.steps)
    for step in tour.steps:
        assert 20 < len(step.text) < 220
        assert step.text.endswith((".", ")"))
