"""The generated module: what is drawn, as a person would have written it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from gui.bench import Bench
from gui.panels.code_view import CodeView
from gui.panels.words import plural
from gui.widgets.basic import IconButton, Panel, column, label, row

_SHOWN = 3


class CodePanel(Panel):
    """Read-only source; selected nodes mark their lines, a click on a line selects its node."""

    export_requested = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self._note = label("", "muted", 12)
        self.copy_button = IconButton(bench, "copy", "Copy", "small", "Copy the whole module")
        self.export_button = IconButton(
            bench, "export", "Export", "small", "Save the module as a Python file"
        )
        self.view = CodeView(bench)
        self.view.setAccessibleName("Generated PyTorch code")
        self._why = label("", "muted", wrap=True)
        self._why.setContentsMargins(14, 8, 14, 8)
        head = row(spacing=6)
        head.setContentsMargins(14, 8, 14, 6)
        head.addWidget(self._note)
        head.addStretch(1)
        head.addWidget(self.copy_button)
        head.addWidget(self.export_button)
        layout = column(self, 0)
        layout.addLayout(head)
        layout.addWidget(self._why)
        layout.addWidget(self.view, 1)
        layout.addStretch(0)
        self.copy_button.clicked.connect(self._copy)
        self.export_button.clicked.connect(self.export_requested)
        self.view.line_clicked.connect(self._select)
        bench.analyzed.connect(self._show)
        bench.store.selection_changed.connect(lambda selection: self._mark(reveal=True))
        self._show(bench.analysis)

    def _show(self, analysis: Analysis) -> None:
        source = analysis.source
        self.copy_button.setEnabled(source is not None)
        self.export_button.setEnabled(source is not None)
        self.view.setVisible(source is not None)
        self._why.setVisible(source is None)
        if source is None:
            self._note.setText("")
            self._why.setText(_reasons(analysis))
            self._why.setAccessibleName(self._why.text())
        else:
            self._note.setText(f"{plural(source.text.count(chr(10)), 'line')}, needs nothing but torch")
            self.view.set_code(source.text)
            self._mark()

    def _mark(self, reveal: bool = False) -> None:
        source = self._bench.analysis.source
        if source is not None:
            lines = [line for id in self._bench.store.selection for line in source.lines.get(id, ())]
            self.view.mark(lines, reveal)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._mark(reveal=True)

    def _select(self, line: int) -> None:
        source = self._bench.analysis.source
        node = source.node_at(line) if source else None
        if node is not None and node in self._bench.store.document.nodes:
            self._bench.store.select([node])
            self._bench.reveal.emit(node)

    def _copy(self) -> None:
        if (source := self._bench.analysis.source) is not None:
            QGuiApplication.clipboard().setText(source.text)
            self._bench.message.emit("The module is on the clipboard.")


def _reasons(analysis: Analysis) -> str:
    errors = analysis.errors
    if not errors:
        return "The code appears here as soon as there is a network."
    nodes = analysis.document.nodes
    lines = [
        f"•  {nodes[each.node].title}: {each.message}" if each.node in nodes else f"•  {each.message}"
        for each in errors[:_SHOWN]
    ]
    more = [f"and {plural(len(errors) - _SHOWN, 'more problem')}"] if len(errors) > _SHOWN else []
    return "\n".join(["The network cannot be written down yet.", "", *lines, *more])
