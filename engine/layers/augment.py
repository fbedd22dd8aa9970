"""Samples that vary while training, so that a network learns what does not matter; passed on when evaluating.

All draw for each sample by itself, for the whole batch at once on its device, and keep its shape.
"""

from __future__ import annotations

from engine.layers.declaration import Layer, Port, Ports
from engine.layers.params import Bool, Choice, Float, Int
from engine.layers.text import shown_shape

_IMAGES = (Port("x", "N C H W"),)
_BORDER = Choice(
    name="border",
    default="zeros",
    choices=("zeros", "border", "reflection"),
    doc="What comes from outside of the image: zeros, its last pixels, or its reflection.",
)


def _chance(default: float, doc: str) -> Float:
    return Float(name="p", default=default, min=0, max=1, label="Probability", doc=doc)


def _amount(name: str, default: float, doc: str, most: float = 1, **more: str) -> Float:
    return Float(name=name, default=default, min=0, max=most, doc=doc, **more)


_MASK = Port(
    "mask",
    "N H W|N C H W",
    dtype="any",
    optional=", {mask}",
    doc="Goes where its image goes, such as the class of each pixel.",
)
_MASKS = Bool(
    name="masks",
    default=False,
    label="Mask too",
    doc="Move a mask as its image is moved, without numbers between the old ones; connect it.",
)


def _moved(p: dict) -> Ports:
    return (Port("y"), Port("mask")) if p["masks"] else (Port("y"),)


def _with_mask(x: tuple, mask: tuple | None, masks: bool) -> dict[str, object]:
    if masks and mask is None:
        raise ValueError("expects a mask beside the image: connect one, or switch Mask too off")
    if masks and tuple(mask[-2:]) != tuple(x[-2:]):
        raise ValueError(
            f"expects a mask as large as its image, {shown_shape(x)} and {shown_shape(mask)} arrive"
        )
    return {"with_mask": True if masks else None}


_GEOMETRY = {
    "inputs": (*_IMAGES, _MASK),
    "outputs": _moved,
    "infer": _with_mask,
    "restore": lambda with_mask=False: {"masks": bool(with_mask)},
    "call": "{self}({x}{options})",
}
"""What a layer that moves pixels has: a mask may go along."""


def _augment(type_: str, doc: str, *, params: tuple, init: str = "{rest}", **more: object) -> Layer:
    """Return a layer of this group; ``init`` is what its constructor takes."""
    synonyms = ("augmentation", "data augmentation", "augment", *more.pop("synonyms"))
    more = {"inputs": _IMAGES, "call": "{self}({x})", **more}
    return Layer(
        type_,
        category="Augmentation",
        doc=doc,
        params=params,
        init=f"{type_}({init})",
        synonyms=synonyms,
        **more,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


horizontal_flip = _augment(
    "RandomHorizontalFlip",
    "Mirrors images left to right at random while training.",
    params=(_chance(0.5, "How often an image is mirrored."), _MASKS),
    module="random_horizontal_flip",
    **_GEOMETRY,
    summary=lambda p: _percent(p["p"]),
    title="Random flip",
    prefix="flip",
    synonyms=("mirror", "horizontal flip", "hflip"),
)

vertical_flip = _augment(
    "RandomVerticalFlip",
    "Mirrors images top to bottom at random while training.",
    params=(_chance(0.5, "How often an image is turned upside down."), _MASKS),
    module="random_vertical_flip",
    **_GEOMETRY,
    summary=lambda p: _percent(p["p"]),
    title="Random vertical flip",
    prefix="flip",
    synonyms=("mirror", "upside down", "vflip"),
)

crop = _augment(
    "RandomCrop",
    "Moves images by a few pixels at random while training: pads them and cuts out as much as there was.",
    params=(
        Int(name="padding", default=4, min=0, max=512, doc="Pixels by which an image is moved at most."),
        Choice(
            name="mode",
            default="constant",
            choices=("constant", "reflect", "replicate"),
            doc="What comes from outside: zeros, the image's reflection, or its last pixels.",
        ),
        _MASKS,
    ),
    init="{padding}{rest}",
    module="random_crop",
    **_GEOMETRY,
    summary=lambda p: f"by {p['padding']} px",
    title="Random crop",
    prefix="crop",
    synonyms=("shift", "translate", "move", "padding"),
)

rotation = _augment(
    "RandomRotation",
    "Turns images about their center at random while training.",
    params=(_amount("degrees", 15.0, "The largest angle, either way.", 180), _BORDER, _MASKS),
    init="{degrees}{rest}",
    module="random_rotation",
    **_GEOMETRY,
    summary=lambda p: f"± {p['degrees']:g}°",
    title="Random rotation",
    prefix="turn",
    synonyms=("rotate", "turn", "angle"),
)

affine = _augment(
    "RandomAffine",
    "Turns, moves, zooms and slants images at random while training.",
    params=(
        _amount("degrees", 10.0, "The largest angle, either way.", 180),
        _amount("translate", 0.1, "The farthest move, as a share of the image's size."),
        _amount("zoom", 0.1, "How much larger it becomes at most, or smaller: 0.1 is a factor of 1.1.", 4),
        _amount("shear", 0.0, "The largest slant in degrees, either way.", 60),
        _BORDER,
        _MASKS,
    ),
    module="random_affine",
    **_GEOMETRY,
    summary=lambda p: f"± {p['degrees']:g}°, {_percent(p['translate'])}, × {1 + p['zoom']:g}",
    title="Random affine",
    prefix="affine",
    synonyms=("zoom", "scale", "rotate", "translate", "shear", "warp"),
)

color_jitter = _augment(
    "ColorJitter",
    "Changes brightness, contrast and saturation of images at random while training.",
    params=(
        _amount("brightness", 0.2, "The largest change of all numbers, as a share."),
        _amount("contrast", 0.2, "The largest change of the distances from the image's mean, as a share."),
        _amount("saturation", 0.2, "The largest change of colors, as a share; for three channels."),
    ),
    module="color_jitter",
    summary=lambda p: ", ".join(f"{p[name]:g}" for name in ("brightness", "contrast", "saturation")),
    title="Color jitter",
    prefix="jitter",
    synonyms=("brightness", "contrast", "saturation", "photometric", "lighting"),
)


def _three_channels(x: tuple) -> dict[str, object]:
    if x[1] != 3:
        raise ValueError(f"expects 3 channels, red, green and blue; {x[1]} arrive")
    return {}


grayscale = _augment(
    "RandomGrayscale",
    "Takes the color of images at random while training.",
    params=(_chance(0.1, "How often an image becomes gray."),),
    infer=_three_channels,
    module="random_grayscale",
    summary=lambda p: _percent(p["p"]),
    title="Random grayscale",
    prefix="gray",
    synonyms=("gray", "greyscale", "black and white", "color"),
)

erasing = _augment(
    "RandomErasing",
    "Erases a rectangle of images at random while training.",
    params=(
        _chance(0.5, "How often an image loses a part."),
        _amount("smallest", 0.02, "The smallest part, as a share of the image."),
        _amount("largest", 0.33, "The largest part, as a share of the image."),
        Float(name="value", default=0.0, doc="What the part is filled with."),
    ),
    module="random_erasing",
    summary=lambda p: f"{_percent(p['p'])}, up to {_percent(p['largest'])}",
    title="Random erasing",
    prefix="erase",
    synonyms=("cutout", "occlusion", "erase", "hide"),
)


def _odd_window(x: tuple, kernel_size: int) -> dict[str, object]:
    if kernel_size % 2 == 0:
        raise ValueError(f"expects an odd kernel size, such as {kernel_size + 1}, so that it has a middle")
    if kernel_size // 2 >= min(x[2:]):
        raise ValueError(
            f"expects images of more than {kernel_size // 2} pixels, {x[2]}×{x[3]} arrive: choose a smaller "
            "kernel size"
        )
    return {}


blur = _augment(
    "GaussianBlur",
    "Blurs images at random while training.",
    params=(
        Int(name="kernel_size", default=5, min=1, max=63, doc="Pixels that the window reaches over; odd."),
        Float(name="sharpest", default=0.1, min=0.01, max=20, doc="The least deviation, in pixels."),
        Float(name="softest", default=2.0, min=0.01, max=20, doc="The largest deviation, in pixels."),
        _chance(0.5, "How often an image is blurred."),
    ),
    infer=_odd_window,
    init="{kernel_size}{rest}",
    module="gaussian_blur",
    fits=("kernel_size",),
    summary=lambda p: f"up to {p['softest']:g} px, {_percent(p['p'])}",
    title="Random blur",
    prefix="blur",
    synonyms=("gaussian blur", "smooth", "defocus"),
)

swap_noise = _augment(
    "SwapNoise",
    "Swaps some numbers of a table for those of other rows of the batch while training.",
    inputs=(Port("x", dtype="any"),),
    params=(_chance(0.15, "How often a number is swapped."),),
    module="swap_noise",
    summary=lambda p: _percent(p["p"]),
    title="Swap noise",
    prefix="swap",
    synonyms=("feature noise", "table", "tabular", "corrupt", "denoising"),
)

token_masking = _augment(
    "TokenMasking",
    "Hides some tokens of a text at random while training.",
    inputs=(Port("x", "N L", dtype="int"),),
    params=(
        Int(name="token", default=0, min=0, doc="The index that stands for a hidden token."),
        _chance(0.15, "How often a token is hidden."),
    ),
    init="{token}{rest}",
    module="token_masking",
    summary=lambda p: _percent(p["p"]),
    title="Token masking",
    prefix="mask",
    synonyms=("word dropout", "masked language model", "text"),
)

time_masking = _augment(
    "TimeMasking",
    "Hides a stretch of each sequence at random while training.",
    inputs=(Port("x", "N C L|N C H W"),),
    params=(Int(name="width", default=8, min=1, max=65536, doc="Steps that are hidden at most."),),
    init="{width}",
    module="time_masking",
    summary=lambda p: f"up to {p['width']} steps",
    title="Time masking",
    prefix="mask",
    synonyms=("specaugment", "audio", "spectrogram", "sequence"),
)

frequency_masking = _augment(
    "FrequencyMasking",
    "Hides a band of each spectrogram at random while training.",
    inputs=(Port("x", "N C H W|N C L"),),
    params=(Int(name="width", default=8, min=1, max=65536, doc="Rows that are hidden at most."),),
    init="{width}",
    module="frequency_masking",
    summary=lambda p: f"up to {p['width']} rows",
    title="Frequency masking",
    prefix="mask",
    synonyms=("specaugment", "audio", "spectrogram"),
)
