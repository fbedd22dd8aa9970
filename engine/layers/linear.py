"""Weighted sums, and distances to learned centers."""

from __future__ import annotations

from math import prod

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int
from engine.layers.text import shown_shape


def _units(p: dict) -> str:
    return f"{p['out_features']} {'unit' if p['out_features'] == 1 else 'units'}"


_OUT = Int(
    name="out_features", default=64, min=1, label="Units", doc="How many numbers come out for each sample."
)
_BIAS = Bool(name="bias", default=True, doc="Adds a learned number to each sum.")

linear = Layer(
    "Linear",
    category="Linear",
    doc="Every output is a weighted sum of all inputs: y = Wx + b.",
    inputs=(Port("x", "N D|N L D"),),
    params=(_OUT, _BIAS),
    infer=lambda x: {"in_features": x[-1]},
    init="nn.Linear({in_features}, {out_features}{rest})",
    call="{self}({x})",
    summary=_units,
    prefix="fc",
    synonyms=("fc", "dense", "fully connected", "affine"),
)


def _two(x1: tuple, x2: tuple) -> dict[str, object]:
    if tuple(x1[:-1]) != tuple(x2[:-1]):
        raise ValueError(
            f"expects two inputs that differ only in their last size, "
            f"{shown_shape(x1)} and {shown_shape(x2)} arrive"
        )
    return {"in1_features": x1[-1], "in2_features": x2[-1]}


bilinear = Layer(
    "Bilinear",
    category="Linear",
    doc="Every output is a weighted sum of all products of two inputs: y = x1 W x2 + b.",
    inputs=(Port("x1", "N D|N L D"), Port("x2", "N D|N L D")),
    params=(_OUT, _BIAS),
    infer=_two,
    macs=lambda x1, x2, out_features: prod(x1[1:]) * x2[-1] * out_features,
    init="nn.Bilinear({in1_features}, {in2_features}, {out_features}{rest})",
    call="{self}({x1}, {x2})",
    summary=_units,
    prefix="bilinear",
    synonyms=("interaction",),
)

identity = Layer(
    "Identity",
    category="Linear",
    doc="Passes everything as it is.",
    inputs=(Port("x", dtype="any"),),
    init="nn.Identity()",
    call="{self}({x})",
    prefix="identity",
    synonyms=("nothing", "placeholder"),
)

centroids = Layer(
    "Centroids",
    category="Linear",
    doc="The squared distance to each of a few learned centers, as in k-means.",
    inputs=(Port("x", "N D|N L D"),),
    params=(Int(name="count", default=10, min=1, label="Centers", doc="How many centers are learned."),),
    infer=lambda x: {"in_features": x[-1]},
    init="Centroids({in_features}, {count})",
    module="centroids",
    call="{self}({x})",
    summary=lambda p: f"{p['count']} centers",
    prefix="centroids",
    synonyms=("k-means", "clusters", "prototypes", "vector quantization"),
)

radial_basis = Layer(
    "RadialBasis",
    category="Linear",
    doc="Each unit answers to inputs near its learned center, the less the farther: exp(-(r / width)²).",
    inputs=(Port("x", "N D|N L D"),),
    params=(
        Int(name="out_features", default=64, min=1, label="Units", doc="How many centers are learned."),
        Float(name="width", default=1.0, min=1e-6, doc="How far each unit reaches at first; learned too."),
    ),
    infer=lambda x: {"in_features": x[-1]},
    init="RadialBasis({in_features}, {out_features}{rest})",
    module="radial_basis",
    call="{self}({x})",
    summary=lambda p: f"{p['out_features']} units",
    title="Radial basis",
    prefix="rbf",
    synonyms=("rbf", "gaussian", "kernel"),
)
