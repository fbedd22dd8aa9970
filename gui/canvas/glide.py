"""A short way of the view from one place to another, so that the eye keeps what it looked at."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEasingCurve, QPointF, QVariantAnimation
from PySide6.QtWidgets import QWidget

DURATION = 140


class Glide(QVariantAnimation):
    """Calls ``show(zoom, place)`` on the way from one scale and place to another."""

    def __init__(self, widget: QWidget, show: Callable[[float, QPointF], None]):
        super().__init__(widget)
        self._show = show
        self._ends = (1.0, 1.0, QPointF(), QPointF())
        self.setDuration(DURATION)
        self.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self.valueChanged.connect(self._step)

    def go(self, zooms: tuple[float, float], places: tuple[QPointF, QPointF]) -> None:
        """Begin; another way that is under way ends where it is."""
        self.stop()
        self._ends = (*zooms, *places)
        self.start()

    def _step(self, share: float) -> None:
        before, after, start, end = self._ends
        zoom = before * (after / before) ** share
        # one fixed point while the scale changes, as with the wheel
        part = share if abs(after / before - 1) < 1e-3 else (1 / before - 1 / zoom) / (1 / before - 1 / after)
        self._show(zoom, start + (end - start) * part)
