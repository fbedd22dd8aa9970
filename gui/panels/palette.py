"""The layers that can be added: searched, dragged, or chosen by double-click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QFont, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from engine import catalogue
from engine.errors import EngineError
from engine.graph.custom import remove_custom
from engine.layers.declaration import Layer
from engine.storage.library import Entry
from gui import sharing
from gui.bench import Bench
from gui.canvas.keys import keys_of
from gui.canvas.layer_drop import MIME
from gui.fonts import ui_font
from gui.theme import CATEGORY, Theme
from gui.widgets.basic import Panel, column, label, paint_dot
from gui.widgets.fields import SearchField

_ROW, _HEAD = 28, 34
_LAYER, _HINT, _COLOR, _BROKEN = (Qt.ItemDataRole.UserRole + n for n in range(4))


class PalettePanel(Panel):
    """Every layer by category; ``chosen`` carries the type that was double-clicked or entered.

    Rows are dragged as ``application/x-netwright-layer`` with the type as UTF-8.
    """

    chosen = Signal(str)

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._store, self._library = bench.store, bench.library
        self.search = SearchField("Search layers", keys_of(bench, "add_here"))
        bench.keymap.changed.connect(lambda: self.search.set_hint(keys_of(bench, "add_here")))
        self.list = _LayerList(bench)
        self._nothing = label("", "muted", wrap=True)
        self._nothing.setContentsMargins(8, 12, 8, 0)
        self._nothing.hide()
        layout = column(self, 6)
        layout.setContentsMargins(12, 10, 2, 0)
        inset = column()
        inset.setContentsMargins(0, 0, 10, 0)
        inset.addWidget(self.search)
        layout.addLayout(inset)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)
        self.search.textEdited.connect(self._filter)
        self.search.textChanged.connect(self._filter)
        self.search.down.connect(self._enter_list)
        self.search.returnPressed.connect(self.list.choose)
        self.list.chosen.connect(self.chosen)
        self.setFocusProxy(self.search)
        self._blocks: object = None
        for signal in (bench.store.edited, bench.store.replaced, bench.store.scope_changed):
            signal.connect(self._follow)
        bench.library.changed.connect(lambda: self._filter(self.search.text()))
        self._filter("")

    def _follow(self) -> None:
        """List the document's own blocks and layers as they are now."""
        if self._own() != self._blocks:
            self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        wanted = text.strip()
        self._blocks = self._own()
        offer = self._library.offer(self._store.document, self._store.scope)
        found = catalogue.search(wanted, offer) if wanted else offer
        self.list.show_layers(found, wanted)
        if not wanted:
            self.list.show_broken(self._library.broken())
        self._nothing.setText(f"No layer answers to “{wanted}”.")
        self._nothing.setVisible(not found)
        self.list.setVisible(bool(found))

    def _own(self) -> object:
        return self._store.whole.blocks, self._store.whole.customs, self._store.scope

    def _enter_list(self) -> None:
        self.list.setFocus(Qt.FocusReason.TabFocusReason)
        self.list.next_row()


class _LayerList(QListWidget):
    chosen = Signal(str)

    def __init__(self, bench: Bench):
        super().__init__()
        self._bench = bench
        self.setItemDelegate(_Delegate(self, bench))
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QListWidget.DragDropMode.DragOnly)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("Layers")
        self.itemDoubleClicked.connect(lambda item: self.choose())
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        bench.theme_changed.connect(lambda theme: self.viewport().update())

    def show_layers(self, layers: Sequence[Layer], wanted: str) -> None:
        """List layers under their categories, or as they come when something is ``wanted``."""
        self.clear()
        category = ""
        for layer in layers:
            if layer.category != category and not wanted:
                head = QListWidgetItem(layer.category, self)
                head.setFlags(Qt.ItemFlag.NoItemFlags)
                head.setSizeHint(QSize(0, _HEAD))
                category = layer.category
            item = QListWidgetItem(layer.label, self)
            item.setSizeHint(QSize(0, _ROW))
            item.setData(_LAYER, layer.type)
            item.setData(_COLOR, CATEGORY[layer.category])
            item.setData(_HINT, _hint(layer, wanted))
            item.setToolTip(layer.doc)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, f"{layer.category}. {layer.doc}")
        if wanted and layers:
            self.setCurrentRow(0)
        self.scrollToTop()

    def show_broken(self, entries: Mapping[str, Entry]) -> None:
        """List files of the user's own blocks that cannot be used, at the end, each with its problem."""
        if entries:
            head = QListWidgetItem("Files that hold no block", self)
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            head.setSizeHint(QSize(0, _HEAD))
        for type_, entry in entries.items():
            item = QListWidgetItem(entry.path.stem, self)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.setSizeHint(QSize(0, _ROW))
            item.setData(_BROKEN, type_)
            item.setToolTip(entry.problem)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, entry.problem)

    def menu_for(self, item: QListWidgetItem) -> QMenu:
        """Return what can be done with a block or a custom layer in the list; an empty menu for another."""
        menu = QMenu(self)
        type_ = item.data(_LAYER) or item.data(_BROKEN)
        if type_ in self._bench.store.document.blocks:
            menu.addAction("Save to my blocks", lambda: sharing.keep(self._bench, type_))
        elif type_ in self._bench.store.document.customs:
            menu.addAction("Edit the code", lambda: self._bench.code_wanted.emit(type_))
            menu.addAction("Remove from this document", lambda: self._remove(type_))
        elif type_ and self._bench.library.entry(type_):
            menu.addAction("Remove from my blocks", lambda: sharing.forget(self._bench, type_))
        return menu

    def _remove(self, type_: str) -> None:
        try:
            self._bench.store.apply(f"Remove {type_}", lambda document: remove_custom(document, type_))
        except EngineError as error:
            self._bench.message.emit(error.message)

    def _show_menu(self, at: QPoint) -> None:
        item = self.itemAt(at)
        if item is not None and not (menu := self.menu_for(item)).isEmpty():
            menu.popup(self.viewport().mapToGlobal(at))

    def _layer(self, type_: str) -> Layer:
        return self._bench.library.layer_of(self._bench.store.document, type_)

    def choose(self) -> None:
        """Choose the current row, or the first one of a search."""
        if (item := self.currentItem()) and (type_ := item.data(_LAYER)):
            self.chosen.emit(type_)

    def next_row(self) -> None:
        """Move to the next layer, over the headings."""
        rows = [n for n in range(self.count()) if self.item(n).data(_LAYER)]
        if rows:
            self.setCurrentRow(next((n for n in rows if n > self.currentRow()), rows[-1]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose()
        else:
            super().keyPressEvent(event)

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        data = QMimeData()
        if items and (type_ := items[0].data(_LAYER)):
            data.setData(MIME, type_.encode())
            data.setText(type_)
        return data

    def startDrag(self, actions: Qt.DropAction) -> None:
        item = self.currentItem()
        if item is None or not item.data(_LAYER):
            return
        drag = QDrag(self)
        drag.setMimeData(self.mimeData([item]))
        ratio = self.devicePixelRatioF()
        drag.setPixmap(drag_picture(self._layer(item.data(_LAYER)), self._bench.theme, ratio))
        drag.setHotSpot(QPoint(18, 18))
        drag.exec(Qt.DropAction.CopyAction)


def _hint(layer: Layer, wanted: str) -> str:
    """The synonym that answers to a search, otherwise the layer's abbreviation, if it has one."""
    wanted = wanted.lower()
    if wanted and wanted not in layer.label.lower():
        return next((word for word in layer.synonyms if wanted in word.lower()), "")
    return next((word for word in layer.synonyms[:1] if len(word) <= 4), "")


def drag_picture(layer: Layer, theme: Theme, ratio: float = 1.0) -> QPixmap:
    """Return a small node, as it hangs at the pointer while a layer is dragged."""
    font = ui_font(13, 600)
    width = 148
    pixmap = QPixmap(QSize(width, 44) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    body = QRectF(2, 2, width - 4, 40)
    painter.setPen(theme.color("accent"))
    painter.setBrush(theme.color("raised", 235))
    painter.drawRoundedRect(body, 10, 10)
    paint_dot(painter, CATEGORY[layer.category], QRectF(14, 17.5, 9, 9))
    painter.setPen(theme.color("text"))
    painter.setFont(font)
    painter.drawText(QRectF(32, 2, width - 44, 40), Qt.AlignmentFlag.AlignVCenter, layer.label)
    painter.end()
    return pixmap


class _Delegate(QStyledItemDelegate):
    """Draws a heading, or a dot, a name and a hint."""

    def __init__(self, parent: QWidget, bench: Bench):
        super().__init__(parent)
        self._bench = bench

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        theme = self._bench.theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box: QRect = option.rect
        type_ = index.data(_LAYER)
        if index.data(_BROKEN):
            self._text(painter, box.adjusted(26, 0, -14, 0), index.data(), ui_font(13), theme.color("muted"))
            dot = QRectF(box.left() + 8, box.center().y() - 4, 9, 9)
            paint_dot(painter, theme.error, dot)
        elif type_ is None:
            self._text(
                painter, box.adjusted(2, 6, 0, 0), index.data(), ui_font(11, 600), theme.color("muted")
            )
        else:
            state = option.state
            selected = bool(state & QStyle.StateFlag.State_Selected)
            if selected or state & QStyle.StateFlag.State_MouseOver:
                focus = state & QStyle.StateFlag.State_HasFocus
                painter.setPen(theme.color("accent") if selected and focus else Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("selection" if selected else "text", 255 if selected else 14))
                painter.drawRoundedRect(QRectF(box).adjusted(0.5, 1, -8.5, -1), 6, 6)
            color = index.data(_COLOR)
            dot = QRectF(box.left() + 8, box.center().y() - 4, 9, 9)
            paint_dot(painter, color, dot)
            self._text(painter, box.adjusted(26, 0, -14, 0), index.data(), ui_font(13), theme.color("text"))
            hint = box.adjusted(26, 0, -16, 0)
            right = Qt.AlignmentFlag.AlignRight
            self._text(painter, hint, index.data(_HINT), ui_font(11), theme.color("muted"), right)
        painter.restore()

    def _text(self, painter, box, text, font: QFont, color, side=Qt.AlignmentFlag.AlignLeft) -> None:
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)
