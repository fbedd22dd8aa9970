"""A bar over the canvas that says what is special about the file in front, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from gui.bench import Bench
from gui.panels.problems import SeverityIcon
from gui.theme import Theme
from gui.widgets.basic import button, column, empty, label, row


@dataclass(frozen=True)
class Notice:
    """A sentence about a file, and what can be done about it, each by its word."""

    text: str
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()


class Banner(QFrame):
    """Shows one notice after the other, each in a row of its own; gone while there is none."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.setObjectName("fileBanner")
        self._rows = column(self, 0)
        self._shown: tuple[Notice, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        """The buttons that are shown, by their words."""
        bench.theme_changed.connect(self._set_theme)
        self._set_theme(bench.theme)
        self.hide()

    def show_notices(self, notices: tuple[Notice, ...]) -> None:
        """Show these notices and no others."""
        self.setVisible(bool(notices))
        if [each.text for each in notices] == [each.text for each in self._shown]:
            return
        self._shown = notices
        empty(self._rows)
        self.buttons = {}
        for notice in notices:
            self._rows.addWidget(self._row(notice))
        self.setAccessibleName(" ".join(each.text for each in notices))

    def text(self) -> str:
        """Return what is said."""
        return " ".join(each.text for each in self._shown)

    def _row(self, notice: Notice) -> QFrame:
        frame = QFrame()
        frame.setObjectName("fileNotice")
        layout = row(frame, 8)
        layout.setContentsMargins(14, 7, 10, 7)
        layout.addWidget(SeverityIcon("warning"), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(label(notice.text, wrap=True), 1)
        for word, act in notice.actions:
            self.buttons[word] = pushed = button(word, "small")
            # Later: the banner may go while the button that was pressed is still at work.
            pushed.clicked.connect(act, Qt.ConnectionType.QueuedConnection)
            layout.addWidget(pushed, 0, Qt.AlignmentFlag.AlignVCenter)
        return frame

    def _set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"#fileNotice {{ background: {theme.raised}; border-bottom: 1px solid {theme.line}; }}"
        )
