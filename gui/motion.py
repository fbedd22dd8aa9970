"""Whether things may move by themselves: the one answer that every animation asks for."""

from __future__ import annotations

import os

from PySide6.QtCore import QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QStyle, QWidget

VARIABLE = "NETWRIGHT_REDUCED_MOTION"
"""Environment variable that holds motion back; ``0`` and nothing do not."""
_SETTING = "appearance/reduce_motion"


def reduced() -> bool:
    """Return whether motion is held back: by the variable, by the user's choice, or by the desktop."""
    return os.environ.get(VARIABLE, "0") not in ("", "0") or chosen() or _desktop()


def chosen() -> bool:
    """Return whether the user has switched motion off in this program."""
    return QSettings().value(_SETTING, False, type=bool)


def choose(hold_back: bool) -> None:
    """Remember whether to hold motion back."""
    QSettings().setValue(_SETTING, hold_back)


def moves(widget: QWidget) -> bool:
    """Return whether a widget may move by itself: it is seen, and nobody wants less motion."""
    return (
        widget.isVisible()
        and QGuiApplication.platformName() not in ("offscreen", "minimal")
        and not reduced()
    )


def _desktop() -> bool:
    hints = QGuiApplication.styleHints()
    accessibility = hints.accessibility() if hasattr(hints, "accessibility") else None
    prefers = getattr(accessibility, "motionPreference", None)  # a newer Qt tells what the desktop prefers
    if prefers is not None and "Reduced" in str(prefers()):
        return True
    style = QApplication.style()
    return style is not None and not style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration)
