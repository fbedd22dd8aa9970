"""A button that shows one of a few choices and opens a menu of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton

from gui.fonts import ui_font
from gui.theme import TEXT_PX


class MenuButton(QPushButton):
    """``chosen`` carries the key of what the user chose; ``what`` names the matter for screen readers."""

    chosen = Signal(str)

    def __init__(self, what: str, tip: str):
        super().__init__()
        self._what = what
        self.setFont(ui_font(TEXT_PX, 500))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setMenu(QMenu(self))

    def set_choices(self, choices: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer ``(key, text)`` pairs; the chosen one is on the button."""
        menu = self.menu()
        menu.clear()
        group = QActionGroup(menu)
        for key, text in choices:
            action = group.addAction(text)
            action.setCheckable(True)
            action.setChecked(key == chosen)
            action.triggered.connect(lambda on, key=key, text=text: self._choose(key, text))
            menu.addAction(action)
        self.show_text(dict(choices).get(chosen, choices[0][1]))

    def show_text(self, text: str) -> None:
        """Show a text in place of the choice, such as ``CPU · 2 threads`` for what automatic found."""
        self.setText(text)
        self.setAccessibleName(f"{self._what}: {text}")

    def _choose(self, key: str, text: str) -> None:
        self.show_text(text)
        self.chosen.emit(key)
