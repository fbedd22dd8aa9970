"""A window that trains with its live views on, and a clock that notices when its event loop stands still."""

from __future__ import annotations

import os
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer

from engine.graph.document import Document
from engine.training.events import Failed, Finished, Snapshot
from gui.app import make_window
from tests.benchmarks.loops import Run
from tests.benchmarks.rows import Row

TICK = 5
"""Milliseconds between two looks at the clock."""

SIZE = 1600, 1000
"""Pixels of the window: room for every live view of the page that is open while a network learns."""


class WatchedWindow:
    """``train`` runs a document in the window; ``gaps`` gathers how late the event loop was in ms."""

    def __enter__(self) -> WatchedWindow:
        self.gaps: list[float] = []
        self._window = make_window()
        self._window.resize(*SIZE)
        self._window.show()
        self._clock = QTimer(interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        self._clock.timeout.connect(self._tick)
        self._before = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.stop()
        self._window.undo_stack.setClean()
        self._window.close()

    def train(self, document: Document, clock: bool = False) -> Run:
        """Train with curves, activations, filters and the strips on, perhaps beside the clock."""
        window, bench = self._window, self._window.bench
        bench.store.open(document)
        window.show_workbench()
        window.show_page("learning")
        while not (window.analyst.is_ready and bench.analysis.document is document):
            self._wait(20)
        self._wait(200)
        over: list[Finished | Failed] = []
        losses: list[np.ndarray] = []
        self.pictures = 0
        told = (
            (bench.finished, over.append),
            (bench.failed, over.append),
            (bench.progress, lambda event: losses.append(event.loss)),
            (bench.snapshot_taken, self._count),
        )
        for signal, take in told:
            signal.connect(take)
        loop = QEventLoop()  # one for the whole run, as the window has: a new one every moment takes its time
        for signal in (bench.finished, bench.failed):
            signal.connect(loop.quit)
        window.bridge.run()
        self._before = perf_counter()
        if clock:
            self._clock.start()
        if not over:
            loop.exec()
        self._clock.stop()
        for signal in (bench.finished, bench.failed):
            signal.disconnect(loop.quit)
        for signal, take in told:
            signal.disconnect(take)
        if isinstance(over[0], Failed):
            raise RuntimeError(over[0].message)
        self.seconds = over[0].seconds
        return Run(over[0].steps / self.seconds, np.concatenate(losses))

    def smoothness(self, name: str, document: Document) -> list[Row]:
        """Train beside a quick clock, and return how late the event loop gets and how often it shows."""
        self.gaps.clear()
        self.train(document, clock=True)
        late = float(np.percentile(self.gaps, 99))
        detail = f"99th percentile {late:.1f} ms of {len(self.gaps):,}, longest {max(self.gaps):.0f} ms"
        rate = self.pictures / self.seconds
        told = f"{self.pictures} pictures in {self.seconds:.1f} s"
        return [
            Row(f"{name}, gap / 50 ms", round(late / 50, 3), 1.0, "lower", detail),
            Row(f"{name}, pictures / second", round(rate, 2), 1.0, "higher", told),
        ]

    def _count(self, _: Snapshot) -> None:
        self.pictures += 1

    def _tick(self) -> None:
        now = perf_counter()
        self.gaps.append(max(0.0, 1000 * (now - self._before) - TICK))
        self._before = now

    @staticmethod
    def _wait(milliseconds: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()
