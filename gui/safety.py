"""What guards the files of open documents: locks, watching, earlier versions, and the words about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtWidgets import QMessageBox

from engine.errors import FileError
from engine.storage.document_file import read_document
from engine.storage.earlier import keep_version
from engine.storage.failures import reason
from gui import locks
from gui.banner import Banner, Notice
from gui.bench import Bench
from gui.session import Session
from gui.state import state_folder
from gui.watching import CHANGED, GONE, Watching

if TYPE_CHECKING:
    from gui.files import Files
    from gui.main_window import MainWindow


def versions_folder() -> Path:
    """Return where earlier versions are kept."""
    return state_folder("versions")


class Safety(QObject):
    """Holds a lock and a watch for each open file; asks before two programs write one; fills the banner."""

    closing = Signal()
    """The window closes: what is open now was open to the end."""

    def __init__(self, bench: Bench, files: Files, window: MainWindow):
        super().__init__(window)
        self._store, self._bench, self._files, self._window = bench.store, bench, files, window
        self._locks: dict[Session, QLockFile] = {}
        self.watching = Watching(self)
        self.banner = Banner(bench)
        self.watching.found.connect(lambda session: self.show())
        self._store.arrived.connect(self.show)
        self._store.closed.connect(self._close)
        files.changed.connect(self.show)

    def close(self) -> None:
        """Give every file free."""
        self.closing.emit()
        for session in list(self._locks):
            self._close(session)

    def _close(self, session: Session) -> None:
        self.watching.forget(session)
        if (lock := self._locks.pop(session, None)) is not None:
            lock.unlock()

    # -- opening -----------------------------------------------------------------------------------------

    def is_free(self, path: Path) -> bool:
        """Return whether no other Netwright has a file open."""
        lock = locks.lock_of(path)
        free = locks.take(lock)
        lock.unlock()
        return free

    def may_open(self, path: Path) -> str | None:
        """Ask where another Netwright has a file open; returns why it is read-only, or None to leave it."""
        if self.is_free(path):
            return ""
        who = locks.holder(locks.lock_of(path))
        answer = locks.ask(path, who, self._window)
        if answer == locks.CANCEL:
            return None
        return f"{path.name} is open in {who}." if answer == locks.READ_ONLY else ""

    def opened(self, session: Session, read_only: str = "") -> None:
        """Take a document that was read from its file, or written to it, for what the file holds."""
        if session.path is None:
            return
        session.read_only = read_only
        lock = locks.lock_of(session.path)
        held = self._locks.get(session)
        if held is not None and held.fileName() != lock.fileName():
            self._locks.pop(session).unlock()
            held = None
        if held is None and not read_only and locks.take(lock):
            self._locks[session] = lock
        self.watching.hold(session)
        self.show()

    # -- saving ------------------------------------------------------------------------------------------

    def may_save(self, session: Session) -> bool:
        """Ask before a save undoes what another program has written; False where it shall not."""
        self.watching.look()
        if self.watching.state(session) != CHANGED:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Another program has changed “{session.path.name}” since it was opened.")
        box.setInformativeText("Saving replaces what it holds now; that stays among the earlier versions.")
        save = box.addButton("Replace it", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is save

    def may_replace(self, path: Path, session: Session) -> bool:
        """Ask before a file is replaced that is open elsewhere; False where it shall not."""
        other = self._files.session_of(path)
        lock = locks.lock_of(path)
        if other in (None, session) and locks.take(lock):
            lock.unlock()
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        if other not in (None, session):
            box.setText(f"“{path.name}” is open here in another tab.")
            box.setInformativeText("Close it there, or take another name.")
            box.addButton(QMessageBox.StandardButton.Ok)
            box.exec()
            return False
        box.setText(f"“{path.name}” is open in {locks.holder(lock)}.")
        box.setInformativeText("Saving replaces what it holds; that stays among the earlier versions.")
        replace = box.addButton("Replace it", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is replace

    def keep(self, path: Path) -> None:
        """Keep what a file holds as an earlier version; a folder that is full is no reason not to save."""
        try:
            keep_version(path, versions_folder())
        except OSError as error:
            self._bench.message.emit(f"No earlier version of {path.name} is kept: {reason(error)}.")

    # -- the banner --------------------------------------------------------------------------------------

    def show(self) -> None:
        """Say over the canvas what is special about the file in front."""
        self.banner.show_notices(tuple(self._notices(self._store.session)))

    def _notices(self, session: Session) -> list[Notice]:
        notices: list[Notice] = []
        if session.read_only:
            notices.append(
                Notice(f"Read-only: {session.read_only}", (("Save a copy …", self._files.save_copy),))
            )
        state = self.watching.state(session)
        if state == CHANGED:
            text = f"{session.path.name} was changed on disk by another program."
            actions = (("Reload", self.reload), ("Keep mine", self.keep_mine), ("Compare", self.compare))
            notices.append(Notice(text, actions))
        if state == GONE:
            text = f"{session.path.name} is not in its folder any more. What is open here can be saved again."
            notices.append(Notice(text, (("Save", self._files.save), ("Save as …", self._files.save_as))))
        return notices

    def reload(self) -> None:
        """Show what the file holds now, as one step that can be undone."""
        session = self._store.session
        try:
            loaded = read_document(session.path)
        except FileError as error:
            self._files.show_error("What the file holds now cannot be read", error)
            return
        self._store.apply_whole(f"Reload {session.path.name}", loaded.document)
        session.undo_stack.setClean()
        self.opened(session, loaded.read_only or session.read_only)
        self._files.changed.emit()

    def compare(self) -> None:
        """Show what the file holds now beside what is open."""
        from gui.compare.sources import Side, present  # which asks for files, and so for this

        path = self._store.session.path
        try:
            there = Side(f"{path.name}, on disk", read_document(path).document)
        except FileError as error:
            self._files.show_error("What the file holds now cannot be read", error)
            return
        self._window.compare.show_sides(there, present(self._window))

    def keep_mine(self) -> None:
        """Go on with what is open: the next save replaces what another program wrote, which stays kept."""
        session = self._store.session
        self.keep(session.path)
        self.watching.hold(session)
        session.undo_stack.resetClean()
        self._files.changed.emit()
