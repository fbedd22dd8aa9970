"""What every kind of import becomes first: a list of calls, each one Python expression over earlier ones."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import EngineError

BATCHES = (2, 3)
"""Everything runs with two batch sizes: what differs between both depends on the batch."""

_ABOUT = {"shape", "ndim", "dtype", "device", "size", "dim", "numel", "element_size", "is_floating_point"}
"""What can be asked about a tensor without reading its numbers."""


class ImportingError(EngineError):
    """A network that cannot be imported: which module, why, and what to do."""


class Place(NamedTuple):
    """A module around a call: its path, unique for each time it runs, and the name of its class."""

    path: str
    type: str


@dataclass(eq=False)
class Call:
    """One value: an ``input``, a stored ``tensor`` of the model, or a ``call``.

    ``text`` reads other values by name; a module's call reads it as ``self``. After ``run`` there are
    ``shapes`` of a tensor for both batch sizes, ``values`` where nothing of it depends on an input, and
    ``depends``: which of ``input`` and ``learned`` it is computed from.
    """

    name: str
    text: str = ""
    role: str = "call"
    places: tuple[Place, ...] = ()
    path: str = ""
    module: nn.Module | None = None
    tensor: Tensor | None = None
    values: tuple[Any, ...] = ()
    shapes: tuple[Any, ...] = ()
    depends: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether its value is the same for every input and cannot learn."""
        return not self.depends

    @property
    def expression(self) -> ast.expr:
        """The parsed text."""
        return parsed(self.text)


@dataclass
class Trace:
    """A network as calls in order, with the texts of what it returns by name."""

    name: str
    calls: list[Call] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    notes: str = ""

    def by_name(self) -> dict[str, Call]:
        """Return the calls by name."""
        return {call.name: call for call in self.calls}


class About(NamedTuple):
    """Shape and dtype of a tensor whose numbers were not kept."""

    shape: tuple[int, ...]
    dtype: torch.dtype


NAMESPACE: Mapping[str, Any] = {"torch": torch, "F": F, "nn": nn, "math": math}


@lru_cache(maxsize=8192)
def parsed(text: str) -> ast.expr:
    """Return the expression of a call's text."""
    return ast.parse(text, mode="eval").body


def names_read(expression: ast.AST) -> Iterator[str]:
    """Yield the names whose values an expression reads, not those of which it only asks the shape."""
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        if expression.attr not in _ABOUT:
            yield expression.value.id
    elif isinstance(expression, ast.Call) and getattr(expression.func, "id", "") == "len":
        return
    elif isinstance(expression, ast.Name):
        yield expression.id
    else:
        for child in ast.iter_child_nodes(expression):
            yield from names_read(child)


def all_names(expression: ast.AST) -> set[str]:
    """Return every name in an expression."""
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def run(trace: Trace, inputs: tuple[Mapping[str, Tensor], ...]) -> None:
    """Compute every call for both sets of inputs and enter into it what is known about its result.

    Raises ImportingError where the course of the computation depends on the numbers in a tensor.
    """
    calls = trace.by_name()
    last = {
        name: place
        for place, call in enumerate(trace.calls)
        if call.text
        for name in all_names(call.expression)
    }
    envs: tuple[dict[str, Any], ...] = tuple({} for _ in inputs)
    with torch.no_grad():
        for place, call in enumerate(trace.calls):
            if call.role == "input":
                call.depends = frozenset({"input"})
                results = tuple(given[call.name] for given in inputs)
            elif call.role == "tensor":
                learned = isinstance(call.tensor, nn.Parameter) and call.tensor.requires_grad
                call.depends = frozenset({"learned"} if learned else ())
                results = (call.tensor,) * len(inputs)
            else:
                read = set(names_read(call.expression)) & calls.keys()
                call.depends = frozenset().union(*(calls[name].depends for name in read))
                if (
                    call.module is not None
                    and not call.depends
                    and any(True for _ in call.module.parameters())
                ):
                    call.depends = frozenset({"learned"})
                results = tuple(_compute(call, env) for env in envs)
                if "input" in call.depends:
                    _refuse_numbers(call, results[0])
            for env, result in zip(envs, results, strict=True):
                env[call.name] = result
            call.shapes = tuple(_about(result) for result in results)
            if "input" not in call.depends:
                call.values = results
            for name in [name for name in envs[0] if last.get(name, -1) <= place and name in calls]:
                if "input" in calls[name].depends and last.get(name, -1) <= place:
                    for env in envs:
                        del env[name]


def _compute(call: Call, env: Mapping[str, Any]) -> Any:
    code = compile(ast.Expression(call.expression), f"<{call.path or call.name}>", "eval")
    try:
        return eval(code, {**NAMESPACE, **env, "self": call.module})
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ImportingError(f"{call.path or call.text[:80]} could not be computed: {reason}") from error


def _refuse_numbers(call: Call, result: Any) -> None:
    if isinstance(result, bool | int | float):
        where = call.path or (call.places[-1].path if call.places else "the model")
        raise ImportingError(
            f"{where} turns a tensor into a Python number ({call.text[:60]}), so what it computes depends on "
            f"the data; a drawn network is the same for every input."
        )


def _about(result: Any) -> Any:
    if isinstance(result, Tensor):
        return About(tuple(result.shape), result.dtype)
    if isinstance(result, tuple | list):
        return tuple(_about(each) for each in result)
    return result
