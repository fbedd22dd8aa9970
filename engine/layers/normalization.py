"""Normalizations: numbers of mean 0 and deviation 1, whatever came before."""

from __future__ import annotations

from math import prod

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int
from engine.layers.text import shown_shape

_EPS = Float(
    name="eps", default=1e-5, min=0, doc="Added to the variance, so that nothing is divided by zero."
)
_MOMENTUM = Float(name="momentum", default=0.1, min=0, max=1, doc="How fast the running statistics follow.")


def _affine(default: bool, name: str = "affine", doc: str = "Learn a scale and a shift.") -> Bool:
    return Bool(name=name, default=default, label="Affine", doc=doc)


def _batch_norm(axes: int, doc: str, dims: str) -> Layer:
    return Layer(
        f"BatchNorm{axes}d",
        category="Normalization",
        doc=doc,
        inputs=(Port("x", dims),),
        params=(_EPS, _MOMENTUM, _affine(True, doc="Learn a scale and a shift for each channel.")),
        infer=lambda x: {"num_features": x[1]},
        many=True,
        init=f"nn.BatchNorm{axes}d({{num_features}}{{rest}})",
        call="{self}({x})",
        summary=lambda p: "over the batch",
        prefix="bn",
        synonyms=("bn", "batch normalization"),
    )


def _several_places(x: tuple) -> dict[str, object]:
    if prod(x[2:]) == 1:
        raise ValueError(
            f"normalizes each channel over its places, but {shown_shape(x)} arrives: one place, which would "
            "always become 0. Remove it, or move it before the pooling"
        )
    return {"num_features": x[1]}


def _instance_norm(axes: int, doc: str, dims: str) -> Layer:
    running = Bool(
        name="track_running_stats",
        default=False,
        label="Running statistics",
        doc="Keep a running mean and variance and use them when evaluating.",
    )
    return Layer(
        f"InstanceNorm{axes}d",
        category="Normalization",
        doc=doc,
        inputs=(Port("x", dims),),
        params=(_EPS, _MOMENTUM, _affine(False, doc="Learn a scale and a shift for each channel."), running),
        infer=_several_places,
        init=f"nn.InstanceNorm{axes}d({{num_features}}{{rest}})",
        call="{self}({x})",
        summary=lambda p: "over each channel",
        prefix="norm",
        synonyms=("instance normalization", "style"),
    )


def _trailing(x: tuple, dims: int) -> dict[str, object]:
    if dims >= len(x):
        raise ValueError(
            f"normalizes the last {dims} dimensions, but only {len(x) - 1} stand beside the batch"
        )
    return {"normalized_shape": x[-1] if dims == 1 else tuple(x[-dims:])}


def _count(normalized_shape: object) -> dict[str, object]:
    return {"dims": len(normalized_shape) if isinstance(normalized_shape, tuple | list) else 1}


def _last(p: dict) -> str:
    return f"over the last {'dimension' if p['dims'] == 1 else str(p['dims']) + ' dimensions'}"


_DIMS = Int(name="dims", default=1, min=1, max=8, label="Dimensions", doc="How many of the last dimensions.")

batch_norm2d = _batch_norm(2, "Normalizes each channel over the batch and the image.", "N C H W")
batch_norm1d = _batch_norm(1, "Normalizes each feature over the batch.", "N C|N C L")
layer_norm = Layer(
    "LayerNorm",
    category="Normalization",
    doc="Normalizes each sample over its last dimensions.",
    params=(_DIMS, _EPS, _affine(True, "elementwise_affine")),
    infer=_trailing,
    fits=("dims",),
    restore=_count,
    init="nn.LayerNorm({normalized_shape}{rest})",
    call="{self}({x})",
    summary=_last,
    prefix="ln",
    synonyms=("layer normalization",),
)


def _grouped(x: tuple, num_groups: int) -> dict[str, object]:
    if x[1] % num_groups:
        raise ValueError(f"divides {x[1]} channels into {num_groups} groups, which leaves a rest")
    return {"num_channels": x[1]}


group_norm = Layer(
    "GroupNorm",
    category="Normalization",
    doc="Normalizes groups of channels within each sample, so small batches do as well.",
    inputs=(Port("x", "N C ..."),),
    params=(
        Int(name="num_groups", default=4, min=1, label="Groups", doc="Must divide the number of channels."),
        _EPS,
        _affine(True),
    ),
    infer=_grouped,
    fits=("num_groups",),
    init="nn.GroupNorm({num_groups}, {num_channels}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['num_groups']} groups",
    prefix="gn",
    synonyms=("group normalization",),
)
rms_norm = Layer(
    "RMSNorm",
    category="Normalization",
    doc="Divides each sample by its root mean square over the last dimensions; usual in language models.",
    params=(
        _DIMS,
        Float(
            name="eps",
            default=None,
            min=0,
            optional=True,
            doc="Keeps the division safe; tiny when left empty.",
        ),
        _affine(True, "elementwise_affine", "Learn a scale."),
    ),
    infer=_trailing,
    fits=("dims",),
    restore=_count,
    init="nn.RMSNorm({normalized_shape}{rest})",
    call="{self}({x})",
    summary=_last,
    prefix="rms",
    synonyms=("root mean square", "llama"),
)
batch_norm3d = _batch_norm(3, "Normalizes each channel over the batch and the volume.", "N C D H W")
instance_norm2d = _instance_norm(2, "Normalizes each channel of each image by itself.", "N C H W")
instance_norm1d = _instance_norm(1, "Normalizes each channel of each sequence by itself.", "N C L")
instance_norm3d = _instance_norm(3, "Normalizes each channel of each volume by itself.", "N C D H W")
local_response_norm = Layer(
    "LocalResponseNorm",
    category="Normalization",
    doc="Divides each number by the strength of its neighbor channels, as in AlexNet.",
    inputs=(Port("x", "N C H W|N C L|N C D H W"),),
    params=(
        Int(name="size", default=5, min=1, label="Channels", doc="How many neighbor channels count."),
        Float(name="alpha", default=1e-4, min=0, doc="How much they count."),
        Float(name="beta", default=0.75, min=0, doc="The power to which their strength is raised."),
        Float(name="k", default=1.0, min=0, doc="Added to their strength."),
    ),
    call="F.local_response_norm({x}, {size}{rest})",
    summary=lambda p: f"{p['size']} channels",
    prefix="lrn",
    synonyms=("lrn", "alexnet"),
)
