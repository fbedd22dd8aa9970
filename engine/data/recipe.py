"""How the columns of a file become features and a target: made from some rows, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.data.columns import CLASSES, REASONS, WORDS, Column, find_column
from engine.errors import DataError


@dataclass(frozen=True)
class Part:
    """A column that is used: a number, ``width`` numbers, or one of ``words``."""

    name: str
    words: tuple[str, ...] = ()
    width: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the feature columns that it becomes."""
        if self.words:
            return tuple(f"{self.name} = {word}" for word in self.words)
        return (self.name,) if self.width == 1 else tuple(f"{self.name} {n}" for n in range(self.width))


@dataclass(frozen=True)
class Recipe:
    """How the columns of a file become features and a target; the same for every part of the file.

    ``classes`` names the classes of the target and ``levels`` are their numbers, if they are numbers. ``by``
    is the split column. ``fill`` says that a missing feature is kept, as NaN.
    """

    features: tuple[Part, ...]
    target: Part
    classes: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    by: str = ""
    fill: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the feature columns."""
        return tuple(name for part in self.features for name in part.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file that have to be read."""
        names = [*(part.name for part in self.features), self.target.name]
        return (*names, self.by) if self.by else tuple(names)

    def encode(self, columns: Mapping[str, Column]) -> Encoded:
        """Return rows as numbers; those that cannot be used are not among them."""
        count = len(columns[self.target.name])
        usable = np.ones(count, bool)
        reasons: dict[int, str] = {}
        for part in (*self.features, self.target):
            column, is_target = columns[part.name], part is self.target
            if column.is_whole and not (is_target and self.levels):
                continue
            wrong = column.wrong
            if is_target or not self.fill:
                wrong = wrong | column.missing
            known = (self.classes, self.levels) if is_target else (part.words, ())
            unknown = _unknown(column, *known)
            bad = wrong | unknown
            for row in np.flatnonzero(bad & usable)[:REASONS].tolist():
                reasons[row] = _refuse(column, row, bool(unknown[row]) and not wrong[row])
            usable &= ~bad
        if self.by:
            lacking = columns[self.by].missing
            reasons |= {
                row: f"the split column {self.by!r} is empty."
                for row in np.flatnonzero(lacking & usable)[:REASONS].tolist()
            }
            usable &= ~lacking
        used = [columns[part.name] for part in self.features]
        missing = [0 if column.is_whole else column.missing.sum() for column in used]
        rows = np.flatnonzero(usable)
        taken = slice(None) if len(rows) == count else rows
        features = np.empty((len(rows), len(self.columns)), np.float32)
        at = 0
        for part in self.features:
            width = len(part.names)
            features[:, at : at + width] = _numbers(columns[part.name], part, taken)
            at += width
        return Encoded(
            features,
            self._target(columns[self.target.name], rows),
            rows,
            reasons,
            np.repeat(np.array(missing, np.int64), [len(part.names) for part in self.features]),
            self._by(columns, rows),
        )

    def _target(self, column: Column, rows: np.ndarray) -> np.ndarray:
        if self.levels:
            return np.searchsorted(np.array(self.levels), column.numbers[rows]).astype(np.int64)
        if self.classes:
            return _codes(column.words[rows], self.classes)
        values = column.numbers[rows].astype(np.float32)
        return values[:, None] if values.ndim == 1 else values

    def _by(self, columns: Mapping[str, Column], rows: np.ndarray) -> np.ndarray | None:
        if not self.by:
            return None
        column = columns[self.by]
        return column.words[rows] if column.numbers is None else column.numbers[rows]


@dataclass(frozen=True)
class Encoded:
    """Rows as numbers: ``rows`` says which of the file's they are, ``reasons`` why others are not among them.

    ``missing`` counts what the feature columns lack, ``by`` is the split column.
    """

    features: np.ndarray
    target: np.ndarray
    rows: np.ndarray
    reasons: Mapping[int, str]
    missing: np.ndarray
    by: np.ndarray | None


def _codes(words: np.ndarray, known: Sequence[str]) -> np.ndarray:
    place = {word: number for number, word in enumerate(known)}
    return np.fromiter((place.get(word, -1) for word in words.tolist()), np.int64, len(words))


def _unknown(column: Column, words: Sequence[str], levels: Sequence[float]) -> np.ndarray:
    """Where a word or level stands that the recipe does not know."""
    if levels:
        return ~np.isin(column.numbers, levels) & np.isfinite(column.numbers)
    if words and column.numbers is None:
        return (_codes(column.words, words) < 0) & (column.words != "")
    return np.zeros(len(column), bool)


def _numbers(column: Column, part: Part, rows: np.ndarray | slice) -> np.ndarray:
    if not part.words:
        values = column.numbers[rows]
        return values[:, None] if values.ndim == 1 else values
    # A missing word has the code -1, and so a row of zeros.
    return (_codes(column.words[rows], part.words)[:, None] == np.arange(len(part.words))).astype(np.float32)


def _refuse(column: Column, row: int, unknown: bool) -> str:
    cell = column.text(row)
    came = f"{cell[:40]!r} came" if cell else "it is empty"
    if unknown:
        return f"{column.name!r}: {cell[:40]!r} stands in none of the rows that were looked at first."
    return f"{column.name!r} expects {'a word' if column.numbers is None else 'a number'}, {came}."


@dataclass(frozen=True)
class Choices:
    """What a person chose for a table: the target column (empty: the last), the task, the split column."""

    target: str = ""
    task: str = "auto"
    by: str = ""
    fill: bool = False

    @classmethod
    def of(cls, p: Mapping[str, object]) -> Choices:
        """Return what the parameters of a source say."""
        by = p.get("split_column", "") if p.get("split") in ("column", "last") else ""
        return cls(p["target"], p["task"], by, p.get("missing") == "mean")


def make_recipe(file: str, columns: Sequence[Column], chosen: Choices) -> Recipe:
    """Return how columns become features and a target, as the rows that were read suggest.

    Raises DataError that names the file where they cannot.
    """
    by_name = {column.name: column for column in columns}
    names = list(by_name)
    by = find_column(file, names, chosen.by) if chosen.by else ""
    if len(names) < 2 + bool(by):
        raise DataError(f"{file} has one column, {names[0]!r}; expected features and a target.")
    others = [name for name in names if name != by]
    target = by_name[find_column(file, names, chosen.target) if chosen.target else others[-1]]
    if target.name == by:
        raise DataError(f"{file}: {by!r} cannot be both the target and the split column.")
    if target.odd:
        raise DataError(f"{file}: {target.name!r} cannot be the target: {target.odd}.")
    if chosen.task == "number" and target.numbers is None:
        word = target.text(0)
        raise DataError(f"{file}: the target {target.name!r} holds words such as {word!r}, not numbers.")
    used, left_out = [], []
    for name in (name for name in others if name != target.name):
        column = by_name[name]
        if column.odd:
            left_out.append(f"Column {name!r} was left out: {column.odd}.")
        elif column.numbers is None and (different := len(set(column.words.tolist()))) > WORDS:
            left_out.append(f"Column {name!r} was left out: {different:,} different words.")
        else:
            used.append(column)
    usable = ~(target.missing | target.wrong)
    for column in used:
        usable &= ~(column.wrong if chosen.fill else column.wrong | column.missing)
    rows = np.flatnonzero(usable)
    if not len(rows):
        first = next((each for each in (*used, target) if (each.wrong | each.missing)[0]), target)
        raise DataError(f"{file} holds no usable row. Row 1: {_refuse(first, 0, False)}")
    parts = tuple(_part(column, rows) for column in used)
    parts = tuple(part for part in parts if part.words or part.width)
    if not parts:
        raise DataError(f"{file} has no column that can be a feature. {' '.join(left_out[:1])}".strip())
    classes, levels = _classes(target, rows, chosen.task)
    width = 1 if target.numbers is None or target.numbers.ndim == 1 else target.numbers.shape[1]
    return Recipe(parts, Part(target.name, width=width), classes, levels, by, chosen.fill, tuple(left_out))


def widened(recipe: Recipe, every: Callable[[str], Iterable[Column]], task: str) -> Recipe:
    """Return a recipe with all words and classes that ``every`` part of a column holds.

    A feature that turns out to have too many is left out; a target with many whole numbers becomes a number.
    """
    parts, left_out = [], list(recipe.left_out)
    for part in recipe.features:
        words = set(part.words)
        for column in every(part.name) if words else ():
            words |= set(column.words.tolist()) - {""}
        if len(words) > WORDS:
            left_out.append(f"Column {part.name!r} was left out: {len(words):,} different words.")
        else:
            parts.append(replace(part, words=tuple(sorted(words))))
    if not parts:
        raise DataError(f"There is no column that can be a feature. {left_out[-1]}")
    recipe = replace(recipe, features=tuple(parts), left_out=tuple(left_out))
    if recipe.levels:
        found = set(recipe.levels)
        for column in every(recipe.target.name):
            found |= set(np.unique(column.numbers[np.isfinite(column.numbers)]).tolist())
        few = len(found) <= CLASSES and all(level == round(level) for level in found)
        levels = tuple(sorted(found)) if few or task == "classes" else ()
        return replace(recipe, levels=levels, classes=tuple(f"{level:g}" for level in levels))
    if recipe.classes:
        words = set(recipe.classes)
        for column in every(recipe.target.name):
            words |= set(column.words.tolist()) - {""}
        return replace(recipe, classes=tuple(sorted(words)))
    return recipe


def _part(column: Column, rows: np.ndarray) -> Part:
    if column.numbers is not None:
        return Part(column.name, width=1 if column.numbers.ndim == 1 else column.numbers.shape[1])
    words = sorted(set(column.words[rows].tolist()) - {""})
    return Part(column.name, tuple(words), 1 if words else 0)


def _classes(column: Column, rows: np.ndarray, task: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The names of the target's classes, and their numbers if they are numbers; none if it is a number."""
    if column.numbers is None:
        return tuple(sorted(set(column.words[rows].tolist()))), ()
    values = column.numbers[rows]
    if values.ndim > 1:
        return (), ()
    levels = np.unique(values)
    few = len(levels) <= min(CLASSES, max(2, len(values) // 2)) and bool((levels == levels.round()).all())
    if task == "classes" or (task == "auto" and few):
        return tuple(f"{level:g}" for level in levels.tolist()), tuple(levels.tolist())
    return (), ()
