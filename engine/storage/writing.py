"""A document as the text of a file: one node and one edge on a line, so that versions compare well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from engine.graph.blocks import innermost_first
from engine.graph.document import (
    About,
    Block,
    Comment,
    Document,
    Learning,
    Node,
    Objective,
    Slot,
    Training,
)
from engine.graph.settings import LEARNING, OBJECTIVE, SETTINGS
from engine.layers.formula import Formula
from engine.storage.format import VERSION


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


def comment_json(comment: Comment) -> dict[str, Any]:
    """Return what a file holds of a comment."""
    parts = {"id": comment.id, "kind": comment.kind, "title": comment.title, "text": comment.text}
    parts = {name: text for name, text in parts.items() if text}
    return {**parts, "color": comment.color, "box": list(comment.box)}


def slot_text(slot: Slot) -> str:
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
    if learning := _learning_json(node.learning):
        parts["learning"] = learning
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
    edges = _rows("edges", ([slot_text(s), slot_text(t)] for t, s in graph.edges.items()))
    parts = [nodes, edges]
    if graph.comments:
        parts.append(_rows("comments", (comment_json(each) for each in graph.comments.values())))
    if graph.bends:
        bends = ([slot_text(slot), [list(at) for at in points]] for slot, points in graph.bends.items())
        parts.append(_rows("bends", bends))
    return ",\n".join(parts)


def _training_json(training: Training) -> dict[str, Any]:
    """The settings that every file holds, those that differ from the usual, and the objectives."""
    usual = {
        param.name: value
        for param in SETTINGS
        if (value := getattr(training, param.name)) != param.default or param.name in _ALWAYS
    }
    init = _call_json("init", training.init, training.init_options)
    return {**usual, **init, "objectives": [_objective_json(each) for each in training.objectives]}


_ALWAYS = ("epochs", "batch_size", "seed", "device")


def _objective_json(objective: Objective) -> dict[str, Any]:
    named = {"name": objective.name, "losses": dict(objective.losses), "nodes": list(objective.nodes)}
    rules = {param.name: getattr(objective, param.name) for param in OBJECTIVE}
    return {
        **{key: value for key, value in named.items() if value},
        "optimizer": objective.optimizer,
        "options": dict(objective.options),
        **_call_json("schedule", objective.schedule, objective.schedule_options),
        **{param.name: rules[param.name] for param in OBJECTIVE if rules[param.name] != param.default},
    }


def _learning_json(learning: Learning) -> dict[str, Any]:
    values = {param.name: getattr(learning, param.name) for param in LEARNING}
    return {
        **{param.name: values[param.name] for param in LEARNING if values[param.name] != param.default},
        **_call_json("init", learning.init, learning.init_options),
    }


def _call_json(key: str, type_: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: {"type": type_, "options": dict(options)}} if type_ else {}
