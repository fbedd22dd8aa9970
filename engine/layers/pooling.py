"""Pooling: smaller images that keep what matters."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, IntPair
from engine.layers.text import by, window

_IMAGE = (Port("x", "N C H W"),)
_KERNEL = IntPair(name="kernel_size", default=2, min=1, doc="Height and width of the window.")
_STRIDE = IntPair(
    name="stride",
    default=None,
    min=1,
    optional=True,
    doc="Pixels between windows; as large as the window if empty.",
)
_PADDING = IntPair(
    name="padding", default=0, min=0, doc="Border added on each side, at most half the window."
)
_CEIL = Bool(name="ceil_mode", default=False, doc="Keep a last window that hangs over the border.")

max_pool2d = Layer(
    "MaxPool2d",
    category="Pooling",
    doc="Keeps the largest number of each window.",
    inputs=_IMAGE,
    params=(_KERNEL, _STRIDE, _PADDING, _CEIL),
    call="F.max_pool2d({x}, {kernel_size}{rest})",
    summary=window,
    prefix="pool",
    synonyms=("downsample", "subsampling"),
)

avg_pool2d = Layer(
    "AvgPool2d",
    category="Pooling",
    doc="Replaces each window by its mean.",
    inputs=_IMAGE,
    params=(_KERNEL, _STRIDE, _PADDING, _CEIL),
    call="F.avg_pool2d({x}, {kernel_size}{rest})",
    summary=window,
    prefix="pool",
    synonyms=("average", "mean", "downsample", "subsampling"),
)

adaptive_avg_pool2d = Layer(
    "AdaptiveAvgPool2d",
    category="Pooling",
    doc="Averages an image of any size down to a fixed one.",
    inputs=_IMAGE,
    params=(IntPair(name="output_size", default=1, min=1, doc="Height and width that come out."),),
    call="F.adaptive_avg_pool2d({x}, {output_size})",
    summary=lambda p: f"to {by(p['output_size'])}",
    prefix="pool",
    synonyms=("global average pooling", "gap"),
)
