"""The training loop: what happens in a step, from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isfinite
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.training.setup import Fields, Setup

EVALUATION_ROWS = 1024
"""Rows of a batch without gradients, at most."""

EVALUATION_STEPS = 10
"""Steps between two evaluations at least: where an epoch is shorter, not every epoch is evaluated."""


class Listener(Protocol):
    """What the loop tells."""

    def stepped(self, epoch: int, loss: float | Tensor) -> bool:
        """Take a step's loss; return False to end the run here."""

    def evaluated(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics after an epoch."""


def train(setup: Setup, listener: Listener) -> bool:
    """Train for the document's epochs; return False if the listener ended it before.

    Raises TrainingError with a node if the loss stops being a finite number.
    """
    training, model = setup.document.training, setup.model
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    pairs = list(zip(setup.built.objectives, setup.optimizers, strict=True))
    generator = torch.Generator().manual_seed(training.seed)
    every = ceil(EVALUATION_STEPS / setup.steps_per_epoch)
    # On a CPU a loss is read at once, which costs nothing and tells NaN before it reaches the weights.
    # Elsewhere the tensors are kept until they are published.
    deferred = setup.deferred
    losses: list[float | Tensor] = []
    follow, step = setup.built.follow, 0
    model.train()
    for epoch in range(1, training.epochs + 1):
        for batch in setup.batches(generator):
            total = 0.0
            for objective, optimizer in pairs:
                for parameter in parameters:
                    parameter.grad = None  # what optimizer.zero_grad() does, at a tenth of its cost
                loss = objective(model, batch)
                if deferred:
                    value = loss.detach()
                else:
                    value = loss.item()
                    if not isfinite(value):
                        raise not_finite(setup, batch, value)
                loss.backward()
                optimizer.step()
                total += value
            step += 1
            if follow:
                follow(model, step)
            losses.append(total)
            if not listener.stepped(epoch, total):
                return False
        if epoch % every == 0 or epoch == training.epochs:
            listener.evaluated(epoch, {"loss": _mean(losses), **evaluation(setup)})
            losses.clear()
    return True


def _mean(losses: list[float | Tensor]) -> float:
    if isinstance(losses[0], Tensor):
        return torch.stack(losses).mean().item()
    return sum(losses) / len(losses)


def evaluation(setup: Setup) -> dict[str, float]:
    """Return what the held-out rows give, as ``val_loss``, ``val_accuracy`` ..., and the metrics of as many
    training rows, as ``accuracy`` ...
    """
    held = evaluate(setup, setup.held) if len(setup.dataset.validation) else {}
    metrics: dict[str, float] = {}
    if held.keys() - {"loss"} or not held:
        rows = len(setup.dataset.validation) or EVALUATION_ROWS
        metrics = evaluate(setup, {name: value[:rows] for name, value in setup.train.items()})
        metrics.pop("loss", None)
    return metrics | {f"val_{name}": value for name, value in held.items()}


@torch.no_grad()
def evaluate(setup: Setup, fields: Fields) -> dict[str, float]:
    """Return the loss and the metrics over all rows of the fields, in evaluation mode."""
    model, built = setup.model, setup.built
    count = len(next(iter(fields.values())))
    rows = setup.rows_at_once(EVALUATION_ROWS)
    sums: dict[str, Tensor] = {}
    with evaluating(model):
        for start in range(0, count, rows):
            batch = {name: value[start : start + rows] for name, value in fields.items()}
            share = min(rows, count - start) / count
            for name, value in built.evaluate(model, batch).items():
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
def not_finite(setup: Setup, batch: Fields, value: float) -> TrainingError:
    """Return the error for a loss that is no number any more, with the node where that began."""
    what = "NaN" if value != value else "infinite"
    lr = setup.optimizers[0].param_groups[0]["lr"]
    hint = f"a learning rate below {lr:g} often helps."
    for node, values in setup.built.steps(setup.model, batch):
        if not all(each.isfinite().all() for each in values.values() if isinstance(each, Tensor)):
            title = setup.document.nodes[node].title
            return TrainingError(
                f"The loss became {what}: {title} is the first to give numbers that are not finite; {hint}",
                node,
            )
    return TrainingError(f"The loss became {what}; {hint}")
