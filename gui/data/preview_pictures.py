"""Rows of a batch as pictures: images, points in the plane, curves; each before and after augmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.bench import Bench
from gui.data.preview_look import Look, is_image
from gui.images import rgb_words, words_image
from gui.theme import CLASSES
from gui.views.base import UNDRAWN
from gui.views.regions import class_color
from gui.views.text import Part, draw_note, draw_parts, font, metrics, short
from gui.views.tiles import Tiles, as_images, fit_tiles, tile_words

_STACKED = 24
"""Samples that are shown where each has several pictures: larger ones tell more."""

_CURVE = 400
"""Points of a curve, at most."""


class Pictures(QWidget):
    """A batch as pictures. What augmentation makes of a sample stands below it."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self.look: Look | None = None
        self.images: list[list[QImage]] = []
        """Of each row of pictures, one for each sample."""
        self.labels: list[str] = []
        self._tiles: Tiles | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        bench.theme_changed.connect(lambda _: self.update())

    def show_look(self, look: Look) -> None:
        """Show other rows."""
        self.look, self._tiles = look, None
        self.labels = [look.label(row) for row in range(look.count)]
        self.images = _images(look) if look.kind == "images" else []
        names = ", ".join(filter(None, self.labels[:24]))
        self.setAccessibleName(f"{look.count} samples" + (f": {names}" if names else ""))
        self.update()

    @property
    def shown(self) -> int:
        """How many samples there was room for when it was painted last."""
        return self._tiles.count if self._tiles else 0

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            if self.look is not None and self.look.count:
                _DRAW[self.look.kind](self, painter, QRectF(self.rect()).adjusted(14, 4, -14, -6))
        except Exception:  # an exception that leaves paintEvent can end the process
            draw_note(painter, QRectF(self.rect()), UNDRAWN, self.bench.theme, "error")
        finally:
            painter.end()

    def _draw_images(self, painter: QPainter, area: QRectF) -> None:
        stack = len(self.images)
        first = self.images[0][0]
        aspect = min(max(first.height() / first.width(), 0.25), 4.0)
        words = max((metrics().horizontalAdvance(label) for label in self.labels), default=0.0)
        count = len(self.labels) if stack == 1 else min(len(self.labels), _STACKED)
        tiles = fit_tiles(area, count, aspect, min(words, 90), stack, most=112, least=34)
        fitting = tiles.columns * max(1, int((area.height() + 6) // tiles.pitch[1]))
        self._tiles = tiles = replace(tiles, count=min(len(self.labels), fitting))
        high = (tiles.size[1] - 2 * (stack - 1)) / stack
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, first.width() > tiles.size[0])
        for index in range(tiles.count):
            place = tiles.tile(index)
            for layer, images in enumerate(self.images):
                top = place.top() + layer * (high + 2)
                painter.drawImage(QRectF(place.left(), top, place.width(), high), images[index])
            self._draw_boxes(painter, QRectF(place.left(), place.top(), place.width(), high), index)
        self._draw_labels(painter, tiles)

    def _draw_boxes(self, painter: QPainter, place: QRectF, index: int) -> None:
        """Draw the boxes of a sample over its picture as it was loaded, each in the color of its class."""
        boxes, classes, width, height = _boxes(self.look, index)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for (left, top, right, bottom), kind in zip(boxes.tolist(), classes, strict=True):
            painter.setPen(QPen(QColor(class_color(kind)), 1.5))
            across, down = place.width() / width, place.height() / height
            painter.drawRect(QRectF(place.left() + left * across, place.top() + top * down,
                                    (right - left) * across, (bottom - top) * down))  # fmt: skip

    def _draw_labels(self, painter: QPainter, tiles: Tiles) -> None:
        painter.setFont(font())
        painter.setPen(self.bench.theme.color("muted"))
        for index in range(tiles.count):
            box = tiles.label(index)
            words = metrics().elidedText(self.labels[index], Qt.TextElideMode.ElideRight, box.width() + 1)
            painter.drawText(box.adjusted(-2, 0, 2, 0), Qt.AlignmentFlag.AlignCenter, words)

    def _draw_points(self, painter: QPainter, area: QRectF) -> None:
        look, theme = self.look, self.bench.theme
        before = look.rows[look.first]
        both = [("", before), *([("augmented", look.after[look.first])] if look.after else [])]
        every = np.concatenate([values for _, values in both])
        every = every[np.isfinite(every).all(1)]
        low, high = every.min(0), every.max(0)
        span = np.where(high > low, high - low, 1.0)
        colors = [theme.color(each, 225) for each in _classes(look)]
        side = min(area.height() - 18, (area.width() - 16 * (len(both) - 1)) / len(both))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, (name, values) in enumerate(both):
            box = QRectF(area.left() + place * (side + 16), area.top(), side, side)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("field"))
            painter.drawRoundedRect(box, 8, 8)
            inner = box.adjusted(10, 10, -10, -10)
            for (u, v), color in zip((values - low) / span, colors, strict=True):
                if np.isfinite(u) and np.isfinite(v):
                    painter.setBrush(color)
                    at = QPointF(inner.left() + u * inner.width(), inner.bottom() - v * inner.height())
                    painter.drawEllipse(at, 3, 3)
            under = QRectF(box.left(), box.bottom() + 2, side, 16)
            draw_parts(painter, under, [Part(name or "as loaded")], theme)

    def _draw_curves(self, painter: QPainter, area: QRectF) -> None:
        look, theme = self.look, self.bench.theme
        columns = max(1, int(area.width() // 210))
        rows = max(1, int((area.height() + 6) // 62))
        width = (area.width() - 12 * (columns - 1)) / columns
        height = max(40.0, (area.height() - 6 * (rows - 1)) / rows)
        count = min(columns * rows, look.count)
        self._tiles = Tiles(
            area.left(), area.top(), columns, count, (width, height - 18), (width + 12, height + 6)
        )
        before = look.rows[look.first][:count].reshape(count, -1, look.rows[look.first].shape[-1])[:, 0]
        after = look.after.get(look.first)
        lines = [(before, "wire" if after is not None else "accent")]
        if after is not None:
            lines.append((after[:count].reshape(count, -1, after.shape[-1])[:, 0], "accent"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in range(count):
            box = self._tiles.tile(index)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("field"))
            painter.drawRoundedRect(box, 5, 5)
            every = np.concatenate([values[index] for values, _ in lines])
            low, high = float(np.nanmin(every)), float(np.nanmax(every))
            for values, tone in lines:
                painter.setPen(QPen(theme.color(tone), 1))  # a wider one takes a hundred times as long
                painter.drawPolyline(_curve(values[index], box.adjusted(4, 4, -4, -4), low, high))
        self._draw_labels(painter, self._tiles)

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent) and self._tiles is not None and self.look is not None:
            index = self._tiles.at(event.pos().x(), event.pos().y())
            if index is not None:
                QToolTip.showText(event.globalPos(), self.told(index), self)
                return True
        return super().event(event)

    def told(self, index: int) -> str:
        """Return what is known of a sample: its place, its label, its values."""
        look = self.look
        values = look.rows[look.first][index]
        where = "" if look.places is None else f"row {int(look.places[index]):,} · "
        range_ = f"{short(float(np.min(values)))} to {short(float(np.max(values)))}"
        shape = "×".join(map(str, values.shape))
        return "\n".join(filter(None, [self.labels[index], f"{where}{shape} · {range_}"]))


_DRAW: dict[str, Callable[[Pictures, QPainter, QRectF], None]] = {
    "images": Pictures._draw_images,
    "points": Pictures._draw_points,
    "curves": Pictures._draw_curves,
}


def _images(look: Look) -> list[list[QImage]]:
    """Every field that is a picture, each followed by what augmentation makes of it."""
    rows: list[list[QImage]] = []
    for name, values in look.rows.items():
        if not is_image(values) or name == look.boxes:
            continue
        if look.data.fields[name].classes:
            rows += [_regions(each[name]) for each in (look.rows, look.after) if name in each]
            continue
        pictures = as_images(values)
        finite = pictures[np.isfinite(pictures)]
        low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        for each in (look.rows, look.after):
            if name in each:
                words = tile_words(as_images(each[name]), low, high)
                rows.append([words_image(word) for word in words])
    return rows


def _boxes(look: Look, index: int) -> tuple[np.ndarray, list[int], float, float]:
    """The boxes (k, 4) of a sample, their classes, and the width and height that they are measured in."""
    name = look.boxes
    if not name:
        return np.zeros((0, 4)), [], 1.0, 1.0
    boxes = look.rows[name][index]
    height, width = look.rows[look.first].shape[-2:]
    if float(look.rows[name].max(initial=0)) <= 1:  # shares of the sides
        height = width = 1
    good = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    kinds = look.rows[look.kinds][index][good].tolist() if look.kinds else [0] * int(good.sum())
    return boxes[good], kinds, float(width), float(height)


def _regions(values: np.ndarray) -> list[QImage]:
    """Masks: a color for each class, the first one dark."""
    colors = np.array([[20, 22, 27], *([int(each[i : i + 2], 16) for i in (1, 3, 5)] for each in CLASSES)])
    flat = values.reshape(len(values), *values.shape[-2:]).astype(np.int64)
    shown = np.where(flat > 0, 1 + (flat - 1) % len(CLASSES), 0)
    return [words_image(rgb_words(colors[each])) for each in shown]


def _classes(look: Look) -> list[str]:
    """The color of each sample's class, of the last field that has some."""
    for name in reversed(look.rows):
        values = look.rows[name]
        if values.ndim == 1 and values.dtype.kind in "iub":
            return [class_color(int(each)) for each in values]
    return ["accent"] * look.count


def _curve(values: np.ndarray, box: QRectF, low: float, high: float) -> QPolygonF:
    """The line of a row of numbers; of many it goes through the lowest and highest of each stretch."""
    step = max(1, 2 * len(values) // _CURVE)
    if step > 1:
        parts = values[: len(values) // step * step].reshape(-1, step)
        values = np.stack([parts.min(1), parts.max(1)], 1).ravel()
    span = (high - low) or 1.0
    across = box.width() / max(1, len(values) - 1)
    ys = box.bottom() - (np.nan_to_num(values, nan=low) - low) / span * box.height()
    return QPolygonF([QPointF(box.left() + place * across, float(y)) for place, y in enumerate(ys)])
