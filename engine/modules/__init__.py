"""Layers that torch lacks: plain ``nn.Module`` classes, one small file each, copied whole into an export.

A file imports torch and nothing else; what it defines stands below its imports. A file of an installed
package is named with dots, ``package.file``, and keeps the same rules.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from engine.errors import EngineError, shown

_brought: dict[str, None] = {}
_GIVEN = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "Tensor": "torch.Tensor"}
"""The names that an export imports, and what they are."""


@cache
def definitions(name: str) -> str:
    """Return what a file of this package, or of an installed one, defines: its text below the imports."""
    text = _text(name)
    first = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef))
    line = min(node.lineno for node in (first, *first.decorator_list))
    return "\n".join(text.splitlines()[line - 1 :])


def load(name: str) -> ModuleType:
    """Return a file as a module; raises whatever importing it raises."""
    return importlib.import_module(name if "." in name else f"{__name__}.{name}")


def bring(name: str) -> frozenset[str]:
    """Let a file of an installed package be copied into exports; returns the names that it defines.

    Nothing of it is executed. Raises EngineError for a file that could not stand in an export.
    """
    if "." not in name:
        raise EngineError(f"module={shown(name)} should name a file of the package: package.file.")
    try:
        tree = ast.parse(_text(name))
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        raise EngineError(f"{name} could not be read: {error}.") from error
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            if not _is_given(node):
                offer = "import torch, import torch.nn.functional as F, from torch import Tensor, nn"
                raise EngineError(f"{name}, line {node.lineno}: to run in an export it may only {offer}.")
        elif not isinstance(node, ast.ClassDef | ast.FunctionDef) and not _is_docstring(node):
            raise EngineError(f"{name}, line {node.lineno}: it may define classes and functions only.")
    names = frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))
    if taken := sorted(names & defined_names()) if name not in _brought else []:
        raise EngineError(f"{name} defines {taken[0]}, which another file defines already.")
    _brought[name] = None
    return names


@cache
def _own_names() -> frozenset[str]:
    return frozenset(name for info in pkgutil.iter_modules(__path__) for name in names_of(info.name))


def names_of(name: str) -> frozenset[str]:
    """Return the names that a file defines."""
    return frozenset(node.name for node in ast.parse(definitions(name)).body)


def defined_names() -> frozenset[str]:
    """Return every name that such a file defines; an export's own class takes another."""
    return _own_names().union(*map(names_of, _brought))


def _text(name: str) -> str:
    if "." not in name:
        return resources.files(__name__).joinpath(f"{name}.py").read_text("utf-8")
    spec = find_spec(name)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise ImportError(f"there is no Python file {name}")
    return Path(spec.origin).read_text("utf-8")


def _is_given(node: ast.Import | ast.ImportFrom) -> bool:
    base = node.module if isinstance(node, ast.ImportFrom) else ""
    if base == "__future__":
        return True
    names = ((each.asname or each.name, f"{base}.{each.name}".lstrip(".")) for each in node.names)
    return all(_GIVEN.get(name) == meaning for name, meaning in names)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
