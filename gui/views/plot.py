"""The plot under the curves: pyqtgraph without its frame, with calm axes and ranges that hold still."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from gui.theme import CAPTION_PX, Theme
from gui.views.plot_items import Axis, Curve
from gui.views.ranges import EasedRange, Range, nice_range
from gui.views.text import font

DASHES = [4, 2]
"""Strokes and gaps of a dashed line, in widths of the line."""
_NEAR = 7
"""Pixels from a mark within which its words are read."""
LOWEST = 1e-9
"""Numbers at or below it stand at the lower end of a logarithmic axis."""


@dataclass
class Mark:
    """A vertical line where a setting was changed."""

    step: int
    text: str
    line: pg.InfiniteLine
    label: pg.TextItem


class Plot(pg.PlotWidget):
    """Lines by name over steps.

    ``hovered`` carries the step under the pointer, or None. The wheel and dragging zoom and pan; a double
    click returns to the whole run.
    """

    hovered = Signal(object)
    zoomed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None):
        self._axes = {side: Axis(side) for side in ("left", "bottom")}
        super().__init__(parent, axisItems=self._axes)
        self.lines: dict[str, Curve] = {}
        self.marks: list[Mark] = []
        self._near: Mark | None = None
        """The mark that the pointer is near."""
        self.log = False
        self.held = False
        """Whether the user has chosen a range with the mouse."""
        self._eased = EasedRange(grow=0.5, shrink=0.2)
        self._theme, self._ratio = theme, 1.0
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 8, 14, 0)
        self.box = item.getViewBox()
        self.box.disableAutoRange()
        self.box.setDefaultPadding(0)
        self.box.sigRangeChangedManually.connect(self._hold)
        for side, axis in self._axes.items():
            axis.enableAutoSIPrefix(False)
            axis.setZValue(-10)
            axis.setGrid(255 if side == "left" else False)
        self._axes["left"].setWidth(38)
        self._axes["bottom"].setHeight(18)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.addItem(self._cursor, ignoreBounds=True)
        self.scene().sigMouseMoved.connect(self._hover)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.apply_theme(theme)

    def add_line(self, name: str, tone: str, width: float, alpha: int = 255, dashed: bool = False) -> None:
        """Add a line in a tone of the theme; a dashed one is known without its color, and should be short."""
        self.lines[name] = Curve(tone, width, alpha, dashed)
        self.box.addItem(self.lines[name], ignoreBounds=True)
        self._color_line(name)

    def set_line(self, name: str, x: np.ndarray, y: np.ndarray) -> None:
        """Give a line its points; a single point is a dot."""
        if self.log:
            y = np.log10(np.maximum(y, LOWEST))
        self.lines[name].setData(x, y)

    def set_form(self, log: bool, share: bool) -> None:
        """Choose a logarithmic axis, or one of shares in percent; the ranges start anew."""
        self.log = log
        self._axes["left"].log, self._axes["left"].share = log, share
        self._axes["left"].update()
        self.reset()

    def reset(self) -> None:
        """Show the whole run again."""
        self.held = False
        self._eased.reset()
        self.zoomed.emit()

    def fit(self, last: float, low: float, high: float, ceiling: float | None = None) -> bool:
        """Ease the ranges toward the steps 0 to ``last`` and the values ``low`` to ``high``.

        ``ceiling`` is the highest value that makes sense. Returns whether it has arrived.
        """
        if self.held:
            return True
        if self.log:
            target = (log10(max(low, LOWEST)), log10(max(high, 10 * LOWEST)))
            target = (target[0] - 0.05, max(target[1], target[0] + 0.3) + 0.05)
        else:
            target = nice_range(low, high)
        if ceiling is not None:
            target = (min(target[0], ceiling - 0.01), min(target[1], ceiling))
        bottom, top = self._eased.toward(*target)
        pad = 0.015 * (top - bottom)
        self.box.setRange(
            xRange=(0, max(last, 10)), yRange=(bottom - pad, top + pad), padding=0, disableAutoRange=True
        )
        self._place_labels()
        self.scene().prepareForPaint()  # now: what that moves while it paints would be painted once more
        return self._eased.settled

    @property
    def x_range(self) -> Range:
        """The steps in view."""
        low, high = self.box.viewRange()[0]
        return low, high

    @property
    def y_range(self) -> Range:
        """The values in view."""
        low, high = self.box.viewRange()[1]
        return low, high

    def mark(self, step: int, text: str) -> None:
        """Draw a dashed line at a step; the newest shows its words, or the one near the pointer."""
        line = pg.InfiniteLine(pos=step, angle=90, movable=False)
        label = pg.TextItem(f"\u2009{text}\u2009")
        label.setFont(font(CAPTION_PX))
        mark = Mark(step, text, line, label)
        self._color_mark(mark)
        for item in (line, label):
            self.addItem(item, ignoreBounds=True)
        self.marks.append(mark)
        self._place_labels()

    def unmark(self, mark: Mark) -> None:
        """Take a line away."""
        self.marks.remove(mark)
        self._near = None if mark is self._near else self._near
        self.removeItem(mark.line)
        self.removeItem(mark.label)

    def clear_run(self) -> None:
        """Take every line's points and every mark away."""
        for mark in list(self.marks):
            self.unmark(mark)
        nothing = np.empty(0)
        for name in self.lines:
            self.set_line(name, nothing, nothing)
        self.reset()

    def apply_theme(self, theme: Theme) -> None:
        """Take other colors."""
        self._theme = theme
        self._ratio = self.devicePixelRatioF()  # pyqtgraph's pens count in device pixels
        self.setBackground(theme.color("panel"))
        for axis in self._axes.values():
            axis.setPen(None)
            axis.setTickPen(pg.mkPen(theme.color("grid" if theme.dark else "line"), width=self._ratio))
            axis.setTextPen(theme.color("muted"))
        self._cursor.setPen(pg.mkPen(theme.color("faint"), width=self._ratio))
        for name in self.lines:
            self._color_line(name)
        for mark in self.marks:
            self._color_mark(mark)

    def _color_line(self, name: str) -> None:
        line = self.lines[name]
        color = self._theme.color(line.tone, min(255, round(line.alpha * (0.3 + 0.7 * self._ratio))))
        # a hairline stays one device pixel: anything wider costs Qt four times as much for a ragged line
        width = line.pen_width * self._ratio if line.pen_width > 1 else 1
        cap = Qt.PenCapStyle.FlatCap if line.dashed else Qt.PenCapStyle.RoundCap
        pen = pg.mkPen(color, width=width, capStyle=cap)
        if line.dashed:
            pen.setDashPattern(DASHES)
        line.setPen(pen)

    def _color_mark(self, mark: Mark) -> None:
        color = self._theme.color("warning")
        pen = pg.mkPen(color, width=self._ratio)
        pen.setDashPattern([4, 3])
        mark.line.setPen(pen)
        mark.label.setColor(color)

    def _place_labels(self) -> None:
        (left, right), (_, top) = self.box.viewRange()
        told = self._near or (self.marks[-1] if self.marks else None)
        for mark in self.marks:
            mark.label.setVisible(mark is told)
            beyond = mark.step > left + 0.75 * (right - left)
            mark.label.setAnchor((1.0 if beyond else 0.0, 0.15))
            mark.label.setPos(mark.step, top)

    def _hold(self) -> None:
        self.held = True
        self._place_labels()
        self.zoomed.emit()

    def _hover(self, position: QPointF) -> None:
        inside = self.box.sceneBoundingRect().contains(position)
        step = self.box.mapSceneToView(position).x() if inside else None
        self._cursor.setVisible(inside)
        if inside:
            self._cursor.setPos(step)
        self._look_near(step)
        self.hovered.emit(step)

    def _look_near(self, step: float | None) -> None:
        """Show the words of the mark that is near a step, as the eye measures."""
        wide = self.box.viewRange()[0][1] - self.box.viewRange()[0][0]
        reach = _NEAR * wide / max(self.box.width(), 1.0)
        near = [mark for mark in self.marks if step is not None and abs(mark.step - step) <= reach]
        found = min(near, key=lambda mark: abs(mark.step - step), default=None)
        if found is not self._near:
            self._near = found
            self._place_labels()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.apply_theme(self._theme)
        return super().event(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._cursor.hide()
        self._look_near(None)
        self.hovered.emit(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset()
        event.accept()
