"""Writing a file so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path | str, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path in the same folder; what is written there takes ``path``'s place at the end.

    An exception inside removes the temporary file and leaves ``path`` as it was. What is not ``durable``
    is whole for every reader, but may be lost if the power fails: it does not wait for the disk.
    """
    path = Path(path).resolve()
    temporary = path.parent / f".{path.name[:80]}.{secrets.token_hex(4)}.tmp"
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        if durable:
            _sync(temporary)
        with suppress(OSError):
            temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path | str, data: bytes, durable: bool = True) -> None:
    """Write a file atomically."""
    with replacing(path, durable) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str, durable: bool = True) -> None:
    """Write a UTF-8 file atomically, line ends as they are."""
    write_bytes(path, text.encode(), durable)


def _sync(path: Path) -> None:
    # Opened for writing, because Windows flushes no file that is open for reading only.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where folders can be opened: not on Windows."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
