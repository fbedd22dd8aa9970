"""Numbers as pictures: one pixel per number, through a color map."""

from __future__ import annotations

from functools import cache
from math import ceil

import numpy as np
from PySide6.QtGui import QColor, QImage

from gui.theme import DARK, Theme

COLORMAPS = ("magma", "signed", "gray")
NAN = "#3DDC84"
"""Not a number: a green that no map holds."""

_LEVELS = 255  # an odd number, so that "signed" has an exact middle; entry 255 of every table is NaN
_BLUE = {"dark": "#4C9DFF", "light": "#1D6FE8"}
_AMBER = {"dark": "#F0A63A", "light": "#DD8500"}


def rgb_words(rgb: np.ndarray) -> np.ndarray:
    """Pack (..., 3) numbers from 0 to 255 into opaque 0xAARRGGBB words."""
    r, g, b = np.moveaxis(np.rint(rgb).astype(np.uint32), -1, 0)
    return np.uint32(0xFF000000) | (r << np.uint32(16)) | (g << np.uint32(8)) | b


def _rgb(color: str) -> tuple[int, int, int]:
    value = QColor(color)
    return value.red(), value.green(), value.blue()


def _stops(name: str, theme: Theme) -> np.ndarray:
    if name == "magma":
        import pyqtgraph  # heavy, and the window may not need it yet; the map itself is CC0

        return pyqtgraph.colormap.get("magma").getLookupTable(nPts=_LEVELS)[:, :3].astype(float)
    if name == "signed":
        return np.array([_rgb(_BLUE[theme.name]), _rgb(theme.panel), _rgb(_AMBER[theme.name])], float)
    if name == "gray":
        return np.array([(0, 0, 0), (255, 255, 255)], float)
    raise ValueError(f"There is no color map {name!r}; there are {', '.join(COLORMAPS)}.")


@cache
def lut(name: str, theme: Theme | None = None) -> np.ndarray:
    """Return a color map as a read-only table of 256 words 0xAARRGGBB.

    Entries 0 to 254 run from low to high, entry 255 is the color of NaN. ``theme`` gives "signed" its middle
    (the panel's color); "magma" and "gray" are the same in both. Raises ValueError for an unknown name.
    """
    stops = _stops(name, theme or DARK)
    at = np.linspace(0, len(stops) - 1, _LEVELS)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    table = np.append(rgb_words(np.stack(channels, -1)), rgb_words(np.array(_rgb(NAN)))).astype(np.uint32)
    table.flags.writeable = False
    return table


def colorize(
    values: np.ndarray, low: float, high: float, colormap: str = "magma", theme: Theme | None = None
) -> np.ndarray:
    """Return the 0xAARRGGBB words of numbers of any shape.

    Numbers outside ``low`` to ``high`` take the color of the nearer end. "signed" is symmetric around 0: its
    range is the larger of |low| and |high| to either side. A range of no width gives the lowest color, or the
    middle one of "signed".
    """
    values = np.asarray(values, np.float32)
    if colormap == "signed":
        high = max(abs(low), abs(high))
        low = -high
    nan = np.isnan(values)
    if high > low:
        # clip before scaling: an infinite number must not become infinity times zero
        level = (np.clip(values, low, high) - np.float32(low)) * np.float32((_LEVELS - 1) / (high - low))
    else:
        level = np.full(values.shape, (_LEVELS - 1) // 2 if colormap == "signed" else 0, np.float32)
    level[nan] = _LEVELS
    return lut(colormap, theme if colormap == "signed" else None)[(level + 0.5).astype(np.uint8)]


def words_image(words: np.ndarray, opaque: bool = True) -> QImage:
    """Copy (h, w) words into an image."""
    words = np.ascontiguousarray(words)
    height, width = words.shape
    form = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32_Premultiplied
    return QImage(words.data, width, height, 4 * width, form).copy()


def to_image(
    values: np.ndarray, low: float, high: float, colormap: str = "magma", theme: Theme | None = None
) -> QImage:
    """Return (h, w) numbers as an image of w x h pixels that owns its memory.

    ``colormap`` is "magma", "gray" or "signed" (see ``colorize``); NaN is green.
    """
    return words_image(colorize(np.atleast_2d(values), low, high, colormap, theme))


def rgb_image(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> QImage:
    """Return a (channels, h, w) or (h, w) picture as an image of w x h pixels that owns its memory.

    Three channels are red, green and blue, any other number is shown as the gray of their mean.
    """
    values = np.asarray(values, np.float32)
    if values.ndim == 3 and values.shape[0] == 3:
        span = high - low if high > low else 1.0
        shares = np.nan_to_num((np.clip(values, low, high) - low) / span)
        return words_image(rgb_words(np.moveaxis(shares * 255, 0, -1)))
    return to_image(values.mean(0) if values.ndim == 3 else values, low, high, "gray")


def mosaic(
    maps: np.ndarray,
    columns: int,
    low: float,
    high: float,
    colormap: str = "magma",
    gap: int = 1,
    background: str | None = None,
    theme: Theme | None = None,
) -> QImage:
    """Return (k, h, w) maps as one image, ``columns`` to a row, ``gap`` pixels apart.

    ``background`` (``#rrggbb``) fills the gaps and the cells without a map; None leaves them transparent.
    """
    count, height, width = maps.shape
    rows = max(1, ceil(count / columns))
    empty = 0 if background is None else int(rgb_words(np.array(_rgb(background))))
    cells = np.full((rows * columns, height, width), empty, np.uint32)
    cells[:count] = colorize(maps, low, high, colormap, theme)
    words = np.full((rows, height + gap, columns, width + gap), empty, np.uint32)
    words[:, :height, :, :width] = cells.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    words = words.reshape(rows * (height + gap), columns * (width + gap))
    return words_image(
        words[: rows * (height + gap) - gap, : columns * (width + gap) - gap], background is not None
    )
