"""Work that a crash would lose: kept in a journal while it is unsaved, offered back at the next start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QLockFile, QObject, QTimer, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.errors import FileError
from engine.storage.format import NewerError
from engine.storage.journal import SUFFIX, Entry, Journal, read_entry
from gui.bench import Bench
from gui.files import Files
from gui.session import Session
from gui.state import state_folder


def folder() -> Path:
    """Return where journals are kept."""
    return state_folder("journal")


class _Keeper:
    """The journal of one open document, locked while this program lives."""

    def __init__(self, failed: Callable[[str], None]):
        self.journal = Journal(folder(), failed)
        self._lock = QLockFile(str(self.journal.path.with_suffix(".lock")))
        self._lock.setStaleLockTime(0)

    def keep(self, session: Session) -> None:
        if not self._lock.isLocked():
            with suppress(OSError):  # the journal tells what is wrong with the folder
                folder().mkdir(parents=True, exist_ok=True)
            self._lock.tryLock(0)
        self.journal.keep(session.whole, str(session.path or ""))

    def close(self) -> None:
        self.journal.close()
        self._lock.unlock()


class Recovery(QObject):
    """Keeps the unsaved documents of one window, and finds what others left behind."""

    failed = Signal(str)

    def __init__(self, bench: Bench, files: Files, window: QWidget):
        super().__init__(window)
        self._store, self._files, self._window = bench.store, files, window
        self._keepers: dict[Session, _Keeper] = {}
        self.failed.connect(bench.message)
        # The stack calls itself clean until an edit ends.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._keep)
        bench.store.edited.connect(self._soon.start)
        bench.store.leaving.connect(self._keep_now)
        bench.store.closed.connect(self._forget)
        bench.store.undo_stack.cleanChanged.connect(self._clean)

    def close(self) -> None:
        """Forget the journals: the user has saved or given up what is in them."""
        self._soon.stop()
        for session in list(self._keepers):
            self._forget(session)

    def offer(self) -> bool:
        """Ask once about work that a crash left behind; return whether it was opened."""
        found: list[tuple[Path, QLockFile, Entry]] = []
        for path, lock in _left_behind(folder()):
            try:
                found.append((path, lock, read_entry(path)))
            except NewerError:
                lock.unlock()  # the Netwright that wrote it will read it
            except FileError:
                _forget(path, lock)
        if not found:
            return False
        wanted = self._ask([entry for *_, entry in found])
        for path, lock, entry in reversed(found):  # the newest comes to the front
            if wanted and self._files.restore(entry.document, entry.file):
                self._keep()
            _forget(path, lock) if wanted is not None else lock.unlock()
        return bool(wanted)

    def _keep_now(self) -> None:
        if self._soon.isActive():
            self._soon.stop()
            self._keep()

    def _keep(self) -> None:
        session = self._store.session
        if session.dirty:
            if session not in self._keepers:
                self._keepers[session] = _Keeper(self.failed.emit)
            self._keepers[session].keep(session)

    def _clean(self, clean: bool) -> None:
        keeper = self._keepers.get(self._store.session)
        if clean and keeper is not None:
            keeper.journal.clear()

    def _forget(self, session: Session) -> None:
        if (keeper := self._keepers.pop(session, None)) is not None:
            keeper.close()

    def _ask(self, entries: Sequence[Entry]) -> bool | None:
        """Return whether to open them, or None to be asked again at the next start."""
        newest = entries[0]
        when = QLocale().toString(
            QDateTime.fromSecsSinceEpoch(int(newest.at)), QLocale.FormatType.ShortFormat
        )
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        if len(entries) == 1:
            box.setText(f"Netwright ended with unsaved changes to “{newest.document.name}”.")
            where = f"\nThe file: {newest.file}" if newest.file else ""
            box.setInformativeText(f"They were kept on {when}.{where}")
        else:
            box.setText(f"Netwright ended with unsaved changes to {len(entries)} networks.")
            names = (f"•  {each.document.name}{_where(each.file)}" for each in entries)
            box.setInformativeText("\n".join([*names, "", f"They were kept until {when}."]))
        restore = box.addButton("Restore", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton("Ask again later", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(restore)
        box.exec()
        return {restore: True, discard: False}.get(box.clickedButton())


def _where(file: str) -> str:
    return f"  –  {file}" if file else ""


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
