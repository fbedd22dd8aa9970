"""Images with boxes, as the data set COCO writes them: one JSON file beside a folder of images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.columns import shortened
from engine.data.folders import folder_name
from engine.data.images import MODES, PICTURE, empty_images, image_size, read_image
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.table import LARGEST, file_stamp, folder_stamp
from engine.errors import DataError, shown
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, File, Folder, Int, Value

NOTHING = -1
"""The label where an image has fewer boxes than there is room for."""

_HEAD = 1_000_000
_SHAPE = '{"images": [...], "annotations": [...], "categories": [...]}'


@dataclass(frozen=True)
class _Picture:
    """An image and its boxes: (k, 4) left, top, width and height in its own pixels, and their labels."""

    name: str
    boxes: np.ndarray
    labels: np.ndarray


@lru_cache(maxsize=2)
def _read(stamp: tuple[str, int, int]) -> tuple[tuple[_Picture, ...], tuple[str, ...], tuple[str, ...]]:
    """The images, the classes' names, and what was skipped."""
    path = Path(stamp[0])
    if stamp[2] > LARGEST:
        raise DataError(f"{path.name} has {stamp[2]:,} bytes; at most {LARGEST:,} are read.")
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON: {error}.") from None
    wanted = ("images", "annotations", "categories")
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in wanted):
        has = f"it has {', '.join(map(shown, list(data)[:6])) or 'nothing'}" if isinstance(data, dict) else ""
        raise DataError(f"{path.name} is no file of COCO boxes: expected {_SHAPE}; {has or 'a list came'}.")
    try:
        named = {each["id"]: str(each["name"]) for each in data["categories"]}
        names = {each["id"]: str(each["file_name"]) for each in data["images"]}
    except (TypeError, KeyError) as error:
        raise DataError(f"{path.name}: an image or a category lacks {error}.") from None
    if not named or not names:
        raise DataError(f"{path.name} lists no {'images' if named else 'categories'}.")
    place = {id: number for number, id in enumerate(sorted(named))}
    found: dict[Any, list[tuple[Any, int]]] = {id: [] for id in names}
    skipped: list[str] = []
    for number, each in enumerate(data["annotations"], 1):
        reason = _refuse(each, found, place)
        if reason:
            skipped.append(
                f"Annotation {each.get('id', number) if isinstance(each, dict) else number}: {reason}"
            )
        elif not each.get("iscrowd"):
            found[each["image_id"]].append((each["bbox"], place[each["category_id"]]))
    pictures = tuple(
        _Picture(
            names[id],
            np.array([box for box, _ in boxes], np.float64).reshape(-1, 4),
            np.array([label for _, label in boxes], np.int64),
        )
        for id, boxes in found.items()
    )
    return pictures, tuple(named[id] for id in place), tuple(skipped)


def _refuse(each: Any, images: Mapping[Any, Any], categories: Mapping[Any, Any]) -> str:
    """Why an annotation cannot be used, or an empty text."""
    if not isinstance(each, dict):
        return f"expected an object, {shown(each)} came."
    for key, known in (("image_id", images), ("category_id", categories)):
        id = each.get(key)
        if not isinstance(id, int | str) or id not in known:
            return f"its {key} {shown(id)} is not in the file."
    box = each.get("bbox")
    good = isinstance(box, list) and len(box) == 4 and all(isinstance(n, int | float) for n in box)
    if not good or not np.isfinite(box).all() or min(box[2:]) <= 0:
        return f"its bbox should be left, top, width, height; {shown(box)} came."
    return ""


def fitted(boxes: np.ndarray, width: int, height: int, size: int, fit: str) -> np.ndarray:
    """Return boxes (k, 4) left, top, width, height of an image as left, top, right, bottom in its square.

    They are in pixels of the square and cut off at its border; what lies outside becomes empty.
    """
    side = min(width, height)
    left, top, wide, high = (
        ((width - side) / 2, (height - side) / 2, side, side) if fit == "crop" else (0, 0, width, height)
    )
    low = (boxes[:, :2] - (left, top)) / (wide, high)
    high_ = (boxes[:, :2] + boxes[:, 2:] - (left, top)) / (wide, high)
    return np.clip(np.concatenate([low, high_], 1), 0, 1) * size


def _of_one(
    picture: _Picture, size: tuple[int, int], p: Mapping[str, Value]
) -> tuple[np.ndarray, np.ndarray, int]:
    """The boxes and labels of an image, the largest first and filled up, and how many had no room."""
    boxes = fitted(picture.boxes, *size, p["size"], p["fit"])
    sides = boxes[:, 2:] - boxes[:, :2]
    good = np.flatnonzero((sides >= 1).all(1))  # what is smaller than a pixel cannot be seen
    order = good[np.argsort(-sides[good].prod(1), kind="stable")]
    kept = order[: p["most"]]
    values, labels = np.zeros((p["most"], 4), np.float32), np.full(p["most"], NOTHING, np.int64)
    values[: len(kept)], labels[: len(kept)] = boxes[kept], picture.labels[kept]
    return values / (p["size"] if p["units"] == "shares" else 1), labels, len(order) - len(kept)


def _load(p: Mapping[str, Value]) -> Dataset:
    stamp = file_stamp(p["path"])
    pictures, classes, reasons = _read(stamp)
    folder = Path(folder_stamp(p["folder"] or str(Path(stamp[0]).parent))[0])
    mode, channels = MODES[p["colors"]]
    images = empty_images(len(pictures), channels, p["size"], Path(stamp[0]).name)
    boxes = np.empty((len(pictures), p["most"], 4), np.float32)
    labels = np.empty((len(pictures), p["most"]), np.int64)
    skipped, count = list(reasons), 0
    for picture in pictures:
        path = (folder / picture.name).resolve()
        try:
            if folder.resolve() not in path.parents:
                raise DataError(f"it lies outside of {folder.name}")
            images[count] = read_image(path, mode, p["size"], p["fit"])
            boxes[count], labels[count], left = _of_one(picture, image_size(path), p)
        except FileNotFoundError:
            skipped.append(f"{picture.name}: there is no such image in {folder.name}")
            continue
        except (OSError, ValueError, SyntaxError, DataError) as error:
            skipped.append(f"{picture.name}: {error}")
            continue
        if left:
            skipped.append(f"{picture.name}: its {left} smallest boxes have no room")
        count += 1
    if not count:
        raise DataError(f"{Path(stamp[0]).name}: none of {len(pictures)} images can be read; {skipped[0]}.")
    fields = {
        "image": Field(images[:count]),
        "boxes": Field(boxes[:count]),
        "labels": Field(labels[:count], classes),
    }
    return dataset(p, fields, shortened(skipped))


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    _, classes, _ = _read(file_stamp(p["path"]))
    return (
        TensorType((BATCH, MODES[p["colors"]][1], p["size"], p["size"])),
        TensorType((BATCH, p["most"], 4)),
        TensorType((BATCH, p["most"]), "int", len(classes)),
    )


def _names_boxes(path: Path) -> bool:
    """Whether a JSON file begins as one of boxes does."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head.lstrip()[:1] == b"{" and (b'"images"' in head or b'"annotations"' in head)


coco = Source(
    "COCO",
    doc="Images with boxes around things, and what each is: a JSON file in the layout of COCO.",
    inputs=(),
    outputs=(
        Port("image", "N C H W"),
        Port("boxes", "N K D", doc="Left, top, right and bottom of each box; zeros where there is none."),
        Port("labels", "N K", dtype="int", doc="The class of each box; -1 where there is none."),
    ),
    params=(
        File(
            name="path",
            default="",
            patterns=("*.json",),
            label="File",
            doc="images, annotations, categories.",
        ),
        Folder(name="folder", default="", doc="Where the images lie; empty: beside the file."),
        *PICTURE,
        Int(name="most", default=20, min=1, max=1000, label="Boxes", doc="Room for so many in every image."),
        Choice(
            name="units",
            default="pixels",
            choices=("pixels", "shares"),
            doc="Of the boxes: pixels of the image as the network sees it, or shares of its sides.",
        ),
        *SPLIT,
    ),
    types=_types,
    load=_load,
    looks=_names_boxes,
    summary=lambda p: folder_name(p["path"], "no file chosen"),
    title="Images with boxes",
    prefix="images",
    synonyms=("coco", "detection", "boxes", "bounding boxes", "objects", "own data"),
)
