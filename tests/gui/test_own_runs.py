"""What the window trains is among the user's runs, and an interrupted run goes on there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from engine.graph.settings import set_training
from engine.runs import trackers
from engine.runs.library import Library, read_entry
from engine.runs.log import losses, read_events
from engine.runs.trackers import TRACKERS
from engine.storage.document_file import save_document
from engine.training.events import Changed
from engine.training.moment import moments
from engine.training.runner import Runner
from gui.runs_panel import reader
from tests.gui.window_help import LEFT, answer, open_window
from tests.training.documents import spirals


@pytest.fixture
def window(qtbot, monkeypatch):
    monkeypatch.setattr(reader, "PERIOD", 0.02)
    with open_window(qtbot) as window:
        qtbot.waitUntil(lambda: window.analyst.is_ready, timeout=60_000)
        yield window


def read_step(path: Path) -> int:
    """How far the run in a folder is, by its own words."""
    entry = read_entry(path)
    return entry.status.step if entry and entry.state in ("running", "paused", "interrupted") else 0


def test_a_run_of_the_window_is_among_the_runs(qtbot, window):
    window.files.open_copy(spirals(epochs=2))
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
    [entry] = Library().entries()
    assert (entry.name, entry.state, entry.status.epoch) == ("Spirals", "done", 2)
    assert len(losses(read_events(entry.path))[0]) == entry.status.step
    assert (entry.path / "weights.safetensors").exists()


def test_a_run_trains_also_where_there_is_no_room_for_its_folder(qtbot, window, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path / "file" / "runs"))
    said = []
    window.bench.message.connect(said.append)
    window.files.open_copy(spirals(epochs=1))
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
    assert any("This run is not kept." in each for each in said)


def broken_off(qtbot, **about) -> Path:
    """Leave what a killed process leaves of a run: all that it told, and a status that it is paused."""
    path = Library().folder / "whole"
    runner = Runner(set_training(spirals(epochs=400), batch_size=32), out=path, about=about)
    runner.start()
    qtbot.waitUntil(lambda: path.is_dir() and read_step(path) > 60, timeout=60_000)
    runner.set("lr", 0.002)
    runner.pause()
    qtbot.waitUntil(
        lambda: read_entry(path).state == "paused" and moments(path / "moments")[-1][0] == read_step(path),
        timeout=60_000,
    )
    copy = Library().folder / "copy"
    shutil.copytree(path, copy)
    runner.close()
    shutil.rmtree(path)
    status = copy / "status.json"
    status.write_text(status.read_text().replace('"pid": ', '"pid": 99999'))
    return copy


def goes_on_from(qtbot, window, path: Path, at: int) -> None:
    """See that the run in front is that of the folder, with all that it told before."""
    qtbot.waitUntil(lambda: window.bench.state == "running", timeout=60_000)
    run = window.bench.store.session.run
    qtbot.waitUntil(lambda: run.latest is not None and run.latest.step[-1] > at + 20, timeout=60_000)
    steps = losses(run.record.events)[0]
    assert steps[0] == 1
    assert (steps[1:] - steps[:-1] > 0).all()
    assert any(isinstance(event, Changed) for event in run.record.events)
    QTest.keyClick(window.canvas, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
    assert read_entry(path).state == "stopped"


def test_an_interrupted_run_is_continued_from_the_page_of_runs(qtbot, window):
    path = broken_off(qtbot)
    at = read_step(path)
    window.show_runs()
    page = window.runs
    qtbot.waitUntil(lambda: len(page.table.runs.entries) == 1)
    page.table.choose({path})
    qtbot.waitUntil(page.buttons["resume"].isVisible)
    assert page.selected[0].state == "interrupted"
    QTest.mouseClick(page.buttons["resume"], LEFT)
    goes_on_from(qtbot, window, path, at)


def test_a_network_whose_run_broke_off_offers_to_go_on(qtbot, window, tmp_path):
    file = tmp_path / "spirals.netwright"
    save_document(set_training(spirals(epochs=400), batch_size=32), file)
    path = broken_off(qtbot, file=str(file))
    at = read_step(path)
    offers = []
    window.bench.offered.connect(offers.append)
    window.files.open(file)
    qtbot.waitUntil(lambda: bool(offers), timeout=20_000)
    assert offers[0].text == f"The last run of Spirals broke off at step {at:,}."
    dict(offers[0].actions)["Continue"]()
    assert window.files.path == file
    goes_on_from(qtbot, window, path, at)


def test_a_tracker_of_the_menu_hears_of_every_run(qtbot, window):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    action = window.actions_["track_tensorboard"]
    action.trigger()
    assert action.isChecked()
    window.files.open_copy(spirals(epochs=2))
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
    run = window.bench.store.session.run
    run.close()
    board = EventAccumulator(str(Library().entries()[0].path / "tensorboard"))
    board.Reload()
    assert board.Scalars("train/step_loss")[-1].step == run.latest.step[-1]
    action.trigger()
    assert not action.isChecked()


def test_a_tracker_that_is_not_installed_says_how_to_get_it(qtbot, window):
    said = answer(QMessageBox.StandardButton.Ok)
    window.actions_["track_wandb"].trigger()
    assert "pip install wandb" in said[0]
    assert not window.actions_["track_wandb"].isChecked()


def test_a_tracker_that_fails_is_told_and_the_run_goes_on(qtbot, window, monkeypatch):
    def refuse(entry, settings):
        raise ConnectionError("no network")

    failing = replace(TRACKERS["tensorboard"], make=refuse)
    monkeypatch.setattr(trackers, "TRACKERS", {"tensorboard": failing})
    said = []
    window.bench.message.connect(said.append)
    window.actions_["track_tensorboard"].trigger()
    window.files.open_copy(spirals(epochs=1))
    QTest.keyClick(window.canvas, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
    qtbot.waitUntil(lambda: "TensorBoard is left out: no network" in said)
