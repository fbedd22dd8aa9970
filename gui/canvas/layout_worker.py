"""Laying out behind the window's back: a thread for large networks, one step of undo, a short glide."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QVariantAnimation, Signal

from engine.graph.arrange import arranged
from engine.graph.document import Document
from engine.graph.layout import SIZE, Cancelled, Size
from gui.motion import moves

if TYPE_CHECKING:
    from gui.canvas.editor import Editor

AT_ONCE = 400
"""Nodes and wires up to which a layout takes less time than a frame, so that it needs no thread."""
MOST_GLIDING = 300
"""Nodes up to which each is seen on its way."""
DURATION = 160


class Arranger(QObject):
    """Lays out what a canvas shows; Escape or any other edit meanwhile cancels it."""

    _found = Signal(object, object, object)

    def __init__(self, view: Editor):
        super().__init__(view)
        self._view = view
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._shift = Shift(view)
        self._found.connect(self._arrive)
        view.bench.store.changed.connect(lambda _: self.cancel())
        for signal in (view.bench.store.replaced, view.bench.store.scope_changed):
            signal.connect(self.cancel)

    @property
    def busy(self) -> bool:
        """Whether a layout is being worked out."""
        return self._thread is not None and not self._cancel.is_set()

    def start(self) -> None:
        """Lay out the selected nodes, or all where less than two are selected."""
        self.cancel()
        store, graph = self._view.bench.store, self._view.graph
        document, chosen = store.document, store.selection
        sizes: dict[str, Size] = {}
        for id, item in graph.nodes.items():
            body = item.body()
            sizes[id] = (body.width(), max(body.height(), SIZE[1]))  # it grows when it shows what it sees
        if len(document.nodes) + len(document.edges) <= AT_ONCE:
            self._take(document, arranged(document, chosen, sizes))
            return
        cancel = self._cancel = threading.Event()

        def work() -> None:
            try:
                after = arranged(document, chosen, sizes, cancel.is_set)
                self._found.emit(document, after, cancel)
            except (Cancelled, RuntimeError):  # the canvas itself may be gone
                return

        self._thread = threading.Thread(target=work, name="netwright-layout", daemon=True)
        self._thread.start()

    def cancel(self) -> bool:
        """Drop what is being worked out, and end a glide where it goes; return whether there was a layout."""
        was = self.busy
        self._cancel.set()
        self._thread = None
        self._shift.finish()
        return was

    def close(self) -> None:
        """End the thread."""
        thread = self._thread
        self.cancel()
        if thread is not None:
            thread.join()

    def _arrive(self, document: Document, after: Document, cancel: threading.Event) -> None:
        if not cancel.is_set():  # it may have been cancelled on the way here
            self._take(document, after)

    def _take(self, document: Document, after: Document) -> None:
        self._thread = None
        view, store = self._view, self._view.bench.store
        if store.document is not document:
            return
        everything = len(store.selection) < 2
        starts = {id: item.pos() for id, item in view.graph.nodes.items()}
        if view.edit("Lay out" if everything else "Lay out selection", lambda _: after) and everything:
            view.fit_all()
        if moves(view):
            self._shift.go(starts)


class Shift(QVariantAnimation):
    """Moves the nodes of a canvas from where they stood to where the document says."""

    def __init__(self, view: Editor):
        super().__init__(view)
        self._view = view
        self._ways: dict[str, tuple[QPointF, QPointF]] = {}
        self.setDuration(DURATION)
        self.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self.valueChanged.connect(self._step)
        self.finished.connect(self.finish)

    def go(self, starts: dict[str, QPointF]) -> None:
        """Begin at other places; the items are where they shall end."""
        nodes = self._view.graph.nodes
        ways = {
            id: (at, nodes[id].pos()) for id, at in starts.items() if id in nodes and nodes[id].pos() != at
        }
        if ways and len(ways) <= MOST_GLIDING:
            self._ways = ways
            self._show(ways, 0.0)
            self.start()

    def finish(self) -> None:
        """Be at the end."""
        ways, self._ways = self._ways, {}
        if ways:
            self.stop()
            self._show(ways, 1.0)
            self._view.graph.labels.rest()

    def _step(self, share: float) -> None:
        if self._ways:
            self._show(self._ways, share)

    def _show(self, ways: dict[str, tuple[QPointF, QPointF]], share: float) -> None:
        graph = self._view.graph
        there = {id: way for id, way in ways.items() if id in graph.nodes}
        for id, (start, end) in there.items():
            graph.nodes[id].setPos(start + (end - start) * share)
        graph.follow_drag(there)
