"""A search field over a list, floating over its parent: type a few letters, press Enter."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui.theme import RADIUS, Theme

_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}
_LEAVE = (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)


class SearchPopup(QFrame):
    """What a kind of popup has to know: ``fill`` lists what answers to a text, ``take`` acts on a row.

    ``closed`` says that it went away. Rows that are not enabled stand at the end and are only shown.
    """

    closed = Signal()

    def __init__(self, parent: QWidget, placeholder: str, what: str, rows: PopupRows):
        super().__init__(parent)
        self.setObjectName("searchPopup")
        self.field = QLineEdit()
        self.field.setAccessibleName(placeholder)
        self.field.setPlaceholderText(placeholder)
        self.list = QListWidget()
        self.list.setAccessibleName(what)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self._rows = rows
        self._rows.setParent(self)
        self.list.setItemDelegate(self._rows)
        self.prompt, self.nothing = QLabel(), QLabel()
        self.nothing.setWordWrap(True)
        for text in (self.prompt, self.nothing):
            text.setTextFormat(Qt.TextFormat.PlainText)  # it quotes what was typed
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for widget in (self.prompt, self.field, self.list, self.nothing):
            layout.addWidget(widget)
        self.field.textChanged.connect(self.search)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._choose)
        self.hide()

    def fill(self, text: str) -> str:
        """Put the rows that answer to a text into the empty list; return what to say where there are none."""
        raise NotImplementedError

    def take(self, item: QListWidgetItem) -> None:
        """Do what a chosen row stands for; the popup is hidden already."""
        raise NotImplementedError

    def give_back_focus(self) -> None:
        """Let the keyboard go on where it was; it is the parent's unless a kind of popup knows better."""
        self.parentWidget().setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Take on the colors of a theme."""
        self._rows.theme = theme
        self.setStyleSheet(popup_style("searchPopup", theme))

    def open_at(self, at: QPoint, prompt: str = "") -> None:
        """Show it, empty, with its upper left corner at a point of the parent, or as near as it fits."""
        self.prompt.setText(prompt)
        self.prompt.setVisible(bool(prompt))
        self.field.clear()
        self.search("")
        self.show()
        self._keep_inside(at)
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Go away without choosing anything."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def search(self, text: str) -> None:
        """List what answers to a text."""
        self.list.clear()
        nothing = self.fill(text)
        count = self.list.count()
        self.list.setCurrentRow(0 if self._choosable() else -1)
        self.list.setFixedHeight(max(min(count, self._rows.most), 1) * self._rows.high)
        self.list.setVisible(bool(count))
        self.nothing.setText(nothing)
        self.nothing.setVisible(not count)
        self.adjustSize()

    def _choosable(self) -> int:
        """How many rows can be chosen; they stand first."""
        flags = (self.list.item(row).flags() for row in range(self.list.count()))
        return sum(bool(each & Qt.ItemFlag.ItemIsEnabled) for each in flags)

    def _keep_inside(self, at: QPoint) -> None:
        self.adjustSize()
        room = self.parentWidget().size() - self.size()
        self.move(max(4, min(at.x(), room.width() - 4)), max(4, min(at.y(), room.height() - 4)))

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.hide()
            self.take(item)
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.close_palette()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() in _LEAVE:
            self.close_palette()
            self.give_back_focus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentItem())
        elif event.key() in _STEPS:
            last = self._choosable() - 1
            row = max(0, min(self.list.currentRow() + _STEPS[event.key()], last))
            self.list.setCurrentRow(row if last >= 0 else -1)
        else:
            return False
        return True


class PopupRows(QStyledItemDelegate):
    """Rows of one height on a quiet ground; a kind of popup paints what stands in them."""

    theme: Theme
    wide, high, most = 300, 40, 7
    """Width of the popup and height of a row in pixels, and how many rows are in view."""

    def sizeHint(self, option: QStyleOptionViewItem, index: object) -> QSize:
        return QSize(40, self.high)

    def paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """Paint what is chosen or under the pointer; prepares the painter for smooth shapes."""
        theme, box = self.theme, QRectF(option.rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(theme.color("selection"))
            painter.drawRoundedRect(box.adjusted(0, 1, -1, -1), RADIUS, RADIUS)
        elif (
            option.state & QStyle.StateFlag.State_MouseOver and option.state & QStyle.StateFlag.State_Enabled
        ):
            painter.setBrush(theme.color("text", 12))
            painter.drawRoundedRect(box.adjusted(0, 1, -1, -1), RADIUS, RADIUS)


def popup_style(name: str, theme: Theme) -> str:
    """Return the style of a popup over the window, by its object name."""
    return (
        f"#{name} {{ background: {theme.raised}; border: 1px solid {theme.line};"
        f" border-radius: {RADIUS + 3}px; }}"
        f"#{name} QLabel {{ color: {theme.muted}; background: transparent; padding: 2px 4px 0 4px; }}"
        f"#{name} QListView {{ background: transparent; border: none; outline: none; }}"
    )
