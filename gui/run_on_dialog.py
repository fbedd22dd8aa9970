"""What has to be said about a place where a run can be: a small form, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from engine.distributed.places import Place
from engine.layers.params import Param, Text, Value
from gui.inspector.form import Form
from gui.theme import TITLE_PX
from gui.widgets.basic import button, column, label, row, rule, set_role

WIDTH = 460
_FIELD = 260
"""Pixels of a field for text: hosts, folders and commands are long."""


class RunOnDialog(QDialog):
    """Accepted with ``values``. ``warn`` says in a sentence what speaks against them for the network."""

    def __init__(
        self,
        parent: QWidget,
        place: Place,
        values: Mapping[str, Value],
        warn: Callable[[Mapping[str, Value]], str],
    ):
        super().__init__(parent)
        self.setWindowTitle("Run on")
        self.place, self.values = place, dict(values)
        self._warn = warn
        whole = column(self, 14)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.addWidget(label(place.title, px=TITLE_PX, weight=600))
        whole.addWidget(label(place.doc, "muted", 12.5, wrap=True))
        self.form = Form(place.params, self._take)
        for param in place.params:
            if isinstance(param, Text):
                self.form.fields[param.name].setFixedWidth(_FIELD)
        self.form.show_values(self.values)
        whole.addWidget(self.form)
        self.said = label("", px=12.5, wrap=True)
        whole.addWidget(self.said)
        whole.addStretch(1)
        whole.addWidget(rule())
        self.cancel_button = button("Cancel")
        self.use_button = button("Run there", "primary", "From now on, Run trains there")
        self.use_button.setDefault(True)
        foot = row(spacing=8)
        foot.addStretch(1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.use_button)
        whole.addLayout(foot)
        self.cancel_button.setAutoDefault(False)
        self.cancel_button.clicked.connect(self.reject)
        self.use_button.clicked.connect(self.accept)
        self.setMinimumWidth(WIDTH)
        self._judge()
        first = next(iter(self.form.fields.values()))
        first.setFocus(Qt.FocusReason.TabFocusReason)

    def _take(self, param: Param, value: Value, word: str) -> None:
        self.values[param.name] = value
        self._judge()

    def _judge(self) -> None:
        """Say why it cannot be, or what speaks against it."""
        problem = self.place.problem(self.values)
        self.use_button.setEnabled(not problem)
        self.said.setText(problem or self._warn(self.values))
        set_role(self.said, "muted" if problem else "warning")
        self.said.setVisible(bool(self.said.text()))
        if self.isVisible():
            self.adjustSize()
