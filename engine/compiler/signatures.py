"""Which arguments torch's functions, methods and classes take, in which order, with which defaults."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

EMPTY = inspect.Parameter.empty
"""The default of what must be given."""

FIRST = "input"
"""What the first argument of a function is called here, so that a tensor's method is the same function."""


class Argument(NamedTuple):
    """One argument; ``several`` takes all positions from its own on, as in ``x.reshape(-1, 8, 8)``."""

    name: str
    default: Any = EMPTY
    keyword_only: bool = False
    several: bool = False


Signature = tuple[Argument, ...]

_BY_POSITION = (Argument(FIRST), *(Argument(f"argument{place}") for place in range(2, 9)))


@cache
def of_function(name: str) -> tuple[Signature, ...]:
    """Return every way to call ``torch.cat``, ``F.relu`` or the tensor method ``.flip``.

    Where torch does not tell, it is by position.
    """
    root, _, last = name.rpartition(".")
    holder = {"torch": torch, "F": F, "": torch.Tensor}.get(root)
    function = getattr(holder, last, None)
    found = _python(function) or _python(getattr(holder, f"_{last}", None))  # F.max_pool2d dispatches to it
    native = tuple(_native(getattr(function, "__name__", last)))
    return (found,) if found else native or (_BY_POSITION,)


@cache
def of_class(made: type) -> Signature:
    """Return how a module is constructed; what it passes on with ``*args`` is looked up in its base."""
    if overloads := typing.get_overloads(made.__init__):  # LSTM and its like
        return _arguments(inspect.signature(overloads[0]))[1:]
    arguments: list[Argument] = []
    for each in made.__mro__:
        if "__init__" in vars(each):
            signature = inspect.signature(each)
            arguments += [argument for argument in _arguments(signature) if argument.name not in ("args",)]
            if not any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
                break
    return tuple(arguments)


@cache
def of_forward(made: type) -> Signature:
    """Return how a module is called."""
    return _arguments(inspect.signature(made.forward))[1:]


@cache
def of_source(source: str, name: str, method: str = "__init__") -> Signature:
    """Return the arguments of a class's method, or of a function, that a custom layer's text defines."""
    found = next((node for node in ast.parse(source).body if getattr(node, "name", "") == name), None)
    if isinstance(found, ast.ClassDef):
        found = next((node for node in found.body if getattr(node, "name", "") == method), None)
    if not isinstance(found, ast.FunctionDef):
        return ()
    given = (
        found.args.args[1:] if found.args.args[:1] and found.args.args[0].arg == "self" else found.args.args
    )
    defaults = [EMPTY] * (len(given) - len(found.args.defaults)) + [*map(_constant, found.args.defaults)]
    return tuple(Argument(each.arg, default) for each, default in zip(given, defaults, strict=True))


def _constant(expression: ast.expr) -> Any:
    try:
        return ast.literal_eval(expression)
    except ValueError:
        return None


def bind(
    signature: Signature, args: Sequence[ast.expr], keywords: Iterable[ast.keyword]
) -> Mapping[str, ast.expr] | None:
    """Return what is given by the name of its argument, or None if the signature has no place for it.

    A starred argument fills one that takes several; keywords without a name are left away.
    """
    places = [argument for argument in signature if not argument.keyword_only]
    given: dict[str, ast.expr] = {}
    for place, expression in enumerate(args):
        if place >= len(places):
            return None
        argument = places[place]
        left = args[place:]
        if argument.several and (len(left) > 1 or isinstance(expression, ast.Starred)):
            given[argument.name] = ast.List(list(left), ast.Load())
            break
        given[argument.name] = expression
    names = {argument.name for argument in signature}
    for keyword in keywords:
        if keyword.arg is not None:
            if keyword.arg not in names or keyword.arg in given:
                return None
            given[keyword.arg] = keyword.value
    return given


def _python(function: Callable[..., Any] | None) -> Signature:
    """The arguments of a function that is written in Python, by their own names but the first's."""
    try:
        arguments = _arguments(inspect.signature(function))
    except (TypeError, ValueError):
        return ()
    if any(argument.name == "kwargs" for argument in arguments) or not arguments:
        return ()
    return (arguments[0]._replace(name=FIRST), *arguments[1:])


def _arguments(signature: inspect.Signature) -> Signature:
    return tuple(
        Argument(each.name, each.default, each.kind is each.KEYWORD_ONLY, each.kind is each.VAR_POSITIONAL)
        for each in signature.parameters.values()
        if each.kind is not each.VAR_KEYWORD or (each.name == "kwargs" and len(signature.parameters) == 2)
    )


def _native(name: str) -> Iterable[Signature]:
    """Give the arguments of a function that is written in C++, as its operator declares them."""
    operator = getattr(torch.ops.aten, name, None)
    for overload in operator.overloads() if operator is not None else ():
        arguments = getattr(operator, overload)._schema.arguments
        if not arguments or any("Dimname" in str(each.type) or each.name == "out" for each in arguments):
            continue
        found = [
            Argument(
                each.name,
                (each.default_value or None if isinstance(each.default_value, list) else each.default_value)
                if each.has_default_value()
                else EMPTY,
                each.kwarg_only,
                "List[int]" in str(each.type),
            )
            for each in arguments
        ]
        yield (found[0]._replace(name=FIRST), *found[1:])


def class_of(name: str) -> type | None:
    """Return torch's own module class called ``nn.Conv2d``, or None."""
    made = getattr(nn, name.removeprefix("nn."), None) if name.startswith("nn.") else None
    return made if isinstance(made, type) and issubclass(made, nn.Module) else None
