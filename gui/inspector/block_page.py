"""The page of a block: its interface, and the numbers in it that may become parameters."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.errors import EngineError
from engine.graph.document import Document
from engine.graph.interface import ways_to
from engine.graph.parametrize import Candidate, candidates, make_parameter
from gui.bench import Bench
from gui.inspector.interface import Interface
from gui.inspector.offers import Offers
from gui.theme import TITLE_PX
from gui.widgets.basic import button, column, label

HELP = "A number of a node inside may be a formula over the parameters: type = channels * 4."


class BlockPage(QWidget):
    """What a block takes and gives, shown inside of it while nothing is selected.

    From outside it is shown for a selected node with a way ``back`` to the node's own page.
    """

    def __init__(self, bench: Bench, block: str = "", back: Callable[[], None] | None = None):
        super().__init__()
        self._bench = bench
        self.block = block or bench.store.scope[-1]
        self._outside = back is not None
        self.interface = Interface(bench, self.block)
        self.used = label("", "muted", wrap=True)
        self._layout = layout = column(self, 8)
        layout.setContentsMargins(14, 12, 14, 18)
        if back is not None:
            self.back = button("‹ Back to the node", "flat", "Show the node again")
            self.back.clicked.connect(back)
            layout.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(label(self.block, px=TITLE_PX, weight=600))
        layout.addWidget(self.used)
        layout.addSpacing(6)
        layout.addWidget(self.interface)
        layout.addWidget(label(HELP, "muted", wrap=True))
        self.offers = Offers(bench.store.whole, self.block, self._offer)
        layout.addWidget(self.offers)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.refresh()
        self.show_analysis(bench.analysis)

    def refresh(self) -> None:
        """Show the block as the document holds it now."""
        whole = self._bench.store.whole
        self.used.setText(_used(whole, self.block))
        self.interface.refresh()
        self.interface.show_analysis(self._bench.analysis)
        if candidates(whole, self.block) != self.offers.candidates:
            offers = Offers(whole, self.block, self._offer)
            self._layout.replaceWidget(self.offers, offers)
            self.offers.hide()
            self.offers.deleteLater()
            self.offers = offers

    def fits(self, document: Document) -> bool:
        """Return whether the page's block is still there."""
        store = self._bench.store
        inside = store.scope[-1:] == (self.block,)
        return self.block in document.blocks and (self._outside or inside)

    def show_analysis(self, analysis: Analysis) -> None:
        """Show the shapes at the ports."""
        if self.block in self._bench.store.whole.blocks:
            self.interface.show_analysis(analysis)

    def show_snapshot(self) -> None:
        """Nothing here depends on a run."""

    def _offer(self, candidate: Candidate, name: str, multiples: bool) -> None:
        store = self._bench.store
        try:
            after = make_parameter(store.whole, self.block, candidate, name, multiples)
            store.apply_whole(f"Offer {candidate.number} as {name or candidate.name}", after)
        except EngineError as error:
            self._bench.message.emit(error.message)


def _used(document: Document, name: str) -> str:
    count = len(ways_to(document, name))  # as the trail over the canvas counts them
    return f"Used {count} time{'s' * (count != 1)}; an edit here is followed by every use."
