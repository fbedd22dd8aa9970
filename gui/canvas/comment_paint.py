"""How frames and notes are painted: the same for the canvas and for a picture."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QPainter,
    QPalette,
    QPen,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)

from engine.graph.document import Comment
from gui.canvas import fonts
from gui.style import mix
from gui.theme import CAPTION_PX, CODE_PX, COMMENT, NODE_RADIUS, Theme

HEAD = 32.0
"""Height of a frame's title."""
PAD = 14.0
TEXT_FROM = 0.42
"""Scale from which the text of a note can be read."""
_DIALECT = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
_LEFT, _MIDDLE = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter


def body_of(comment: Comment) -> QRectF:
    """Return the box that a comment covers at its own origin: a note grows with its text."""
    _, _, width, height = comment.box
    if comment.kind == "note":
        height = max(height, text_of(comment.text, width).size().height() + 2 * PAD - 4)
    return QRectF(0, 0, width, height)


def fill_of(comment: Comment, theme: Theme) -> str:
    """Return the color of a comment's ground."""
    ground = theme.canvas if comment.kind == "frame" else theme.panel
    return mix(ground, COMMENT[comment.color], 0.1 if theme.dark else 0.09)


def ground_of(label: QRectF, comments: Iterable[Comment], theme: Theme) -> str:
    """Return the color that a wire's label stands on: that of the smallest frame around it, or the canvas."""
    at = label.center()
    around = [each for each in comments if each.kind == "frame" and QRectF(*each.box).contains(at)]
    smallest = min(around, key=lambda each: each.box[2] * each.box[3], default=None)
    return fill_of(smallest, theme) if smallest is not None else theme.canvas


class _Text(QTextDocument):
    """Markdown that loads nothing: neither pictures of the web nor files."""

    def loadResource(self, kind: int, name: QUrl) -> object:
        return None


@lru_cache(maxsize=256)
def text_of(text: str, width: float, theme: Theme | None = None) -> QTextDocument:
    """Return a note's text laid out for a note of a width; raw HTML is shown as it was typed."""
    document = _Text()
    document.setUndoRedoEnabled(False)
    document.setDocumentMargin(0)
    document.setDefaultFont(fonts.text())
    document.setIndentWidth(18)
    document.setMarkdown(text, _DIALECT)
    _style(document, theme)
    document.setTextWidth(max(width - 2 * PAD, 40))
    return document


def _style(document: QTextDocument, theme: Theme | None) -> None:
    """Give headings the house's sizes, code its font, links their color, blocks their distance."""
    cursor = QTextCursor(document)
    block = document.begin()
    first = True
    while block.isValid():
        level = block.blockFormat().headingLevel()
        cursor.setPosition(block.position())
        shape = block.blockFormat()
        listed = block.textList() is not None
        shape.setTopMargin(0 if first else 2 if listed else 10 if level else 6)
        shape.setBottomMargin(0)
        shape.setLineHeight(130, 1)  # percent
        cursor.setBlockFormat(shape)
        runs = [each.fragment() for each in _each(block)]
        for run in runs:
            look = QTextCharFormat(run.charFormat())
            fixed = look.fontFixedPitch() or "mono" in str(look.fontFamilies()).lower()
            if level:
                look.setFont(fonts.text({1: 17, 2: 15}.get(level, 13), 600))
            elif fixed:
                look.setFont(fonts.mono(round(CODE_PX)))
            elif look.fontWeight() > 500:
                font = QFont(fonts.text(weight=600))
                font.setItalic(look.fontItalic())
                look.setFont(font)
            if theme is not None and look.isAnchor():
                look.setForeground(theme.color("accent"))
            cursor.setPosition(run.position())
            cursor.setPosition(run.position() + run.length(), QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(look)
        first = False
        block = block.next()


def _each(block: object) -> list:
    iterator, found = block.begin(), []
    while not iterator.atEnd():
        found.append(iterator)
        iterator = type(iterator)(iterator)
        iterator += 1
    return found


def paint_frame(
    painter: QPainter, comment: Comment, theme: Theme, scale: float = 1.0, selected: bool = False
) -> None:
    """Paint a frame at its own origin: a quiet ground, its title above, perhaps a line of text."""
    box = body_of(comment)
    color = COMMENT[comment.color]
    edge = theme.accent if selected else mix(theme.canvas, color, 0.42)
    painter.setPen(QPen(theme.color(edge), 2 if selected else 1.2))
    painter.setBrush(QColor(fill_of(comment, theme)))
    painter.drawRoundedRect(box, NODE_RADIUS + 2, NODE_RADIUS + 2)
    if scale < TEXT_FROM / 2:
        return
    px = round(min(max(14.0, 14 / scale), 26.0)) if scale < 1 else 14  # from afar one looks for the title
    metrics = fonts.text_metrics(px, 600)
    words = box.adjusted(PAD, 0, -PAD, 0)
    words.setHeight(HEAD + 4)
    painter.setFont(fonts.text(px, 600))
    painter.setPen(theme.color(mix(theme.text, color, 0.35)))
    title = metrics.elidedText(comment.title, Qt.TextElideMode.ElideRight, words.width())
    painter.drawText(words, _LEFT | _MIDDLE, title)
    if comment.text and scale >= TEXT_FROM:
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(text_box(comment), _LEFT | Qt.TextFlag.TextWordWrap, comment.text)


def paint_title_far(painter: QPainter, comment: Comment, box: QRectF, theme: Theme) -> None:
    """Paint a frame's title into a box of pixels, where nothing else can be read."""
    metrics = fonts.text_metrics(CAPTION_PX, 600)
    title = metrics.elidedText(comment.title, Qt.TextElideMode.ElideRight, box.width())
    if box.width() < 48 or not title:
        return
    painter.setFont(fonts.text(CAPTION_PX, 600))
    painter.setPen(theme.color(mix(theme.text, COMMENT[comment.color], 0.35)))
    painter.drawText(box, _LEFT | _MIDDLE, title)


def text_box(comment: Comment) -> QRectF:
    """Return where the text of a frame stands, at its own origin: below its title, or beside a short one."""
    width, height = comment.box[2:]
    line = fonts.text_metrics(CAPTION_PX).lineSpacing()
    title = fonts.text_metrics(14, 600).horizontalAdvance(comment.title) + 14 if comment.title else 0.0
    if title < width / 2:
        return QRectF(PAD + title, 11, width - 2 * PAD - title, line * 2 + 2)
    return QRectF(PAD, HEAD, width - 2 * PAD, min(line * 2 + 2, max(height - HEAD, 0)))


def paint_note(
    painter: QPainter, comment: Comment, theme: Theme, scale: float = 1.0, selected: bool = False
) -> None:
    """Paint a note at its own origin; from afar its text gives way to lines."""
    box = body_of(comment)
    color = COMMENT[comment.color]
    edge = theme.accent if selected else mix(theme.line, color, 0.35)
    painter.setPen(QPen(theme.color(edge), 2 if selected else 1.2))
    painter.setBrush(QColor(fill_of(comment, theme)))
    painter.drawRoundedRect(box, 8, 8)
    if scale < TEXT_FROM:
        _paint_lines(painter, box, QColor(mix(fill_of(comment, theme), theme.muted, 0.45)))
        return
    document = text_of(comment.text, box.width(), theme)
    look = QAbstractTextDocumentLayout.PaintContext()
    look.palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
    look.palette.setColor(QPalette.ColorRole.Link, theme.color("accent"))
    painter.save()
    painter.translate(PAD, PAD - 2)
    painter.setClipRect(QRectF(QPointF(-4, -4), QSizeF(box.width() - 2 * PAD + 8, box.height())))
    document.documentLayout().draw(painter, look)
    painter.restore()


def _paint_lines(painter: QPainter, box: QRectF, color: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    inner = box.adjusted(PAD, PAD, -PAD, -PAD)
    for n in range(min(int(inner.height() // 18) + 1, 12)):
        share = (0.6, 1.0, 0.9, 0.75)[n % 4]
        painter.drawRect(QRectF(inner.left(), inner.top() + 18 * n, inner.width() * share, 5))


def link_at(comment: Comment, at: QPointF) -> str:
    """Return the address of the link of a note under a point at its own origin, or an empty text."""
    if comment.kind != "note":
        return ""
    return text_of(comment.text, comment.box[2]).documentLayout().anchorAt(at - QPointF(PAD, PAD - 2))
