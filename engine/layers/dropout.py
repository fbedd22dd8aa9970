"""Dropout: noise that stops units from leaning on each other."""

from __future__ import annotations

from engine.layers.declaration import Layer
from engine.layers.params import Float

dropout = Layer(
    "Dropout",
    category="Regularization",
    doc="Zeroes random numbers while training and scales up the rest; passes everything when evaluating.",
    params=(Float(name="p", default=0.5, min=0, max=1, label="Probability", doc="Share that is zeroed."),),
    init="nn.Dropout({p})",
    call="{self}({x})",
    summary=lambda p: f"{100 * p['p']:g} % zeroed",
    prefix="dropout",
)
