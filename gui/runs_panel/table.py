"""The table of runs: one row each, sorted by any column, the state as a dot beside its word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from engine.runs.library import Entry
from engine.runs.words import duration_text, main_metric, metrics_text, number_text, state_text, when_text
from engine.training.status import lower_is_better
from gui import style
from gui.fonts import ui_font
from gui.theme import CAPTION_PX, TEXT_PX

ENTRY = Qt.ItemDataRole.UserRole
ROW = 34
TONES = {
    "running": "accent",
    "starting": "accent",
    "paused": "warning",
    "done": "ok",
    "stopped": "muted",
    "failed": "error",
    "interrupted": "warning",
}
"""The color of each state, a token of the theme."""


@dataclass(frozen=True)
class Column:
    """A column: its title, what it says of a run, what it is sorted by, how wide it is.

    One that ``needs`` more room than the table has is hidden.
    """

    title: str
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    width: int
    needs: int = 0
    right: bool = False
    falls: bool = False
    """Whether the first click puts the large ones first."""


def steps_text(entry: Entry) -> str:
    """Return how far a run came: of one that is not done, out of how many steps."""
    status = entry.status
    if entry.state == "done" or not status.steps:
        return f"{status.step:,}"
    return f"{status.step:,} of {status.steps:,}"


def _best(entry: Entry) -> tuple[bool, float]:
    """The main metric such that the better run has the larger key; a run without one has the least."""
    name = main_metric(entry.status)
    value = entry.status.best[name][0] if name else 0.0
    return bool(name), -value if lower_is_better(name) else value


COLUMNS: tuple[Column, ...] = (
    Column("State", lambda e: state_text(e.state), lambda e: state_text(e.state), 104),
    Column("Name", lambda e: e.name, lambda e: e.name.lower(), 150),
    Column("Network", lambda e: e.network, lambda e: e.network.lower(), 120, needs=860),
    Column("When", lambda e: when_text(e.begun), lambda e: e.begun, 116, falls=True),
    Column("Steps", steps_text, lambda e: e.status.step, 104, needs=760, right=True, falls=True),
    Column("Best", lambda e: metrics_text(e.status, most=1), _best, 158, falls=True),
    Column(
        "Took",
        lambda e: duration_text(e.status.seconds),
        lambda e: e.status.seconds,
        84,
        needs=660,
        right=True,
        falls=True,
    ),
    Column("Tags", lambda e: "  ".join(e.tags), lambda e: e.tags, 110, needs=900),
)
NAME, WHEN, BEST = 1, 3, 5
VALUE = 60
"""Pixels that a number takes."""


class RunsModel(QAbstractTableModel):
    """The runs that are shown, in the order of a column."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.entries: list[Entry] = []
        self._column, self._falling = WHEN, True

    def show(self, entries: Sequence[Entry]) -> bool:
        """Show these runs; return whether rows came, went or moved."""
        ordered = self._sorted(entries)
        if [entry.path for entry in ordered] == [entry.path for entry in self.entries]:
            pairs = zip(self.entries, ordered, strict=True)
            changed = [row for row, (old, new) in enumerate(pairs) if old != new]
            self.entries = ordered
            for n in changed:
                self.dataChanged.emit(self.index(n, 0), self.index(n, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self.entries = ordered
        self.endResetModel()
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        self._column, self._falling = column, order == Qt.SortOrder.DescendingOrder
        self.show(self.entries)

    def _sorted(self, entries: Sequence[Entry]) -> list[Entry]:
        newest = sorted(entries, key=lambda entry: entry.begun, reverse=True)
        return sorted(newest, key=COLUMNS[self._column].key, reverse=self._falling)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.entries):
            return None
        entry, column = self.entries[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(entry)
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.status.message or metrics_text(entry.status, most=12) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title}: {column.text(entry)}"
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section].title
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if COLUMNS[section].right else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None


class RunRows(QStyledItemDelegate):
    """Paints a cell: quiet words, the name in the color of text, the state behind its dot."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(COLUMNS[index.column()].width, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        theme, box = style.current(), QRect(option.rect)
        column, entry = COLUMNS[index.column()], index.data(ENTRY)
        if entry is None:
            return
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, theme.color("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, theme.color(style.mix(theme.panel, theme.text, 0.04)))
        inner = box.adjusted(8, 0, -8, 0)
        if index.column() == 0:
            tone = TONES.get(entry.state, "muted")
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone))
            painter.drawEllipse(QRectF(inner.left(), inner.center().y() - 3, 7, 7))
            inner.adjust(15, 0, 0, 0)
            if entry.going and entry.status.steps:
                self._paint_share(painter, box, entry)
        named = index.column() == NAME
        painter.setFont(ui_font(TEXT_PX if named else CAPTION_PX + 1, 500 if named else 400))
        painter.setPen(theme.color("text" if named or index.column() in (0, BEST) else "muted"))
        if index.column() == BEST:
            self._paint_best(painter, inner, entry)
            painter.restore()
            return
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        words = painter.fontMetrics().elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, inner.width()
        )
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def _paint_best(self, painter: QPainter, box: QRect, entry: Entry) -> None:
        """The number first, because it is what one compares; then what it is of."""
        name = main_metric(entry.status)
        if not name:
            return
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, left, number_text(entry.status.best[name][0]))
        painter.setPen(style.current().color("muted"))
        rest = box.adjusted(VALUE, 0, 0, 0)
        words = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, rest.width())
        painter.drawText(rest, left, words)

    def _paint_share(self, painter: QPainter, box: QRect, entry: Entry) -> None:
        """How much of a run is done, as a thin bar below its state."""
        theme = style.current()
        bar = QRectF(box.left() + 23, box.bottom() - 5, box.width() - 35, 2)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(bar, 1, 1)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * entry.status.share, 2), 1, 1)


class RunsTable(QTableView):
    """``chosen`` says that others are selected; ``opened`` and ``deleted`` what Enter and Del ask for."""

    chosen = Signal()
    opened = Signal()
    deleted = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.runs = RunsModel(self)
        self.setModel(self.runs)
        self.setItemDelegate(RunRows(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Runs")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setFont(ui_font(CAPTION_PX + 0.5, 500))
        header.setMinimumSectionSize(60)
        for n, column in enumerate(COLUMNS):
            header.resizeSection(n, column.width)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicatorShown(False)
        header.setSectionsClickable(True)
        header.sectionClicked.connect(self._sort)
        self._by, self._falls = WHEN, True
        self.selectionModel().selectionChanged.connect(self._tell)
        self.doubleClicked.connect(lambda _: self.opened.emit())
        self._quiet = False

    @property
    def selected(self) -> list[Entry]:
        """The chosen runs, from top to bottom."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.runs.entries[row] for row in rows if row < len(self.runs.entries)]

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these runs; those that were chosen stay chosen."""
        before, paths = self.selected, {entry.path for entry in self.selected}
        place = self.verticalScrollBar().value()
        self._quiet = True
        if self.runs.show(entries):
            self.choose(paths)
            self.verticalScrollBar().setValue(place)
        self._quiet = False
        if self.selected != before:
            self.chosen.emit()

    def choose(self, paths: set[Path] | Sequence[Path]) -> None:
        """Select the rows of these runs."""
        selection, first = QItemSelection(), None
        for row, entry in enumerate(self.runs.entries):
            if entry.path in paths:
                index = self.runs.index(row, 0)
                first = first or index
                selection.select(index, self.runs.index(row, len(COLUMNS) - 1))
        model = self.selectionModel()
        if first is not None:
            model.setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)
        model.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for n, column in enumerate(COLUMNS):
            self.setColumnHidden(n, self.viewport().width() < column.needs)

    def _sort(self, column: int) -> None:
        self._falls = not self._falls if column == self._by else COLUMNS[column].falls
        self._by = column
        paths = {entry.path for entry in self.selected}
        self._quiet = True
        self.runs.sort(column, Qt.SortOrder.DescendingOrder if self._falls else Qt.SortOrder.AscendingOrder)
        self.choose(paths)
        self._quiet = False

    def _tell(self, *_: object) -> None:
        if not self._quiet:
            self.chosen.emit()
