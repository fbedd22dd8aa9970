"""The training loop: what happens in a step, from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.training.batches import Fields, in_parts
from engine.training.minimizer import NotFiniteError
from engine.training.numerics import unseen
from engine.training.setup import Setup

EVALUATION_ROWS = 1024
"""Rows of a batch without gradients, at most."""

EVALUATION_STEPS = 10
"""Steps between two evaluations at least: where an epoch is shorter, not every epoch is evaluated."""


class RanAwayError(TrainingError):
    """A loss is no number any more."""


class Listener(Protocol):
    """What the loop tells."""

    def stepped(self, loss: float | Tensor) -> bool:
        """Take a step's loss, the sum of all objectives'; return False to end the run here."""

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Take the metrics after an epoch."""


def train(setup: Setup, listener: Listener) -> str:
    """Train from the position of the setup for the document's epochs; return why it ended.

    ``done``, ``stopped`` if the listener ended it, ``early`` if there was no progress for too long. Raises
    TrainingError with a node if the loss stops being a finite number.
    """
    training, model, network = setup.training, setup.model, setup.network
    minimizers, batches, position = setup.minimizers, setup.batches, setup.position
    several = len(minimizers) > 1 or minimizers[0].every > 1
    minimizer = minimizers[0]
    follow, average = setup.built.follow, setup.average
    every = ceil(EVALUATION_STEPS / batches.steps)
    model.train()
    while position.epoch <= training.epochs:
        for batch in batches.epoch(position.epoch, position.row):
            try:
                if several:
                    loss = 0.0
                    for minimizer in minimizers:
                        if (position.step + 1) % minimizer.every == 0:
                            minimizer.step(network, batch)
                        loss = loss + minimizer.last
                else:
                    minimizer.step(network, batch)
                    loss = minimizer.last
            except NotFiniteError as error:
                raise not_finite(setup, batch, error.args[0]) from None
            position.step += 1
            position.row = batches.row
            position.total += loss
            position.count += 1
            if follow:
                follow(model, position.step)
            if average:
                average.update_parameters(model)
            if not listener.stepped(loss):
                return "stopped"
        metrics: dict[str, float] = {}
        if position.epoch % every == 0 or position.epoch == training.epochs:
            mean = float(position.total) / max(position.count, 1)
            metrics = {"loss": mean, **evaluation(setup)}
            listener.evaluated(metrics)
            position.total, position.count = 0.0, 0
        for minimizer in minimizers:
            minimizer.rates.epoch_ended(setup.stopping.value(metrics))
        position.epoch, position.row = position.epoch + 1, 0
        if metrics and not setup.stopping.progress(metrics, position.step, setup.checked):
            return "early"
    return "done"


def evaluation(setup: Setup) -> dict[str, float]:
    """Return what the held-out rows give, as ``val_loss``, ``val_accuracy`` ..., and the metrics of as many
    training rows, as ``accuracy`` ...
    """
    with unseen(setup.device):
        held = evaluate(setup, setup.held_rows, setup.dataset.held) if setup.dataset.held else {}
        metrics: dict[str, float] = {}
        if held.keys() - {"loss"} or not held:
            count = len(next(iter(setup.train.values())))
            count = min(setup.dataset.held or EVALUATION_ROWS, count)
            metrics = evaluate(setup, lambda rows: in_parts(setup.train, count, rows), count)
            metrics.pop("loss", None)
    return metrics | {f"val_{name}": value for name, value in held.items()}


@torch.no_grad()
def evaluate(setup: Setup, batches: Callable[[int], Iterator[Fields]], count: int) -> dict[str, float]:
    """Return the mean loss and metrics in evaluation mode over the ``count`` rows that ``batches`` gives."""
    model, judge = setup.checked, setup.judge or setup.built.evaluate
    sums: dict[str, Tensor] = {}
    with evaluating(model), setup.casting():
        for batch in batches(setup.rows_at_once(EVALUATION_ROWS)):
            share = len(next(iter(batch.values()))) / count
            for name, value in judge(model, batch).items():
                sums[name] = sums.get(name, 0.0) + value * share
    return {name: float(value) for name, value in sums.items()}


class evaluating:
    """Evaluation mode inside; afterwards every module is in the mode that it was in."""

    def __init__(self, model: nn.Module):
        self._training = [module for module in model.modules() if module.training]

    def __enter__(self) -> None:
        for module in self._training:
            module.training = False

    def __exit__(self, *_: object) -> None:
        for module in self._training:
            module.training = True


@torch.no_grad()
def not_finite(setup: Setup, batch: Fields, value: float) -> RanAwayError:
    """Return the error for a loss that is no number any more, with the node where that began."""
    what = "NaN" if value != value else "infinite"
    lr = setup.minimizers[0].rates.lr
    hint = f"a learning rate below {lr:g} often helps."
    for node, values in setup.built.steps(setup.model, batch):
        if not all(each.isfinite().all() for each in values.values() if isinstance(each, Tensor)):
            title = setup.document.nodes[node].title
            own = getattr(setup.model, setup.document.nodes[node].attribute, None)
            weights = own.parameters() if isinstance(own, nn.Module) else ()
            born = "is the first to give numbers that are not finite"
            if not all(each.isfinite().all() for each in weights):
                born = "has weights that are not finite since the last step"
            return RanAwayError(f"The loss became {what}: {title} {born}; {hint}", node)
    return RanAwayError(f"The loss became {what}; {hint}")
