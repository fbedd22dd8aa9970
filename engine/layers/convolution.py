"""Convolutions."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Int, IntPair
from engine.layers.text import window

conv2d = Layer(
    "Conv2d",
    category="Convolution",
    doc="Slides learned filters over an image; each filter answers to one pattern.",
    inputs=(Port("x", "N C H W"),),
    params=(
        Int(name="out_channels", default=32, min=1, label="Filters", doc="How many patterns it looks for."),
        IntPair(name="kernel_size", default=3, min=1, doc="Height and width of a filter in pixels."),
        IntPair(name="stride", default=1, min=1, doc="Pixels from one position of the filter to the next."),
        IntPair(
            name="padding", default=0, min=0, doc="Zeros added at each border, so that the edge is seen too."
        ),
        IntPair(name="dilation", default=1, min=1, doc="Distance between the pixels that one filter reads."),
        Int(name="groups", default=1, min=1, doc="Blocks of channels that do not see each other."),
        Bool(name="bias", default=True, doc="Adds a learned number to each filter's answer."),
        Choice(
            name="padding_mode",
            default="zeros",
            choices=("zeros", "reflect", "replicate", "circular"),
            doc="What stands beyond the border.",
        ),
    ),
    infer=lambda x: {"in_channels": x[1]},
    init="nn.Conv2d({in_channels}, {out_channels}, {kernel_size}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['out_channels']} filters, {window(p)}",
    prefix="conv",
    synonyms=("convolution", "filter", "cnn"),
)
