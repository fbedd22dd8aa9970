"""A run of one open document: who trains, how far it is, and what it has told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.training.events import Event, Progress, Started, State
from engine.training.record import Record
from gui.panels.words import duration

if TYPE_CHECKING:
    from engine.runs.trackers import Tracking
    from engine.training.runner import Runner

BUSY = ("starting", "running", "paused")


@dataclass(eq=False)
class Run:
    """What belongs to one press of Run; ``state`` is one of the bench's states."""

    paused_start: bool = False
    anyway: bool = False
    runner: Runner | None = None
    state: str = "starting"
    record: Record = field(default_factory=Record)
    plan: Started | None = None
    latest: Progress | None = None
    resumes: Path | None = None
    """The folder of the run that it goes on with."""
    tracking: Tracking | None = None
    """Who else hears of it."""

    @property
    def busy(self) -> bool:
        """Whether it is going on or held."""
        return self.state in BUSY

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.plan is None or self.latest is None:
            return 0.0
        return min(int(self.latest.step[-1]) / max(self.plan.steps, 1), 1.0)

    @property
    def words(self) -> tuple[str, str]:
        """How far it is, and how long it will still take."""
        if self.plan is None:
            return "Starting", ""
        if self.latest is None:
            return f"Epoch 1 of {self.plan.epochs}", ""
        epoch = min(max(self.latest.epoch, 1), self.plan.epochs)
        left = f"{duration(self.latest.seconds_left)} left"
        return f"Epoch {epoch} of {self.plan.epochs} · step {int(self.latest.step[-1]):,}", left

    def take(self, event: Event) -> None:
        """Remember what it told."""
        self.record.add(event)
        if isinstance(event, State):
            self.state = event.state
        elif isinstance(event, Started):
            self.plan = event
            if self.tracking:
                self.tracking.start()
        elif isinstance(event, Progress) and len(event.step):
            self.latest = event

    def close(self) -> None:
        """End it and its threads."""
        if self.runner:
            self.runner.close()
        if self.tracking:
            self.tracking.close()
