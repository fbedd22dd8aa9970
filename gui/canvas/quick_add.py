"""The palette at the pointer: type a few letters, press Enter, and the layer is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
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

from engine import catalogue
from engine.layers.declaration import Layer
from gui.canvas import fonts
from gui.theme import CAPTION_PX, CATEGORY, RADIUS, Theme

WIDTH, ROW, ROWS = 300, 40, 7
_LAYER = Qt.ItemDataRole.UserRole


class QuickAdd(QFrame):
    """A search field over a list; ``chosen`` carries the type, ``closed`` says that it went away."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("quickAdd")
        self._fits: Callable[[Layer], bool] = _anything
        self.offer: Callable[[], Iterable[Layer]] = catalogue.layers().values
        """Gives all that can be added."""
        self.prompt = QLabel()
        self.field = QLineEdit()
        self.field.setAccessibleName("Search layers")
        self.field.setPlaceholderText("Search layers")
        self.list = QListWidget()
        self.list.setAccessibleName("Layers")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self._rows = _Rows(self.list)
        self.list.setItemDelegate(self._rows)
        self.nothing = QLabel()
        self.nothing.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for widget in (self.prompt, self.field, self.list, self.nothing):
            layout.addWidget(widget)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(lambda item: self._choose(item))
        self.setFixedWidth(WIDTH)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Take on the colors of a theme."""
        self._rows.theme = theme
        self.setStyleSheet(
            f"#quickAdd {{ background: {theme.raised}; border: 1px solid {theme.line};"
            f" border-radius: {RADIUS + 3}px; }}"
            f"#quickAdd QLabel {{ color: {theme.muted}; background: transparent; padding: 2px 4px 0 4px; }}"
            f"#quickAdd QListWidget {{ background: transparent; border: none; outline: none; }}"
        )

    def open(self, at: QPoint, fits: Callable[[Layer], bool] | None = None, prompt: str = "") -> None:
        """Show the palette with its field at a point of the parent; ``fits`` filters the layers."""
        self._fits = fits or _anything
        self.prompt.setText(prompt)
        self.prompt.setVisible(bool(prompt))
        self.field.clear()
        self._search("")
        self.show()
        self._keep_inside(at - QPoint(24, 24))
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        """Go away without adding anything."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def types(self) -> list[str]:
        """Return the types in the list, as they stand."""
        return [self.list.item(row).data(_LAYER).type for row in range(self.list.count())]

    def _search(self, text: str) -> None:
        found = [layer for layer in catalogue.search(text, self.offer()) if self._fits(layer)]
        if not text and self._fits is not _anything:
            found.sort(key=lambda layer: layer.role == "output")  # seldom what a loose wire wants next
        self.list.clear()
        for layer in found:
            item = QListWidgetItem(layer.label, self.list)
            item.setData(_LAYER, layer)
            item.setToolTip(layer.doc)
        self.list.setCurrentRow(0)
        self.list.setFixedHeight(max(min(len(found), ROWS), 1) * ROW)
        self.list.setVisible(bool(found))
        self.nothing.setText(f"No layer answers to “{text}”." if text else "No layer fits here.")
        self.nothing.setVisible(not found)
        self.adjustSize()

    def _keep_inside(self, at: QPoint) -> None:
        self.adjustSize()
        room = self.parentWidget().size() - self.size()
        self.move(max(4, min(at.x(), room.width() - 4)), max(4, min(at.y(), room.height() - 4)))

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.hide()
            self.chosen.emit(item.data(_LAYER).type)
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.close_palette()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.close_palette()
            self.parentWidget().setFocus()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentItem())
        elif event.key() in steps:
            last = self.list.count() - 1
            self.list.setCurrentRow(max(0, min(self.list.currentRow() + steps[event.key()], last)))
        else:
            return False
        return True


class _Rows(QStyledItemDelegate):
    """A dot, the name, the category at the right, and a line of what the layer does."""

    theme: Theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(WIDTH - 16, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        layer: Layer = index.data(_LAYER)
        theme, box = self.theme, QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(theme.color("selection"))
            painter.drawRoundedRect(box.adjusted(0, 1, -1, -1), RADIUS, RADIUS)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("text", 12))
            painter.drawRoundedRect(box.adjusted(0, 1, -1, -1), RADIUS, RADIUS)
        painter.setBrush(QColor(CATEGORY.get(layer.category, CATEGORY["Shape"])))
        painter.drawRoundedRect(QRectF(box.left() + 9, box.top() + 8, 9, 9), 2.5, 2.5)
        words = box.adjusted(27, 4, -9, -4)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(fonts.text(weight=500))
        painter.setPen(theme.color("text"))
        painter.drawText(words, left | Qt.AlignmentFlag.AlignTop, layer.label)
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(words.adjusted(0, 2, 0, 0), right | Qt.AlignmentFlag.AlignTop, layer.category)
        doc = fonts.text_metrics(CAPTION_PX).elidedText(layer.doc, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, left | Qt.AlignmentFlag.AlignBottom, doc)
        painter.restore()


def _anything(layer: Layer) -> bool:
    return True
