"""Curves that may grow forever, ranges that hold still, refreshing that waits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QWidget

from gui.views.ranges import EasedRange, nice_range
from gui.views.series import Series, envelope, smooth
from gui.views.text import number, percent, short
from gui.views.throttle import Throttle


def filled(count, chunk, capacity=64, values=None):
    series = Series(capacity)
    steps = np.arange(1, count + 1)
    values = steps.astype(float) if values is None else values
    for start in range(0, count, chunk):
        series.append(steps[start : start + chunk], values[start : start + chunk])
    return series


def test_a_short_series_is_kept_point_by_point():
    line = filled(10, 3).line(100)
    assert line.x.tolist() == list(range(1, 11))
    assert line.mean.tolist() == line.low.tolist() == line.high.tolist() == line.x.tolist()


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 3000), chunk=st.integers(1, 400))
def test_thinning_keeps_the_ends_the_extremes_and_the_order(count, chunk):
    values = np.sin(np.arange(count) * 0.7) * np.arange(count)
    series = filled(count, chunk, values=values)
    line = series.line(40)
    assert len(line.x) <= 42
    assert series.last_step == line.x[-1] == count
    assert line.high.max() == values.max()
    assert line.low.min() == values.min()
    assert (np.diff(line.x) > 0).all()
    assert (line.low <= line.mean + 1e-9).all()
    assert (line.mean <= line.high + 1e-9).all()


def test_chunks_make_no_difference():
    assert np.array_equal(filled(1000, 1).line(50), filled(1000, 333).line(50))


def test_a_million_points_stay_small():
    series = Series()
    empty = series.nbytes
    for start in range(0, 1_000_000, 50_000):
        steps = np.arange(start, start + 50_000)
        series.append(steps, np.ones(50_000))
    assert series.count == 1_000_000
    assert series.nbytes < empty + 16 * series.stride + 1
    assert len(envelope(series.line(900))[0]) <= 2000
    assert series.line(900).mean == pytest.approx(1)


def test_a_part_of_a_long_curve_shows_more_detail_and_reaches_the_border():
    series = filled(4000, 500, capacity=4096)
    part = series.line(500, 1000, 1200)
    assert part.x[0] < 1000
    assert part.x[-1] >= 1200
    assert len(part.x) >= 200


def test_not_a_number_leaves_a_gap_and_poisons_nothing():
    values = np.array([1.0, np.nan, np.inf, 3.0, 5.0])
    line = filled(5, 2, values=values).line(10)
    assert np.isnan(line.mean).tolist() == [False, True, True, False, False]
    smoothed = smooth(np.concatenate([np.ones(20), [np.nan], np.ones(20)]), 5)
    assert np.isnan(smoothed).sum() == 1
    assert np.nanmax(smoothed) == pytest.approx(1)


def test_smoothing_starts_where_the_curve_starts_and_calms_the_rest():
    rng = np.random.default_rng(0)
    noisy = np.linspace(2, 0, 300) + rng.normal(0, 0.2, 300)
    smoothed = smooth(noisy, 12)
    assert smoothed[0] == noisy[0]
    assert np.abs(np.diff(smoothed[20:])).mean() < 0.2 * np.abs(np.diff(noisy[20:])).mean()
    assert np.array_equal(smooth(noisy, 0), noisy)


def test_extremes_of_a_bucket_stand_at_the_same_step():
    x, y = envelope(filled(100, 100).line(10))
    assert x[:2].tolist() == [10, 10]
    assert y[:2].tolist() == [1, 10]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 2.3, (0, 2.5)), (90, 97, (90, 98)), (-1.2, 3.1, (-2, 4)), (5, 5, (5, 6))],
)
def test_axes_have_round_ends(low, high, expected):
    assert nice_range(low, high) == pytest.approx(expected)


def test_a_range_grows_at_once_shrinks_slowly_and_arrives():
    eased = EasedRange()
    assert eased.toward(0, 1) == (0, 1)
    grown = eased.toward(0, 2)[1]
    eased.reset()
    eased.toward(0, 2)
    shrunk = eased.toward(0, 1)[1]
    assert 2 - shrunk < grown - 1
    for _ in range(200):
        eased.toward(0, 1)
    assert eased.current == (0, 1)
    assert eased.settled


def test_numbers_in_words():
    assert [number(v) for v in (0.1824, 12.44, -0.02, 0, 1234567)] == [
        "0.182",
        "12.4",
        "−0.0200",
        "0",
        "1234567",
    ]
    assert number(float("nan")) == "not a number"
    assert number(1.5e-7) == "1.50e−07"
    assert [short(v) for v in (-2.1, 0.0020, 3.0, 100)] == ["−2.1", "0.002", "3", "100"]
    assert percent(0.941) == "94.1 %"


def test_a_hidden_widget_is_not_refreshed_and_catches_up_when_shown(qtbot):
    widget, calls = QWidget(), []
    qtbot.addWidget(widget)
    throttle = Throttle(widget, lambda: calls.append(1), interval=1)
    for _ in range(5):
        throttle.request()
    qtbot.wait(20)
    assert calls == []
    assert throttle.pending
    widget.show()
    throttle.resume()
    qtbot.waitUntil(lambda: calls == [1])
    assert not throttle.pending


def test_many_requests_are_few_refreshes(qtbot):
    widget, calls = QWidget(), []
    qtbot.addWidget(widget)
    widget.show()
    throttle = Throttle(widget, lambda: calls.append(1), interval=10_000)
    throttle.request()
    qtbot.waitUntil(lambda: len(calls) == 1)
    for _ in range(100):
        throttle.request()
        qtbot.wait(0)
    assert len(calls) == 1
    assert throttle.pending
