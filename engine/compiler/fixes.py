"""Mechanical mends: for a tensor that a port refuses, the edit that makes it fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import isqrt, prod

from engine.compiler.analysis import Fix
from engine.errors import shown
from engine.graph import edits
from engine.graph.document import Document, Edge, Slot
from engine.graph.edits import connect, delete, insert, set_params
from engine.graph.missing import meant
from engine.graph.swap import swap
from engine.layers.declaration import Port, TensorType


def fix_for(port: Port, tensor: TensorType, edge: Edge) -> Fix | None:
    """Return the first mend that applies to a tensor on an edge whose port refuses it, or None."""
    return next((fix for rule in _RULES if (fix := rule(port, tensor, edge))), None)


def inserted(document: Document, type_: str, edge: Edge, **params: object) -> Document:
    """Return the document with a new node in the middle of an edge, behind a bypassed node where one is."""
    edge = Edge(document.edges.get(edge.target, edge.source), edge.target)
    return insert(document, type_, edge, params)[0]


def _flatten(port: Port, tensor: TensorType, edge: Edge) -> Fix | None:
    if "N D" in port.dims.split("|") and len(tensor.shape) > 3:
        return Fix("Insert Flatten", partial(inserted, type_="Flatten", edge=edge))
    return None


def _to_image(port: Port, tensor: TensorType, edge: Edge) -> Fix | None:
    sizes = tensor.shape[1:]
    if "N C H W" not in port.dims.split("|") or not sizes or not all(isinstance(size, int) for size in sizes):
        return None
    side = isqrt(prod(sizes))
    shape = (1, *sizes) if len(sizes) == 2 else (1, side, side) if side * side == prod(sizes) else None
    if not shape:
        return None
    title = "Insert Reshape to " + "×".join(map(str, shape))
    return Fix(title, partial(inserted, type_="Reshape", edge=edge, shape=shape))


_RULES: tuple[Callable[[Port, TensorType, Edge], Fix | None], ...] = (_flatten, _to_image)


def connect_answer(
    target: Slot, port: Port, types: Mapping[Slot, TensorType], data: Iterable[str]
) -> Fix | None:
    """Return the mend that connects an open input of a loss with the right answers: the data's last field."""
    for node in data:
        fields = [slot for slot in types if slot.node == node]
        if len(fields) > 1 and port.refuse(types[fields[-1]]) is None:
            title = f"Connect {fields[-1].port} of {node}"
            return Fix(title, partial(connect, source=fields[-1], target=target))
    return None


def remove(node: str, label: str) -> Fix:
    """Return the mend that takes a node out of its wire."""
    return Fix(f"Remove {label}", lambda document: delete(document, [node], heal=True))


def drop_unknown(node: str, names: Iterable[str]) -> Fix:
    """Return the mend that takes settings from a node which its layer does not know."""
    names = list(names)
    what = shown(names[0]) if len(names) == 1 else f"{len(names)} settings"
    return Fix(f"Remove {what}", lambda document: edits.drop_unknown(document, node))


def replaced(node: str, type_: str) -> Fix | None:
    """Return the mend that puts the layer that was probably meant in the place of one that is missing."""
    near = meant(type_)
    return Fix(f"Replace with {near}", lambda document: swap(document, node, near).document) if near else None


def set_param(node: str, label: str, name: str, value: object, text: str = "") -> Fix:
    """Return the mend that sets one parameter of a node; ``text`` is the value as people write it."""
    return Fix(
        f"Set {label} to {text or value}", lambda document: set_params(document, node, **{name: value})
    )
