"""What a source of data is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.layers.declaration import Layer
from engine.layers.params import Float, Int, Param, Value

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
    """A node that gives data: its outputs are the fields that ``load`` returns for its parameters.

    ``types`` tells the fields' types without loading all of it.
    """

    category: str = "Data"
    doc: str = ""
    role: str = "data"
    load: Callable[[Mapping[str, Value]], Mapping[str, Field]] = field(default=lambda p: {})


def split(count: int, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the shuffled indices of the training and the held-out rows."""
    order = np.random.default_rng(seed).permutation(count)
    held = min(round(count * validation), count - 1)
    return np.sort(order[held:]), np.sort(order[:held])
