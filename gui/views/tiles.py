"""Samples as tiles: any input of the probe batch as a row of small pictures, and a place for each."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from gui.images import colorize, rgb_words, words_image

LABEL = 18
"""Height of the words under a tile."""


def as_images(values: np.ndarray) -> np.ndarray | None:
    """Return (n, channels, h, w) or (n, h, w) values as (n, channels, h, w), or None where they are none."""
    values = np.asarray(values)
    if values.ndim == 4:
        return values
    return values[:, None] if values.ndim == 3 and min(values.shape[1:]) > 1 else None


def tile_words(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return (n, channels, h, w) pictures as (n, h, w) words 0xAARRGGBB; three channels are a color."""
    values = np.asarray(values, np.float32)
    if values.shape[1] == 3:
        shares = np.nan_to_num((np.clip(values, low, high) - low) / ((high - low) or 1))
        return rgb_words(np.moveaxis(shares * 255, 1, -1))
    return colorize(values.mean(1), low, high, "gray")


def vector_words(values: np.ndarray) -> np.ndarray:
    """Return (n, d) vectors as (n, h, w) words: a block of cells, each feature on its own scale."""
    values = np.asarray(values, np.float32).reshape(len(values), -1)
    low, high = np.nanmin(values, 0), np.nanmax(values, 0)
    shares = (values - low) / np.where(high > low, high - low, 1)
    columns = ceil(sqrt(values.shape[1]))
    rows = ceil(values.shape[1] / columns)
    block = np.zeros((len(values), rows * columns), np.float32)
    block[:, : values.shape[1]] = shares
    return colorize(block.reshape(-1, rows, columns), 0, 1, "magma")


def row_image(words: np.ndarray) -> QImage:
    """Return (n, h, w) words as one image of n pictures side by side."""
    count, height, width = words.shape
    return words_image(words.transpose(1, 0, 2).reshape(height, count * width))


@dataclass(frozen=True)
class Tiles:
    """Tiles with words below: ``size`` (width, height) of a picture, ``pitch`` from one to the next."""

    left: float
    top: float
    columns: int
    count: int
    size: tuple[float, float]
    pitch: tuple[float, float]

    def tile(self, index: int) -> QRectF:
        """Return the place of a picture."""
        row, column = divmod(index, self.columns)
        return QRectF(self.left + column * self.pitch[0], self.top + row * self.pitch[1], *self.size)

    def label(self, index: int) -> QRectF:
        """Return the place of the words below a picture; it may be wider than the picture."""
        tile = self.tile(index)
        spare = self.pitch[0] - self.size[0] - 2
        return QRectF(tile.left() - spare / 2, tile.bottom() + 3, tile.width() + spare, LABEL - 3)

    def at(self, x: float, y: float) -> int | None:
        """Return the tile at a point, with its words, or None."""
        for index in range(self.count):
            tile = self.tile(index)
            if tile.adjusted(0, 0, 0, LABEL).contains(x, y):
                return index
        return None


def fit_tiles(
    area: QRectF,
    count: int,
    aspect: float,
    words: float,
    stack: int = 1,
    most: float = 60,
    least: float = 26,
    rows: int = 0,
) -> Tiles:
    """Return the largest tiles that hold ``count`` pictures, or as many of the first as fit.

    ``aspect`` is height by width, ``words`` the room that the words below need, ``stack`` how many pictures
    stand on top of each other, ``rows`` a fixed number of rows.
    """
    label = LABEL if words else 4
    gap = 8.0
    side = most
    while True:
        width = side / max(1.0, aspect)
        height = width * aspect * stack + (2 * (stack - 1))
        pitch = (max(width + gap, min(words + gap, 96)), height + label + (6 if words else 4))
        columns = max(1, int((area.width() + gap) // pitch[0]))
        room = rows or max(1, int((area.height() + 6) // pitch[1]))
        if columns * room >= count or side <= least:
            break
        side -= 1
    if rows:  # a strip is as high as there is room
        side = min(most, max(16.0, area.height() - label))
        width = side / max(1.0, aspect)
        height = width * aspect
        pitch = (max(width + 6, min(words + 6, 72)), height + label)
        columns, room = max(1, int((area.width() + 6) // pitch[0])), rows
        if columns < count and not words > width:
            pitch = ((area.width() - width) / max(1, columns - 1), pitch[1])
    left = area.left() + max(0.0, (pitch[0] - width - gap) / 2)
    return Tiles(left, area.top(), columns, min(count, columns * room), (width, height), pitch)
