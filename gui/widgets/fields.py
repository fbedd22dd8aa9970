"""Fields for text and numbers that leave undo to the document."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from gui import style
from gui.fonts import mono_font, ui_font

_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class LineField(QLineEdit):
    """A line of text; Ctrl+Z undoes the document's last step, not the typing."""

    def __init__(self, text: str = "", parent: QWidget | None = None):
        super().__init__(text, parent)
        self.setFont(ui_font())

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and any(event.matches(key) for key in _UNDO)
        ):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if any(event.matches(key) for key in _UNDO):
            event.ignore()
            return
        super().keyPressEvent(event)

    def set_bad(self, bad: bool) -> None:
        """Mark the text as one that cannot be taken."""
        if bool(self.property("bad")) != bad:
            self.setProperty("bad", bad)
            self.style().unpolish(self)
            self.style().polish(self)


class SearchField(LineField):
    """A search field with the key that leads to it, faint at its right; Down leaves for the results."""

    down = Signal()

    def __init__(self, placeholder: str, hint: str = "", parent: QWidget | None = None):
        super().__init__("", parent)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(False)
        self._hint = hint

    def set_hint(self, hint: str) -> None:
        """Show other keys."""
        self._hint = hint
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.down.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.textEdited.emit("")
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._hint and not self.text():
            painter = QPainter(self)
            painter.setFont(mono_font(11))
            painter.setPen(style.current().color("muted"))
            box: QRect = self.rect().adjusted(0, 0, -10, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._hint)


class NumberField(LineField):
    """A number to type, to step with the arrow keys or the wheel (only with focus), or to drag sideways.

    ``stepped`` carries the text after a step; ``nudge`` turns a text and a number of steps into the next one.
    """

    stepped = Signal(str)

    def __init__(self, nudge: Callable[[str, int], str], parent: QWidget | None = None):
        super().__init__("", parent)
        self._nudge = nudge
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a press may begin a drag; the release focuses
        self._pressed: QPointF | None = None
        self._dragged = 0
        self._rest = 0

    def _step(self, count: int) -> None:
        text = self._nudge(self.text(), count)
        if text != self.text():
            self.setText(text)
            self.stepped.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        if event.key() in steps:
            factor = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._step(steps[event.key()] * factor)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus():  # a form that scrolls must not change what passes under the pointer
            event.ignore()
            return
        self._rest += event.angleDelta().y()
        steps, self._rest = int(self._rest / 120), int(math.fmod(self._rest, 120))
        self._step(steps)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self.hasFocus():
            self._pressed, self._dragged = event.position(), 0
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self.setCursor(Qt.CursorShape.IBeamCursor if self.hasFocus() else Qt.CursorShape.SizeHorCursor)
            super().mouseMoveEvent(event)
            return
        way = event.position().x() - self._pressed.x()
        if self._dragged or abs(way) >= QApplication.startDragDistance():
            steps = int(way / 6)
            if steps != self._dragged:
                self._step(steps - self._dragged)
                self._dragged = steps

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        pressed, self._pressed = self._pressed, None
        if self._dragged:
            self.editingFinished.emit()
        elif (event.position() - pressed).manhattanLength() < QApplication.startDragDistance():
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.selectAll()
            self.setCursor(Qt.CursorShape.IBeamCursor)


def leading_digit(value: float, steps: int) -> float:
    """Return a number moved by some tenths of its leading digit's place: 0.001 goes to 0.0011, 5 to 5.1."""
    for _ in range(abs(steps)):
        size = abs(value) * (0.999 if (value > 0) != (steps > 0) else 1)
        unit = 10.0 ** (math.floor(math.log10(size)) - 1) if size > 1e-300 else 0.01
        value = round(value / unit + math.copysign(1, steps)) * unit
    return float(f"{value:.6g}")
