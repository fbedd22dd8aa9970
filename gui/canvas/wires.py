"""Which wires could be drawn at a node: what the keyboard chooses from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import networkx as nx

from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.graph.view import graph_of
from engine.layers.declaration import Port, TensorType

Types = Mapping[Slot, TensorType]


@dataclass(frozen=True)
class Wire:
    """A wire that is not drawn yet; ``mismatch`` says what would have to be mended after drawing it."""

    source: Slot
    target: Slot
    forward: bool
    """Whether it leaves the node that was asked about."""
    mismatch: str = ""

    @property
    def other(self) -> Slot:
        """The end at the other node."""
        return self.target if self.forward else self.source


def wires_at(document: Document, types: Types, id: str) -> list[Wire]:
    """Return the wires that could be drawn at a node, the likely ones first.

    First from its outputs to open inputs, then into its own open inputs; what fits before what does not, near
    nodes before far ones. What would close a cycle is not among them.
    """
    graph = graph_of(document)
    behind, before = nx.descendants(graph, id), nx.ancestors(graph, id)
    own_outputs, own_inputs = list(_outputs(document, id)), list(_open_inputs(document, id))
    found: list[Wire] = []
    for other in document.nodes:
        if other == id:
            continue
        if own_outputs and other not in before:
            for target, port in _open_inputs(document, other):
                found += [_wire(types, source, target, port, True) for source in own_outputs]
        if own_inputs and other not in behind:
            for source in _outputs(document, other):
                found += [_wire(types, source, target, port, False) for target, port in own_inputs]
    x, y = document.nodes[id].position

    def likely(wire: Wire) -> tuple:
        left, top = document.nodes[wire.other.node].position
        wrong_way = (left < x) if wire.forward else (left > x)
        return bool(wire.mismatch), not wire.forward, wrong_way, abs(left - x) + abs(top - y)

    return sorted(found, key=likely)


def wire_between(document: Document, types: Types, nodes: Iterable[str]) -> Wire | None:
    """Return the likeliest wire between two nodes, from the left one where both ways are possible."""
    left, right = sorted(nodes, key=lambda id: document.nodes[id].position)
    return next((wire for wire in wires_at(document, types, left) if wire.other.node == right), None)


def _outputs(document: Document, id: str) -> Iterator[Slot]:
    node = document.nodes[id]
    for port in layer_of(document, node.type).outputs_of(node.params):
        yield Slot(id, port.name)


def _open_inputs(document: Document, id: str) -> Iterator[tuple[Slot, Port]]:
    taken = document.incoming(id)
    for port in layer_of(document, document.nodes[id].type).inputs:
        name = port.name
        if port.variadic:
            count = sum(each.startswith(f"{port.name}.") for each in taken)
            name = f"{port.name}.{count}"
        if name not in taken:
            yield Slot(id, name), port


def _wire(types: Types, source: Slot, target: Slot, port: Port, forward: bool) -> Wire:
    tensor = types.get(source)
    return Wire(source, target, forward, (port.refuse(tensor) or "") if tensor is not None else "")
