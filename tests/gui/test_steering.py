"""What is changed while a network trains: told to the run at once, marked as live, drawn on the curves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph.document import Edge, Slot
from engine.graph.edits import insert
from engine.graph.settings import set_learning, set_optimizer, set_training
from gui.inspector.form import LATER
from gui.objective_colors import color_of
from gui.widgets.fold import Fold
from tests.graph.test_objectives_follow import adversaries
from tests.gui.window_help import LEFT, open_window


def long(document):
    return document.with_(training=replace(document.training, epochs=100_000))


@pytest.fixture
def running(qtbot):
    """A window in which a generator and a discriminator train."""
    before = set(Fold._opened)
    with open_window(qtbot) as window:
        window.bench.store.open(long(adversaries()))
        window.canvas.layout()
        window.told = []
        window.rates = []
        window.bench.setting_changed.connect(window.told.append)
        window.bench.progress.connect(window.rates.append)
        window.bridge.run()
        qtbot.waitUntil(lambda: bool(window.rates), timeout=60_000)
        yield window
    Fold._opened.clear()
    Fold._opened.update(before)


def retype(field, text):
    field.line.setFocus()
    field.line.selectAll()
    QTest.keyClicks(field.line, text)
    QTest.keyClick(field.line, Qt.Key.Key_Return)


def press(widget):
    QTest.mouseClick(widget, LEFT)
    QApplication.processEvents()


def heard(window, name):
    return [(event.before, event.after) for event in window.told if event.name == name]


def test_the_learning_rate_is_told_at_once_and_undo_takes_it_back(running, qtbot):
    card = running.inspector.page.objectives[0]
    assert card.rate.form.names["lr"].live
    said = []
    running.bench.message.connect(said.append)
    retype(card.rate.form.fields["lr"], "5e-2")
    qtbot.waitUntil(lambda: running.rates[-1].lr == 0.05, timeout=10_000)
    assert heard(running, "optimizer.lr")[-1][1] == 0.05
    assert said[-1].endswith("on: learning rate of Generator 0.001 → 0.05")
    assert "at once" in card.rate.form.fields["lr"].line.accessibleDescription()
    running.undo_stack.undo()
    qtbot.waitUntil(lambda: running.rates[-1].lr == 0.001, timeout=10_000)


def test_the_second_objective_is_steered_by_its_own_card(running, qtbot):
    card = running.inspector.page.objectives[1]
    retype(card.rate.form.fields["lr"], "5e-2")
    qtbot.waitUntil(lambda: bool(heard(running, "objective2.optimizer.lr")), timeout=10_000)
    press(card.folds["Losses"].head)
    retype(card.losses.rows["judge"].weight, "4")
    qtbot.waitUntil(lambda: heard(running, "objective2.loss.judge") == [(2.0, 4.0)], timeout=10_000)
    press(card.losses.rows["forge"].switch)
    assert card.losses.note.text() == LATER, "the run knows one loss of this objective"
    assert card.losses.rows["judge"].live.isVisible()
    assert not card.losses.rows["forge"].live.isVisible()
    assert heard(running, "optimizer.lr") == []


def test_batch_size_and_freezing_reach_the_run(running, qtbot):
    retype(running.inspector.page.training.top.fields["batch_size"], "8")
    qtbot.waitUntil(lambda: bool(heard(running, "batch_size")), timeout=10_000)
    running.bench.store.select(["g1"])
    running.actions_["freeze"].trigger()
    qtbot.waitUntil(lambda: heard(running, "g1.frozen") == [(False, True)], timeout=10_000)
    running.bench.store.apply("Slower", lambda d: set_learning(d, ["d1"], rate=0.5))
    qtbot.waitUntil(lambda: heard(running, "d1.rate") == [(1.0, 0.5)], timeout=10_000)


def test_what_only_the_next_run_takes_says_so(running, qtbot):
    page = running.inspector.page
    form = page.training.top
    assert form.names["batch_size"].live
    assert not form.names["epochs"].live
    retype(form.fields["epochs"], "7")
    assert form.errors["epochs"].text() == LATER
    assert form.errors["epochs"].isVisible()
    assert form.errors["batch_size"].text() == ""
    running.bridge.stop()
    qtbot.waitUntil(lambda: running.bench.state == "finished", timeout=20_000)
    assert not form.errors["epochs"].isVisible(), "with the run it is over"
    assert not form.names["batch_size"].live


def test_a_change_is_a_mark_on_the_curves_with_its_words_under_the_pointer(running, qtbot):
    running.show_page("learning")
    plot = running.views["learning"].curves.plot
    card = running.inspector.page.objectives[0]
    retype(card.rate.form.fields["lr"], "5e-2")
    qtbot.waitUntil(lambda: len(plot.marks) == 1, timeout=10_000)
    first = plot.marks[0]
    qtbot.waitUntil(lambda: running.rates[-1].step[-1] > first.step + 400, timeout=60_000)
    running.bridge.pause()
    qtbot.waitUntil(lambda: running.bench.state == "paused", timeout=20_000)
    running.bench.store.select(["g1"])
    running.actions_["freeze"].trigger()
    qtbot.waitUntil(lambda: len(plot.marks) == 2, timeout=10_000)
    assert first.text == "learning rate of Generator 0.001 → 0.05"
    assert plot.marks[1].text == "g1 frozen"
    assert [mark.label.isVisible() for mark in plot.marks] == [False, True], "the newest is read at once"
    place = plot.mapFromScene(plot.box.mapViewToScene(first.line.pos()))
    QTest.mouseMove(plot.viewport(), QPoint(place.x(), plot.height() // 2))
    qtbot.waitUntil(lambda: first.label.isVisible(), timeout=10_000)
    assert not plot.marks[1].label.isVisible()


def test_both_losses_of_two_objectives_are_told(running, qtbot):
    qtbot.waitUntil(lambda: running.bench.snapshot is not None, timeout=30_000)
    assert running.rates[-1].parts.shape[0] == 2
    assert running.bench.snapshot.losses.keys() >= {"judge", "forge"}
    curves = running.views["learning"].curves
    qtbot.waitUntil(lambda: "Generator" in curves.legend.text and "Discriminator" in curves.legend.text)
    for name, color in (("objective1", color_of(0)), ("objective2", color_of(1))):
        assert curves.plot.lines[name].tone == color
        qtbot.waitUntil(lambda name=name: len(curves.plot.lines[name].getData()[0]) > 5, timeout=30_000)
    assert not len(curves.plot.lines["training"].getData()[0]), "their sum would say nothing"
    running.bridge.stop()
    qtbot.waitUntil(lambda: running.bench.state == "finished", timeout=20_000)
    running.files.open_preset("spirals")
    assert not curves.parts, "another document has other curves"


def test_an_edit_between_start_and_first_step_counts(qtbot):
    with open_window(qtbot, "spirals") as window:
        told = []
        window.bench.setting_changed.connect(told.append)
        window.bench.store.apply("Longer", lambda d: set_training(d, epochs=100_000))
        window.bridge.run()
        window.bench.store.apply("Smaller", lambda d: set_training(d, batch_size=16))
        qtbot.waitUntil(lambda: any(event.name == "batch_size" for event in told), timeout=60_000)
        assert told[0].after == 16


def test_dropout_is_set_on_the_nodes_own_page_while_it_runs(qtbot):
    with open_window(qtbot, "spirals") as window:
        store, told = window.bench.store, []
        window.bench.setting_changed.connect(told.append)
        store.apply("Drop", lambda d: insert(d, "Dropout", Edge(Slot("relu1", "y"), Slot("arm", "x")))[0])
        store.apply("Longer", lambda d: set_training(d, epochs=100_000))
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.steerable is not None, timeout=60_000)
        store.select(["dropout1"])
        form = window.inspector.page.form
        assert form.names["p"].live
        retype(form.fields["p"], "0.1")
        qtbot.waitUntil(lambda: [(e.name, e.after) for e in told] == [("dropout1.p", 0.1)], timeout=10_000)
        store.select(["hidden"])
        form = window.inspector.page.form
        assert not form.names["out_features"].live
        retype(form.fields["out_features"], "50")
        assert form.errors["out_features"].text() == LATER


def test_why_a_run_ended_early_is_said(qtbot):
    with open_window(qtbot, "spirals") as window:
        offers = []
        window.bench.offered.connect(offers.append)
        store = window.bench.store
        store.apply("Still", lambda d: set_optimizer(set_training(d, epochs=500, patience=2), lr=0.0))
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        assert offers[-1].text.startswith("No progress for")
