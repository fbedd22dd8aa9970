"""The files that were open when the window was closed come back at the next start, each in its tab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_WANTED, _OPEN, _FRONT = "window/reopen", "window/open", "window/front"


def wanted() -> bool:
    """Return whether the files of the last time are opened at the start."""
    return QSettings().value(_WANTED, True, type=bool)


def choose(on: bool) -> None:
    """Remember whether to open the files of the last time at the start."""
    QSettings().setValue(_WANTED, on)


def reopen(window: MainWindow, named: bool = False) -> bool:
    """Open the files of the last time behind what is open, and remember from now on which are.

    It asks nothing: a file that is gone, open in another Netwright or cannot be read is left out. The one
    that was in front comes to the front where nobody has begun anything. ``named`` says that one was asked
    for by its name: then nothing else is opened. Returns whether anything was.
    """
    paths, front = ([], None) if named or not wanted() else _of_last_time()
    files, store = window.files, window.bench.store
    before = list(store.sessions)
    refused = [path for path in paths if not files.open_behind(path)]
    opened = [session for session in store.sessions if session not in before]
    if opened and store.session.untouched:
        empty = store.session
        files.show(next((each for each in opened if each.path == front), opened[-1]))
        store.close(empty)
    if refused:
        names = ", ".join(path.name for path in refused)
        window.bench.message.emit(f"Not opened again, because it is in use or cannot be read: {names}.")
    _Memory(window)
    return bool(opened)


def _of_last_time() -> tuple[list[Path], Path | None]:
    """Return the files that were open and still exist, from left to right, and the one that was in front."""
    settings = QSettings()
    stored, front = settings.value(_OPEN, []), settings.value(_FRONT, "")
    names = [stored] if isinstance(stored, str) else list(stored or [])
    return [path for path in map(Path, names) if path.is_file()], Path(front) if front else None


class _Memory(QObject):
    """Writes down which files are open: whenever that changes, in case of a crash, and at the end.

    At the end once more, because another window may have written its own meanwhile.
    """

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._store = window.bench.store
        files = window.files
        for signal in (self._store.sessions_changed, files.changed, files.safety.closing):
            signal.connect(self.write)
        self.write()

    def write(self) -> None:
        """Write down the files of all tabs and the one in front."""
        settings, front = QSettings(), self._store.session.path
        settings.setValue(_OPEN, [str(each.path) for each in self._store.sessions if each.path])
        settings.setValue(_FRONT, str(front or ""))
