"""Which edges may be drawn: the one rule that hover, drop and file load share."""

from __future__ import annotations

import networkx as nx

from engine import catalogue
from engine.errors import ConnectError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.graph.view import graph_of


def check_connect(document: Document, source: Slot, target: Slot) -> None:
    """Raise ConnectError with the reason if an edge from ``source`` to ``target`` is not allowed.

    Only what holds for ever is refused: a missing node or port, and a cycle. A shape that does not fit today
    is drawn and reported, because it may fit after the next edit.
    """
    check_ports(document, source, target)
    start, end = document.nodes[source.node], document.nodes[target.node]
    if start.id == end.id:
        raise ConnectError(f"{start.title} cannot feed itself.", end.id, target.port)
    if _reaches(document, end.id, start.id):
        raise ConnectError(
            f"{start.title} already depends on {end.title}; this edge would close a cycle.",
            end.id,
            target.port,
        )


def check_ports(document: Document, source: Slot, target: Slot) -> None:
    """Raise ConnectError if an edge names a node or a port that is not there."""
    for slot in (source, target):
        if slot.node not in document.nodes:
            raise ConnectError(
                f"There is no node {shown(slot.node)}.{catalogue.did_you_mean(slot.node, document.nodes)}"
            )
    start, end = document.nodes[source.node], document.nodes[target.node]
    outputs = [port.name for port in layer_of(document, start.type).outputs_of(start.params)]
    if source.port not in outputs:
        offer = f"it has {', '.join(outputs)}" if outputs else "it has none"
        raise ConnectError(
            f"{start.title} has no output {shown(source.port)}; {offer}.", start.id, source.port
        )
    layer = layer_of(document, end.type)
    if layer.input(target.port) is None:
        names = [f"{port.name}.0, {port.name}.1 ..." if port.variadic else port.name for port in layer.inputs]
        offer = f"it has {', '.join(names)}" if names else "it has none"
        raise ConnectError(f"{end.title} has no input {shown(target.port)}; {offer}.", end.id, target.port)


def can_connect(document: Document, source: Slot, target: Slot) -> bool:
    """Return whether ``check_connect`` lets the edge pass."""
    try:
        check_connect(document, source, target)
    except ConnectError:
        return False
    return True


def _reaches(document: Document, start: str, end: str) -> bool:
    return nx.has_path(graph_of(document), start, end)
