"""Texts with labels in a table: a column of texts, and one that says what each is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.data.columns import CLASSES, Column, find_column, shortened
from engine.data.folders import folder_name
from engine.data.json_lines import read_json
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.table import Table, file_stamp, read_separated
from engine.data.text import LENGTH
from engine.data.tokens import PADDING, TOKENS, UNKNOWN, Vocabulary, make_vocabulary, padded
from engine.errors import DataError
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import File, Text, Value

JSON = (".json", ".jsonl", ".ndjson")
SEPARATED = (".csv", ".tsv", ".tab")


def _columns(path: Path, table: Table, text: str, label: str) -> tuple[Column, Column]:
    """The column of texts and that of labels; those that look like it where no name is given."""
    columns = {column.name: column for column in table.columns}
    if len(columns) < 2:
        raise DataError(f"{path.name} has one column; expected a column of texts and one of labels.")
    label = find_column(path.name, list(columns), label) if label else ""
    text = find_column(path.name, list(columns), text) if text else ""
    if not text:
        words = {
            name: column for name, column in columns.items() if column.words is not None and name != label
        }
        if not words:
            raise DataError(f"{path.name} has no column of texts; it has {', '.join(columns)}.")
        text = max(words, key=lambda name: sum(map(len, words[name].words)))
    label = label or [name for name in columns if name != text][-1]
    if label == text:
        raise DataError(f"{path.name}: {text!r} cannot be both text and label; choose another column.")
    return columns[text], columns[label]


@lru_cache(maxsize=4)
def _read(
    stamp: tuple[str, int, int], text: str, label: str, tokens: str, vocabulary: int, lowercase: bool
) -> tuple[tuple[np.ndarray, ...], Field, Vocabulary, tuple[str, ...]]:
    """The texts as numbers, the labels, the vocabulary, and what was skipped."""
    path = Path(stamp[0])
    table = read_json(stamp) if path.suffix.lower() in JSON else read_separated(stamp[0])
    texts, labels = _columns(path, table, text, label)
    empty = np.array([not texts.text(row).strip() for row in range(len(texts))])
    lacking = labels.missing | labels.wrong
    reasons = {True: f"{texts.name!r} is empty.", False: f"{labels.name!r} is missing."}
    bad = np.flatnonzero(empty | lacking)
    skipped = [f"{table.places[row]}: {reasons[bool(empty[row])]}" for row in bad]
    good = np.flatnonzero(~(empty | lacking))
    if not len(good):
        raise DataError(f"{path.name} holds no usable row. {skipped[0]}")
    chosen = [texts.text(row).lower() if lowercase else texts.text(row) for row in good]
    words = make_vocabulary(chosen, tokens, vocabulary, (PADDING, UNKNOWN), path.name)
    rows = tuple(words.encode(each) for each in chosen)
    return rows, _labels(labels, good), words, shortened([*table.skipped, *skipped])


def _labels(column: Column, rows: np.ndarray) -> Field:
    """Words and few different whole numbers are classes; other numbers stay what they are."""
    if column.numbers is None:
        names, codes = np.unique(column.words[rows].astype(str), return_inverse=True)
        return Field(codes.astype(np.int64), tuple(names.tolist()))
    values = column.numbers[rows].reshape(len(rows), -1)
    levels, codes = np.unique(values, return_inverse=True)
    few = len(levels) <= min(CLASSES, max(2, len(rows) // 2)) and bool((levels == levels.round()).all())
    if few and values.shape[1] == 1:
        return Field(codes.reshape(-1).astype(np.int64), tuple(f"{level:g}" for level in levels))
    return Field(values.astype(np.float32))


def _opened(p: Mapping[str, Value]) -> tuple[tuple[np.ndarray, ...], Field, Vocabulary, tuple[str, ...]]:
    stamp = file_stamp(p["path"])
    return _read(stamp, p["text"], p["label"], p["tokens"], p["vocabulary"], p["lowercase"])


def _load(p: Mapping[str, Value]) -> Dataset:
    rows, label, words, skipped = _opened(p)
    return dataset(p, {"text": Field(padded(rows, p["length"]), words.names), "label": label}, skipped)


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    _, label, words, _ = _opened(p)
    kind, shape = ("int" if label.classes else "float"), label.values.shape[1:]
    return (
        TensorType((BATCH, p["length"]), "int", len(words.names)),
        TensorType((BATCH, *shape), kind, len(label.classes)),
    )


text_table = Source(
    "TextTable",
    doc="Texts with labels from a table: one column holds the texts, another what each is.",
    inputs=(),
    outputs=(Port("text", "N L", dtype="int"), Port("label", dtype="any")),
    params=(
        File(
            name="path",
            default="",
            patterns=tuple(f"*{ending}" for ending in (*SEPARATED, *JSON)),
            label="File",
            doc="The table: CSV, TSV or JSON.",
        ),
        Text(
            name="text", default="", label="Text column", doc="Its name; empty: the one with the most text."
        ),
        Text(name="label", default="", label="Label column", doc="Its name; empty: the last other column."),
        *TOKENS,
        LENGTH,
        *SPLIT,
    ),
    types=_types,
    load=_load,
    looks=lambda path: (
        False
    ),  # a table that is dropped is a table; that it holds prose is for its user to say
    summary=lambda p: folder_name(p["path"], "no file chosen"),
    title="Text table",
    prefix="texts",
    synonyms=("text classification", "sentiment", "reviews", "csv", "json", "labels", "own data"),
)
