"""Runs of this window: each leaves its folder among the user's runs, and goes on from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal

from engine.errors import EngineError, FileError
from engine.runs.library import Library, about_run
from engine.runs.log import read_events
from engine.runs.trackers import TRACKERS, Tracking, tracker
from engine.training.events import Failed, Finished, State
from gui.bench import Bench
from gui.session import Session

if TYPE_CHECKING:
    from engine.training.runner import Runner
    from gui.main_window import MainWindow
    from gui.runs import Run

TRACKERS_KEY = "runs/trackers"


class _Told(QObject):
    """Brings what a thread tells to the window's own thread, and says it there."""

    heard = Signal(str)

    def __init__(self, bench: Bench):
        super().__init__(bench)
        self._bench = bench
        self.heard.connect(self._say)

    def _say(self, text: str) -> None:
        self._bench.message.emit(text)


def new_runner(bench: Bench, session: Session, weights: Path | None = None) -> Runner:
    """Return a run of an open document that is kept; where there is no room for its folder it is told.

    Raises EngineError where it cannot begin.
    """
    from engine.training.runner import Runner

    target = str(session.path) if session.path else f"preset:{session.preset}" if session.preset else ""
    out: Path | None = None
    try:
        out = Library().new(session.name, **about_run(session.whole, target))
    except FileError as error:
        bench.message.emit(f"This run is not kept. {error.message}")
    if out is not None and session.run:
        session.run.tracking = tracking_of(bench, out)
    return Runner(session.whole, out=out, weights=weights)


def resumed_runner(bench: Bench, run: Run, folder: Path) -> Runner:
    """Return the run of a folder, to go on; what it told before is put into the record.

    Raises EngineError for a folder that is none.
    """
    from engine.training.runner import Runner

    runner = Runner.resumed(folder)
    for event in read_events(folder):
        if not isinstance(event, State | Finished | Failed):
            run.record.add(event)
    run.tracking = tracking_of(bench, folder)
    return runner


def chosen_trackers() -> list[str]:
    """Return the names of the trackers that hear of every run of the window."""
    stored = QSettings().value(TRACKERS_KEY, [])
    names = [stored] if isinstance(stored, str) else list(stored or [])
    return [name for name in names if name in TRACKERS]


def switch_tracker(window: MainWindow, name: str) -> None:
    """Let a tracker hear of every run, or no more; one that is not installed says how to get it."""
    names = chosen_trackers()
    if name in names:
        names.remove(name)
    else:
        try:
            tracker(name)
        except EngineError as error:
            window.files.show_error(f"{TRACKERS[name].title} cannot be told", error)
        else:
            names.append(name)
            window.bench.message.emit(f"{TRACKERS[name].title} hears of every run from the next on.")
    QSettings().setValue(TRACKERS_KEY, names)
    window.actions_.refresh()


def tracking_of(bench: Bench, folder: Path) -> Tracking | None:
    """Return what tells the chosen trackers of a run, None where none is chosen."""
    names = chosen_trackers()
    if not names:
        return None
    try:
        return Tracking(folder, names, _Told(bench).heard.emit)
    except EngineError as error:
        bench.message.emit(error.message)
        return None
