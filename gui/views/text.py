"""Words and numbers on a view: formats, and one line of text in several tones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import floor, isfinite, log10

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from gui.fonts import ui_font
from gui.theme import CAPTION_PX, TEXT_PX, Theme


@cache
def font(px: float = CAPTION_PX, weight: int = 400) -> QFont:
    """Return a font of the views, made once."""
    return ui_font(px, weight)


@cache
def metrics(px: float = CAPTION_PX, weight: int = 400) -> QFontMetricsF:
    """Return the metrics of a font of the views."""
    return QFontMetricsF(font(px, weight))


def number(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant ones and a true minus sign: 0.182, 12.4, 1.2e−05."""
    if not isfinite(value):
        return "not a number" if value != value else "infinity" if value > 0 else "−infinity"
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    text = f"{value:.{digits - 1}e}" if size < -4 or size > 6 else f"{value:.{max(0, digits - 1 - size)}f}"
    return text.replace("-", "−")


def short(value: float, digits: int = 2) -> str:
    """Return a number without zeros at its end, for scales and settings: −2.1, 0.35, 0.002."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def percent(share: float, decimals: int = 1) -> str:
    """Return a share from 0 to 1 as percent: 94.1 %."""
    return f"{100 * share:.{decimals}f} %" if isfinite(share) else "not a number"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line.

    ``tone`` is a token of the theme or a color, ``swatch`` the tone of a short line before the words,
    ``dashed`` or not.
    """

    text: str
    tone: str = "muted"
    weight: int = 400
    swatch: str = ""
    dashed: bool = False

    def width(self, px: float = CAPTION_PX) -> float:
        """The width of the piece in pixels."""
        return metrics(px, self.weight).horizontalAdvance(self.text) + (SWATCH + 5 if self.swatch else 0)


SWATCH = 8
"""Width of the short line before a legend's words."""


def heading(strong: str, rest: str = "") -> list[Part]:
    """Return "conv2 activations · 16 maps" as parts."""
    return [Part(strong, "text", 600), *([Part(f" · {rest}")] if rest else [])]


def draw_parts(
    painter: QPainter, rect: QRectF, parts: Sequence[Part], theme: Theme, px: float = CAPTION_PX
) -> float:
    """Draw parts one after the other in one line, elided at the right end; return where they end."""
    x = rect.left()
    for part in parts:
        room = rect.right() - x
        if room < 12:
            break
        if part.swatch:
            piece = (SWATCH - 3) / 2 if part.dashed else SWATCH
            for left in {x, x + SWATCH - piece}:
                painter.fillRect(QRectF(left, rect.center().y() - 1, piece, 2), theme.color(part.swatch))
            x += SWATCH + 5
            room -= SWATCH + 5
        measure = metrics(px, part.weight)
        text, width = part.text, measure.horizontalAdvance(part.text)
        if width > room + 0.5:
            text = measure.elidedText(part.text, Qt.TextElideMode.ElideRight, room)
            width = room
        painter.setFont(font(px, part.weight))
        painter.setPen(theme.color(part.tone))
        painter.drawText(QRectF(x, rect.top(), width + 4, rect.height()), Qt.AlignmentFlag.AlignVCenter, text)
        x += width
    return x


def draw_note(painter: QPainter, rect: QRectF, text: str, theme: Theme, tone: str = "muted") -> None:
    """Draw a sentence in the middle of a view, wrapped."""
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    width = min(rect.width() - 24, 300)
    box = QRectF(rect.center().x() - width / 2, rect.top(), width, rect.height())
    painter.setFont(font(TEXT_PX))
    painter.setPen(theme.color(tone))
    painter.drawText(box, int(flags), text)
