"""What of the Hugging Face hub lies on this machine: a record for each set, and its rows, memory-mapped.

The rows are Arrow files that the library ``datasets`` has written into its own cache; reading them needs
pyarrow alone, no network and no memory until rows are taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from engine.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
"""Of the records; those of another version are as if they were not there."""


class RemoteFile(NamedTuple):
    """A Parquet file of the hub: its path in the set, its bytes, and the rows of each of its row groups."""

    path: str
    size: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A part of a set, such as train: how many rows it has, and the Arrow files that hold them in order.

    Of a set that is read over the network the file holds some rows only, and ``remote`` says where all are.
    """

    rows: int
    files: tuple[str, ...]
    remote: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True)
class Record:
    """A configuration of a set that was downloaded, or looked at; ``features`` says what its columns are.

    ``origin`` is the set and the commit that hold its remote files, as owner/name@commit.
    """

    name: str
    config: str
    revision: str
    hash: str
    features: Mapping[str, Any]
    parts: Mapping[str, Part]
    origin: str = ""


def cache_folder() -> Path:
    """Return where the library keeps prepared sets, as its own environment variables say."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_DATASETS_CACHE") or Path(home) / "datasets").expanduser()


def record_path(name: str, config: str, revision: str, network: bool = False) -> Path:
    """Return where the record of a set stands, or would stand; ``network``: of one that is not downloaded."""
    words = "@".join(quote(each or "-", safe="") for each in (name, config, revision))
    return cache_folder() / "netwright" / ("network" if network else "") / f"{words}.json"


def write_record(record: Record) -> None:
    """Write a record; all of it, or nothing."""
    path = record_path(record.name, record.config, record.revision, bool(record.origin))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({"version": VERSION} | asdict(record)), "utf-8")
    os.replace(temporary, path)


def read_record(name: str, config: str, revision: str, network: bool = False) -> Record | None:
    """Return the record of a set whose rows are all there, or were looked at over the network, or None."""
    path = record_path(name, config, revision, network)
    try:
        record = _read(str(path), path.stat().st_mtime_ns)
        for part in record.parts.values():
            for file in part.files:
                Path(file).stat()
        return record
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=32)
def _read(path: str, changed: int) -> Record:
    data = json.loads(Path(path).read_text("utf-8"))
    if data.pop("version") != VERSION:
        raise ValueError("another version")
    parts = {
        name: Part(int(part["rows"]), tuple(part["files"]), tuple(map(_remote, part.get("remote", ()))))
        for name, part in data.pop("parts").items()
    }
    return Record(**data, parts=parts)


def _remote(file: list[Any]) -> RemoteFile:
    path, size, groups = file
    return RemoteFile(path, size, tuple(groups))


def check_part(record: Record, part: str) -> None:
    """Raise DataError that lists the parts of a set unless it has this one."""
    if part not in record.parts:
        raise DataError(f"{record.name} has no part {part!r}; it has {', '.join(record.parts)}.")


def open_part(record: Record, part: str) -> pa.Table:
    """Return the rows of a part, memory-mapped.

    Raises DataError that lists the parts there are, or says that the cache is damaged.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise DataError(MISSING) from None
    check_part(record, part)
    try:
        tables = []
        for file in record.parts[part].files:
            with pa.ipc.open_stream(pa.memory_map(file)) as reader:
                tables.append(reader.read_all())
        return pa.concat_tables(tables)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"The copy of {record.name} on this machine is damaged ({error}); download it again."
        ) from None


def is_whole(record: Record) -> bool:
    """Return whether the rows of every part can be read."""
    try:
        return all(len(open_part(record, name)) == part.rows for name, part in record.parts.items())
    except DataError:
        return False


MISSING = (
    "Sets of the Hugging Face hub need the packages datasets and huggingface_hub, which are not installed:"
    " pip install 'netwright[hub]'."
)
"""Said where the libraries are not there."""
