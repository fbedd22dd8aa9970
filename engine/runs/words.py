"""How numbers and moments of a run are told to people."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine.graph.changed import told_change
from engine.graph.document import Document
from engine.training.events import Changed
from engine.training.status import Status, lower_is_better

STATES: Mapping[str, str] = {
    "starting": "Starting",
    "running": "Running",
    "paused": "Paused",
    "done": "Done",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
"""Every state of a run, as people read it."""

_BEFORE = ("val_accuracy", "accuracy", "val_loss", "loss")


def state_text(state: str) -> str:
    """Return a state as people read it."""
    return STATES.get(state, state.capitalize())


def duration_text(seconds: float) -> str:
    """Return a time as 0.4 s, 12 s, 3 min 20 s, 2 h 5 min or 3 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, smaller, size, part in (("d", "h", 86400, 3600), ("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def when_text(moment: float, now: float | None = None) -> str:
    """Return a moment as 14:05, yesterday 14:05, 3 Mar 14:05 or 3 Mar 2024."""
    if not moment:
        return ""
    then, today = time.localtime(moment), time.localtime(now if now is not None else time.time())
    clock = time.strftime("%H:%M", then)
    if then[:3] == today[:3]:
        return clock
    if 0 < _day(today) - _day(then) < 1.5 * 86400:
        return f"yesterday {clock}"
    day = f"{then.tm_mday} {time.strftime('%b', then)}"
    return f"{day} {clock}" if then.tm_year == today.tm_year else f"{day} {then.tm_year}"


def number_text(value: float) -> str:
    """Return a number in four digits."""
    return f"{value:.4g}"


def changed_text(change: Changed, document: Document | None = None) -> str:
    """Return a change by hand as ``learning rate 0.01 → 0.003``; without the document by its name."""
    if document is not None:
        return told_change(document, change.name, change.before, change.after)
    return f"{change.name} {value_text(change.before)} → {value_text(change.after)}"


def value_text(value: object) -> str:
    """Return the value of a setting: a number in six digits, yes or no, or its word."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def main_metric(status: Status) -> str:
    """Return the metric that says most of a run: of held-out rows before training rows, loss last."""
    found = [name for name in _BEFORE if name in status.best]
    others = [name for name in status.best if not lower_is_better(name)]
    held = sorted(others, key=lambda name: not name.startswith("val_"))
    return next(iter([*found[:1], *held, *status.best]), "")


def metrics_text(status: Status, most: int = 2) -> str:
    """Return the best values of the metrics that say most, as ``val_accuracy 0.98``."""
    first = main_metric(status)
    names = [name for name in dict.fromkeys([first, *_BEFORE, *status.best]) if name in status.best]
    return "  ".join(f"{name} {number_text(status.best[name][0])}" for name in names[:most])


def _day(moment: time.struct_time) -> float:
    """The middle of a day, in seconds since 1970."""
    return time.mktime((*moment[:3], 12, 0, 0, 0, 0, -1))
