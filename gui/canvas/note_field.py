"""Editing the text of a note or a frame in place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.graph.marks import LONGEST_TEXT
from gui.canvas import fonts
from gui.theme import Theme


class NoteField(QPlainTextEdit):
    """A field over a comment while its text is edited.

    Leaving it or Ctrl+Enter keeps the text, Escape does not.
    """

    edited = Signal(str, str)
    """The comment's id and its new text."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self._comment = ""
        self._before = ""
        self.setObjectName("noteField")
        self.setAccessibleName("Text of the note, in Markdown")
        self.setTabChangesFocus(True)
        self.installEventFilter(self)
        self.hide()

    def open(self, id: str, text: str, box: QRectF, theme: Theme) -> None:
        """Edit the text of a comment in a box of the parent."""
        self._comment, self._before = id, text
        self.setFont(fonts.text())
        self.setStyleSheet(
            f"#noteField {{ background: {theme.field}; color: {theme.text};"
            f" border: 1px solid {theme.accent}; border-radius: 8px; padding: 6px 8px; }}"
        )
        self.setPlaceholderText("Markdown: # Title, **bold**, - list, `code`")
        self.setGeometry(box.toRect())
        self.setPlainText(text)
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def keep(self) -> None:
        """Close the field and keep what was typed."""
        id, self._comment = self._comment, ""
        if id:  # also called when hiding takes the focus away
            self.hide()
            text = self.toPlainText()[:LONGEST_TEXT]
            if text != self._before:
                self.edited.emit(id, text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:  # its own menu
            self.keep()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # while one types, no key is a command of the window
            return True
        if event.type() == QEvent.Type.KeyPress:
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if event.key() == Qt.Key.Key_Escape:
                self._comment = ""
                self.hide()
            elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.keep()
            else:
                return False
            self.parentWidget().setFocus()
            return True
        return False
