"""Whether the files behind the open documents are as they were read or written last."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from gui.session import Session

SETTLE_MS = 150
"""How long a file is left alone after a change: another program may still be writing."""
SAME, CHANGED, GONE = "same", "changed", "gone"


class Watching(QObject):
    """Tells by ``found`` when the file of a session is another, is gone, or is again as it was.

    Folders are watched beside the files: whoever replaces a file by another one of its name, as this program
    does too, ends the watch over the file itself.
    """

    found = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._known: dict[Session, tuple[Path, str]] = {}
        self._stamps: dict[Path, tuple[tuple[int, ...], str]] = {}
        self._states: dict[Session, str] = {}
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._look_soon)
        self._watcher.directoryChanged.connect(self._look_soon)
        self._soon = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._soon.timeout.connect(self.look)

    def hold(self, session: Session) -> None:
        """Take the file of a session as it is now for the one that belongs to it."""
        if session.path is None:
            self.forget(session)
            return
        self._known[session] = (session.path, self._digest(session.path))
        self._tell(session, SAME)
        self._watch()

    def forget(self, session: Session) -> None:
        """Watch the file of a session no longer."""
        self._known.pop(session, None)
        self._states.pop(session, None)
        self._watch()

    def state(self, session: Session) -> str:
        """Return SAME, CHANGED or GONE, as it was when it was looked at last."""
        return self._states.get(session, SAME)

    def look(self) -> None:
        """Look at every file now."""
        for session, (path, digest) in list(self._known.items()):
            now = self._digest(path)
            self._tell(session, SAME if now == digest else CHANGED if now else GONE)
        self._watch()

    def _look_soon(self, path: str) -> None:
        if not self._soon.isActive():  # where something is written all the time, it is still looked at
            self._soon.start()

    def _tell(self, session: Session, state: str) -> None:
        if self.state(session) != state:
            self._states[session] = state
            self.found.emit(session)

    def _watch(self) -> None:
        files = {str(path) for path, _ in self._known.values()}
        wanted = {each for each in files | {str(Path(each).parent) for each in files} if Path(each).exists()}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if gone := watched - wanted:
            self._watcher.removePaths(sorted(gone))
        if new := wanted - watched:
            self._watcher.addPaths(sorted(new))

    def _digest(self, path: Path) -> str:
        """Return what a file holds in a few letters, none where it cannot be read.

        One whose time, size and place on the disk are as they were is not read again: other files in its
        folder may change many times a second, as those of a run do.
        """
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            known, digest = self._stamps.get(path, ((), ""))
            if known != stamp:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                self._stamps[path] = (stamp, digest)
            return digest
        except OSError:
            return ""
