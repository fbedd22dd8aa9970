"""The palette at the pointer: type a few letters, press Enter, and the layer is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QModelIndex, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListWidgetItem, QStyleOptionViewItem, QWidget

from engine import catalogue
from engine.layers.declaration import Layer
from gui.canvas import fonts
from gui.theme import CAPTION_PX, CATEGORY
from gui.widgets.search_popup import PopupRows, SearchPopup

_LAYER = Qt.ItemDataRole.UserRole


class QuickAdd(SearchPopup):
    """Lists layers; ``chosen`` carries the type."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget):
        super().__init__(parent, "Search layers", "Layers", _Rows())
        self._fits: Callable[[Layer], bool] = _anything
        self.offer: Callable[[], Iterable[Layer]] = catalogue.layers().values
        """Gives all that can be added."""
        self.others: tuple[Layer, ...] = ()
        """What can be put on the empty canvas beside layers."""
        self.setFixedWidth(_Rows.wide)

    def open(self, at: QPoint, fits: Callable[[Layer], bool] | None = None, prompt: str = "") -> None:
        """Show the palette with its field at a point of the parent; ``fits`` filters the layers."""
        self._fits = fits or _anything
        self.open_at(at - QPoint(24, 24), prompt)

    def types(self) -> list[str]:
        """Return the types in the list, as they stand."""
        return [self.list.item(row).data(_LAYER).type for row in range(self.list.count())]

    def fill(self, text: str) -> str:
        others = self.others if self._fits is _anything else ()
        found = [each for each in catalogue.search(text, [*self.offer(), *others]) if self._fits(each)]
        if not text and self._fits is not _anything:
            found.sort(key=lambda layer: layer.role == "output")  # seldom what a loose wire wants next
        for layer in found:
            item = QListWidgetItem(layer.label, self.list)
            item.setData(_LAYER, layer)
            item.setToolTip(layer.doc)
        return f"No layer answers to “{text}”." if text else "No layer fits here."

    def take(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(_LAYER).type)


class _Rows(PopupRows):
    """A dot, the name, the category at the right, and a line of what the layer does."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        layer: Layer = index.data(_LAYER)
        theme, box = self.theme, QRectF(option.rect)
        painter.save()
        self.paint_ground(painter, option)
        painter.setBrush(QColor(CATEGORY.get(layer.category, CATEGORY["Shape"])))
        painter.drawRoundedRect(QRectF(box.left() + 9, box.top() + 8, 9, 9), 2.5, 2.5)
        words = box.adjusted(27, 4, -9, -4)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(fonts.text(weight=500))
        painter.setPen(theme.color("text"))
        painter.drawText(words, left | Qt.AlignmentFlag.AlignTop, layer.label)
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(words.adjusted(0, 2, 0, 0), right | Qt.AlignmentFlag.AlignTop, layer.category)
        doc = fonts.text_metrics(CAPTION_PX).elidedText(layer.doc, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, left | Qt.AlignmentFlag.AlignBottom, doc)
        painter.restore()


def _anything(layer: Layer) -> bool:
    return True
