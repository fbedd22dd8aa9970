"""A window that trains with its live views on, and a clock that notices when its event loop stands still."""

from __future__ import annotations

import os
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, Qt, QTimer

from engine.graph.document import Document
from engine.training.events import Failed, Finished
from gui.app import make_window

TICK = 5
"""Milliseconds between two looks at the clock."""


class WatchedWindow:
    """``train`` runs a document in the window; ``gaps`` gathers how late the event loop was in ms."""

    def __enter__(self) -> WatchedWindow:
        self.gaps: list[float] = []
        self._window = make_window()
        self._window.show()
        self._clock = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._before = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.stop()
        self._window.undo_stack.setClean()
        self._window.close()

    def train(self, document: Document) -> float:
        """Return the steps per second of a run with curves, activations, filters and miniatures on."""
        window, bench = self._window, self._window.bench
        bench.store.open(document)
        window.show_workbench()
        window.show_page("learning")
        while not (window.analyst.is_ready and bench.analysis.document is document):
            self._wait(20)
        self._wait(200)
        over: list[Finished | Failed] = []
        bench.finished.connect(over.append)
        bench.failed.connect(over.append)
        window.bridge.run()
        self._before = perf_counter()
        self._clock.start()
        while not over:
            self._wait(20)
        self._clock.stop()
        bench.finished.disconnect(over.append)
        bench.failed.disconnect(over.append)
        if isinstance(over[0], Failed):
            raise RuntimeError(over[0].message)
        return over[0].steps / over[0].seconds

    def _tick(self) -> None:
        now = perf_counter()
        self.gaps.append(max(0.0, 1000 * (now - self._before) - TICK))
        self._before = now

    @staticmethod
    def _wait(milliseconds: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()
