"""What a source of data is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.layers.declaration import Layer
from engine.layers.params import Bool, Float, Int, Param, Value

SPLIT: tuple[Param, ...] = (
    Float(
        name="validation",
        default=0.2,
        min=0,
        max=0.9,
        doc="Share of the samples that is held out for checking.",
    ),
    Int(name="seed", default=0, min=0, max=2**31 - 1, doc="Which samples are drawn and held out."),
)
"""Parameters that every source has."""


@dataclass(frozen=True)
class Field:
    """One column of a data set: ``values`` is samples first; ``classes`` names its whole numbers."""

    values: np.ndarray
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Named fields of equal length, and which rows train and which are held out.

    ``skipped`` says which rows of a file were left out, and why.
    """

    fields: Mapping[str, Field]
    train: np.ndarray
    validation: np.ndarray
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.train) + len(self.validation)


@dataclass(frozen=True)
class Source(Layer):
    """A node that gives data: its outputs are the fields of the data set that ``load`` returns.

    ``load`` and ``types`` receive every parameter and may raise DataError. ``types`` tells the fields' types
    in the order of the ports, without loading all of it.
    """

    category: str = "Data"
    doc: str = ""
    role: str = "data"
    load: Callable[[Mapping[str, Value]], Dataset] = field(default=lambda p: dataset(p, {}))


def dataset(p: Mapping[str, Value], fields: Mapping[str, Field], skipped: tuple[str, ...] = ()) -> Dataset:
    """Return fields as a data set, split as the parameters ``validation`` and ``seed`` say."""
    count = len(next(iter(fields.values())).values) if fields else 0
    return Dataset(fields, *split(count, p["validation"], p["seed"]), skipped)


def split(count: int, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the held-out rows: drawn at random, each in order."""
    order = np.random.default_rng(seed).permutation(count)
    held = min(round(count * validation), max(count - 1, 0))
    return np.sort(order[held:]), np.sort(order[:held])


STANDARDIZE = Bool(
    name="standardize",
    default=True,
    doc="Give each column of numbers, the target too, mean 0 and deviation 1 over the training rows.",
)
"""Parameter of tables; without it a network would first have to learn the columns' units."""


def standardized(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and deviation 1 over ``rows``, the training rows; constant ones become 0."""
    chosen = values[rows].astype(np.float64)
    deviation = chosen.std(0)
    scaled = (values - chosen.mean(0)) / np.where(deviation > 0, deviation, 1)
    return scaled.astype(np.float32)
