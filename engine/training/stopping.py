"""When to stop, and what to keep: the best check of a run, and how long ago it was."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from torch import Tensor, nn

from engine.graph.document import Training
from engine.training.moment import copied


def rising(metric: str) -> bool:
    """Return whether a metric gets better as it rises."""
    return "accuracy" in metric


class Stopping:
    """Watches one metric: ``progress`` after each check says whether the run is to go on.

    ``best`` is its best value, at ``step``; where the settings say so the weights of that check are kept.
    """

    def __init__(self, training: Training):
        self._metric, self._patience, self._keeps = training.monitor, training.patience, training.keep_best
        self.best, self.step, self.waited = inf, 0, 0
        self.weights: dict[str, Tensor] | None = None

    def metric(self, metrics: Mapping[str, float]) -> str:
        """Return the name of what tells progress: what was asked for, or the held-out loss, or the loss."""
        for name in (self._metric, "val_loss", "loss"):
            if name in metrics:
                return name
        return next(iter(metrics), "")

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """Return that metric."""
        return metrics.get(self.metric(metrics))

    def progress(self, metrics: Mapping[str, float], step: int, model: nn.Module) -> bool:
        """Take note of a check; return False if there was no progress for so long that the run is to end."""
        name = self.metric(metrics)
        if not name:
            return True
        value = -metrics[name] if rising(name) else metrics[name]
        if value < self.best:
            self.best, self.step, self.waited = value, step, 0
            if self._keeps:
                self.weights = copied(model.state_dict())
        else:
            self.waited += 1
        return not self._patience or self.waited < self._patience

    def state_dict(self) -> dict[str, Any]:
        """Return where it is."""
        best = None if self.best == inf else self.best
        return {"best": best, "step": self.step, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a ``state_dict`` was taken."""
        self.best = inf if state["best"] is None else state["best"]
        self.step, self.waited, self.weights = state["step"], state["waited"], state["weights"]
