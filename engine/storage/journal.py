"""Unsaved work on disk: whatever ends the program, the newest state but for the last second is there."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time

from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.storage.atomic import write_text
from engine.storage.document_file import from_json, to_json
from engine.storage.failures import reason
from engine.storage.format import NewerError

SUFFIX = ".journal"

PERIOD = 1.0
"""Seconds between two writes."""


@dataclass(frozen=True)
class Entry:
    """What a journal holds: a document with unsaved changes, the file it belongs to, and when it was kept."""

    document: Document
    file: str
    at: float


class Journal:
    """Keeps the newest state of one document in a file of ``folder``, written by a thread of its own.

    ``failed`` is called in that thread with a sentence where a write fails, once until one succeeds again.
    """

    def __init__(self, folder: Path, failed: Callable[[str], None] = print, period: float = PERIOD):
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        self._failed, self._period = failed, period
        self._wake = threading.Condition()
        self._newest: tuple[Document, str] | None = None
        self._cleared = 0
        self._closed = self._told = False
        self._thread: threading.Thread | None = None

    def keep(self, document: Document, file: str = "") -> None:
        """Keep a document that no file holds; returns at once."""
        with self._wake:
            self._newest = (document, file)
            self._wake.notify_all()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="netwright journal", daemon=True)
            self._thread.start()

    def clear(self) -> None:
        """Forget what is kept, because a file holds it or nobody wants it."""
        with self._wake:
            self._newest = None
            self._cleared += 1
            self._remove()

    def close(self) -> None:
        """Forget what is kept and end."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._remove()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._newest or self._closed)
                if self._closed:
                    return
                state, cleared, self._newest = self._newest, self._cleared, None
            began = monotonic()
            self._write(_text(*state))
            with self._wake:
                if self._cleared != cleared:  # it was forgotten while it was written
                    self._remove()
                self._wake.wait_for(lambda: self._closed, self._period - (monotonic() - began))

    def _remove(self) -> None:
        with suppress(OSError):  # the disk is locked or gone: the next start offers it, which costs one click
            self.path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, text)
            self._told = False
        except OSError as error:
            if not self._told:
                self._failed(f"Unsaved changes cannot be kept in {self.path.parent}: {reason(error)}.")
            self._told = True


def _text(document: Document, file: str) -> str:
    return json.dumps({"journal": 1, "file": file, "at": time()}) + "\n" + to_json(document)


def read_entry(path: Path) -> Entry:
    """Return what a journal file holds.

    Raises FileError for one that cannot be read, NewerError for one of a newer format.
    """
    try:
        head, _, text = path.read_text("utf-8").partition("\n")
        parts = json.loads(head)
        return Entry(from_json(text), str(parts["file"]), float(parts["at"]))
    except OSError as error:
        raise FileError(f"{path.name} could not be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FileError(f"{path.name} holds no unsaved work.") from None
    except NewerError:
        raise
    except EngineError as error:
        raise FileError(f"{path.name}: {error.message}") from None
