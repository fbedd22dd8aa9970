"""What a run tells while it goes on: losses, metrics and pictures, to the mailbox and to the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from engine.errors import FileError
from engine.graph.document import Way
from engine.training.clock import Clock
from engine.training.events import Evaluated, Event, Progress, Watch
from engine.training.folder import Folder
from engine.training.loop import not_finite
from engine.training.mailbox import Mailbox
from engine.training.pace import Pace
from engine.training.probes import Probe
from engine.training.setup import Setup

PUBLISH = 0.1
"""Seconds between two progress events, and between two snapshots at least."""

SHARE = 0.02
"""Of the time that snapshots may take; where they cost more they come less often."""


class Teller:
    """Gathers what a run tells; call it only from the run's thread.

    ``trouble`` is why something could not be written to the folder, until it could.
    """

    def __init__(self, events: Mailbox, folder: Folder | None):
        self._events, self._folder = events, folder
        self.trouble = ""
        self.unhurried = False
        """Whether the run waits between two steps anyway, so that looking costs nothing."""
        self.metrics: Mapping[str, float] = {}
        self._losses: list[float | Tensor] = []
        self._parts: list[list[float | Tensor]] = []
        self._published = self._due = self._look_due = self._looked = 0.0
        self._looked_step = -1
        self._seen: Watch | None = None
        self._rate = self._looking = self._live_cost = 0.0
        self._looks = Pace(SHARE, PUBLISH)

    def emit(self, event: Event) -> None:
        """Tell an event."""
        self._events.put(event)
        if self._folder and self._folder.is_open:
            try:
                self._folder.tell(event)
            except FileError as error:
                self.trouble = error.message

    def begin(self, setup: Setup) -> None:
        """Take the run that is told about."""
        self._setup = setup
        self._several = len(setup.minimizers) > 1
        self.probe, self._clock = Probe(setup), Clock(setup)
        self._published = perf_counter()

    def warmed(self) -> None:
        """Forget the first picture's cost: with every cache cold, it says nothing about those to come."""
        self._looks, self._looking = Pace(SHARE, PUBLISH), 0.0
        self._published = perf_counter()
        self._look_due = self._published + PUBLISH

    def stepped(self, loss: float | Tensor, watch: Watch, unhurried: bool = False) -> bool:
        """Take a step's loss; return whether something was published.

        An ``unhurried`` run goes slowly for people's eyes: then pictures may take their time.
        """
        self._losses.append(loss)
        if self._several:
            self._parts.append([each.last for each in self._setup.minimizers])
        now = perf_counter()
        if now < self._due:
            return False
        self.publish(now)
        self.unhurried = unhurried
        # A picture that nobody has fetched yet would only be replaced.
        if now >= self._look_due and not (self._events.unseen and watch == self._seen):
            self.look(watch)
        return True

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Tell the metrics after an epoch."""
        self.metrics = metrics
        position = self._setup.position
        self.emit(Evaluated(position.step, position.epoch, metrics))

    def publish(self, now: float) -> None:
        """Tell the losses since the last time, and how fast it goes."""
        losses, self._losses = self._losses, []
        parts, self._parts = self._parts, []
        passed, self._published = now - self._published, now
        self._due = now + PUBLISH
        if not losses:
            return
        values = _numbers(losses)
        rate, share = len(losses) / max(passed, 1e-9), self._looking / max(passed, 1e-9)
        self._looking = 0.0
        # Smoothed, so that the time left does not jump.
        self._rate = rate if not self._rate else 0.8 * self._rate + 0.2 * rate
        if passed >= PUBLISH / 2:  # the short rest of a run says nothing about the share
            self._live_cost = 0.8 * self._live_cost + 0.2 * min(share, 1.0)
        setup = self._setup
        position = setup.position
        steps = np.arange(position.step - len(values) + 1, position.step + 1)
        self.emit(
            Progress(
                steps,
                values,
                position.epoch,
                setup.minimizers[0].rates.lr,
                self._rate,
                setup.steps_left / self._rate,
                self._live_cost,
                np.stack([_numbers(each) for each in zip(*parts, strict=True)]) if parts else None,
            )
        )
        if not np.isfinite(values).all():
            raise not_finite(setup, self.probe.fields, float(values[~np.isfinite(values)][0]))

    def look(self, watch: Watch) -> None:
        """Take a snapshot, and put the next one off until its cost is a small share of the time."""
        began = perf_counter()
        self._seen = watch
        position = self._setup.position
        snapshot = self.probe.snapshot(watch, position.step, position.epoch)
        timed = watch.times and self._time(watch.way)
        now = perf_counter()
        if snapshot is not None:
            self._events.put(snapshot)
        if snapshot is not None or timed:
            self._looks.took(now - began)
            self._looking += now - began
        self._looked, self._looked_step = now, position.step
        self._look_due = now + (PUBLISH if self.unhurried else self._looks.rest)

    def hurry(self, watch: Watch) -> None:
        """Look soon, because somebody looks at something else."""
        self._look_due = min(self._look_due, self._looked + PUBLISH)
        self._seen = watch

    def fresh(self, watch: Watch) -> bool:
        """Return whether the newest picture is of the present step and of what is looked at."""
        return self._looked_step == self._setup.position.step and watch == self._seen

    def has_seen(self, watch: Watch) -> bool:
        """Return whether this watch was answered, or a soon answer was promised."""
        return watch == self._seen

    def give_up(self, watch: Watch) -> None:
        """Leave a watch unanswered: the old picture stays."""
        self._seen = watch

    def rested(self) -> None:
        """Take note that the run stood still until now."""
        self._published, self._looking = perf_counter(), 0.0

    def finish_times(self, watch: Watch) -> None:
        """Take the passes that are missing, where nothing is waiting for the next step."""
        if watch.times and self._clock.finish(watch.way) and (timed := self._clock.timed(watch.way)):
            self._events.put(timed)

    def _time(self, way: Way) -> bool:
        """Time one more pass, tell when there are enough; return whether one was needed."""
        if self._clock.done(way):
            return False
        self._clock.measure(way)
        if self._clock.done(way):
            self._events.put(self._clock.timed(way))
        return True


def _numbers(losses: list[float | Tensor]) -> np.ndarray:
    """Losses as an array (n,); tensors are read at once."""
    if any(isinstance(each, Tensor) for each in losses):
        return torch.stack([torch.as_tensor(each) for each in losses]).cpu().numpy().astype(np.float64)
    return np.array(losses)
