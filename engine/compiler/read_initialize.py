"""The function ``initialize`` of a text as settings: which weights begin otherwise than torch lets them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from engine.compiler.initialize import HELPER, defaults_of, is_beginning
from engine.compiler.text import ModuleText, brief
from engine.errors import EngineError, ParameterError, ReadError
from engine.graph.blocks import inside, outside
from engine.graph.document import Document
from engine.graph.settings import set_init
from engine.inits import INITS, check_init
from engine.layers.params import Value

Target = tuple[str, ...]
"""The attributes on the way to a module: none for the model, ``stage``, ``conv1`` for a layer in a block."""

Said = tuple[str, Mapping[str, Value], int]
"""A way to begin, its options, and the line that says so."""


def read_beginnings(module: ModuleText) -> dict[Target, Said]:
    """Return what the function ``initialize`` of a text says. Raises ReadError for any other line."""
    said: dict[Target, Said] = {}
    for statement in module.initialize.body if module.initialize else ():
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Constant):
            continue
        if not isinstance(call, ast.Call) or not is_beginning(call):
            raise ReadError(
                f"`{brief(statement)}` has no place in initialize: it holds lines such as "
                f"{HELPER}(model.conv1, nn.init.orthogonal_).",
                statement.lineno,
            )
        if ast.unparse(call.func) == HELPER:
            type_, options = _how(call)
            path = re.sub(r"\[\d+\]", "", ast.unparse(call.args[0]))
            said[tuple(path.split(".")[1:])] = type_, options, statement.lineno
    return said


def _how(call: ast.Call) -> tuple[str, Mapping[str, Value]]:
    """Return the way to begin that a line asks for, and its options."""
    type_ = ast.unparse(call.args[1]).removeprefix("nn.init.").removesuffix("_")
    init = INITS[type_]
    given = {each.arg or "": ast.literal_eval(each.value) for each in call.keywords}
    usual = defaults_of(type_)
    wanted = init.given(init.values({}))
    if lacking := [name for name in wanted if name not in given and name not in usual]:
        raise ReadError(f"nn.init.{type_}_ needs {lacking[0]}.", call.lineno)
    if unknown := [name for name in given if name not in wanted]:
        raise ReadError(f"nn.init.{type_}_ takes no {unknown[0]} here.", call.lineno)
    try:
        options = init.restore({name: given.get(name, usual.get(name)) for name in wanted})
        return type_, check_init(type_, options)
    except ParameterError as error:
        raise ReadError(error.message, call.lineno) from None


def with_beginnings(document: Document, old: ModuleText | None, new: ModuleText) -> Document:
    """Return the document with what ``new`` says otherwise than ``old`` about how weights begin.

    Raises ReadError for a layer that is not there, and for uses of a block that do not begin alike.
    """
    before, after = (read_beginnings(each) if each else {} for each in (old, new))
    places: dict[tuple[str, str], Said] = {}
    for path, said in after.items():
        place = _place(document, path)
        if place is None:
            raise ReadError(f"initialize speaks of model.{'.'.join(path)}, which is no layer.", said[2])
        if places.setdefault(place, said)[:2] != said[:2]:
            raise ReadError(
                f"every {place[0]} begins alike: {place[1]} is said to begin in two ways.", said[2]
            )
    for path in before.keys() - after.keys():
        place = _place(document, path)
        if place is not None and place not in places:
            document = _with(document, place, "", {})
    for place, (type_, options, line) in places.items():
        try:
            document = _with(document, place, type_, options)
        except EngineError as error:
            raise ReadError(error.message, line) from None
    return document


def _place(document: Document, path: Target) -> tuple[str, str] | None:
    """Return the block and the id of the node at a path, two empty texts for the whole model."""
    block, nodes = "", document.nodes
    for place, name in enumerate(path):
        node = nodes.get(name)
        if node is None or node.share:
            return None
        if place == len(path) - 1:
            return block, name
        if node.type not in document.blocks:
            return None
        block, nodes = node.type, document.blocks[node.type].nodes
    return "", ""


def _with(document: Document, place: tuple[str, str], type_: str, options: Mapping[str, Value]) -> Document:
    block, id = place
    if block:
        return outside(document, block, set_init(inside(document, block), [id], type_, **options))
    return set_init(document, [id] if id else None, type_, **options)
