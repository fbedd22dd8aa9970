"""A field that takes the keys which are pressed in it, instead of writing letters."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import style
from gui.commands.keymap import normal, spelled
from gui.fonts import ui_font
from gui.theme import RADIUS, TEXT_PX
from gui.widgets.keycaps import caps_of, paint_caps, width_of

HINT = "Press the new keys"


class KeyField(QWidget):
    """Shows keys as caps; ``pressed`` carries those that were pressed, ``left`` says that Esc was."""

    pressed = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._keys = self._held = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(30)
        self.setAccessibleName(HINT)
        self.setCursor(Qt.CursorShape.IBeamCursor)

    def show_keys(self, keys: str) -> None:
        """Show some keys; none shows what to do."""
        self._keys, self._held = keys, ""
        self.setAccessibleDescription(keys or "No shortcut")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(190, 30)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Take Tab as a key like any other; Esc leaves."""
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:  # nothing that is pressed here may do what it does
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = spelled(event)
        if keys == "Esc":
            self.show_keys(self._keys)
            self.left.emit()
        elif keys:
            self._held = ""
            self.pressed.emit(keys)
        else:
            self._hold(event.modifiers())

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._hold(event.modifiers())

    def _hold(self, modifiers: Qt.KeyboardModifier) -> None:
        """Show the modifiers that are held while the key itself is still to come."""
        held = normal(QKeySequence(int(Qt.Key.Key_A) | modifiers.value))
        self._held = held.removesuffix("A")
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._held = ""
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent" if self.hasFocus() else "line"), 1))
        painter.setBrush(theme.color("field" if self.isEnabled() else "panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        held = [each for each in self._held.split("+") if each]
        caps = held or caps_of(self._keys)
        if caps and (self._held or not self.hasFocus()):
            middle = self.height() / 2
            paint_caps(painter, QPointF(10 + width_of(caps), middle), caps, theme, not self.isEnabled())
        else:
            painter.setFont(ui_font(TEXT_PX))
            painter.setPen(theme.color("muted" if self.hasFocus() else "faint"))
            text = HINT if self.isEnabled() else "Cannot be changed"
            room = QRectF(self.rect()).adjusted(10, 0, -10, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
