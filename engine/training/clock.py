"""How long each node takes: the plan's own calls, one at a time, on a batch of training rows."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import torch

from engine.training.events import Timed
from engine.training.loop import evaluating
from engine.training.setup import Setup

PASSES = 5
"""Passes whose median counts; one more before them fills the caches."""

FEWEST = 3
"""Passes that are enough where a run ends early."""

PATIENCE = 0.5
"""Seconds that a run which is over may still be timed."""


class Clock:
    """Times one run's network, pass by pass; call it only from the thread that uses the model.

    Forward passes only, without gradients and in evaluation mode, so that nothing of the run changes.
    """

    def __init__(self, setup: Setup):
        self._setup = setup
        self._rows = min(setup.batch_size, setup.rows_at_once(setup.batch_size))
        self._passes: list[dict[str, float]] = []
        self._steps = frozenset(step.node for step in setup.built.plan.steps)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to measure."""
        return len(self._passes) > PASSES

    def measure(self) -> None:
        """Take one pass."""
        setup = self._setup
        fields = setup.first_rows(self._rows)
        took: dict[str, float] = {}
        state = torch.get_rng_state()
        try:
            with torch.no_grad(), evaluating(setup.model):
                began = self._now()
                for node, _ in setup.built.steps(setup.model, fields):
                    now = self._now()
                    if node in self._steps:
                        took[node] = 1000 * (now - began)
                    began = now
        finally:
            torch.set_rng_state(state)
        self._passes.append(took)

    def finish(self) -> bool:
        """Take the passes that a short run left, while they are quick; return whether any was missing."""
        began, missing = perf_counter(), not self.done
        while not self.done and perf_counter() - began < PATIENCE:
            self.measure()
        return missing

    def timed(self) -> Timed | None:
        """Return the medians, or None while there are too few passes."""
        counted = self._passes[1:]
        if len(counted) < FEWEST:
            return None
        return Timed(self._rows, {node: median(each[node] for each in counted) for node in counted[0]})

    def _now(self) -> float:
        """The time when everything that was asked of the device is done."""
        if self._setup.device.type == "cuda":
            torch.cuda.synchronize(self._setup.device)
        elif self._setup.device.type == "mps":
            torch.mps.synchronize()
        return perf_counter()
