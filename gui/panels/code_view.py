"""Read-only Python with colors of the theme, line numbers and marked lines."""

from __future__ import annotations

from collections.abc import Iterable

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui.bench import Bench
from gui.fonts import mono_font
from gui.theme import CATEGORY, CODE_PX, Theme

_LEXER = PythonLexer(stripnl=False, ensurenl=False)


def _colors(theme: Theme) -> dict:
    """The color of each kind of token; a token takes that of its nearest ancestor."""
    violet = CATEGORY["Normalization"]
    return {
        Comment: theme.color("muted"),
        Keyword: theme.color(violet).lighter(110) if theme.dark else theme.color(violet).darker(145),
        Operator.Word: theme.color(violet).lighter(110) if theme.dark else theme.color(violet).darker(145),
        String: theme.color("ok"),
        Literal.String.Doc: theme.color("muted"),
        Number: theme.color("warning"),
        Name.Function: theme.color("accent"),
        Name.Class: theme.color("accent"),
        Name.Builtin.Pseudo: theme.color("muted"),
    }


class Highlighter(QSyntaxHighlighter):
    """Colors a whole text that was tokenized once, so that strings over several lines are right."""

    def __init__(self, view: QPlainTextEdit, theme: Theme):
        super().__init__(view.document())
        self._spans: dict[int, list[tuple[int, int, object]]] = {}
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Use the colors of a theme."""
        self._formats = {}
        for token, color in _colors(theme).items():
            self._formats[token] = QTextCharFormat()
            self._formats[token].setForeground(color)
        self.rehighlight()

    def read(self, text: str) -> list[int]:
        """Find the tokens of a text, and return the lines, from 0, that are colored otherwise now."""
        before, self._spans = self._spans, {}
        line, column = 0, 0
        for _, token, value in _LEXER.get_tokens_unprocessed(text):
            for number, part in enumerate(value.split("\n")):
                if number:
                    line, column = line + 1, 0
                if part:
                    self._spans.setdefault(line, []).append((column, len(part), token))
                    column += len(part)
        return [each for each in range(line + 1) if before.get(each) != self._spans.get(each)]

    def highlightBlock(self, text: str) -> None:
        for start, length, token in self._spans.get(self.currentBlock().blockNumber(), ()):
            while token not in self._formats and token.parent is not None:
                token = token.parent
            if token in self._formats:
                self.setFormat(start, length, self._formats[token])


class CodeView(QPlainTextEdit):
    """Shows code; ``line_clicked`` carries the line, counted from 1."""

    line_clicked = Signal(int)

    def __init__(self, bench: Bench, kind: str = "page", numbers: bool = True, parent: QWidget | None = None):
        super().__init__(parent)
        self.setProperty("kind", kind)
        self.setReadOnly(True)
        self.setFont(mono_font(CODE_PX))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(8)
        self._theme = bench.theme
        self._marked: tuple[int, ...] = ()
        self._pressed: tuple[int, int] | None = None
        self._highlighter = Highlighter(self, bench.theme)
        self._gutter = _Gutter(self) if numbers else None
        if self._gutter:
            self.updateRequest.connect(lambda rect, dy: self._gutter.update())
            self.blockCountChanged.connect(lambda count: self._place_gutter())
            self._place_gutter()
        bench.theme_changed.connect(self._set_theme)

    def set_code(self, text: str) -> None:
        """Show code; the place that was scrolled to stays."""
        text = text.rstrip("\n")
        if text == self.toPlainText():
            return
        bars = self.verticalScrollBar(), self.horizontalScrollBar()
        places = [bar.value() for bar in bars]
        self._highlighter.read(text)
        self.setPlainText(text)
        self._mark()
        for bar, place in zip(bars, places, strict=True):
            bar.setValue(place)

    @property
    def marked(self) -> tuple[int, ...]:
        """The lines that are marked, counted from 1."""
        return self._marked

    def mark(self, lines: Iterable[int], reveal: bool = False) -> None:
        """Mark lines over the full width; ``reveal`` scrolls to the first of them if none is in view."""
        self._marked = tuple(sorted(lines))
        self._mark()
        if reveal and self._marked and not any(self._in_view(line) for line in self._marked):
            cursor = QTextCursor(self.document().findBlockByNumber(self._marked[0] - 1))
            self.setTextCursor(cursor)
            self.centerCursor()

    def height_of_lines(self, count: int) -> int:
        """Return the height in pixels that shows this many lines without scrolling."""
        return round(count * self.fontMetrics().lineSpacing() + 2 * self.document().documentMargin()) + 2

    def _in_view(self, line: int) -> bool:
        block = self.document().findBlockByNumber(line - 1)
        box = self.blockBoundingGeometry(block).translated(self.contentOffset())
        return box.isValid() and box.top() >= 0 and box.bottom() <= self.viewport().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        for line in self._marked:  # an extra selection would leave the margins out
            block = self.document().findBlockByNumber(line - 1)
            if block.isValid():
                box = self.blockBoundingGeometry(block).translated(self.contentOffset())
                wide = QRectF(0, box.top(), self.viewport().width(), box.height())
                painter.fillRect(wide, self._theme.color("selection"))
        painter.end()
        super().paintEvent(event)

    def _mark(self) -> None:
        self.viewport().update()
        if self._gutter:
            self._gutter.update()

    def _set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._highlighter.set_theme(theme)
        self._mark()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed = (round(event.position().x()), round(event.position().y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        near = self._pressed and abs(place.x() - self._pressed[0]) + abs(place.y() - self._pressed[1]) < 4
        still = near and self.isReadOnly() and not self.textCursor().hasSelection()
        if event.button() == Qt.MouseButton.LeftButton and still:
            self.line_clicked.emit(self.cursorForPosition(place).blockNumber() + 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and getattr(self, "_gutter", None):
            self._place_gutter()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._gutter:
            self._place_gutter()

    def _place_gutter(self) -> None:
        width = self._gutter.sizeHint().width()
        self.setViewportMargins(width, 0, 0, 0)
        box = self.contentsRect()
        self._gutter.setGeometry(QRect(box.left(), box.top(), width, box.height()))

    def number_color(self, number: int) -> str:
        """Return the role of a line number's color."""
        return "text" if number in self._marked else "muted"

    def paint_numbers(self, event: QPaintEvent) -> None:
        """Draw the line numbers in view into the gutter."""
        painter = QPainter(self._gutter)
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= event.rect().bottom():
            height = self.blockBoundingRect(block).height()
            number = block.blockNumber() + 1
            painter.setPen(self._theme.color(self.number_color(number)))
            line = min(round(height), self.fontMetrics().lineSpacing())  # the last block has the margin too
            box = QRect(0, round(top), self._gutter.width() - 8, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))
            block, top = block.next(), top + height


class _Gutter(QWidget):
    def __init__(self, view: CodeView):
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        digits = max(2, len(str(self._view.blockCount())))
        return QSize(20 + self._view.fontMetrics().horizontalAdvance("9") * digits, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_numbers(event)
