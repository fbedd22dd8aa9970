"""The keys of a shortcut, drawn as the caps that one presses."""

from __future__ import annotations

import re
import sys

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QKeySequence, QPainter, QPen

from gui.fonts import ui_font
from gui.theme import CAPTION_PX, Theme

HIGH = 20
_PAD, _GAP = 6, 3
_MAC = {"Ctrl": "⌘", "Shift": "⇧", "Alt": "⌥", "Meta": "⌃"}


def caps_of(keys: str) -> list[str]:
    """Return what stands on each key of a shortcut: ``Ctrl+Shift+P`` is three, ``Ctrl++`` two."""
    portable = QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText)
    names = [part for part in re.split(r"(?<=[^+])\+|, ", portable) if part]
    return [_MAC.get(name, name) for name in names] if sys.platform == "darwin" else names


def width_of(caps: list[str]) -> float:
    """Return how wide the caps are together."""
    return sum(_wide(each) + _GAP for each in caps) - _GAP if caps else 0.0


def paint_caps(painter: QPainter, right: QPointF, caps: list[str], theme: Theme, faint: bool = False) -> None:
    """Draw caps that end at a point, which is at half their height."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(ui_font(CAPTION_PX, 500))
    left = right.x() - width_of(caps)
    for each in caps:
        box = QRectF(left, right.y() - HIGH / 2, _wide(each), HIGH)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("field", 110 if faint else 255))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(theme.color("faint" if faint else "muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, each)
        left += box.width() + _GAP
    painter.restore()


def _wide(cap: str) -> float:
    metrics = QFontMetricsF(ui_font(CAPTION_PX, 500))
    return max(HIGH, round(metrics.horizontalAdvance(cap)) + 2 * _PAD)
