"""The parts of a document's file: what each may hold, and what is made of it. Nothing of it is executed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.catalogue import did_you_mean
from engine.errors import FileError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import (
    COLORS,
    About,
    Block,
    Comment,
    Document,
    Learning,
    Node,
    Objective,
    Share,
    Slot,
    frozen,
)
from engine.graph.edits import checked_node
from engine.graph.links import check_share
from engine.graph.marks import checked_comment
from engine.graph.missing import check_foreign
from engine.graph.modes import check_mode
from engine.graph.names import is_param_name
from engine.graph.settings import LEARNING, OBJECTIVE, SETTINGS, check_learning, check_rules
from engine.inits import check_init
from engine.layers.formula import Formula
from engine.optimizers import check_optimizer
from engine.schedules import check_schedule
from engine.storage.format import Newer

TRAINING = {param.name: (object, param.default) for param in SETTINGS}
REQUIRED = object()


def parts_of(item: Any, schema: Mapping[str, tuple[type, Any]]) -> dict[str, Any]:
    """Return the parts of a JSON object by a schema of types and defaults.

    Raises FileError for another type or an unknown part.
    """
    if not isinstance(item, dict):
        raise FileError(f"it should hold {', '.join(schema)}, not {shown(item)}.")
    for key in set() if isinstance(item, Newer) else item.keys() - schema.keys():
        raise FileError(f"{shown(key)} is no part of it.{did_you_mean(key, schema)}")
    parts = {key: item.get(key, default) for key, (_, default) in schema.items()}
    for key, value in parts.items():
        if value is REQUIRED:
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


CUSTOM = {"name": (str, REQUIRED), "source": (str, REQUIRED)}
BLOCK = {
    "name": (str, REQUIRED),
    "params": (dict, {}),
    "about": (dict, {}),
    "notes": (str, ""),
    "nodes": (list, []),
    "edges": (list, []),
    "comments": (list, []),
    "bends": (list, []),
}
_COMMENT = {
    "id": (str, REQUIRED),
    "kind": (str, REQUIRED),
    "title": (str, ""),
    "text": (str, ""),
    "color": (str, COLORS[0]),
    "box": (list, REQUIRED),
}


def block_from(parts: Mapping[str, Any]) -> Block:
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
    about = About(**parts_of(raw, {"doc": (str, ""), "min": (number, None), "max": (number, None)}))
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
    parts = parts_of(item, _COMMENT)
    box = parts.pop("box")
    if len(box) != 4 or not (is_point(box[:2]) and is_point(box[2:])):
        raise FileError(f"its box should be left, top, width and height, not {shown(box)}.")
    return checked_comment(Comment(**parts, box=tuple(box)))


def node_from(document: Document, item: Any) -> Node:
    schema = {
        "id": (str, REQUIRED),
        "type": (str, REQUIRED),
        "name": (str, ""),
        "params": (dict, {}),
        "position": (list, [0, 0]),
        "share": (dict, {}),
        "mode": (str, ""),
        "collapsed": (bool, False),
        "expanded": (list, []),
        "learning": (dict, {}),
    }
    parts = parts_of(item, schema)
    if not is_point(parts["position"]):
        raise FileError(f"its position should be two numbers, not {shown(parts['position'])}.")
    x, y = parts["position"]
    layer = layer_of(document, parts["type"])
    params = {name: param_value(value) for name, value in parts["params"].items()}
    check_foreign(layer.unknown(params))
    node = checked_node(layer, parts["id"], params, (float(x), float(y)), parts["name"][:200], foreign=True)
    if moved := parts["expanded"]:
        if not all(is_point([each, 0]) for each in moved) or len(moved) != 3 or min(moved) < 0:
            raise FileError(f"what expanding it moved should be three numbers, not {shown(moved)}.")
        node = replace(node, expanded=tuple(moved))
    share = share_from(parts["share"]) if parts["share"] else None
    learning = learning_from(parts["learning"]) if parts["learning"] else node.learning
    node = replace(node, share=share, mode=parts["mode"], collapsed=parts["collapsed"], learning=learning)
    check_mode(document, node)
    return node


def check_shared(document: Document, id: str, share: Share) -> None:
    check_share(document, id, share)
    if document.nodes[id].params != document.nodes[share.node].params:
        raise FileError(f"it shares the weights of {share.node}, so it should have the same parameters.")


def share_from(raw: Any) -> Share:
    """Return the link that a file holds of a node. Raises FileError for what is none."""
    parts = parts_of(raw, {"node": (str, REQUIRED), "follow": (str, ""), "amount": (int | float, 0.0)})
    return Share(parts["node"], parts["follow"], parts["amount"])


def param_value(raw: Any) -> Any:
    """Return the value that a file's means: a formula is an object with one part: a text may be a value."""
    return Formula(raw["formula"]) if isinstance(raw, dict) and raw.keys() == {"formula"} else raw


_CALL = {"type": (str, REQUIRED), "options": (dict, {})}
_OBJECTIVE = {
    "name": (str, ""),
    "losses": (dict, {}),
    "nodes": (list, []),
    "optimizer": (str, "Adam"),
    "options": (dict, {}),
    "schedule": (dict, {}),
    **{param.name: (object, param.default) for param in OBJECTIVE},
}
_LEARNING = {"init": (dict, {}), **{param.name: (object, param.default) for param in LEARNING}}


def objective_from(item: Any) -> Objective:
    """Return the objective that a file holds. Raises EngineError for what is none."""
    parts = parts_of(item, _OBJECTIVE)
    for id, weight in parts["losses"].items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise FileError(f"the weight of the loss {shown(id)} should be a number, not {shown(weight)}.")
    for id in parts["nodes"]:
        if not isinstance(id, str):
            raise FileError(f"an objective names nodes, not {shown(id)}.")
    schedule, schedule_options = call_from(parts["schedule"], check_schedule)
    return Objective(
        frozen({id: float(weight) for id, weight in parts["losses"].items()}),
        parts["optimizer"],
        frozen(check_optimizer(parts["optimizer"], parts["options"])),
        parts["name"][:200],
        tuple(parts["nodes"]),
        schedule,
        schedule_options,
        **check_rules({param.name: parts[param.name] for param in OBJECTIVE}),
    )


def learning_from(item: Any) -> Learning:
    """Return how a node learns, as a file holds it. Raises EngineError for what is refused."""
    parts = parts_of(item, _LEARNING)
    init, options = call_from(parts.pop("init"), check_init)
    return Learning(**check_learning(parts), init=init, init_options=options)


def init_from(item: Any) -> tuple[str, Mapping[str, Any]]:
    """Return how weights begin, as a file holds it: a type and its options. Raises EngineError."""
    return call_from(item, check_init)


def call_from(
    item: Any, check: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]]:
    """Return a type and its checked options; an empty object names none."""
    if item == {}:
        return "", frozen()
    parts = parts_of(item, _CALL)
    return parts["type"], frozen(check(parts["type"], parts["options"]))


def is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
        and all(abs(each) < 1e7 and math.isfinite(each) for each in value)
    )


def slot_from(text: Any) -> Slot | None:
    if not isinstance(text, str) or "." not in text or len(text) > 200:
        return None
    node, _, port = text.partition(".")
    return Slot(node, port)
