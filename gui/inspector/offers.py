"""The numbers in a block that may vary, each with a name and a button that makes it a parameter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.graph.document import Document
from engine.graph.parametrize import Candidate, candidates, places_in_words
from gui.widgets.basic import Box, button, column, label, mono, row, section
from gui.widgets.fields import LineField
from gui.widgets.switch import Switch

_MOST = 8

Choose = Callable[[Candidate, str, bool], None]
"""Makes a candidate a parameter of this name, with its multiples or without."""


class Offers(QWidget):
    """Offers what ``candidates`` finds in a block; hidden where there is nothing."""

    def __init__(self, document: Document, block: str, choose: Choose):
        super().__init__()
        self.candidates = candidates(document, block)
        self.rows = [_Row(document, block, each, choose) for each in self.candidates[:_MOST]]
        layout = column(self, 8)
        layout.addSpacing(6)
        layout.addWidget(section("Offer as parameters"))
        for each in self.rows:
            layout.addWidget(each)
        if left := len(self.candidates) - len(self.rows):
            layout.addWidget(label(f"and {left} more", "muted"))
        if not self.rows:
            self.hide()


class _Row(Box):
    """One number: where it stands, what it will be called, and whether its multiples follow."""

    def __init__(self, document: Document, block: str, candidate: Candidate, choose: Choose):
        super().__init__()
        graph = document.blocks[block]
        self.name = LineField(candidate.name)
        self.name.setAccessibleName(f"Name for {candidate.number}")
        self.offer = button("Offer", "small", f"Make {candidate.number} a parameter; every use keeps it")
        self.offer.setAccessibleName(f"Offer {candidate.number} as a parameter")
        self.multiples = Switch()
        self.multiples.setChecked(True)
        layout = column(self, 6, 8)
        first = row(spacing=8)
        first.addWidget(mono(str(candidate.number)), alignment=Qt.AlignmentFlag.AlignTop)
        where = label(places_in_words(document, graph, candidate.places), "muted", wrap=True)
        first.addWidget(where, 1)
        layout.addLayout(first)
        if candidate.multiples:
            self._where = label("", "muted", 12, wrap=True)
            self._products = [
                (candidate.number * place.times, place.times, graph.nodes[place.node].title)
                for place in candidate.multiples
            ]
            self._tell()
            self.name.textChanged.connect(self._tell)
            second = row(spacing=8)
            second.addWidget(self._where, 1)
            second.addWidget(self.multiples)
            self.multiples.setAccessibleName(f"Multiples of {candidate.number} follow")
            layout.addLayout(second)
        last = row(spacing=6)
        last.addWidget(self.name, 1)
        last.addWidget(self.offer)
        layout.addLayout(last)
        self.offer.clicked.connect(lambda: self._choose(choose, candidate))
        self.name.returnPressed.connect(lambda: self._choose(choose, candidate))

    def _tell(self) -> None:
        name = self.name.text().strip()
        by_product: dict[tuple[int, int], list[str]] = {}
        for number, times, node in self._products:
            by_product.setdefault((number, times), []).append(node)
        self._where.setText(
            "\n".join(
                f"{number} in {', '.join(nodes)} = {name} * {times}"
                for (number, times), nodes in by_product.items()
            )
        )

    def _choose(self, choose: Choose, candidate: Candidate) -> None:
        choose(candidate, self.name.text().strip(), self.multiples.isChecked())
