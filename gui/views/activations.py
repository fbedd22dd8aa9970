"""What the selected node gives for one sample: feature maps, bars, or a block of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from engine.training.events import Activation, Samples, Snapshot
from gui.bench import Bench
from gui.images import mosaic
from gui.theme import Theme
from gui.views.base import HEADING, MARGIN, PaintedView
from gui.views.grid import Grid, draw_cells, draw_scale, fit_grid
from gui.views.parts import Stepper
from gui.views.ranges import EasedRange
from gui.views.text import Part, draw_parts, font, heading, metrics, number, short

BARS = 32
"""The longest vector that is drawn as bars."""
FOOT = 52
"""Room under the maps for the numbers and the scale."""
_BLOCK, _LOOSE = 18, 9
"""The largest cell of a block of numbers, in pixels, and the smallest that stands apart from the others."""


@dataclass
class _Picture:
    """What is painted: cells of one mosaic, or bars; ``values`` are (k, h, w) or (k,) numbers."""

    values: np.ndarray
    low: float
    high: float
    image: QImage | None = None
    labels: tuple[str, ...] = ()


class ActivationsView(PaintedView):
    """The selected node's feature maps for one sample of the probe batch."""

    title = "Activations"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self._snapshot: Snapshot | None = None
        self._samples: Samples | None = None
        self._range = EasedRange()
        self._shown = ("", ())
        self._picture: _Picture | None = None
        self._grid: Grid | None = None
        self._area = QRectF()
        self.stepper = Stepper(bench, "Previous sample", "Next sample", self)
        self.stepper.stepped.connect(self.step_sample)
        bench.store.selection_changed.connect(self._reselect)
        if bench.snapshot is not None:
            self.on_snapshot(bench.snapshot)
        self.refresh()

    # what the events bring

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._samples = snapshot.samples or self._samples
        self.throttle.request()

    def clear(self) -> None:
        self._snapshot = self._samples = None
        self._range.reset()
        super().clear()

    def _reselect(self, _selection: frozenset[str]) -> None:
        self.throttle.request()

    def step_sample(self, by: int) -> None:
        """Look at another sample of the probe batch."""
        last = len(self._samples.inputs) - 1 if self._samples else None
        sample = max(0, self.bench.sample + by)
        self.bench.look(sample=sample if last is None else min(sample, last))
        self.throttle.request()

    # what is shown

    def _chosen(self) -> tuple[str, Activation | None]:
        """The node to show: the selected one as soon as the snapshot knows it, at first as its miniature."""
        snapshot, selection = self._snapshot, self.bench.store.selection
        wanted = next(iter(selection)) if len(selection) == 1 else ""
        if snapshot is None:
            return wanted, None
        if wanted and wanted != snapshot.selected and wanted in snapshot.activations:
            return wanted, snapshot.activations[wanted]
        return snapshot.selected or wanted, snapshot.detail

    def prepare(self) -> None:
        node, activation = self._chosen()
        self._picture = None
        if activation is None or not activation.maps.size:
            name = self.node_title(node)
            if not node:
                self.note = "Select a node to see what it gives for one sample while the network runs."
            elif self._snapshot is None:
                self.note = f"The activations of {name} appear here {self.soon}."
            else:
                self.note = f"{name} gives nothing to show."
            self.heading, self.caption = [], ""
            self.stepper.hide()
            return
        self.note = ""
        self.stepper.show()
        self.stepper.enable(self.bench.sample > 0, not self._samples or self._snapshot is None
                            or self.bench.sample < len(self._samples.inputs) - 1)  # fmt: skip
        values = np.asarray(activation.maps, np.float32)
        if (node, activation.shape) != self._shown:
            self._range.reset()
            self._shown = (node, activation.shape)
        low, high = self._range.toward(activation.low, activation.high)
        self._picture = self._draw_picture(values, low, high, activation.labels)
        self.heading = heading(f"{self.node_title(node)} activations", self._describe(activation, values))
        self.caption = _statistics(activation)
        if not self._range.settled:
            self.throttle.request()

    def _draw_picture(self, values: np.ndarray, low: float, high: float, labels: tuple[str, ...]) -> _Picture:
        if values.ndim == 2:
            values = values[None]
        if values.ndim == 1 and len(values) <= BARS:
            return _Picture(values, low, high, labels=labels)
        cells = values if values.ndim == 3 else values[:, None, None]
        return _Picture(values, low, high, mosaic(cells, len(cells), low, high, gap=0, background="#000000"))

    def _describe(self, activation: Activation, values: np.ndarray) -> str:
        if values.ndim == 3:
            count, height, width = values.shape
            full = activation.shape[0] if len(activation.shape) == 3 else count
            counted = f"{count} of {full}" if full > count else f"{count}"
            size = activation.shape[-2:] if len(activation.shape) >= 2 else (height, width)
            what = f"{counted} {'map' if full == 1 else 'maps'} of {size[0]} × {size[1]}"
        else:
            full = activation.shape[-1] if activation.shape else len(values)
            what = f"{len(values)} of {full} numbers" if full > len(values) else _count(full, "number")
        sample = self._snapshot.sample if self._snapshot else 0
        return f"{what} · sample {sample}{self._target(sample)}"

    def _target(self, sample: int) -> str:
        samples = self._samples
        if samples is None or samples.kind != "class" or not 0 <= sample < len(samples.targets):
            return ""
        target = int(samples.targets[sample])
        name = samples.names[target] if target < len(samples.names) else str(target)
        return f", {'an' if name[:1].lower() in 'aeio8' else 'a'} {name}"

    def heading_room(self) -> float:
        return self.stepper.width() + 8 if self.stepper.isVisibleTo(self) else 0.0

    def draw(self, painter: QPainter, area: QRectF) -> None:
        picture = self._picture
        if picture is None:
            return
        self._area = area
        room = area.adjusted(0, 0, 0, -FOOT)
        if picture.image is None:
            bottom = self._draw_bars(painter, room, picture)
        else:
            count = len(picture.values)
            block = picture.values.ndim == 1
            shape = (1, 1) if block else picture.values.shape[1:]
            most = _BLOCK if block else min(200, 10 * max(shape))
            self._grid = fit_grid(
                room, count, shape, gap=1 if block else 4, most=most, ratio=self.devicePixelRatioF()
            )
            if block and self._grid.width < _LOOSE:
                self._draw_block(painter, room, picture)
            else:
                draw_cells(painter, picture.image, self._grid.cells, shape, radius=0 if block else 2)
            bottom = self._grid.bottom
        line = QRectF(area.left(), bottom + 8, area.width(), 16)
        draw_parts(painter, line, [Part(self.caption)], self.theme)
        if picture.image is not None:
            scale = QRectF(area.left(), bottom + 30, min(170, area.width()), 8)
            draw_scale(painter, scale, picture.low, picture.high, "magma", self.theme)

    def _draw_block(self, painter: QPainter, room: QRectF, picture: _Picture) -> None:
        """Draw many numbers as one picture, because gaps would take the room and cells the time."""
        count = len(picture.values)
        self._grid = grid = fit_grid(room, count, (1, 1), gap=0, most=_BLOCK, ratio=self.devicePixelRatioF())
        cells = picture.values[:, None, None]
        image = mosaic(cells, grid.columns, picture.low, picture.high, gap=0)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        height = grid.bottom - grid.top
        painter.drawImage(QRectF(grid.left, grid.top, grid.columns * grid.width, height), image)

    def _draw_bars(self, painter: QPainter, room: QRectF, picture: _Picture) -> float:
        """Draw a short vector as bars from zero; the largest in the accent's full tone."""
        values, theme = picture.values, self.theme
        top = max(picture.high, 0.0, float(np.nanmax(values)) if np.isfinite(values).any() else 0.0)
        low = min(picture.low, 0.0, float(np.nanmin(values)) if np.isfinite(values).any() else 0.0)
        span = (top - low) or 1.0
        pitch = min(room.width() / len(values), 52)
        words = picture.labels[: len(values)] or tuple(str(i) for i in range(len(values)))
        height = min(room.height() - 16, 170)
        box = QRectF(room.left(), room.top() + 12, pitch * len(values), height - 12)
        zero = box.bottom() - (0 - low) / span * box.height()
        widest = max(metrics().horizontalAdvance(word) for word in words)
        every = max(1, ceil((widest + 4) / pitch)) if widest + 4 > pitch and not picture.labels else 1
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font())
        best = int(np.nanargmax(values)) if np.isfinite(values).any() else -1
        for index, value in enumerate(values):
            x = box.left() + index * pitch
            slot = QRectF(x + 0.14 * pitch, box.top(), 0.72 * pitch, box.height())
            y = box.bottom() - (float(value) - low) / span * box.height() if np.isfinite(value) else zero
            bar = QRectF(slot.left(), min(y, zero), slot.width(), abs(y - zero))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent", 255 if index == best else 120))
            painter.drawRoundedRect(bar, min(2, bar.height() / 2), min(2, bar.height() / 2))
            if pitch >= 34:
                painter.setPen(theme.color("text" if index == best else "muted"))
                above = value >= 0
                place = QRectF(x, bar.top() - 15 if above else bar.bottom() + 1, pitch, 14)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, short(float(value)))
            if index % every == 0:
                painter.setPen(theme.color("text" if index == best else "muted"))
                place = QRectF(x, box.bottom() + (14 if low < 0 and pitch >= 34 else 2), pitch, 14)
                word = metrics().elidedText(words[index], Qt.TextElideMode.ElideRight, pitch * every - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word)
        painter.fillRect(QRectF(box.left(), zero - 0.5, box.width(), 1), theme.color("line"))
        return box.bottom() + (30 if low < 0 and pitch >= 34 else 18)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        hint = self.stepper.sizeHint()
        self.stepper.setGeometry(self.width() - MARGIN - hint.width(), 8, hint.width(), HEADING - 6)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)

    def tip(self, x: float, y: float) -> str:
        """Return what the number under a point is, or ""."""
        picture = self._picture
        if picture is None or picture.image is None or self._grid is None or self.note:
            return ""
        found = self._grid.at(x, y)
        if found is None:
            return ""
        index, u, v = found
        if picture.values.ndim == 1:
            return f"{index}: {number(float(picture.values[index]))}"
        height, width = picture.values.shape[1:]
        row, column = min(int(v * height), height - 1), min(int(u * width), width - 1)
        value = number(float(picture.values[index, row, column]))
        return f"map {index}, row {row}, column {column}: {value}"

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        self.stepper.update()


def _count(count: int, word: str) -> str:
    return f"{count:,} {word if count == 1 else word + 's'}"


def _statistics(activation: Activation) -> str:
    """Mean −0.02 · deviation 0.61 · none dead."""
    dead = "none dead"
    if activation.dead > 0:
        dead = f"{max(1, round(100 * activation.dead))} % dead"
    return f"Mean {short(activation.mean)} · deviation {short(activation.deviation)} · {dead}"
