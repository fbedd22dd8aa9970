"""Images in folders, one folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.data.arrays import LARGEST
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.table import folder_stamp
from engine.errors import DataError, shown
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, Folder, Int, Param, Value

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
"""Of the files that are read; all others in a folder are passed over."""

MODES: dict[str, tuple[str, int]] = {"color": ("RGB", 3), "gray": ("L", 1)}
PICTURE: tuple[Param, ...] = (
    Int(name="size", default=64, min=4, max=1024, doc="Height and width in pixels that all are brought to."),
    Choice(name="colors", default="color", choices=tuple(MODES), doc="Three channels, or one."),
    Choice(
        name="fit",
        default="crop",
        choices=("crop", "stretch"),
        doc="How an image becomes square: its middle is cut out, or it is stretched.",
    ),
)
"""Parameters of every source that reads images."""

_MOST_PIXELS = 100_000_000


def read_images(folder: str, size: int, colors: str, fit: str) -> tuple[np.ndarray, np.ndarray, tuple, tuple]:
    """Return images (n, C, size, size) from 0 to 1, their classes by number, those' names, what was skipped.

    An image that cannot be read is skipped, with the reason. Raises DataError if the folder does not hold one
    folder of images for each class, if none can be read, or if all would not fit into memory.
    """
    files = _files(folder)
    classes = tuple(files)
    count = sum(len(each) for each in files.values())
    mode, channels = MODES[colors]
    if count * channels * size * size * 4 > LARGEST:
        raise DataError(
            f"{Path(folder).name}: {count:,} images of {size} × {size} pixels take more than"
            f" {LARGEST // 10**9} GB; choose a smaller size."
        )
    images = np.empty((count, channels, size, size), np.float32)
    labels, skipped, kept = [], [], 0
    for number, paths in enumerate(files.values()):
        for path in paths:
            try:
                images[kept] = read_image(path, mode, size, fit)
            except (OSError, ValueError, SyntaxError, DataError) as error:
                skipped.append(f"{path.parent.name}/{path.name}: {error}")
                continue
            labels.append(number)
            kept += 1
    if not kept:
        raise DataError(f"{Path(folder).name}: none of {count} images can be read; {skipped[0]}.")
    return images[:kept], np.array(labels, np.int64), classes, tuple(skipped)


def _files(folder: str) -> dict[str, list[Path]]:
    """The images of each class, both in the order of the alphabet."""
    top = Path(folder_stamp(folder)[0])
    found = {
        inner.name: images
        for inner in sorted(top.iterdir())
        if inner.is_dir() and not inner.name.startswith(".") and (images := _images(inner))
    }
    if not found:
        loose = len(_images(top))
        raise DataError(
            f"{shown(top.name)} should hold one folder of images for each class, such as cats and dogs;"
            f" it holds {f'{loose} images and no folder of images' if loose else 'none'}."
        )
    return found


def _images(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDINGS and each.is_file())


def read_image(path: Path | BinaryIO, mode: str, size: int, fit: str) -> np.ndarray:
    """Return one image (C, size, size) from 0 to 1; ``mode`` is one of MODES.

    Raises DataError, OSError, ValueError or SyntaxError where it is none.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise DataError(f"{image.width} × {image.height} pixels are too many")
            image.draft(mode, (2 * size, 2 * size))  # a JPEG is decoded at about the size that is wanted
            upright = ImageOps.exif_transpose(image).convert(mode)
    except Image.DecompressionBombError:
        raise DataError("it has too many pixels") from None
    smaller = ImageOps.fit(upright, (size, size)) if fit == "crop" else upright.resize((size, size))
    values = np.asarray(smaller, np.float32) / 255
    return values.transpose(2, 0, 1) if values.ndim == 3 else values[None]


def _load(p: Mapping[str, Value]) -> Dataset:
    images, labels, classes, skipped = read_images(p["folder"], p["size"], p["colors"], p["fit"])
    return dataset(p, {"image": Field(images), "label": Field(labels, classes)}, skipped)


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    channels = MODES[p["colors"]][1]
    classes = len(_files(p["folder"]))
    return TensorType((BATCH, channels, p["size"], p["size"])), TensorType((BATCH,), "int", classes)


def _summary(p: Mapping[str, Value]) -> str:
    name = str(p["folder"]).replace("\\", "/").rstrip("/").rpartition("/")[2]
    return name or "no folder chosen"


image_folder = Source(
    "ImageFolder",
    doc="Your own images: a folder that holds one folder of images for each class.",
    inputs=(),
    outputs=(Port("image", "N C H W"), Port("label", "N", dtype="int")),
    params=(
        Folder(name="folder", default="", doc="It holds one folder for each class, such as cats and dogs."),
        *PICTURE,
        *SPLIT,
    ),
    types=_types,
    load=_load,
    summary=_summary,
    title="Image folder",
    prefix="images",
    synonyms=("images", "pictures", "photos", "folder", "classes", "own data", "jpeg", "png"),
)
