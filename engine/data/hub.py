"""Any data set of the Hugging Face hub by its name, once it lies on this machine."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.data.columns import shortened
from engine.data.features import Reader, port_name, reader_of, says
from engine.data.hub_cache import Record, check_part, open_part, read_record
from engine.data.hub_client import Progress, check_name, download
from engine.data.hub_network import NetworkBlocks
from engine.data.hub_stream import DTYPES, HubBlocks, row_bytes
from engine.data.images import PICTURE
from engine.data.scan import READING, make_stream, streams
from engine.data.sound import SOUND
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.stream import Piece, Stream
from engine.data.text import LENGTH
from engine.data.tokens import TOKENS
from engine.errors import DataError, shown
from engine.layers.declaration import Port, TensorType
from engine.layers.params import HubName, Int, Text, Value

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK = "network"
"""How a set is read of which nothing is downloaded first."""

_LOOKS = tuple(param.name for param in (*PICTURE, *TOKENS, LENGTH, *SOUND))


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
    network = p["reading"] == NETWORK
    record = read_record(name, p["config"], p["revision"], network)
    if record is None and network:
        raise DataError(
            f"{name} was not looked at yet: press … beside its name to connect to it,"
            " or run `netwright train`, which does so first."
        )
    if record is None:
        raise DataError(
            f"{name} is not on this machine yet: press … beside its name to download it,"
            " or run `netwright train`, which gets it first."
        )
    return record


def _fetch(p: Mapping[str, Value], tell: Callable[[Progress], None]) -> None:
    download(check_name(p["name"]), p["config"], p["revision"], tell, p["reading"] == NETWORK)


def _readers_of(p: Mapping[str, Value]) -> tuple[Record, dict[str, Reader]]:
    """The set, and the reader of each field."""
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
    if p["held_part"] == p["part"]:
        raise DataError(f"The part {p['part']} trains, so it cannot be held out; empty: a share of it is.")
    for part in filter(None, (p["part"], p["held_part"])):
        check_part(record, part)
    looks = tuple((name, p[name]) for name in _LOOKS)
    readers = _readers(_Key(record), p["part"], p["rows"], columns, looks)
    return record, {port: readers[column] for port, column in ports_of(p).items()}


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
    rows = open_part(key.record, part)
    rows = rows if most is None else rows.slice(0, most)
    features = key.record.features
    return {column: reader_of(column, features[column], rows[column], dict(looks)) for column in columns}


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    _, readers = _readers_of(p)
    return tuple(reader.type for reader in readers.values())


def _load(p: Mapping[str, Value]) -> Dataset | Stream:
    record, readers = _readers_of(p)
    parts = {p["part"]: "train"} | ({p["held_part"]: "validation"} if p["held_part"] else {})
    types = {name: reader.type for name, reader in readers.items()}
    fields = {
        name: Field(np.zeros((1, *type_.shape[1:]), DTYPES[type_.dtype]), readers[name].classes)
        for name, type_ in types.items()
    }
    if p["reading"] == NETWORK:
        blocks = NetworkBlocks(record, parts, p["rows"], ports_of(p), readers)
        if len(parts) == 1 and p["split"] == "stratified":
            raise DataError(
                "A stratified split needs every row first, which would be a download;"
                " choose random, or a held-out part."
            )
        return make_stream(p, blocks, fields, given=blocks.given())
    blocks = HubBlocks(record, parts, p["rows"], ports_of(p), readers)
    if len(parts) > 1:
        p = {**p, "split": "column"}
    if streams(p, sum(blocks.sizes) * row_bytes(readers)):
        return make_stream(p, blocks, fields)
    pieces = [piece for block in range(len(blocks.sizes)) for piece in _told(blocks, block)]
    fields = {
        name: Field(np.concatenate([piece.arrays[name] for piece, _ in pieces]), reader.classes)
        for name, reader in readers.items()
    }
    by = np.concatenate([piece.by for piece, _ in pieces]) if len(parts) > 1 else None
    return dataset(p, fields, shortened([reason for _, reasons in pieces for reason in reasons]), by)


def _told(blocks: HubBlocks, block: int) -> Iterator[tuple[Piece, list[str]]]:
    """The pieces of a block, and in words what was left out of each."""
    for number, piece in enumerate(blocks.read(block)):
        start = number * blocks.piece
        yield piece, [f"{blocks.where(block, start + row)}: {why}" for row, why in piece.reasons.items()]


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
        replace(
            READING,
            choices=(*READING.choices, NETWORK),
            doc="Whether all of it is held in memory or read again while it is used; auto: it is held if it"
            " fits; network: nothing is downloaded first, what is needed is read over the network each time.",
        ),
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
