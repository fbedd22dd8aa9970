"""Garbage is collected in the window's thread only.

Python collects in whichever thread happens to allocate. A widget in a cycle that a reader's or a trainer's
thread collects is invalid for Python at once but lives on in Qt until the window's thread gets to it; an
event in between ends the process.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 200


class Collector(QObject):
    """Switches the automatic collection off and looks for garbage on a timer instead."""

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start()


def collect_if_due() -> int:
    """Collect the oldest generation whose threshold is passed, as Python would, and return what was freed."""
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            return gc.collect(generation)
    return 0
