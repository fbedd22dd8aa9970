"""What a node would give after an edit that is not made yet: a wire still in the hand."""

from __future__ import annotations

from dataclasses import dataclass

from engine.compiler.resolve import Resolution, resolve_node
from engine.errors import EngineError
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import Document
from engine.graph.modes import active
from engine.layers.declaration import TensorType

LARGEST = 40
"""Nodes of a block above which it is not tried: its layers would be looked at one after the other."""


@dataclass(frozen=True)
class Trial:
    """The types of a node's outputs, or the reason why it has none; neither where nothing can be told."""

    types: tuple[TensorType, ...] = ()
    reason: str = ""


def try_node(document: Document, id: str, found: Resolution) -> Trial:
    """Return what one node would give in a document, where what stands before it is as it was ``found``.

    It looks at nothing else and takes about a millisecond. Layers written in Python and large blocks are not
    tried, because they may take longer than a pointer waits.
    """
    document = active(document)
    if id not in document.nodes:
        return Trial()
    node, incoming = document.nodes[id], document.incoming(id)
    layer = layer_of(document, node.type)
    large = layer.role == ROLE and _size(document, node.type) > LARGEST
    if layer.source or large or any(source not in found.types for source in incoming.values()):
        return Trial()
    trial = Resolution((), types=dict(found.types), values=found.values)
    try:
        resolve_node(document, node, incoming, trial)
    except EngineError as error:
        return Trial(reason=error.message)
    # What is still open is no reason against this wire.
    refused = [problem for problem in trial.problems if not problem.port or problem.port in incoming]
    if refused:
        return Trial(reason=refused[0].message)
    step = trial.steps.get(id)
    return Trial(tuple(trial.types[slot] for slot in step.outputs if slot in trial.types) if step else ())


def _size(document: Document, block: str) -> int:
    nodes = document.blocks[block].nodes.values()
    return sum(_size(document, node.type) if node.type in document.blocks else 1 for node in nodes)
