"""What a script takes along where a warm-up comes before a schedule that counts epochs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.optim.lr_scheduler import LRScheduler as Scheduler


class Apart:
    """A schedule that counts epochs, times a warm-up that counts steps.

    Both act on stand-ins with the optimizer's learning rates; ``optimizer`` gets the product.
    """

    KEPT = ("lr", "betas", "momentum")

    def __init__(self, optimizer: torch.optim.Optimizer, warmup: int) -> None:
        self.optimizer, self.warmup, self.steps = optimizer, warmup, 0
        self.main, self.warm = self.stand_in(), self.stand_in()

    def stand_in(self) -> torch.optim.Optimizer:
        """Return an optimizer with the same rates that moves nothing."""
        kind = torch.optim.Adam if "betas" in self.optimizer.defaults else torch.optim.SGD
        groups = self.optimizer.param_groups
        kept = [{key: group[key] for key in self.KEPT if key in group} for group in groups]
        return kind([{"params": [torch.zeros(1)], **each} for each in kept])

    def begin(self, schedule: Scheduler, rise: Callable[[], Scheduler]) -> None:
        """Take the schedule, which acts on ``main``, and what makes the warm-up, which acts on ``warm``."""
        self.schedule = schedule
        self.starts = [group["lr"] for group in self.main.param_groups]
        for warm, main in zip(self.warm.param_groups, self.main.param_groups, strict=True):
            warm["lr"] = main.get("initial_lr", main["lr"])
        self.rise = rise()
        for each in (self.main, self.warm):
            each.step()  # moves nothing; a scheduler wants its optimizer to go first
        self.apply()

    def step(self) -> None:
        """Take note of a step."""
        self.steps += 1
        if self.steps <= self.warmup:
            self.rise.step()
            self.apply()

    def epoch(self, *metric: float) -> None:
        """Take note of the end of an epoch."""
        self.schedule.step(*metric)
        self.apply()

    def apply(self) -> None:
        """Give the optimizer its rates."""
        plans = (each.param_groups for each in (self.optimizer, self.main, self.warm))
        for group, main, warm, start in zip(*plans, self.starts, strict=True):
            group.update({key: main[key] for key in self.KEPT if key in group})
            if self.steps < self.warmup:
                group["lr"] = warm["lr"] if main["lr"] == start else warm["lr"] * (main["lr"] / start)
