"""Two-dimensional point sets that need no download."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.data.source import SPLIT, Field, Source
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Float, Int, Value

_PORTS = (Port("point", "N D"), Port("label", "N", dtype="int"))


def _samples(default: int) -> Int:
    return Int(name="samples", default=default, min=2, max=1_000_000, doc="How many points in all.")


def _fields(points: np.ndarray, labels: np.ndarray, classes: int) -> dict[str, Field]:
    names = tuple(str(n) for n in range(classes))
    return {"point": Field(points.astype(np.float32)), "label": Field(labels.astype(np.int64), names)}


def _spirals(p: Mapping[str, Value]) -> dict[str, Field]:
    """X_c(t) = t (sin, cos)(2 pi / C (2 t + c - 1)) + N(0, sigma^2), t uniform on [0, 1], c = 1 ... C."""
    rng = np.random.default_rng(p["seed"])
    arms = p["arms"]
    label = np.arange(p["samples"]) % arms
    t = rng.uniform(0, 1, p["samples"])
    angle = 2 * np.pi / arms * (2 * t + label)
    points = t[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
    return _fields(points + rng.normal(0, p["noise"], points.shape), label, arms)


spirals = Source(
    "Spirals",
    doc="Points on interleaved spiral arms, one class for each arm.",
    inputs=(),
    outputs=_PORTS,
    params=(
        _samples(1000),
        Int(name="arms", default=3, min=2, max=12, doc="How many arms, and classes."),
        Float(name="noise", default=0.02, min=0, max=1, doc="Standard deviation of each coordinate."),
        *SPLIT,
    ),
    types=lambda arms: (TensorType((BATCH, 2)), TensorType((BATCH,), "int", arms)),
    load=_spirals,
    summary=lambda p: f"{p['samples']} points, {p['arms']} arms",
    prefix="points",
)
