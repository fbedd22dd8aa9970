"""Documents as JSON files: versioned, checked as a whole, every problem told at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx

from engine.catalogue import did_you_mean
from engine.errors import EngineError, FileError, shown
from engine.graph.document import Document, Node, Objective, Slot, Training, frozen
from engine.graph.edits import checked_node
from engine.graph.rules import check_ports
from engine.graph.settings import SETTINGS, check_training
from engine.graph.view import graph_of
from engine.optimizers import check_optimizer
from engine.storage.atomic import write_text

SUFFIX = ".netwright"
VERSION = 1
_LARGEST = 32 * 2**20
_MOST_PROBLEMS = 50


def save_document(document: Document, path: Path) -> None:
    """Write a document to a file; the old file stays whole until the new one is.

    Raises FileError that names the file and the reason.
    """
    try:
        write_text(path, to_json(document))
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror or error}.") from error


def load_document(path: Path) -> Document:
    """Return the document in a file; nothing in it is executed.

    Raises FileError whose ``problems`` are all that is wrong with it.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise FileError(
                f"{path.name} has {size / 2**20:.0f} MB; a document has at most {_LARGEST // 2**20} MB."
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{path.name} is not a Netwright document: it is not text.") from None
    except OSError as error:
        raise FileError(f"{path} could not be read: {error.strerror or error}.") from error
    try:
        return from_json(text)
    except FileError as error:
        raise FileError(f"{path.name}: {error.message}", error.problems) from None


def to_json(document: Document) -> str:
    """Return the document as text, one node and one edge on a line, so that versions compare well."""
    head = {"netwright": VERSION, "name": document.name, "notes": document.notes}
    lines = [f" {json.dumps(key)}: {_line(value)}" for key, value in head.items()]
    lines.append(_rows("nodes", (_node_json(node) for node in document.nodes.values())))
    lines.append(_rows("edges", ([_slot_text(s), _slot_text(t)] for t, s in document.edges.items())))
    lines.append(f' "training": {_line(_training_json(document.training))}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Document:
    """Return the document that a text holds.

    Raises FileError with all problems.
    """
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise FileError("this is not a Netwright document: it is nested too deeply.") from None
    except ValueError as error:
        raise FileError(f"this is not a Netwright document: {error}.") from None
    if not isinstance(raw, dict) or "netwright" not in raw:
        raise FileError('this is not a Netwright document: it has no "netwright" version.')
    version = raw["netwright"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FileError(f"the version should be a whole number from 1 to {VERSION}, not {shown(version)}.")
    if version > VERSION:
        raise FileError(f"it was written by a newer Netwright (format {version}; this one reads {VERSION}).")
    return _Reader(raw).document()


class _Reader:
    """Reads one parsed file and gathers what is wrong with it."""

    def __init__(self, raw: Mapping[str, Any]):
        self.raw = raw
        self.problems: list[str] = []
        self.lost: set[str] = set()
        """Ids of nodes that were refused: their edges need no problem of their own."""

    def document(self) -> Document:
        for key in self.raw.keys() - {"netwright", "name", "notes", "nodes", "edges", "training"}:
            self.problems.append(f"{shown(key)} is not a part of a document.")
        nodes = self._nodes()
        document = Document(self._text("name", 200), self._text("notes", 20_000), frozen(nodes))
        document = document.with_(edges=self._edges(document), training=self._training())
        if not nx.is_directed_acyclic_graph(graph_of(document)):
            cycle = [edge[0] for edge in nx.find_cycle(graph_of(document))]
            self.problems.append(f"these nodes form a cycle: {', '.join(cycle[:10])}.")
        if self.problems:
            more = len(self.problems) - 1
            problems = tuple(self.problems[:_MOST_PROBLEMS])
            raise FileError(self.problems[0] + (f" ({more} more problems)" if more else ""), problems)
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

    def _list(self, key: str) -> list[Any]:
        value = self.raw.get(key, [])
        if not isinstance(value, list):
            self.problems.append(f"{key} should be a list, not {shown(value)}.")
            return []
        return value

    def _nodes(self) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for place, item in enumerate(self._list("nodes")):
            id = item.get("id") if isinstance(item, dict) else None
            node = self._try(f"node {shown(id)}" if id else f"node {place + 1}", partial(_node, item))
            if node and node.id in nodes:
                self.problems.append(f"node {shown(id)}: there are two of it.")
            elif node:
                nodes[node.id] = node
            elif isinstance(id, str):
                self.lost.add(id)
        return nodes

    def _edges(self, document: Document) -> dict[Slot, Slot]:
        edges: dict[Slot, Slot] = {}
        for place, item in enumerate(self._list("edges")):
            where = f"edge {place + 1}"
            ends = [_slot(end) for end in item] if isinstance(item, list) else []
            if len(ends) != 2 or None in ends:
                self.problems.append(f'{where} should be two ends such as "conv1.y", not {shown(item)}.')
                continue
            source, target = ends
            if target in edges:
                self.problems.append(f"{where}: two edges end at {_slot_text(target)}.")
                continue
            if source.node in self.lost or target.node in self.lost:
                continue
            before = len(self.problems)
            self._try(where, partial(check_ports, document, source, target))
            if len(self.problems) == before:
                edges[target] = source
        return edges

    def _training(self) -> Training:
        raw = self.raw.get("training", {})
        settings = (
            {key: value for key, value in raw.items() if key != "objectives"}
            if isinstance(raw, dict)
            else raw
        )
        checked = self._try("training", lambda: check_training(_parts(settings, _SETTINGS)))
        items = raw.get("objectives", [{}]) if isinstance(raw, dict) else [{}]
        if not isinstance(items, list) or not 1 <= len(items) <= 100:
            self.problems.append("training: objectives should be a list of at least one.")
            items = [{}]
        objectives = [self._try("training", partial(_objective, item)) for item in items]
        return Training(**(checked or {}), objectives=tuple(filter(None, objectives)) or (Objective(),))


_SETTINGS = {param.name: (object, param.default) for param in SETTINGS}
_REQUIRED = object()


def _parts(item: Any, schema: Mapping[str, tuple[type, Any]]) -> dict[str, Any]:
    """Return the parts of a JSON object by a schema of types and defaults.

    Raises FileError for another type or an unknown part.
    """
    if not isinstance(item, dict):
        raise FileError(f"it should hold {', '.join(schema)}, not {shown(item)}.")
    for key in item.keys() - schema.keys():
        raise FileError(f"{shown(key)} is no part of it.{did_you_mean(key, schema)}")
    parts = {key: item.get(key, default) for key, (_, default) in schema.items()}
    for key, value in parts.items():
        if value is _REQUIRED:
            raise FileError(f"its {key} is missing.")
        if not isinstance(value, schema[key][0]):
            raise FileError(f"its {key} should be {_JSON_NAMES[schema[key][0]]}, not {shown(value)}.")
    return parts


_JSON_NAMES = {str: "a text", dict: "names with values", list: "a list"}


def _node(item: Any) -> Node:
    schema = {
        "id": (str, _REQUIRED),
        "type": (str, _REQUIRED),
        "name": (str, ""),
        "params": (dict, {}),
        "position": (list, [0, 0]),
    }
    parts = _parts(item, schema)
    if not _is_point(parts["position"]):
        raise FileError(f"its position should be two numbers, not {shown(parts['position'])}.")
    x, y = parts["position"]
    return checked_node(
        parts["type"], parts["id"], parts["params"], (float(x), float(y)), parts["name"][:200]
    )


def _objective(item: Any) -> Objective:
    parts = _parts(item, {"loss": (str, ""), "optimizer": (str, "Adam"), "options": (dict, {})})
    return Objective(
        parts["loss"], parts["optimizer"], frozen(check_optimizer(parts["optimizer"], parts["options"]))
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
        and all(abs(each) < 1e7 and math.isfinite(each) for each in value)
    )


def _slot(text: Any) -> Slot | None:
    if not isinstance(text, str) or "." not in text or len(text) > 200:
        return None
    node, _, port = text.partition(".")
    return Slot(node, port)


def _slot_text(slot: Slot) -> str:
    return f"{slot.node}.{slot.port}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _rows(key: str, rows: Iterable[Any]) -> str:
    lines = ",\n".join(f"  {_line(row)}" for row in rows)
    return f' "{key}": [\n{lines}\n ]' if lines else f' "{key}": []'


def _node_json(node: Node) -> dict[str, Any]:
    parts: dict[str, Any] = {"id": node.id, "type": node.type}
    if node.name:
        parts["name"] = node.name
    if node.params:
        parts["params"] = dict(node.params)
    return {**parts, "position": [round(each, 2) for each in node.position]}


def _training_json(training: Training) -> dict[str, Any]:
    objectives = [
        {"loss": each.loss, "optimizer": each.optimizer, "options": dict(each.options)}
        for each in training.objectives
    ]
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "seed": training.seed,
        "device": training.device,
        "objectives": objectives,
    }
