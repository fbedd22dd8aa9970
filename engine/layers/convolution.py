"""Convolutions, the ways back up, and the patches that they look at."""

from __future__ import annotations

from dataclasses import replace

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Int, Param, Sizes
from engine.layers.text import by, window

_DIMS = {1: "N C L", 2: "N C H W", 3: "N C D H W"}


def _filters(axes: int) -> tuple[Param, ...]:
    return (
        Int(name="out_channels", default=32, min=1, label="Filters", doc="How many patterns it looks for."),
        Sizes(name="kernel_size", default=3, min=1, axes=axes, doc="Size of a filter along each axis."),
        Sizes(
            name="stride",
            default=1,
            min=1,
            axes=axes,
            doc="Steps from one position of the filter to the next.",
        ),
    )


_DILATION = "Distance between the positions that one filter reads."
_GROUPS = Int(name="groups", default=1, min=1, doc="Blocks of channels that do not see each other.")
_BIAS = Bool(name="bias", default=True, doc="Adds a learned number to each filter's answer.")
_PADDING_MODE = Choice(
    name="padding_mode",
    default="zeros",
    choices=("zeros", "reflect", "replicate", "circular"),
    doc="What stands beyond the border.",
)


def _convolution(axes: int, doc: str, *synonyms: str) -> Layer:
    padding = Sizes(
        name="padding",
        default=0,
        min=0,
        axes=axes,
        words=("same", "valid"),
        doc="Zeros added at each border, so that the edge is seen too; same keeps the size.",
    )
    dilation = Sizes(name="dilation", default=1, min=1, axes=axes, doc=_DILATION)
    return Layer(
        f"Conv{axes}d",
        category="Convolution",
        doc=doc,
        inputs=(Port("x", _DIMS[axes]),),
        params=(*_filters(axes), padding, dilation, _GROUPS, _BIAS, _PADDING_MODE),
        infer=lambda x: {"in_channels": x[1]},
        fits=("groups", "kernel_size"),
        init=f"nn.Conv{axes}d({{in_channels}}, {{out_channels}}, {{kernel_size}}{{rest}})",
        call="{self}({x})",
        summary=lambda p: f"{p['out_channels']} filters, {window(p, axes)}",
        prefix="conv",
        synonyms=("convolution", "filter", "cnn", *synonyms),
    )


def _transposed(axes: int, doc: str) -> Layer:
    return Layer(
        f"ConvTranspose{axes}d",
        category="Convolution",
        doc=doc,
        inputs=(Port("x", _DIMS[axes]),),
        params=(
            *_filters(axes),
            Sizes(
                name="padding", default=0, min=0, axes=axes, doc="Taken away from each border of the result."
            ),
            Sizes(
                name="output_padding",
                default=0,
                min=0,
                axes=axes,
                doc="Added at one side; smaller than the stride.",
            ),
            _GROUPS,
            _BIAS,
            Sizes(name="dilation", default=1, min=1, axes=axes, doc=_DILATION),
        ),
        infer=lambda x: {"in_channels": x[1]},
        fits=("groups", "kernel_size"),
        init=f"nn.ConvTranspose{axes}d({{in_channels}}, {{out_channels}}, {{kernel_size}}{{rest}})",
        call="{self}({x})",
        summary=lambda p: f"{p['out_channels']} filters, {window(p, axes)}",
        prefix="deconv",
        synonyms=("deconvolution", "upsampling", "transposed convolution", f"Conv{axes}dTranspose"),
    )


conv2d = _convolution(2, "Slides learned filters over an image; each filter answers to one pattern.")
conv1d = _convolution(
    1, "Slides learned filters along a sequence, such as a sound or a text.", "temporal", "tcn"
)
conv3d = _convolution(3, "Slides learned filters through a volume or a film.", "video", "volume")
conv_transpose2d = _transposed(2, "Paints a learned stamp for each pixel: the way back to a larger image.")
conv_transpose1d = _transposed(
    1, "Writes a learned pattern for each step: the way back to a longer sequence."
)
conv_transpose3d = _transposed(3, "Puts a learned pattern for each point: the way back to a larger volume.")
masked_conv2d = replace(
    conv2d,
    type="MaskedConv2d",
    doc="A convolution that sees only the pixels above and to the left, as in PixelCNN.",
    params=(
        Choice(
            name="mask_type",
            default="A",
            choices=("A", "B"),
            label="Mask",
            doc="A hides the pixel itself too and comes first; B shows it.",
        ),
        *conv2d.params,
    ),
    init="MaskedConv2d({mask_type}, {in_channels}, {out_channels}, {kernel_size}{rest})",
    module="masked_convolution",
    synonyms=("pixelcnn", "causal", "autoregressive"),
)

_PATCH = (
    Sizes(name="kernel_size", default=3, min=1, doc="Height and width of a patch."),
    Sizes(name="dilation", default=1, min=1, doc="Distance between the pixels of a patch."),
    Sizes(name="padding", default=0, min=0, doc="Zeros around the image."),
    Sizes(name="stride", default=1, min=1, doc="Pixels from one patch to the next."),
)

unfold = Layer(
    "Unfold",
    category="Convolution",
    doc="Cuts an image into patches and lays each one in a column.",
    inputs=(Port("x", "N C H W"),),
    outputs=(Port("y", "N D L"),),
    params=_PATCH,
    call="F.unfold({x}, {kernel_size}{rest})",
    summary=window,
    prefix="unfold",
    synonyms=("patches", "im2col", "extract patches"),
)


fold = Layer(
    "Fold",
    category="Convolution",
    doc="Puts patches back into an image and adds them where they overlap.",
    inputs=(Port("x", "N D L"),),
    outputs=(Port("y", "N C H W"),),
    params=(Sizes(name="output_size", default=28, min=1, doc="Height and width of the image."), *_PATCH),
    call="F.fold({x}, {output_size}, {kernel_size}{rest})",
    summary=lambda p: f"to {by(p['output_size'])}",
    prefix="fold",
    synonyms=("patches", "col2im"),
)
