"""Every step that was taken in the document, in a row; a click goes back to it, or on again."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QShowEvent
from PySide6.QtWidgets import QFrame, QListView, QStyleOptionViewItem, QWidget

from gui.bench import Bench
from gui.fonts import ui_font
from gui.store import Store
from gui.theme import CAPTION_PX, TEXT_PX, Theme
from gui.widgets.basic import Panel, column, label
from gui.widgets.search_popup import PopupRows

BEGINNING = "As it was opened"
_NOW, _UNDONE, _SAVED = (Qt.ItemDataRole.UserRole + n for n in range(3))


class HistoryPanel(Panel):
    """The undo stack of the document in front as a list, oldest first; the present step is marked."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._store = bench.store
        self.model = _Steps(bench.store, self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setAccessibleName("Steps, oldest first")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._rows = _Rows(self)
        self.list.setItemDelegate(self._rows)
        self._empty = label(
            "Every step that you take appears here. A click on one brings the network back to it.",
            "muted",
            wrap=True,
        )
        self._empty.setContentsMargins(8, 4, 8, 4)
        layout = column(self, 0)
        layout.setContentsMargins(6, 10, 2, 0)
        layout.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.list, 1)
        self.setFocusProxy(self.list)
        for signal in (self.list.clicked, self.list.activated):
            signal.connect(self._go)
        stack = bench.store.undo_stack
        for signal in (stack.indexChanged, stack.cleanChanged, bench.store.replaced):
            signal.connect(self._follow)
        bench.theme_changed.connect(self._set_theme)
        self._set_theme(bench.theme)
        self._show()

    def texts(self) -> list[str]:
        """Return the names of the steps, as they stand."""
        return [self.model.index(row).data() for row in range(self.model.rowCount())]

    def _follow(self, *_: object) -> None:
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        self.model.renew()
        steps = self.model.rowCount() > 1
        self._empty.setVisible(not steps)
        self.list.setVisible(steps)
        now = self.model.index(self._store.undo_stack.index())
        self.list.setCurrentIndex(now)
        self.list.scrollTo(now)

    def _go(self, index: QModelIndex) -> None:
        self._store.undo_stack.setIndex(index.row())

    def _set_theme(self, theme: Theme) -> None:
        self._rows.theme = theme
        self.list.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()


class _Steps(QAbstractListModel):
    """Row 0 is the document as it was opened, row n what the n-th step made of it."""

    def __init__(self, store: Store, parent: QWidget):
        super().__init__(parent)
        self._store = store

    def renew(self) -> None:
        """Tell that the steps are others."""
        self.beginResetModel()
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._store.undo_stack.count() + 1

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        stack, row = self._store.undo_stack, index.row()
        text = stack.text(row - 1) if row else BEGINNING
        saved = row == stack.cleanIndex() and self._store.session.path is not None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return text
            case Qt.ItemDataRole.ToolTipRole:
                return text
            case Qt.ItemDataRole.AccessibleTextRole:
                state = "present" if row == stack.index() else "undone" if row > stack.index() else ""
                return ", ".join(word for word in (text, state, "saved" if saved else "") if word)
        return {_NOW: row == stack.index(), _UNDONE: row > stack.index(), _SAVED: saved}.get(role)


class _Rows(PopupRows):
    """A dot on a line for each step: filled for what holds, ringed for now, hollow for what is undone."""

    high = 28

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        theme, box = self.theme, QRectF(option.rect)
        now, undone, saved = (index.data(role) for role in (_NOW, _UNDONE, _SAVED))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        self.paint_ground(painter, option)
        dot = QPointF(box.left() + 13, box.center().y())
        painter.setPen(QPen(theme.color("line"), 2))
        if index.row():
            painter.drawLine(QPointF(dot.x(), box.top()), dot - QPointF(0, 5))
        if index.row() + 1 < index.model().rowCount():
            painter.drawLine(dot + QPointF(0, 5), QPointF(dot.x(), box.bottom()))
        color = theme.color("accent" if now else "faint" if undone else "muted")
        painter.setPen(QPen(color, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush if undone else color)
        painter.drawEllipse(dot, 4.5 if now else 3, 4.5 if now else 3)
        words = box.adjusted(28, 0, -10, 0)
        if saved:
            painter.setFont(ui_font(CAPTION_PX))
            painter.setPen(theme.color("muted"))
            painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, "saved")
            words.setRight(words.right() - painter.fontMetrics().horizontalAdvance("saved") - 10)
        painter.setFont(ui_font(TEXT_PX, 500 if now else 400))
        painter.setPen(theme.color("faint" if undone else "text"))
        text = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()
