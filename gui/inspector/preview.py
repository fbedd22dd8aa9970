"""The first samples of a data node, read in the background."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from threading import Thread

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from engine.data.source import Dataset, Field
from engine.errors import EngineError
from engine.graph.document import Node
from engine.layers.declaration import Layer
from gui import style
from gui.data.preview_look import written
from gui.fonts import mono_font, ui_font
from gui.images import rgb_image
from gui.inspector.sections import Section
from gui.panels.words import plural
from gui.theme import CLASSES
from gui.widgets.basic import Box, Elided, column, label, set_role

POLL_MS = 60
_IMAGES, _POINTS, _ROWS, _COLUMNS = 12, 600, 5, 4


class _Load(Thread):
    """Reads a data set; touches nothing of Qt, so that the page may be gone when it ends."""

    def __init__(self, node: Node, layer: Layer | None):
        super().__init__(daemon=True)
        self.node, self.layer = node, layer
        self.result: Dataset | str = ""

    def run(self) -> None:
        try:
            from engine.compiler.data import load_node

            self.result = load_node(self.node, self.layer)
        except EngineError as error:
            self.result = error.message
        except Exception as error:  # a reader's surprise must not end the window
            self.result = f"The data cannot be read: {error}"


class PreviewSection(Section):
    """How many samples there are, and what the first of them look like."""

    def __init__(self, layer: Layer | None = None) -> None:
        """``layer`` is the node's own where the document brings it along."""
        super().__init__("Preview")
        self._layer = layer
        self._node: Node | None = None
        self._load: _Load | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        self.note = label("", "muted", 12, wrap=True)
        self._holder = column(spacing=6)
        self.picture: QWidget | None = None
        self.layout_.addLayout(self._holder)
        self.layout_.addWidget(self.note)

    def show_node(self, node: Node) -> None:
        """Read and show the data of a node, if it is another one than before."""
        if node != self._node:
            self._node = node
            set_role(self.note, "muted")
            self.note.setText("Reading …")
            self._timer.start()
            self.show()

    def read_again(self) -> None:
        """Read the same node once more: its files may be others now."""
        node, self._node = self._node, None
        if node is not None:
            self.show_node(node)

    def _look(self) -> None:
        """Start to read, or show what was read; one thread at a time, however fast a value is spun."""
        if self._load is None:
            self._load = _Load(self._node, self._layer)
            self._load.start()
        elif not self._load.is_alive():
            done, self._load = self._load, None
            if done.node == self._node:
                self._timer.stop()
                self._show(done.result)

    def _show(self, result: Dataset | str) -> None:
        if self.picture is not None:
            self._holder.removeWidget(self.picture)
            self.picture.deleteLater()
            self.picture = None
        if isinstance(result, str):
            set_role(self.note, "error")
            self.note.setText(result)
            return
        set_role(self.note, "muted")
        self.note.setText("\n".join([_facts(result), *result.skipped[:3]]))
        self.picture = picture_of(result)
        self._holder.addWidget(self.picture)


def _facts(data: Dataset) -> str:
    held = f", {data.held:,} held out" if data.held else ""
    return f"{plural(len(data), 'sample')}{held}"


def picture_of(data: Dataset) -> QWidget:
    """Return a picture of a data set: images, points, or a small table."""
    fields = [(name, _unscaled(each)) for name, each in data.fields.items()]
    first = fields[0][1]
    shape = first.values.shape
    labels = fields[1][1] if len(fields) > 1 else None
    if len(shape) in (3, 4) and min(shape[-2:]) > 1:
        return ImageTiles(first, labels)
    if first.values.dtype.kind == "f" and shape[1:] == (2,):
        return Scatter(first.values, labels)
    if shape[1:] in ((), (1,)) and labels is not None and labels.values.dtype.kind == "f":
        other = labels.values.reshape(len(labels.values), -1)
        if other.shape[1] == 1:
            return Scatter(np.column_stack([first.values.reshape(-1), other[:, 0]]), None)
    return SampleTable(fields)


def _name(field: Field | None, row: int) -> str:
    if field is None or field.values.ndim != 1:
        return ""
    value = field.values[row]
    if field.classes and 0 <= int(value) < len(field.classes):
        return field.classes[int(value)]
    return f"{value:.3g}" if field.values.dtype.kind == "f" else str(value)


class ImageTiles(QWidget):
    """Small pictures with their labels under them."""

    PER_ROW, GAP, TEXT = 6, 5, 17

    def __init__(self, images: Field, labels: Field | None):
        super().__init__()
        values = images.values[:_IMAGES]
        low, high = float(np.min(values, initial=0)), float(np.max(values, initial=0))
        self._images: list[QImage] = [rgb_image(value, low, high) for value in values]
        self._labels = [_name(labels, row) for row in range(len(values))]
        self._text = self.TEXT if any(self._labels) else 0
        self.setAccessibleName("First images: " + ", ".join(self._labels))

    def resizeEvent(self, event: QResizeEvent) -> None:
        rows = ceil(len(self._images) / self.PER_ROW)
        self.setFixedHeight(round(rows * (self._side(self.width()) + self._text + self.GAP)))

    def _side(self, width: float) -> float:
        return (width - (self.PER_ROW - 1) * self.GAP) / self.PER_ROW

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(ui_font(11))
        painter.setPen(style.current().color("muted"))
        side = self._side(self.width())
        for place, (image, name) in enumerate(zip(self._images, self._labels, strict=True)):
            row, column_ = divmod(place, self.PER_ROW)
            box = QRectF(column_ * (side + self.GAP), row * (side + self._text + self.GAP), side, side)
            painter.drawImage(box, image)
            under = QRectF(box.left() - 2, box.bottom() + 2, side + 4, self.TEXT - 2)
            text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(under.width()))
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, text)


class Scatter(QWidget):
    """Points in the plane, colored by class."""

    def __init__(self, points: np.ndarray, labels: Field | None):
        super().__init__()
        self._points = points[:_POINTS].astype(float)
        whole = labels is not None and labels.values.ndim == 1 and labels.values.dtype.kind in "iub"
        self._classes = labels.values[:_POINTS] if whole else np.zeros(len(self._points), int)
        self.setFixedHeight(188)
        self.setAccessibleName(f"{len(points):,} points in the plane")

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        finite = np.isfinite(self._points).all(1)
        if not finite.any():
            return
        low, high = self._points[finite].min(0), self._points[finite].max(0)
        span = np.where(high > low, high - low, 1.0)
        inner = QRectF(self.rect()).adjusted(14, 14, -14, -14)
        places = (self._points - low) / span
        for (x, y), kind, good in zip(places, self._classes, finite, strict=True):
            if good:
                painter.setBrush(theme.color(CLASSES[int(kind) % len(CLASSES)], 215))
                at = QPointF(inner.left() + x * inner.width(), inner.bottom() - y * inner.height())
                painter.drawEllipse(at, 2.2, 2.2)


class SampleTable(Box):
    """The first rows as a small grid: a column for each number or label."""

    def __init__(self, fields: list[tuple[str, Field]]):
        super().__init__()
        heads, columns = _columns(fields)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        for place, (head, values) in enumerate(zip(heads, columns, strict=True)):
            grid.addWidget(Elided(head, "muted", 11), 0, place)
            for row, value in enumerate(values):
                cell = Elided(value, px=11)
                cell.setFont(mono_font(11))
                grid.addWidget(cell, row + 1, place)
        self.setAccessibleName("First rows of " + ", ".join(heads))


def _unscaled(field: Field) -> Field:
    """The first rows as they are in the file, not as the network gets them."""
    return replace(field, values=field.scale.undo(field.values[:_POINTS])) if field.scale else field


def _columns(fields: list[tuple[str, Field]]) -> tuple[list[str], list[list[str]]]:
    """Titles and texts of at most four columns; the last field keeps its place, it is what is asked for."""
    heads: list[str] = []
    columns: list[list[str]] = []
    for name, field in fields:
        rows = range(min(_ROWS, len(field.values)))
        flat = field.values[:_ROWS].reshape(len(rows), -1) if len(rows) else np.zeros((0, 1))
        if field.values.ndim == 1:
            heads.append(name)
            columns.append([_name(field, row) for row in rows])
        elif field.values.ndim == 2 and field.classes:
            heads.append(name)
            columns.append([written(field, field.values[row]).replace("\n", "⏎") for row in rows])
        else:
            for place in range(flat.shape[1]):
                alone = f"{name} {place + 1}" if flat.shape[1] > 1 else name
                heads.append(field.columns[place] if field.columns else alone)
                columns.append([f"{value:.3g}" for value in flat[:, place]])
                if place >= _COLUMNS:
                    break
    if len(heads) > _COLUMNS:
        heads, columns = (
            [*heads[: _COLUMNS - 1], heads[-1]],
            [*columns[: _COLUMNS - 1], columns[-1]],
        )
    return heads, columns
