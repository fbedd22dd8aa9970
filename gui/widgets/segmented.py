"""A few choices side by side, one of them taken."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QStackedWidget, QToolButton, QWidget

from gui.fonts import ui_font
from gui.widgets.basic import Panel, column, row


class Segmented(QFrame):
    """Exclusive choices in a row; the arrow keys move between them. ``changed`` carries the choice's key."""

    changed = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], parent: QWidget | None = None, tone: str = ""):
        super().__init__(parent)
        self.setProperty("widget", "segmented")
        self.setProperty("tone", tone)
        many = len(choices) > 3
        self.setProperty("many", many)
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self.setFixedHeight(30)
        layout = row(self, 2, 2)
        for key, text in choices:
            button = QToolButton(text=text)
            button.setCheckable(True)
            button.setFont(ui_font(12 if many else 12.5, 500))
            if many:  # the style asks for more room beside the words than a dock has for four of them
                button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + 6)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.toggled.connect(lambda on, key=key: on and self.changed.emit(key))
            self._group.addButton(button)
            self._buttons[key] = button
            layout.addWidget(button)
        if choices:
            self._buttons[choices[0][0]].setChecked(True)

    @property
    def key(self) -> str:
        """The key of the choice that is taken."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def choose(self, key: str) -> None:
        """Take a choice."""
        self._buttons[key].setChecked(True)

    def button(self, key: str) -> QToolButton:
        """Return the button of a choice."""
        return self._buttons[key]


class SegmentedStack(Panel):
    """Pages under a segmented control: the left dock with Layers, Gallery and Outline."""

    changed = Signal(str)

    def __init__(self, pages: Sequence[tuple[str, str, QWidget]], parent: QWidget | None = None):
        super().__init__("panel", parent)
        self.segments = Segmented([(key, text) for key, text, _ in pages])
        self._pages = {key: page for key, _, page in pages}
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        head = row(margin=0)
        head.setContentsMargins(12, 12, 12, 0)
        head.addWidget(self.segments)
        layout = column(self, 0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        self.segments.changed.connect(self._show)

    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        self.segments.choose(key)

    def _show(self, key: str) -> None:
        self._stack.setCurrentWidget(self._pages[key])
        self.changed.emit(key)
