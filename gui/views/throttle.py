"""One idea: however often something changes, it is shown at most ten times a second, and only if seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from gui.beat import Beat

INTERVAL = 100
"""Milliseconds between two refreshes."""


class Throttle:
    """Calls ``refresh`` soon after ``request``, at most once per ``interval`` ms and only while visible.

    A request to a hidden widget waits; its ``showEvent`` calls ``resume``. What a run tells is shown with the
    pictures of the ``beat``.
    """

    def __init__(
        self,
        widget: QWidget,
        refresh: Callable[[], None],
        interval: int = INTERVAL,
        beat: Beat | None = None,
    ):
        self._widget, self._refresh, self.interval, self._beat = widget, refresh, interval, beat
        self.pending = False
        self._clock = QElapsedTimer()
        self._timer = QTimer(widget)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.fire)

    def request(self) -> None:
        """Ask for a refresh."""
        self.pending = True
        if self._beat is not None and self._beat.showing:
            self._beat.add(self)
        else:
            self.resume()

    def resume(self) -> None:
        """Start what waited while the widget was hidden."""
        if self.pending and self._widget.isVisible() and not self._timer.isActive():
            since = self._clock.elapsed() if self._clock.isValid() else self.interval
            self._timer.start(max(0, self.interval - since))

    def flush(self) -> None:
        """Refresh now, hidden or not."""
        self._timer.stop()
        self.pending = False
        self._clock.start()
        self._refresh()

    def fire(self) -> None:
        """Refresh now if that was asked for and can be seen."""
        if self.pending and isValid(self._widget) and self._widget.isVisible():
            self.flush()
