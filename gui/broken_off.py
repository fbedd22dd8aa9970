"""A run that broke off is offered to go on when its network comes to the front."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError
from engine.runs.library import Entry, Library
from engine.storage.document_file import load_document
from engine.training.status import DOCUMENT, MOMENTS
from gui.bench import Offer
from gui.continuing import alike
from gui.session import Session

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def can_go_on(entry: Entry) -> bool:
    """Return whether a run left a moment from which it can go on, and does not do so already."""
    if entry.going or entry.state == "done":
        return False
    folder = entry.path / MOMENTS
    return folder.is_dir() and any(folder.iterdir())


def go_on(window: MainWindow, run: Path) -> None:
    """Continue a run with its network in front: the one that is open, where it is still as it was."""
    if window.bridge.active is not None:
        window.bench.message.emit("A network is training; one trains at a time.")
        return
    try:
        document = load_document(run / DOCUMENT)
    except EngineError as error:
        window.files.show_error("The network of this run cannot be read", error)
        return
    store = window.bench.store
    same = [each for each in store.sessions if alike(document, each.whole)]
    if same:
        window.files.show(store.session if store.session in same else same[0])
    else:
        window.files.open_copy(document)
    window.bridge.resume_run(run)


class BrokenOff(QObject):
    """Looks once for each open file whether its last run broke off; the folders are read in a thread."""

    _found = Signal(object, object)

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self._seen: set[Path] = set()
        self._threads: list[threading.Thread] = []
        self._found.connect(self._offer)
        window.bench.store.arrived.connect(self._look)
        window.files.changed.connect(self._look)

    def close(self) -> None:
        """Wait for what is being read."""
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        session = self._window.bench.store.session
        if session.path is None or session.path in self._seen or session.run is not None:
            return
        self._seen.add(session.path)
        library, path = Library(), session.path

        def read() -> None:
            last = next(iter(library.of_document(file=path)), None)
            if last is not None and last.state == "interrupted" and can_go_on(last):
                self._found.emit(session, last)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=read, name="netwright broken off", daemon=True))
        self._threads[-1].start()

    def _offer(self, session: Session, entry: Entry) -> None:
        window = self._window
        if session is not window.bench.store.session or session.run is not None:
            return
        text = f"The last run of {session.name} broke off at step {entry.status.step:,}."
        actions = (("Continue", lambda: go_on(window, entry.path)), ("Show all runs", window.show_runs))
        window.bench.offered.emit(Offer(text, actions))
