"""Tool tips of buttons tell the keys that do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QToolTip, QWidget

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class KeyTips(QObject):
    """Shows a button's own tip with the keys that its action has at that moment."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._actions = window.actions_
        top = window.top
        self._ids: dict[QWidget, tuple[str, ...]] = {
            top.run_button: ("run", "pause"),
            top.step_button: ("step",),
            top.stop_button: ("stop",),
        }
        for button in self._ids:
            button.installEventFilter(self)

    def text(self, button: QWidget) -> str:
        """Return what the tip of a button says now: of several actions that which can be done."""
        items = [self._actions[id] for id in self._ids[button]]
        item = next((each for each in items if each.isEnabled()), items[0])
        keys = item.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        return f"{button.toolTip()}  ({keys})" if keys else button.toolTip()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip:
            return False
        QToolTip.showText(event.globalPos(), self.text(watched), watched)
        return True
