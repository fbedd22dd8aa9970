"""Why something could not be written, and how to mend it, in plain words."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ELSEWHERE = "Save it elsewhere"
_FULL = ("the disk is full", "Free some room and save again, or save it elsewhere")
_FORBIDDEN = ("you may not write there", f"{ELSEWHERE}, or change who may write")
_GONE = ("its folder is not there any more", f"Plug its drive in again, or {ELSEWHERE.lower()}")

WORDS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        errno.ENOSPC: _FULL,
        errno.EDQUOT: _FULL,
        errno.EFBIG: ("files may not become that large there", ELSEWHERE),
        errno.EROFS: ("the disk is read-only", ELSEWHERE),
        errno.EACCES: _FORBIDDEN,
        errno.EPERM: _FORBIDDEN,
        errno.ENOENT: _GONE,
        errno.ENOTDIR: _GONE,
        errno.ENODEV: _GONE,
        errno.EIO: ("the disk does not answer as it should", ELSEWHERE),
        errno.ENAMETOOLONG: ("its name is too long", "Take a shorter one"),
        errno.EISDIR: ("there is a folder of this name", "Take another name"),
    }
)
"""What an error of the system means to somebody who wants to save, and what to do."""


def reason(error: OSError) -> str:
    """Return what went wrong: in plain words, then in the system's."""
    words = error.strerror or str(error) or type(error).__name__
    plain = WORDS.get(error.errno or 0)
    return f"{plain[0]} ({words})" if plain else words


def why_not_written(path: Path, error: OSError) -> str:
    """Return the sentences about a file that could not be written: what failed, and how to mend it."""
    _, mend = WORDS.get(error.errno or 0, ("", ELSEWHERE))
    return f"{path} could not be written: {reason(error)}. {mend}."


def check_writable(path: Path) -> None:
    """Raise OSError for a file that is marked read-only: putting another in its place would not ask."""
    if path.exists() and (not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)):
        raise PermissionError(errno.EACCES, "the file is marked read-only", str(path))
