"""Which weights learn, how fast, and to which node each belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

from engine.graph.blocks import inside
from engine.graph.document import Document


@dataclass
class Learner:
    """One parameter of the model: the node that holds it, and how it learns.

    ``node`` is a node of the document, ``path`` the way to the layer, such as ``stage.conv1``.
    """

    name: str
    parameter: nn.Parameter
    node: str
    path: str
    frozen: bool
    rate: float


def learners(document: Document, model: nn.Module) -> list[Learner]:
    """Return what can learn in a model, in its order: copies of layers, which never do, are left out."""
    found = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        parts = name.split(".")
        frozen, rate = _along(document, parts)
        found.append(Learner(name, parameter, parts[0], ".".join(parts[:-1]), frozen, rate))
    return found


def _along(document: Document, parts: Iterable[str]) -> tuple[bool, float]:
    """Whether anything on the way to a parameter is frozen, and the product of the multipliers."""
    graph, frozen, rate = document, False, 1.0
    for part in parts:
        node = graph.nodes.get(part) if graph is not None else None
        if node is None:
            continue  # a place in a row of blocks, or a part of the layer itself
        frozen, rate = frozen or node.learning.frozen, rate * node.learning.rate
        graph = inside(graph, node.type) if node.type in graph.blocks else None
    return frozen, rate


def moved(document: Document, nodes: Iterable[str], all_: Iterable[Learner]) -> list[Learner]:
    """Return what an objective that names these nodes changes; it names none where it changes all."""
    attributes: Mapping[str, None] = {
        document.nodes[id].attribute: None for id in nodes if id in document.nodes
    }
    return [each for each in all_ if not attributes or each.node in attributes]
