"""Work that a crash would lose: kept in a journal while it is unsaved, offered back at the next start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QLockFile, QObject, QStandardPaths, QTimer, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.errors import FileError
from engine.storage.journal import SUFFIX, Entry, Journal, read_entry
from gui.bench import Bench
from gui.files import Files

FOLDER = "NETWRIGHT_STATE"
"""Environment variable that names another folder for the journals."""


def folder() -> Path:
    """Return where journals are kept."""
    place = QStandardPaths.StandardLocation.AppLocalDataLocation
    return Path(os.environ.get(FOLDER) or Path(QStandardPaths.writableLocation(place)) / "journal")


class Recovery(QObject):
    """Keeps the unsaved document of one window, and finds what others left behind."""

    failed = Signal(str)

    def __init__(self, bench: Bench, files: Files, window: QWidget):
        super().__init__(window)
        self._bench, self._files, self._window = bench, files, window
        self._journal = Journal(folder(), self.failed.emit)
        self._lock = QLockFile(str(self._journal.path.with_suffix(".lock")))
        self._lock.setStaleLockTime(0)
        self.failed.connect(bench.message)
        self._soon = QTimer(
            self, singleShot=True, interval=0
        )  # the stack calls itself clean until an edit ends
        self._soon.timeout.connect(self._keep)
        bench.store.edited.connect(self._soon.start)
        bench.store.replaced.connect(self._journal.clear)
        bench.store.undo_stack.cleanChanged.connect(self._clean)

    def close(self) -> None:
        """Forget the journal: the user has saved or given up what is in it."""
        self._soon.stop()
        self._journal.close()
        self._lock.unlock()

    def offer(self) -> bool:
        """Ask about work that a crash left behind; return whether it was opened."""
        for path, lock in _left_behind(folder()):
            try:
                entry = read_entry(path)
            except FileError:
                _forget(path, lock)
                continue
            wanted = self._ask(entry)
            if wanted is not None:
                _forget(path, lock)
            else:
                lock.unlock()
            if wanted and self._files.restore(entry.document, entry.file):
                self._keep()
                return True
        return False

    def _keep(self) -> None:
        if not self._files.dirty:
            return
        if not self._lock.isLocked():
            folder().mkdir(parents=True, exist_ok=True)
            self._lock.tryLock(0)
        self._journal.keep(self._bench.store.whole, str(self._files.path or ""))

    def _clean(self, clean: bool) -> None:
        if clean:
            self._journal.clear()

    def _ask(self, entry: Entry) -> bool | None:
        """Return whether to open it, or None to be asked again at the next start."""
        when = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(entry.at)), QLocale.FormatType.ShortFormat)
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Netwright ended with unsaved changes to “{entry.document.name}”.")
        where = f"\nThe file: {entry.file}" if entry.file else ""
        box.setInformativeText(f"They were kept on {when}.{where}")
        restore = box.addButton("Restore", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton("Ask again later", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(restore)
        box.exec()
        return {restore: True, discard: False}.get(box.clickedButton())


def _left_behind(folder: Path) -> Iterator[tuple[Path, QLockFile]]:
    """Give the journals of programs that are gone, newest first, each locked."""
    paths = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in paths:
        lock = QLockFile(str(path.with_suffix(".lock")))
        lock.setStaleLockTime(0)
        if lock.tryLock(0):
            yield path, lock


def _forget(path: Path, lock: QLockFile) -> None:
    path.unlink(missing_ok=True)
    lock.unlock()
