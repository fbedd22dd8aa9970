"""Images made larger, smaller, or read at chosen places."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int, Ints, Sizes
from engine.layers.text import by

_MODE = Choice(
    name="mode",
    default="nearest",
    choices=("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"),
    doc="How the numbers between are found: (bi, tri)linear for one (two, three) axes.",
)
_ALIGN = Bool(
    name="align_corners", default=False, doc="The corner pixels keep their centers; for linear and cubic."
)
_ANY_IMAGE = (Port("x", "N C H W|N C L|N C D H W"),)

upsample = Layer(
    "Upsample",
    category="Shape",
    doc="Makes an image, a sequence or a volume larger by a factor.",
    inputs=_ANY_IMAGE,
    params=(
        Float(
            name="scale_factor",
            default=2.0,
            min=0.01,
            label="Factor",
            doc="How many times larger it becomes.",
        ),
        _MODE,
        _ALIGN,
    ),
    call="F.interpolate({x}, scale_factor={scale_factor}{rest})",
    summary=lambda p: f"× {p['scale_factor']:g}, {p['mode']}",
    prefix="up",
    synonyms=("interpolate", "enlarge", "UpsamplingNearest2d", "UpsamplingBilinear2d"),
)


def _one_size_per_axis(x: tuple, size: object) -> dict[str, object]:
    if isinstance(size, tuple) and len(size) != len(x) - 2:
        raise ValueError(f"expects one size or one for each of {len(x) - 2} axes, not {len(size)}")
    return {}


resize = Layer(
    "Resize",
    category="Shape",
    doc="Gives an image, a sequence or a volume a chosen size.",
    inputs=_ANY_IMAGE,
    params=(
        Ints(
            name="size",
            default=32,
            min=1,
            alone=True,
            lengths=(1, 2, 3),
            doc="One size, or one for each axis.",
        ),
        _MODE,
        _ALIGN,
    ),
    infer=_one_size_per_axis,
    call="F.interpolate({x}, {size}{rest})",
    summary=lambda p: f"to {by(p['size'])}",
    prefix="resize",
    synonyms=("interpolate", "scale"),
)

pixel_shuffle = Layer(
    "PixelShuffle",
    category="Shape",
    doc="Turns channels into pixels: a larger image with fewer channels.",
    inputs=(Port("x", "N C H W"),),
    params=(
        Int(name="upscale_factor", default=2, min=1, label="Factor", doc="How many times larger it becomes."),
    ),
    call="F.pixel_shuffle({x}, {upscale_factor})",
    summary=lambda p: f"× {p['upscale_factor']}",
    prefix="shuffle",
    synonyms=("subpixel", "super-resolution", "depth to space"),
)

pixel_unshuffle = Layer(
    "PixelUnshuffle",
    category="Shape",
    doc="Turns pixels into channels: a smaller image with more channels.",
    inputs=(Port("x", "N C H W"),),
    params=(
        Int(
            name="downscale_factor",
            default=2,
            min=1,
            label="Factor",
            doc="How many times smaller it becomes.",
        ),
    ),
    call="F.pixel_unshuffle({x}, {downscale_factor})",
    summary=lambda p: f"÷ {p['downscale_factor']}",
    prefix="unshuffle",
    synonyms=("space to depth", "patches"),
)

channel_shuffle = Layer(
    "ChannelShuffle",
    category="Shape",
    doc="Mixes the channels of several groups, so that the next grouped layer sees all of them.",
    inputs=(Port("x", "N C H W|N C L|N C D H W"),),
    params=(Int(name="groups", default=2, min=1, doc="How many groups; must divide the channels."),),
    call="F.channel_shuffle({x}, {groups})",
    summary=lambda p: f"{p['groups']} groups",
    prefix="mix",
    synonyms=("shufflenet",),
)


def _regions(features: tuple, boxes: tuple) -> dict[str, object]:
    if boxes[2] != 4:
        raise ValueError(f"expects four numbers for each box, x1 y1 x2 y2, {boxes[2]} arrive")
    return {}


_REGIONS = (
    Port("features", "N C H W", doc="The feature map."),
    Port("boxes", "N R D", doc="The boxes of each image as x1 y1 x2 y2, in pixels of the image."),
)
_BINS = Sizes(name="output_size", default=7, min=1, doc="Rows and columns into which each box is divided.")
_SCALE = Float(
    name="spatial_scale",
    default=1.0,
    min=0,
    label="Scale",
    doc="Size of the feature map over that of the image.",
)

roi_align = Layer(
    "RoIAlign",
    category="Pooling",
    doc="Reads each box of a feature map in a fixed size, between the pixels, by bilinear sampling.",
    inputs=_REGIONS,
    outputs=(Port("y", "N R C H W"),),
    params=(
        _BINS,
        _SCALE,
        Int(
            name="sampling_ratio",
            default=2,
            min=1,
            max=16,
            label="Samples",
            doc="Points along each side of a part.",
        ),
        Bool(
            name="aligned",
            default=True,
            doc="Pixel centers stand at half numbers, as in Mask R-CNN's later form.",
        ),
    ),
    infer=_regions,
    init="RoIAlign({output_size}{rest})",
    module="region_align",
    call="{self}({features}, {boxes})",
    summary=lambda p: f"to {by(p['output_size'])}",
    prefix="roi",
    synonyms=("region of interest", "mask r-cnn", "detection"),
)

roi_pool = Layer(
    "RoIPool",
    category="Pooling",
    doc="Keeps the largest number in each part of each box of a feature map; borders are rounded to pixels.",
    inputs=_REGIONS,
    outputs=(Port("y", "N R C H W"),),
    params=(_BINS, _SCALE),
    infer=_regions,
    init="RoIPool({output_size}{rest})",
    module="region_pool",
    call="{self}({features}, {boxes})",
    summary=lambda p: f"to {by(p['output_size'])}",
    prefix="roi",
    synonyms=("region of interest", "fast r-cnn", "detection"),
)
