"""Weights of classes for a loss, counted in the data that it is to learn from."""

from __future__ import annotations

import numpy as np

from engine.compiler.data import load_node
from engine.data.balance import class_weights
from engine.errors import DataError
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.graph.modes import active

PARAM = "class_weights"
"""The parameter of losses that take a weight for each class."""

DIGITS = 4


def can_be_weighted(document: Document, loss: str) -> bool:
    """Return whether a node is a loss with class weights that reads a field of data directly."""
    layer = layer_of(document, document.nodes[loss].type)
    return layer.param(PARAM) is not None and _target(document, loss) is not None


def _target(document: Document, loss: str) -> Slot | None:
    """The field of data that a loss takes its right answers from."""
    document = active(document)
    if loss not in document.nodes:
        return None
    slot = document.incoming(loss).get("target")
    if slot is None or layer_of(document, document.nodes[slot.node].type).role != "data":
        return None
    return slot


def weights_by_rarity(document: Document, loss: str) -> tuple[float, ...]:
    """Return a weight for each class of a loss: the rarer among the training rows, the heavier.

    Together the training rows weigh as much as without. Raises DataError with the node if its data has no
    classes.
    """
    slot = _target(document, loss)
    if slot is None:
        raise DataError("Connect the target of this loss with data: its classes are counted there.", loss)
    node = document.nodes[slot.node]
    data = load_node(node, layer_of(document, node.type))
    field = data.fields[slot.port]
    if not field.classes or field.values.ndim != 1:
        raise DataError("The target of this loss has no classes that could be counted.", loss)
    counts = np.zeros(len(field.classes), np.int64)
    for block in data.blocks():
        counts += np.bincount(block[slot.port], minlength=len(counts))
    return tuple(float(f"{each:.{DIGITS}g}") for each in class_weights(counts.tolist()))
