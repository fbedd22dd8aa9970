"""What a source of data is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.data.split import SPLIT, TABLE_SPLIT, hold_out, split
from engine.data.tally import NORMALIZATIONS, Scale, Tally, by_column, scale_of
from engine.layers.declaration import Layer
from engine.layers.params import Choice, Value

__all__ = (
    "MISSING",
    "NORMALIZE",
    "SCALING",
    "SPLIT",
    "TABLE_SPLIT",
    "Arrays",
    "Dataset",
    "Field",
    "Source",
    "dataset",
    "split",
    "standardized",
)

BLOCK = 2**20
"""Numbers of a field that are given at once."""

Arrays = dict[str, np.ndarray]
"""Some rows, by the names of the fields."""


@dataclass(frozen=True)
class Field:
    """One column of a data set, or several: ``values`` is samples first.

    ``classes`` names its whole numbers and ``columns`` the columns of a table. ``scale`` says how the numbers
    were scaled, and ``missing`` how many of each column were missing in the file.
    """

    values: np.ndarray
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    scale: Scale | None = None
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Named fields of equal length in memory, and which rows train and which are held out.

    ``skipped`` says which rows of a file were left out, and why. What is larger than memory is a ``Stream``
    (``engine.data.stream``): it answers to the same names, but its ``fields`` hold the first rows only.
    """

    fields: Mapping[str, Field]
    train: np.ndarray
    validation: np.ndarray
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.rows + self.held

    @property
    def rows(self) -> int:
        """How many rows train."""
        return len(self.train)

    @property
    def held(self) -> int:
        """How many rows are held out."""
        return len(self.validation)

    def first(self, count: int, held: bool = False) -> Arrays:
        """Return the first training rows, or the first that are held out."""
        rows = (self.validation if held else self.train)[:count]
        return {name: each.values[rows] for name, each in self.fields.items()}

    def blocks(self, held: bool = False) -> Iterator[Arrays]:
        """Give all training rows, or all that are held out, in their order and some at a time."""
        rows = self.validation if held else self.train
        widest = max((each.values[:1].size for each in self.fields.values()), default=1)
        step = max(BLOCK // max(widest, 1), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            yield {name: each.values[part] for name, each in self.fields.items()}


@dataclass(frozen=True)
class Source(Layer):
    """A node that gives data: its outputs are the fields of the data set that ``load`` returns.

    ``load`` and ``types`` receive every parameter and may raise DataError. ``load`` returns a Dataset, or a
    Stream of what does not fit into memory. ``types`` tells the fields' types in the order of the ports,
    without loading all of it. ``fetch``, where a source has one, gets what both need onto this machine first:
    it tells how far it is, and nothing is fetched that is here already. ``looks`` tells whether a file of the
    right ending is one that it reads, where others read files of the same ending: it is asked before them.
    ``also`` names further files that are read, so that a change of one is noticed.
    """

    category: str = "Data"
    doc: str = ""
    role: str = "data"
    load: Callable[[Mapping[str, Value]], Dataset] = field(default=lambda p: dataset(p, {}))
    fetch: Callable[[Mapping[str, Value], Callable[[object], None]], None] | None = None
    looks: Callable[[Path], bool] | None = None
    also: Callable[[Mapping[str, Value]], Iterable[str]] | None = None


NORMALIZE = Choice(
    name="normalize",
    default="standardize",
    choices=NORMALIZATIONS,
    doc="Give each column of numbers, the target too, mean 0 and deviation 1, or 0 to 1, over the training"
    " rows.",
)
"""Parameter of tables; without it a network would first have to learn the columns' units."""

SCALING = replace(
    NORMALIZE,
    default="none",
    doc="Give each channel or column of the inputs mean 0 and deviation 1, or 0 to 1, over the training"
    " samples.",
)
"""Parameter of arrays and images, which are 0 to 1 where they were bytes."""

MISSING = Choice(
    name="missing",
    default="skip",
    choices=("skip", "mean"),
    label="Missing values",
    doc="A row that lacks a value is left out, or gets the mean of the training rows; one without a target is"
    " always left out.",
)
"""Parameter of tables."""


def dataset(
    p: Mapping[str, Value],
    fields: Mapping[str, Field],
    skipped: tuple[str, ...] = (),
    by: np.ndarray | None = None,
    scaled: Collection[str] | None = None,
) -> Dataset:
    """Return fields as a data set, split, filled and scaled as the parameters say that the source has.

    ``by`` is the column that decides which rows are held out, ``scaled`` names the fields of numbers that
    ``normalize`` is for: all by default. Raises DataError where the split cannot be.
    """
    count = len(next(iter(fields.values())).values) if fields else 0
    labels = next((each.values for each in reversed(fields.values()) if each.classes), None)
    train, held = hold_out(p, count, labels, by)
    how, fill = p.get("normalize", "none"), p.get("missing") == "mean"
    ready = {
        name: _prepared(each, train, how if scaled is None or name in scaled else "none", fill)
        for name, each in fields.items()
    }
    return Dataset(ready, train, held, skipped)


def _prepared(each: Field, train: np.ndarray, how: str, fill: bool) -> Field:
    if each.values.dtype.kind != "f" or (how == "none" and not fill):
        return each
    tally = Tally(by_column(each.values[:1]).shape[1])
    step = max(BLOCK // max(each.values[:1].size, 1), 1)
    for start in range(0, len(train), step):
        tally.add(each.values[train[start : start + step]])
    values = filled(each.values, tally) if fill else each.values
    scale = scale_of(tally, how)
    return replace(each, values=scale.apply(values) if scale else values, scale=scale)


def filled(values: np.ndarray, tally: Tally) -> np.ndarray:
    """Return values with the mean in place of what is missing."""
    lacking = np.isnan(values)
    if not lacking.any():
        return values
    return np.where(lacking, Scale(tally.mean, np.ones_like(tally.mean))._like(values)[0], values).astype(
        values.dtype
    )


def standardized(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and deviation 1 over ``rows``, the training rows; constant ones become 0."""
    tally = Tally(by_column(values[:1]).shape[1])
    tally.add(values[rows])
    return scale_of(tally, "standardize").apply(values)
