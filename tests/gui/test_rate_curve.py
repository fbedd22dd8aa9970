"""The small curve of a planned learning rate: what it says, reads and marks."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from engine.graph.document import Document, Objective
from engine.training.schedules import planned
from gui.bench import Bench
from gui.store import Store
from gui.theme import DARK, LIGHT
from gui.widgets.rate_curve import RateCurve


@pytest.fixture
def bench(qtbot) -> Bench:
    return Bench(Store(Document()))


@pytest.fixture
def curve(qtbot, bench) -> RateCurve:
    curve = RateCurve(bench)
    qtbot.addWidget(curve)
    curve.resize(300, 112)
    curve.show()
    return curve


def plan(curve: RateCurve, **objective) -> None:
    steps, rates = planned(Objective(**objective), 50, 1000)
    curve.show_plan(steps, rates, 1000, 50)


def test_it_tells_the_plan_in_words(curve):
    assert curve.accessibleName() == "Learning rate: not known yet"
    plan(curve)
    assert curve.accessibleName() == "Learning rate: 0.001 all the time"
    plan(curve, schedule="OneCycleLR")
    assert curve.accessibleName() == "Learning rate: from 4e−05, highest 0.001 at epoch 6, 4e−09 in the end"
    plan(curve, schedule="StepLR", options={"lr": 0.5})
    assert curve.accessibleName() == "Learning rate: from 0.5, 0.05 in the end"
    assert curve.peak == 0.5


def drawn(curve: RateCurve) -> np.ndarray:
    image = curve.grab().toImage().convertToFormat(curve.grab().toImage().Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4).copy()


def test_the_curve_is_high_where_the_rate_is(curve):
    plan(curve, schedule="CosineAnnealingLR")
    picture = drawn(curve).astype(int)
    blue = picture[:, :, 0] - picture[:, :, 2] > 110  # the line, in the accent's color
    left, right = (np.flatnonzero(blue[:, at])[0] for at in (20, 280))
    assert left < 35
    assert right > 80


def test_it_marks_where_the_run_is(curve):
    plan(curve, schedule="CosineAnnealingLR")
    before = drawn(curve)
    curve.show_now(500, 0.0005)
    assert curve.head == ("Now, epoch 10", "0.0005")
    assert np.any(drawn(curve)[50:80, 145:155] != before[50:80, 145:155])
    curve.clear_now()
    assert np.array_equal(drawn(curve), before)


def test_the_pointer_reads_any_place(curve):
    plan(curve, schedule="LinearLR")
    QTest.mouseMove(curve, QPoint(150, 60))
    place, rate = curve.head
    assert place == "Epoch 10"
    assert float(rate) == pytest.approx(0.0005, rel=0.02)
    QTest.mouseMove(curve, QPoint(150, 60))
    curve.leaveEvent(None)
    assert curve.head == ("Learning rate", "peak 0.001")


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_it_follows_the_theme_and_needs_no_plan(curve, bench, theme):
    bench.set_theme(theme)
    assert tuple(drawn(curve)[56, 150, 2::-1]) == theme.color("field").getRgb()[:3]
    curve.show_plan(np.array([0]), np.array([0.1]), 1)  # a run of one step
    assert drawn(curve).shape[0] > 0
