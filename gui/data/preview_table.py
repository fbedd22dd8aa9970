"""Rows of a batch as a table: what augmentation changes is told beside what it was."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from gui import style
from gui.bench import Bench
from gui.data.preview_look import Look, Shown, table_of
from gui.fonts import mono_font, ui_font
from gui.theme import CAPTION_PX

_WIDEST = 420
"""Pixels of a column, at most; longer texts are cut, and told as a tool tip."""

_ROLE = Qt.ItemDataRole


class _Rows(QAbstractTableModel):
    """The texts of a table, with the rows' numbers at the side."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.columns: list[Shown] = []
        self._places: list[str] = []

    def show_look(self, look: Look) -> None:
        self.beginResetModel()
        self.columns = table_of(look)
        numbers = range(1, look.count + 1) if look.places is None else look.places.tolist()
        self._places = [f"{place:,}" for place in numbers]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return len(self._places)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(self.columns)

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole) -> object:
        column = self.columns[index.column()]
        if role in (_ROLE.DisplayRole, _ROLE.AccessibleTextRole):
            return column.texts[index.row()].replace("\n", "⏎")
        if role == _ROLE.ToolTipRole:
            text = column.texts[index.row()]
            return text if len(text) > 40 else None
        if role == _ROLE.ForegroundRole and column.changed[index.row()]:
            return style.current().color("accent")
        if role == _ROLE.FontRole:
            return mono_font(CAPTION_PX)
        if role == _ROLE.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        return None

    def headerData(self, place: int, way: Qt.Orientation, role: int = _ROLE.DisplayRole) -> object:
        if role == _ROLE.DisplayRole:
            return self.columns[place].title if way == Qt.Orientation.Horizontal else self._places[place]
        if role == _ROLE.FontRole:
            return ui_font(CAPTION_PX, 500)
        if role == _ROLE.TextAlignmentRole and way == Qt.Orientation.Horizontal:
            return int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        return None


class BatchTable(QTableView):
    """A batch as a table, with the columns' names above and the rows' numbers beside."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.rows = _Rows(self)
        self.setModel(self.rows)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(23)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setHighlightSections(False)
            header.setSectionsClickable(False)
        self.setCornerButtonEnabled(False)
        self.setAccessibleName("Rows of the batch")
        bench.theme_changed.connect(lambda _: self.viewport().update())

    def show_look(self, look: Look) -> None:
        """Show other rows; the columns are as wide as they need."""
        self.rows.show_look(look)
        self.resizeColumnsToContents()
        for column in range(self.rows.columnCount()):
            self.setColumnWidth(column, min(self.columnWidth(column) + 14, _WIDEST))
