"""Any data set of the Hugging Face hub by its name, once it lies on this machine."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from engine.data.arrays import LARGEST
from engine.data.columns import shortened
from engine.data.features import Reader, port_name, reader_of, says
from engine.data.hub_cache import Record, open_part, read_record
from engine.data.hub_client import Progress, check_name, download
from engine.data.images import PICTURE
from engine.data.sound import SOUND
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.text import LENGTH
from engine.data.tokens import TOKENS
from engine.errors import DataError, shown
from engine.layers.declaration import Port, TensorType
from engine.layers.params import HubName, Int, Text, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_LOOKS = tuple(param.name for param in (*PICTURE, *TOKENS, LENGTH, *SOUND))
_STEP = 1_000


def columns_of(p: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the columns that a node names, each once."""
    return tuple(dict.fromkeys(name for part in str(p["columns"]).split(",") if (name := part.strip())))


def ports_of(p: Mapping[str, Value]) -> dict[str, str]:
    """Return the column of each port, in the order of the ports."""
    ports: dict[str, str] = {}
    for column in columns_of(p):
        name = port_name(column)
        while name in ports:
            name = f"{name}_"
        ports[name] = column
    return ports


def usable(features: Mapping[str, object]) -> dict[str, str]:
    """Return the columns of which fields can be made, and what each is in words."""
    return {column: words for column, feature in features.items() if (words := says(feature))}


def _record(p: Mapping[str, Value]) -> Record:
    name = check_name(p["name"])
    record = read_record(name, p["config"], p["revision"])
    if record is None:
        raise DataError(
            f"{name} is not on this machine yet: press Download beside its name,"
            " or run `netwright train`, which gets it first."
        )
    return record


def _fetch(p: Mapping[str, Value], tell: Callable[[Progress], None]) -> None:
    download(check_name(p["name"]), p["config"], p["revision"], tell)


def _opened(p: Mapping[str, Value]) -> tuple[dict[str, Reader], pa.Table, pa.Table | None]:
    """The reader of each field, the rows, and those of the part that is held out, if one is named."""
    record = _record(p)
    columns = columns_of(p)
    offered = ", ".join(f"{column} ({words})" for column, words in usable(record.features).items())
    if not columns:
        raise DataError(f"Choose columns of {record.name}, separated by commas: {offered or 'it has none'}.")
    for column in columns:
        if column not in record.features:
            near = difflib.get_close_matches(column, record.features, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has {offered}."
            raise DataError(f"{record.name} has no column {shown(column)}. {hint}")
    looks = tuple((name, p[name]) for name in _LOOKS)
    train = _rows(record, p["part"], p["rows"])
    held = _rows(record, p["held_part"], p["rows"]) if p["held_part"] else None
    return _readers(_Key(record), p["part"], p["rows"], columns, looks), train, held


def _rows(record: Record, part: str, most: int | None) -> pa.Table:
    rows = open_part(record, part)
    return rows if most is None else rows.slice(0, most)


class _Key:
    """A record that is remembered by what it is of: two reads of one file are the same."""

    def __init__(self, record: Record):
        self.record = record
        self._files = tuple(file for part in record.parts.values() for file in part.files)

    def __hash__(self) -> int:
        return hash(self._files)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.record == other.record


@lru_cache(maxsize=8)
def _readers(
    key: _Key, part: str, most: int | None, columns: tuple[str, ...], looks: tuple[tuple[str, Value], ...]
) -> dict[str, Reader]:
    rows = _rows(key.record, part, most)
    features = key.record.features
    return {column: reader_of(column, features[column], rows[column], dict(looks)) for column in columns}


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    readers, _, _ = _opened(p)
    return tuple(reader.type for reader in readers.values())


def _load(p: Mapping[str, Value]) -> Dataset:
    readers, train, held = _opened(p)
    count = len(train) + (len(held) if held is not None else 0)
    size = sum(count * prod(reader.type.shape[1:]) for reader in readers.values())
    if size * 8 > LARGEST:
        raise DataError(
            f"{p['name']}: {count:,} rows as numbers take more than {LARGEST // 10**9} GB;"
            " choose fewer rows or columns, or a smaller size."
        )
    skipped: list[str] = []
    parts = [
        _read(readers, rows, name, skipped) for rows, name in ((train, p["part"]), (held, p["held_part"]))
    ]
    counts = [len(next(iter(part.values()))) for part in parts]
    fields = {
        port: Field(np.concatenate([part[column] for part in parts]), readers[column].classes)
        for port, column in ports_of(p).items()
    }
    if held is None:
        return dataset(p, fields, shortened(skipped))
    order = np.arange(sum(counts))
    return Dataset(fields, order[: counts[0]], order[counts[0] :], shortened(skipped))


def _read(
    readers: Mapping[str, Reader], rows: pa.Table | None, part: str, skipped: list[str]
) -> dict[str, np.ndarray]:
    """The values of each column; rows of which nothing can be made are left out and listed."""
    found: dict[str, list[np.ndarray]] = {
        column: [np.zeros((0, *reader.type.shape[1:]), _DTYPES[reader.type.dtype])]
        for column, reader in readers.items()
    }
    for start in range(0, len(rows) if rows is not None else 0, _STEP):
        piece = rows.slice(start, _STEP)
        good = np.ones(len(piece), bool)
        values = {}
        for column, reader in readers.items():
            values[column], bad = reader.read(piece[column])
            skipped += [f"{part}, row {start + row + 1}: {column}: {why}" for row, why in bad.items()]
            good[list(bad)] = False
        for column, each in values.items():
            found[column].append(each[good])
    return {column: np.concatenate(pieces) for column, pieces in found.items()}


_DTYPES = {"float": np.float32, "int": np.int64}


def _summary(p: Mapping[str, Value]) -> str:
    return str(p["name"]) or "no set chosen"


hub = Source(
    "Hub",
    doc="Any data set of the Hugging Face hub by its name, downloaded once and kept on this machine.",
    inputs=(),
    outputs=lambda p: tuple(Port(name, dtype="any", doc=column) for name, column in ports_of(p).items()),
    params=(
        HubName(name="name", default="", label="Set", doc="owner/name, such as ylecun/mnist."),
        Text(
            name="columns", default="", doc="Columns that become fields, separated by commas: image, label."
        ),
        Text(
            name="config",
            default="",
            label="Configuration",
            doc="Of a set that has several; empty: the first.",
        ),
        Text(name="part", default="train", doc="The part of the set that trains: train, validation, test …"),
        Text(
            name="held_part",
            default="",
            label="Held-out part",
            doc="The part for checking, such as test; empty: drawn from the rows that train.",
        ),
        Int(
            name="rows",
            default=None,
            min=2,
            optional=True,
            unset="all",
            doc="At most so many rows of each part, from its beginning.",
        ),
        Text(name="revision", default="", doc="A branch, a tag or a commit of the set; empty: the newest."),
        *PICTURE,
        *TOKENS,
        LENGTH,
        *SOUND,
        *SPLIT,
    ),
    types=_types,
    load=_load,
    fetch=_fetch,
    summary=_summary,
    title="Hugging Face set",
    prefix="data",
    synonyms=(
        "hugging face",
        "huggingface",
        "datasets",
        "hub",
        "download",
        "online",
        "mnist",
        "cifar",
        "imdb",
    ),
)
