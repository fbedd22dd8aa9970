"""Pooling: windows that become one number."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port, Ports
from engine.layers.params import Bool, Float, Param, Sizes
from engine.layers.text import by, window

_DIMS = {1: "N C L", 2: "N C H W", 3: "N C D H W"}
_WHAT = {1: "a sequence", 2: "an image", 3: "a volume"}


def _window(axes: int) -> tuple[Param, ...]:
    return (
        Sizes(name="kernel_size", default=2, min=1, axes=axes, doc="Size of the window along each axis."),
        Sizes(
            name="stride",
            default=None,
            min=1,
            optional=True,
            axes=axes,
            doc="Steps between windows; as large as the window if empty.",
        ),
    )


def _padding(axes: int) -> Param:
    doc = "Border added on each side, at most half the window."
    return Sizes(name="padding", default=0, min=0, axes=axes, doc=doc)


_CEIL = Bool(name="ceil_mode", default=False, doc="Keep a last window that hangs over the border.")


def _max_outputs(p: dict) -> Ports:
    where = Port("indices", dtype="int", doc="Where each maximum stood; MaxUnpool reads it.")
    return (Port("y"), where) if p["return_indices"] else (Port("y"),)


def _max_pool(axes: int) -> Layer:
    return Layer(
        f"MaxPool{axes}d",
        category="Pooling",
        doc=f"Keeps the largest number of each window of {_WHAT[axes]}.",
        inputs=(Port("x", _DIMS[axes]),),
        outputs=_max_outputs,
        params=(
            *_window(axes),
            _padding(axes),
            Sizes(
                name="dilation", default=1, min=1, axes=axes, doc="Distance between the numbers of a window."
            ),
            _CEIL,
            Bool(
                name="return_indices",
                default=False,
                label="Indices",
                doc="Also tell where each maximum stood.",
            ),
        ),
        fits=("padding", "kernel_size"),
        call=f"F.max_pool{axes}d({{x}}, {{kernel_size}}{{rest}})",
        summary=lambda p: window(p, axes),
        prefix="pool",
        synonyms=("downsample", "subsampling", "maximum"),
    )


def _avg_pool(axes: int) -> Layer:
    return Layer(
        f"AvgPool{axes}d",
        category="Pooling",
        doc=f"Replaces each window of {_WHAT[axes]} by its mean.",
        inputs=(Port("x", _DIMS[axes]),),
        params=(
            *_window(axes),
            _padding(axes),
            _CEIL,
            Bool(
                name="count_include_pad",
                default=True,
                label="Count border",
                doc="The border counts as zeros.",
            ),
        ),
        fits=("padding", "kernel_size"),
        call=f"F.avg_pool{axes}d({{x}}, {{kernel_size}}{{rest}})",
        summary=lambda p: window(p, axes),
        prefix="pool",
        synonyms=("average", "mean", "downsample", "subsampling"),
    )


def _adaptive(kind: str, axes: int) -> Layer:
    doc = (
        "Averages {} of any size down to a fixed one."
        if kind == "Avg"
        else "Keeps the maxima of {}, in a fixed size."
    )
    return Layer(
        f"Adaptive{kind}Pool{axes}d",
        category="Pooling",
        doc=doc.format(_WHAT[axes]),
        inputs=(Port("x", _DIMS[axes]),),
        params=(
            Sizes(
                name="output_size",
                default=1,
                min=1,
                axes=axes,
                doc="The size that comes out, along each axis.",
            ),
        ),
        call=f"F.adaptive_{kind.lower()}_pool{axes}d({{x}}, {{output_size}})",
        summary=lambda p: f"to {by(p['output_size'], axes)}",
        prefix="pool",
        synonyms=("global average pooling", "gap") if kind == "Avg" else ("global max pooling",),
    )


def _lp_pool(axes: int) -> Layer:
    return Layer(
        f"LPPool{axes}d",
        category="Pooling",
        doc=f"Replaces each window of {_WHAT[axes]} by the p-th root of its sum of p-th powers.",
        inputs=(Port("x", _DIMS[axes]),),
        params=(
            Float(
                name="norm_type",
                default=2.0,
                min=1,
                label="Power",
                doc="1 sums, a large one nears the maximum.",
            ),
            *_window(axes),
            _CEIL,
        ),
        fits=("kernel_size",),
        call=f"F.lp_pool{axes}d({{x}}, {{norm_type}}, {{kernel_size}}{{rest}})",
        summary=lambda p: f"{window(p, axes)}, power {p['norm_type']:g}",
        prefix="pool",
        synonyms=("power average", "l2 pooling"),
    )


def _unpool(axes: int) -> Layer:
    return Layer(
        f"MaxUnpool{axes}d",
        category="Pooling",
        doc="Puts each maximum back to where it stood, zeros elsewhere.",
        inputs=(
            Port("x", _DIMS[axes]),
            Port("indices", _DIMS[axes], dtype="int", doc="The indices of the max pooling that it undoes."),
        ),
        params=(
            *_window(axes),
            Sizes(name="padding", default=0, min=0, axes=axes, doc="That of the pooling."),
        ),
        infer=_same_places,
        call=f"F.max_unpool{axes}d({{x}}, {{indices}}, {{kernel_size}}{{rest}})",
        summary=lambda p: window(p, axes),
        prefix="unpool",
        synonyms=("unpooling", "upsampling"),
    )


def _same_places(x: tuple, indices: tuple) -> dict[str, object]:
    if tuple(x) != tuple(indices):
        raise ValueError(f"expects an index for each number: {by(x)} and {by(indices)} arrive")
    return {}


max_pool2d = _max_pool(2)
avg_pool2d = _avg_pool(2)
adaptive_avg_pool2d = _adaptive("Avg", 2)
adaptive_max_pool2d = _adaptive("Max", 2)
max_pool1d = _max_pool(1)
avg_pool1d = _avg_pool(1)
adaptive_avg_pool1d = _adaptive("Avg", 1)
adaptive_max_pool1d = _adaptive("Max", 1)
max_pool3d = _max_pool(3)
avg_pool3d = _avg_pool(3)
adaptive_avg_pool3d = _adaptive("Avg", 3)
adaptive_max_pool3d = _adaptive("Max", 3)
max_unpool2d = _unpool(2)
max_unpool1d = _unpool(1)
max_unpool3d = _unpool(3)
lp_pool2d = _lp_pool(2)
lp_pool1d = _lp_pool(1)
lp_pool3d = _lp_pool(3)
