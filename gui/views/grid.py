"""Small pictures in a grid: how large they can be, where each lies, and drawing them without blurring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, isqrt

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QTransform

from gui.images import lut, to_image
from gui.theme import Theme
from gui.views.text import font, metrics, short


@dataclass(frozen=True)
class Grid:
    """Cells in rows; every ``group`` columns stand ``wide`` pixels more apart."""

    left: float
    top: float
    columns: int
    count: int
    width: float
    height: float
    gap: float
    group: int = 0
    wide: float = 0.0

    def cell(self, index: int) -> QRectF:
        """Return the place of a cell."""
        row, column = divmod(index, self.columns)
        x = self.left + column * (self.width + self.gap)
        if self.group:
            x += (column // self.group) * self.wide
        return QRectF(x, self.top + row * (self.height + self.gap), self.width, self.height)

    @property
    def cells(self) -> list[QRectF]:
        """The places of all cells."""
        return [self.cell(index) for index in range(self.count)]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return max(1, ceil(self.count / self.columns))

    @property
    def bottom(self) -> float:
        """The lower end of the last row."""
        return self.top + self.rows * (self.height + self.gap) - self.gap

    @property
    def right(self) -> float:
        """The right end of the last column."""
        return self.cell(min(self.columns, self.count) - 1).right()

    def at(self, x: float, y: float) -> tuple[int, float, float] | None:
        """Return the cell at a point, and where in it as shares of its width and height."""
        row = int((y - self.top) // (self.height + self.gap))
        if row < 0:
            return None
        for index in range(row * self.columns, min((row + 1) * self.columns, self.count)):
            cell = self.cell(index)
            if cell.contains(x, y):
                return index, (x - cell.left()) / cell.width(), (y - cell.top()) / cell.height()
        return None


def fit_grid(
    area: QRectF,
    count: int,
    shape: tuple[int, int],
    gap: float = 4,
    most: float = 96,
    ratio: float = 1.0,
    group: int = 0,
    wide: float = 0.0,
) -> Grid:
    """Return the grid with the largest cells for ``count`` pictures of ``shape`` (height, width) in an area.

    ``most`` limits a cell's longer side; where it costs little, a picture's pixels become whole device pixels
    (``ratio`` of them to a pixel). With ``group``, the columns are a multiple of it.
    """
    height, width = shape
    aspect = min(max(height / width, 1 / 8), 8)
    best, best_width, full_rows = max(1, group), 0.0, (max(1, group), 0.0)
    unit = group or 1
    for columns in _column_counts(ceil(count / unit)):
        columns *= unit
        rows = ceil(count / columns)
        across = area.width() - gap * (columns - 1) - (wide * (columns // unit - 1) if group else 0)
        down = area.height() - gap * (rows - 1)
        cell = min(across / columns, down / rows / aspect, most / max(1.0, aspect))
        if cell >= best_width - 1e-6:  # of equal sizes the one with fewer rows
            best, best_width = columns, cell
        if count % columns == 0 and cell >= full_rows[1] - 1e-6:
            full_rows = columns, cell
    if full_rows[1] >= 0.7 * best_width:  # a tidy rectangle is worth a little size
        best, best_width = full_rows
    cell = max(best_width, 1.0)
    scale = cell * ratio / width
    if scale >= 2 and floor(scale) / scale > 0.86 and aspect == height / width:
        cell = floor(scale) * width / ratio
    columns = min(best, ceil(count / unit) * unit)
    return Grid(area.left(), area.top(), columns, count, cell, cell * aspect, gap, group, wide)


@cache
def _column_counts(count: int) -> list[int]:
    """The numbers of columns worth trying for ``count`` cells: one for each number of rows."""
    root = isqrt(count) + 1
    return sorted({*range(1, min(root, count) + 1), *(ceil(count / rows) for rows in range(1, root + 1))})


def draw_cells(
    painter: QPainter, image: QImage, cells: Sequence[QRectF], shape: tuple[int, int], radius: float = 2
) -> None:
    """Draw a row of pictures (see ``mosaic``, no gaps) cell by cell, with sharp pixels and soft corners."""
    height, width = shape
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    soft = bool(radius) and len(cells) > 0 and cells[0].width() > 16
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, soft)
    painter.setPen(Qt.PenStyle.NoPen)
    brush = QBrush(image)
    for index, cell in enumerate(cells):
        if soft:
            across, down = cell.width() / width, cell.height() / height
            left = cell.left() - index * width * across
            brush.setTransform(QTransform(across, 0, 0, down, left, cell.top()))
            painter.setBrush(brush)
            painter.drawRoundedRect(cell, radius, radius)
        else:
            painter.drawImage(cell, image, QRectF(index * width, 0, width, height))


def draw_scale(
    painter: QPainter, box: QRectF, low: float, high: float, colormap: str, theme: Theme, beside: bool = False
) -> None:
    """Draw a color scale at the top of a box and its two ends, below it or ``beside`` it."""
    image, first, last = _scale(colormap, theme), short(low), short(high)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font())
    painter.setPen(theme.color("muted"))
    bar = QRectF(box.left(), box.top(), box.width(), 8)
    base = bar.bottom() + 2 + metrics().ascent()
    end = metrics().horizontalAdvance(last)
    if beside:
        start = metrics().horizontalAdvance(first)
        bar = QRectF(box.left() + start + 6, box.center().y() - 3, box.width() - start - end - 12, 6)
        base = box.center().y() + metrics().capHeight() / 2
    painter.drawText(QPointF(box.left(), base), first)
    painter.drawText(QPointF(box.right() - end, base), last)
    brush = QBrush(image)
    brush.setTransform(QTransform(bar.width() / image.width(), 0, 0, 20, bar.left(), bar.top()))
    painter.setBrush(brush)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(bar, 2, 2)


_scales: dict[tuple[str, str], QImage] = {}


def _scale(colormap: str, theme: Theme) -> QImage:
    key = (colormap, theme.name)
    if key not in _scales:
        steps = range(len(lut(colormap, theme)) - 1)
        _scales[key] = to_image([list(steps)], 0, len(steps) - 1, colormap, theme)
        if colormap == "signed":
            half = (len(steps) - 1) / 2
            _scales[key] = to_image([[step - half for step in steps]], -half, half, colormap, theme)
    return _scales[key]
