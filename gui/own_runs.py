"""Runs of this window: each leaves its folder among the user's runs, and goes on from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import FileError
from engine.runs.library import Library, about_run
from engine.runs.log import read_events
from engine.training.events import Failed, Finished, State
from gui.bench import Bench
from gui.session import Session

if TYPE_CHECKING:
    from engine.training.runner import Runner
    from gui.runs import Run


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
    return Runner(session.whole, out=out, weights=weights)


def resumed_runner(run: Run, folder: Path) -> Runner:
    """Return the run of a folder, to go on; what it told before is put into the record.

    Raises EngineError for a folder that is none.
    """
    from engine.training.runner import Runner

    runner = Runner.resumed(folder)
    for event in read_events(folder):
        if not isinstance(event, State | Finished | Failed):
            run.record.add(event)
    return runner
