"""The frame of the window: it is on the screen before what it holds has been loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QTabWidget, QWidget

from gui import style
from gui.fonts import ui_font
from gui.theme import TEXT_PX, WELCOME_PX

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

LEFT, RIGHT, BOTTOM = 232, 296, 310
"""First sizes of the panels in pixels."""


class Frame(QMainWindow):
    """A window where it was left the last time; it imports nothing but what it takes to paint it empty.

    ``gui/parts.py`` puts the parts into it.
    """

    seen = Signal()
    """It is on the screen."""
    ready = Signal()
    """Everything is in it."""

    canvas: CanvasView
    across: QSplitter
    middle: QSplitter
    bottom: QTabWidget
    pages: QStackedWidget
    workbench: QWidget
    panels: dict[str, QWidget]
    """What can be shown and hidden: ``left``, ``right`` and ``bottom``."""
    views: dict[str, QWidget]
    """The pages of the bottom dock."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = False
        self.furnished = False
        """Whether the parts are in it."""
        self.setWindowTitle("Netwright")
        self.resize(1600, 1000)
        if (state := QSettings().value("window/geometry")) is not None:
            self.restoreGeometry(state)

    def toggle(self, name: str) -> None:
        """Show or hide ``left``, ``right`` or ``bottom``."""
        part = self.panels[name]
        part.setVisible(not part.isVisible())

    def shown(self, name: str) -> bool:
        """Return whether a panel is shown."""
        return not self.panels[name].isHidden()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.furnished:
            self._paint_waiting()
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._tell)

    def _tell(self) -> None:
        self.seen.emit()

    def _paint_waiting(self) -> None:
        theme, middle = style.current(), QRectF(self.rect()).center()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("window"))
        for text, px, weight, token, down in (
            ("Netwright", WELCOME_PX, 600, "text", -16),
            ("Opening the workbench …", TEXT_PX, 400, "muted", 16),
        ):
            painter.setFont(ui_font(px, weight))
            painter.setPen(theme.color(token))
            line = QRectF(0, middle.y() + down - 20, self.width(), 40)
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()

    def _remember(self) -> None:
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/across", self.across.saveState())
        settings.setValue("window/middle", self.middle.saveState())
        settings.setValue("canvas/snaps", self.canvas.snaps)
        settings.setValue("canvas/wheel_pans", self.canvas.wheel_pans)
        settings.setValue("window/hidden", [name for name in self.panels if not self.shown(name)])

    def _restore(self) -> None:
        self.across.setSizes([LEFT, 4096, RIGHT])
        self.middle.setSizes([4096, min(BOTTOM, round(0.4 * self.height()))])
        settings = QSettings()
        for name, restore in (
            ("across", self.across.restoreState),
            ("middle", self.middle.restoreState),
        ):
            if (state := settings.value(f"window/{name}")) is not None:
                restore(state)
        self.canvas.snaps = settings.value("canvas/snaps", True, bool)
        self.canvas.wheel_pans = settings.value("canvas/wheel_pans", False, bool)
        for name in settings.value("window/hidden", []) or []:
            if name in self.panels:
                self.panels[name].hide()
