"""The command palette: everything that can be done, by its name, with its shortcut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QListWidgetItem, QStyleOptionViewItem, QWidget

from gui import icons
from gui.canvas import fonts
from gui.commands.command import Command, commands, remember
from gui.theme import CAPTION_PX, TEXT_PX
from gui.widgets.keycaps import caps_of, paint_caps, width_of
from gui.widgets.search_popup import PopupRows, SearchPopup

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_COMMAND = Qt.ItemDataRole.UserRole


class CommandPalette(SearchPopup):
    """Lists commands in the upper middle of the window; Enter runs one, Esc leaves."""

    def __init__(self, window: MainWindow):
        super().__init__(window, "What do you want to do?", "Commands", _Rows())
        self._window = window
        self._before: QWidget | None = None
        self.set_theme(window.bench.theme)
        window.bench.theme_changed.connect(self.set_theme)
        window.installEventFilter(self)

    def open(self) -> None:
        """Show everything that can be done; once more, go away."""
        if self.isVisible():
            self.close_palette()
            self.give_back_focus()
            return
        self._before = QApplication.focusWidget()
        self.open_at(self._corner())

    def shown(self) -> list[Command]:
        """Return the commands in the list, as they stand."""
        return [self.list.item(row).data(_COMMAND) for row in range(self.list.count())]

    def fill(self, text: str) -> str:
        for command in commands(self._window, text):
            item = QListWidgetItem(command.text, self.list)
            item.setData(_COMMAND, command)
            spoken = ", ".join(word for word in (command.text, command.where, command.keys) if word)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            if not command.enabled:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setToolTip("Not possible at the moment")
        return f"Nothing answers to “{text}”."

    def take(self, item: QListWidgetItem) -> None:
        command: Command = item.data(_COMMAND)
        remember(command)
        self.give_back_focus()
        command.call()

    def give_back_focus(self) -> None:
        before = self._before
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus()
        else:
            self._window.centralWidget().setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._window:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.move(self._corner())
        return False

    def _corner(self) -> QPoint:
        room = self._window.width()
        self.setFixedWidth(min(_Rows.wide, room - 32))
        return QPoint((room - self.width()) // 2, max(40, self._window.height() // 9))


class _Rows(PopupRows):
    """The text, a tick where it is on, what it belongs to, and its keys at the right."""

    wide, high, most = 580, 32, 12

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        command: Command = index.data(_COMMAND)
        theme, box = self.theme, QRectF(option.rect)
        painter.save()
        self.paint_ground(painter, option)
        words = box.adjusted(10, 0, -10, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        caps = caps_of(command.keys)
        paint_caps(painter, QPointF(words.right(), words.center().y()), caps, theme, not command.enabled)
        wide = width_of(caps)
        words.setRight(words.right() - (wide + 14 if wide else 0))
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted" if command.enabled else "faint"))
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, command.where)
        words.setRight(words.right() - fonts.text_metrics(CAPTION_PX).horizontalAdvance(command.where) - 14)
        if command.on:
            words.setRight(words.right() - icons.SIZE - 4)
        painter.setFont(fonts.text())
        painter.setPen(theme.color("text" if command.enabled else "faint"))
        metrics = fonts.text_metrics(TEXT_PX)
        text = metrics.elidedText(command.text, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, text)
        if command.on:
            at = QPointF(words.left() + metrics.horizontalAdvance(text) + 6, words.center().y() - 8)
            icons.paint_icon(painter, "check", theme.color("accent"), at.x(), at.y())
        painter.restore()
