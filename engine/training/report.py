"""A run in a terminal: a progress bar, or one JSON event per line, and a summary at the end."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from math import inf
from time import monotonic
from typing import Any

import click

from engine.errors import TrainingError
from engine.training.events import Changed, Evaluated, Event, Failed, Finished, Progress, Started, State
from engine.training.runner import Runner

_POLL = 0.05

RETRY = 10.0
"""Seconds after which a run that waits, because it cannot be written, tries again by itself."""


def shown_as(as_json: bool) -> Callable[[Event], None]:
    """Return what shows events in a terminal: as lines of JSON, or as a progress bar."""
    return _Lines() if as_json else _Bar()


def attend(
    runner: Runner, tell: Callable[[Event], None], meanwhile: Callable[[Runner], object] = lambda runner: None
) -> None:
    """Start a run and tell about it until its end; ``meanwhile`` is called all the time.

    Ctrl+C, and a system that wants it to end, stop it after the present step. Raises TrainingError where the
    run fails.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, lambda *_: runner.stop()) for each in signals]
    again = inf
    try:
        runner.start()
        while not runner.join(_POLL):
            meanwhile(runner)
            events = runner.events.drain()
            _tell_all(tell, events)
            if reason := _reason(events):
                click.echo(f"waiting: {reason} It is tried again every {RETRY:g} seconds.", err=True)
                again = monotonic() + RETRY
            if monotonic() > again:
                again = inf
                runner.resume()
        _tell_all(tell, runner.events.drain())
    finally:
        runner.close()
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _reason(events: list[Event]) -> str:
    """Why the run waits though nobody asked it to."""
    states = [each for each in events if isinstance(each, State) and each.state == "paused"]
    return states[-1].reason if states else ""


def _tell_all(tell: Callable[[Event], None], events: list[Event]) -> None:
    for event in events:
        tell(event)
        if isinstance(event, Failed):
            raise TrainingError(event.message, event.node, event.port)


def _summary(event: Finished) -> dict[str, Any]:
    summary = {
        "event": "summary",
        "reason": event.reason,
        "metrics": dict(event.metrics),
        "steps": event.steps,
        "seconds": round(event.seconds, 3),
    }
    more = {name: value for name, value in (("run", event.run), ("note", event.note)) if value}
    return summary | more


class _Lines:
    """One JSON object per line."""

    _FIELDS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
        Started: lambda e: {
            "event": "started",
            "epochs": e.epochs,
            "steps": e.steps,
            "device": e.device,
            "parameters": e.parameters,
            "step": e.step,
            **({"loaded": e.loaded} if e.loaded else {}),
            **({"notes": list(e.notes)} if e.notes else {}),
        },
        State: lambda e: {"event": e.state, **({"reason": e.reason} if e.reason else {})},
        Progress: lambda e: {
            "event": "progress",
            "step": int(e.step[-1]),
            "epoch": e.epoch,
            "loss": float(e.loss[-1]),
            "lr": e.lr,
            "steps_per_second": round(e.steps_per_second, 1),
        },
        Evaluated: lambda e: {
            "event": "evaluated",
            "step": e.step,
            "epoch": e.epoch,
            "metrics": dict(e.metrics),
        },
        Changed: lambda e: {
            "event": "changed",
            "step": e.step,
            "name": e.name,
            "before": e.before,
            "after": e.after,
        },
        Finished: _summary,
    }

    def __call__(self, event: Event) -> None:
        fields = self._FIELDS.get(type(event))
        if fields and not (isinstance(event, Progress) and not len(event.step)):
            print(json.dumps(fields(event)), flush=True)


class _Bar:
    """A progress bar on standard error, and the last metrics as a line."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            for text in (event.loaded and f"weights: {event.loaded}", *event.notes):
                click.echo(text, err=True, nl=bool(text))
            self._step = event.step
            self._bar = click.progressbar(
                length=event.steps,
                label=f"{event.parameters:,} parameters on {event.device}",
                file=sys.stderr,
            )
            self._bar.update(event.step)
            self._bar.render_progress()
        elif isinstance(event, Progress) and len(event.step):
            self._bar.update(int(event.step[-1]) - self._step)
            self._step = int(event.step[-1])
        elif isinstance(event, Finished):
            self._bar.render_finish()
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in event.metrics.items())
            where = f"  saved in {event.run}" if event.run else ""
            print(f"{event.reason} after {event.steps:,} steps in {event.seconds:.1f} s  {numbers}{where}")
            if event.note:
                print(event.note)
