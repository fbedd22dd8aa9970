"""What every source of a table shares: its parameters, its types, and its data set in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.data.columns import shortened
from engine.data.recipe import Choices, Encoded, Recipe, make_recipe
from engine.data.source import MISSING, NORMALIZE, TABLE_SPLIT, Dataset, Field, dataset
from engine.data.split import parts_of
from engine.data.table import Table
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, Param, Text, Value

PORTS = (Port("features", "N D"), Port("target", dtype="any"))

TARGET: tuple[Param, ...] = (
    Text(name="target", default="", label="Target column", doc="Its name; empty: the last column."),
    Choice(
        name="task",
        default="auto",
        choices=("auto", "classes", "number"),
        doc="What the target is; auto: words and few different whole numbers are classes.",
    ),
)

TABLE: tuple[Param, ...] = (NORMALIZE, MISSING, *TABLE_SPLIT)
"""Parameters of every table, after those that say what its columns are."""


def stem(path: Value) -> str:
    """Return a file's name for a node's summary."""
    return str(path).replace("\\", "/").rstrip("/").rpartition("/")[2] or "no file chosen"


@dataclass(frozen=True)
class Whole:
    """A table in memory: how its columns are used, and its rows as numbers."""

    recipe: Recipe
    rows: Encoded
    skipped: tuple[str, ...]


def whole_table(file: str, table: Table, chosen: Choices) -> Whole:
    """Return a table's rows as numbers; raises DataError that names the file."""
    return encoded(table, make_recipe(file, table.columns, chosen))


def encoded(table: Table, recipe: Recipe) -> Whole:
    """Return a table's rows as numbers."""
    columns = {column.name: column for column in table.columns}
    rows = recipe.encode(columns)
    bad = len(table.columns[0]) - len(rows.rows)
    reasons = [f"{table.places[row]}: {reason}" for row, reason in sorted(rows.reasons.items())]
    skipped = (*table.skipped, *recipe.left_out, *reasons)
    return Whole(recipe, rows, shortened(skipped, bad - len(reasons)))


def types_of_recipe(recipe: Recipe) -> tuple[TensorType, ...]:
    """Return the types of features and target."""
    classes = len(recipe.classes)
    shape = (BATCH,) if classes else (BATCH, recipe.target.width)
    target = TensorType(shape, "int" if classes else "float", classes)
    return TensorType((BATCH, len(recipe.columns))), target


def fields_of(recipe: Recipe, rows: Encoded) -> dict[str, Field]:
    """Return features and target as fields."""
    missing = tuple(rows.missing.tolist())
    return {
        "features": Field(rows.features, columns=recipe.columns, missing=missing),
        "target": Field(rows.target, recipe.classes),
    }


def load_whole(p: Mapping[str, Value], table: Whole) -> Dataset:
    """Return a table in memory as a data set, as its parameters say."""
    by = table.rows.by
    skipped = table.skipped
    if p["split"] == "column" and by is not None and (aside := int((parts_of(by) == 2).sum())):
        skipped = (f"{aside:,} rows were set aside for a test.", *skipped)
    return dataset(p, fields_of(table.recipe, table.rows), skipped, by)
