"""Copies of what was painted and stands still: frames with much in them are painted once for each zoom."""

from __future__ import annotations

from collections import OrderedDict
from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap

from gui.theme import Theme

if TYPE_CHECKING:
    from gui.canvas.expand import Inner

STILL_BYTES, MOST_BYTES = 24_000_000, 96_000_000
"""How large a copy of one frame may be, and all of them together."""


class Stills:
    """Copies of frames as they were painted last, while their zoom and theme stay; the oldest make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, QPixmap] = OrderedDict()
        self._seen: set[tuple] = set()
        self._bytes = 0

    def paint(self, inner: Inner, painter: QPainter, theme: Theme, ground: str) -> bool:
        """Paint a copy where there is one, or is from the second time on; return whether it was painted."""
        world, ratio = painter.worldTransform(), painter.device().devicePixelRatioF()
        zoom, corner = world.m11(), world.map(QPointF(0, 0))
        whole = QPointF(floor(corner.x()), floor(corner.y()))
        part = corner - whole  # the same fraction of a pixel: the copy is as sharp as what it is a copy of
        key = (
            inner.serial,
            theme.name,
            ground,
            round(zoom, 6),
            round(part.x(), 3),
            round(part.y(), 3),
            ratio,
        )
        if key not in self._kept:
            if key not in self._seen:
                self._seen = {*self._seen, key} if len(self._seen) < 512 else {key}
                return False
            if not self._keep(key, inner, theme, ground, zoom, part, ratio):
                return False
        self._kept.move_to_end(key)
        painter.save()
        painter.resetTransform()
        painter.drawPixmap(whole, self._kept[key])
        painter.restore()
        return True

    def _keep(
        self, key: tuple, inner: Inner, theme: Theme, ground: str, zoom: float, part: QPointF, ratio: float
    ) -> bool:
        wide, high = (ceil((size * zoom + 2) * ratio) for size in (inner.width, inner.height))
        if 4 * wide * high > STILL_BYTES:
            return False
        still = QPixmap(wide, high)
        still.setDevicePixelRatio(ratio)
        still.fill(Qt.GlobalColor.transparent)
        painter = QPainter(still)
        painter.translate(part)
        painter.scale(zoom, zoom)
        inner.paint_on(painter, theme, zoom, ground)
        painter.end()
        self._kept[key] = still
        self._bytes += 4 * wide * high
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._kept)))
        return True

    def _drop(self, key: tuple) -> None:
        gone = self._kept.pop(key)
        self._bytes -= 4 * gone.width() * gone.height()


STILLS = Stills()
