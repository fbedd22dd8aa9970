"""The person's own data: a CSV table, or arrays in an NPZ file."""

from __future__ import annotations

from collections.abc import Mapping

from engine.data.arrays import array_types, read_arrays
from engine.data.source import NORMALIZE, SPLIT, Dataset, Field, Source, dataset
from engine.data.table import read_table
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, File, Text, Value


def _stem(path: Value) -> str:
    return str(path).replace("\\", "/").rpartition("/")[2] or "no file chosen"


def _csv(p: Mapping[str, Value]) -> Dataset:
    table = read_table(p["path"], p["target"], p["header"], p["task"])
    fields = {
        "features": Field(table.features, columns=table.columns),
        "target": Field(table.target, table.classes),
    }
    return dataset(p, fields, table.skipped)


def _csv_types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    table = read_table(p["path"], p["target"], p["header"], p["task"])
    classes = len(table.classes)
    target = TensorType((BATCH,), "int", classes) if classes else TensorType((BATCH, 1))
    return TensorType((BATCH, table.features.shape[1])), target


csv = Source(
    "CSV",
    doc="A table from a text file: one column is the target, all others are features.",
    inputs=(),
    outputs=(Port("features", "N D"), Port("target", dtype="any")),
    params=(
        File(name="path", default="", patterns=("*.csv", "*.tsv", "*.txt"), label="File", doc="The table."),
        Text(name="target", default="", label="Target column", doc="Its name; empty: the last column."),
        Choice(
            name="task",
            default="auto",
            choices=("auto", "classes", "number"),
            doc="What the target is; auto: words and few different whole numbers are classes.",
        ),
        Choice(
            name="header",
            default="auto",
            choices=("auto", "yes", "no"),
            doc="Whether the first row names the columns; auto: it does unless it holds a number.",
        ),
        NORMALIZE,
        *SPLIT,
    ),
    types=_csv_types,
    load=_csv,
    summary=lambda p: _stem(p["path"]),
    title="Table",
    prefix="table",
    synonyms=("csv", "tsv", "spreadsheet", "excel", "file", "tabular", "own data"),
)


def _npz(p: Mapping[str, Value]) -> Dataset:
    x, target, classes, skipped = read_arrays(p["path"], p["input"], p["target"])
    fields = {"x": Field(x)}
    if target is not None:
        fields["target"] = Field(target, classes)
    return dataset(p, fields, skipped)


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
        *SPLIT,
    ),
    types=lambda p: array_types(p["path"], p["input"], p["target"]),
    load=_npz,
    summary=lambda p: _stem(p["path"]),
    title="Arrays",
    prefix="arrays",
    synonyms=("npz", "numpy", "images", "file", "own data"),
)
