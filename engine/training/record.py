"""What a run has told so far, in bounded memory, so that it can be told again to who looks later."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.training.events import (
    Changed,
    Evaluated,
    Event,
    Failed,
    Finished,
    Progress,
    Resumed,
    Snapshot,
    State,
    Timed,
)
from engine.training.mailbox import merged

PENDING = 256
"""Events that are kept before the progress among them is merged."""

MOST = 1 << 17
"""Losses that are kept; beyond, of four in a row the lowest and the highest stay."""


CHECKS = 2048
"""Evaluations that are kept; beyond, half as many stay."""


class Record:
    """Events in order; of snapshots the newest, of times the newest of each block, progress merged."""

    def __init__(self, most: int = MOST, checks: int = CHECKS):
        self._most, self._checks, self._limit = most, checks, PENDING
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """What to tell, oldest first."""
        return tuple(self._events)

    def add(self, event: Event) -> None:
        """Take what the run told."""
        if isinstance(event, State):
            return  # it holds at its moment only
        if isinstance(event, Resumed):
            self._events = up_to(self._events, event.step)
            return
        if isinstance(event, Snapshot):
            self._events = [each for each in self._events if not isinstance(each, Snapshot)]
        elif isinstance(event, Timed):
            self._events = [
                each for each in self._events if not (isinstance(each, Timed) and each.way == event.way)
            ]
        self._events.append(event)
        if len(self._events) > self._limit:
            self._events = [
                _thinned(each, self._most) if isinstance(each, Progress) else each
                for each in _fewer(merged(self._events), self._checks)
            ]
            # What cannot be merged stays; the next merge waits for as many again.
            self._limit = max(PENDING, 2 * len(self._events))


def _fewer(events: list[Event], most: int) -> list[Event]:
    """Leave evaluations out where there are too many: half as many stay, evenly over the steps."""
    checks = [each for each in events if isinstance(each, Evaluated)]
    if len(checks) <= most:
        return events
    steps = [each.step for each in checks]
    places = np.searchsorted(steps, np.linspace(steps[0], steps[-1], max(most // 2, 2)))
    kept = {id(checks[place]) for place in places}
    return [each for each in events if not isinstance(each, Evaluated) or id(each) in kept]


def up_to(events: Iterable[Event], step: int) -> list[Event]:
    """Return what is still true of a run that goes on from the state after a step: nothing later, no end."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Progress):
            before = event.step <= step
            if before.any():
                kept.append(event.at(before))
        elif isinstance(event, Evaluated | Changed | Snapshot):
            if event.step <= step:
                kept.append(event)
        elif not isinstance(event, Finished | Failed):
            kept.append(event)
    return kept


def _thinned(progress: Progress, most: int) -> Progress:
    """Return it with at most so many losses; the extremes among neighbors stay, and what is not a number."""
    while len(progress.step) > most:
        step, loss = progress.step, progress.loss
        whole = len(step) // 4 * 4
        fours = loss[:whole].reshape(-1, 4)
        ends = np.stack([fours.argmin(1), fours.argmax(1)], 1)
        same = ends[:, 0] == ends[:, 1]
        ends[same] = (0, 3)  # all four are alike, or one is not a number and is found twice
        ends[same & np.isnan(fours).any(1), 0] = np.isnan(fours[same & np.isnan(fours).any(1)]).argmax(1)
        chosen = (np.arange(0, whole, 4)[:, None] + np.sort(ends, 1)).ravel()
        chosen = np.concatenate([chosen, np.arange(whole, len(step))])
        progress = progress.at(chosen)
    return progress
