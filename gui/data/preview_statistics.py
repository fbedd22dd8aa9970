"""A data set in numbers: how many rows each class has, and what is in every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from engine.data.histograms import COLUMNS, histograms, tokens
from engine.data.source import Dataset
from engine.data.statistics import ClassCount, Column, Statistics, statistics
from gui.bench import Bench
from gui.views.text import Part, draw_parts, font, metrics, short
from gui.widgets.basic import Scroll, empty

_ROW, _HEAD = 22, 24
_NAME = 132
"""Width of a name, at most."""


@dataclass(frozen=True)
class Told:
    """The statistics of a data set, how its numbers are spread, and the most frequent words of its texts."""

    data: Dataset
    numbers: Statistics
    spread: dict[str, np.ndarray]
    words: dict[str, list[tuple[str, int]]]


def tell(data: Dataset) -> Told:
    """Return the statistics of a data set; it is read from end to end."""
    numbers = statistics(data)
    texts = [name for name, each in data.fields.items() if each.classes and each.values.ndim > 1]
    return Told(data, numbers, histograms(data, numbers), {name: tokens(data, name) for name in texts})


class StatisticsPage(Scroll):
    """Classes at the left, columns at the right; one below the other where there is little room."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        self._body = QWidget()
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._body)
        self._layout.setContentsMargins(14, 4, 14, 10)
        self._layout.setSpacing(28)
        super().__init__(self._body, parent)
        self.bench = bench
        self.bars: list[Bars] = []
        self.tables: list[ColumnTable] = []

    def show_told(self, told: Told) -> None:
        """Show the statistics of another data set."""
        empty(self._layout)
        self.bars, self.tables = [], []
        groups: tuple[ClassCount, ...] = ()
        for each in told.numbers.fields:
            if each.classes:
                groups = each.classes
                self.bars.append(Bars(self.bench, each.name, each.classes))
        for name, words in told.words.items():
            rows = [ClassCount(word.replace("\n", "⏎").replace(" ", "␣"), count, 0) for word, count in words]
            self.bars.append(Bars(self.bench, f"{name}, most frequent", rows, can_choose=False))
        for each in told.numbers.fields:
            if each.name in told.spread and each.columns:
                first = not self.tables
                table = ColumnTable(
                    self.bench, each.name, each.columns, told.spread[each.name], groups if first else ()
                )
                self.tables.append(table)
        for bars in self.bars:
            self._layout.addWidget(bars, 2, Qt.AlignmentFlag.AlignTop)
            if bars.can_choose and self.tables:
                bars.chosen.connect(self.tables[0].show_class)
        for table in self.tables:
            self._layout.addWidget(table, 3, Qt.AlignmentFlag.AlignTop)
        self._turn()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        count = len(self.bars) + len(self.tables)
        wide = self.viewport().width() > 330 * max(1, count)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._layout.setDirection(way)


class Bars(QWidget):
    """A bar for each class, the held-out rows lighter; a click on one tells the columns of that class.

    ``chosen`` carries the class, -1 for all of them.
    """

    chosen = Signal(int)

    def __init__(self, bench: Bench, title: str, classes: Sequence[ClassCount], can_choose: bool = True):
        super().__init__()
        self.bench, self.title, self.classes, self.can_choose = bench, title, tuple(classes), can_choose
        self.picked = -1
        self.setFixedHeight(_HEAD + _ROW * len(classes) + 2)
        self.setMinimumWidth(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        told = ", ".join(f"{each.name} {each.rows + each.held:,}" for each in self.classes[:50])
        self.setAccessibleName(f"{title}: {told}")
        if can_choose:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setToolTip("Click a class to see the columns of its rows alone.")
        bench.theme_changed.connect(self.update)

    def pick(self, index: int) -> None:
        """Choose a class, or none by choosing it again."""
        self.picked = -1 if index == self.picked else index
        self.setAccessibleDescription(self.classes[index].name if self.picked >= 0 else "all classes")
        self.update()
        self.chosen.emit(self.picked)

    def row_at(self, y: float) -> int:
        """Return the class at a height, -1 for none."""
        index = int((y - _HEAD) // _ROW)
        return index if 0 <= index < len(self.classes) else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.row_at(event.position().y())
        if self.can_choose and index >= 0:
            self.pick(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        to = self.picked + move if move else -1
        if self.can_choose and 0 <= to < len(self.classes):
            self.pick(to)
        elif event.key() == Qt.Key.Key_Escape and self.picked >= 0:
            self.pick(self.picked)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self.bench.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        held = any(each.held for each in self.classes)
        parts = [Part(self.title, "text", 600)]
        for word, tone in (("training", "accent"), ("held out", "wire")) if held else ():
            parts += [Part("     "), Part(word, swatch=tone)]
        draw_parts(painter, QRectF(0, 0, self.width(), 18), parts, theme)
        measure = metrics()
        name = min(max((measure.horizontalAdvance(each.name) for each in self.classes), default=0), _NAME)
        counts = [_counted(each) for each in self.classes]
        numbers = max((measure.horizontalAdvance(each) for each in counts), default=0)
        most = max((each.rows + each.held for each in self.classes), default=1) or 1
        room = max(10.0, self.width() - name - numbers - 24)
        painter.setFont(font())
        for index, each in enumerate(self.classes):
            top = _HEAD + index * _ROW
            if index == self.picked:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("selection"))
                painter.drawRoundedRect(QRectF(0, top, self.width(), _ROW), 5, 5)
            painter.setPen(theme.color("text"))
            text = measure.elidedText(each.name, Qt.TextElideMode.ElideRight, name)
            painter.drawText(QRectF(4, top, name + 2, _ROW), Qt.AlignmentFlag.AlignVCenter, text)
            left, wide = name + 14, room * each.rows / most
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRect(QRectF(left, top + 6, wide, _ROW - 12))
            painter.setBrush(theme.color("wire", 150))
            painter.drawRect(QRectF(left + wide, top + 6, room * each.held / most, _ROW - 12))
            painter.setPen(theme.color("muted"))
            end = left + room * (each.rows + each.held) / most + 6
            painter.drawText(
                QRectF(end, top, numbers + 4, _ROW), Qt.AlignmentFlag.AlignVCenter, counts[index]
            )
        if self.hasFocus():
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)


def _counted(each: ClassCount) -> str:
    return f"{each.rows:,} + {each.held:,}" if each.held else f"{each.rows:,}"


_COLUMNS = ("mean", "deviation", "min", "max", "missing")


class ColumnTable(QWidget):
    """A row for each column: how its numbers are spread, mean, deviation, lowest, highest, missing."""

    def __init__(
        self,
        bench: Bench,
        title: str,
        columns: tuple[Column, ...],
        spread: np.ndarray,
        classes: tuple[ClassCount, ...] = (),
    ):
        super().__init__()
        self.bench, self.title, self.columns, self.spread, self.classes = (
            bench,
            title,
            columns,
            spread,
            classes,
        )
        self.group = -1
        shown = min(len(columns), COLUMNS)
        self.setFixedHeight(_HEAD + _ROW * (shown + (len(columns) > COLUMNS)) + 2)
        self.setMinimumWidth(300)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"Columns of {title}: " + "; ".join(map(_spoken, columns[:20])))
        bench.theme_changed.connect(self.update)

    def show_class(self, index: int) -> None:
        """Tell the columns of one class, or of all rows for -1."""
        known = 0 <= index < len(self.classes) and self.classes[index].columns
        self.group = index if known else -1
        self.update()

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that are told: of all training rows, or of those of a class."""
        return self.classes[self.group].columns if self.group >= 0 else self.columns

    def sizeHint(self) -> QSize:
        return QSize(460, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self.bench.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        what = (
            f"   training rows of {self.classes[self.group].name}" if self.group >= 0 else "   training rows"
        )
        measure = metrics()
        name = max((measure.horizontalAdvance(each.name) for each in self.columns[:COLUMNS]), default=0)
        name = min(max(name, 8), _NAME)
        numbers = 54.0
        wide = self.width() - name - 24 > 5 * numbers + 56
        told = _COLUMNS if wide else _COLUMNS[:2]
        chart = max(40.0, self.width() - name - 24 - numbers * len(told))
        heads = QRectF(0, 0, name + chart + 12, 18)
        draw_parts(painter, heads, [Part(self.title, "text", 600), Part(what)], theme)
        painter.setFont(font())
        painter.setPen(theme.color("muted"))
        first = name + chart + 24
        for place, word in enumerate(told):
            box = QRectF(first + place * numbers, 0, numbers - 4, 18)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), word)
        for index, each in enumerate(self.shown[:COLUMNS]):
            top = _HEAD + index * _ROW
            painter.setPen(theme.color("text"))
            text = measure.elidedText(each.name, Qt.TextElideMode.ElideRight, name)
            painter.drawText(QRectF(4, top, name + 2, _ROW), Qt.AlignmentFlag.AlignVCenter, text)
            self._draw_spread(painter, QRectF(name + 14, top + 2, chart - 8, _ROW - 4), index)
            painter.setFont(font())
            for place, word in enumerate(_numbers(each)[: len(told)]):
                tone = "warning" if place == 4 and each.missing else "text" if place < 2 else "muted"
                painter.setPen(theme.color(tone))
                box = QRectF(first + place * numbers, top, numbers - 4, _ROW)
                painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), word)
        if len(self.columns) > COLUMNS:
            painter.setPen(theme.color("muted"))
            box = QRectF(4, _HEAD + COLUMNS * _ROW, self.width(), _ROW)
            more = f"and {len(self.columns) - COLUMNS:,} more"
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), more)

    def _draw_spread(self, painter: QPainter, box: QRectF, column: int) -> None:
        """The histogram of a column; that of a class stands before that of all, each by its own highest."""
        theme = self.bench.theme
        painter.setPen(Qt.PenStyle.NoPen)
        lone = self.group < 0 or self.group + 1 >= len(self.spread)
        for group, tone, alpha in ((0, "accent" if lone else "wire", 255 if lone else 110),
                                   (self.group + 1, "accent", 255)):  # fmt: skip
            if group == 0 or not lone:
                counts = self.spread[group, column]
                most, wide = max(1, int(counts.max())), box.width() / len(counts)
                painter.setBrush(theme.color(tone, alpha))
                for place, count in enumerate(counts):
                    if count:
                        high = max(1.0, box.height() * count / most)
                        left = box.left() + place * wide
                        painter.drawRect(QRectF(left, box.bottom() - high, max(1.0, wide - 1), high))
        painter.setPen(theme.color("line"))
        painter.drawLine(QPointF(box.left(), box.bottom() + 0.5), QPointF(box.right(), box.bottom() + 0.5))


def _numbers(each: Column) -> tuple[str, ...]:
    values = (each.mean, each.deviation, each.low, each.high)
    least = 1e-6 * max(abs(each.low), abs(each.high))  # what rounding left of a zero
    values = tuple(0.0 if abs(value) < least else value for value in values)
    words = [short(value, 3) if np.isfinite(value) else "–" for value in values]
    return (*words, f"{each.missing:,}" if each.missing else "–")


def _spoken(each: Column) -> str:
    return f"{each.name or 'values'}, mean {short(each.mean, 3)}, deviation {short(each.deviation, 3)}"
