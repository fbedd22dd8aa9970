"""Reading a parsed file as a document, and gathering all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import networkx as nx

from engine.errors import EngineError, FileError, shown
from engine.graph.blocks import inside, outside, with_block
from engine.graph.custom import with_custom
from engine.graph.document import Comment, Custom, Document, Node, Objective, Slot, Training, frozen
from engine.graph.missing import is_known, with_missing
from engine.graph.names import is_id
from engine.graph.rules import check_ports
from engine.graph.settings import check_training
from engine.graph.view import graph_of
from engine.storage.format import Newer
from engine.storage.parts import (
    BLOCK,
    CUSTOM,
    TRAINING,
    block_from,
    check_shared,
    comment_from,
    init_from,
    is_point,
    node_from,
    objective_from,
    parts_of,
    slot_from,
)
from engine.storage.writing import slot_text

MOST_PROBLEMS = 50
"""Problems that are told of one file."""


DOCUMENT = {
    "netwright",
    "name",
    "notes",
    "customs",
    "blocks",
    "nodes",
    "edges",
    "training",
    "comments",
    "bends",
}


class Reader:
    """Reads one parsed file and gathers what is wrong with it.

    Of a newer format, what is wrong is left out; any other file is refused for it.
    """

    def __init__(self, raw: Mapping[str, Any]):
        self.raw, self.newer = raw, isinstance(raw, Newer)
        self.problems: list[str] = []
        self.lost: set[str] = set()
        """Ids of nodes that were refused: their edges need no problem of their own."""
        self.own = own_types(raw)
        """The types that the file says it brings along: those are never missing, but refused."""

    def document(self) -> Document:
        for key in set() if self.newer else self.raw.keys() - DOCUMENT:
            self.problems.append(f"{shown(key)} is not a part of a document.")
        document = Document(self._text("name", 200), self._text("notes", 20_000))
        document = self._graph(self._blocks(self._customs(document)), self.raw)
        document = document.with_(training=self._training())
        if document.missing:  # a node of a type may have been left out for another reason
            used = _types(document)
            document = document.with_(missing={k: v for k, v in document.missing.items() if k in used})
        if self.problems and not self.newer:
            more = len(self.problems) - 1
            problems = tuple(self.problems[:MOST_PROBLEMS])
            raise FileError(self.problems[0] + (f" ({more} more problems)" if more else ""), problems)
        return document

    def _customs(self, document: Document) -> Document:
        """Return the document with its layers written in Python; what they hold is read, never executed."""
        for place, item in enumerate(self._list(self.raw, "customs")):
            where = f"custom layer {place + 1}"
            parts = self._try(where, partial(parts_of, item, CUSTOM))
            custom = Custom(**parts) if parts else None
            if custom and custom.name in document.customs:
                self.problems.append(f"{where}: there are two of {shown(custom.name)}.")
            elif custom:
                document = self._try(where, partial(with_custom, document, custom)) or document
        return document

    def _blocks(self, document: Document) -> Document:
        """Return the document with its blocks; a block may contain only those before it in the file."""
        for place, item in enumerate(self._list(self.raw, "blocks")):
            parts = self._try(f"block {place + 1}", partial(parts_of, item, BLOCK))
            block = self._try(f"block {place + 1}", partial(block_from, parts)) if parts else None
            added = self._try(f"block {place + 1}", partial(with_block, document, block)) if block else None
            if added and block.name in document.blocks:
                self.problems.append(f"block {shown(block.name)}: there are two of it.")
            elif added:
                where = f"block {shown(block.name)}"
                inner = self._graph(inside(added, block.name), parts, f"{where}: ")
                document = self._try(where, partial(outside, added, block.name, inner)) or added
        return document

    def _graph(self, document: Document, raw: Mapping[str, Any], where: str = "") -> Document:
        """Return the document with the nodes and edges of a parsed graph."""
        self.lost = set()
        document = self._missing(document, raw)
        document = document.with_(nodes=self._nodes(document, raw, where))
        lonely = self._shares(document, where)
        document = document.with_(nodes={**document.nodes, **lonely})
        document = document.with_(edges=self._edges(document, raw, where))
        document = document.with_(
            comments=self._comments(raw, where), bends=self._bends(document, raw, where)
        )
        if not nx.is_directed_acyclic_graph(graph_of(document)):
            cycle = [edge[0] for edge in nx.find_cycle(graph_of(document))]
            self.problems.append(f"{where}these nodes form a cycle: {', '.join(cycle[:10])}.")
            document = document.with_(edges={})
        return document

    def _missing(self, document: Document, raw: Mapping[str, Any]) -> Document:
        """Return the document with the types of a parsed graph that nothing declares, and their ports."""
        nodes, edges = raw.get("nodes", []), raw.get("edges", [])
        types = {
            id: type_
            for item in (nodes if isinstance(nodes, list) else [])
            if isinstance(item, dict) and isinstance(id := item.get("id"), str)
            if isinstance(type_ := item.get("type"), str)
            if is_id(type_) and type_ not in self.own and not is_known(document, type_)
        }
        ports: dict[str, tuple[dict[str, None], dict[str, None]]] = {
            each: ({}, {}) for each in types.values()
        }
        for item in edges if types and isinstance(edges, list) else []:
            ends = [slot_from(end) for end in item] if isinstance(item, list) else []
            for slot, side in zip(ends, (1, 0), strict=False):
                if slot and slot.node in types:
                    ports[types[slot.node]][side].setdefault(slot.port)
        for type_, (inputs, outputs) in ports.items():
            document = with_missing(document, type_, inputs, outputs)
        return document

    def _try(self, where: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returns, or None after its error became a problem."""
        try:
            return make()
        except EngineError as error:
            self.problems.append(f"{where}: {error.message}")
            return None

    def _text(self, key: str, longest: int) -> str:
        value = self.raw.get(key, "")
        if not isinstance(value, str) or len(value) > longest:
            self.problems.append(f"{key} should be a text of at most {longest} letters, not {shown(value)}.")
            return ""
        return value

    def _list(self, raw: Mapping[str, Any], key: str) -> list[Any]:
        value = raw.get(key, [])
        if not isinstance(value, list):
            self.problems.append(f"{key} should be a list, not {shown(value)}.")
            return []
        return value

    def _nodes(self, document: Document, raw: Mapping[str, Any], where: str) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for place, item in enumerate(self._list(raw, "nodes")):
            id = item.get("id") if isinstance(item, dict) else None
            named = f"{where}node {shown(id) if id else place + 1}"
            node = self._try(named, partial(node_from, document, item))
            if node and node.id in nodes:
                self.problems.append(f"{named}: there are two of it.")
            elif node:
                nodes[node.id] = node
            elif isinstance(id, str):
                self.lost.add(id)
        return nodes

    def _shares(self, document: Document, where: str) -> dict[str, Node]:
        """Check every link between nodes that share weights; return those that lose theirs."""
        lonely: dict[str, Node] = {}
        for id, node in document.nodes.items():
            count = len(self.problems)
            if node.share and node.share.node not in self.lost:
                self._try(f"{where}node {shown(id)}", partial(check_shared, document, id, node.share))
            if node.share and (node.share.node in self.lost or len(self.problems) > count):
                lonely[id] = replace(node, share=None)
        return lonely

    def _edges(self, document: Document, raw: Mapping[str, Any], before: str) -> dict[Slot, Slot]:
        edges: dict[Slot, Slot] = {}
        for place, item in enumerate(self._list(raw, "edges")):
            where = f"{before}edge {place + 1}"
            ends = [slot_from(end) for end in item] if isinstance(item, list) else []
            if len(ends) != 2 or None in ends:
                self.problems.append(f'{where} should be two ends such as "conv1.y", not {shown(item)}.')
                continue
            source, target = ends
            if target in edges:
                self.problems.append(f"{where}: two edges end at {slot_text(target)}.")
                continue
            if source.node in self.lost or target.node in self.lost:
                continue
            count = len(self.problems)
            self._try(where, partial(check_ports, document, source, target))
            if len(self.problems) == count:
                edges[target] = source
        return edges

    def _comments(self, raw: Mapping[str, Any], before: str) -> dict[str, Comment]:
        comments: dict[str, Comment] = {}
        for place, item in enumerate(self._list(raw, "comments")):
            where = f"{before}comment {place + 1}"
            comment = self._try(where, partial(comment_from, item))
            if comment and comment.id in comments:
                self.problems.append(f"{where}: there are two of {shown(comment.id)}.")
            elif comment:
                comments[comment.id] = comment
        return comments

    def _bends(self, document: Document, raw: Mapping[str, Any], before: str) -> dict[Slot, tuple]:
        bends: dict[Slot, tuple] = {}
        for place, item in enumerate(self._list(raw, "bends")):
            slot, points = (
                (slot_from(item[0]), item[1]) if isinstance(item, list) and len(item) == 2 else (None, 0)
            )
            if slot is None or not isinstance(points, list) or not points or not all(map(is_point, points)):
                self.problems.append(
                    f'{before}bend {place + 1} should be an input and points such as ["conv1.x", [[0, 0]]], '
                    f"not {shown(item)}."
                )
            elif slot in document.edges and slot not in bends:  # an edge that was refused needs no more words
                bends[slot] = tuple((round(x, 2), round(y, 2)) for x, y in points)
        return bends

    def _training(self) -> Training:
        raw = self.raw.get("training", {})
        settings = (
            type(raw)((key, value) for key, value in raw.items() if key not in ("objectives", "init"))
            if isinstance(raw, dict)
            else raw
        )
        checked = self._try("training", lambda: check_training(parts_of(settings, TRAINING)))
        items = raw.get("objectives", [{}]) if isinstance(raw, dict) else [{}]
        if not isinstance(items, list) or not 1 <= len(items) <= 100:
            self.problems.append("training: objectives should be a list of at least one.")
            items = [{}]
        objectives = [self._try("training", partial(objective_from, item)) for item in items]
        given = raw.get("init", {}) if isinstance(raw, dict) else {}
        init, options = self._try("training", lambda: init_from(given)) or ("", frozen())
        return Training(
            **(checked or {}),
            objectives=tuple(filter(None, objectives)) or (Objective(),),
            init=init,
            init_options=options,
        )


def _types(document: Document) -> set[str]:
    """The types of all nodes, those in blocks too."""
    graphs = (document, *document.blocks.values())
    return {node.type for graph in graphs for node in graph.nodes.values()}


def own_types(raw: Mapping[str, Any]) -> set[str]:
    """Return the names of the blocks and custom layers that a parsed file holds, readable or not."""
    lists = (raw.get("customs"), raw.get("blocks"))
    items = [each for part in lists if isinstance(part, list) for each in part if isinstance(each, dict)]
    return {name for each in items if isinstance(name := each.get("name"), str)}
