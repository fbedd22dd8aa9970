"""The typefaces: the system's own on macOS and Windows, Inter elsewhere; numbers in tabular figures."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

FONTS = Path(__file__).parent / "assets" / "fonts"
_SYSTEM = sys.platform in ("darwin", "win32")
_WEIGHTS = {400: QFont.Weight.Normal, 500: QFont.Weight.Medium, 600: QFont.Weight.DemiBold}


@cache
def load_fonts() -> tuple[str, str]:
    """Register the bundled fonts once and return the families for text and for code.

    Needs a QGuiApplication. A font that cannot be read leaves the system's own in its place.
    """
    families = {
        family
        for path in sorted(FONTS.glob("*.[ot]tf"))
        if (font := QFontDatabase.addApplicationFont(str(path))) >= 0
        for family in QFontDatabase.applicationFontFamilies(font)
    }
    general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    text = general if _SYSTEM or "Inter" not in families else "Inter"
    return text, "JetBrains Mono" if "JetBrains Mono" in families else fixed


def _sized(family: str, px: float) -> QFont:
    font = QFont(family)
    if px == int(px):
        font.setPixelSize(int(px))
    else:  # a QFont takes whole pixels only, but fractions of points
        screen = QGuiApplication.primaryScreen()
        font.setPointSizeF(px * 72 / (screen.logicalDotsPerInch() if screen else 96))
    return font


def ui_font(px: float = 13, weight: int = 400) -> QFont:
    """Return the font of labels and fields; ``weight`` is 400, 500 or 600."""
    font = _sized(load_fonts()[0], px)
    font.setWeight(_WEIGHTS[weight])
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if hasattr(QFont, "setFeature"):  # Qt 6.7: digits of one width, so that live numbers do not dance
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(px: float = 11.5) -> QFont:
    """Return the font of code and shapes."""
    font = _sized(load_fonts()[1], px)
    font.setStyleHint(QFont.StyleHint.Monospace)
    if hasattr(QFont, "setFeature"):  # code is shown as it is typed: -> is two characters
        for feature in ("liga", "calt"):
            font.setFeature(QFont.Tag(feature), 0)
    return font
