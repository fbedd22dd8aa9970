"""Samples of the probe batch and what the network makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from engine.training.events import Samples, Snapshot
from gui.bench import Bench
from gui.views.base import PaintedView
from gui.views.grid import draw_cells
from gui.views.regions import class_color
from gui.views.text import Part, draw_parts, font, heading, metrics, number, percent, short
from gui.views.tiles import Tiles, as_images, fit_tiles, row_image, tile_words, vector_words


def class_name(samples: Samples, index: int) -> str:
    """Return the name of a class, or its number."""
    return samples.names[index] if 0 <= index < len(samples.names) else str(index)


def verdict(samples: Samples, index: int) -> tuple[str, bool]:
    """Return what is written under a tile, "8 ≠ 3" where the network is wrong, and whether it is right."""
    predicted, target = int(samples.predictions[index]), int(samples.targets[index])
    if predicted == target:
        return class_name(samples, predicted), True
    return f"{class_name(samples, predicted)} ≠ {class_name(samples, target)}", False


class SamplesView(PaintedView):
    """Tiles with predictions, predictions against targets, or originals above what was rebuilt.

    As a ``strip`` it is one row of tiles without a heading, and takes no room while there are none.
    """

    title = "Samples"
    wants = "wants_samples"

    def __init__(self, bench: Bench, parent: QWidget | None = None, strip: bool = False):
        super().__init__(bench, parent)
        self._strip = strip
        self._samples: Samples | None = None
        self._rows: list[QImage] = []
        self._shape = (1, 1)
        self._tiles: Tiles | None = None
        self._words = 0.0
        self._points: np.ndarray | None = None
        bench.look_changed.connect(self.update)
        if bench.snapshot is not None:
            self.on_snapshot(bench.snapshot)
        self.refresh()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.samples is not None and not _same(snapshot.samples, self._samples):
            self._samples = snapshot.samples
            if self._samples.kind == "class":  # a yes or no may come as a column
                flat = {name: np.ravel(getattr(self._samples, name)) for name in ("targets", "predictions")}
                self._samples = replace(self._samples, **flat)
            self.throttle.request()

    def clear(self) -> None:
        self._samples = None
        super().clear()

    # what is shown

    def prepare(self) -> None:
        samples = self._samples
        self._rows, self._tiles, self.heading, self._points = [], None, [], None
        if samples is None or not len(samples.inputs):
            self.note = f"Samples and what the network makes of them appear here {self.soon}."
            return
        self.note = ""
        _PREPARE[samples.kind](self, samples)

    def _prepare_classes(self, samples: Samples) -> None:
        right = int(np.sum(np.asarray(samples.predictions) == np.asarray(samples.targets)))
        self.heading = heading("Samples", f"{right} of {len(samples.inputs)} right")
        self._words = max(
            metrics().horizontalAdvance(verdict(samples, i)[0]) for i in range(len(samples.inputs))
        )
        pictures = as_images(samples.inputs)
        if pictures is not None:
            finite = pictures[np.isfinite(pictures)]
            self._set_rows(tile_words(pictures, float(finite.min(initial=0)), float(finite.max(initial=0))))
        else:
            self._set_rows(vector_words(samples.inputs))
        flat = np.asarray(samples.inputs, np.float32)
        if flat.ndim == 2 and flat.shape[1] == 2:  # points: each tile is the plane with its point
            low, high = np.nanmin(flat, 0), np.nanmax(flat, 0)
            self._points = (flat - low) / np.where(high > low, high - low, 1)
            self._shape = (1, 1)

    def _prepare_numbers(self, samples: Samples) -> None:
        targets, predictions = self._pairs(samples)
        error = float(np.abs(targets - predictions).mean()) if len(targets) else float("nan")
        rest = f"{len(targets)} samples · off by {number(error)} on average"
        self.heading = heading("Prediction against target", rest)

    def _prepare_rebuilt(self, samples: Samples) -> None:
        original = as_images(samples.inputs)
        if original is None:
            flat = np.asarray(samples.inputs).reshape(len(samples.inputs), 1, 1, -1)
            original = flat
        rebuilt = np.asarray(samples.predictions, np.float32).reshape(original.shape)
        self._words = 0.0
        finite = original[np.isfinite(original)]
        low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        self._set_rows(tile_words(original, low, high), tile_words(rebuilt, low, high))
        error = float(np.square(original - rebuilt).mean())
        self.heading = heading("Originals above, rebuilt below", f"mean squared error {number(error)}")

    def _set_rows(self, *rows: np.ndarray) -> None:
        self._shape = rows[0].shape[1:]
        self._rows = [row_image(words) for words in rows]

    @staticmethod
    def _pairs(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        """Return targets and predictions as flat arrays of the finite pairs."""
        targets = np.asarray(samples.targets, float).ravel()
        predictions = np.asarray(samples.predictions, float).ravel()[: len(targets)]
        finite = np.isfinite(targets[: len(predictions)]) & np.isfinite(predictions)
        return targets[: len(predictions)][finite], predictions[finite]

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._strip:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("panel"))
        if self._rows and not self.note:
            self._draw_tiles(painter, QRectF(self.rect()).adjusted(14, 2, -14, -4))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        if self._samples is None:
            return
        if self._rows:
            self._draw_tiles(painter, area)
        else:
            self._draw_scatter(painter, area)

    def _draw_tiles(self, painter: QPainter, area: QRectF) -> None:
        samples, rows = self._samples, len(self._rows)
        height, width = self._shape
        aspect = min(max(height / width, 0.25), 4.0)
        self._tiles = tiles = fit_tiles(
            area, len(samples.inputs), aspect, self._words, rows, most=72, rows=1 if self._strip else 0
        )
        high = tiles.size[1] if rows == 1 else (tiles.size[1] - 2) / 2
        if self._points is not None:
            self._draw_points(painter, tiles)
        for layer, image in enumerate(self._rows if self._points is None else ()):
            places = [tiles.tile(index) for index in range(tiles.count)]
            cells = [QRectF(p.left(), p.top() + layer * (high + 2), p.width(), high) for p in places]
            draw_cells(painter, image, cells, self._shape)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font())
        for index in range(tiles.count if samples.kind == "class" else 0):
            words, right = verdict(samples, index)
            painter.setPen(self.theme.color("ok" if right else "error"))
            box = tiles.label(index)
            words = metrics().elidedText(words, Qt.TextElideMode.ElideRight, box.width() + 1)
            painter.drawText(box.adjusted(-2, 0, 2, 0), Qt.AlignmentFlag.AlignCenter, words)
        if 0 <= self.bench.sample < tiles.count:
            painter.setPen(QPen(self.theme.color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(tiles.tile(self.bench.sample).adjusted(-2, -2, 2, 2), 3.5, 3.5)

    def _draw_points(self, painter: QPainter, tiles: Tiles) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for index in range(tiles.count):
            tile = tiles.tile(index)
            painter.setBrush(self.theme.color("field"))
            painter.drawRoundedRect(tile, 3, 3)
            u, v = self._points[index]
            color = class_color(int(self._samples.targets[index]))
            painter.setBrush(self.theme.color(color))
            inner = tile.adjusted(6, 6, -6, -6)
            at = QPointF(inner.left() + u * inner.width(), inner.bottom() - v * inner.height())
            painter.drawEllipse(at, 3.5, 3.5)

    def _draw_scatter(self, painter: QPainter, area: QRectF) -> None:
        theme = self.theme
        targets, predictions = self._pairs(self._samples)
        if not len(targets):
            return
        everything = np.concatenate([targets, predictions])
        low, high = float(everything.min()), float(everything.max())
        low, high = (low, high) if high > low else (low - 1, low + 1)
        side = min(area.width(), area.height() - 18)
        box = QRectF(area.left(), area.top(), min(area.width(), side * 1.6), side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("grid" if theme.dark else "line"), 1))
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = box.top() + share * box.height()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        dashed = QPen(theme.color("faint"), 1)
        dashed.setDashPattern([4, 3])
        painter.setPen(dashed)
        painter.drawLine(box.bottomLeft(), box.topRight())
        painter.setPen(QPen(theme.color("panel"), 1))
        painter.setBrush(theme.color("accent"))
        xs = box.left() + (targets - low) / (high - low) * box.width()
        ys = box.bottom() - (predictions - low) / (high - low) * box.height()
        for x, y in zip(xs, ys, strict=True):
            painter.drawEllipse(QPointF(x, y), 4, 4)
        painter.setFont(font())
        painter.setPen(theme.color("muted"))
        line = QRectF(box.left(), box.bottom() + 4, box.width(), 14)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, f"target {short(low)}")
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, short(high))
        painter.drawText(QRectF(box.left(), box.top() + 2, 200, 14), 0, f"prediction, up to {short(high)}")
        if area.right() - box.right() > 150:
            words = QRectF(box.right() + 18, box.top(), area.right() - box.right() - 18, 16)
            draw_parts(painter, words, [Part("On the dashed line the network is right.")], theme)

    # hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        index = self._tiles.at(at.x(), at.y()) if self._tiles else None
        if index is not None:
            self.bench.look(sample=index)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(event.pos().x(), event.pos().y()), self)
            return True
        return super().event(event)

    def tip(self, x: float, y: float) -> str:
        """Return what is known about the sample under a point, or ""."""
        samples = self._samples
        index = self._tiles.at(x, y) if self._tiles and samples is not None else None
        if index is None:
            return ""
        if samples.kind != "class":
            return f"sample {index}"
        predicted, target = int(samples.predictions[index]), int(samples.targets[index])
        words = f"sample {index}: {class_name(samples, predicted)}"
        if samples.confidence is not None:
            words += f" with {percent(float(samples.confidence[index]), 0)} confidence"
        return words if predicted == target else f"{words}, but it is {class_name(samples, target)}"

    def sizeHint(self) -> QSize:
        return QSize(360, 60) if self._strip else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 56) if self._strip else super().minimumSizeHint()


def _same(new: Samples, old: Samples | None) -> bool:
    """Whether two samples look the same; most steps change no prediction of a class."""
    return new is old or (
        old is not None
        and new.kind == old.kind
        and np.array_equal(np.ravel(new.predictions), np.ravel(old.predictions))
        and np.array_equal(np.ravel(new.targets), np.ravel(old.targets))
        and np.array_equal(new.inputs, old.inputs)
    )


_PREPARE = {
    "class": SamplesView._prepare_classes,
    "number": SamplesView._prepare_numbers,
    "image": SamplesView._prepare_rebuilt,
}
