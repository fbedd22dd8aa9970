"""A file that grows: whole pieces at its end, readable by others at any moment."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.errors import FileError
from engine.storage.failures import why_not_written


class Appended:
    """Adds pieces to the end of a file, each at once and unbuffered, so that a killed process loses none.

    What could not be written, on a full disk for instance, is taken back from the file and waits in memory
    for the next ``flush``: nothing is lost and no half of a piece stays.
    """

    def __init__(self, path: Path):
        self.path = path
        binary = getattr(os, "O_BINARY", 0)  # Windows would turn line ends into two letters
        self._handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | binary, 0o666)
        self._size = os.fstat(self._handle).st_size
        self._waiting = b""

    def put(self, piece: bytes) -> None:
        """Take a piece; ``flush`` writes it."""
        self._waiting += piece

    def flush(self) -> None:
        """Write what waits. Raises FileError."""
        if not self._waiting:
            return
        left = memoryview(self._waiting)
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._handle, self._size)
            raise FileError(why_not_written(self.path, error)) from error
        self._size += len(self._waiting)
        self._waiting = b""

    def close(self) -> None:
        """Let go of the file; what waits is lost."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def cut_half_line(path: Path) -> None:
    """Take the last line from a file if it has no end: whoever wrote it was killed. Raises OSError."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        place = end
        while place:
            start = max(0, place - 65536)
            file.seek(start)
            found = file.read(place - start).rfind(b"\n")
            if found >= 0:
                place = start + found + 1
                break
            place = start
        if place < end:
            file.truncate(place)
