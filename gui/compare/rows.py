"""The list of differences: a sign in its color, words, and what it costs below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from engine.graph.compare import Item
from gui.compare.pane import SHOWN, TONES
from gui.fonts import ui_font
from gui.theme import TEXT_PX, Theme

ITEM, COST = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_LEFT, _PAD, _SMALL = 28, 7, 12
_WRAP = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere


class DifferenceRows(QStyledItemDelegate):
    """Paints one difference over as many lines as it needs."""

    theme: Theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        wide = option.widget.viewport().width() - _LEFT - 8
        high = self._text_height(index, wide) + 2 * _PAD
        return QSize(wide, high + (17 if index.data(COST) else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        item: Item = index.data(ITEM)
        theme, box = self.theme, option.rect
        painter.save()
        chosen = option.state & QStyle.StateFlag.State_Selected
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection" if chosen else "raised"))
            painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 6, 6)
        painter.setFont(ui_font(15, 600))
        painter.setPen(theme.color(TONES[item.sign]))
        painter.drawText(
            QRect(box.left() + 8, box.top() + _PAD, 16, 18), Qt.AlignmentFlag.AlignCenter, SHOWN[item.sign]
        )
        wide = box.width() - _LEFT - 8
        high = self._text_height(index, wide)
        words = QRect(box.left() + _LEFT, box.top() + _PAD, wide, high)
        painter.setFont(ui_font(TEXT_PX))
        painter.setPen(theme.color("text"))
        painter.drawText(words, _WRAP, item.text)
        if cost := index.data(COST):
            painter.setFont(ui_font(_SMALL))
            painter.setPen(theme.color("muted"))
            painter.drawText(words.translated(0, high), Qt.AlignmentFlag.AlignTop, cost)
        painter.restore()

    def _text_height(self, index: QModelIndex, wide: int) -> int:
        metrics = QFontMetrics(ui_font(TEXT_PX))
        return metrics.boundingRect(QRect(0, 0, wide, 10_000), _WRAP, index.data(ITEM).text).height()
