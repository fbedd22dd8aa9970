"""The editor of a layer written in Python: checked while one types, applied as one step of undo."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget

from engine.compiler.analysis import Analysis
from engine.compiler.trust import is_trusted
from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.custom import set_custom
from engine.graph.document import Document
from engine.graph.signature import SourceError
from gui.bench import Bench
from gui.custom.face import FacePreview
from gui.panels.code_editor import CodeEditor
from gui.panels.words import plural
from gui.session import Session
from gui.theme import TITLE_PX
from gui.trusted import remember
from gui.widgets.basic import Scroll, button, column, label, row, rule, set_role

_PAUSE_MS = 250
_SIDE = 228
_FINE = "Ctrl+Enter applies it. What __init__ takes are settings, what forward takes are inputs."
_OFF = "This code is off: you have not trusted it yet. Applying it means that you do."


class CustomEditor(QDialog):
    """A window with the code of one custom layer; every node of that type follows when it is applied."""

    def __init__(self, bench: Bench, name: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench, self.name = bench, name
        self.session = bench.store.session
        """The document that the layer is of; behind another one this window hides."""
        self._source = ""
        self._names = [name]
        """What the layer was called while this window was open, for undo and redo."""
        self.title = label("", px=TITLE_PX, weight=600)
        self.view = CodeEditor(bench)
        self.view.setProperty("kind", "code")
        self.view.setAccessibleName("Code of the layer")
        self.uses = label("", "muted", 12)
        self.face = FacePreview()
        self.said = label("", "muted", 12.5, wrap=True)
        self.apply_button = button("Apply", "primary")
        self.discard_button = button("Discard", tip="Show the code that is applied")
        for each in (self.apply_button, self.discard_button):
            each.setAutoDefault(False)
        self._lay_out()
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.look)
        self.view.typed.connect(self._typed)
        self.view.applied.connect(self.apply)
        self.view.discarded.connect(self.close)
        self.apply_button.clicked.connect(self.apply)
        self.discard_button.clicked.connect(self.discard)
        bench.store.edited.connect(self._follow)
        bench.store.arrived.connect(self._turn)
        bench.store.closed.connect(self._close_with)
        bench.trust_changed.connect(self.look)
        bench.analyzed.connect(self._show_analysis)
        self._load()
        room = parent.window().size() if parent else self.size()
        self.resize(min(900, room.width() - 60), min(600, room.height() - 60))
        self.view.setFocus()

    @property
    def unapplied(self) -> bool:
        """Whether something was typed that no node follows yet."""
        return self.view.toPlainText().rstrip() != self._source.rstrip()

    def _lay_out(self) -> None:
        side = Scroll(self.face)
        side.setFixedWidth(_SIDE)
        middle = row(spacing=16)
        middle.addWidget(self.view, 1)
        middle.addWidget(side)
        foot = row(spacing=8)
        foot.addWidget(self.said, 1)
        foot.addWidget(self.discard_button, 0, Qt.AlignmentFlag.AlignBottom)
        foot.addWidget(self.apply_button, 0, Qt.AlignmentFlag.AlignBottom)
        head = row(spacing=8)
        head.setContentsMargins(20, 14, 20, 8)
        head.addWidget(self.title)
        head.addWidget(self.uses, 1)
        inner = column(spacing=10)
        inner.setContentsMargins(20, 4, 20, 14)
        inner.addLayout(middle, 1)
        inner.addWidget(rule())
        inner.addLayout(foot)
        whole = column(self, 0)
        whole.addLayout(head)
        whole.addLayout(inner, 1)

    def _load(self) -> None:
        """Show the code as the document holds it."""
        self._source = self._bench.store.whole.customs[self.name].source
        self.view.set_editing(False)
        self.view.set_code(self._source)
        self.view.set_editing(True)
        self._name()
        self.look()

    def _name(self) -> None:
        self.setWindowTitle(f"{self.name} – custom layer")
        self.title.setText(self.name)
        document = self._bench.store.whole
        graphs = (document, *document.blocks.values())
        count = sum(node.type == self.name for graph in graphs for node in graph.nodes.values())
        self.uses.setText(f"{plural(count, 'node')} of it in this document" if count else "not used yet")

    def _typed(self) -> None:
        self._pause.start()

    def look(self) -> bool:
        """Check what is typed, and show the face that it gives; return whether it can be applied."""
        self._pause.stop()
        if not self._in_front:
            return False
        text = self.view.toPlainText()
        off = not is_trusted(self._source)
        self.apply_button.setText("Trust and apply" if off else "Apply")
        self.discard_button.setEnabled(self.unapplied)
        try:
            document, name = self._edited(self._bench.store.document, text)
            self.face.show_layer(layer_of(document, name))
        except EngineError as error:
            self.view.set_fault(error.line if isinstance(error, SourceError) else 0)
            self._tell(_capital(error.message), "error")
            self.apply_button.setEnabled(False)
            return False
        self.view.set_fault(0)
        self._tell(_OFF if off else _FINE, "warning" if off else "muted")
        self.apply_button.setEnabled(self.unapplied or off)
        return True

    def _show_analysis(self, analysis: Analysis) -> None:
        """Tell what went wrong in a line of the applied code when a node of it was measured."""
        if self.unapplied or self._pause.isActive():
            return
        begins = f"{self.name}, line "
        found = (each.message for each in analysis.problems if each.message.startswith(begins))
        message = next(found, "")
        number = message.removeprefix(begins).partition(":")[0]
        if number.isdecimal():
            self.view.set_fault(int(number))
            self._tell(message, "error")
        elif self.view.fault:
            self.look()

    def _edited(self, document: Document, text: str) -> tuple[Document, str]:
        return set_custom(document, self.name, text)

    def apply(self) -> None:
        """Let every node of this type follow; what one typed and applies oneself is trusted."""
        if not self.look() or not self.apply_button.isEnabled():
            return
        text = self.view.toPlainText()
        text = text if text.endswith("\n") else f"{text}\n"
        old, (document, name) = self.name, self._edited(self._bench.store.document, text)
        remember([text])
        self.name, self._source = name, text
        self._names.append(name)
        self._bench.store.apply(f"Edit the code of {old}", document)
        self._name()
        self._bench.trust_changed.emit()

    def discard(self) -> None:
        """Show the code that is applied."""
        self._load()

    @property
    def _in_front(self) -> bool:
        return self.session is self._bench.store.session

    def _turn(self) -> None:
        self.setVisible(self._in_front)

    def _close_with(self, session: Session) -> None:
        if session is self.session:
            self._end()

    def _follow(self) -> None:
        """Follow an undo: the layer may be gone, or be called as before."""
        if not self._in_front:
            return
        customs = self._bench.store.whole.customs
        if self.name not in customs:
            known = [name for name in reversed(self._names) if name in customs]
            if not known:
                self._end()
                return
            self.name = known[0]
        if customs[self.name].source != self._source and not self.unapplied:
            self._load()
        else:
            self._source = customs[self.name].source
            self._name()
            self.look()

    def _end(self) -> None:
        self._source = self.view.toPlainText()  # nothing is left that it could be applied to
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.unapplied and not self._may_leave():
            event.ignore()
            return
        event.accept()

    def _may_leave(self) -> bool:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"What you typed for {self.name} is not applied.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Cancel)
        return box.exec() == buttons.Discard

    def _tell(self, text: str, role: str) -> None:
        self.said.setText(text)
        set_role(self.said, role)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
