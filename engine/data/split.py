"""Which rows train and which are held out: drawn at random, by class, by order, or as a column says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from engine.errors import DataError, shown
from engine.layers.params import Choice, Float, Int, Param, Text, Value

_HOW = Choice(
    name="split",
    default="random",
    choices=("random", "stratified", "last"),
    doc="Which samples are held out: drawn at random, drawn from each class in equal shares, or the last ones"
    " in their order.",
)

_REST: tuple[Param, ...] = (
    Float(
        name="validation",
        default=0.2,
        min=0,
        max=0.9,
        doc="Share of the samples that is held out for checking.",
    ),
    Int(name="seed", default=0, min=0, max=2**31 - 1, doc="Which samples are drawn and held out."),
)

SPLIT: tuple[Param, ...] = (_HOW, *_REST)
"""Parameters that every source has."""

TABLE_SPLIT: tuple[Param, ...] = (
    replace(
        _HOW,
        choices=(*_HOW.choices, "column"),
        doc="Which rows are held out: drawn at random, drawn from each class in equal shares, the last ones"
        " (in the order of the split column, if there is one), or those whose split column says so.",
    ),
    Text(
        name="split_column",
        default="",
        doc="For column: it says train, validation or test in each row (test rows are set aside). For last:"
        " a time, of which the latest rows are held out. It is no feature.",
    ),
    *_REST,
)
"""Parameters of every table."""

_PARTS = {
    "train": ("train", "training", "trn", "fit"),
    "validation": ("validation", "valid", "val", "dev", "held out"),
    "test": ("test", "testing", "tst"),
}
"""What people write for each part."""

_PART_OF = {word: number for number, words in enumerate(_PARTS.values()) for word in words}


def split(count: int, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the held-out rows: drawn at random, each in order."""
    order = np.random.default_rng(seed).permutation(count)
    held = share_of(count, validation)
    return np.sort(order[held:]), np.sort(order[:held])


def share_of(count: int, validation: float) -> int:
    """Return how many of so many rows are held out: one always trains."""
    return min(round(count * validation), max(count - 1, 0))


def hold_out(
    p: Mapping[str, Value], count: int, labels: np.ndarray | None = None, by: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the held-out rows as a source's parameters say.

    ``labels`` are the class indices (n,), ``by`` the values (n,) of the split column. Raises DataError where
    one is needed and there is none.
    """
    how = p.get("split", "random")
    if how == "stratified":
        return _stratified(count, p["validation"], p["seed"], check_labels(labels))
    if how == "column":
        parts = parts_of(by)
        return check_parts(np.flatnonzero(parts == 0), np.flatnonzero(parts == 1))
    if how == "last":
        held = share_of(count, p["validation"])
        order = np.arange(count) if by is None else np.argsort(by, kind="stable")
        return np.sort(order[: count - held]), np.sort(order[count - held :])
    return split(count, p["validation"], p["seed"])


def check_labels(labels: np.ndarray | None) -> np.ndarray:
    """Return the labels by which to stratify; raises DataError if there are none."""
    if labels is None or labels.ndim != 1:
        raise DataError(
            "A stratified split needs one class for each sample, and this data has none; choose random."
        )
    return labels


def check_parts(train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both; raises DataError if no row trains."""
    if not len(train):
        raise DataError("The split column says train in no row.")
    return train, held


def _stratified(
    count: int, validation: float, seed: int, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each class the same share; what is left over by rounding goes to the classes that lack most."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(count)
    held = held_of_order(labels[order], share_of(count, validation))
    return np.sort(order[~held]), np.sort(order[held])


def held_of_order(labels: np.ndarray, wanted: int) -> np.ndarray:
    """Return which of some rows in random order are held out: ``wanted`` of them, of each class its share."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    exact = counts * (wanted / max(len(labels), 1))
    take = np.floor(exact).astype(np.int64)
    lacking = np.argsort(take - exact, kind="stable")[: wanted - take.sum()]
    take[lacking] += 1
    by_class = np.argsort(codes, kind="stable")
    place = np.empty(len(labels), np.int64)  # of each row among those of its class
    place[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place < take[codes]


def parts_of(by: np.ndarray | None) -> np.ndarray:
    """Return 0 for each row that trains, 1 that is held out, 2 that is set aside, as a split column says.

    Raises DataError for a word that means none of them.
    """
    if by is None:
        raise DataError("Name the split column: it says train, validation or test in each row.")
    words, codes = np.unique(np.char.lower(np.char.strip(by.astype(str))), return_inverse=True)
    unknown = [word for word in words.tolist() if word not in _PART_OF]
    if unknown:
        raise DataError(
            f"The split column says {', '.join(map(shown, unknown[:3]))}; expected train, validation or test."
        )
    return np.array([_PART_OF[word] for word in words.tolist()], np.int64)[codes]
