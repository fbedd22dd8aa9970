"""Tables as JSON: a list of objects, an object on each line, or an object of columns. Nothing is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from engine.data.columns import REASONS, from_cells
from engine.data.recipe import Choices
from engine.data.source import Dataset, Source
from engine.data.table import Table, check_size, file_stamp, text_of
from engine.data.tabular import PORTS, TABLE, TARGET, Whole, load_whole, stem, types_of_recipe, whole_table
from engine.errors import DataError, shown
from engine.layers.declaration import TensorType
from engine.layers.params import File, Value

_EXPECTED = "expected a list of objects, or an object on each line"


def read_json(stamp: tuple[str, int, int]) -> Table:
    """Return the columns of a JSON file; objects inside objects become columns ``outer.inner``.

    Lines that are no objects are left out and listed. Raises DataError that names the file where none is one.
    """
    check_size(stamp)
    path = Path(stamp[0])
    records, places, skipped = _records(text_of(path, "JSON"), path.name)
    if not records:
        raise DataError(f"{path.name} holds no objects; {_EXPECTED}. {' '.join(skipped[:1])}".strip())
    names = dict.fromkeys(name for record in records for name in record)
    columns = tuple(from_cells(name, [record.get(name) for record in records]) for name in names)
    return Table(columns, places, tuple(skipped))


def _records(text: str, file: str) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """The objects, where each stands, and what is none."""
    try:
        whole = json.loads(text)
    except RecursionError:
        raise DataError(f"{file} is nested too deeply; {_EXPECTED}.") from None
    except ValueError:
        return _lines(text)
    if isinstance(whole, dict):
        whole = _unpacked(whole, file)
    if not isinstance(whole, list):
        raise DataError(f"{file} holds {shown(whole)}; {_EXPECTED}.")
    found, places, skipped = [], [], []
    for number, record in enumerate(whole, 1):
        if isinstance(record, dict):
            found.append(_flat(record))
            places.append(f"Row {number}")
        else:
            skipped.append(f"Row {number}: expected an object, {shown(record)} came.")
    return found, places, skipped


def _lines(text: str) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    found, places, skipped = [], [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            skipped.append(f"Line {number} is no JSON: {error}.")
            continue
        if isinstance(record, dict):
            found.append(_flat(record))
            places.append(f"Line {number}")
        else:
            skipped.append(f"Line {number}: expected an object, {shown(record)} came.")
    return found, places, skipped


def _unpacked(whole: dict[str, Any], file: str) -> list[Any]:
    """The rows in an object: the only list of objects in it, or columns as lists or as objects by row."""
    lists = [value for value in whole.values() if isinstance(value, list)]
    tables = [value for value in lists if value and isinstance(value[0], dict)]
    if len(tables) == 1:
        return tables[0]
    if whole and len(lists) == len(whole):
        lengths = {name: len(value) for name, value in whole.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {count}" for name, count in islice(lengths.items(), 6))
            raise DataError(f"{file}: its columns have different lengths: {told}.")
        return [dict(zip(whole, row, strict=True)) for row in zip(*lists, strict=True)]
    if whole and all(isinstance(value, dict) for value in whole.values()):
        rows = dict.fromkeys(key for value in whole.values() for key in value)
        return [{name: value.get(row) for name, value in whole.items()} for row in rows]
    return [whole]


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and depth < REASONS:
            flat |= _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


@lru_cache(maxsize=4)
def _whole(stamp: tuple[str, int, int], chosen: Choices) -> Whole:
    return whole_table(Path(stamp[0]).name, read_json(stamp), chosen)


def _table(p: Mapping[str, Value]) -> Whole:
    return _whole(file_stamp(p["path"]), Choices.of(p))


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    return types_of_recipe(_table(p).recipe)


def _load(p: Mapping[str, Value]) -> Dataset:
    return load_whole(p, _table(p))


json_table = Source(
    "JSON",
    doc="A table from JSON: a list of objects, or an object on each line; one name is the target.",
    inputs=(),
    outputs=PORTS,
    params=(
        File(
            name="path",
            default="",
            patterns=("*.json", "*.jsonl", "*.ndjson"),
            label="File",
            doc="The objects, one for each sample.",
        ),
        *TARGET,
        *TABLE,
    ),
    types=_types,
    load=_load,
    summary=lambda p: stem(p["path"]),
    title="JSON table",
    prefix="table",
    synonyms=("json", "jsonl", "json lines", "ndjson", "records", "file", "own data"),
)
