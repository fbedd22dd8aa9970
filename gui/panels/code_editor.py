"""Code that can be typed into: indents by itself, colors follow, one line can be marked as wrong."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QTextEdit, QWidget

from gui.bench import Bench
from gui.panels.code_view import CodeView
from gui.theme import Theme

_INDENT = 4
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class CodeEditor(CodeView):
    """A view of code that becomes an editor and a view again.

    ``typed`` follows every change that the user makes, ``applied`` Ctrl+Enter and ``discarded`` Esc.
    """

    typed = Signal()
    applied = Signal()
    discarded = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent=parent)
        self._fault = 0
        self._colored = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._color)
        self.textChanged.connect(self._changed)

    @property
    def editing(self) -> bool:
        """Whether the code can be typed into."""
        return not self.isReadOnly()

    @property
    def fault(self) -> int:
        """The line that is marked as wrong, 0 for none."""
        return self._fault

    def set_editing(self, on: bool) -> None:
        """Begin or end to take what is typed."""
        self.setReadOnly(not on)
        flags = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(flags | Qt.TextInteractionFlag.TextEditable if on else flags)
        self.setProperty("editing", on)
        self.style().unpolish(self)
        self.style().polish(self)
        self.document().clearUndoRedoStacks()
        self._colored = self.toPlainText()
        self.set_fault(0)

    def set_fault(self, line: int) -> None:
        """Underline a line, counted from 1, as wrong; 0 for none."""
        self._fault = line
        selections = []
        block = self.document().findBlockByNumber(line - 1) if line else None
        if block is not None and block.isValid():
            each = QTextEdit.ExtraSelection()
            each.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            each.format.setUnderlineColor(self._theme.color("error"))
            text = block.text()
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + len(text) - len(text.lstrip()))
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            each.cursor = cursor
            each.format.setProperty(QTextFormat.Property.FullWidthSelection, False)
            selections.append(each)
        self.setExtraSelections(selections)
        self._mark()

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, counted from 1, and show it."""
        block = self.document().findBlockByNumber(line - 1)
        if line and block.isValid():
            self.setTextCursor(QTextCursor(block))
            self.centerCursor()

    def number_color(self, number: int) -> str:
        """Return the role of a line number's color."""
        return "error" if number == self._fault else super().number_color(number)

    # --- colors -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if self.editing and self.toPlainText() != self._colored:
            self._colored = self.toPlainText()
            self._soon.start()
            self.typed.emit()

    def _color(self) -> None:
        """Color what has changed; a quote may change every line below it."""
        for line in self._highlighter.read(self._colored):
            self._highlighter.rehighlightBlock(self.document().findBlockByNumber(line))

    def _set_theme(self, theme: Theme) -> None:
        super()._set_theme(theme)
        self.set_fault(self._fault)

    # --- keys ---------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self.editing and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        """Whether a key belongs to the editor, so that no action of the window takes it away."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return event.key() == Qt.Key.Key_Escape or (control and event.key() in _ENTER)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.editing:
            super().keyPressEvent(event)
            return
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        cursor = self.textCursor()
        if event.key() in _ENTER and control:
            self.applied.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.discarded.emit()
        elif event.key() in _ENTER:
            cursor.insertText("\n" + " " * self._indent_after(cursor))
            self.ensureCursorVisible()
        elif event.key() == Qt.Key.Key_Backtab:
            self._shift(cursor, -_INDENT)
        elif event.key() == Qt.Key.Key_Tab and cursor.hasSelection():
            self._shift(cursor, _INDENT)
        elif event.key() == Qt.Key.Key_Tab:
            cursor.insertText(" " * (_INDENT - cursor.positionInBlock() % _INDENT))
        elif event.key() == Qt.Key.Key_Backspace and not control and self._in_indent(cursor):
            for _ in range((cursor.positionInBlock() - 1) % _INDENT + 1):
                cursor.deletePreviousChar()
        else:
            super().keyPressEvent(event)

    def _indent_after(self, cursor: QTextCursor) -> int:
        """Return the spaces that the next line begins with: more after a colon, less after a return."""
        text = cursor.block().text()[: cursor.positionInBlock()]
        spaces = len(text) - len(text.lstrip(" "))
        if text.rstrip().endswith((":", "(", "[", "{")):
            return spaces + _INDENT
        return max(0, spaces - _INDENT) if text.lstrip().startswith("return") else spaces

    def _in_indent(self, cursor: QTextCursor) -> bool:
        before = cursor.block().text()[: cursor.positionInBlock()]
        return not cursor.hasSelection() and bool(before) and not before.strip(" ")

    def _shift(self, cursor: QTextCursor, spaces: int) -> None:
        """Indent the selected lines, or take that away."""
        document = self.document()
        first = document.findBlock(cursor.selectionStart()).blockNumber()
        last = document.findBlock(cursor.selectionEnd()).blockNumber()
        edit = QTextCursor(document)
        edit.beginEditBlock()
        for number in range(first, last + 1):
            block = document.findBlockByNumber(number)
            edit.setPosition(block.position())
            if spaces > 0 and block.text().strip():
                edit.insertText(" " * spaces)
            held = len(block.text()) - len(block.text().lstrip(" "))
            for _ in range(min(-spaces, held)):
                edit.deleteChar()
        edit.endEditBlock()
