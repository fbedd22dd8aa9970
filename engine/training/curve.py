"""The function of a model that turns one number into one: where it is asked, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.graph.document import Slot
from engine.training.events import Curve
from engine.training.setup import Fields, Setup

PLACES = 201
"""Inputs at which the function is asked for."""

POINTS = 1000
"""Points of the data that are drawn beside it."""

MARGIN = 0.08
"""Of the data's extent, on each side."""


@dataclass(frozen=True)
class Axis:
    """The inputs that are asked, as rows of every field, and all that stays while the model learns."""

    fields: Fields
    curve: Curve


def axis(setup: Setup, scores: Slot, target: str, loss: str) -> Axis | None:
    """Return the axis of a model from (N, 1) to (N, 1) that predicts a number, else None."""
    arguments = list(setup.built.plan.arguments.values())
    type_ = setup.built.plan.types.get(scores)
    if len(arguments) != 1 or type_ is None or type_.shape[1:] != (1,):
        return None
    name = arguments[0]
    x, y = (_column(setup, field) for field in (name, target))
    if x is None or y is None:
        return None
    margin = max(float(np.ptp(x)), 1e-6) * MARGIN
    places = np.linspace(x.min() - margin, x.max() + margin, PLACES, dtype=np.float32)
    fields = {other: value[:1].expand(PLACES, *value.shape[1:]) for other, value in setup.train.items()}
    rows = len(setup.train[name])
    chosen = np.random.default_rng(0).permutation(len(x))[:POINTS]
    curve = Curve(
        x=places,
        y=np.zeros(PLACES, np.float32),
        points=np.stack((x, y), 1)[chosen],
        held_out=chosen >= rows,
        closed=least_squares(x[:rows], y[:rows]) if loss == "MSELoss" else None,
    )
    return Axis({**fields, name: torch.from_numpy(places)[:, None].to(setup.device)}, curve)


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """Return slope and intercept of the line with the smallest squared error, (XᵀX)⁻¹Xᵀy with X = [x 1].

    None where the points do not tell one line. Source: A.-M. Legendre (1805).
    """
    system = np.stack((x, np.ones_like(x)), 1).astype(np.float64)
    answer, _, rank, _ = np.linalg.lstsq(system, y.astype(np.float64), rcond=None)
    return (float(answer[0]), float(answer[1])) if rank == 2 else None


def _column(setup: Setup, name: str) -> np.ndarray | None:
    """One float for each row, those that are learned from first; None if the field is anything else."""
    value: Tensor = torch.cat((setup.train[name], setup.held[name]))
    if not value.dtype.is_floating_point or value.dim() > 2 or value.numel() != len(value):
        return None
    return value.flatten().cpu().numpy()
