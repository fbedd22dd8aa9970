"""The canvas' few fonts, made once: painting asks for them many times in a frame."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QFont, QFontMetricsF

from gui.fonts import mono_font, ui_font
from gui.theme import CAPTION_PX, TEXT_PX


@cache
def text(px: int = TEXT_PX, weight: int = 400) -> QFont:
    """Return the font of titles and words; ``weight`` is 400, 500 or 600."""
    return ui_font(px, weight)


def caption() -> QFont:
    """Return the font of captions and units."""
    return text(CAPTION_PX)


@cache
def mono(px: int = 11) -> QFont:
    """Return the font of shapes; whole pixels, so that it is as large in a picture as on the screen."""
    return mono_font(px)


@cache
def _metrics(px: int, weight: int, fixed: bool) -> QFontMetricsF:
    return QFontMetricsF(mono(px) if fixed else text(px, weight))


def text_metrics(px: int = TEXT_PX, weight: int = 400) -> QFontMetricsF:
    """Return the measures of ``text(px, weight)``."""
    return _metrics(px, weight, False)


def mono_metrics(px: int = 11) -> QFontMetricsF:
    """Return the measures of ``mono(px)``."""
    return _metrics(px, 400, True)
