"""A run from the command line: alone, or one of the processes that torchrun started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import click

from engine.compiler.analyze import analyze
from engine.distributed.control import Control, forget_orders
from engine.distributed.group import Place, launched
from engine.distributed.launch import TOKEN
from engine.distributed.shares import shared_moments
from engine.errors import TrainingError
from engine.graph.document import Document
from engine.storage.atomic import write_text
from engine.training.events import Event
from engine.training.moment import moments
from engine.training.report import attend, shown_as
from engine.training.room import problem_of
from engine.training.runner import Runner
from engine.training.status import GOING, MOMENTS, STATUS, read_status

GRACE = 20.0
"""Seconds in which a process that was asked to end meets the others; torchrun kills it after 30."""

AGAIN = 1
"""Exit code of a process that has lost the others: torchrun begins again."""


def train_in_terminal(
    document: Document,
    out: Path,
    as_json: bool = False,
    hear: Callable[[Event], object] = lambda event: None,
    *,
    resumes: bool = False,
    way: str = "ddp",
    synchronized: bool = False,
    about: Mapping[str, Any] | None = None,
) -> int:
    """Train a document into a run's folder, or go on there; hear what is asked in its control file.

    ``hear`` is told every event too. Ctrl+C stops it and keeps what was learned. Raises EngineError where the
    run fails.
    """
    shown = shown_as(as_json)

    def tell(event: Event) -> None:
        hear(event)
        shown(event)

    if launched():
        return _train_together(document, out, tell, resumes, way, synchronized, about)
    if (lacking := problem_of(analyze(document))) is not None:
        click.echo(f"warning: {lacking.message}", err=True)
    control = _control(out, TOKEN in os.environ, resumes)
    runner = Runner.resumed(out) if resumes else Runner(document, out=out, about=about)
    attend(runner, tell, control)
    return 0


def _train_together(
    document: Document,
    out: Path,
    tell: Callable[[Event], None],
    resumes: bool,
    way: str,
    synchronized: bool,
    about: Mapping[str, Any] | None,
) -> int:
    from engine.distributed.worker import Worker  # takes a while to load, and one process does not need it

    place = Place.of_environment()
    status = read_status(out)
    again = place.attempt > 0
    if again and status is not None and status.state == "failed":
        raise TrainingError(status.message, status.node or None)  # it would fail in the same way once more
    if again and status is not None and status.state in ("done", "stopped"):
        return 0  # the others ended before this one was told
    if again and place.rank == 0 and status is not None and status.state in GOING:
        # torchrun has ended the process that held the folder, perhaps on another machine: nobody can ask.
        write_text(out / STATUS, replace(status, state="interrupted").text())
    shares, wholes = shared_moments(out / MOMENTS), moments(out / MOMENTS)
    resumes = resumes or (again and bool(shares or wholes))
    if resumes:
        way = "fsdp" if shares and not wholes else "ddp"
    worker = Worker(document, place, out, way, synchronized, about, resumes)
    obey: Callable[[Runner], None] = (
        _control(out, again or TOKEN in os.environ, again or resumes) if worker.leads else _silent
    )
    attend(worker, tell if worker.leads else _silent, _Watch(obey))
    if worker.lost is not None:
        click.echo(f"Process {place.rank} has lost the others: {str(worker.lost).splitlines()[0]}", err=True)
        _leave()
    return 0


def _control(out: Path, heard: bool, again: bool) -> Control:
    """The control file; one of an earlier run that somebody began by hand says nothing."""
    if not heard:
        forget_orders(out)
    return Control(out, again and heard)


def _silent(_: object) -> None:
    """All but the first process say and hear nothing."""


class _Watch:
    """Looks after a process while it trains: it must not outlive torchrun, nor wait for ever for others."""

    def __init__(self, obey: Callable[[Runner], None]):
        self._obey = obey
        self._parent = os.getppid()
        self._asked = 0.0

    def __call__(self, runner: Runner) -> None:
        self._obey(runner)
        if os.getppid() != self._parent:
            click.echo("torchrun is no more; this process ends.", err=True)
            _leave()
        if runner.stopping:
            self._asked = self._asked or monotonic()
            if monotonic() - self._asked > GRACE:
                click.echo("The others do not answer; this process ends.", err=True)
                _leave()


def _leave() -> None:
    """End at once: what waits for another process cannot be ended otherwise."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(AGAIN)
