"""Filling in the code templates of declarations: only literals, identifiers and variable names ever enter."""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from engine.layers.declaration import Layer
from engine.layers.params import Value


@cache
def arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names that a declaration's function asks for."""
    return tuple(inspect.signature(function).parameters)


class Code(str):
    """Text that is code already: the name of a variable, not a literal."""


def literal(value: Value) -> str:
    """Return the Python literal of a checked value."""
    if isinstance(value, tuple):
        inner = ", ".join(literal(each) for each in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


class _Template(string.Formatter):
    """``{name}`` is a literal, or variables joined by commas; ``{name: + }`` joins by ``" + "``."""

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, list):
            return (spec or ", ").join(value)
        if isinstance(value, Code):
            return value
        text = spec.join(map(literal, value)) if spec else literal(value)
        return text.replace("{", "{{").replace("}", "}}")


def fill(
    template: str,
    layer: Layer,
    values: Mapping[str, Value],
    inputs: Mapping[str, Code | list[Code]],
) -> str:
    """Return a template with ``values`` (parameters and inferred sizes) as literals.

    What stands for variables stays open for a later ``str.format``: ``inputs`` holds texts such as ``{0}``, a
    list of them for a variadic port, and ``{self}`` is the layer's own attribute. ``{rest}`` is every value
    that no template names and ``infer`` does not use up, unless it is None or its parameter's default, as
    ``, name=value``. ``{options}`` is what the optional inputs that are connected add to the call, and the
    parameters with ``code`` that have a value.
    """
    options = "".join(port.optional for port in layer.inputs if port.name in inputs)
    options += "".join(param.code for param in layer.params if values.get(param.name) is not None)
    template = template.replace("({options}", f"({options.removeprefix(', ')}").replace("{options}", options)
    named = _named(layer)
    rest = "".join(
        f", {name}={value if isinstance(value, Code) else literal(value)}"
        for name, value in values.items()
        if name not in named
        and value is not None
        and ((param := layer.param(name)) is None or value != param.default)
    )
    if "({rest}" in template:
        rest = rest.removeprefix(", ")
    rest = Code(rest.replace("{", "{{").replace("}", "}}"))
    return _Template().vformat(template, (), {**values, **inputs, "self": Code("{self}"), "rest": rest})


@cache
def _template_fields(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name)


def _fields_of(layer: Layer) -> frozenset[str]:
    return _template_fields(layer.init, layer.call, *(param.code for param in layer.params))


def _named(layer: Layer) -> frozenset[str]:
    """The values that ``{rest}`` leaves out: what a template names, and what ``infer`` uses up."""
    return _fields_of(layer) | (frozenset(arguments(layer.infer)) if layer.infer else set())


def written_names(layer: Layer, values: Mapping[str, Value]) -> frozenset[str]:
    """Return which of the values stand in a layer's texts."""
    fields = _fields_of(layer)
    rest = values.keys() - _named(layer) if "rest" in fields else set()
    return (fields & values.keys()) | rest
