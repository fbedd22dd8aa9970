"""A form that is derived from declarations: one row for each parameter, the reason under what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from engine.errors import EngineError
from engine.layers.params import Param, Text, Value
from gui.inspector.fields import Field, field_of
from gui.widgets.basic import label

Edit = Callable[[Param, Value, str], None]
"""Makes an edit of one parameter; edits with the same third text belong to one undo step."""

_NARROW, _WIDE = 120, 168


class Form(QWidget):
    """Labels at the left, fields at the right. A refused edit shows its sentence and changes nothing."""

    def __init__(self, params: Iterable[Param], edit: Edit, parent: QWidget | None = None):
        super().__init__(parent)
        self._edit = edit
        self.fields: dict[str, Field] = {}
        self.errors: dict[str, QLabel] = {}
        self._words: dict[str, int] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        for param in params:
            self._add(grid, param)

    def _add(self, grid: QGridLayout, param: Param) -> None:
        field, error = field_of(param), label("", "error", 12, wrap=True)
        name = label(param.title, "muted")
        name.setToolTip(param.doc)
        name.setBuddy(field.focusProxy())
        name.setMinimumHeight(28)
        field.setFixedWidth(_WIDE if isinstance(param, Text) else _NARROW)
        error.hide()
        row = grid.rowCount()
        grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(field, row, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(error, row + 1, 0, 1, 2)
        self.fields[param.name], self.errors[param.name] = field, error
        self._words[param.name] = 0
        field.edited.connect(lambda value: self._take(param, value))
        field.refused.connect(lambda message: self._say(param, message))
        field.done.connect(lambda: self._end_word(param.name))

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the document holds, except in a field where something is being mended."""
        for name, field in self.fields.items():
            if name in values:
                field.show_value(values[name])

    def _take(self, param: Param, value: Value) -> None:
        try:
            self._edit(param, value, f"{param.name}.{id(self)}.{self._words[param.name]}")
        except EngineError as error:
            self.fields[param.name].reject(error.message)
        else:
            self._say(param, "")

    def _end_word(self, name: str) -> None:
        self._words[name] += 1

    def _say(self, param: Param, message: str) -> None:
        shown = self.errors[param.name]
        shown.setText(message)
        shown.setVisible(bool(message))
