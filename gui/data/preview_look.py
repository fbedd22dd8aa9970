"""Some rows of a data set, before and after augmentation, as they are shown: no widget, any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.data.source import Arrays, Dataset, Field
from engine.data.tokens import PADDING
from engine.graph.blocks import layer_of

if TYPE_CHECKING:
    from engine.compiler.resolve import Resolution
    from engine.data.tally import Scale
    from engine.graph.document import Node, Slot

ROWS = 48
"""Rows that are looked at."""

POINTS = 400
"""Rows of two numbers, which are points in the plane."""

LONG = 64
"""Numbers of a row that are drawn as a curve and no longer written in columns."""

_CLOSE, _OPEN = frozenset(".,!?;:)]}'’…%\n"), frozenset("([{\n`#")
"""What stands right behind the word before it, and right before the word behind it."""


@dataclass(frozen=True)
class Look:
    """Rows of a data set by field, in the units of its files; ``after`` are those that augmentation changes.

    ``places`` are the rows' numbers in the data set, None where it is read as a stream.
    """

    data: Dataset
    rows: Arrays
    after: Arrays = field(default_factory=dict)
    places: np.ndarray | None = None
    held: bool = False

    @property
    def first(self) -> str:
        """The field that is shown first: what a network reads."""
        return next(iter(self.rows))

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows[self.first])

    @property
    def kind(self) -> str:
        """How the rows are shown: ``images``, ``points``, ``curves`` or ``table``."""
        values = self.rows[self.first]
        if is_image(values):
            return "images"
        if is_point(self.data.fields[self.first]):
            return "points"
        wide = values.ndim == 2 and values.shape[1] > LONG
        channels = values.ndim == 3 and values.shape[1] <= 2 < values.shape[2]
        return "curves" if values.dtype.kind == "f" and (wide or channels) else "table"

    @property
    def boxes(self) -> str:
        """The field of boxes (n, k, 4) that lie over the images; empty if there is none."""
        names = [name for name, values in self.rows.items() if values.ndim == 3 and values.shape[2] == 4]
        return names[0] if names and self.kind == "images" and names[0] != self.first else ""

    @property
    def kinds(self) -> str:
        """The field of the classes (n, k) of those boxes; empty if there is none."""
        count = self.rows[self.boxes].shape[1:2] if self.boxes else None
        every = self.rows.items()
        return next(
            (name for name, values in every if values.dtype.kind == "i" and values.shape[1:] == count), ""
        )

    def label(self, row: int) -> str:
        """What is known of a row beside its first field: its class, its target, what is in its boxes."""
        if self.kinds:
            told = self.data.fields[self.kinds]
            found = [each for each in self.rows[self.kinds][row].tolist() if each >= 0]
            return ", ".join(dict.fromkeys(named(told, each) for each in found))
        others = [name for name in self.rows if name != self.first and self.rows[name].ndim <= 2]
        told = [word for name in others if (word := written(self.data.fields[name], self.rows[name][row]))]
        return " · ".join(told)


def is_image(values: np.ndarray) -> bool:
    """Return whether rows are pictures: (n, C, h, w) or (n, h, w) of more than a few pixels."""
    return values.ndim in (3, 4) and min(values.shape[-2:]) > 2


def is_point(told: Field) -> bool:
    """Return whether rows are points in the plane, and not those of a table whose columns have names."""
    return told.values.dtype.kind == "f" and told.values.shape[1:] == (2,) and not told.columns


def look(
    node: Node,
    resolution: Resolution,
    chains: Mapping[str, tuple[Slot, ...]],
    held: bool = False,
    batch: int = 0,
    draw: int = 0,
) -> Look:
    """Return rows of a data node as training sees them. Raises DataError that names the node.

    ``batch`` 0 are the first rows, any other number some that are drawn by it; ``draw`` is the seed of
    augmentation, which acts on training rows alone.
    """
    from engine.compiler.augmented import augmented  # it needs torch, which loads beside the window
    from engine.compiler.data import load_node

    data = load_node(node, layer_of(resolution.document, node.type))
    rows, places = _some(data, held, batch)
    after = (
        {} if held or not len(rows[next(iter(rows))]) else augmented(resolution, node.id, chains, rows, draw)
    )
    return Look(data, _shown(data, rows), _shown(data, after), places, held)


def _some(data: Dataset, held: bool, batch: int) -> tuple[Arrays, np.ndarray | None]:
    """Rows of a batch, and where they stand."""
    if not isinstance(data, Dataset):  # a stream is read from its beginning
        return data.first(ROWS, held), None
    every = data.validation if held else data.train
    count = POINTS if is_point(next(iter(data.fields.values()))) else ROWS
    places = every[:count]
    if batch and len(every) > count:
        places = np.sort(np.random.default_rng(batch).choice(every, count, replace=False))
    return {name: each.values[places] for name, each in data.fields.items()}, places


def _shown(data: Dataset, rows: Arrays) -> Arrays:
    """Numbers as they were before they were scaled."""
    scales = {name: data.fields[name].scale for name in rows}
    return {name: _undone(scales[name], value) if scales[name] else value for name, value in rows.items()}


def _undone(scale: Scale, values: np.ndarray) -> np.ndarray:
    """Numbers as they were, without what rounding left of a zero."""
    found = scale.undo(values)
    return np.where(np.abs(found) < 1e-6 * float(np.max(scale.size, initial=0)), 0.0, found)


def written(told: Field, value: np.ndarray | float) -> str:
    """Return one sample of a field as text: a class, a number, words; empty where it is too long to write."""
    value = np.asarray(value)
    if value.ndim == 1 and told.classes and value.dtype.kind in "iu":
        tokens = [named(told, each) for each in value.tolist()]
        while tokens and tokens[-1] == PADDING:
            tokens.pop()
        return sentence(told, tokens)
    if value.size == 1:
        return named(told, value.item())
    return "" if value.size > 4 else ", ".join(named(told, each) for each in value.ravel().tolist())


def named(told: Field, value: float) -> str:
    """Return a number of a field as text: the name of its class, or the number in four digits."""
    if told.classes and isinstance(value, int) and 0 <= value < len(told.classes):
        return told.classes[value]
    if isinstance(value, bool | int):
        return str(int(value))
    return amount(value)


def amount(value: float) -> str:
    """Return a number of a table in four digits, all that stand before the point, and a true minus sign."""
    if value != value:
        return "missing"
    whole = 1000 <= abs(value) < 1e12
    text = f"{value:,.1f}".removesuffix(".0") if whole else f"{value:.4g}"
    return text.replace("-", "−")


def sentence(told: Field, tokens: list[str]) -> str:
    """Return tokens of a field as a text: characters and pieces follow each other, words stand apart."""
    if not _stand_apart(told.classes):
        return "".join(tokens)
    text = ""
    for each in tokens:
        text += each if not text or each in _CLOSE or text[-1] in _OPEN else f" {each}"
    return text


@lru_cache(maxsize=16)
def _stand_apart(names: tuple[str, ...]) -> bool:
    """Return whether tokens are words; pieces of a text, such as characters, hold its spaces themselves."""
    return not any(" " in name for name in names) and sum(len(name) > 1 for name in names) > len(names) / 4


class Shown(NamedTuple):
    """A column of a table: its title, a text for each row, and which of them augmentation changed."""

    title: str
    texts: list[str]
    changed: list[bool]


def table_of(seen: Look) -> list[Shown]:
    """Return rows as a table: a changed number as ``5.1 → 5.3``, a changed text in a column of its own."""
    found: list[Shown] = []
    for name, values in seen.rows.items():
        told, later = seen.data.fields[name], seen.after.get(name)
        if values.ndim == 2 and not told.classes and values.shape[1] <= LONG:
            for place in range(values.shape[1]):
                before = [named(told, each) for each in values[:, place].tolist()]
                after = before if later is None else [named(told, each) for each in later[:, place].tolist()]
                found.append(_both(_title(name, told, place, values.shape[1]), before, after))
            continue
        before = [written(told, each) or _size(each) for each in values]
        after = before if later is None else [written(told, each) or _size(each) for each in later]
        if told.classes and values.ndim > 1 and later is not None:
            same = [False] * len(before)
            changed = [a != b for a, b in zip(before, after, strict=True)]
            found += [Shown(name, before, same), Shown(f"{name}, augmented", after, changed)]
        else:
            found.append(_both(name, before, after))
    return found


def _both(title: str, before: list[str], after: list[str]) -> Shown:
    pairs = list(zip(before, after, strict=True))
    return Shown(title, [a if a == b else f"{a} → {b}" for a, b in pairs], [a != b for a, b in pairs])


def _title(name: str, told: Field, place: int, count: int) -> str:
    if place < len(told.columns):
        return told.columns[place]
    return f"{name} {place + 1}" if count > 1 else name


def _size(value: np.ndarray) -> str:
    return f"{'×'.join(map(str, value.shape))}, mean {float(np.mean(value)):.3g}"
