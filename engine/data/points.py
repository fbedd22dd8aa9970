"""Small synthetic sets that need no download: points in the plane, and a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Float, Int, Param, Value

Draw = Callable[[Mapping[str, Value], np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Returns points (n, 2) and their classes (n,)."""


def _samples(default: int) -> Int:
    return Int(name="samples", default=default, min=2, max=1_000_000, doc="How many points in all.")


def _noise(default: float) -> Float:
    return Float(name="noise", default=default, min=0, max=2, doc="Standard deviation of each coordinate.")


def _points(
    type_: str, doc: str, draw: Draw, params: tuple[Param, ...], classes: str | int = 2, **more: object
) -> Source:
    """Return the source of a set of points; ``classes`` may name a parameter. The noise is added here."""

    def load(p: Mapping[str, Value]) -> Dataset:
        rng = np.random.default_rng(p["seed"])
        points, label = draw(p, rng)
        points = points + rng.normal(0, p["noise"], points.shape)
        names = tuple(str(n) for n in range(p.get(classes, classes)))
        fields = {"point": Field(points.astype(np.float32)), "label": Field(label.astype(np.int64), names)}
        return dataset(p, fields)

    def types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
        return TensorType((BATCH, 2)), TensorType((BATCH,), "int", p.get(classes, classes))

    more.setdefault("summary", lambda p: f"{p['samples']:,} points")
    return Source(
        type_,
        doc=doc,
        inputs=(),
        outputs=(Port("point", "N D"), Port("label", "N", dtype="int")),
        params=(*params, *SPLIT),
        types=types,
        load=load,
        prefix="points",
        **more,
    )


def _spirals(p: Mapping[str, Value], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """X_c(t) = t (sin, cos)(2 pi / C (2 t + c - 1)) + N(0, sigma^2), t uniform on [0, 1], c = 1 ... C."""
    label = np.arange(p["samples"]) % p["arms"]
    t = rng.uniform(0, 1, p["samples"])
    angle = 2 * np.pi / p["arms"] * (2 * t + label)
    return t[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1), label


spirals = _points(
    "Spirals",
    "Points on interleaved spiral arms, one class for each arm.",
    _spirals,
    (
        _samples(1000),
        Int(name="arms", default=3, min=2, max=12, doc="How many arms, and classes."),
        _noise(0.02),
    ),
    classes="arms",
    summary=lambda p: f"{p['samples']:,} points, {p['arms']} arms",
    synonyms=("synthetic", "toy"),
)


def _moons(p: Mapping[str, Value], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(p["samples"]) % 2
    angle = rng.uniform(0, np.pi, p["samples"])
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], 1)
    return np.where(label[:, None] == 0, upper, -upper), label


moons = _points(
    "Moons",
    "Two half circles that reach into each other.",
    _moons,
    (_samples(500), _noise(0.1)),
    synonyms=("half circles", "synthetic"),
)


def _circles(p: Mapping[str, Value], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(p["samples"]) % 2
    angle = rng.uniform(0, 2 * np.pi, p["samples"])
    radius = np.where(label == 0, 1.0, p["inner"])
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), label


circles = _points(
    "Circles",
    "A ring around a ring: no straight line parts them.",
    _circles,
    (
        _samples(500),
        Float(name="inner", default=0.5, min=0, max=1, label="Inner radius", doc="The outer radius is 1."),
        _noise(0.08),
    ),
    synonyms=("rings", "synthetic"),
)


def _xor(p: Mapping[str, Value], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    corner = np.arange(p["samples"]) % 4
    bits = np.stack([corner // 2, corner % 2], 1)
    return bits.astype(np.float64), bits[:, 0] ^ bits[:, 1]


xor = _points(
    "XOR",
    "Points around (0, 0), (0, 1), (1, 0), (1, 1); the class is 1 where exactly one coordinate is.",
    _xor,
    (_samples(400), _noise(0.1)),
    synonyms=("exclusive or", "logic", "synthetic"),
)


def _gaussians(p: Mapping[str, Value], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(p["samples"]) % p["clusters"]
    angle = 2 * np.pi * label / p["clusters"]
    return np.stack([np.cos(angle), np.sin(angle)], 1), label


gaussians = _points(
    "Gaussians",
    "Round clouds whose centers stand on a circle of radius 1, one class for each.",
    _gaussians,
    (
        _samples(500),
        Int(name="clusters", default=2, min=2, max=12, doc="How many clouds, and classes."),
        _noise(0.3),
    ),
    classes="clusters",
    summary=lambda p: f"{p['samples']:,} points, {p['clusters']} clusters",
    synonyms=("blobs", "clusters", "synthetic"),
)


def _line(p: Mapping[str, Value]) -> Dataset:
    """y = X theta + N(0, sigma^2); X and theta are drawn from N(0, 1)."""
    rng = np.random.default_rng(p["seed"])
    theta = rng.normal(size=(p["features"], 1))
    x = rng.normal(size=(p["samples"], p["features"]))
    y = x @ theta + rng.normal(0, p["noise"], (p["samples"], 1))
    return dataset(p, {"x": Field(x.astype(np.float32)), "y": Field(y.astype(np.float32))})


line = Source(
    "Line",
    doc="A noisy weighted sum, y = X theta + noise: what linear regression is made for.",
    inputs=(),
    outputs=(Port("x", "N D"), Port("y", "N D")),
    params=(
        _samples(200),
        Int(name="features", default=1, min=1, max=1000, doc="How many numbers x has."),
        Float(name="noise", default=0.1, min=0, max=100, doc="Standard deviation of y around the line."),
        *SPLIT,
    ),
    types=lambda p: (TensorType((BATCH, p["features"])), TensorType((BATCH, 1))),
    load=_line,
    summary=lambda p: f"{p['samples']:,} points",
    prefix="line",
    synonyms=("linear", "regression", "synthetic"),
)
