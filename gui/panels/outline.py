"""The nodes as a list in the order in which they run: the canvas for the keyboard and for screen readers."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.diff import Diff
from engine.graph.document import Document, Node, Slot
from engine.graph.view import order_of
from gui.bench import Bench
from gui.fonts import ui_font
from gui.spoken import node_words
from gui.theme import CATEGORY
from gui.widgets.basic import Panel, column, label, paint_dot
from gui.widgets.late import Late

_ID = Qt.ItemDataRole.UserRole
_LONGEST = 20
"""Characters of a title that leave room for type and shape in a dock of 232 px."""


class OutlinePanel(Panel):
    """Title, type and shape of every node; its selection and the canvas's are one."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self._items: dict[str, QTreeWidgetItem] = {}
        self._icons = {category: _dot(color) for category, color in CATEGORY.items()}
        self._busy = False
        self._late = Late(self, self._fill)
        self._tree = QTreeWidget()
        self._tree.setColumnCount(2)
        self._tree.setHeaderHidden(True)
        self._tree.setRootIsDecorated(False)
        self._tree.setIndentation(0)
        self._tree.setUniformRowHeights(True)
        self._tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tree.setAccessibleName("Nodes in the order in which they run")
        self._tree.header().setStretchLastSection(False)
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._empty = label(
            "The canvas is empty. Drag a layer onto it, or press Tab there.", "muted", wrap=True
        )
        self._empty.setContentsMargins(8, 4, 8, 4)
        layout = column(self, 0)
        layout.setContentsMargins(6, 10, 2, 0)
        layout.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._tree, 1)
        self.setFocusProxy(self._tree)
        self._tree.itemSelectionChanged.connect(self._select)
        self._tree.itemActivated.connect(lambda item, column: bench.reveal.emit(item.data(0, _ID)))
        for signal, follow in (
            (bench.store.changed, self._change),
            (bench.store.replaced, self._fill),
            (bench.store.scope_changed, self._fill),
            (bench.store.selection_changed, self._show_selection),
            (bench.analyzed, self._update_all),
            (bench.theme_changed, self._update_all),
        ):
            signal.connect(lambda *told, follow=follow: self._late.waits() or follow(*told))

    @property
    def tree(self) -> QTreeWidget:
        """The rows; they are up to date, also where they are hidden."""
        self._late.catch_up()
        return self._tree

    def _change(self, diff: Diff) -> None:
        if diff.added or diff.removed or diff.edges_added or diff.edges_removed:
            self._fill()
        elif diff.changed:
            for id in diff.changed:
                self._update(self._bench.store.document.nodes[id])

    def _fill(self) -> None:
        document = self._bench.store.document
        self._busy = True
        self._tree.clear()
        self._items = {}
        for id in _order(document):
            item = QTreeWidgetItem()
            item.setData(0, _ID, id)
            item.setFont(1, ui_font(11))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._items[id] = item
        self._tree.addTopLevelItems(list(self._items.values()))
        self._busy = False
        self._update_all()
        self._show_selection(self._bench.store.selection)
        self._empty.setVisible(not self._items)
        self._tree.setVisible(bool(self._items))

    def _update_all(self, *_: object) -> None:
        for id in self._items:
            if node := self._bench.store.document.nodes.get(id):
                self._update(node)

    def _update(self, node: Node) -> None:
        item = self._items[node.id]
        layer = layer_of(self._bench.store.document, node.type)
        outputs = layer.outputs_of(node.params)
        found = [self._bench.analysis.types.get(Slot(node.id, port.name)) for port in outputs]
        shape = ", ".join(tensor.sample for tensor in found if tensor and tensor.shape)
        long = len(node.title) > _LONGEST
        item.setText(0, f"{node.title[: _LONGEST - 1]}…" if long else node.title)
        item.setText(1, f"{layer.label}  {shape}" if shape else layer.label)
        item.setIcon(0, self._icons[layer.category])
        item.setForeground(1, self._bench.theme.color("muted"))
        wrong = self._bench.analysis.problems_of(node.id)
        token = wrong[0].severity if wrong else "text"
        item.setForeground(0, self._bench.theme.color(token))
        item.setToolTip(0, "\n".join(problem.message for problem in wrong) or layer.doc)
        spoken = node_words(self._bench, node.id, False, len(wrong))
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, spoken if shape else f"{spoken}, shape not known")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._late.catch_up()

    def _select(self) -> None:
        if not self._busy:
            ids = [item.data(0, _ID) for item in self._tree.selectedItems()]
            self._bench.store.select(ids)
            if len(ids) == 1:
                self._bench.reveal.emit(ids[0])

    def _show_selection(self, selection: frozenset[str]) -> None:
        if self._busy or selection == {item.data(0, _ID) for item in self._tree.selectedItems()}:
            return
        self._busy = True
        for id, item in self._items.items():
            item.setSelected(id in selection)
        first = next((item for id, item in self._items.items() if id in selection), None)
        if first is not None:
            flags = QItemSelectionModel.SelectionFlag.NoUpdate
            self._tree.setCurrentItem(first, 0, flags)
            self._tree.scrollToItem(first)
        self._busy = False


def _order(document: Document) -> list[str]:
    try:
        return order_of(document)
    except EngineError:
        return list(document.nodes)


def _dot(color: str) -> QIcon:
    pixmap = QPixmap(48, 48)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.scale(3, 3)
    paint_dot(painter, color, pixmap.rect().toRectF().adjusted(3.5, 3.5, -35.5, -35.5))
    painter.end()
    pixmap.setDevicePixelRatio(3)
    return QIcon(pixmap)
