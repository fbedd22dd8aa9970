"""What a hidden part of the window would show waits until it is seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget


class Late:
    """Remembers that a widget is behind; ``show`` brings it up to date.

    A slot returns where ``waits()``; the widget's ``showEvent``, and whoever asks it what it shows, calls
    ``catch_up()``.
    """

    def __init__(self, widget: QWidget, show: Callable[[], None]):
        self._widget, self._show = widget, show
        self._behind = True

    def waits(self) -> bool:
        """Return whether nobody sees the widget: what is new is taken over when it is shown."""
        self._behind = self._behind or not self._widget.isVisible()
        return self._behind

    def catch_up(self) -> None:
        """Take over what has waited, hidden or not."""
        if self._behind:
            self._behind = False
            self._show()
