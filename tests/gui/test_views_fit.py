"""The curve of a model of one number: words and pixels of fabricated snapshots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor

from engine.training.events import Curve, Regions, Snapshot
from gui.bench import Bench
from gui.store import Store
from gui.theme import DARK
from gui.views.fit import FitView, formula, straight
from gui.views.function import FunctionView
from gui.views.learning import LearningView

X = np.linspace(-2, 2, 201)
LINE = Curve(X, 0.5 * X + 1, np.array([[-1.5, 0.3], [0, 1], [1.5, 1.7]]), np.array([False, True, False]))


@pytest.fixture
def bench():
    return Bench(Store())


@pytest.fixture
def show(qtbot, bench):
    def make(view_class):
        view = view_class(bench)
        qtbot.addWidget(view)
        view.resize(900 if view_class is LearningView else 500, 270)
        view.show()
        return view

    return make


def take(bench, *views, **parts):
    bench.snapshot = Snapshot(10, 1, **parts)
    bench.snapshot_taken.emit(bench.snapshot)
    for view in views:
        view.throttle.flush()


def rows_of(view, color, x):
    """The pixels of a column that have nearly a color."""
    image, wanted = view.grab().toImage(), QColor(color)

    def near(y):
        seen = image.pixelColor(x, y)
        return max(abs(a - b) for a, b in zip(seen.getRgb()[:3], wanted.getRgb()[:3], strict=True)) < 40

    return [y for y in range(image.height()) if near(y)]


def test_the_network_and_the_closed_solution_are_told_as_formulas(bench, show):
    view = show(FitView)
    take(bench, view, curve=replace(LINE, closed=(0.75, -0.25)))
    assert view.heading_text == "Fit · 3 points, 1 held out"
    words = ["".join(part.text for part in line) for line in view.legend]
    assert words == ["the network y = 0.500 x + 1.00", "least squares y = 0.750 x − 0.250"]


def test_the_curve_is_drawn_where_the_network_answers(bench, show):
    view = show(FitView)
    take(bench, view, curve=LINE)
    view.grab()
    box = view._box
    # half-way between the first two points, and below the legend
    x = box.left() + 0.25 * box.width()
    low, high = 0.3 - 0.14, 1.7 + 0.14
    wanted = box.bottom() - (0.5 - low) / (high - low) * box.height()
    rows = [y for y in rows_of(view, DARK.accent, round(x)) if y > box.top()]
    assert rows
    assert abs(np.mean(rows) - wanted) < 2


def test_a_bent_curve_has_no_formula_and_a_wild_one_is_drawn_all_the_same(bench, show):
    assert straight(replace(LINE, y=np.tanh(X))) is None
    assert straight(replace(LINE, y=X * np.nan)) is None
    assert formula(*straight(LINE)) == "y = 0.500 x + 1.00"
    view = show(FitView)
    for y in (np.tanh(X), X * np.nan, X * 1e30, np.full(201, np.inf)):
        take(bench, view, curve=replace(LINE, y=y))
        assert view.grab().width()
        assert not view._failed


def test_the_tip_tells_what_both_say(bench, show):
    view = show(FitView)
    take(bench, view, curve=replace(LINE, closed=(0.75, -0.25)))
    view.grab()
    middle = view._box.center()
    assert view.tip(middle.x(), middle.y()) == "x 0: the network says 1.00, least squares −0.250"
    assert view.tip(0, 0) == ""


def test_the_page_shows_what_the_run_has(bench, show):
    page, learning = show(FunctionView), show(LearningView)
    assert page.currentWidget() is page.regions
    take(bench, curve=LINE)
    assert page.currentWidget() is page.fit
    assert learning.function.isVisible()
    sizes = learning.splitter.sizes()
    assert sizes[1] >= sizes[0] - 2  # what is fitted is as large as the loss
    assert bench.wants_regions  # the page that came forward asks, too
    bench.run_reset.emit()
    assert page.currentWidget() is page.regions
    assert not learning.function.isVisible()
    plane = np.zeros((2, 2))
    take(bench, regions=Regions((0, 1, 0, 1), plane, plane, plane, np.zeros(2), np.zeros(2, bool)))
    assert page.currentWidget() is page.regions
