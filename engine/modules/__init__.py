"""Layers that torch lacks: plain ``nn.Module`` classes, one small file each, copied whole into an export.

A file imports torch and nothing else; what it defines stands below its imports.
"""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from importlib import resources


@cache
def definitions(name: str) -> str:
    """Return what a file of this package defines: its text below the imports."""
    text = resources.files(__name__).joinpath(f"{name}.py").read_text("utf-8")
    first = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef))
    return "\n".join(text.splitlines()[first.lineno - 1 :])


@cache
def defined_names() -> frozenset[str]:
    """Return every name that a file of this package defines; an export's own class takes another."""
    files = [info.name for info in pkgutil.iter_modules(__path__)]
    return frozenset(node.name for name in files for node in ast.parse(definitions(name)).body)
