"""The strip of a node: what it sees now, prepared once for each snapshot and painted from an image."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from engine.layers.declaration import Layer
from engine.training.events import Activation
from gui import images
from gui.canvas import fonts
from gui.theme import Theme

MOST_MAPS = 14
"""Feature maps that a strip shows; more would be too small to see anything in."""
GAP = 2.0


@dataclass(frozen=True, slots=True)
class Strip:
    """One picture: cells of an image, bars with labels, a point in the plane, or a number."""

    image: QImage | None = None
    cells: tuple[QRectF, ...] = ()
    """The part of ``image`` that each cell shows."""
    columns: int = 1
    aspect: float = 1.0
    bars: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    point: tuple[float, float] | None = None
    reach: float = 1.0
    text: str = ""


def of_loss(value: float) -> Strip:
    """Return the strip of a loss: its value, large."""
    return Strip(text=f"{value:.3f}" if abs(value) < 100 else f"{value:.4g}")  # also "nan", as it is


def of_activation(activation: Activation, layer: Layer, low: float, high: float) -> Strip | None:
    """Return the strip of what a node gave; ``low`` and ``high`` are the ends of its colors."""
    maps = np.asarray(activation.maps)
    if maps.size == 0 or maps.ndim not in (1, 3):
        return None
    source = layer.role in ("data", "input")
    if maps.ndim == 3:
        return _maps(maps, "gray" if source else "magma", low, high)
    few = bool(activation.labels) or (source and maps.size == 2)
    if few and not np.isfinite(maps).all():
        return Strip(text="not a number")
    if activation.labels:
        return Strip(bars=tuple(float(v) for v in maps), labels=activation.labels)
    if source and maps.size == 2:
        reach = max(abs(low), abs(high), 1e-6)
        return Strip(point=(float(maps[0]), float(maps[1])), reach=reach)
    if maps.size == 1:
        return Strip(text=f"{float(maps[0]):.3g}".replace("-", "−"))
    return _block(maps, low, high)


def _maps(maps: np.ndarray, colormap: str, low: float, high: float) -> Strip:
    if colormap == "gray" and maps.shape[0] == 3:  # the three planes of one colored picture
        image = images.rgb_image(maps, low, high)
        return Strip(image, (QRectF(image.rect()),), 1, image.width() / image.height())
    count, height, width = maps.shape
    count = min(count, MOST_MAPS)
    image = images.to_image(maps[:count].reshape(count * height, width), low, high, colormap)
    cells = tuple(QRectF(0, n * height, width, height) for n in range(count))
    aspect = width / height
    columns = max(range(1, count + 1), key=lambda c: (_cell(120, 38, count, c, aspect), c))
    return Strip(image, cells, columns, aspect)


def _cell(width: float, height: float, count: int, columns: int, aspect: float) -> float:
    """Return the height of a cell when ``count`` of them fill an area in so many columns."""
    rows = ceil(count / columns)
    return min((width - GAP * (columns - 1)) / columns / aspect, (height - GAP * (rows - 1)) / rows)


def _block(values: np.ndarray, low: float, high: float) -> Strip:
    """A vector as rows of cells; the last row may end early, in the color of nothing."""
    rows = max(1, round(sqrt(values.size * 34 / 116)))
    columns = ceil(values.size / rows)
    padded = np.full(rows * columns, low, dtype=np.float32)
    padded[: values.size] = values
    image = images.to_image(padded.reshape(rows, columns), low, high, "magma")
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    for place in range(values.size, rows * columns):
        image.setPixel(place % columns, place // columns, 0)
    return Strip(image, (QRectF(0, 0, columns, rows),), 1, columns / rows)


def paint(painter: QPainter, rect: QRectF, strip: Strip, theme: Theme) -> None:
    """Paint a strip into the box that a node keeps for it."""
    if strip.image is not None:
        _paint_cells(painter, rect.adjusted(6, 4, -6, -4), strip)
    elif strip.bars:
        _paint_bars(painter, rect.adjusted(8, 5, -8, -3), strip, theme)
    elif strip.point is not None:
        _paint_point(painter, rect, strip, theme)
    else:
        painter.setFont(fonts.text(18, 600))
        painter.setPen(theme.color("text"))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, strip.text)


def _paint_cells(painter: QPainter, area: QRectF, strip: Strip) -> None:
    count, columns = len(strip.cells), strip.columns
    rows = ceil(count / columns)
    height = _cell(area.width(), area.height(), count, columns, strip.aspect)
    width = height * strip.aspect
    if count == 1 and width > area.width() * 0.6:  # a block of numbers may stretch to the full box
        width, height = area.width(), min(area.height(), height * 1.4)
    left = area.center().x() - (width * columns + GAP * (columns - 1)) / 2
    top = area.center().y() - (height * rows + GAP * (rows - 1)) / 2
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    for place, cell in enumerate(strip.cells):
        row, column = divmod(place, columns)
        target = QRectF(left + column * (width + GAP), top + row * (height + GAP), width, height)
        painter.drawImage(target, strip.image, cell)


def _paint_bars(painter: QPainter, area: QRectF, strip: Strip, theme: Theme) -> None:
    count = len(strip.bars)
    step = area.width() / count
    named = count <= 12 and all(len(label) <= 2 for label in strip.labels)
    if named:
        painter.setFont(fonts.text(8))
        painter.setPen(theme.color("muted"))
        for place, label in enumerate(strip.labels[:count]):
            spot = QRectF(area.left() + place * step, area.bottom() - 9, step, 9)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, label)
        area = area.adjusted(0, 0, 0, -10)
    top, bottom = max(*strip.bars, 0.0), min(*strip.bars, 0.0)
    span = max(top - bottom, 1e-9)
    zero = area.top() + area.height() * top / span
    best = max(range(count), key=strip.bars.__getitem__)
    painter.setPen(Qt.PenStyle.NoPen)
    for place, value in enumerate(strip.bars):
        height = value / span * area.height()
        bar = QRectF(area.left() + (place + 0.2) * step, zero - height, step * 0.6, height).normalized()
        bar.setHeight(max(bar.height(), 1.0))
        painter.setBrush(theme.color("accent" if place == best else "faint", 255 if place == best else 200))
        painter.drawRect(bar)


def _paint_point(painter: QPainter, rect: QRectF, strip: Strip, theme: Theme) -> None:
    side = rect.height() - 8
    box = QRectF(rect.left() + 8, rect.top() + 4, side, side)
    painter.setPen(QPen(theme.color("line"), 1))
    painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y()))
    painter.drawLine(QPointF(box.center().x(), box.top()), QPointF(box.center().x(), box.bottom()))
    x, y = (min(max(v / strip.reach, -1), 1) for v in strip.point)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("accent"))
    painter.drawEllipse(box.center() + QPointF(x * side / 2, -y * side / 2), 3.5, 3.5)
    painter.setFont(fonts.mono())
    painter.setPen(theme.color("muted"))
    words = rect.adjusted(side + 16, 0, -8, 0)
    text = "\n".join(f"{v:+.2f}".replace("-", "−") for v in strip.point)
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
