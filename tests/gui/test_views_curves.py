"""The curves: what the events bring can be read back from the plot and its words."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from engine.training.events import Changed, Evaluated, Failed, Progress, Started
from gui.bench import Bench
from gui.store import Store
from gui.theme import LIGHT
from gui.views.curves import CurvesView


@pytest.fixture
def bench():
    return Bench(Store())


@pytest.fixture
def view(qtbot, bench):
    view = CurvesView(bench)
    qtbot.addWidget(view)
    view.resize(460, 240)
    view.show()
    return view


def progress(bench, start, losses, lr=1e-3):
    steps = np.arange(start, start + len(losses))
    bench.progress.emit(Progress(steps, np.asarray(losses, float), 0, lr, 100.0, 1.0))


def evaluated(bench, step, **metrics):
    bench.evaluated.emit(Evaluated(step, 1, metrics))


def points(view, name):
    x, y = view.plot.lines[name].getData()
    return np.array([] if x is None else x), np.array([] if y is None else y)


def test_an_empty_view_says_what_will_appear_and_when(view):
    assert view.note == "Loss curves appear here when you press Run."
    assert view.pages.currentIndex() == 0


def test_losses_become_a_raw_and_a_smoothed_line(bench, view):
    progress(bench, 1, np.linspace(2.3, 0.5, 60))
    progress(bench, 61, np.linspace(0.5, 0.2, 40))
    view.throttle.flush()
    x, y = points(view, "raw")
    assert x.tolist() == list(range(1, 101))
    assert y[[0, -1]] == pytest.approx([2.3, 0.2])
    assert len(points(view, "training")[0]) == 100
    assert view.note == ""
    assert view.legend.text.startswith("training 0.2")


def test_validation_and_accuracy_are_told_in_words(bench, view):
    progress(bench, 1, np.full(50, 0.182))
    evaluated(bench, 25, loss=0.19, accuracy=0.95, val_loss=0.3, val_accuracy=0.9)
    evaluated(bench, 50, loss=0.18, accuracy=0.96, val_loss=0.214, val_accuracy=0.941)
    view.throttle.flush()
    assert points(view, "validation")[1].tolist() == [0.3, 0.214]
    assert "training 0.182" in view.legend.text
    assert "validation 0.214" in view.legend.text
    assert view.quantity.words[1] == "Accuracy 94.1 %"


def test_the_second_choice_shows_the_accuracy_in_percent(qtbot, bench, view):
    progress(bench, 1, np.ones(50))
    evaluated(bench, 25, accuracy=0.80, val_accuracy=0.75)
    evaluated(bench, 50, accuracy=0.96, val_accuracy=0.941)
    view.throttle.flush()
    view.quantity.setFocus()
    qtbot.keyClick(view.quantity, Qt.Key.Key_Right)
    assert points(view, "training")[1].tolist() == [0.80, 0.96]
    assert points(view, "validation")[1].tolist() == [0.75, 0.941]
    assert points(view, "raw")[0].size == 0
    assert "validation 94.1 %" in view.legend.text
    low, high = view.plot.y_range
    assert low < 0.75
    assert 0.96 < high < 1.03


def test_a_regression_has_no_accuracy_to_choose(qtbot, bench, view):
    progress(bench, 1, np.ones(50))
    evaluated(bench, 50, loss=1.0, val_loss=1.5)
    view.throttle.flush()
    assert view.quantity.words == ("Loss", "")
    view.quantity.choose(1)
    assert view.quantity.index == 0
    evaluated(bench, 51, accuracy=0.5)
    view.throttle.flush()
    view.quantity.choose(1)
    assert view.quantity.index == 1


def test_the_whole_run_is_in_view_from_the_first_step(bench, view):
    progress(bench, 1, np.linspace(2.3, 0.1, 500))
    for _ in range(40):
        view.throttle.flush()
    low, high = view.plot.y_range
    assert low <= 0 < 2.3 <= high < 3
    assert view.plot.x_range == (0, 500)


def test_one_spike_does_not_flatten_the_curve(bench, view):
    losses = np.full(400, 0.5)
    losses[200] = 500.0
    progress(bench, 1, losses)
    view.smoothing.setValue(0)
    view.throttle.flush()
    assert view.plot.y_range[1] > 400  # without smoothing the line itself goes there
    view.plot.reset()
    view.smoothing.setValue(30)
    view.throttle.flush()
    assert view.plot.y_range[1] < 50


def test_a_log_axis_shows_powers_of_ten(qtbot, bench, view):
    progress(bench, 1, np.geomspace(10, 0.001, 200))
    view.smoothing.setValue(0)
    view.scale.choose(1)
    assert points(view, "training")[1][[0, -1]] == pytest.approx([1, -3])
    low, high = view.plot.y_range
    assert low < -2.5
    assert high > 0.9
    view.scale.choose(0)
    assert points(view, "training")[1][0] == pytest.approx(10)


def test_more_smoothing_gives_a_calmer_line(bench, view):
    rng = np.random.default_rng(0)
    progress(bench, 1, 1 + rng.normal(0, 0.2, 400))
    roughness = []
    for strength in (0, 30, 100):
        view.smoothing.setValue(strength)
        view.throttle.flush()
        roughness.append(np.abs(np.diff(points(view, "training")[1])).mean())
    assert roughness[0] > 3 * roughness[1] > 3 * roughness[2]


def test_a_long_run_draws_few_points_and_keeps_its_extremes(bench, view):
    losses = np.full(50_000, 1.0)
    losses[12_345] = 7.0
    for block in range(20):
        progress(bench, 1 + block * 50_000, losses)
    view.throttle.flush()
    x, y = points(view, "raw")
    assert len(x) + len(points(view, "training")[0]) < 3000
    assert len(x) <= 2000
    assert x[-1] == 1_000_000
    assert y.max() == 7.0
    assert view.training.nbytes < 1_000_000


def test_a_changed_setting_is_marked_at_its_step(bench, view):
    progress(bench, 1, np.ones(400))
    bench.setting_changed.emit(Changed(210, "lr", 0.002, 0.001))
    assert [(mark.step, mark.text) for mark in view.plot.marks] == [(210, "lr 0.002 → 0.001")]
    assert view.plot.marks[0].line.value() == 210


def test_a_dragged_slider_leaves_one_mark(bench, view):
    progress(bench, 1, np.ones(1000))
    for step, before, after in ((500, 0.1, 0.09), (505, 0.09, 0.05), (512, 0.05, 0.01), (900, 0.01, 0.02)):
        bench.setting_changed.emit(Changed(step, "lr", before, after))
    assert [mark.text for mark in view.plot.marks] == ["lr 0.1 → 0.01", "lr 0.01 → 0.02"]


def test_a_failed_run_says_why_over_its_curves_and_a_new_run_starts_clean(bench, view):
    progress(bench, 1, [2.0, 3.0, np.nan, np.nan])
    bench.setting_changed.emit(Changed(2, "lr", 1, 2))
    bench.failed.emit(Failed("The loss is not a number. Lower the learning rate."))
    view.throttle.flush()
    assert view.banner.isVisible()
    assert view.banner.text == "The loss is not a number. Lower the learning rate."
    assert np.isfinite(view.plot.y_range).all()
    bench.run_reset.emit()
    assert not view.banner.isVisible()
    assert view.plot.marks == []
    assert view.pages.currentIndex() == 0


def test_a_run_that_begins_promises_its_curves(bench, view):
    bench.state = "starting"
    bench.state_changed.emit("starting")
    bench.started.emit(Started(1, 10, 10, "cpu", 1, 5))
    view.throttle.flush()
    assert view.note == "Loss curves appear here in a moment."


def test_hovering_reads_the_curves(bench, view):
    progress(bench, 1, np.full(100, 0.5))
    evaluated(bench, 50, val_loss=0.75)
    evaluated(bench, 100, val_loss=0.75)
    view.throttle.flush()
    view.plot.hovered.emit(60.2)
    assert view.readout.text == "step 60   0.500   0.750"
    view.plot.hovered.emit(None)
    assert view.readout.text == ""


def test_zooming_holds_until_the_reset(bench, view):
    progress(bench, 1, np.ones(1000))
    view.throttle.flush()
    view.plot.box.setRange(xRange=(100, 200), padding=0)
    view.plot.box.sigRangeChangedManually.emit([True, True])
    progress(bench, 1001, np.ones(100))
    view.throttle.flush()
    assert view.plot.x_range == (100, 200)
    assert points(view, "raw")[0].max() < 300
    view.plot.reset()
    view.throttle.flush()
    assert view.plot.x_range == (0, 1100)


def test_hidden_curves_wait(bench, view):
    view.hide()
    progress(bench, 1, np.ones(10))
    assert points(view, "raw")[0].size == 0
    assert view.throttle.pending


def test_another_theme_colors_the_lines(bench, view):
    bench.set_theme(LIGHT)
    assert view.plot.lines["training"].pen.color().name() == LIGHT.accent.lower()
    assert view.plot.backgroundBrush().color().name() == LIGHT.panel.lower()
