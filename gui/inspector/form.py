"""A form that is derived from declarations: one row for each parameter, the reason under what was refused."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from engine.errors import EngineError
from engine.layers.params import Choice, Param, Text, Value
from gui import style
from gui.fonts import ui_font
from gui.inspector.fields import Field, field_of
from gui.widgets.basic import label, set_role

Edit = Callable[[Param, Value, str], None]
"""Makes an edit of one parameter; edits with the same third text belong to one undo step."""

_NARROW, _MIDDLE, _WIDE = 120, 154, 168
_LONG = 12
"""Letters beyond which the field of a choice is wider."""
LIVE = "The run that goes on takes a change at once."
LATER = "The run that goes on keeps what it began with; the next one takes this."


class Form(QWidget):
    """Labels at the left, fields at the right. A refused edit shows its sentence and changes nothing."""

    def __init__(self, params: Iterable[Param], edit: Edit, parent: QWidget | None = None):
        super().__init__(parent)
        self._edit = edit
        self.fields: dict[str, Field] = {}
        self.errors: dict[str, QLabel] = {}
        self.names: dict[str, Name] = {}
        self._words: dict[str, int] = {}
        self._live: Container[str] | None = None
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        for param in params:
            self._add(grid, param)

    def _add(self, grid: QGridLayout, param: Param) -> None:
        field, error = field_of(param), label("", "error", 12, wrap=True)
        name = Name(param)
        name.setBuddy(field.focusProxy())
        field.setFixedWidth(_width(param))
        error.hide()
        row = grid.rowCount()
        grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(field, row, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(error, row + 1, 0, 1, 2)
        self.fields[param.name], self.errors[param.name] = field, error
        self.names[param.name] = name
        self._words[param.name] = 0
        field.edited.connect(lambda value: self._take(param, value))
        field.refused.connect(lambda message: self._say(param, message))
        field.done.connect(lambda: self._end_word(param.name))

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the document holds, except in a field where something is being mended."""
        for name, field in self.fields.items():
            if name in values:
                field.show_value(values[name])

    def show_live(self, live: Container[str] | None) -> None:
        """Mark the parameters whose change a run takes at once; None says that no run goes on."""
        self._live = live
        for name, shown in self.names.items():
            at_once, field = live is not None and name in live, self.fields[name]
            shown.show_live(at_once)
            spoken = f"{field.param.doc} {LIVE}".strip() if at_once else field.param.doc
            field.focusProxy().setAccessibleDescription(spoken)
        if live is None:
            for name, error in self.errors.items():
                if error.property("role") == "muted":
                    self._say(self.fields[name].param, "")

    def _take(self, param: Param, value: Value) -> None:
        try:
            self._edit(param, value, f"{param.name}.{id(self)}.{self._words[param.name]}")
        except EngineError as error:
            self.fields[param.name].reject(error.message)
        else:
            later = self._live is not None and param.name not in self._live
            self._say(param, LATER if later else "", "muted" if later else "error")

    def _end_word(self, name: str) -> None:
        self._words[name] += 1

    def _say(self, param: Param, message: str, role: str = "error") -> None:
        shown = self.errors[param.name]
        set_role(shown, role)
        shown.setText(message)
        shown.setVisible(bool(message))


class Name(QLabel):
    """What a field is called, with a dot where a run that goes on takes a change at once."""

    def __init__(self, param: Param):
        super().__init__(param.title)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(ui_font())
        self.setProperty("role", "muted")
        self.setMinimumHeight(28)
        self._param, self.live = param, False
        self.show_live(False)

    def show_live(self, live: bool) -> None:
        """Show the dot, or none."""
        self.live = live
        self.setToolTip(f"{self._param.doc} {LIVE}".strip() if live else self._param.doc)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.live:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.current().color("accent"))
            x = self.fontMetrics().horizontalAdvance(self.text()) + 6
            painter.drawEllipse(QRectF(min(x, self.width() - 5), self.height() / 2 - 2, 5, 5))


class LiveDot(QWidget):
    """The dot alone, where there is no name to put it behind."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(5, 5)
        self.setToolTip(LIVE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.current().color("accent"))
        painter.drawEllipse(QRectF(0, 0, 5, 5))


def _width(param: Param) -> int:
    if isinstance(param, Choice) and max(map(len, param.choices), default=0) > _LONG:
        return _MIDDLE
    return _WIDE if isinstance(param, Text) else _NARROW
