"""Columns as they are read: of numbers, of vectors or of words, and what is missing or no use in them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import DataError

WORDS = 50
"""Different words of a feature column that become one column each; more look like names or free text."""

CLASSES = 20
"""Different whole numbers of a target that still look like classes."""

REASONS = 100
"""Skipped rows that are listed one by one."""

MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
"""Words for nothing."""


@dataclass(frozen=True)
class Column:
    """A column as it was read: numbers (n,) or vectors (n, k), or words (n,).

    A number that is missing is NaN, one that cannot be used is infinite; a missing word is empty. ``shows``
    returns what stands in the file, for messages; ``odd`` says why the column can be no feature.
    """

    name: str
    numbers: np.ndarray | None = None
    words: np.ndarray | None = None
    shows: Callable[[int], str] | None = None
    odd: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it holds numbers, and one everywhere."""
        return self.numbers is not None and bool(np.isfinite(self.numbers).all())

    @property
    def missing(self) -> np.ndarray:
        """Where there is nothing."""
        return self.words == "" if self.numbers is None else _rowwise(np.isnan(self.numbers))

    @property
    def wrong(self) -> np.ndarray:
        """Where something stands that is no number."""
        return np.zeros(len(self), bool) if self.numbers is None else _rowwise(np.isinf(self.numbers))

    def __len__(self) -> int:
        return len(self.words if self.numbers is None else self.numbers)

    def text(self, row: int) -> str:
        """Return what stands in a row."""
        if self.shows is not None:
            return self.shows(row)
        value = (self.words if self.numbers is None else self.numbers)[row]
        return "" if isinstance(value, np.floating) and np.isnan(value) else str(value)


def _rowwise(flags: np.ndarray) -> np.ndarray:
    return flags if flags.ndim == 1 else flags.any(1)


def from_cells(name: str, cells: Sequence[object], decimal: str = ".") -> Column:
    """Return a column of cells as a text file has them: texts, numbers, lists of numbers, None.

    It holds numbers where nine of ten cells that hold something are numbers: the others are errors then.
    """
    if any(isinstance(cell, list) for cell in cells):
        return _vectors(name, cells)
    odd = next((cell for cell in cells if isinstance(cell, dict)), None)
    if odd is not None:
        return Column(name, words=_words(cells), odd="it holds objects")
    numbers = np.array([_of_cell(cell, decimal) for cell in cells], np.float64)
    filled = int((~np.isnan(numbers)).sum())
    found = int(np.isfinite(numbers).sum())
    if found and found >= 0.9 * filled:
        return Column(name, numbers, shows=_shows(cells, ~np.isfinite(numbers)))
    words = _words(cells)
    return Column(name, words=words, shows=_shows(cells, words == "", words))


def _shows(cells: Sequence[object], odd: np.ndarray, words: np.ndarray | None = None) -> Callable[[int], str]:
    """What stands in a row, without keeping the cells of those that are as they should be."""
    texts = {row: _text(cells[row]) for row in np.flatnonzero(odd).tolist()}
    return lambda row: texts.get(row, "" if words is None else words[row])


def _of_cell(cell: object, decimal: str) -> float:
    """The number that a cell means; NaN for nothing, infinity for what is no number."""
    if isinstance(cell, str):
        found = number_in(cell, decimal)
        return found if found is not None else math.nan if cell.strip().lower() in MISSING else math.inf
    if cell is None:
        return math.nan
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.inf


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _words(cells: Sequence[object]) -> np.ndarray:
    texts = (_text(cell) for cell in cells)
    return np.array(["" if text.lower() in MISSING else text for text in texts], object)


def _vectors(name: str, cells: Sequence[object]) -> Column:
    width = len(next(cell for cell in cells if isinstance(cell, list)))
    found = np.full((len(cells), width), np.inf)
    for row, cell in enumerate(cells):
        if cell is None:
            found[row] = np.nan
        elif isinstance(cell, list) and len(cell) == width:
            found[row] = [_of_cell(each, ".") for each in cell]
    odd = "" if width and np.isfinite(found).any() else "it holds lists of other things than numbers"
    return Column(name, found, shows=_shows(cells, ~np.isfinite(found).all(1)), odd=odd)


def number_in(cell: str, decimal: str = ".") -> float | None:
    """The finite number that a cell spells, or None."""
    if decimal == ",":
        cell = cell.replace(",", ".")
    if "_" in cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def find_column(file: str, names: Sequence[str], wanted: str) -> str:
    """Return a column's name; raises DataError that offers the nearest."""
    if wanted in names:
        return wanted
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" It has {', '.join(names[:12])}."
    raise DataError(f"{file} has no column {wanted!r}.{hint}")


def shortened(skipped: Sequence[str], more: int = 0) -> tuple[str, ...]:
    """Return the first reasons, and how many more there are."""
    more += max(len(skipped) - REASONS, 0)
    return (*skipped[:REASONS], f"And {more:,} more.") if more > 0 else tuple(skipped)
