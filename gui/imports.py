"""File > Import: a network from elsewhere becomes a document; it is read in a thread of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog

from engine.errors import EngineError
from engine.importing.report import SUFFIXES
from gui.import_dialog import ImportDialog
from gui.trust import ask_trust, remember

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_FILTER = f"Networks ({' '.join(f'*{suffix}' for suffix in SUFFIXES)})"


@dataclass(frozen=True)
class _Result:
    """What became of one attempt: an import, or the sentence why there is none."""

    attempt: int
    imported: Any = None
    reason: str = ""


class Imports(QObject):
    """Asks for the file, for trust and what else must be said; shows the report, opens the network."""

    _ended = Signal(object)

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self.dialog: ImportDialog | None = None
        """The dialog while it is open."""
        self._path = Path()
        self._attempt = 0
        self._imported: Any = None
        self._threads: list[threading.Thread] = []
        self._ended.connect(self._tell)

    def takes(self, path: Path) -> bool:
        """Return whether a file is imported, not opened."""
        return path.suffix.lower() in SUFFIXES

    def open(self, path: Path | None = None) -> None:
        """Import a file, asked for if there is none given."""
        if path is None:
            name, _ = QFileDialog.getOpenFileName(self._window, "Import a network", "", _FILTER)
            if not name:
                return
            path = Path(name)
        names: list[str] = []
        if path.suffix.lower() == ".py":
            from engine.importing.torch_file import names_in, read_source

            try:
                source = read_source(path)
            except EngineError as error:
                self._window.files.show_error("This file cannot be imported", error)
                return
            title = f"Importing {path.name} runs it"
            if not ask_trust(self._window.bench, title, {path.name: source}, self._window):
                return
            names = names_in(source)
        self._path = path
        self.dialog = ImportDialog(self._window, path, names)
        self.dialog.wanted.connect(self._start)
        self.dialog.opened.connect(self._open)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()
        self._start("", "")

    @property
    def busy(self) -> bool:
        """Whether a file is being read."""
        return any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Wait for the file that is being read."""
        for thread in self._threads:
            thread.join()

    def _start(self, module: str, inputs: str) -> None:
        self._attempt += 1
        target = (
            f"{self._path}:{module}" if module and self._path.suffix.lower() == ".py" else str(self._path)
        )
        shapes = [part.strip() for part in inputs.split(";") if part.strip()]
        if self.dialog is not None:
            self.dialog.tell_busy(f"Reading {self._path.name} and computing its outputs …")

        def read() -> Any:
            from engine.importing.files import import_file

            return import_file(target, shapes, trusted=True)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._read, args=(self._attempt, read), name="netwright import")
        self._threads.append(thread)
        thread.start()

    def _read(self, attempt: int, read: Callable[[], Any]) -> None:
        try:
            self._ended.emit(_Result(attempt, read()))
        except EngineError as error:
            self._ended.emit(_Result(attempt, reason=error.message))
        except Exception as error:  # what nobody thought of is told as well, and does not end the window
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            self._ended.emit(_Result(attempt, reason=f"{self._path.name} cannot be imported: {reason}"))

    def _tell(self, result: _Result) -> None:
        if result.attempt != self._attempt or self.dialog is None:
            return
        self._imported = result.imported
        if result.imported is None:
            self.dialog.tell_failed(result.reason)
        else:
            text = f"It will be saved as {self._free().name}, with its weights beside it."
            self.dialog.tell_done(text, result.imported.report)

    def _free(self) -> Path:
        """Return where the document goes: beside the file, or to the user's documents; never over another."""
        folder, kinds = self._path.parent, QStandardPaths.StandardLocation
        if not _writable(folder):
            folder = Path(QStandardPaths.writableLocation(kinds.DocumentsLocation))
        path, count = folder / f"{self._path.stem}.netwright", 1
        while path.exists() or path.with_suffix(".safetensors").exists():
            count += 1
            path = folder / f"{self._path.stem}-{count}.netwright"
        return path

    def _open(self) -> None:
        from engine.importing.files import save_import

        path, imported = self._free(), self._imported
        try:
            save_import(imported, path)
        except EngineError as error:
            self._window.files.show_error("The import was not saved", error)
            return
        remember(custom.source for custom in imported.document.customs.values())
        if self._window.files.open(path):
            self._window.bench.message.emit(f"Imported {self._path.name}; a run begins with its weights.")

    def _closed(self) -> None:
        self.dialog = None
        self._attempt += 1


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
