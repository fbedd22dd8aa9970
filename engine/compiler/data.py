"""A data node's fields: loaded once, and again only when its parameters or its file change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from engine import catalogue
from engine.compiler.data_function import make_data
from engine.data.functions import types_of_fields
from engine.data.source import Dataset, Source
from engine.data.table import file_stamp, folder_stamp
from engine.errors import DataError, EngineError
from engine.graph.document import Node
from engine.layers.declaration import Layer, TensorType
from engine.layers.params import File, Folder

_STAMPS = {File: file_stamp, Folder: folder_stamp}
KEPT = 4
"""Data sets that stay in memory."""

_cache: OrderedDict[object, Dataset] = OrderedDict()
_lock = threading.Lock()
_gates: dict[object, threading.Lock] = {}
"""One for each data set that is being read: who wants the same waits, others do not."""


def load_node(node: Node, layer: Layer | None = None) -> Dataset:
    """Return the data set of a data node, split into training and held-out rows; its arrays are read-only.

    ``layer`` is the node's own where the document brings it along. Raises DataError that names the node.
    """
    source = _source(node, layer)
    values = source.values(node.params)
    try:
        key = (
            source.type,
            source.source,
            tuple(values.items()),
            tuple(
                _STAMPS[type(param)](values[param.name])
                for param in source.params
                if type(param) in _STAMPS and values[param.name]  # what may stay empty, the source knows
            ),
            tuple(map(file_stamp, source.also(values))) if source.also else (),
        )
        return _kept(key) or _load(
            key, lambda: make_data(source, values) if source.source else source.load(values)
        )
    except EngineError as error:
        raise DataError(error.message, node.id) from None
    except (OSError, MemoryError) as error:
        raise DataError(f"{node.title} cannot be loaded: {error or 'not enough memory'}.", node.id) from None


def _kept(key: object) -> Dataset | None:
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
        return _cache.get(key)


def _load(key: object, load: Callable[[], Dataset]) -> Dataset:
    with _lock:
        gate = _gates.setdefault(key, threading.Lock())
    with gate:
        if (found := _kept(key)) is not None:
            return found
        try:
            found = _checked(load())
            with _lock:
                _cache[key] = found
                while len(_cache) > KEPT:
                    _cache.popitem(last=False)
            return found
        finally:
            with _lock:
                _gates.pop(key, None)


def types_of(node: Node, layer: Layer | None = None) -> tuple[TensorType, ...]:
    """Return the types of a data node's fields in the order of its ports, loading as little as possible.

    ``layer`` is the node's own where the document brings it along. Raises DataError that names the node.
    """
    source = _source(node, layer)
    if source.source:
        return types_of_fields(load_node(node, source))
    values = source.values(node.params)
    try:
        return source.types(values)
    except EngineError as error:
        raise DataError(error.message, node.id) from None
    except (OSError, MemoryError) as error:
        raise DataError(f"{node.title} cannot be read: {error or 'not enough memory'}.", node.id) from None


def _source(node: Node, layer: Layer | None) -> Source:
    layer = layer or catalogue.layer(node.type)
    if not isinstance(layer, Source):
        raise DataError(f"{node.title} is no source of data.", node.id)
    return layer


def _checked(dataset: Dataset) -> Dataset:
    lengths = {name: len(field.values) for name, field in dataset.fields.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The fields have different lengths: {lengths}.")
    if len(dataset) < 2:
        raise DataError("There are fewer than two samples.")
    for field in dataset.fields.values():
        field.values.flags.writeable = False
    return dataset
