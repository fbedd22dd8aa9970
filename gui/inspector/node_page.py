"""The page of one selected node."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.graph import edits
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import BYPASSED, MUTED, Document, Node
from engine.graph.modes import left_out
from engine.layers.params import Param, Value
from gui.bench import Bench
from gui.fonts import ui_font
from gui.inspector.balance import BalanceRow
from gui.inspector.fields import HubField
from gui.inspector.form import Form
from gui.inspector.kept import KeptSection
from gui.inspector.learning import LearningSection
from gui.inspector.preview import PreviewSection
from gui.inspector.sections import CodeSection, CostSection, LiveSection, ProblemBoxes, ShapeSection
from gui.inspector.weights import WeightsSection
from gui.theme import CATEGORY, TITLE_PX
from gui.widgets.basic import Dot, IconButton, column, label, row
from gui.widgets.fields import LineField


class NodePage(QWidget):
    """Name, problems, parameters, shapes, cost and code of a node."""

    def __init__(self, bench: Bench, node: Node):
        super().__init__()
        self._bench, self.node, self.type = bench, node.id, node.type
        layer = layer_of(bench.store.document, node.type)
        self.source, self.params = layer.source, layer.params
        self._word = 0
        self.name = LineField(node.title)
        self.name.setProperty("plain", True)
        self.name.setFont(ui_font(TITLE_PX, 600))
        self.name.setAccessibleName("Name of the node")
        self.name.setToolTip(f"Rename; in code it stays {node.id}")
        self.name.setMaxLength(200)
        self.problems = ProblemBoxes(bench)
        self.form = Form(layer.params, self._set)
        self.shape, self.cost = ShapeSection(), CostSection()
        self.learning, self.weights = LearningSection(bench, [node.id]), WeightsSection(bench, node.id)
        self.code, self.live = CodeSection(bench), LiveSection()
        self.preview = PreviewSection(layer) if layer.role == "data" else None

        head = row(spacing=5)
        head.addWidget(Dot(CATEGORY[layer.category]))
        head.addWidget(self.name, 1)
        head.addWidget(label(layer.label, "muted"))
        top = column(spacing=4)
        top.addLayout(head)
        top.addWidget(label(layer.doc, "muted", wrap=True))
        layout = column(self, 10)
        layout.setContentsMargins(14, 10, 14, 18)
        layout.addLayout(top)
        self.mode = label("", "muted", wrap=True)
        layout.addWidget(self.mode)
        layout.addWidget(self.problems)
        if layer.source:
            self.edit_code = IconButton(bench, "code", "Edit code", "small", f"Change what {node.type} does")
            self.edit_code.clicked.connect(lambda: bench.code_wanted.emit(self.type))
            layout.addWidget(self.edit_code, 0, Qt.AlignmentFlag.AlignLeft)
        if layer.role == ROLE:
            self.edit_block = IconButton(
                bench, "pencil", "Edit block", "small", f"Change what {node.type} takes and gives"
            )
            layout.addWidget(self.edit_block, 0, Qt.AlignmentFlag.AlignLeft)
        self.kept = KeptSection()
        layout.addWidget(self.form)
        self.balance = (
            BalanceRow(bench, node.id) if BalanceRow.is_for(bench.store.document, node.id) else None
        )
        if self.balance is not None:
            layout.addWidget(self.balance)
        layout.addWidget(self.kept)
        for part in (self.preview, self.learning, self.weights, self.shape, self.cost, self.code, self.live):
            if part is not None:
                layout.addWidget(part)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.setVisible(bool(layer.params))

        bench.steerable_changed.connect(self.show_live)
        self.name.textEdited.connect(self._rename)
        self.name.editingFinished.connect(self._end_word)
        for field in self.form.fields.values():
            if isinstance(field, HubField):
                field.wanted.connect(lambda: bench.hub_wanted.emit(self.node))
                field.offer()
        if self.preview is not None:
            bench.data_changed.connect(self.preview.read_again)
        self.refresh()
        self.show_analysis(bench.analysis)
        self.show_snapshot()

    def refresh(self) -> None:
        """Show the node as the document holds it now."""
        document = self._bench.store.document
        node = document.nodes[self.node]
        if not self.name.hasFocus() or self.name.text().strip() != node.title:
            self.name.setText(node.title)
        self.form.show_values(layer_of(document, node.type).values(node.params))
        self.show_live()
        self.kept.show_settings(layer_of(document, node.type).unknown(node.params))
        self.mode.setText(_mode(document, node))
        self.mode.setVisible(bool(self.mode.text()))
        self.learning.show_document()
        self.weights.show_node(document)
        if self.preview is not None:
            self.preview.show_node(replace(node, position=(0.0, 0.0), name=""))

    def show_analysis(self, analysis: Analysis) -> None:
        """Show what is known about the node."""
        node = analysis.document.nodes.get(self.node)
        if node is None or node.type != self.type:
            return
        self.problems.show_problems(analysis.problems_of(self.node))
        self.learning.show_document()
        self.shape.show_shapes(
            node, layer_of(self._bench.store.document, node.type), analysis, self._bench.theme
        )
        self.cost.show_cost(self.node, self._bench)
        self.code.show_lines(self.node, analysis.source)

    def show_live(self) -> None:
        """Mark what a run takes at once."""
        names, own = self._bench.steerable, self._bench.store.scope == ()
        live = {param.name for param in self.params if own and f"{self.node}.{param.name}" in (names or ())}
        self.form.show_live(None if names is None else live)

    def show_snapshot(self) -> None:
        """Show how the node fares in the run."""
        if self.preview is None:
            self.live.show_snapshot(self.node, self._bench.snapshot)

    def _set(self, param: Param, value: Value, word: str) -> None:
        title = self._bench.store.document.nodes[self.node].title
        self._bench.store.apply(
            f"Set {param.title.lower()} of {title}",
            lambda document: edits.set_params(document, self.node, **{param.name: value}),
            merge=f"{self.node}.{word}",
        )

    def _rename(self, text: str) -> None:
        name = "" if text.strip() == self.node else text
        self._bench.store.apply(
            f"Rename {self.node}",
            lambda document: edits.rename(document, self.node, name),
            merge=f"{self.node}.title.{id(self)}.{self._word}",
        )

    def _end_word(self) -> None:
        self._word += 1
        self.refresh()
        if not self.name.text().strip():
            self.name.setText(self._bench.store.document.nodes[self.node].title)


def _mode(document: Document, node: Node) -> str:
    """Return why a node is not a part of the model, or an empty text."""
    if node.mode == MUTED:
        return "Muted: it is left out of the model, with all that depends on it. M takes it in again."
    if node.mode == BYPASSED:
        return "Bypassed: it passes its input on as it is, and has no weights. B takes it in again."
    out = node.id in left_out(document)
    return "It depends on a muted node, so it is left out of the model." if out else ""
