"""The gate before ``exec``: generated text may hold only the syntax and call only what declarations call.

Whatever a file contains, it enters generated text as literals and identifiers; should it ever break out of
them, the text is refused here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from engine import catalogue
from engine.compiler.custom import known_statements
from engine.compiler.initialize import check_initialize
from engine.compiler.trust import check_trusted
from engine.errors import CompileError
from engine.graph.pieces import pieces
from engine.modules import definitions, names_of

_SYNTAX = (
    # a module of imports, classes and functions
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg,
    # their bodies
    ast.Expr, ast.Assign, ast.AnnAssign, ast.Return,
    # expressions over names and literals
    ast.Expression, ast.Name, ast.Attribute, ast.Constant, ast.Call, ast.keyword, ast.Tuple, ast.List,
    ast.Dict, ast.Subscript, ast.BinOp, ast.GeneratorExp, ast.comprehension, ast.Starred, ast.FloorDiv,
    ast.UnaryOp, ast.Compare, ast.Load, ast.Store, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Pow,
    ast.USub, ast.Eq, ast.Gt, ast.Lt,
)  # fmt: skip

_IMPORTS = {"torch", "torch.nn.functional", "typing", "copy"}
_CALL = re.compile(r"([A-Za-z_][\w.]*|\)\.\w+|\}\.\w+|\]\.\w+)\(")

_LIBRARY = re.compile(r"(nn|F|torch)(\.\w+)*")
"""What lies in torch itself; a method of what one of its functions returned is none of it."""


_OWNERS = ("self", "hole_self", "model")
"""Whose attributes are layers: the model's own code calls it self, an objective's calls it model."""


@lru_cache(maxsize=1)
def _targets() -> tuple[frozenset[str], frozenset[str]]:
    """Return the functions (``F.relu``) and tensor methods (``reshape``) that declarations call."""
    functions, methods = {"super", "range", "nn.Sequential", "Copy"}, {"__init__"}
    for layer in catalogue.layers().values():
        codes = (each.code for each in layer.params)
        for text in (layer.init, layer.call, *codes, *layer.metrics.values()):
            for name in _CALL.findall(text):
                root, _, last = name.rpartition(".")
                ours = layer.module and name in names_of(layer.module)
                (functions if ours or root in ("nn", "F", "torch") else methods).add(
                    name if root in ("nn", "F", "torch") else last
                )
    return frozenset(functions), frozenset(methods)


@lru_cache(maxsize=1)
def _definitions() -> Mapping[str, str]:
    """Return what the files of ``engine.modules`` define, by name: written here, not in a document."""
    texts = {definitions(layer.module) for layer in catalogue.layers().values() if layer.module}
    texts |= {definitions("copies"), definitions("initialization")}
    return {node.name: ast.dump(node) for text in texts for node in ast.parse(text).body}


def check_source(text: str, sources: Iterable[str] = ()) -> ast.Module:
    """Return the parsed text of generated code; ``sources`` are the custom layers that are written in it.

    Raises CompileError for anything that no declaration would write, and for a source that is not trusted.
    """
    written: set[str] = set()
    names: set[str] = set()
    for source in sources:
        check_trusted(source)
        written |= known_statements(source)
        names |= pieces(source).bound.keys()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CompileError(f"The generated code does not parse: {error}.") from None
    known = _definitions()
    foreign = [
        node
        for node in tree.body
        if getattr(node, "name", "") not in known or ast.dump(node) != known[node.name]
    ]
    foreign = [node for node in foreign if not written or ast.dump(node) not in written]
    starts = [node for node in foreign if isinstance(node, ast.FunctionDef) and node.name == "initialize"]
    for node in starts:
        check_initialize(node)
    _check(ast.Module([node for node in foreign if node not in starts], []), frozenset(names))
    return tree


@lru_cache(maxsize=4096)
def check_expression(text: str, called: str = "") -> None:
    """Raise CompileError unless a step's text, its holes filled with any names, is harmless.

    ``called`` is the class or function of a custom layer that it may call.
    """
    if not text:
        return
    try:
        tree = ast.parse(
            re.sub(r"\{(\w+)\}", r"hole_\1", text).replace("{{", "{").replace("}}", "}"), mode="eval"
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CompileError(f"The generated code does not parse: {error}.") from None
    _check(tree, frozenset([called]))


def _check(tree: ast.AST, called: frozenset[str]) -> None:
    functions, methods = _targets()
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if not isinstance(node, _SYNTAX):
            raise CompileError(f"Generated code may not contain {type(node).__name__}.")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            )
            if not set(names) <= _IMPORTS:
                raise CompileError(f"Generated code may not import {', '.join(map(str, names))}.")
        private = getattr(node, "attr", getattr(node, "id", ""))
        if private.startswith("_") and private not in ("__init__", "_"):
            raise CompileError(f"Generated code may not touch {private}.")
        if isinstance(node, ast.Call):
            _check_call(ast.unparse(node.func), node.func, functions | own | called, methods)


def _check_call(name: str, target: ast.expr, functions: frozenset[str], methods: frozenset[str]) -> None:
    layer = isinstance(target, ast.Attribute) and ast.unparse(target.value) in _OWNERS
    if name in functions or layer or name == "hole_self":
        return
    if isinstance(target, ast.Attribute) and target.attr in methods and not _LIBRARY.fullmatch(name):
        return
    raise CompileError(f"Generated code may not call {name}.")
