"""A run that cannot go on: what is said, what is offered, and how it goes on after all."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph.document import Objective, frozen
from engine.graph.settings import set_optimizer, set_training
from engine.training import runner as runners
from engine.training import saving
from engine.training.events import MEMORY, Failed
from gui.continuing import CHANGED, alike
from gui.trouble import smaller
from tests.gui.window_help import LEFT, open_window


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch):
    """A window with the spirals; its runs are kept in a folder of the test."""
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path / "runs"))
    with open_window(qtbot, "spirals") as window:
        window.offers = []
        window.bench.offered.connect(window.offers.append)
        yield window


def press(widget):
    QTest.mouseClick(widget, LEFT)
    QApplication.processEvents()


def banner(window):
    return window.trouble.banner


def until_state(qtbot, window, *states):
    qtbot.waitUntil(lambda: window.bench.state in states, timeout=60_000)


def epochs(window, count):
    window.bench.store.apply("Epochs", lambda d: set_training(d, epochs=count))


def run_to_the_end(qtbot, window):
    window.bridge.run()
    until_state(qtbot, window, "finished", "failed")


def test_memory_that_ran_out_offers_smaller_batches_that_learn_the_same(window, qtbot, monkeypatch):
    epochs(window, 2)

    def no_room(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(runners, "train", no_room)
        run_to_the_end(qtbot, window)
    assert "Memory ran out with batches of 64" in banner(window).text()
    assert "hidden" in banner(window).text(), "the heaviest nodes are named"
    press(banner(window).buttons["Batch 32, accumulate 2"])
    until_state(qtbot, window, "finished")
    training = window.bench.store.whole.training
    assert (training.batch_size, training.objectives[0].accumulate) == (32, 2)
    assert banner(window).isHidden()
    window.undo_stack.undo()
    training = window.bench.store.whole.training
    assert (training.batch_size, training.objectives[0].accumulate) == (64, 1), "one step of undo"


def test_every_objective_gathers_more():
    from tests.graph.test_objectives_follow import adversaries

    document = adversaries()
    second = replace(document.training.objectives[1], accumulate=3)
    document = document.with_(
        training=replace(document.training, objectives=(document.training.objectives[0], second))
    )
    document = smaller(document, 8, 4)
    assert [each.accumulate for each in document.training.objectives] == [4, 12]


def test_where_no_smaller_batch_is_left_nothing_is_offered(window):
    window.bench.failed.emit(Failed("Memory ran out.", kind=MEMORY))
    assert list(banner(window).buttons) == ["Close"]
    press(banner(window).buttons["Close"])
    assert banner(window).isHidden()


def test_numbers_that_ran_away_lead_to_the_node_and_back_to_the_last_good_moment(window, qtbot):
    store = window.bench.store
    epochs(window, 30)
    store.apply("Wild", lambda d: set_optimizer(d, "SGD", lr=1e12))
    run_to_the_end(qtbot, window)
    assert window.bench.state == "failed"
    assert "not finite" in banner(window).text()
    assert len(store.selection) == 1, "the node where it began is selected"
    assert "Continue from the last good moment" in banner(window).buttons
    press(banner(window).buttons["Learning rate ÷ 10"])
    assert store.whole.training.objectives[0].options["lr"] == 1e11
    assert "1e+11" in banner(window).text()
    store.apply("Calm", lambda d: set_optimizer(d, lr=0.05))
    changes = []
    window.bench.setting_changed.connect(changes.append)
    press(banner(window).buttons["Continue from the last good moment"])
    until_state(qtbot, window, "finished")
    assert [(each.name, each.after) for each in changes] == [("optimizer.lr", 0.05)]
    assert changes[0].step == 0, "it was told before the first step"
    assert banner(window).isHidden()


def test_a_full_disk_holds_the_run_until_there_is_room(window, qtbot, monkeypatch):
    epochs(window, 100_000)
    window.bench.store.apply("Often", lambda d: set_training(d, save_every=0.001))
    real, full = saving.save_moment, [True]

    def save(path, state):
        if full[0]:
            from engine.errors import FileError
            from engine.storage.failures import why_not_written

            raise FileError(why_not_written(path, OSError(errno.ENOSPC, "No space left on device")))
        real(path, state)

    monkeypatch.setattr(saving, "save_moment", save)
    window.bridge.run()
    qtbot.waitUntil(lambda: "The run waits." in banner(window).text(), timeout=60_000)
    assert "the disk is full" in banner(window).text()
    until_state(qtbot, window, "paused")
    full[0] = False
    press(banner(window).buttons["Go on"])
    until_state(qtbot, window, "running")
    assert banner(window).isHidden()


def test_a_stopped_run_goes_on_where_it_was(window, qtbot):
    epochs(window, 100_000)
    steps = []
    window.bench.progress.connect(lambda event: steps.append(int(event.step[-1])))
    window.bridge.run()
    qtbot.waitUntil(lambda: bool(steps) and steps[-1] > 20, timeout=60_000)
    window.bridge.stop()
    until_state(qtbot, window, "finished")
    last = steps[-1]
    started = []
    window.bench.started.connect(started.append)
    window.canvas.setFocus()
    QTest.keyClick(
        window, Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    qtbot.waitUntil(lambda: bool(started) and started[-1].step > 0, timeout=60_000)
    assert started[-1].step >= last
    qtbot.waitUntil(lambda: steps[-1] > started[-1].step, timeout=60_000)


def test_a_changed_network_continues_from_the_weights_and_says_what_did_not_fit(window, qtbot):
    from engine.graph.edits import set_params

    epochs(window, 3)
    window.bridge.run()
    until_state(qtbot, window, "finished")
    window.actions_["resume"].trigger()
    assert window.offers[-1].text == "The last run has come to its end."
    window.bench.store.apply("Wider", lambda d: set_params(d, "hidden", out_features=50))
    started = []
    window.bench.started.connect(started.append)
    window.offers[-1].actions[0][1]()
    until_state(qtbot, window, "running", "finished")
    qtbot.waitUntil(lambda: bool(started), timeout=60_000)
    assert "of another shape" in started[-1].loaded
    assert window.offers[-1].text.startswith("Weights: ")


def test_a_changed_network_does_not_go_on_as_if_it_were_the_same(window, qtbot):
    from engine.graph.edits import set_params

    epochs(window, 100_000)
    window.bridge.run()
    until_state(qtbot, window, "running")
    window.bridge.stop()
    until_state(qtbot, window, "finished")
    window.bench.store.apply("Wider", lambda d: set_params(d, "hidden", out_features=50))
    window.actions_["resume"].trigger()
    assert window.offers[-1].text == CHANGED
    assert window.bench.state == "finished"


def test_how_a_network_is_trained_does_not_make_it_another(window):
    document = window.bench.store.whole
    other = document.with_(
        name="Else", training=replace(document.training, objectives=(Objective(options=frozen({"lr": 1.0})),))
    )
    assert alike(document, other)
    assert not alike(document, document.with_(edges={}))


def test_without_a_run_there_is_nothing_to_go_on_with(window):
    said = []
    window.bench.message.connect(said.append)
    window.actions_["resume"].trigger()
    window.actions_["carry_on"].trigger()
    assert said == ["There is no run of this network yet that could be continued."] * 2
