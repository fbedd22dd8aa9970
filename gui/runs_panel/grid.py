"""Names and values below each other: one column for each run, so that differences stand side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from gui.widgets.basic import Dot, Elided, empty, label, row

SMALL = 12
NAMES, WIDE = 96, 132
"""Pixels of the names, beside several values and beside one."""


class ValueGrid(QWidget):
    """Rows of a name and values; with several columns each stands under the color of its run."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(5)
        self._shown: object = None

    def show_rows(self, rows: Mapping[str, Sequence[str]], colors: Sequence[str] = ()) -> None:
        """Show rows by their names; ``colors`` stand above the values."""
        shown = ({name: tuple(values) for name, values in rows.items()}, tuple(colors))
        if shown == self._shown:
            return
        self._shown = shown
        empty(self._grid)
        columns = max((len(values) for values in rows.values()), default=0)
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 1 if 0 < place <= columns else 0)
            self._grid.setColumnMinimumWidth(place, 0)
        self._grid.setColumnMinimumWidth(0, NAMES if columns > 1 else WIDE)
        for place, color in enumerate(colors, 1):
            self._grid.addWidget(_head(color, place), 0, place, Qt.AlignmentFlag.AlignLeft)
            self._grid.setColumnStretch(place, 1)
        for line, (name, values) in enumerate(rows.items(), 1):
            title = Elided(name, "muted", SMALL)
            title.setFixedWidth(NAMES if columns > 1 else WIDE)
            self._grid.addWidget(title, line, 0, Qt.AlignmentFlag.AlignLeft)
            for place, value in enumerate(values, 1):
                cell = Elided(value or "–", "", SMALL)
                cell.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
                cell.setAccessibleName(f"{name}: {value}")
                self._grid.addWidget(cell, line, place)
                self._grid.setColumnStretch(place, 1)
        self.setVisible(bool(rows))


def _head(color: str, number: int) -> QWidget:
    """The color of a run and its number, for those who do not tell colors apart."""
    head = QWidget()
    inner = row(head, 5)
    inner.addWidget(Dot(color))
    inner.addWidget(label(str(number), "muted", SMALL))
    head.setAccessibleName(f"Run {number}")
    return head
