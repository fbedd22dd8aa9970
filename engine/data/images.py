"""Images in folders, one folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from engine.data.arrays import LARGEST
from engine.data.file_blocks import stream_files
from engine.data.folders import class_files, folder_name, read_classes
from engine.data.scan import READING, streams
from engine.data.source import SCALING, SPLIT, Dataset, Field, Source, dataset
from engine.data.stream import Stream
from engine.errors import DataError
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, Folder, Int, Param, Value

if TYPE_CHECKING:
    from PIL import Image

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
    mode, channels = MODES[colors]
    images = empty_images(sum(map(len, files.values())), channels, size, Path(folder).name)
    images, labels, skipped = read_classes(
        files, images, lambda path: read_image(path, mode, size, fit), "images"
    )
    return images, labels, tuple(files), skipped


def empty_images(count: int, channels: int, size: int, name: str) -> np.ndarray:
    """Return an array for so many images; raises DataError if they would not fit into memory."""
    if count * channels * size * size * 4 > LARGEST:
        raise DataError(
            f"{name}: {count:,} images of {size} × {size} pixels take more than"
            f" {LARGEST // 10**9} GB; choose a smaller size."
        )
    return np.empty((count, channels, size, size), np.float32)


def _files(folder: str) -> dict[str, list[Path]]:
    return class_files(folder, ENDINGS, "images", "cats and dogs")


def read_image(path: Path | BinaryIO, mode: str, size: int, fit: str) -> np.ndarray:
    """Return one image (C, size, size) from 0 to 1; ``mode`` is one of MODES.

    Raises DataError, OSError, ValueError or SyntaxError where it is none.
    """
    from PIL import ImageOps

    upright = open_image(path, mode, size)
    smaller = ImageOps.fit(upright, (size, size)) if fit == "crop" else upright.resize((size, size))
    values = np.asarray(smaller, np.float32) / 255
    return values.transpose(2, 0, 1) if values.ndim == 3 else values[None]


def open_image(path: Path | BinaryIO, mode: str = "", size: int = 0) -> Image.Image:
    """Return an image upright, in a mode of Pillow (its own if empty).

    Of a large one, not much more than ``size`` pixels of height and width may be there, 0 for all of them.
    Raises DataError for too many pixels, and what Pillow raises.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise DataError(f"{image.width} × {image.height} pixels are too many")
            if size:
                image.draft(mode, (2 * size, 2 * size))  # a JPEG is decoded at about the size that is wanted
            upright = ImageOps.exif_transpose(image)
            return upright.convert(mode) if mode else upright
    except UnidentifiedImageError:
        raise DataError("it is no image that can be read") from None
    except Image.DecompressionBombError:
        raise DataError("it has too many pixels") from None


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image as it stands upright, without decoding it."""
    from PIL import ExifTags, Image

    with Image.open(path) as image:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (image.height, image.width) if turned else image.size


def _load(p: Mapping[str, Value]) -> Dataset | Stream:
    files, (mode, channels) = _files(p["folder"]), MODES[p["colors"]]
    if streams(p, 4 * channels * p["size"] ** 2 * sum(map(len, files.values()))):
        return stream_files(
            p, files, ("image", "label"), lambda path: read_image(path, mode, p["size"], p["fit"]), image_size
        )
    images, labels, classes, skipped = read_images(p["folder"], p["size"], p["colors"], p["fit"])
    return dataset(p, {"image": Field(images), "label": Field(labels, classes)}, skipped, scaled=("image",))


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    channels = MODES[p["colors"]][1]
    classes = len(_files(p["folder"]))
    return TensorType((BATCH, channels, p["size"], p["size"])), TensorType((BATCH,), "int", classes)


image_folder = Source(
    "ImageFolder",
    doc="Your own images: a folder that holds one folder of images for each class.",
    inputs=(),
    outputs=(Port("image", "N C H W"), Port("label", "N", dtype="int")),
    params=(
        Folder(
            name="folder",
            default="",
            patterns=tuple(f"*{ending}" for ending in ENDINGS),
            doc="It holds one folder for each class, such as cats and dogs.",
        ),
        *PICTURE,
        READING,
        SCALING,
        *SPLIT,
    ),
    types=_types,
    load=_load,
    summary=lambda p: folder_name(p["folder"]),
    title="Image folder",
    prefix="images",
    synonyms=("images", "pictures", "photos", "folder", "classes", "own data", "jpeg", "png"),
)
