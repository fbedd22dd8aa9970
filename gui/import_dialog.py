"""The import dialog: what is read, what became what, and the form where something must be said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QDialog, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from engine.importing.report import BAD, GOOD, Note
from gui.theme import TITLE_PX
from gui.widgets.basic import Scroll, button, column, empty, label, row, rule, section
from gui.widgets.fields import LineField
from gui.widgets.flow import FlowLayout

_MARKS = {GOOD: ("✓", "ok"), BAD: ("✗", "error")}
WIDTH, HEIGHT = 580, 460
_MOST = 24
"""Modules of a file that are offered by name."""


class ImportDialog(QDialog):
    """Emits ``wanted`` with the module and the inputs that were typed, and ``opened`` at the end."""

    wanted = Signal(str, str)
    opened = Signal()

    def __init__(self, parent: QWidget, path: Path, names: Sequence[str] = ()):
        """``names`` are the modules that a Python file seems to hold."""
        super().__init__(parent)
        self.setWindowTitle("Import")
        self.chips: dict[str, QPushButton] = {}
        self._python = path.suffix.lower() == ".py"
        whole = column(self, 12)
        whole.setContentsMargins(20, 18, 20, 16)
        self.title = label(f"Import {path.name}", px=TITLE_PX, weight=600, wrap=True)
        self.said = label("", px=12.5, wrap=True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(4)
        self.report = QWidget()
        self._notes = column(self.report, 12)
        whole.addWidget(self.title)
        whole.addWidget(self.said)
        whole.addWidget(self.busy)
        self._scroll = Scroll(self.report)
        whole.addWidget(self._scroll, 1)
        self.form = self._form(names)
        whole.addWidget(self.form)
        whole.addStretch(0)
        whole.addWidget(rule())
        self.open_button = button("Open the network", "primary")
        self.again_button = button("Import again", "primary")
        self.change_button = button("Change …", tip="Name another module, or say the shapes of the inputs")
        self.close_button = button("Cancel")
        foot = row(spacing=8)
        foot.addStretch(1)
        for each in (self.close_button, self.change_button, self.again_button, self.open_button):
            each.setAutoDefault(False)
            foot.addWidget(each)
        whole.addLayout(foot)
        self.open_button.clicked.connect(self._open)
        self.again_button.clicked.connect(self._again)
        self.close_button.clicked.connect(self.reject)
        self.change_button.clicked.connect(lambda: self.tell_failed(""))
        self.resize(WIDTH, min(HEIGHT, parent.window().height() - 24))

    def _form(self, names: Sequence[str]) -> QWidget:
        form = QWidget()
        layout = column(form, 5)
        self.module = _field("The module in the file", "Net(num_classes=10)")
        self.inputs = _field("The shapes of the inputs", "1,3,224,224    or    int:1,16 for token ids")
        self.module.setCompleter(QCompleter(list(names), self))
        if len(names) == 1:
            self.module.setText(names[0])
        for title, field, doc in (
            ("Module", self.module, "A class of the file with numbers and words as arguments, or an object."),
            ("Inputs", self.inputs, "The shape of each input, the batch in front; several are parted by ;"),
        ):
            if title == "Inputs" or self._python:
                if layout.count():
                    layout.addSpacing(10)
                layout.addWidget(section(title))
                layout.addWidget(field)
            if title == "Module" and len(names) > 1:
                layout.addWidget(self._offers(names))
            if title == "Inputs" or self._python:
                layout.addWidget(label(doc, "muted", 12, wrap=True))
            field.returnPressed.connect(self._again)
        return form

    def _offers(self, names: Sequence[str]) -> QWidget:
        """The modules of the file, to be chosen with one click."""
        offers = QWidget()
        layout = FlowLayout(offers)
        for name in names[:_MOST]:
            chip = button(name, "chip", f"Import {name}")
            chip.setAutoDefault(False)
            chip.clicked.connect(lambda _=False, name=name: self.module.setText(name) or self._again())
            self.chips[name] = chip
            layout.addWidget(chip)
        return offers

    def tell_busy(self, text: str) -> None:
        """Say what is being read."""
        self._show(text, "muted", busy=True)

    def tell_failed(self, text: str) -> None:
        """Say why it cannot be imported, with the form to say more."""
        self._show(text, "error", form=True)
        (self.module if self._python else self.inputs).setFocus()

    def tell_done(self, text: str, notes: Sequence[Note]) -> None:
        """Show the report, and offer to open the network."""
        empty(self._notes)
        for note in notes:
            self._notes.addLayout(_row(note))
        self._notes.addStretch(1)
        self._show(text, "muted", report=True)
        self.open_button.setFocus()

    def _show(
        self, text: str, role: str, busy: bool = False, report: bool = False, form: bool = False
    ) -> None:
        self.said.setText(text)
        self.said.setVisible(bool(text))
        self.said.setProperty("role", role)
        self.said.style().unpolish(self.said)
        self.said.style().polish(self.said)
        self.busy.setVisible(busy)
        self._scroll.setVisible(not form)
        self.form.setVisible(form)
        self.open_button.setVisible(report)
        self.change_button.setVisible(report)
        self.again_button.setVisible(form)

    def _again(self) -> None:
        self.wanted.emit(self.module.text().strip() if self._python else "", self.inputs.text().strip())

    def _open(self) -> None:
        self.accept()
        self.opened.emit()


def _field(name: str, placeholder: str) -> LineField:
    field = LineField()
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(name)
    return field


def _row(note: Note) -> QVBoxLayout:
    """Return a line of the report: its mark, what it is about, and the rest below."""
    sign, role = _MARKS.get(note.kind, ("•", "muted"))
    line = row(spacing=9)
    mark: QLabel = label(sign, role, 13, 600)
    mark.setFixedWidth(14)
    words = column(spacing=1)
    title = label(note.title, "error" if note.kind == BAD else "", 13, 500, wrap=True)
    words.addWidget(title)
    if note.text:
        text = label(note.text[:1].upper() + note.text[1:], "muted", 12, wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(text)
    line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    line.addLayout(words, 1)
    return line
