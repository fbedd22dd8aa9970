"""Where in the plane the network answers what, under the data."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from engine.training.events import Regions, Snapshot
from gui.bench import Bench
from gui.images import rgb_words, words_image
from gui.theme import CLASSES, Theme
from gui.views.base import PaintedView
from gui.views.text import Part, draw_parts, font, heading, metrics, short

_FAINTEST, _STRONGEST = 0.06, 0.62
"""How much of a class's color an uncertain and a certain answer take."""
_MOST_POINTS = 1500


def class_color(index: int) -> str:
    """Return the color of a class; they repeat after ten."""
    return CLASSES[int(index) % len(CLASSES)]


def blend(regions: Regions, theme: Theme) -> np.ndarray:
    """Return the (h, w, 3) colors from 0 to 255 of every answer: the panel's color, toward the class's by
    confidence."""
    classes = np.asarray(regions.classes, int)
    known = max(2, len(regions.names), int(classes.max(initial=0)) + 1)
    chance = 1.0 / known
    sure = np.clip((np.nan_to_num(np.asarray(regions.confidence, float)) - chance) / (1 - chance), 0, 1)
    share = (_FAINTEST + (_STRONGEST - _FAINTEST) * sure)[..., None]
    colors = np.array([QColor(name).getRgb()[:3] for name in CLASSES], float)[classes % len(CLASSES)]
    panel = np.array(theme.color("panel").getRgb()[:3], float)
    return panel + (colors - panel) * share


class RegionsView(PaintedView):
    """Decision regions of a classifier of two numbers."""

    title = "Decision regions"
    wants = "wants_regions"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self._regions: Regions | None = None
        self._ran = False
        self._image: QImage | None = None
        self._points: QPixmap | None = None
        self._points_key: tuple = ()
        if bench.snapshot is not None:
            self.on_snapshot(bench.snapshot)
        self.refresh()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._ran = True
        if snapshot.regions is not None and snapshot.regions is not self._regions:
            self._regions = snapshot.regions
            self.throttle.request()
        elif self._regions is None:
            self.throttle.request()

    def clear(self) -> None:
        self._regions, self._ran = None, False
        super().clear()

    def prepare(self) -> None:
        regions = self._regions
        if regions is None:
            self._image = None
            self.heading = []
            self.note = (
                "This network has no decision regions: they need two numbers per sample, and classes. "
                "A curve needs one number in and one out."
                if self._ran
                else f"What the network answers everywhere appears here {self.soon}: decision regions where "
                "it sorts points, a curve where it turns one number into one."
            )
            return
        self.note = ""
        # row 0 is the smallest y, a picture's first row its top
        self._image = words_image(rgb_words(blend(regions, self.theme))[::-1])
        held = int(np.sum(regions.held_out))
        rest = f"{len(regions.points):,} points" + (f", {held:,} held out" if held else "")
        self.heading = heading("Decision regions", rest)

    def sizeHint(self) -> QSize:
        return QSize(260, 270)

    def _box(self, area: QRectF) -> QRectF:
        """The largest place with the plane's own proportions, with room for the axes' ends."""
        x0, x1, y0, y1 = self._regions.extent
        gutter = max(metrics().horizontalAdvance(short(y)) for y in (y0, y1)) + 6
        room = area.adjusted(gutter, 2, 0, -18)
        scale = min(room.width() / ((x1 - x0) or 1), room.height() / ((y1 - y0) or 1))
        return QRectF(room.left(), room.top(), (x1 - x0) * scale, (y1 - y0) * scale)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        regions = self._regions
        if regions is None or self._image is None:
            return
        box = self._box(area)
        beside = area.right() - box.right() > 90
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, self._image)
        painter.drawPixmap(box.topLeft() - QPointF(5, 5), self._points_over(box))
        self._draw_axes(painter, box)
        self._draw_legend(painter, area, box, beside)

    def _draw_axes(self, painter: QPainter, box: QRectF) -> None:
        x0, x1, y0, y1 = self._regions.extent
        painter.setFont(font())
        painter.setPen(self.theme.color("muted"))
        line = QRectF(box.left(), box.bottom() + 3, box.width(), 14)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, short(x0))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, short(x1))
        side = QRectF(box.left() - 66, box.top() - 2, 60, box.height() + 4)
        painter.drawText(side, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, short(y1))
        painter.drawText(side, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, short(y0))

    def _draw_legend(self, painter: QPainter, area: QRectF, box: QRectF, beside: bool) -> None:
        if not beside:
            return
        regions = self._regions
        present = max(len(regions.names), int(np.max(regions.labels, initial=-1)) + 1)
        x, y = box.right() + 18, box.top() + 4
        rows = [(class_color(i), regions.names[i] if i < len(regions.names) else f"class {i}", True)
                for i in range(min(present, len(CLASSES)))]  # fmt: skip
        if np.any(regions.held_out):
            rows += [(self.theme.muted, "learned from", True), (self.theme.muted, "held out", False)]
        for index, (color, name, full) in enumerate(rows):
            gap = 10 if full and name == "learned from" else 0
            y += gap
            self._draw_point(painter, QPointF(x + 4, y + 8), QColor(color), full)
            line = QRectF(x + 16, y, area.right() - x - 16, 16)
            draw_parts(painter, line, [Part(name, "text" if index < present else "muted")], self.theme)
            y += 18
            if y > area.bottom() - 14:
                break

    def _draw_point(
        self, painter: QPainter, at: QPointF, color: QColor, full: bool, radius: float = 3.5
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if full:
            painter.setPen(QPen(self.theme.color("panel"), 1))
            painter.setBrush(color)
            painter.drawEllipse(at, radius, radius)
        else:
            painter.setPen(QPen(color, 1.6))
            painter.setBrush(self.theme.color("panel"))
            painter.drawEllipse(at, radius - 0.6, radius - 0.6)

    def _points_over(self, box: QRectF) -> QPixmap:
        """The data as a transparent picture; drawn anew only where data, size or theme have changed."""
        regions, ratio = self._regions, self.devicePixelRatioF()
        data = (np.asarray(regions.points), np.asarray(regions.labels), np.asarray(regions.held_out))
        form = (box.width(), box.height(), ratio, self.theme.name, regions.extent)
        if self._points is not None and self._points_key[0] == form:
            same = all(np.array_equal(a, b) for a, b in zip(data, self._points_key[1], strict=True))
            if same:
                return self._points
        pixmap = QPixmap(int((box.width() + 10) * ratio) + 1, int((box.height() + 10) * ratio) + 1)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        x0, x1, y0, y1 = regions.extent
        points, labels, held = data
        x = 5 + (points[:, 0] - x0) / ((x1 - x0) or 1) * box.width()
        y = 5 + (y1 - points[:, 1]) / ((y1 - y0) or 1) * box.height()
        inside = (x >= 1) & (x <= box.width() + 9) & (y >= 1) & (y <= box.height() + 9)
        crowded = len(points) / max(1.0, box.width() * box.height()) > 0.006
        radius = 2.6 if crowded else 3.5
        for index in np.flatnonzero(inside)[:_MOST_POINTS]:
            color = QColor(class_color(labels[index]))
            self._draw_point(painter, QPointF(x[index], y[index]), color, not held[index], radius)
        painter.end()
        self._points, self._points_key = pixmap, (form, data)
        return pixmap
