"""Says over the window what will happen to the files that are dragged over it, and lets it happen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFrame

from gui import drops
from gui.theme import RADIUS, Theme
from gui.widgets.basic import column, empty, label

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class DropHint(QFrame):
    """A panel in the middle of the window while files are dragged over it."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self._paths: list[Path] = []
        self.texts: list[str] = []
        """What it says, line by line."""
        self.setObjectName("drop")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._column = column(self, 6)
        self._column.setContentsMargins(20, 14, 20, 14)
        window.bench.theme_changed.connect(self._set_theme)
        self._set_theme(window.bench.theme)
        self.hide()

    def enter(self, event: QDragEnterEvent) -> None:
        """Say what will happen to what has come over the window."""
        self._paths = drops.paths_in(event.mimeData())
        if not self._paths:
            event.ignore()
            return
        self._say(drops.lines(self._paths))
        self.move_over(event)

    def move_over(self, event: QDragMoveEvent) -> None:
        """Show by the pointer whether anything can be made of it."""
        if not self._paths:
            event.ignore()
        elif any(drops.drop_of(path) for path in self._paths):
            event.acceptProposedAction()
        else:  # accepted all the same: what is refused at once is never told that it has left
            event.setDropAction(Qt.DropAction.IgnoreAction)
            event.accept()

    def leave(self, event: QEvent) -> None:
        """It has gone away."""
        self.hide()
        self._paths = []

    def drop(self, event: QDropEvent) -> None:
        """Let it happen, after the drag has ended: a question may follow."""
        window, paths = self._window, drops.paths_in(event.mimeData())
        self.hide()
        self._paths = []
        if not paths:
            event.ignore()
            return
        event.acceptProposedAction()
        port = window.canvas.viewport()
        at = port.mapFromGlobal(window.mapToGlobal(event.position()))
        if not port.isVisible() or not QRectF(port.rect()).contains(at):
            at = QRectF(port.rect()).center()
        place = window.canvas.map_to_canvas(at)
        QTimer.singleShot(0, window, lambda: drops.take(window, paths, place))

    def _say(self, lines: Sequence[tuple[str, bool]]) -> None:
        empty(self._column)
        for text, usable in lines:
            self._column.addWidget(label(text, "" if usable else "warning", 14 if usable else 13))
        self.texts = [text for text, _ in lines]
        self.setAccessibleName(". ".join(self.texts))
        self._column.activate()
        size = self._column.totalSizeHint()
        self.resize(min(size.width(), self._window.width() - 40), size.height())
        self.move((self._window.width() - self.width()) // 2, (self._window.height() - self.height()) // 2)
        self.show()
        self.raise_()

    def _set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"#drop {{ background: {theme.raised}; border: 1.5px solid {theme.accent};"
            f" border-radius: {RADIUS + 3}px; }} #drop QLabel {{ background: transparent; }}"
        )
