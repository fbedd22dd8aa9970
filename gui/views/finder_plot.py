"""The picture of a learning-rate finder: losses over rising rates, and the rate that would be taken."""

from __future__ import annotations

from math import ceil, floor, log10

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.training.finder import HIGHEST, LOWEST, Proposal, rounded, smooth
from gui.bench import Bench
from gui.theme import CAPTION_PX, RADIUS
from gui.views.ranges import nice_range, nice_step
from gui.views.text import font, metrics, short

_LEFT, _RIGHT, _TOP, _FOOT = 52, 16, 30, 42
"""Room around the curve for its numbers and words."""

_FINE = 0.05
"""Decades that an arrow key moves the rate by."""


def rate_text(rate: float) -> str:
    """Return a rate as people write it: 0.0032, 3.2e−05."""
    return f"{rate:.2g}".replace("-", "−")


class FinderPlot(QWidget):
    """Losses over a logarithmic axis of rates. A click, a drag or the arrow keys choose a rate: ``chosen``.

    ``rate`` is the rate that is marked, None before there is one.
    """

    chosen = Signal(float)

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self._bench = bench
        self._rates, self._losses, self._smoothed = np.empty(0), np.empty(0), np.empty(0)
        self._proposal: Proposal | None = None
        self.rate: float | None = None
        self.note = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Loss over learning rates")
        bench.theme_changed.connect(lambda _: self.update())

    def add(self, rates: np.ndarray, losses: np.ndarray) -> None:
        """Append what was tried."""
        self._rates = np.concatenate([self._rates, rates])
        self._losses = np.concatenate([self._losses, losses])
        self._smoothed = smooth(self._rates, self._losses)
        self.update()

    @property
    def losses(self) -> np.ndarray:
        """What was tried so far, as (n,)."""
        return self._losses

    def clear(self) -> None:
        """Begin anew."""
        self._rates, self._losses, self._smoothed = np.empty(0), np.empty(0), np.empty(0)
        self._proposal, self.rate = None, None
        self.update()

    def show_proposal(self, proposal: Proposal) -> None:
        """Mark what the losses propose."""
        self._proposal = proposal
        self.mark(proposal.rate)

    def mark(self, rate: float | None) -> None:
        """Mark a rate."""
        self.rate = rate
        self.setAccessibleDescription(f"Learning rate {rate_text(rate)}" if rate else "")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(620, 320)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    # Choosing a rate by hand.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose_at(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(event.key(), 0)
        if step and self.rate:
            self._choose(self.rate * 10 ** (step * _FINE))
        else:
            super().keyPressEvent(event)

    def _choose_at(self, x: float) -> None:
        area = self._area()
        if self._proposal is not None and area.width() > 0:
            share = (x - area.left()) / area.width()
            self._choose(10 ** (log10(LOWEST) + share * log10(HIGHEST / LOWEST)))

    def _choose(self, rate: float) -> None:
        self.mark(rounded(min(max(rate, LOWEST), HIGHEST)))
        self.chosen.emit(self.rate)

    # Painting.

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_FOOT)

    def x_of(self, rate: float) -> float:
        """Return where a rate stands, in pixels from the left."""
        area = self._area()
        return area.left() + area.width() * log10(rate / LOWEST) / log10(HIGHEST / LOWEST)

    def _range(self) -> tuple[float, float]:
        """The losses in view: what explodes leaves at the top."""
        if not len(self._losses):
            return 0.0, 1.0
        first = float(self._smoothed[:10].max())
        low = float(min(self._smoothed.min(), first))
        return nice_range(low, first + 0.35 * max(first - low, 0.02 * abs(first), 1e-12))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._bench.theme
        painter.setPen(theme.color("line"))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        area = self._area()
        self._paint_axes(painter, area)
        if len(self._losses):
            painter.save()
            painter.setClipRect(area.adjusted(-2, -2, 2, 2))
            self._paint_losses(painter, area)
            painter.restore()
            self._paint_marks(painter, area)
        elif self.note:
            painter.setPen(theme.color("muted"))
            painter.setFont(font(13))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(24, 0, -24, 0), int(flags), self.note)

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        theme = self._bench.theme
        painter.setFont(font(CAPTION_PX))
        first, last = ceil(log10(LOWEST)), floor(log10(HIGHEST))
        for power in range(first, last + 1):
            x = self.x_of(10.0**power)
            painter.setPen(theme.color("grid" if theme.dark else "line"))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(theme.color("muted"))
            words = f"{10.0**power:g}".replace("-0", "-").replace("-", "−")
            painter.drawText(
                QRectF(x - 30, area.bottom() + 4, 60, 16), int(Qt.AlignmentFlag.AlignCenter), words
            )
        painter.drawText(
            QRectF(area.left(), area.bottom() + 21, area.width(), 16),
            int(Qt.AlignmentFlag.AlignCenter),
            "learning rate",
        )
        painter.drawText(QRectF(12, 7, 60, 16), int(Qt.AlignmentFlag.AlignLeft), "loss")
        low, high = self._range()
        step = nice_step(high - low, 4)
        for at in range(ceil(low / step - 1e-6), floor(high / step + 1e-6) + 1) if len(self._losses) else ():
            y = self._y(area, at * step)
            painter.setPen(theme.color("grid" if theme.dark else "line"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("muted"))
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 8, area.left() - 8, 16), int(flags), short(at * step, 3))

    def _y(self, area: QRectF, loss: float) -> float:
        low, high = self._range()
        return area.bottom() - area.height() * (loss - low) / (high - low)

    def _points(self, area: QRectF, losses: np.ndarray) -> list[QPointF]:
        low, high = self._range()
        x = area.left() + area.width() * np.log10(self._rates / LOWEST) / log10(HIGHEST / LOWEST)
        y = area.bottom() - area.height() * (np.clip(losses, low - 1, high + (high - low)) - low) / (
            high - low
        )
        return [QPointF(*each) for each in zip(x.tolist(), y.tolist(), strict=True)]

    def _paint_losses(self, painter: QPainter, area: QRectF) -> None:
        theme = self._bench.theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("muted", 90))
        for point in self._points(area, self._losses):
            painter.drawEllipse(point, 1.6, 1.6)
        path = QPainterPath()
        first, *rest = self._points(area, self._smoothed)
        path.moveTo(first)
        for point in rest:
            path.lineTo(point)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("accent"), 2.2, j=Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)

    def _paint_marks(self, painter: QPainter, area: QRectF) -> None:
        theme, proposal = self._bench.theme, self._proposal
        if proposal and proposal.steepest and proposal.tenth:
            left, right = sorted((self.x_of(proposal.steepest), self.x_of(proposal.tenth)))
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), theme.color("ok", 26))
            painter.setBrush(theme.color("field"))
            for rate in (proposal.steepest, proposal.tenth):
                painter.setPen(QPen(theme.color("ok"), 1.6))
                painter.drawEllipse(QPointF(self.x_of(rate), self._y_at(area, rate)), 3.6, 3.6)
        if self.rate is None:
            return
        x, text = self.x_of(self.rate), rate_text(self.rate)
        painter.setPen(QPen(theme.color("ok"), 1.6))
        painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom()))
        painter.setBrush(theme.color("ok"))
        painter.setPen(QPen(theme.color("field"), 2))
        painter.drawEllipse(QPointF(x, self._y_at(area, self.rate)), 5.2, 5.2)
        width = metrics(CAPTION_PX + 1, 600).horizontalAdvance(text) + 14
        box = QRectF(min(max(x - width / 2, area.left()), area.right() - width), area.top() - 23, width, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("ok"))
        painter.drawRoundedRect(box, 9, 9)
        painter.setPen(theme.color("on_accent"))
        painter.setFont(font(CAPTION_PX + 1, 600))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _y_at(self, area: QRectF, rate: float) -> float:
        loss = float(np.interp(log10(rate), np.log10(self._rates), self._smoothed))
        return min(max(self._y(area, loss), area.top()), area.bottom())
