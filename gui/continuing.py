"""Going on after a run has ended: exactly where it broke off, or with its weights in a changed network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.errors import EngineError, FileError
from engine.graph.diff import diff
from engine.graph.document import Document, Learning
from engine.runs.library import Library
from engine.storage.document_file import load_document
from engine.training.events import Finished, Started
from engine.training.status import DOCUMENT, MOMENTS, WEIGHTS
from gui.bench import Bench, Offer
from gui.bridge import Bridge

NOTHING = "There is no run of this network yet that could be continued."
CHANGED = "The network is not the one that this run trained: a run goes on exactly only with that."


class Continuing(QObject):
    """Finds the last run of the document in front, and goes on with it."""

    def __init__(self, bench: Bench, bridge: Bridge, parent: QWidget):
        super().__init__(parent)
        self._bench, self.bridge, self._window = bench, bridge, parent
        bench.started.connect(self._report)
        bench.finished.connect(self._conclude)

    def folder(self) -> Path | None:
        """Return the folder of the last run of the document in front, if it left one."""
        session = self._bench.store.session
        own = getattr(session.run.runner, "folder", None) if session.run and session.run.runner else None
        if own is not None and Path(own).is_dir():
            return Path(own)
        file = session.path or (f"preset:{session.preset}" if session.preset else "")
        try:
            found = Library().of_document(session.whole.name, file)
        except FileError:
            return None
        return next((entry.path for entry in found if not entry.going), None)

    def resume(self) -> None:
        """Go on exactly where the last run of this network broke off."""
        if self.bridge.busy:
            return
        folder = self.folder()
        if folder is None or not any((folder / MOMENTS).glob("*")):
            self._bench.message.emit(NOTHING)
            return
        if self._is_done(folder):
            carry = ("Continue with its weights", self.carry_on)
            self._bench.offered.emit(Offer("The last run has come to its end.", (carry,)))
            return
        try:
            trained = load_document(folder / DOCUMENT)
        except EngineError as error:
            self._bench.message.emit(error.message)
            return
        if not alike(trained, self._bench.store.whole):
            acts = (
                ("Continue with its weights", self.carry_on),
                ("Open what it trained", lambda: self._window.files.open_copy(trained)),
            )
            self._bench.offered.emit(Offer(CHANGED, acts))
            return
        self.bridge.resume_run(folder)

    def carry_on(self) -> None:
        """Train this document, beginning with the weights of the last run where they fit."""
        if self.bridge.busy:
            return
        folder = self.folder()
        if folder is None or not (folder / WEIGHTS).is_file():
            self._bench.message.emit(NOTHING)
            return
        self.bridge.start_from(folder / WEIGHTS)

    def _is_done(self, folder: Path) -> bool:
        run = self._bench.store.session.run
        if run and run.runner and getattr(run.runner, "folder", None) == folder:
            ends = [event for event in run.record.events if isinstance(event, Finished)]
            return bool(ends) and ends[-1].reason == "done"
        try:
            return Library().find(folder.name).state == "done"
        except FileError:
            return False

    def _report(self, event: Started) -> None:
        """Say what of the old weights did not fit, and what is done otherwise than was asked for."""
        left = f"Weights: {event.loaded}" if ";" in event.loaded else ""
        said = " ".join(each for each in (left, *event.notes) if each)
        if said and not self.bridge.retelling:
            self._bench.offered.emit(Offer(said))

    def _conclude(self, event: Finished) -> None:
        """Say why a run ended early, or which weights it kept."""
        if event.note and not self.bridge.retelling:
            self._bench.offered.emit(Offer(event.note, (("Continue", self.carry_on),)))


def alike(trained: Document, shown: Document) -> bool:
    """Return whether two documents have the same network, however it is to be trained."""
    first, second = (_plain(each) for each in (trained, shown))
    return not diff(first.with_(name=""), second.with_(name="")).meaning


def _plain(document: Document) -> Document:
    nodes = {id: replace(node, learning=Learning()) for id, node in document.nodes.items()}
    return document.with_(nodes=nodes)
