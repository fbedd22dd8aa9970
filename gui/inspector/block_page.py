"""The page when nothing is selected inside a block: its notes and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.errors import EngineError
from engine.graph import blocks
from engine.graph.document import Document
from engine.graph.parametrize import Candidate, candidates, make_parameter
from engine.layers.params import Int, Param, Value
from gui.bench import Bench
from gui.inspector.form import Form
from gui.inspector.offers import Offers
from gui.theme import TITLE_PX
from gui.widgets.basic import button, column, label, row, section
from gui.widgets.fields import LineField

HELP = "A parameter of a node inside may be a formula over these: type = channels * 4."


class BlockPage(QWidget):
    """A block's parameters with their defaults; they are added by name and removed by a click."""

    def __init__(self, bench: Bench):
        super().__init__()
        self._bench = bench
        self.block = bench.store.scope[-1]
        block = bench.store.document.blocks[self.block]
        self.params = tuple(block.params)
        self._word = 0
        self.form = Form([_param(name) for name in self.params], self._set)
        self.name = LineField()
        self.name.setPlaceholderText("channels")
        self.name.setAccessibleName("Name of a new parameter")
        self.add = button("Add", "small", "Add a parameter to this block")
        layout = column(self, 8)
        layout.setContentsMargins(14, 12, 14, 18)
        layout.addWidget(label(self.block, px=TITLE_PX, weight=600))
        layout.addWidget(label(_used(bench.store.whole, self.block), "muted", wrap=True))
        layout.addSpacing(6)
        layout.addWidget(section("Parameters and defaults"))
        layout.addWidget(self.form)
        for name in self.params:
            remove = button(f"Remove {name}", "flat", f"Take the parameter {name} away")
            remove.clicked.connect(partial(self._remove, name))
            layout.addWidget(remove, alignment=Qt.AlignmentFlag.AlignRight)
        new = row(spacing=6)
        new.addWidget(self.name, 1)
        new.addWidget(self.add)
        layout.addLayout(new)
        layout.addWidget(label(HELP, "muted", wrap=True))
        self.offers = Offers(bench.store.document, self.block, self._offer)
        layout.addWidget(self.offers)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.refresh()

    def refresh(self) -> None:
        """Show the defaults as the document holds them now."""
        self.form.show_values(dict(self._bench.store.document.blocks[self.block].params))

    def fits(self, document: Document) -> bool:
        """Return whether the page still has the fields of the block."""
        block = document.blocks.get(self.block)
        return (
            self._bench.store.scope[-1:] == (self.block,)
            and block is not None
            and tuple(block.params) == self.params
            and candidates(document, self.block) == self.offers.candidates
        )

    def show_analysis(self, analysis: Analysis) -> None:
        """Nothing here depends on shapes."""

    def show_snapshot(self) -> None:
        """Nothing here depends on a run."""

    def _set(self, param: Param, value: Value, word: str) -> None:
        self._change(f"Set the default of {param.name}", {**self._params(), param.name: value}, word)

    def _add(self) -> None:
        if name := self.name.text().strip():
            self._change(f"Add the parameter {name}", {**self._params(), name: 1})

    def _remove(self, name: str) -> None:
        params = self._params()
        params.pop(name, None)
        self._change(f"Remove the parameter {name}", params)

    def _offer(self, candidate: Candidate, name: str, multiples: bool) -> None:
        def edit(document: Document) -> Document:
            return blocks.inside(make_parameter(document, self.block, candidate, name, multiples), self.block)

        self._apply(f"Offer {candidate.number} as {name or candidate.name}", edit)

    def _params(self) -> dict[str, int | None]:
        return dict(self._bench.store.document.blocks[self.block].params)

    def _change(self, text: str, params: dict[str, int | None], merge: str = "") -> None:
        self._apply(text, lambda d: blocks.set_params(d, self.block, params), merge)

    def _apply(self, text: str, edit: Callable[[Document], Document], merge: str = "") -> None:
        try:
            self._bench.store.apply(text, edit, merge=merge)
        except EngineError as error:
            self._bench.message.emit(error.message)


def _param(name: str) -> Int:
    return Int(
        name=name,
        default=None,
        optional=True,
        unset="no default",
        label=name,
        doc="Its default; empty where each use gives a value.",
    )


def _used(document: Document, name: str) -> str:
    graphs = (document, *document.blocks.values())
    count = sum(node.type == name for graph in graphs for node in graph.nodes.values())
    return f"Used {count} time{'s' * (count != 1)}; an edit here is followed by every use."
