"""The planned learning rate of an objective as a curve, worked out behind the window's back."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from engine.data.source import Source
from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.layers.params import File, Folder
from engine.training.events import Progress, Started
from gui.bench import Bench
from gui.widgets.basic import column
from gui.widgets.late import Late
from gui.widgets.rate_curve import RateCurve

if TYPE_CHECKING:
    import numpy as np

_PATHS = (File, Folder)
USUAL_STEPS = 100
"""Steps of an epoch where it is not known how many there are: the form of the curve is the same."""


class PlannedRate(QWidget):
    """The curve of one objective; while a run goes on it shows where that is."""

    def __init__(self, bench: Bench, place: int):
        super().__init__()
        self._bench, self._place = bench, place
        self._asked: tuple | None = None
        self._serial = 0
        self.curve = RateCurve(bench)
        column(self, 0).addWidget(self.curve)
        self._late = Late(self, self._plan)
        _relay.done.connect(self._take)
        bench.progress.connect(self._show_now)
        bench.started.connect(self._replan)
        bench.run_reset.connect(self.curve.clear_now)

    def show_plan(self) -> None:
        """Show the plan of the document as it is now, as soon as somebody looks."""
        if not self._late.waits():
            self._plan()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._late.catch_up()

    def _replan(self, _: Started) -> None:
        self._asked = None
        self.show_plan()

    def _plan(self) -> None:
        document = self._bench.store.document
        training = document.training
        if self._place >= len(training.objectives):
            return
        run = self._bench.store.session.run
        known = run.plan.steps_per_epoch if run and run.plan else 0
        asked = (training.objectives[self._place], training.epochs, training.batch_size, known)
        if asked == self._asked:
            return
        self._asked, self._serial = asked, next(_serials)
        QThreadPool.globalInstance().start(_Job(self._serial, document, self._place, known))

    def _take(self, serial: int, plan: tuple[np.ndarray, np.ndarray, int, int]) -> None:
        if serial == self._serial:
            self.curve.show_plan(*plan)

    def _show_now(self, event: Progress) -> None:
        if self._place == 0 and len(event.step) and self.isVisible():
            self.curve.show_now(int(event.step[-1]), event.lr)


class _Relay(QObject):
    """Carries plans into the window's thread; it outlives every page."""

    done = Signal(int, object)


_relay = _Relay()
_serials = count(1)


class _Job(QRunnable):
    """Plans one objective: torch's own schedulers say what will be."""

    def __init__(self, serial: int, document: Document, place: int, known: int):
        super().__init__()
        self._serial, self._document, self._place, self._known = serial, document, place, known

    def run(self) -> None:
        from engine.training.schedules import planned  # it needs torch, which loads beside the window

        training = self._document.training
        per_epoch = self._known or steps_of(self._document) or USUAL_STEPS
        total = per_epoch * training.epochs
        try:
            steps, rates = planned(training.objectives[self._place], per_epoch, total)
        except Exception:  # a run says what is wrong with it; here there is only no curve
            return
        _relay.done.emit(self._serial, (steps, rates, total, per_epoch))


def steps_of(document: Document) -> int:
    """Return the steps of an epoch where the data are made here and need no file; else 0."""
    from engine.compiler.data import load_node

    for node in document.nodes.values():
        layer = layer_of(document, node.type)
        if not isinstance(layer, Source) or layer.fetch or any(isinstance(p, _PATHS) for p in layer.params):
            continue
        try:
            return -(-load_node(node).rows // document.training.batch_size)
        except EngineError:
            continue
    return 0
