"""Looks at the document behind the window's back: one thread that always takes the newest."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from engine.compiler.analysis import Analysis
from engine.errors import EngineError
from engine.graph.diff import Diff
from engine.graph.document import Document
from gui.bench import Bench
from gui.session import Session

if TYPE_CHECKING:
    from engine.training.room import Shortage


class Analyst(QObject):
    """Keeps ``bench.analysis`` up to date; ``ready`` says that torch has loaded."""

    ready = Signal()
    _analyzed = Signal(object)

    def __init__(self, bench: Bench, parent: QObject | None = None):
        super().__init__(parent)
        self._bench = bench
        self._wake = threading.Condition()
        self._wanted: Session | None = bench.store.session
        self._whole = Analysis(bench.store.whole)
        self._closing = False
        self.is_ready = False
        self._analyzed.connect(self._show)
        self.ready.connect(self._get_ready)
        bench.store.changed.connect(self._changed)
        bench.store.replaced.connect(self._turn)
        bench.store.arrived.connect(self._arrive)
        bench.store.scope_changed.connect(self._show_scope)
        bench.trust_changed.connect(self._ask)
        bench.data_changed.connect(self._ask)
        bench.store.turned.connect(self._show_scope)
        self._thread = threading.Thread(target=self._work, name="analyst", daemon=True)
        # The window is painted first: loading torch would keep it from that for a second or two.
        QTimer.singleShot(0, self._begin)

    def close(self) -> None:
        """End the thread; waits for the document it is looking at."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def shortage(self) -> Shortage | None:
        """Return what a run of the document would lack in memory, as far as it is known yet."""
        from engine.compiler.memory import footprint
        from engine.training.room import shortage

        whole, document = self._whole, self._bench.store.whole
        if whole.resolution is None:
            return None
        needs = footprint(document, whole.resolution, whole.memory)
        try:
            return shortage(needs, document.training.device)
        except EngineError:
            return None  # the run itself tells that there is no such device

    def _begin(self) -> None:
        if not self._closing:
            self._thread.start()

    def _get_ready(self) -> None:
        self.is_ready = True
        # A million objects of torch stay for ever: no collection needs to look at them again.
        gc.freeze()

    def _changed(self, change: Diff) -> None:
        if change.meaning or change.training:
            self._ask()

    def _ask(self) -> None:
        with self._wake:
            self._wanted = self._bench.store.session
            self._wake.notify()

    def _turn(self) -> None:
        """Know of the document that is in front now what was found last time, or nothing."""
        session = self._bench.store.session
        self._whole = session.analysis or Analysis(Document())
        self._bench.analysis = self._in_scope()

    def _arrive(self) -> None:
        if self._bench.store.session.analysis is not None:
            self._bench.analyzed.emit(self._bench.analysis)
        self._ask()

    def _work(self) -> None:
        # The first import of torch takes a second or two; the window is open meanwhile.
        from engine.compiler.analyze import analyze
        from engine.training import runner  # noqa: F401 - loaded here, so that Run need not wait for it
        from engine.training.room import problem_of

        self.ready.emit()
        analysis: Analysis | None = None
        while (wanted := self._next()) is not None:
            session, document = wanted
            analysis = analyze(document, analysis)
            lacking = problem_of(analysis)
            found = replace(analysis, problems=(*analysis.problems, lacking)) if lacking else analysis
            self._analyzed.emit((session, found))
            del session, document, wanted, found  # a document that was closed is not kept while this waits

    def _next(self) -> tuple[Session, Document] | None:
        with self._wake:
            while self._wanted is None and not self._closing:
                self._wake.wait()
            session, self._wanted = self._wanted, None
            return None if self._closing else (session, session.whole)

    def _show(self, found: tuple[Session, Analysis]) -> None:
        session, analysis = found
        session.analysis = analysis
        if session is self._bench.store.session:  # another may have come to the front meanwhile
            self._whole = analysis
            self._show_scope()

    def _show_scope(self) -> None:
        self._bench.analysis = self._in_scope()
        self._bench.analyzed.emit(self._bench.analysis)

    def _in_scope(self) -> Analysis:
        """Return what was found in the graph that is open: the document, or a block as it is used there."""
        store, shown = self._bench.store, self._whole
        if store.scope:
            # Imported when it has been used: it needs torch, which loads beside the window.
            from engine.compiler.analyze import analysis_inside

            known = analysis_inside(shown, store.scope, store.way) if shown.source or shown.types else None
            shown = known or Analysis(store.document)
        return shown
