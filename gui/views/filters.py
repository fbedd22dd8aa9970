"""The selected node's weights: filters as a grid of small pictures, or the matrix as one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QToolTip, QWidget

from engine.training.events import Snapshot, Weights
from gui.bench import Bench
from gui.images import mosaic, to_image
from gui.theme import Theme
from gui.views.base import PaintedView
from gui.views.grid import Grid, draw_cells, draw_scale, fit_grid
from gui.views.ranges import EasedRange
from gui.views.text import Part, draw_parts, heading, number

FOOT = 22
_NARROW = 260
"""Below this width the scale has a line of its own."""
_SMALLEST = 3.0
"""Cells below it, in pixels, would show nothing: fewer are drawn, and the heading says so."""


def filters_of(weights: Weights) -> np.ndarray:
    """Return (out, in, h, w) filters, or (rows, columns) where the weight is a plain matrix.

    A row of a matrix that looks at an image becomes one filter per channel of it.
    """
    values = np.asarray(weights.values, np.float32)
    if values.ndim == 2 and weights.image is not None and values.shape[1] == np.prod(weights.image):
        return values.reshape(len(values), *weights.image)
    if values.ndim == 3:
        return values[:, :, None, :]
    if values.ndim > 4:
        return values.reshape(*values.shape[:2], values.shape[2], -1)
    return np.atleast_2d(values)


class FiltersView(PaintedView):
    """The selected node's weights, blue below zero and amber above."""

    title = "Filters"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self._snapshot: Snapshot | None = None
        self._weights: Weights | None = None
        self._range = EasedRange()
        self._shown = ("", "", ())
        self._filters = np.empty((0, 0))
        self._image: QImage | None = None
        self._grid: Grid | None = None
        bench.store.selection_changed.connect(lambda _: self.throttle.request())
        if bench.snapshot is not None:
            self.on_snapshot(bench.snapshot)
        self.refresh()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot, self._weights = snapshot, snapshot.weights
        self.throttle.request()

    def clear(self) -> None:
        self._snapshot = self._weights = None
        self._range.reset()
        super().clear()

    @property
    def bound(self) -> float:
        """The weight at either end of the color scale."""
        return self._range.current[1] if self._range.current else 0.0

    def _learns(self, node: str) -> bool:
        """Whether a node will have weights, as far as that is known before a run."""
        analysis = self.bench.analysis
        return node not in {slot.node for slot in analysis.types} or analysis.parameters.get(node, 0) > 0

    def prepare(self) -> None:
        weights, snapshot = self._weights, self._snapshot
        self._image = None
        if weights is None or not np.size(weights.values):
            selection = self.bench.store.selection
            node = snapshot.selected if snapshot else next(iter(selection), "")
            name = self.node_title(node)
            if not node:
                self.note = "Select a layer to see its weights while the network runs."
            elif snapshot is None and self._learns(node):
                self.note = f"The weights of {name} appear here {self.soon}."
            else:
                self.note = f"{name} has no weights. Select a layer that learns, such as a convolution."
            self.heading, self.caption = [], ""
            return
        self.note = ""
        node = snapshot.selected
        self._filters = filters_of(weights)
        if (node, weights.name, weights.shape) != self._shown:
            self._range.reset()
            self._shown = (node, weights.name, weights.shape)
        sizes = np.abs(self._filters[np.isfinite(self._filters)])
        # a few large weights must not turn all others gray
        bound = max(float(np.percentile(sizes, 99.5)), 0.25 * float(sizes.max())) if sizes.size else 0.0
        self._range.toward(-bound, bound)
        self._paint_image()
        word = "filters" if self._filters.ndim == 4 else "weights"
        self.heading = heading(f"{self.node_title(node)} {word}", self._describe(weights))
        self.caption = f"moved {100 * weights.moved:.{0 if weights.moved >= 0.1 else 1}f} % since start"
        if not self._range.settled:
            self.throttle.request()

    def _paint_image(self) -> None:
        low, high = -self.bound, self.bound
        if self._filters.ndim == 4:
            cells = self._filters.reshape(-1, *self._filters.shape[2:])
            self._image = mosaic(cells, len(cells), low, high, "signed", 0, self.theme.panel, self.theme)
        else:
            self._image = to_image(self._filters, low, high, "signed", self.theme)

    def _describe(self, weights: Weights) -> str:
        if self._filters.ndim != 4:
            return " × ".join(f"{size:,}" for size in weights.shape)
        count, inputs, height, width = self._filters.shape
        if weights.image is not None and len(weights.shape) == 2:
            full = weights.shape[0] * inputs
        else:
            full = weights.shape[0] * weights.shape[1]
        shown = f"{weights.shape[0]} × {inputs if weights.image else weights.shape[1]}"
        thinned = f", {count} × {inputs} shown" if count * inputs < full else ""
        return f"{shown} of {height} × {width}{thinned}"

    def draw(self, painter: QPainter, area: QRectF) -> None:
        if self._image is None:
            return
        room = area.adjusted(0, 0, 0, -FOOT - (18 if area.width() < _NARROW else 0))
        if self._filters.ndim == 4:
            shape = self._filters.shape[2:]
            self._grid = self._fit(room, shape)
            draw_cells(painter, self._image, self._grid.cells, shape, radius=1.5)
            bottom, right = self._grid.bottom, self._grid.right
        else:
            self._grid = None
            rows, columns = self._filters.shape
            side = min(room.width() / columns, room.height() / rows)
            # far from square, a matrix fills the room rather than becoming a thread
            across = side * columns if columns * side > 0.3 * room.width() else room.width()
            down = side * rows if rows * side > 0.3 * room.height() else min(room.height(), across * 0.5)
            across, down = min(across, 40 * columns), min(down, 24 * rows)
            box = QRectF(room.left(), room.top(), across, down)
            self._grid = Grid(box.left(), box.top(), 1, 1, across, down, 0)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(box, self._image)
            bottom, right = box.bottom(), box.right()
        self._draw_foot(painter, QRectF(area.left(), bottom + 6, area.width(), 16), right)

    def _fit(self, room: QRectF, shape: tuple[int, int]) -> Grid:
        """One or more whole filters to a row, so that what belongs together stands together."""
        count, inputs = self._filters.shape[:2]
        most = max(14.0, min(64.0, 9.0 * max(shape)))
        ratio = self.devicePixelRatioF()
        options = []
        for gap, wide in ((4, 8), (2, 4), (1, 2), (0, 1)):
            grid = fit_grid(
                room, count * inputs, shape, gap, most, ratio, group=inputs, wide=wide if inputs > 1 else 0
            )
            loose = fit_grid(room, count * inputs, shape, gap, most, ratio)
            # groups are worth a third of the size, not more
            options.append(grid if grid.width > 0.66 * loose.width else loose)
            if options[-1].width >= 6 * gap:
                break
        best = options[-1]
        if best.width >= _SMALLEST:
            return best
        columns = max(1, int((room.width() + 1) // (_SMALLEST + 1)))
        rows = max(1, int((room.height() + 1) // (_SMALLEST * shape[0] / shape[1] + 1)))
        fits = min(count * inputs, rows * columns)
        return Grid(room.left(), room.top(), columns, fits, _SMALLEST, _SMALLEST * shape[0] / shape[1], 1)

    def _draw_foot(self, painter: QPainter, line: QRectF, right: float) -> None:
        end = draw_parts(painter, line, [Part(self.caption)], self.theme)
        width = 110.0
        left = max(end + 16, min(right, line.right()) - width)
        if line.width() < _NARROW:
            left = line.left()
            line = line.translated(0, 18)
        if line.right() - left >= width:
            place = QRectF(left, line.top(), width, line.height())
            draw_scale(painter, place, -self.bound, self.bound, "signed", self.theme, beside=True)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)

    def tip(self, x: float, y: float) -> str:
        """Return what the weight under a point is, or ""."""
        found = self._grid.at(x, y) if self._grid and self._image is not None else None
        if found is None:
            return ""
        index, u, v = found
        height, width = self._filters.shape[-2:]
        row, column = min(int(v * height), height - 1), min(int(u * width), width - 1)
        if self._filters.ndim != 4:
            return f"output {row}, input {column}: {number(float(self._filters[row, column]))}"
        out, channel = divmod(index, self._filters.shape[1])
        value = number(float(self._filters[out, channel, row, column]))
        return f"filter {out}, input {channel}, row {row}, column {column}: {value}"

    def apply_theme(self, theme: Theme) -> None:
        if self._image is not None:
            self._paint_image()
        super().apply_theme(theme)
