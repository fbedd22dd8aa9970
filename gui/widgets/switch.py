"""Yes or no, as a sliding knob."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from gui import motion, style

WIDTH, HEIGHT, RING = 34, 20, 3


class Switch(QAbstractButton):
    """A checkable button of 34 x 20 px that slides in 120 ms, at once where motion is switched off."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(self.sizeHint())
        self._place = 0.0
        self._slide = QVariantAnimation(self, duration=120, easingCurve=QEasingCurve.Type.OutCubic)
        self._slide.valueChanged.connect(self._move)
        self.toggled.connect(self._toggle)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 2 * RING, HEIGHT + 2 * RING)

    def _toggle(self, on: bool) -> None:
        self._slide.stop()
        if motion.reduced() or not self.isVisible():
            self._move(float(on))
            return
        self._slide.setStartValue(self._place)
        self._slide.setEndValue(float(on))
        self._slide.start()

    def _move(self, place: float) -> None:
        self._place = place
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(RING, RING, WIDTH, HEIGHT)
        off = style.mix(theme.panel, theme.text, style.SWITCH_OFF)
        color = style.mix(off, theme.accent, self._place) if self.isEnabled() else theme.line
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(color))
        painter.drawRoundedRect(track, HEIGHT / 2, HEIGHT / 2)
        painter.setBrush(theme.color("#FFFFFF" if self.isEnabled() else "faint"))
        x = track.left() + HEIGHT / 2 + self._place * (WIDTH - HEIGHT)
        painter.drawEllipse(QPointF(x, track.center().y()), HEIGHT / 2 - 2.5, HEIGHT / 2 - 2.5)
        if self.hasFocus():
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            ring = track.adjusted(-2, -2, 2, 2)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
