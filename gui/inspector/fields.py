"""From a parameter's declaration to the field that edits it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QPushButton, QWidget

from engine.errors import ParameterError
from engine.layers.params import Bool, Choice, File, Float, Folder, HubName, Int, Param, Value
from gui.fonts import ui_font
from gui.widgets.basic import button, row
from gui.widgets.fields import LineField, NumberField, leading_digit
from gui.widgets.switch import Switch

PATIENCE_MS = 500
"""How long a text may be wrong while somebody types before the field says so."""


class Field(QWidget):
    """Edits the value of one parameter.

    ``edited`` carries a good value as it is typed, ``refused`` the sentence that says why a text is not one
    (empty when it is mended), ``done`` comes at the end of a typed word or a spin.
    """

    edited = Signal(object)
    refused = Signal(str)
    done = Signal()

    def __init__(self, param: Param):
        super().__init__()
        self.param = param
        self._layout = row(self, 4)

    def show_value(self, value: Value) -> None:
        """Show a value that the document holds."""
        raise NotImplementedError

    def show_mixed(self) -> None:
        """Show that several nodes differ here."""

    def reject(self, message: str) -> None:
        """Say why the document did not take the value that was just edited."""
        self.refused.emit(message)

    def _hold(self, widget: QWidget) -> None:
        self._layout.addWidget(widget)
        self.setFocusProxy(widget)
        widget.setAccessibleName(self.param.title)
        widget.setAccessibleDescription(self.param.doc)
        widget.setToolTip(self.param.doc)


class TextField(Field):
    """A line of text that is parsed with every key."""

    def __init__(self, param: Param, line: LineField | None = None):
        super().__init__(param)
        self.line = line or LineField()
        self._value: Value = None
        self._before: Value = None
        self._error = ""
        self._wait = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._wait.timeout.connect(self._say)
        self._hold(self.line)
        if param.optional:
            self.line.setPlaceholderText(param.unset)
        self.line.textEdited.connect(self._take)
        self.line.editingFinished.connect(self._finish)

    def show_value(self, value: Value) -> None:
        if value == self._value and (self._error or self._means(value)):
            return  # what is being typed stays as it is typed: 1e-3 does not turn into 0.001 under the cursor
        self._value = value
        self._clear()
        self.line.setText(self.param.text(value))
        self.line.setCursorPosition(0)

    def show_mixed(self) -> None:
        self._value = None
        self.line.setText("")
        self.line.setPlaceholderText("several values")

    def reject(self, message: str) -> None:
        self._value, self._error = self._before, message  # the text stays, to be mended
        self._say()

    def _means(self, value: Value) -> bool:
        try:
            return self.param.parse(self.line.text()) == value
        except ParameterError:
            return False

    def _take(self, text: str) -> None:
        try:
            value = self.param.parse(text)
        except ParameterError as error:
            self._error = error.message
            self._wait.start()
            return
        self._clear()
        self._before, self._value = self._value, value
        self.edited.emit(value)

    def _finish(self) -> None:
        self._say()
        if not self._error and self.line.isModified():
            self.line.setText(self.param.text(self._value))
            self.done.emit()

    def _say(self) -> None:
        self._wait.stop()
        self.line.set_bad(bool(self._error))
        if self._error:
            self.refused.emit(self._error)

    def _clear(self) -> None:
        self._wait.stop()
        self._error = ""
        self.line.set_bad(False)
        self.refused.emit("")


class NumericField(TextField):
    """A number: typed, stepped, or dragged."""

    def __init__(self, param: Int | Float):
        number = NumberField(self._nudge)
        super().__init__(param, number)
        number.stepped.connect(self._take)

    def _nudge(self, text: str, steps: int) -> str:
        try:
            value = self.param.parse(text)
            value = 0 if value is None else value
            moved = value + steps if isinstance(self.param, Int) else leading_digit(value, steps)
            low, high = self.param.min, self.param.max
            moved = moved if low is None else max(low, moved)
            return self.param.text(self.param.check(moved if high is None else min(high, moved)))
        except ParameterError:
            return text

    def _finish(self) -> None:
        super()._finish()
        self.done.emit()


class SwitchField(Field):
    """Yes or no."""

    def __init__(self, param: Bool):
        super().__init__(param)
        self.switch = Switch()
        self._layout.addStretch(1)
        self._hold(self.switch)
        self._value: Value = False
        self.switch.clicked.connect(self._take)

    def show_value(self, value: Value) -> None:
        self._value = value
        self.switch.setChecked(bool(value))

    def reject(self, message: str) -> None:
        self.show_value(self._value)
        super().reject(message)

    def _take(self, on: bool) -> None:
        self.edited.emit(on)
        self.done.emit()


class ChoiceField(Field):
    """One of a few words."""

    def __init__(self, param: Choice):
        super().__init__(param)
        self.combo = _CalmCombo()
        self.combo.setFont(ui_font())
        self.combo.addItems(param.choices)
        self._hold(self.combo)
        self._value: Value = ""
        self.combo.textActivated.connect(self._take)

    def reject(self, message: str) -> None:
        self.show_value(self._value)
        super().reject(message)

    def show_value(self, value: Value) -> None:
        self._value = value
        self.combo.setCurrentIndex(self.combo.findText(str(value)))

    def show_mixed(self) -> None:
        self.combo.setCurrentIndex(-1)

    def _take(self, text: str) -> None:
        self.edited.emit(text)
        self.done.emit()


class _CalmCombo(QComboBox):
    """A combo box that does not change under the wheel when a form is scrolled, and may be narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FileField(TextField):
    """A path with a button that asks for it."""

    def __init__(self, param: File):
        super().__init__(param)
        self.browse: QPushButton = button("…", tip=f"Choose {param.title.lower()}")
        self.browse.setAccessibleName(f"Choose {param.title.lower()}")
        self.browse.setFixedWidth(32)
        self._layout.addWidget(self.browse)
        self.browse.clicked.connect(self._ask)

    def _ask(self) -> None:
        here = str(Path(self.line.text()).parent) if self.line.text() else ""
        path = self._pick(f"Choose {self.param.title.lower()}", here)
        if path:
            self.line.setText(path)
            self._take(path)
            self.done.emit()

    def _pick(self, title: str, here: str) -> str:
        wanted = " ".join(self.param.patterns)
        kinds = f"{self.param.title} ({wanted})" if wanted else ""
        return QFileDialog.getOpenFileName(self, title, here, kinds)[0]


class FolderField(FileField):
    """A folder's path with a button that asks for it."""

    def _pick(self, title: str, here: str) -> str:
        return QFileDialog.getExistingDirectory(self, title, here)


class HubField(TextField):
    """The name of a set of the hub; after ``offer`` a button asks for the browser by ``wanted``."""

    wanted = Signal()

    def __init__(self, param: HubName):
        super().__init__(param)
        self.line.setPlaceholderText("owner/name")
        self.browse: QPushButton = button("…", tip="Browse the Hugging Face hub, and download")
        self.browse.setAccessibleName("Browse the Hugging Face hub")
        self.browse.setFixedWidth(32)
        self._layout.addWidget(self.browse)
        self.browse.clicked.connect(self.wanted)
        self.browse.hide()

    def offer(self) -> None:
        """Show the button: somebody listens to it."""
        self.browse.show()


FIELDS: dict[type[Param], Callable[[Param], Field]] = {
    Int: NumericField,
    Float: NumericField,
    Bool: SwitchField,
    Choice: ChoiceField,
    File: FileField,
    Folder: FolderField,
    HubName: HubField,
}
"""The field of each kind of parameter; others are typed as text."""


def field_of(param: Param) -> Field:
    """Return a new field for a parameter."""
    return FIELDS.get(type(param), TextField)(param)
