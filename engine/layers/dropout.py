"""Dropout: noise that stops units from leaning on each other."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Float


def _dropout(type_: str, doc: str, dims: str = "", *synonyms: str) -> Layer:
    return Layer(
        type_,
        category="Regularization",
        doc=doc,
        inputs=(Port("x", dims),),
        params=(
            Float(name="p", default=0.5, min=0, max=1, label="Probability", doc="Share that is zeroed."),
        ),
        init=f"nn.{type_}({{p}})",
        call="{self}({x})",
        summary=lambda p: f"{100 * p['p']:g} % zeroed",
        prefix="dropout",
        synonyms=synonyms,
    )


dropout = _dropout(
    "Dropout",
    "Zeroes random numbers while training and scales up the rest; passes everything when evaluating.",
)
dropout2d = _dropout(
    "Dropout2d", "Zeroes whole channels of an image while training.", "N C H W", "spatial dropout"
)
dropout1d = _dropout("Dropout1d", "Zeroes whole channels of a sequence while training.", "N C L")
dropout3d = _dropout("Dropout3d", "Zeroes whole channels of a volume while training.", "N C D H W")
alpha_dropout = _dropout("AlphaDropout", "Dropout that keeps mean and variance; goes with SELU.", "", "selu")
feature_alpha_dropout = _dropout(
    "FeatureAlphaDropout", "Drops whole channels and keeps mean and variance; goes with SELU.", "N C ..."
)
