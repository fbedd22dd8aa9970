"""A custom layer's source in pieces: what it imports, what it defines and under which names."""

from __future__ import annotations

import ast
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import shown
from engine.graph.document import Custom
from engine.graph.names import CLASSES, is_id
from engine.graph.signature import SourceError, parse, read_signature
from engine.modules import defined_names

GIVEN: Mapping[str, str] = {
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "Tensor": "torch.Tensor",
    "NamedTuple": "typing.NamedTuple",
    "deepcopy": "copy.deepcopy",
}
"""Names that every generated file may use without an import of its own, and what they are."""

GIVEN_IMPORTS: Mapping[str, str] = {
    "deepcopy": "from copy import deepcopy",
    "NamedTuple": "from typing import NamedTuple",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import Tensor, nn",
}
"""How a generated file imports them, in its order."""

_TAKEN = (CLASSES - GIVEN.keys()) | {"loss", "metrics", "follow", "initialize", "range", "super"}


@dataclass(frozen=True)
class Piece:
    """Statements of a source with the comments before them, as they were written, and the names they bind.

    ``dumps`` are the statements as ``ast.dump`` tells them, by which the guard knows them again.
    """

    text: str
    names: frozenset[str]
    dumps: tuple[str, ...]


@dataclass(frozen=True)
class Pieces:
    """A source taken apart: ``imports`` as single lines, ``given`` those of GIVEN that it asks for."""

    imports: tuple[str, ...]
    given: frozenset[str]
    body: tuple[Piece, ...]
    bound: Mapping[str, tuple[str, int]]
    """What each name at the top means, as text that can be compared, and the line where it is bound."""


@lru_cache(maxsize=256)
def pieces(source: str) -> Pieces:
    """Return a source taken apart. Raises SourceError with the line."""
    tree = parse(source)
    imports: list[str] = []
    given: set[str] = set()
    bound: dict[str, tuple[str, int]] = {}
    lines = dict(enumerate(source.splitlines(), start=1))
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name, meaning = _imported(node, alias)
                bound[name] = (f"import {meaning}", node.lineno)
                if GIVEN.get(name) == meaning:
                    given.add(name)
                else:
                    imports.append(ast.unparse(_alone(node, alias)))
            for number in range(node.lineno, node.end_lineno + 1):
                lines.pop(number, None)
    body: list[Piece] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names, dump = _bound(node), ast.dump(node)
        bound |= {name: (dump, node.lineno) for name in names}
        text = "\n".join(lines.pop(number) for number in list(lines) if number <= node.end_lineno)
        if text or not body:
            body.append(Piece(text, names, (dump,)))
        else:  # it stands in the line of the one before
            last = body.pop()
            body.append(Piece(last.text, last.names | names, (*last.dumps, dump)))
    rest = "\n".join(lines.values()).rstrip()
    if rest and body:
        last = body.pop()
        body.append(Piece(f"{last.text}\n{rest}", last.names, last.dumps))
    return Pieces(tuple(dict.fromkeys(imports)), frozenset(given), tuple(body), bound)


def _alone(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str]:
    """Return the name that an import binds, and what it means: ``nn`` and ``torch.nn``."""
    if alias.name == "*":
        raise SourceError("name what you import instead of *.", node.lineno)
    if isinstance(node, ast.ImportFrom):
        if node.level or not node.module:
            raise SourceError("a layer has no package around it: import by the full name.", node.lineno)
        return alias.asname or alias.name, f"{node.module}.{alias.name}"
    if alias.asname:
        return alias.asname, alias.name
    return alias.name.partition(".")[0], alias.name


def _bound(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement at the top binds."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset({node.name})
    imports = [each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)]
    if imports:
        raise SourceError("import at the top or in a function.", imports[0].lineno)
    stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return frozenset(each.id for each in stored if isinstance(each.ctx, ast.Store | ast.Del))


def check_custom(
    custom: Custom, customs: Mapping[str, Custom], types: Container[str], blocks: Container[str]
) -> None:
    """Raise SourceError if a custom layer's names cannot stand in one file with the rest of a document.

    ``types`` are the layers that ship, ``blocks`` the document's own, ``customs`` those written in it.
    """
    found = read_signature(custom.source, custom.name)
    bound = pieces(custom.source).bound
    line = bound[found.type][1]
    if not is_id(found.type) or found.type in CLASSES | GIVEN.keys() or found.type in types:
        raise SourceError(f"{found.type} has a meaning of its own; take another name.", line)
    others = {
        name: (meaning, each.name)
        for each in customs.values()
        if each.name != custom.name
        for name, (meaning, _) in pieces(each.source).bound.items()
    }
    for name, (meaning, line) in bound.items():
        root = meaning.removeprefix("import ").partition(".")[0] if meaning.startswith("import ") else ""
        if name in GIVEN and meaning != f"import {GIVEN[name]}" and not name == root == GIVEN[name]:
            raise SourceError(f"{name} stands for {GIVEN[name]} here; take another name.", line)
        if name in _TAKEN or name in defined_names():
            raise SourceError(f"{name} has a meaning of its own; take another name.", line)
        if name in blocks:
            raise SourceError(f"{name} is a block of this document; take another name.", line)
        if others.get(name, (meaning,))[0] != meaning and not (root and name == root):
            where = shown(others[name][1])
            raise SourceError(f"{name} means something else in the layer {where}; take another name.", line)


def bound_names(customs: Mapping[str, Custom]) -> frozenset[str]:
    """Return every name that the sources of custom layers bind at their top."""
    return frozenset(name for each in customs.values() for name in pieces(each.source).bound)
