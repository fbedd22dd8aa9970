"""Handwritten digits that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Int, Value

_NAMES = tuple(str(digit) for digit in range(10))


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Return images (n, h, w) as (n, size, size), bilinear between the pixels' centers."""
    rows, columns = (_weights(length, size) for length in images.shape[1:])
    return rows @ images @ columns.T


def _weights(length: int, size: int) -> np.ndarray:
    """The (size, length) matrix that interpolates: two weights in each row, which sum to 1."""
    at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(length)))


def _digits(p: Mapping[str, Value]) -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = resize(digits.images / 16, p["size"])[:, None].astype(np.float32)
    return dataset(p, {"image": Field(images), "label": Field(digits.target.astype(np.int64), _NAMES)})


digits = Source(
    "Digits",
    doc="1,797 handwritten digits, 8 × 8 pixels each, enlarged to the size that the network expects.",
    inputs=(),
    outputs=(Port("image", "N C H W"), Port("label", "N", dtype="int")),
    params=(
        Int(name="size", default=28, min=8, max=64, doc="Height and width in pixels; the originals have 8."),
        *SPLIT,
    ),
    types=lambda p: (TensorType((BATCH, 1, p["size"], p["size"])), TensorType((BATCH,), "int", 10)),
    load=_digits,
    summary=lambda p: f"1,797 images, {p['size']} × {p['size']}",
    prefix="images",
    synonyms=("mnist", "handwritten", "numbers", "images"),
)
