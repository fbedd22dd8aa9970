"""Which Netwright has a file open: two that write one file would undo each other's work."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QDateTime, QFileInfo, QLocale, QLockFile, QSysInfo
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.state import state_folder

READ_ONLY, ANYWAY, CANCEL = "read only", "anyway", "cancel"


def lock_of(path: Path) -> QLockFile:
    """Return the lock of a file, not held yet: one for each resolved path."""
    digest = hashlib.sha256(str(path.resolve()).encode(errors="surrogatepass")).hexdigest()[:32]
    lock = QLockFile(str(state_folder("locks") / f"{digest}.lock"))
    lock.setStaleLockTime(0)  # by age it never ends; that of a program that is gone gives way at once
    return lock


def take(lock: QLockFile) -> bool:
    """Hold a lock; True also where no lock can be made, because that is no reason to keep a file shut."""
    try:
        state_folder("locks").mkdir(parents=True, exist_ok=True)
    except OSError:
        return True
    return lock.tryLock(0) or lock.error() != QLockFile.LockError.LockFailedError


def holder(lock: QLockFile) -> str:
    """Return who holds a lock, in words: the process, and since when."""
    pid, host, _ = lock.getLockInfo() or (0, "", "")
    if not pid:
        return "another Netwright"
    since, now = QFileInfo(lock.fileName()).lastModified(), QDateTime.currentDateTime()
    shown = since.time() if since.date() == now.date() else since
    when = QLocale().toString(shown, QLocale.FormatType.ShortFormat)
    where = f" on {host}" if host and host != QSysInfo.machineHostName() else ""
    return f"another Netwright{where} (process {pid}, since {when})"


def ask(path: Path, who: str, window: QWidget) -> str:
    """Ask what to do about a file that is open elsewhere; returns READ_ONLY, ANYWAY or CANCEL."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setText(f"“{path.name}” is open in {who}.")
    box.setInformativeText("Whoever saves last would undo what the other has saved.")
    read_only = box.addButton("Open to read only", QMessageBox.ButtonRole.AcceptRole)
    anyway = box.addButton("Open anyway", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(read_only)
    box.exec()
    return {read_only: READ_ONLY, anyway: ANYWAY}.get(box.clickedButton(), CANCEL)
