"""Data that a function of the document makes: what it returns becomes the fields of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.data.source import Dataset, Field, dataset
from engine.errors import DataError, shown
from engine.layers.declaration import BATCH, TensorType
from engine.layers.params import Value

CLASSES = 1000
"""Different whole numbers, one for each sample, that still look like classes."""

_EXPECTED = "expected a dict of arrays, samples first, or of pairs of an array and the names of its classes"


def dataset_of(name: str, given: Any, ports: tuple[str, ...], p: Mapping[str, Value]) -> Dataset:
    """Return what a function gave as a data set, split as the parameters say.

    Rows with numbers that are not finite are left out. Raises DataError that begins with ``name``.
    """
    if not isinstance(given, Mapping):
        raise DataError(f"{name} returned {shown(type(given).__name__)}; {_EXPECTED}.")
    missing = [port for port in ports if port not in given]
    if missing:
        raise DataError(f"{name} returned no {missing[0]!r}; its code says that it gives {', '.join(ports)}.")
    fields = {port: _field(f"{name}: {port!r}", given[port]) for port in ports}
    counts = {port: len(field.values) for port, field in fields.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{port!r} has {count:,}" for port, count in counts.items())
        raise DataError(f"{name}: every field needs the same number of samples; {listed}.")
    good = np.ones(next(iter(counts.values())), bool)
    for field in fields.values():
        if field.values.dtype.kind == "f":
            good &= np.isfinite(field.values).reshape(len(good), -1).all(1)
    if good.all():
        return dataset(p, fields)
    kept = {port: Field(field.values[good], field.classes) for port, field in fields.items()}
    bad = np.flatnonzero(~good) + 1
    some = ", ".join(map(str, bad[:5])) + (" …" if len(bad) > 5 else "")
    return dataset(p, kept, (f"{len(bad):,} samples hold numbers that are not finite: {some}.",))


def types_of_fields(data: Dataset) -> tuple[TensorType, ...]:
    """Return the types of a data set's fields."""
    return tuple(
        TensorType(
            (BATCH, *field.values.shape[1:]),
            "float" if field.values.dtype.kind == "f" else "int",
            len(field.classes),
        )
        for field in data.fields.values()
    )


def _field(where: str, given: Any) -> Field:
    names: tuple[str, ...] = ()
    if isinstance(given, tuple) and len(given) == 2 and not np.isscalar(given[0]):
        given, words = given
        names = tuple(map(str, words))
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        values = np.asarray(given)
    except ValueError:
        raise DataError(f"{where} holds rows of different lengths; expected an array.") from None
    if values.ndim == 0 or not values.size:
        raise DataError(f"{where} has the shape {values.shape}; expected samples first, and at least one.")
    if values.dtype.kind in "US" and values.ndim == 1:
        levels, values = np.unique(values, return_inverse=True)
        names = names or tuple(map(str, levels))
    if values.dtype.kind == "f":
        return Field(np.array(values[:, None] if values.ndim == 1 else values, np.float32))
    if values.dtype.kind not in "iub":
        raise DataError(f"{where} holds {values.dtype}; expected numbers or words.")
    values = np.array(values, np.int64)
    most = int(values.max()) + 1
    if names and (values.min() < 0 or most > len(names)):
        raise DataError(
            f"{where} names {len(names)} classes, but its numbers reach from {values.min()} to {most - 1}."
        )
    if not names and values.ndim == 1 and values.min() >= 0 and most <= CLASSES:
        names = tuple(map(str, range(most)))
    return Field(values, names)
