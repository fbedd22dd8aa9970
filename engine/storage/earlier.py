"""Earlier versions of files: what each save wrote is kept beside, so that the last good one is never far."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import time

from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.atomic import write_bytes
from engine.storage.document_file import SUFFIX, load_document

MOST = 10
"""Versions that are kept of one file."""


@dataclass(frozen=True)
class Version:
    """What a file held: where that is kept, and since when it held it, in seconds since 1970."""

    path: Path
    at: float


def place_of(path: Path, folder: Path) -> Path:
    """Return the folder of a file's versions: one for each resolved path."""
    resolved = path.resolve()
    digest = hashlib.sha256(str(resolved).encode(errors="surrogatepass")).hexdigest()[:16]
    letters = "".join(each if each.isalnum() else "-" for each in resolved.stem[:40])
    return folder / f"{letters}-{digest}"


def keep_version(path: Path, folder: Path) -> None:
    """Keep what a file holds now, unless that is kept already; of those kept, the newest ``MOST`` stay.

    Called before and after a save, so that neither what another program wrote nor what this one did is lost.
    A file that is not there is passed over. Raises OSError where nothing can be kept.
    """
    try:
        data, at = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return
    known = versions(path, folder)
    if any(_holds(each, data) for each in known):
        return
    place = place_of(path, folder)
    place.mkdir(parents=True, exist_ok=True)
    at = max([min(at, time()), *(each.at + 0.001 for each in known[:1])])
    write_bytes(place / f"{round(at * 1000):015d}{SUFFIX}", data)
    for old in versions(path, folder)[MOST:]:
        old.path.unlink(missing_ok=True)


def _holds(version: Version, data: bytes) -> bool:
    try:
        return version.path.stat().st_size == len(data) and version.path.read_bytes() == data
    except OSError:
        return False


def versions(path: Path, folder: Path) -> list[Version]:
    """Return what is kept of a file, newest first."""
    found = [each for each in place_of(path, folder).glob(f"*{SUFFIX}") if each.stem.isdecimal()]
    return sorted((Version(each, int(each.stem) / 1000) for each in found), key=lambda v: v.at, reverse=True)


def readable(path: Path, folder: Path) -> Iterator[tuple[Version, Document]]:
    """Give the versions of a file that can be read and differ from what it holds, newest first."""
    try:
        data = path.read_bytes()
    except OSError:
        data = None
    for version in versions(path, folder):
        if data is None or not _holds(version, data):
            with suppress(FileError):
                yield version, load_document(version.path)
