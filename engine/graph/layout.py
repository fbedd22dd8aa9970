"""Where nodes stand when nobody has placed them: columns by depth, long chains in rows as text runs."""

from __future__ import annotations

from math import ceil

import networkx as nx

from engine.graph.document import Document, Point
from engine.graph.view import graph_of

COLUMN, ROW, LANE = 218.0, 192.0, 168.0
"""Pixels between columns, between the rows of a wrapped drawing, between nodes above each other."""

SIZE = (176.0, 104.0)
"""Width and height of a node for who cannot ask the window: as large as most become."""

COLUMNS = 6
"""Columns of a row at most; a longer drawing wraps into rows of equal length."""


def layout(document: Document) -> dict[str, Point]:
    """Return a position for every node: the longest path to it is its column, its readers' order its lane."""
    graph = nx.DiGraph(graph_of(document))
    if not nx.is_directed_acyclic_graph(graph):
        graph = nx.DiGraph()
        graph.add_nodes_from(document.nodes)
    columns = [sorted(layer, key=list(document.nodes).index) for layer in nx.topological_generations(graph)]
    _pull_sources(graph, columns)
    lane = _lanes(graph, columns)
    positions: dict[str, Point] = {}
    top = 0.0
    rows = ceil(len(columns) / COLUMNS)
    length = ceil(len(columns) / max(rows, 1))
    for start in range(0, len(columns), max(length, 1)):
        row = columns[start : start + length]
        lanes = {id: lane[id] for column in row for id in column}
        lowest = min(lanes.values(), default=0)
        for place, column in enumerate(row):
            for id in column:
                positions[id] = (place * COLUMN, top + (lanes[id] - lowest) * LANE)
        top += (max(lanes.values(), default=0) - lowest) * LANE + ROW
    return positions


def _pull_sources(graph: nx.DiGraph, columns: list[list[str]]) -> None:
    """Move each source but the first next to the node that reads it first."""
    depth = {id: index for index, column in enumerate(columns) for id in column}
    for id in list(columns[0][1:]) if columns else []:
        reader = min((depth[after] for after in graph.successors(id)), default=1)
        columns[0].remove(id)
        columns[reader - 1].append(id)


def _lanes(graph: nx.DiGraph, columns: list[list[str]]) -> dict[str, int]:
    """Give each node the free lane nearest to the mean of the nodes it reads."""
    lane: dict[str, int] = {}
    for column in columns:
        wanted = {}
        for id in column:
            before = [lane[each] for each in graph.predecessors(id) if each in lane]
            wanted[id] = sum(before) / len(before) if before else 0.0
        taken: set[int] = set()
        for id in sorted(column, key=lambda each: wanted[each]):
            free = min(
                (n for n in range(len(column) + 64) if n not in taken), key=lambda n: (abs(n - wanted[id]), n)
            )
            lane[id] = free
            taken.add(free)
    return lane
