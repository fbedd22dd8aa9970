"""What a run tells is shown picture by picture, and all views of a picture together."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from engine.training.events import Finished, Progress
from engine.training.pace import Pace
from gui.beat import MOST, Beat
from gui.views.throttle import Throttle
from tests.gui.window_help import open_window


@pytest.fixture
def shown(qtbot):
    """A widget on the screen, a beat, and the refreshes of a view."""
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget, Beat(), []


def test_a_view_is_refreshed_once_in_the_picture_that_it_asked_in(shown):
    widget, beat, calls = shown
    throttle = Throttle(widget, lambda: calls.append(1), beat=beat)
    beat.show(lambda: [throttle.request() for _ in range(20)])
    assert calls == [1]
    assert not throttle.pending
    assert not beat.moving


def test_what_still_moves_is_in_the_next_picture(shown):
    widget, beat, calls = shown

    def refresh() -> None:
        calls.append(1)
        if len(calls) < 3:
            throttle.request()

    throttle = Throttle(widget, refresh, beat=beat)
    beat.show(throttle.request)
    assert calls == [1]
    while beat.moving:
        beat.show(lambda: None)
    assert calls == [1, 1, 1]


def test_what_is_hidden_or_gone_is_left_out(shown, qtbot):
    widget, beat, calls = shown
    throttle, gone = (Throttle(each, lambda: calls.append(1), beat=beat) for each in (widget, QWidget()))
    gone._widget.deleteLater()
    qtbot.wait(0)
    widget.hide()

    def tell() -> None:
        throttle.request()
        beat.add(gone)

    beat.show(tell)
    assert calls == []
    assert throttle.pending
    widget.show()
    throttle.resume()
    qtbot.waitUntil(lambda: calls == [1])


def test_a_hand_does_not_wait_for_the_beat(shown, qtbot):
    widget, beat, calls = shown
    throttle = Throttle(widget, lambda: calls.append(1), interval=1, beat=beat)
    throttle.request()
    qtbot.waitUntil(lambda: calls == [1])


def test_costly_pictures_come_less_often_but_one_a_second(shown):
    _, beat, _ = shown
    beat.pace.took(0.001)
    assert beat.pace.rest == beat.pace.least
    for _ in range(50):
        beat.pace.took(10.0)
    assert beat.pace.rest == MOST
    beat.show(lambda: None)
    assert not beat.due(training=True)


def test_one_slow_time_on_a_busy_machine_hardly_counts():
    pace = Pace(0.05)
    for _ in range(20):
        pace.took(0.01)
    before = pace.rest
    pace.took(100.0)
    assert before == pytest.approx(0.2)
    assert pace.rest < 1.5 * before


def test_the_end_of_a_run_is_shown_at_once_with_all_its_numbers(qtbot):
    with open_window(qtbot, "spirals") as window:
        bench, losses, over = window.bench, [], []
        bench.progress.connect(lambda event: losses.append(event.step))
        bench.finished.connect(over.append)
        bench.beat.pace.took(100.0)  # as if a picture were very costly
        window.bridge.run()
        qtbot.waitUntil(lambda: bool(losses), timeout=60_000)
        window.bridge.stop()
        qtbot.waitUntil(lambda: bool(over), timeout=60_000)
        assert isinstance(over[0], Finished)
        steps = np.concatenate(losses)
        assert steps.tolist() == list(range(1, over[0].steps + 1))
        x, _ = window.views["learning"].curves.plot.lines["raw"].getData()
        assert len(x)


def test_many_parts_of_the_progress_are_told_as_one(qtbot):
    with open_window(qtbot, "spirals") as window:
        told = []
        window.bench.progress.connect(told.append)
        window.bridge.run()
        qtbot.waitUntil(lambda: bool(told), timeout=60_000)
        window.bridge.stop()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        told.clear()
        for step in range(3):
            part = Progress(np.array([step]), np.array([0.5]), 1, 0.1, 1.0, 1.0)
            window.bridge.runner.events.put(part)
        qtbot.waitUntil(lambda: bool(told))
        assert [event.step.tolist() for event in told] == [[0, 1, 2]]
