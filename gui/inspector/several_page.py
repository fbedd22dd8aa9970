"""The page of several selected nodes: what they have in common is set in all of them at once."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.layers.params import Param, Value
from gui.bench import Bench
from gui.inspector.form import Form
from gui.inspector.learning import LearningSection
from gui.panels.words import count, plural
from gui.theme import TITLE_PX
from gui.widgets.basic import column, label


class SeveralPage(QWidget):
    """How many, what they cost together, and the parameters that all of them declare alike."""

    def __init__(self, bench: Bench, nodes: frozenset[str]):
        super().__init__()
        self._bench, self.nodes = bench, nodes
        document = bench.store.document
        self.types = tuple(sorted({document.nodes[id].type for id in nodes}))
        shared = _shared(document, self.types)
        self.form = Form(shared, self._set)
        self._cost = label("", "muted", wrap=True)
        kinds = ", ".join(layer_of(document, each).label for each in self.types)
        layout = column(self, 10)
        layout.setContentsMargins(14, 12, 14, 18)
        layout.addWidget(label(f"{len(nodes)} nodes", px=TITLE_PX, weight=600))
        layout.addWidget(label(kinds, "muted", wrap=True))
        layout.addWidget(self._cost)
        layout.addWidget(self.form)
        self.learning = LearningSection(bench, nodes)
        layout.addWidget(self.learning)
        if not shared:
            layout.addWidget(label("They have no parameters in common.", "muted", wrap=True))
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.refresh()
        self.show_analysis(bench.analysis)

    def refresh(self) -> None:
        """Show the values that agree; where the nodes differ the field is empty."""
        for name, field in self.form.fields.items():
            values = [_values(self._bench.store.document, id)[name] for id in self.nodes]
            if all(value == values[0] for value in values):
                field.show_value(values[0])
            else:
                field.show_mixed()
        self.learning.show_document()

    def show_analysis(self, analysis: Analysis) -> None:
        """Show what the nodes cost together."""
        parameters = sum(analysis.parameters.get(id, 0) for id in self.nodes)
        self.learning.show_document()
        macs = sum(analysis.macs.get(id, 0) for id in self.nodes)
        self._cost.setText(f"{plural(parameters, 'parameter')}, {count(macs)} multiply-adds for one sample")

    def show_snapshot(self) -> None:
        """Nothing here comes from the run."""

    def _set(self, param: Param, value: Value, word: str) -> None:
        def edit(document: Document) -> Document:
            for id in sorted(self.nodes):
                document = edits.set_params(document, id, **{param.name: value})
            return document

        text = f"Set {param.title.lower()} of {len(self.nodes)} nodes"
        self._bench.store.apply(text, edit, merge=f"{len(self.nodes)}.{word}")


def _shared(document: Document, types: tuple[str, ...]) -> list[Param]:
    first, *others = (layer_of(document, each) for each in types)
    return [
        param
        for param in first.params
        if all((other := layer.param(param.name)) and type(other) is type(param) for layer in others)
    ]


def _values(document: Document, id: str) -> dict[str, Value]:
    node = document.nodes[id]
    return layer_of(document, node.type).values(node.params)
