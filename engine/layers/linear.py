"""Weighted sums."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Int

linear = Layer(
    "Linear",
    category="Linear",
    doc="Every output is a weighted sum of all inputs: y = Wx + b.",
    inputs=(Port("x", "N D|N L D"),),
    params=(
        Int(
            name="out_features",
            default=64,
            min=1,
            label="Units",
            doc="How many numbers come out for each sample.",
        ),
        Bool(name="bias", default=True, doc="Adds a learned number to each sum."),
    ),
    infer=lambda x: {"in_features": x[-1]},
    init="nn.Linear({in_features}, {out_features}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['out_features']} {'unit' if p['out_features'] == 1 else 'units'}",
    prefix="fc",
    synonyms=("fc", "dense", "fully connected", "affine"),
)
