"""The learning rate of a whole run as a small curve: what is planned, and where the run is."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QLinearGradient, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.bench import Bench
from gui.theme import CAPTION_PX, RADIUS
from gui.views.text import font, metrics, short

HEIGHT = 112
_SIDE, _TOP, _FOOT = 10, 24, 21
"""Room beside the curve, for the words above it and below it."""


def _rate(value: float) -> str:
    """A rate as people write it: 0.001, 4e−05."""
    return f"{value:.3g}".replace("-", "−")


class RateCurve(QWidget):
    """A planned learning rate, its highest value by name; the pointer reads it anywhere.

    ``text`` is what it says in words, for screen readers.
    """

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self._bench = bench
        self._steps, self._rates = np.empty(0, np.int64), np.empty(0)
        self._total, self._per_epoch = 0, 0
        self._now: tuple[int, float] | None = None
        self._hover: float | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self._say()
        bench.theme_changed.connect(self._repaint)  # a lambda would outlive the widget

    def show_plan(self, steps: np.ndarray, rates: np.ndarray, total: int, per_epoch: int = 0) -> None:
        """Show the rate at some steps, as (n,) each, of a run of ``total`` steps.

        With ``per_epoch`` steps of an epoch the axis counts epochs.
        """
        self._steps, self._rates = np.asarray(steps), np.asarray(rates, float)
        self._total, self._per_epoch = max(int(total), 1), per_epoch
        self._say()
        self.update()

    def show_now(self, step: int, rate: float) -> None:
        """Mark where the run is: the step that it has taken, and the rate it took it with."""
        self._now = (step, rate)
        self.update()

    def clear_now(self) -> None:
        """No run is going on."""
        if self._now is not None:
            self._now = None
            self.update()

    def _repaint(self, _: object) -> None:
        self.update()

    @property
    def peak(self) -> float:
        """The highest rate of the plan."""
        return float(self._rates.max()) if len(self._rates) else 0.0

    @property
    def text(self) -> str:
        """The curve in words."""
        if not len(self._rates):
            return "Learning rate: not known yet"
        first, last = _rate(self._rates[0]), _rate(self._rates[-1])
        if self._rates.min() == self.peak:
            return f"Learning rate: {first} all the time"
        at = int(self._steps[int(self._rates.argmax())])
        peak = f", highest {_rate(self.peak)} at {self._place(at)}" if at else ""
        return f"Learning rate: from {first}{peak}, {last} in the end"

    def _place(self, step: float) -> str:
        if self._epochs:
            return f"epoch {short(step / self._per_epoch, 2 if step < 10 * self._per_epoch else 3)}"
        return f"step {step:,.0f}"

    def _say(self) -> None:
        self.setAccessibleName(self.text)

    def sizeHint(self) -> QSize:
        return QSize(240, HEIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, box = self._bench.theme, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(theme.color("line"))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(box, RADIUS, RADIUS)
        area = box.adjusted(_SIDE, _TOP, -_SIDE, -_FOOT)
        painter.setPen(theme.color("line"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        if len(self._rates):
            self._paint_curve(painter, area)
            self._paint_now(painter, area)
        self._paint_words(painter, box, area)

    def _x(self, area: QRectF, step: float) -> float:
        return area.left() + area.width() * min(step / max(self._total - 1, 1), 1.0)

    def _y(self, area: QRectF, rate: float) -> float:
        top = max(self.peak, 1e-30)
        return area.bottom() - (area.height() - 3) * min(max(rate / top, 0.0), 1.0)

    def _paint_curve(self, painter: QPainter, area: QRectF) -> None:
        theme = self._bench.theme
        path = QPainterPath()
        points = zip(self._steps.tolist(), self._rates.tolist(), strict=True)
        points = [QPointF(self._x(area, step), self._y(area, rate)) for step, rate in points]
        if len(points) == 1:
            points.append(QPointF(area.right(), points[0].y()))
        path.moveTo(points[0])
        for point in points[1:]:
            path.lineTo(point)
        ground = QPainterPath(path)
        ground.lineTo(points[-1].x(), area.bottom())
        ground.lineTo(points[0].x(), area.bottom())
        shade = QLinearGradient(area.topLeft(), area.bottomLeft())
        shade.setColorAt(0, theme.color("accent", 70))
        shade.setColorAt(1, theme.color("accent", 8))
        painter.fillPath(ground, shade)
        painter.setPen(QPen(theme.color("accent"), 1.8, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _paint_now(self, painter: QPainter, area: QRectF) -> None:
        theme = self._bench.theme
        if self._hover is not None and area.left() <= self._hover <= area.right():
            painter.setPen(theme.color("faint"))
            painter.drawLine(QPointF(self._hover, area.top()), QPointF(self._hover, area.bottom()))
        if self._now is None:
            return
        step, rate = self._now
        x, y = self._x(area, step), self._y(area, rate)
        painter.setPen(QPen(theme.color("text", 120), 1))
        painter.drawLine(QPointF(x, area.top() - 2), QPointF(x, area.bottom()))
        painter.setPen(QPen(theme.color("field"), 2))
        painter.setBrush(theme.color("text"))
        painter.drawEllipse(QPointF(x, y), 4.5, 4.5)

    def _paint_words(self, painter: QPainter, box: QRectF, area: QRectF) -> None:
        theme = self._bench.theme
        head = QRectF(area.left(), box.top() + 4, area.width(), 17)
        foot = QRectF(area.left(), area.bottom() + 2, area.width(), 17)
        left, right = int(Qt.AlignmentFlag.AlignLeft), int(Qt.AlignmentFlag.AlignRight)
        middle = int(Qt.AlignmentFlag.AlignVCenter)

        def say(place: QRectF, flags: int, text: str, tone: str = "muted", weight: int = 400) -> None:
            painter.setFont(font(CAPTION_PX, weight))
            painter.setPen(theme.color(tone))
            painter.drawText(place, flags | middle, text)

        if not len(self._rates):
            say(head, left, "Learning rate")
            return
        at, word = self.head
        say(head, left, at)
        say(head, right, word, "text", 600)
        name, number = ("epochs", self._total / self._per_epoch) if self._epochs else ("steps", self._total)
        end = f"{number:,.0f}"
        say(foot, left, "0")
        say(foot, right, end)
        room = area.width() - 2 * metrics(CAPTION_PX).horizontalAdvance(end) - 24
        if room > metrics(CAPTION_PX).horizontalAdvance(name):
            say(foot, int(Qt.AlignmentFlag.AlignHCenter), name)

    @property
    def _epochs(self) -> bool:
        return bool(self._per_epoch) and self._total >= 2 * self._per_epoch

    @property
    def head(self) -> tuple[str, str]:
        """The words above the curve: what is told, and its value."""
        area = QRectF(self.rect()).adjusted(_SIDE, 0, -_SIDE, 0)
        if self._hover is not None and area.left() <= self._hover <= area.right():
            step = (self._hover - area.left()) / area.width() * (self._total - 1)
            near = int(np.clip(np.searchsorted(self._steps, step, "right") - 1, 0, len(self._rates) - 1))
            return self._place(step).capitalize(), _rate(self._rates[near])
        if self._now is not None:
            return f"Now, {self._place(self._now[0])}", _rate(self._now[1])
        return "Learning rate", f"peak {_rate(self.peak)}"
