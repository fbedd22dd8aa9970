"""Settings of a node that nothing here knows: shown as they came, and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from engine.layers.formula import Formula
from engine.layers.params import Value
from gui.fonts import mono_font
from gui.inspector.sections import Section
from gui.widgets.basic import Elided, empty, label

_LONGEST = 500
"""Letters of a value that its tool tip shows."""


class KeptSection(Section):
    """Names and values that can be read but not changed; hidden where there are none."""

    def __init__(self) -> None:
        super().__init__("Settings, kept as they came")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self.layout_.addLayout(self._grid)
        self._shown: dict[str, str] = {}

    def show_settings(self, settings: Mapping[str, Value]) -> None:
        """Show what a node holds that its layer does not know."""
        shown = {name[:60]: written(value) for name, value in settings.items()}
        self.setVisible(bool(shown))
        if shown == self._shown:
            return
        self._shown = shown
        empty(self._grid)
        for place, (name, text) in enumerate(shown.items()):
            value = Elided()
            value.setFont(mono_font())
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.set_text(text, spoken=f"{name}: {text}")
            title = label(name, "muted")
            self._grid.addWidget(title, place, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, place, 1)


def written(value: Value) -> str:
    """Return a value as a file writes it, cut short where it is long."""
    plain = f"= {value.text}" if isinstance(value, Formula) else json.dumps(value, ensure_ascii=False)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
