"""The person's own data: a CSV table, or arrays in an NPZ file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from engine.data.arrays import array_types, read_arrays
from engine.data.recipe import Choices
from engine.data.source import SCALING, SPLIT, Dataset, Field, Source, dataset
from engine.data.table import file_stamp, read_separated
from engine.data.tabular import PORTS, TABLE, TARGET, Whole, load_whole, stem, types_of_recipe, whole_table
from engine.layers.declaration import Port, TensorType
from engine.layers.params import Choice, File, Text, Value


@lru_cache(maxsize=4)
def _whole(stamp: tuple[str, int, int], header: str, chosen: Choices) -> Whole:
    return whole_table(Path(stamp[0]).name, read_separated(stamp[0], header), chosen)


def _table(p: Mapping[str, Value]) -> Whole:
    return _whole(file_stamp(p["path"]), p["header"], Choices.of(p))


def _csv(p: Mapping[str, Value]) -> Dataset:
    return load_whole(p, _table(p))


def _csv_types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    return types_of_recipe(_table(p).recipe)


csv = Source(
    "CSV",
    doc="A table from a text file: one column is the target, all others are features.",
    inputs=(),
    outputs=PORTS,
    params=(
        File(
            name="path",
            default="",
            patterns=("*.csv", "*.tsv", "*.tab", "*.txt"),
            label="File",
            doc="The table.",
        ),
        *TARGET,
        Choice(
            name="header",
            default="auto",
            choices=("auto", "yes", "no"),
            doc="Whether the first row names the columns; auto: it does unless it holds a number.",
        ),
        *TABLE,
    ),
    types=_csv_types,
    load=_csv,
    summary=lambda p: stem(p["path"]),
    title="Table",
    prefix="table",
    synonyms=("csv", "tsv", "spreadsheet", "excel", "file", "tabular", "own data"),
)


def _npz(p: Mapping[str, Value]) -> Dataset:
    x, target, classes, skipped = read_arrays(p["path"], p["input"], p["target"])
    fields = {"x": Field(x)}
    if target is not None:
        fields["target"] = Field(target, classes)
    return dataset(p, fields, skipped, scaled=("x",))


def _npz_ports(p: Mapping[str, Value]) -> tuple[Port, ...]:
    x = Port("x", dtype="any")
    return (x, Port("target", dtype="any")) if p["target"] else (x,)


npz = Source(
    "NPZ",
    doc="Arrays from a NumPy file: images of bytes become numbers from 0 to 1, channels first.",
    inputs=(),
    outputs=_npz_ports,
    params=(
        File(name="path", default="", patterns=("*.npz",), label="File", doc="The arrays, samples first."),
        Text(name="input", default="x", label="Input array", doc="The name of the array that goes in."),
        Text(
            name="target",
            default="y",
            label="Target array",
            doc="The name of the array of right answers; empty: there is none.",
        ),
        SCALING,
        *SPLIT,
    ),
    types=lambda p: array_types(p["path"], p["input"], p["target"]),
    load=_npz,
    summary=lambda p: stem(p["path"]),
    title="Arrays",
    prefix="arrays",
    synonyms=("npz", "numpy", "images", "file", "own data"),
)
