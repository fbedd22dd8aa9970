"""Garbage is collected in the window's thread only.

Python collects in whichever thread happens to allocate. A widget in a cycle that a reader's or a trainer's
thread collects is invalid for Python at once but lives on in Qt until the window's thread gets to it; an
event in between ends the process.
"""

from __future__ import annotations

import gc
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

from engine.training.pace import Pace

EVERY_MS = 500

SHARE = 0.005
"""Of the time that going through everything that lives may take: nothing else can run meanwhile."""

_full = Pace(SHARE)
_last = 0.0


class Collector(QObject):
    """Switches the automatic collection off and looks for garbage on a timer instead."""

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start()


def collect_if_due() -> int:
    """Collect the oldest generation whose threshold is passed, as Python would, and return what was freed.

    The oldest holds everything, a tenth of a second's work; where that was done only just now, it waits.
    """
    global _last
    counts, thresholds = gc.get_count(), gc.get_threshold()
    if counts[2] > thresholds[2] and perf_counter() - _last >= _full.rest:
        began = perf_counter()
        freed = gc.collect()
        _last = perf_counter()
        _full.took(_last - began)
        return freed
    for generation in (1, 0):
        if counts[generation] > thresholds[generation]:
            return gc.collect(generation)
    return 0
