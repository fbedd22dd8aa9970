"""Reads runs in a thread of its own, so that a slow disk never holds the window up."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError
from engine.graph.document import Document
from engine.runs.curves import Curves, Points
from engine.runs.library import Entry, Library, size_of
from engine.storage.document_file import load_document
from engine.training.events import Changed

PERIOD = 1.0
"""Seconds between two looks at the folders."""

_SHARE = 0.05
"""Of the time that looking may take: where a disk is slow it is looked at less often."""


@dataclass(frozen=True)
class Look:
    """What is known of a chosen run: its curves by name, what was changed by hand, and its document.

    ``problem`` says why there is no document.
    """

    path: Path
    lines: Mapping[str, Points]
    changes: Sequence[Changed]
    document: Document | None
    problem: str = ""
    size: int = 0
    """Bytes that its files take."""


class Reader(QObject):
    """``listed`` carries every Entry whenever one of them is another; ``looked`` a Look at a chosen run."""

    listed = Signal(list)
    looked = Signal(object)

    def __init__(self, library: Library, parent: QObject | None = None):
        super().__init__(parent)
        self._library = library
        self._wake = threading.Condition()
        self._wanted: tuple[Path, ...] = ()
        self._asked = self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look; what has not changed is told once more."""
        if self._thread is None:
            self._stopped = False
            self._thread = threading.Thread(target=self._work, name="netwright runs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more; afterwards no thread is left."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self, paths: Sequence[Path]) -> None:
        """Read these runs as long as they are chosen."""
        with self._wake:
            self._wanted = tuple(paths)
            self._ask()

    def poke(self) -> None:
        """Look now: something was changed here."""
        with self._wake:
            self._ask()

    def _ask(self) -> None:
        self._asked = True
        self._wake.notify_all()

    def _work(self) -> None:
        entries: list[Entry] | None = None
        known: dict[Path, _Chosen] = {}
        while True:
            with self._wake:
                self._asked = False
                wanted = self._wanted
            began = perf_counter()
            found = self._library.entries()
            if found != entries:
                entries = found
                self.listed.emit(found)
            known = {path: known.get(path) or _Chosen(path) for path in wanted}
            for chosen in known.values():
                if (look := chosen.read()) is not None:
                    self.looked.emit(look)
                if self._stopped:
                    return
            pause = max(PERIOD, (perf_counter() - began) / _SHARE)
            with self._wake:
                if not (self._asked or self._stopped):
                    self._wake.wait(pause)
                if self._stopped:
                    return


class _Chosen:
    """A run that is followed."""

    def __init__(self, path: Path):
        self._path, self._curves, self._told = path, Curves(path), False
        self._document: Document | None = None
        self._problem = ""
        try:
            self._document = load_document(path / "document.netwright")
        except EngineError as error:
            self._problem = error.message

    def read(self) -> Look | None:
        """Return a look where there is anything new."""
        moved = False
        with suppress(EngineError):
            moved = self._curves.read()
        if not moved and self._told:
            return None
        self._told = True
        lines, changes = self._curves.lines(), self._curves.changes
        return Look(self._path, lines, changes, self._document, self._problem, size_of(self._path))
