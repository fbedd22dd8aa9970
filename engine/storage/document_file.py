"""Documents as JSON files: versioned, checked as a whole, every problem told at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx

from engine.catalogue import did_you_mean
from engine.errors import EngineError, FileError, shown
from engine.graph.blocks import innermost_first, inside, layer_of, outside, with_block
from engine.graph.custom import with_custom
from engine.graph.document import (
    COLORS,
    About,
    Block,
    Comment,
    Custom,
    Document,
    Node,
    Objective,
    Share,
    Slot,
    Training,
    frozen,
)
from engine.graph.edits import checked_node
from engine.graph.links import check_share
from engine.graph.marks import checked_comment
from engine.graph.missing import check_foreign, is_known, with_missing
from engine.graph.modes import check_mode
from engine.graph.names import is_id, is_param_name
from engine.graph.rules import check_ports
from engine.graph.settings import SETTINGS, check_training, set_training
from engine.graph.view import graph_of
from engine.layers.formula import Formula
from engine.optimizers import check_optimizer
from engine.storage.atomic import write_text
from engine.storage.failures import check_writable, why_not_written
from engine.storage.format import VERSION, Newer, NewerError, parsed, why_newer

SUFFIX = ".netwright"
_LARGEST = 32 * 2**20
_MOST_PROBLEMS = 50


def save_document(document: Document, path: Path) -> None:
    """Write a document to a file; the old file stays whole until the new one is.

    Raises FileError that names the file and the reason.
    """
    try:
        check_writable(path)
        write_text(path, to_json(_beside(document, path)))
    except OSError as error:
        raise FileError(why_not_written(path, error)) from error


@dataclass(frozen=True)
class Loaded:
    """The document in a file, and why it should not be written there again: empty where it may be.

    ``left_out`` tells what could not be read of a file of a newer format.
    """

    document: Document
    read_only: str = ""
    left_out: tuple[str, ...] = ()


def load_document(path: Path) -> Document:
    """Return the document in a file; nothing in it is executed.

    Raises FileError whose ``problems`` are all that is wrong with it, also for a file of a newer format.
    """
    loaded = read_document(path)
    if loaded.read_only:
        raise NewerError(f"{path.name}: {loaded.read_only}", (loaded.read_only, *loaded.left_out))
    return loaded.document


def read_document(path: Path) -> Loaded:
    """Return the document in a file; nothing in it is executed.

    One of a newer format is read as far as can be. Raises FileError whose ``problems`` are all that is wrong
    with it.
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
        loaded = read_json(text)
    except FileError as error:
        raise FileError(f"{path.name}: {error.message}", error.problems) from None
    weights = loaded.document.training.weights
    if weights:  # beside the document, wherever both have been moved
        document = set_training(loaded.document, weights=str(path.resolve().parent / weights))
        return replace(loaded, document=document)
    return loaded


def _beside(document: Document, path: Path) -> Document:
    """Return the document as its file holds it: weights in its own folder by their name alone."""
    weights, folder = Path(document.training.weights), path.resolve().parent
    inside = document.training.weights and weights.is_absolute() and weights.is_relative_to(folder)
    if not inside:
        return document
    return set_training(document, weights=weights.relative_to(folder).as_posix())


def to_json(document: Document) -> str:
    """Return the document as text, one node and one edge on a line, so that versions compare well."""
    head = {"netwright": VERSION, "name": document.name, "notes": document.notes}
    lines = [f" {json.dumps(key)}: {_line(value)}" for key, value in head.items()]
    if document.customs:
        customs = [{"name": each.name, "source": each.source} for each in document.customs.values()]
        lines.append(_rows("customs", customs))
    if document.blocks:
        blocks = ",\n".join(_block_text(document.blocks[name]) for name in innermost_first(document))
        lines.append(f' "blocks": [\n{blocks}\n ]')
    lines.append(_graph_text(document))
    lines.append(f' "training": {_line(_training_json(document.training))}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Document:
    """Return the document that a text holds.

    Raises FileError with all problems, also for a newer format.
    """
    loaded = read_json(text)
    if loaded.read_only:
        raise NewerError(loaded.read_only, (loaded.read_only, *loaded.left_out))
    return loaded.document


def read_json(text: str) -> Loaded:
    """Return the document that a text holds; of a newer format as much as can be read.

    Raises FileError with all problems.
    """
    raw = parsed(text)
    reader = _Reader(raw)
    document = reader.document()
    if not reader.newer:
        return Loaded(document)
    return Loaded(document, why_newer(raw, len(reader.problems)), tuple(reader.problems[:_MOST_PROBLEMS]))


class _Reader:
    """Reads one parsed file and gathers what is wrong with it.

    Of a newer format, what is wrong is left out; any other file is refused for it.
    """

    def __init__(self, raw: Mapping[str, Any]):
        self.raw, self.newer = raw, isinstance(raw, Newer)
        self.problems: list[str] = []
        self.lost: set[str] = set()
        """Ids of nodes that were refused: their edges need no problem of their own."""
        self.own = _own_types(raw)
        """The types that the file says it brings along: those are never missing, but refused."""

    def document(self) -> Document:
        for key in set() if self.newer else self.raw.keys() - _DOCUMENT:
            self.problems.append(f"{shown(key)} is not a part of a document.")
        document = Document(self._text("name", 200), self._text("notes", 20_000))
        document = self._graph(self._blocks(self._customs(document)), self.raw)
        document = document.with_(training=self._training())
        if self.problems and not self.newer:
            more = len(self.problems) - 1
            problems = tuple(self.problems[:_MOST_PROBLEMS])
            raise FileError(self.problems[0] + (f" ({more} more problems)" if more else ""), problems)
        return document

    def _customs(self, document: Document) -> Document:
        """Return the document with its layers written in Python; what they hold is read, never executed."""
        for place, item in enumerate(self._list(self.raw, "customs")):
            where = f"custom layer {place + 1}"
            parts = self._try(where, partial(_parts, item, _CUSTOM))
            custom = Custom(**parts) if parts else None
            if custom and custom.name in document.customs:
                self.problems.append(f"{where}: there are two of {shown(custom.name)}.")
            elif custom:
                document = self._try(where, partial(with_custom, document, custom)) or document
        return document

    def _blocks(self, document: Document) -> Document:
        """Return the document with its blocks; a block may contain only those before it in the file."""
        for place, item in enumerate(self._list(self.raw, "blocks")):
            parts = self._try(f"block {place + 1}", partial(_parts, item, _BLOCK))
            block = self._try(f"block {place + 1}", partial(_block, parts)) if parts else None
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
            ends = [_slot(end) for end in item] if isinstance(item, list) else []
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
            node = self._try(named, partial(_node, document, item))
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
                self._try(f"{where}node {shown(id)}", partial(_check_share, document, id, node.share))
            if node.share and (node.share.node in self.lost or len(self.problems) > count):
                lonely[id] = replace(node, share=None)
        return lonely

    def _edges(self, document: Document, raw: Mapping[str, Any], before: str) -> dict[Slot, Slot]:
        edges: dict[Slot, Slot] = {}
        for place, item in enumerate(self._list(raw, "edges")):
            where = f"{before}edge {place + 1}"
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
                (_slot(item[0]), item[1]) if isinstance(item, list) and len(item) == 2 else (None, 0)
            )
            if slot is None or not isinstance(points, list) or not points or not all(map(_is_point, points)):
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
            type(raw)((key, value) for key, value in raw.items() if key != "objectives")
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


def _own_types(raw: Mapping[str, Any]) -> set[str]:
    """Return the names of the blocks and custom layers that a parsed file holds, readable or not."""
    lists = (raw.get("customs"), raw.get("blocks"))
    items = [each for part in lists if isinstance(part, list) for each in part if isinstance(each, dict)]
    return {name for each in items if isinstance(name := each.get("name"), str)}


_SETTINGS = {param.name: (object, param.default) for param in SETTINGS}
_REQUIRED = object()


def _parts(item: Any, schema: Mapping[str, tuple[type, Any]]) -> dict[str, Any]:
    """Return the parts of a JSON object by a schema of types and defaults.

    Raises FileError for another type or an unknown part.
    """
    if not isinstance(item, dict):
        raise FileError(f"it should hold {', '.join(schema)}, not {shown(item)}.")
    for key in set() if isinstance(item, Newer) else item.keys() - schema.keys():
        raise FileError(f"{shown(key)} is no part of it.{did_you_mean(key, schema)}")
    parts = {key: item.get(key, default) for key, (_, default) in schema.items()}
    for key, value in parts.items():
        if value is _REQUIRED:
            raise FileError(f"its {key} is missing.")
        if not isinstance(value, schema[key][0]):
            raise FileError(f"its {key} should be {_JSON_NAMES[schema[key][0]]}, not {shown(value)}.")
    return parts


_JSON_NAMES = {
    bool: "true or false",
    str: "a text",
    dict: "names with values",
    list: "a list",
    int | float: "a number",
    int | None: "a whole number",
}


_DOCUMENT = {
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
_CUSTOM = {"name": (str, _REQUIRED), "source": (str, _REQUIRED)}
_BLOCK = {
    "name": (str, _REQUIRED),
    "params": (dict, {}),
    "about": (dict, {}),
    "notes": (str, ""),
    "nodes": (list, []),
    "edges": (list, []),
    "comments": (list, []),
    "bends": (list, []),
}
_COMMENT = {
    "id": (str, _REQUIRED),
    "kind": (str, _REQUIRED),
    "title": (str, ""),
    "text": (str, ""),
    "color": (str, COLORS[0]),
    "box": (list, _REQUIRED),
}


def _block(parts: Mapping[str, Any]) -> Block:
    for name, default in parts["params"].items():
        if not is_param_name(name):
            raise FileError(f"{shown(name)} cannot name a parameter.")
        if default is not None and (type(default) is not int or abs(default) >= 2**31):
            raise FileError(f"the default of {name} should be a whole number, not {shown(default)}.")
    about = {name: _about(parts["params"], name, each) for name, each in parts["about"].items()}
    return Block(parts["name"], frozen(parts["params"]), parts["notes"][:20_000], about=frozen(about))


def _about(params: Mapping[str, Any], name: str, raw: Any) -> About:
    """Return what a file says of a block's parameter. Raises FileError for a range without its default."""
    number = int | None
    about = About(**_parts(raw, {"doc": (str, ""), "min": (number, None), "max": (number, None)}))
    if name not in params:
        raise FileError(f"it has no parameter {shown(name)} that something could be said of.")
    for end in (about.min, about.max):
        if end is not None and (type(end) is not int or abs(end) >= 2**31):
            raise FileError(f"the range of {name} should be of whole numbers, not {shown(end)}.")
    default = params[name]
    if default is not None and not about.holds(default):
        raise FileError(f"the default of {name} is {default}, outside of its range {about.range}.")
    return replace(about, doc=about.doc[:500])


def comment_from(item: Any) -> Comment:
    """Return the comment that a file holds. Raises EngineError for what is none."""
    parts = _parts(item, _COMMENT)
    box = parts.pop("box")
    if len(box) != 4 or not (_is_point(box[:2]) and _is_point(box[2:])):
        raise FileError(f"its box should be left, top, width and height, not {shown(box)}.")
    return checked_comment(Comment(**parts, box=tuple(box)))


def comment_json(comment: Comment) -> dict[str, Any]:
    """Return what a file holds of a comment."""
    parts = {"id": comment.id, "kind": comment.kind, "title": comment.title, "text": comment.text}
    parts = {name: text for name, text in parts.items() if text}
    return {**parts, "color": comment.color, "box": list(comment.box)}


def _node(document: Document, item: Any) -> Node:
    schema = {
        "id": (str, _REQUIRED),
        "type": (str, _REQUIRED),
        "name": (str, ""),
        "params": (dict, {}),
        "position": (list, [0, 0]),
        "share": (dict, {}),
        "mode": (str, ""),
        "collapsed": (bool, False),
        "expanded": (list, []),
    }
    parts = _parts(item, schema)
    if not _is_point(parts["position"]):
        raise FileError(f"its position should be two numbers, not {shown(parts['position'])}.")
    x, y = parts["position"]
    layer = layer_of(document, parts["type"])
    params = {name: param_value(value) for name, value in parts["params"].items()}
    check_foreign(layer.unknown(params))
    node = checked_node(layer, parts["id"], params, (float(x), float(y)), parts["name"][:200], foreign=True)
    if moved := parts["expanded"]:
        if not all(_is_point([each, 0]) for each in moved) or len(moved) != 3 or min(moved) < 0:
            raise FileError(f"what expanding it moved should be three numbers, not {shown(moved)}.")
        node = replace(node, expanded=tuple(moved))
    share = share_from(parts["share"]) if parts["share"] else None
    node = replace(node, share=share, mode=parts["mode"], collapsed=parts["collapsed"])
    check_mode(document, node)
    return node


def _check_share(document: Document, id: str, share: Share) -> None:
    check_share(document, id, share)
    if document.nodes[id].params != document.nodes[share.node].params:
        raise FileError(f"it shares the weights of {share.node}, so it should have the same parameters.")


def share_from(raw: Any) -> Share:
    """Return the link that a file holds of a node. Raises FileError for what is none."""
    parts = _parts(raw, {"node": (str, _REQUIRED), "follow": (str, ""), "amount": (int | float, 0.0)})
    return Share(parts["node"], parts["follow"], parts["amount"])


def param_value(raw: Any) -> Any:
    """Return the value that a file's means: a formula is an object with one part: a text may be a value."""
    return Formula(raw["formula"]) if isinstance(raw, dict) and raw.keys() == {"formula"} else raw


def _objective(item: Any) -> Objective:
    parts = _parts(item, {"loss": (str, ""), "optimizer": (str, "Adam"), "options": (dict, {})})
    return Objective(
        parts["loss"], parts["optimizer"], frozen(check_optimizer(parts["optimizer"], parts["options"]))
    )


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
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character, such as "\ud800": only its escape can be written
        return json.dumps(value, allow_nan=False)
    return text


def _rows(key: str, rows: Iterable[Any]) -> str:
    lines = ",\n".join(f"  {_line(row)}" for row in rows)
    return f' "{key}": [\n{lines}\n ]' if lines else f' "{key}": []'


def node_json(node: Node) -> dict[str, Any]:
    """Return what a file holds of a node."""
    parts: dict[str, Any] = {"id": node.id, "type": node.type}
    if node.name:
        parts["name"] = node.name
    if node.params:
        parts["params"] = {
            name: {"formula": value.text} if isinstance(value, Formula) else value
            for name, value in node.params.items()
        }
    if node.share:
        follow = {"follow": node.share.follow, "amount": node.share.amount} if node.share.follow else {}
        parts["share"] = {"node": node.share.node, **follow}
    if node.mode:
        parts["mode"] = node.mode
    if node.collapsed:
        parts["collapsed"] = True
    if node.expanded:
        parts["expanded"] = list(node.expanded)
    return {**parts, "position": list(node.position)}


def _block_text(block: Block) -> str:
    head = (
        f'{{"name": {_line(block.name)}, "params": {_line(dict(block.params))}, "notes": {_line(block.notes)}'
    )
    if block.about:
        about = {name: _about_json(each) for name, each in block.about.items()}
        head += f', "about": {_line(about)}'
    return f"  {head},\n{_graph_text(block)}}}"


def _about_json(about: About) -> dict[str, Any]:
    return {key: value for key, value in asdict(about).items() if value not in ("", None)}


def _graph_text(graph: Document | Block) -> str:
    nodes = _rows("nodes", (node_json(node) for node in graph.nodes.values()))
    edges = _rows("edges", ([_slot_text(s), _slot_text(t)] for t, s in graph.edges.items()))
    parts = [nodes, edges]
    if graph.comments:
        parts.append(_rows("comments", (comment_json(each) for each in graph.comments.values())))
    if graph.bends:
        bends = ([_slot_text(slot), [list(at) for at in points]] for slot, points in graph.bends.items())
        parts.append(_rows("bends", bends))
    return ",\n".join(parts)


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
        **({"weights": training.weights} if training.weights else {}),
        "objectives": objectives,
    }
