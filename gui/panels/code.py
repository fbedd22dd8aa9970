"""The generated module: what is drawn, as a person would have written it, and typed back into the drawing."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.compiler.analysis import Analysis
from engine.errors import EngineError, ReadError
from engine.graph.changes import changes
from engine.graph.document import Document
from gui.bench import Bench
from gui.panels.code_editor import CodeEditor
from gui.panels.words import plural
from gui.session import Session
from gui.widgets.basic import Elided, IconButton, Panel, button, column, label, row, set_role
from gui.widgets.late import Late

_SHOWN = 3
_PAUSE_MS = 250
"""How long the typing rests before the text is read."""

_WIDE = 640
"""Pixels from which on the buttons name their keys."""

_SAME = "Type to change the network; a line that cannot be drawn is marked."
_MOVED = "The network changed meanwhile; this code is as it was. Applying it "
_OTHER = "This code belongs to {name}: go back to its tab to apply it, or discard it."
_GONE = "{name} was closed: copy what you need of its code, then discard it."


class CodePanel(Panel):
    """Source beside its graph: selected nodes mark their lines, a click on a line selects its node.

    ``edit`` lets the source be typed into; what it would change is told while one types, and applying it is
    one step of undo.
    """

    export_requested = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self._began: Document | None = None
        self._home: Session | None = None
        self._text = ""
        self._read: Document | None = None
        self._note = label("", "muted", 12)
        self.edit_button = IconButton(
            bench, "pencil", "Edit", "small", "Type into the code; the graph follows"
        )
        self.copy_button = IconButton(bench, "copy", "Copy", "small", "Copy the whole module")
        self.export_button = IconButton(
            bench, "export", "Export", "small", "Save the module as a Python file"
        )
        self._view = CodeEditor(bench)
        self._late = Late(self, self._show_code)
        self._view.setAccessibleName("Generated PyTorch code")
        self._why = label("", "muted", wrap=True)
        self._why.setContentsMargins(14, 8, 14, 8)
        self._head = QWidget()
        head = row(self._head, 6)
        head.setContentsMargins(14, 8, 14, 6)
        head.addWidget(self._note)
        head.addStretch(1)
        head.addWidget(self.edit_button)
        head.addWidget(self.copy_button)
        head.addWidget(self.export_button)
        self.bar = _Bar()
        layout = column(self, 0)
        layout.addWidget(self._head)
        layout.addWidget(self.bar)
        layout.addWidget(self._why)
        layout.addWidget(self._view, 1)
        layout.addStretch(0)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self.edit_button.clicked.connect(self.edit)
        self.copy_button.clicked.connect(self._copy)
        self.export_button.clicked.connect(self.export_requested)
        self.bar.apply_button.clicked.connect(self.apply)
        self.bar.discard_button.clicked.connect(self.discard)
        self.bar.clicked.connect(lambda: self._view.go_to(self._view.fault))
        self._view.typed.connect(self._typed)
        self._view.applied.connect(self.apply)
        self._view.discarded.connect(self.discard)
        self._view.line_clicked.connect(self._select)
        bench.analyzed.connect(self._show)
        bench.store.replaced.connect(self._opened)
        bench.store.selection_changed.connect(lambda _: self._late.waits() or self._mark(reveal=True))
        self._show(bench.analysis)

    @property
    def view(self) -> CodeEditor:
        """The editor; what it shows is up to date, also where it is hidden."""
        self._late.catch_up()
        return self._view

    # --- editing ------------------------------------------------------------------------------------------

    @property
    def editing(self) -> bool:
        """Whether the code is being typed into."""
        return self._view.editing

    @property
    def unapplied(self) -> bool:
        """Whether something was typed that the network does not follow yet."""
        return self.editing and self._view.toPlainText() != self._text

    def edit(self) -> None:
        """Begin to type into the code."""
        source = self._bench.analysis.source
        if self.editing or source is None:
            return
        self._began, self._home = self._bench.store.whole, self._bench.store.session
        self._text = self.view.toPlainText()
        self._read = None
        self._view.mark(())
        self._view.set_editing(True)
        self._head.setVisible(False)
        self.bar.setVisible(True)
        self._tell(_SAME, "muted")
        self.bar.apply_button.setEnabled(False)
        self._view.setFocus()

    def apply(self) -> None:
        """Let the graph follow the code as one step of undo, or say why it cannot."""
        if not self.editing or not self._look():
            return
        document, self._read = self._read, None
        self._end()
        if document is not None:
            shown = self._bench.store.document.nodes
            self._bench.store.apply_whole("edit of the code", document)
            for id in [id for id in self._bench.store.document.nodes if id not in shown][:1]:
                self._bench.reveal.emit(id)
        self._show(self._bench.analysis)

    def discard(self) -> None:
        """Show the network's own code again."""
        if self.editing:
            self._end()
            self._show(self._bench.analysis)

    def may_leave(self) -> bool:
        """Ask about code that was typed and not applied; False if the user wants to stay."""
        if not self.unapplied:
            return True
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText("The code that you typed is not applied.")
        box.setInformativeText("It is lost when the window closes.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Cancel)
        return box.exec() == buttons.Discard

    def _end(self) -> None:
        self._pause.stop()
        self._home = None
        self._view.set_editing(False)
        self.bar.setVisible(False)
        self._head.setVisible(True)

    def _opened(self) -> None:
        """Another network is in front: code of the last one waits for it and is not thrown away."""
        if self.unapplied:
            self._look()
        else:
            self.discard()

    def _typed(self) -> None:
        self.bar.apply_button.setEnabled(self.unapplied)
        self._pause.start()

    def _look(self) -> bool:
        """Read the text and tell what it would change; return whether it can be applied."""
        from engine.compiler.read import read_source  # torch is loaded by now, but not when the window opens

        self._pause.stop()
        if not self.editing:
            return False
        store = self._bench.store
        moved = store.whole != self._began
        self._read = None
        self._view.set_fault(0)
        if self._home is not store.session:
            text = _OTHER if self._home in store.sessions else _GONE
            self._tell(text.format(name=self._home.name), "warning")
            self.bar.apply_button.setEnabled(False)
            return False
        if not self.unapplied and not moved:
            self._tell(_SAME, "muted")
            self.bar.apply_button.setEnabled(False)
            return True
        try:
            self._read = read_source(self._view.toPlainText(), store.whole)
        except EngineError as error:
            line = error.line if isinstance(error, ReadError) else 0
            self._view.set_fault(line)
            self._tell(error.message, "error")
            self.bar.apply_button.setEnabled(False)
            return False
        words = changes(store.whole, self._read)
        if moved and words:
            self._tell(_MOVED + "; ".join(words) + ".", "warning")
        else:
            self._tell(
                "; ".join(words) or "Nothing that the graph can say has changed.", "" if words else "muted"
            )
        self.bar.apply_button.setEnabled(True)
        return True

    def _tell(self, text: str, role: str) -> None:
        self.bar.tell(text, role)

    # --- showing ------------------------------------------------------------------------------------------

    def _show(self, analysis: Analysis) -> None:
        if self.editing:  # what is typed stays, whatever happens on the canvas
            if self._bench.store.whole is not self._began:
                self._pause.start()
            return
        source = analysis.source
        self.edit_button.setEnabled(source is not None)
        self.copy_button.setEnabled(source is not None)
        self.export_button.setEnabled(source is not None)
        self._view.setVisible(source is not None)
        self._why.setVisible(source is None)
        if source is None:
            self._note.setText("")
            self._why.setText(_reasons(analysis))
            self._why.setAccessibleName(self._why.text())
        else:
            self._note.setText(f"{plural(source.text.count(chr(10)), 'line')}, needs nothing but torch")
            if not self._late.waits():
                self._show_code()

    def _show_code(self) -> None:
        """Show the text, which takes a while to color where it is long: only if somebody looks."""
        source = self._bench.analysis.source
        if source is not None and not self.editing:
            self._view.set_code(source.text)
            self._mark()

    def _mark(self, reveal: bool = False) -> None:
        source = self._bench.analysis.source
        if source is not None and not self.editing:
            lines = [line for id in self._bench.store.selection for line in source.lines.get(id, ())]
            self._view.mark(lines, reveal)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._late.catch_up()
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


class _Bar(Panel):
    """The line above code that is being typed: what it would change, Apply and Discard."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__("top", parent)
        self._title = label("Editing", "", 12, 600)
        self.message = Elided("", "muted", 12)
        self.apply_button = button("Apply", "primary", "The graph follows the code (Ctrl+Enter)")
        self.discard_button = button("Discard", "", "Show the network's own code again (Esc)")
        layout = row(self, spacing=8)
        layout.setContentsMargins(14, 4, 14, 6)
        layout.addWidget(self._title)
        layout.addWidget(self.message, 1)
        layout.addWidget(self.discard_button)
        layout.addWidget(self.apply_button)
        self.setVisible(False)

    def tell(self, text: str, role: str) -> None:
        """Say something in the color of a role."""
        set_role(self.message, role)
        self.message.set_text(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE  # below, the message needs the place that the keys take
        self.apply_button.setText("Apply  Ctrl+Enter" if wide else "Apply")
        self.discard_button.setText("Discard  Esc" if wide else "Discard")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self.clicked.emit()


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
