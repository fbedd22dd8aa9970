"""Normalizations: numbers of mean 0 and deviation 1, whatever came before."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int

_BATCH_PARAMS = (
    Float(name="eps", default=1e-5, min=0, doc="Added to the variance, so that nothing is divided by zero."),
    Float(name="momentum", default=0.1, min=0, max=1, doc="How fast the running statistics follow."),
    Bool(name="affine", default=True, doc="Learn a scale and a shift for each channel."),
)

batch_norm1d = Layer(
    "BatchNorm1d",
    category="Normalization",
    doc="Normalizes each feature over the batch.",
    inputs=(Port("x", "N C|N C L"),),
    params=_BATCH_PARAMS,
    infer=lambda x: {"num_features": x[1]},
    init="nn.BatchNorm1d({num_features}{rest})",
    call="{self}({x})",
    summary=lambda p: "over the batch",
    prefix="bn",
    synonyms=("batch normalization",),
)

batch_norm2d = Layer(
    "BatchNorm2d",
    category="Normalization",
    doc="Normalizes each channel over the batch and the image.",
    inputs=(Port("x", "N C H W"),),
    params=_BATCH_PARAMS,
    infer=lambda x: {"num_features": x[1]},
    init="nn.BatchNorm2d({num_features}{rest})",
    call="{self}({x})",
    summary=lambda p: "over the batch",
    prefix="bn",
    synonyms=("batch normalization",),
)


def _trailing(x: tuple, dims: int) -> dict[str, object]:
    if dims >= len(x):
        raise ValueError(
            f"normalizes the last {dims} dimensions, but only {len(x) - 1} stand beside the batch"
        )
    return {"normalized_shape": x[-1] if dims == 1 else tuple(x[-dims:])}


layer_norm = Layer(
    "LayerNorm",
    category="Normalization",
    doc="Normalizes each sample over its last dimensions.",
    params=(
        Int(name="dims", default=1, min=1, max=8, label="Dimensions", doc="How many of the last dimensions."),
        Float(
            name="eps", default=1e-5, min=0, doc="Added to the variance, so that nothing is divided by zero."
        ),
        Bool(name="elementwise_affine", default=True, label="Affine", doc="Learn a scale and a shift."),
    ),
    infer=_trailing,
    init="nn.LayerNorm({normalized_shape}{rest})",
    call="{self}({x})",
    summary=lambda p: f"over the last {'dimension' if p['dims'] == 1 else str(p['dims']) + ' dimensions'}",
    prefix="ln",
    synonyms=("layer normalization",),
)
