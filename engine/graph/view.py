"""The document as a networkx graph: order, cycles, ancestors."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

import networkx as nx

from engine.errors import EngineError
from engine.graph.document import Document

_ordered: tuple[object, list[str], list[str]] = (None, [], [])
_last: tuple[object, object, nx.MultiDiGraph] = (None, None, nx.MultiDiGraph())


def graph_of(document: Document) -> nx.MultiDiGraph:
    """Return the nodes and edges; two edges may join a pair, so each is keyed by its input port.

    The graph of the newest document is kept, because a gesture asks about it many times; callers do not
    change it.
    """
    global _last
    nodes, edges, graph = _last
    if nodes is document.nodes and edges is document.edges:
        return graph
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(document.nodes)
    graph.add_edges_from((source.node, target.node, target.port) for target, source in document.edges.items())
    _last = (document.nodes, document.edges, nx.freeze(graph))
    return graph


def order_of(document: Document) -> list[str]:
    """Return the node ids so that each comes after those it reads, otherwise in the order they were added.

    Raises EngineError that names the nodes of a cycle.
    """
    global _ordered
    ids = list(document.nodes)
    edges, before, order = _ordered  # at once: threads ask for different documents
    if edges is document.edges and before == ids:  # most edits leave the wires alone
        return list(order)
    place = {id: index for index, id in enumerate(ids)}
    waits = [0] * len(ids)
    readers: dict[int, list[int]] = {}
    for target, source in document.edges.items():
        reader = place[target.node]
        waits[reader] += 1
        readers.setdefault(place[source.node], []).append(reader)
    ready = [index for index, count in enumerate(waits) if not count]  # sorted, so it is a heap
    order = []
    while ready:
        index = heappop(ready)
        order.append(ids[index])
        for reader in readers.get(index, ()):
            waits[reader] -= 1
            if not waits[reader]:
                heappush(ready, reader)
    if len(order) < len(ids):
        cycle = [edge[0] for edge in nx.find_cycle(graph_of(document))]
        raise EngineError(f"These nodes form a cycle: {', '.join(cycle[:10])}.", cycle[0])
    _ordered = (document.edges, ids, order)
    return list(order)


def ancestors_of(document: Document, nodes: Iterable[str]) -> set[str]:
    """Return these nodes and every node that they depend on."""
    graph = graph_of(document)
    found: set[str] = set()
    for node in nodes:
        if node not in found:
            found |= {node} | nx.ancestors(graph, node)
    return found


def descendants_of(document: Document, nodes: Iterable[str]) -> set[str]:
    """Return these nodes and every node that depends on them."""
    graph = graph_of(document)
    found: set[str] = set()
    for node in nodes:
        if node not in found:
            found |= {node} | nx.descendants(graph, node)
    return found
