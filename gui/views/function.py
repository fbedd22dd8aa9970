"""What a network answers everywhere: decision regions of the plane, or the curve of one number."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QWidget

from engine.training.events import Snapshot
from gui.bench import Bench
from gui.views.fit import FitView
from gui.views.regions import RegionsView


class FunctionView(QStackedWidget):
    """Shows ``regions`` or ``fit``, whichever the run has; before a run the regions' invitation."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.regions = RegionsView(bench)
        self.fit = FitView(bench)
        self.addWidget(self.regions)
        self.addWidget(self.fit)
        bench.snapshot_taken.connect(self._choose)
        bench.run_reset.connect(lambda: self.setCurrentWidget(self.regions))
        if bench.snapshot is not None:
            self._choose(bench.snapshot)

    def _choose(self, snapshot: Snapshot) -> None:
        if snapshot.curve is not None:
            self.setCurrentWidget(self.fit)
        elif snapshot.regions is not None:
            self.setCurrentWidget(self.regions)
