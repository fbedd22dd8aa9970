"""Images with masks: for every image a picture that says what each of its pixels belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.data.columns import shortened
from engine.data.folders import files_in, folder_name
from engine.data.images import ENDINGS, MODES, PICTURE, empty_images, open_image, read_image
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.table import folder_stamp
from engine.errors import DataError, shown
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Bool, Choice, Folder, Value

MOST = 256
"""Different colors in all masks; more look like photos, or like masks that a JPEG has blurred."""

IGNORED = -100
"""What the loss passes over."""

_SUFFIXES = ("", "_mask", "-mask", "_seg", "_label", "_labels", "_gt", "_labelIds")
_COLOR = 2**24
_GRAY = ("1", "L", "P", "I", "I;16", "LA", "PA")


def _mask(path: Path, size: int, fit: str) -> np.ndarray:
    """One mask (size, size): gray levels or places in the palette; colors from _COLOR on, as 0xRRGGBB."""
    from PIL import Image, ImageOps

    image = open_image(path)
    if image.mode in ("LA", "PA"):
        image = image.convert(image.mode[0])
    elif image.mode not in _GRAY:
        image = image.convert("RGB")
    near = Image.Resampling.NEAREST
    smaller = ImageOps.fit(image, (size, size), near) if fit == "crop" else image.resize((size, size), near)
    values = np.asarray(smaller).astype(np.int32)
    if values.ndim == 2:
        return values * (255 if image.mode == "1" else 1)
    return _COLOR + values @ np.array([65536, 256, 1], np.int32)


def _pairs(images: str, masks: str) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Every image with its mask, and what has no partner."""
    left, right = (Path(folder_stamp(folder)[0]) for folder in (images, masks))
    pictures = files_in(left, ENDINGS)
    by_name = {path.stem: path for path in files_in(right, ENDINGS)}
    if not pictures:
        raise DataError(f"{shown(left.name)} should hold images; it holds none.")
    pairs, alone = [], []
    for picture in pictures:
        mask = next((by_name[name] for end in _SUFFIXES if (name := picture.stem + end) in by_name), None)
        if mask is None or mask == picture:
            alone.append(f"{picture.name}: there is no mask of this name in {right.name}")
        else:
            pairs.append((picture, mask))
    if not pairs:
        raise DataError(
            f"No image of {shown(left.name)} has a mask of the same name in {shown(right.name)}:"
            f" {pictures[0].name} needs {pictures[0].stem}.png or {pictures[0].stem}_mask.png there."
        )
    return pairs, alone


@lru_cache(maxsize=2)
def _masks(
    images: tuple[str, int, int], masks: tuple[str, int, int], size: int, fit: str
) -> tuple[list[Path], np.ndarray, tuple[int, ...], list[str]]:
    """The images that have a mask, the masks (n, size, size), the different values, and the skipped."""
    pairs, skipped = _pairs(images[0], masks[0])
    values = np.empty((len(pairs), size, size), np.int32)
    kept: list[Path] = []
    found: set[int] = set()
    for picture, path in pairs:
        try:
            values[len(kept)] = _mask(path, size, fit)
        except (OSError, ValueError, SyntaxError, DataError) as error:
            skipped.append(f"{path.parent.name}/{path.name}: {error}")
            continue
        found.update(np.unique(values[len(kept)]).tolist())
        kept.append(picture)
        if len(found) > MOST:
            raise DataError(
                f"{path.parent.name}: the masks have more than {MOST} different colors, so they name no"
                " classes. Save them as PNG, or choose numbers."
            )
    if not kept:
        raise DataError(f"{Path(masks[0]).name}: none of {len(pairs)} masks can be read; {skipped[0]}.")
    return kept, values[: len(kept)], tuple(sorted(found)), skipped


def _classes(p: Mapping[str, Value]) -> tuple[list[Path], np.ndarray, tuple[int, ...], list[str]]:
    stamps = folder_stamp(p["images"]), folder_stamp(p["masks"])
    return _masks(*stamps, p["size"], p["fit"])


def _levels(p: Mapping[str, Value], found: tuple[int, ...]) -> tuple[int, ...]:
    """The values that are classes: all but the border, if it is left out and not the only other one."""
    left_out = 255 if p["border"] and len(found) > 2 else None
    return tuple(value for value in found if value != left_out)


def _names(levels: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"#{level - _COLOR:06x}" if level >= _COLOR else str(level) for level in levels)


def _load(p: Mapping[str, Value]) -> Dataset:
    mode, channels = MODES[p["colors"]]
    numbers = p["masks_are"] == "numbers"
    if numbers:
        pairs, skipped = _pairs(p["images"], p["masks"])
        files: list[tuple[Path, Path | int]] = list(pairs)
    else:
        pictures, masks, found, skipped = _classes(p)
        files = [(picture, place) for place, picture in enumerate(pictures)]
        levels = np.array(_levels(p, found))
    skipped = list(skipped)
    images = empty_images(len(files), channels, p["size"], folder_name(p["images"]))
    shape = (1, p["size"], p["size"]) if numbers else (p["size"], p["size"])
    answers = np.empty((len(files), *shape), np.float32 if numbers else np.int64)
    count = 0
    for picture, mask in files:
        try:
            images[count] = read_image(picture, mode, p["size"], p["fit"])
            if numbers:
                answers[count] = read_image(mask, "L", p["size"], p["fit"])
        except (OSError, ValueError, SyntaxError, DataError) as error:
            skipped.append(f"{picture.name}: {error}")
            continue
        if not numbers:
            place = np.searchsorted(levels, masks[mask]).clip(max=len(levels) - 1)
            answers[count] = np.where(levels[place] == masks[mask], place, IGNORED)
        count += 1
    if not count:
        raise DataError(f"{folder_name(p['images'])}: none of the images can be read; {skipped[0]}.")
    field = Field(answers[:count]) if numbers else Field(answers[:count], _names(tuple(levels.tolist())))
    return dataset(p, {"image": Field(images[:count]), "mask": field}, shortened(skipped))


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    size = p["size"]
    image = TensorType((BATCH, MODES[p["colors"]][1], size, size))
    if p["masks_are"] == "numbers":
        _pairs(p["images"], p["masks"])
        return image, TensorType((BATCH, 1, size, size))
    _, _, found, _ = _classes(p)
    return image, TensorType((BATCH, size, size), "int", len(_levels(p, found)))


image_masks = Source(
    "ImageMasks",
    doc="Images and, in another folder under the same names, masks that say what each pixel belongs to.",
    inputs=(),
    outputs=(
        Port("image", "N C H W"),
        Port("mask", "N H W|N C H W", dtype="any", doc="The class of each pixel, or a number from 0 to 1."),
    ),
    params=(
        Folder(name="images", default="", doc="The folder of the images."),
        Folder(
            name="masks", default="", doc="The folder of the masks: a.png or a_mask.png is that of a.jpg."
        ),
        *PICTURE,
        Choice(
            name="masks_are",
            default="classes",
            choices=("classes", "numbers"),
            doc="Every color of the masks is a class; or their brightness is a number from 0 to 1.",
        ),
        Bool(
            name="border",
            default=True,
            label="255 is a border",
            doc="Pixels of 255 belong to no class where there are more than two; the loss skips them.",
        ),
        *SPLIT,
    ),
    types=_types,
    load=_load,
    summary=lambda p: folder_name(p["images"]),
    title="Images with masks",
    prefix="images",
    synonyms=("segmentation", "masks", "u-net", "pixels", "folder", "own data"),
)
