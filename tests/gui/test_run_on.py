"""Run on: another place is chosen, a run there is followed as if it were here; what is wrong is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from engine.distributed import places
from engine.distributed.follow import Follower
from engine.graph.settings import set_training
from engine.training.events import Finished, State
from gui.main_window import MainWindow
from gui.run_on import RunOn
from tests.distributed.test_follow import Elsewhere, started, steps
from tests.gui.window_help import open_window


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Elsewhere]:
    """Runs that were started elsewhere: the table's place of several processes makes a stand-in."""
    made: list[Elsewhere] = []

    def make(folder: Path, values: object, trust: bool) -> Elsewhere:
        if folder == Path("run"):
            folder = tmp_path / "asked"
        launch = Elsewhere(folder)
        launch.title = "2 processes"
        made.append(launch)
        return launch

    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path / "runs"))
    table = {**places.PLACES, "local": replace(places.PLACES["local"], make=make)}
    monkeypatch.setattr("gui.run_on.PLACES", table)
    return made


@pytest.fixture
def window(qtbot, runs: list[Elsewhere]) -> Iterator[MainWindow]:
    QSettings().remove("run_on")
    with open_window(qtbot, "spirals") as window:
        yield window
        for run in runs:
            run.tell(Finished("stopped", 0, 0.0, {}))
    QSettings().remove("run_on")


def menu_of(window: MainWindow) -> QMenu:
    menu = window.top.run_on_button.menu()
    menu.aboutToShow.emit()
    return menu


def entry(window: MainWindow, text: str):
    return next(each for each in menu_of(window).actions() if each.text().startswith(text))


def choose_processes(window: MainWindow, count: int) -> None:
    entry(window, "Several processes").trigger()
    dialog = window.run_on.dialog
    field = dialog.form.fields["processes"].focusProxy()
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, str(count))
    QTest.mouseClick(dialog.use_button, Qt.MouseButton.LeftButton)


def test_this_window_is_where_run_trains_at_first(window: MainWindow) -> None:
    assert window.top.run_on_button.text() == "Here"
    texts = [each.text() for each in menu_of(window).actions() if each.text()]
    assert texts[0] == "This window"
    assert [each.rstrip(" …") for each in texts[1:-2]] == [place.title for place in places.PLACES.values()]
    assert texts[-2:] == ["Resume the last run", "Continue from its weights"]
    assert entry(window, "This window").isChecked()


def test_a_place_is_chosen_and_remembered(window: MainWindow, qtbot) -> None:
    choose_processes(window, 4)
    assert window.top.run_on_button.text() == "4 processes"
    assert entry(window, "Several processes").isChecked()
    again = RunOn(window.bench, window)
    assert again.words == "4 processes"
    entry(window, "This window").trigger()
    assert window.top.run_on_button.text() == "Here"
    assert RunOn(window.bench, window).place is None


def test_the_form_says_what_is_wrong_and_what_speaks_against_it(window: MainWindow) -> None:
    entry(window, "Several processes").trigger()
    dialog = window.run_on.dialog
    assert "so small that several processes are slower" in dialog.said.text()
    assert dialog.use_button.isEnabled()
    dialog.reject()
    assert window.top.run_on_button.text() == "Here"
    entry(window, "A machine over SSH").trigger()
    dialog = window.run_on.dialog
    assert not dialog.use_button.isEnabled()
    assert "me@gpu-box" in dialog.said.text()
    QTest.keyClicks(dialog.form.fields["host"].focusProxy(), "me@box")
    assert dialog.use_button.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.run_on.dialog is None


def test_a_run_elsewhere_is_followed_in_the_window(window: MainWindow, runs: list[Elsewhere], qtbot) -> None:
    window.bench.store.apply("Short", lambda document: set_training(document, epochs=2))
    choose_processes(window, 2)
    runs.clear()
    heard: list[object] = []
    window.bench.progress.connect(heard.append)
    window.bridge.run()
    qtbot.waitUntil(lambda: len(runs) == 1, timeout=60_000)
    (run,) = runs
    assert isinstance(window.bridge.runner, Follower)
    assert run.folder.parent.name == "runs"
    assert window.bench.state == "starting"
    qtbot.waitUntil(lambda: "Starting on 2 processes" in window.top.progress_text)
    run.tell(started(), State("running"), steps(1, 30))
    qtbot.waitUntil(lambda: bool(heard) and window.bench.state == "running")
    assert "step 30" in window.top.progress_text
    window.bridge.pause()
    qtbot.waitUntil(lambda: "pause" in run.asked)
    run.tell(State("paused"))
    qtbot.waitUntil(lambda: window.bench.state == "paused")
    run.broken = "gpu-box: Connection refused"
    window.bridge.run()
    qtbot.waitUntil(lambda: "Connection refused" in window.top.progress_text)
    run.broken = ""
    qtbot.waitUntil(lambda: run.asked[-1] == "resume", timeout=20_000)
    qtbot.waitUntil(lambda: "step 30" in window.top.progress_text)
    run.tell(State("running"), steps(31, 10))
    window.bridge.stop()
    qtbot.waitUntil(lambda: run.asked[-1] == "stop")
    run.tell(Finished("stopped", 40, 1.0, {"loss": 0.5}))
    qtbot.waitUntil(lambda: window.bench.state == "finished")
    assert "Stopped after 40 steps" in window.top.progress_text


def test_what_cannot_be_started_there_is_told(window: MainWindow, runs: list[Elsewhere], qtbot) -> None:
    choose_processes(window, 2)
    runs.clear()
    window.bridge.run()
    qtbot.waitUntil(lambda: bool(runs), timeout=60_000)
    runs[-1].exit = 1
    qtbot.waitUntil(lambda: window.bench.state == "failed")


def test_closing_the_window_ends_a_run_of_this_machine(qtbot, runs: list[Elsewhere]) -> None:
    with open_window(qtbot, "spirals") as window:
        choose_processes(window, 2)
        runs.clear()
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bridge.runner is not None, timeout=60_000)
        run, follower = runs[-1], window.bridge.runner
        run.tell(started(), State("running"))
        qtbot.waitUntil(lambda: window.bench.state == "running")
        run.tell(Finished("stopped", 0, 0.0, {}))
    assert not follower.alive
    QSettings().remove("run_on")
