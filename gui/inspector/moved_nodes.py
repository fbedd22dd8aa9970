"""Which nodes an objective moves: all that its losses need, or those that were chosen on the canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.graph.document import Document
from engine.graph.objectives import moved_by
from gui.bench import Bench
from gui.widgets.basic import button, column, label, row

ALL = "All nodes that its losses need, except frozen ones."
HINT = "Select the nodes on the canvas: a click takes one, Shift adds more, a drag takes an area."


class MovedNodes(QWidget):
    """Names the nodes, and lets them be chosen on the canvas.

    While they are chosen the selection of the canvas is what is taken; ``began`` and ``ended`` hear of it.
    """

    def __init__(
        self,
        bench: Bench,
        place: int,
        change: Callable[[Iterable[str]], None],
        began: Callable[[], None],
        ended: Callable[[], None],
    ):
        super().__init__()
        self._bench, self._place, self._change, self._ended = bench, place, change, ended
        self._began = began
        self.picking = False
        self.text = label("", "muted", 12, wrap=True)
        self.choose = button("Choose on canvas", "small", "Take the nodes that are selected on the canvas")
        self.all = button("All", "small", "Move every node that the losses need")
        self.take = button("Take", "small")
        self.take.setProperty("kind", "primary")
        self.take.setFixedHeight(26)
        self.cancel = button("Cancel", "small")
        buttons = row(spacing=6)
        for each in (self.choose, self.all, self.take, self.cancel):
            buttons.addWidget(each, 0, Qt.AlignmentFlag.AlignVCenter)
        buttons.addStretch(1)
        layout = column(self, 6)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.choose.clicked.connect(self._begin)
        self.all.clicked.connect(lambda: self._change(()))
        self.take.clicked.connect(self._take)
        self.cancel.clicked.connect(self.end)

    def show_nodes(self) -> None:
        """Show which nodes are moved, or which would be taken."""
        document = self._bench.store.document
        chosen = document.training.objectives[self._place].nodes
        selected = self._bench.store.selection & document.nodes.keys()
        if self.picking:
            self.text.setText(HINT)
            self.take.setText(f"Take {len(selected)} node{'s' * (len(selected) != 1)}")
            self.take.setEnabled(bool(selected))
        else:
            self.text.setText(named(document, chosen) if chosen else ALL)
        self.text.setToolTip("" if self.picking else named(document, chosen, 60))
        self.choose.setVisible(not self.picking)
        self.all.setVisible(not self.picking and bool(chosen))
        self.take.setVisible(self.picking)
        self.cancel.setVisible(self.picking)

    def end(self) -> None:
        """Leave the choice; the selection goes, so that the page stays."""
        if self.picking:
            self.picking = False
            self._ended()
            self.show_nodes()

    def _begin(self) -> None:
        self.picking = True
        self._began()
        self._bench.store.select(moved_by(self._bench.store.document, self._place) & self._own())
        self.show_nodes()
        self.take.setFocus(Qt.FocusReason.OtherFocusReason)

    def _own(self) -> frozenset[str]:
        """The nodes that have weights, as far as it is known."""
        nodes, counts = self._bench.store.document.nodes, self._bench.analysis.parameters
        return frozenset(id for id in nodes if counts.get(id)) or frozenset(nodes)

    def _take(self) -> None:
        chosen = self._bench.store.selection
        self.end()
        self._change(chosen)


def named(document: Document, ids: Iterable[str], most: int = 6) -> str:
    """Return the titles of some nodes, and how many more there are."""
    titles = [document.nodes[id].title for id in ids if id in document.nodes]
    more = len(titles) - most
    return ", ".join(titles[:most]) + (f" and {more} more" if more > 0 else "")


def told_nodes(document: Document, nodes: tuple[str, ...]) -> tuple[str, bool]:
    """Return in a few words which nodes an objective moves, and whether they were chosen."""
    if not nodes:
        return "all", False
    return (named(document, nodes) if len(nodes) < 3 else f"{len(nodes)} nodes"), True
