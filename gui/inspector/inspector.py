"""The right dock: what is selected, and the settings of the whole when nothing is."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from engine.graph.blocks import layer_of
from engine.graph.diff import Diff
from engine.graph.document import Node
from gui.bench import Bench
from gui.inspector.block_page import BlockPage
from gui.inspector.node_page import NodePage
from gui.inspector.several_page import SeveralPage
from gui.inspector.training_page import TrainingPage
from gui.widgets.basic import Panel, Scroll, column

WIDTH = 296

Page = NodePage | SeveralPage | BlockPage | TrainingPage


class Inspector(Panel):
    """Shows one page for the selection and hands it what is new."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self.setMinimumWidth(WIDTH - 40)
        self._scroll = Scroll()
        column(self, 0).addWidget(self._scroll)
        store = bench.store
        store.selection_changed.connect(self._select)
        store.replaced.connect(self._show)
        store.scope_changed.connect(self._show)
        store.changed.connect(self._change)
        bench.analyzed.connect(lambda analysis: self.page.show_analysis(analysis))
        bench.snapshot_taken.connect(lambda snapshot: self.page.show_snapshot())
        bench.run_reset.connect(lambda: self.page.show_snapshot())
        bench.timed.connect(lambda times: self.page.show_analysis(bench.analysis))
        bench.theme_changed.connect(lambda theme: self.page.show_analysis(bench.analysis))
        self._editing = ""
        """The block whose interface is shown in place of the selected node that uses it."""
        self.page: Page
        self._chosen: frozenset[str] = frozenset()
        self._show()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 600)

    def _select(self, selection: frozenset[str]) -> None:
        if isinstance(self.page, TrainingPage) and self.page.picking:
            self.page.show_picked()
            return
        if selection != self._chosen:  # another document tells its selection a second time
            self._editing = ""
            self._show()

    def _show(self) -> None:
        self.page = self._make()
        if (old := self._scroll.takeWidget()) is not None:
            old.hide()
            old.setParent(self)  # without a parent Python would delete it at once, and it may be the sender
            old.deleteLater()
        self._scroll.setWidget(self.page)

    def _make(self) -> Page:
        nodes = self._bench.store.document.nodes
        selection = self._bench.store.selection & nodes.keys()  # deleted nodes leave it a moment later
        self._chosen = selection
        if len(selection) == 1:
            return self._make_single(nodes[next(iter(selection))])
        if selection:
            return SeveralPage(self._bench, selection)
        return BlockPage(self._bench) if self._bench.store.scope else TrainingPage(self._bench)

    def _make_single(self, node: Node) -> Page:
        if self._editing == node.type and node.type in self._bench.store.whole.blocks:
            return BlockPage(self._bench, node.type, lambda: self._edit_block(""))
        page = NodePage(self._bench, node)
        if node.type in self._bench.store.whole.blocks:
            page.edit_block.clicked.connect(lambda: self._edit_block(node.type))
        return page

    def _edit_block(self, block: str) -> None:
        """Show the interface of a block in place of the selected node, or the node again."""
        self._editing = block
        self._show()

    def _change(self, diff: Diff) -> None:
        if self._fits():
            self.page.refresh()
        else:
            self._show()

    def _fits(self) -> bool:
        """Whether the page still has the fields of what it shows."""
        store, page = self._bench.store, self.page
        nodes = store.document.nodes
        if isinstance(page, NodePage):
            if page.node not in nodes or nodes[page.node].type != page.type:
                return False
            layer = layer_of(store.document, page.type)
            return (layer.source, layer.params) == (page.source, page.params)
        if isinstance(page, SeveralPage):
            return page.nodes <= nodes.keys() and page.types == tuple(
                sorted({nodes[id].type for id in page.nodes})
            )
        if self._editing and not self._chosen <= nodes.keys():
            return False
        return page.fits(store.document)
