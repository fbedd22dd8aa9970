"""A module that nothing can follow, whole: a custom layer that holds its class's own source."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from torch import nn

from engine.errors import EngineError
from engine.graph.pieces import GIVEN
from engine.graph.signature import read_signature
from engine.importing.calls import ImportingError
from engine.layers.params import Value


def module_source(module: nn.Module) -> tuple[str, str, Mapping[str, Value]]:
    """Return the type, the source and the parameters of a custom layer that is this module.

    Raises ImportingError with the reason if its class needs more than torch and its own text.
    """
    kind = type(module)
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        raise ImportingError(f"the source of {kind.__name__} cannot be found") from None
    foreign = sorted(_foreign(source))
    if foreign:
        raise ImportingError(
            f"{kind.__name__} needs {', '.join(foreign[:3])} of its file and cannot stand alone"
        )
    try:
        layer = read_signature(source, kind.__name__)
    except EngineError as error:
        raise ImportingError(f"{kind.__name__} cannot be a custom layer: {error.message}") from None
    params: dict[str, Value] = {}
    for param in layer.params:
        value = _attribute(module, param.name)
        if value is None and param.default is None and not param.optional:
            raise ImportingError(f"{kind.__name__} does not keep its argument {param.name}")
        if value is not None:
            params[param.name] = param.check(value)
    return kind.__name__, source, params


def _attribute(module: nn.Module, name: str) -> Any:
    value = getattr(module, name, None)
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, bool | int | float | str | tuple) else None


def _foreign(source: str) -> set[str]:
    """Return the names that a source reads and that are neither its own nor torch's."""
    tree = ast.parse(source)
    bound = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return {name for name in read - bound - GIVEN.keys() if not hasattr(builtins, name)}
