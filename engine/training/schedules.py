"""The learning rates of one objective while it runs: warm-up, schedule, and what a user changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import lr_scheduler

from engine.graph.document import Objective
from engine.optimizers import OPTIMIZERS
from engine.schedules import EPOCH, SCHEDULES, STEP

WARMUP_START = 1e-3
"""The share of its rate that a warm-up begins with."""

POINTS = 1000
"""Of a planned curve, at most."""


class Rates:
    """The learning rates of an objective's optimizers, step by step.

    Torch's schedulers run on stand-ins beside the real optimizers, whose rates are theirs times what the user
    changed: so a change by hand disturbs no schedule, and a step of an optimizer costs nothing more.
    ``steps_per_epoch`` and ``total_steps`` count the optimizers' own steps; where an epoch is no whole number
    of these, ``epochs`` says how many there are. A schedule per step begins after the warm-up and fills the
    rest of the run; one per epoch counts from the start. ``rising`` says that the metric of a plateau gets
    better as it rises.
    """

    def __init__(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        objective: Objective,
        steps_per_epoch: int,
        total_steps: int,
        rising: bool = False,
        epochs: int = 0,
    ):
        declared = _lr(objective)
        # A rate of 0 may be raised by hand: the schedule runs on a rate of 1 meanwhile.
        self._base, self._scale = (declared, 1.0) if declared else (1.0, 0.0)
        self._warmup, self._steps = objective.warmup, 0
        self._per, self._measures = _counted(objective)
        whole = _whole(objective, steps_per_epoch, total_steps, epochs)
        self._pairs: list[tuple[torch.optim.Optimizer, _Course]] = []
        for optimizer in optimizers:
            groups = optimizer.param_groups
            rates = [float(each["lr"] if declared else each.get("rate", 1.0)) for each in groups]
            course = _Course(objective, [self._base, *rates], optimizer.defaults, whole, rising)
            self._pairs.append((optimizer, course))
        self._write()

    @property
    def lr(self) -> float:
        """The present learning rate of weights whose multiplier is 1."""
        return self._pairs[0][1].rates[0] * self._scale

    @property
    def base(self) -> float:
        """The learning rate that the schedule makes all others of: the document's, or what it was set to."""
        return self._base * self._scale

    @property
    def constant(self) -> bool:
        """Whether no step changes a rate any more, so that ``stepped`` need not be called."""
        return self._steps >= self._warmup and self._per != STEP

    def stepped(self) -> None:
        """Take note of a step of the optimizers."""
        self._steps += 1
        if self._steps <= self._warmup:
            for _, course in self._pairs:
                course.warm()
        elif self._per == STEP:
            for _, course in self._pairs:
                course.advance()
        else:
            return
        self._write()

    def epoch_ended(self, metric: float | None = None) -> None:
        """Take note of the end of an epoch; ``metric`` is what was measured then, if it was."""
        if self._per != EPOCH or (self._measures and metric is None):
            return
        for _, course in self._pairs:
            course.advance(metric)
        self._write()

    def rebase(self, lr: float) -> None:
        """Go on as if the document had said this learning rate: all rates are scaled alike."""
        self._scale = lr / self._base
        self._write()

    def resize(self, left: int) -> None:
        """Stretch what fills the run, because there are so many of the optimizers' steps left from now on."""
        if self._per == STEP:
            for _, course in self._pairs:
                course.stretch(left - max(0, self._warmup - self._steps))
            self._write()

    def state_dict(self) -> dict[str, Any]:
        """Return where it is: numbers, texts and lists."""
        return {
            "steps": self._steps,
            "scale": self._scale,
            "courses": [course.state_dict() for _, course in self._pairs],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a ``state_dict`` was taken."""
        self._steps, self._scale = int(state["steps"]), float(state["scale"])
        for (_, course), each in zip(self._pairs, state["courses"], strict=True):
            course.load_state_dict(each)
        self._write()

    def _write(self) -> None:
        """Give the real optimizers their rates, and the momentum if the schedule moves it."""
        for optimizer, course in self._pairs:
            for group, rate in zip(optimizer.param_groups, course.rates[1:], strict=True):
                rate *= self._scale
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate
                group.update(course.momentum)


class _Course:
    """The rates of an optimizer's groups: torch's schedulers on stand-ins; the first rate is of no group."""

    def __init__(
        self,
        objective: Objective,
        rates: Sequence[float],
        defaults: Mapping[str, Any],
        whole: int,
        rising: bool = False,
    ):
        self._objective, self._given, self._defaults = objective, list(rates), defaults
        self._whole, self._rising = whole, rising
        self._measures = _counted(objective)[1]
        self._count = 0
        self._main: lr_scheduler.LRScheduler | None = None
        self._warm: lr_scheduler.LinearLR | None = None
        self._begin()
        if objective.warmup:
            starts = [group.get("initial_lr", group["lr"]) for group in self._stand.param_groups]
            self._lift = _StandIn(starts, {})
            self._warm = lr_scheduler.LinearLR(self._lift, WARMUP_START, total_iters=objective.warmup)
            self._warm_fresh = _numbers(self._warm)

    def _begin(self) -> None:
        objective = self._objective
        self._stand = _StandIn(self._given, self._defaults)
        self._end: int | None = None
        self._cycles = ""
        if objective.schedule:
            schedule = SCHEDULES[objective.schedule]
            arguments = schedule.arguments(objective.schedule_options, self._given, self._whole)
            if arguments.get("cycle_momentum"):
                self._cycles = next((key for key in ("betas", "momentum") if key in self._defaults), "")
                arguments["cycle_momentum"] = bool(self._cycles)
            if schedule.measures:
                arguments["mode"] = "max" if self._rising else "min"
            if schedule.ends:
                self._end = arguments[schedule.length] - 1
            elif schedule.length and not schedule.values(objective.schedule_options)[schedule.length]:
                self._end = self._whole
            self._main = getattr(lr_scheduler, schedule.type)(self._stand, **arguments)
            self._fresh = _numbers(self._main)
        self._starts = self._stand.rates

    @property
    def rates(self) -> list[float]:
        """The rates as torch's schedulers say."""
        if self._warm is None:
            return self._stand.rates
        # What the schedule has come down to while it warms up: 1 unless an epoch has passed.
        pairs = zip(self._lift.rates, self._stand.rates, self._starts, strict=True)
        return [warm if now == start else warm * (now / start) for warm, now, start in pairs]

    @property
    def momentum(self) -> dict[str, Any]:
        """What the schedule says of the momentum: nothing, or the option with its value."""
        return {self._cycles: self._stand.param_groups[0][self._cycles]} if self._cycles else {}

    def warm(self) -> None:
        """Take one step of the warm-up, which is over when it has come to its end."""
        self._warm.step()
        if self._warm.last_epoch >= self._objective.warmup:
            self._warm = None

    def advance(self, metric: float | None = None) -> None:
        """Advance the schedule once, unless it has come to its end."""
        if self._main is None or (self._end is not None and self._count >= self._end):
            return
        self._count += 1
        with suppress(OverflowError):  # the heights of torch's triangular2 after 1,024 cycles: it stays low
            self._main.step(metric) if self._measures else self._main.step()

    def stretch(self, left: int) -> None:
        """Go on at the same part of a schedule that fills the run, so that it takes so many steps more."""
        schedule = SCHEDULES.get(self._objective.schedule)
        if schedule is None or not schedule.length or left < 1:
            return
        if schedule.values(self._objective.schedule_options)[schedule.length]:
            return
        done = min(self._count / max(1, self._whole), 1.0)
        if done < 1:
            self._whole = max(1, round(left / (1 - done)))
            self._begin()
            self.jump(round(done * self._whole))

    def jump(self, count: int) -> None:
        """Be where so many advances lead, in one go; the last bits of a rate may differ from these."""
        if self._main is None or self._measures:
            return
        self._count = count if self._end is None else min(count, self._end)
        if isinstance(self._main, lr_scheduler.CosineAnnealingWarmRestarts):
            self._main.step(self._count)
            return
        with suppress(OverflowError):
            self._main._update_lr(self._count)  # what its deprecated step(epoch) does

    def warm_to(self, steps: int) -> None:
        """Be where so many steps of the warm-up lead, in one go."""
        if self._warm is None:
            return
        if steps < self._objective.warmup:
            self._warm._update_lr(steps)
        else:
            self._warm = None

    def state_dict(self) -> dict[str, Any]:
        """Return where it is."""
        state: dict[str, Any] = {"count": self._count, "whole": self._whole}
        if self._main is not None:
            state["main"] = _changed(self._main, self._fresh)
            state["rates"] = self._stand.rates
            if self._cycles:
                value = self._stand.param_groups[0][self._cycles]
                state["momentum"] = list(value) if isinstance(value, tuple) else value
        if self._warm is not None:
            state["warm"] = _changed(self._warm, self._warm_fresh)
            state["warm_rates"] = self._lift.rates
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a ``state_dict`` was taken."""
        if state["whole"] != self._whole:
            self._whole = int(state["whole"])
            self._begin()
        self._count = int(state["count"])
        if self._main is not None:
            self._main.__dict__.update(self._fresh | dict(state["main"]))
            self._stand.set(state["rates"])
            if self._cycles:
                value = state["momentum"]
                for group in self._stand.param_groups:
                    group[self._cycles] = tuple(value) if isinstance(value, list) else value
        if "warm" not in state:
            self._warm = None
        elif self._warm is not None:
            self._warm.__dict__.update(self._warm_fresh | dict(state["warm"]))
            self._lift.set(state["warm_rates"])


class _StandIn(torch.optim.Optimizer):
    """An optimizer of no weights, for a scheduler to act on."""

    def __init__(self, rates: Sequence[float], defaults: Mapping[str, Any]):
        # Not by torch's own constructor, which loads its compiler: a second, perhaps in the window's thread.
        momentum = {key: defaults[key] for key in ("betas", "momentum") if key in defaults}
        self.defaults = {"lr": 0.0, **momentum}
        self.param_groups = [{"params": [], "lr": rate, **momentum} for rate in rates]
        # A scheduler warns where it is stepped before its optimizer; this one never steps.
        self._opt_called = True

    def step(self, closure: object = None) -> None:
        """Nothing moves."""

    @property
    def rates(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self.param_groups]

    def set(self, rates: Sequence[float]) -> None:
        """Give each group a rate."""
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = float(rate)


def _numbers(scheduler: lr_scheduler.LRScheduler) -> dict[str, float]:
    state = scheduler.state_dict()
    return {key: value for key, value in state.items() if type(value) in (int, float)}


def _changed(scheduler: lr_scheduler.LRScheduler, fresh: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a scheduler that have changed since it began: where it is, without what it was told."""
    return {key: value for key, value in _numbers(scheduler).items() if value != fresh.get(key)}


def cycled(objective: Objective) -> str:
    """Return the option of the optimizer that the schedule moves beside the rate, an empty text for none."""
    schedule = SCHEDULES.get(objective.schedule)
    if schedule is None or not schedule.values(objective.schedule_options).get("cycle_momentum"):
        return ""
    names = {param.name for param in OPTIMIZERS[objective.optimizer].params}
    return next((name for name in ("beta1", "momentum") if name in names), "")


def _lr(objective: Objective) -> float:
    return float(OPTIMIZERS[objective.optimizer].values(objective.options)["lr"])


def _counted(objective: Objective) -> tuple[str, bool]:
    """After what the schedule is advanced, empty for never, and whether with a metric."""
    if not objective.schedule:
        return "", False
    schedule = SCHEDULES[objective.schedule]
    return schedule.per(objective.schedule_options), schedule.measures


def _whole(objective: Objective, steps_per_epoch: int, total_steps: int, epochs: int) -> int:
    """The length of the run in what the schedule counts."""
    if _counted(objective)[0] == STEP:
        return max(1, total_steps - objective.warmup)
    return epochs or max(1, -(-total_steps // max(1, steps_per_epoch)))


def planned(
    objective: Objective, steps_per_epoch: int, total_steps: int, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Return steps of a run and the learning rate that each would have, as (n,) int and (n,) float64.

    The steps are those of the run, of which an objective may take only some; of a long run not each is told.
    What a plateau will do cannot be known: it stays. A few milliseconds, however long the run is.
    """
    pace = max(1, objective.every * objective.accumulate)
    own, epochs = max(1, total_steps // pace), -(-total_steps // max(1, steps_per_epoch))
    lr, declared = _lr(objective), OPTIMIZERS[objective.optimizer]
    steps = np.unique(np.linspace(0, own - 1, min(own, points)).round().astype(np.int64))
    whole = _whole(objective, 1, own, epochs)
    course = _Course(objective, [lr], declared.arguments(objective.options), whole)
    per, _ = _counted(objective)
    rates = np.empty(len(steps))
    for place, step in enumerate(steps.tolist()):
        if per:
            course.jump(max(0, step - objective.warmup) if per == STEP else step * pace // steps_per_epoch)
        course.warm_to(step)
        rates[place] = course.rates[0]
    return steps * pace, rates
