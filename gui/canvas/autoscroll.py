"""Moves the canvas on while something is dragged to its edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt, QTimer

if TYPE_CHECKING:
    from gui.canvas.gestures import Gesture
    from gui.canvas.view import CanvasView

EDGE = 24.0
"""Pixels from the edge of the view at which it begins to move."""
FASTEST = 16.0
"""Pixels for each tick of the timer, reached well beyond the edge."""
_TICK = 16


class AutoScroll(QObject):
    """Pans by how far the pointer is in the margin, and repeats the gesture's move as the canvas passes."""

    def __init__(self, view: CanvasView):
        super().__init__(view)
        self._view = view
        self._gesture: Gesture | None = None
        self._at, self._modifiers = QPointF(), Qt.KeyboardModifier.NoModifier
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self._go_on)

    def follow(self, gesture: Gesture, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """Take the pointer's place during a drag."""
        self._gesture, self._at, self._modifiers = gesture, at, modifiers
        if self.push().isNull():
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """The drag is over."""
        self._timer.stop()
        self._gesture = None

    def push(self) -> QPointF:
        """Return by how many pixels the view moves at each tick; only the way that the drag goes."""
        if self._gesture is None or not self._gesture.scrolls:
            return QPointF()
        port, start, at = self._view.viewport().rect(), self._gesture.start, self._at
        return QPointF(
            _along(at.x(), start.x(), port.width()),
            _along(at.y(), start.y(), port.height()),
        )

    def _go_on(self) -> None:
        push = self.push()
        if push.isNull():
            self._timer.stop()
            return
        self._view.pan(-push)
        self._gesture.move(self._at, self._modifiers)


def _along(at: float, start: float, length: float) -> float:
    """Return the push along one axis: 0 inside, and where the drag began at the edge and goes elsewhere."""
    if at > length - EDGE and at - start > EDGE / 2:
        return min((at - length + EDGE) / 4, FASTEST)
    if at < EDGE and start - at > EDGE / 2:
        return max((at - EDGE) / 4, -FASTEST)
    return 0.0
