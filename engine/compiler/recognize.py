"""From code back to layers: the declarations' own templates, read the other way round.

A template becomes a syntax tree with holes for inputs, parameters and ``{rest}``; what a person wrote is
matched against it. There is no code for any single layer here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache

from engine import catalogue
from engine.compiler import signatures
from engine.compiler.matching import Match, Recognized, Refused
from engine.compiler.patterns import Pattern, dotted, index, key_of, patterns_of
from engine.compiler.spellings import CALLS, INITS
from engine.errors import ParameterError, ReadError
from engine.layers.declaration import Layer
from engine.layers.params import Value

Result = str | tuple["Result", ...]
"""What a call gives: an output port, or a tuple of such."""


def recognize_init(call: ast.expr, customs: tuple[Layer, ...] = ()) -> Recognized | None:
    """Return the layer that an expression such as ``nn.Conv2d(3, 32, 5)`` makes, or None if none does.

    ``customs`` are layers that a document brings along.

    Raises EngineError for a layer that is known but cannot be had in this way, with the reason.
    """
    own = index(pattern for layer in customs if layer.init for pattern in patterns_of(layer, layer.init))
    return _recognize(own, call) or _recognize(_inits(), call)


def recognize_call(call: ast.expr, customs: tuple[Layer, ...] = ()) -> Recognized | None:
    """Return the layer without weights that an expression such as ``F.relu(x)`` applies, or None.

    ``customs`` are layers that a document brings along.

    Raises EngineError for a layer that is known but cannot be had in this way, with the reason.
    """
    free = (layer for layer in customs if layer.call and not layer.init)
    own = index(pattern for layer in free for pattern in patterns_of(layer, layer.call))
    return _recognize(own, call) or _recognize(_calls(), call)


def recognize_use(layer: Layer, call: ast.Call) -> Recognized:
    """Return what enters the ports of a layer whose attribute is called: ``self.lstm(x, (h, c))``.

    Raises EngineError if the layer is not called like this.
    """
    found = _recognize(_uses(layer), call, "self")
    if found is None:
        names = ", ".join(port.name for port in layer.inputs)
        raise ReadError(
            f"{layer.label} takes {names or 'nothing'}; `{ast.unparse(call)}` gives something else."
        )
    return found


def result_of(layer: Layer, params: Mapping[str, Value]) -> Result:
    """Return how a layer's outputs come: a port, or ports in a row as its ``assign`` says."""
    ports = [port.name for port in layer.outputs_of(params)]
    text = layer.assign or ", ".join(f"{{{port}}}" for port in ports)
    tree = ast.parse(text.format(**{port: port for port in ports}), mode="eval").body

    def read(node: ast.expr) -> Result:
        return tuple(map(read, node.elts)) if isinstance(node, ast.Tuple) else node.id

    return read(tree)


def class_name_of(call: ast.expr) -> str:
    """Return what is called, ``nn.Conv2d`` or ``Block``, in the short words of generated code."""
    return dotted(call.func) if isinstance(call, ast.Call) else ""


@cache
def _inits() -> Mapping[str, tuple[Pattern, ...]]:
    patterns: list[Pattern] = []
    for layer in catalogue.layers().values():
        if layer.init:
            patterns += patterns_of(layer, layer.init)
        elif layer.call and signatures.class_of(f"nn.{layer.type}"):
            patterns += patterns_of(layer, f"nn.{layer.type}({{rest}})")
    for spelling in INITS:
        patterns += patterns_of(catalogue.layer(spelling.type), spelling.template, spelling.fixed)
    return index(patterns)


@cache
def _calls() -> Mapping[str, tuple[Pattern, ...]]:
    patterns: list[Pattern] = []
    for layer in catalogue.layers().values():
        if layer.call and not layer.init:
            patterns += patterns_of(layer, layer.call)
    for spelling in CALLS:
        if "{self}" not in spelling.template:
            patterns += patterns_of(catalogue.layer(spelling.type), spelling.template, spelling.fixed)
    return index(patterns)


_used: dict[tuple[str, str], Mapping[str, tuple[Pattern, ...]]] = {}


def _uses(layer: Layer) -> Mapping[str, tuple[Pattern, ...]]:
    """Return the ways to call a layer's attribute; where it has no weights, it is a module all the same."""
    call = layer.call if "{self}" in layer.call else "{self}(" + ", ".join(
        f"{{{port.name}}}" for port in layer.inputs
    ) + ")"  # fmt: skip
    key = (layer.type, call + layer.source)
    if key not in _used:
        own = [each for each in CALLS if each.type == layer.type and "{self}" in each.template]
        patterns = [*patterns_of(layer, call)]
        for spelling in own:
            patterns += patterns_of(layer, spelling.template, spelling.fixed)
        _used[key] = {"self": tuple(sorted(patterns, key=lambda p: -p.size))}
    return _used[key]


def _recognize(index: Mapping[str, tuple[Pattern, ...]], tree: ast.expr, key: str = "") -> Recognized | None:
    reasons: list[str] = []
    tree = _without_rest(tree)
    for pattern in index.get(key or key_of(tree), ()):
        found = Match(pattern)
        try:
            if found.match(pattern.tree, tree):
                return found.recognized()
        except Refused as refused:
            reasons.append(str(refused))
        except ParameterError as error:
            reasons.append(f"{pattern.layer.label}: {error.message}")
    if reasons:
        raise ReadError(reasons[0].rstrip(".") + ".")
    return None


def _without_rest(tree: ast.expr) -> ast.expr:
    """Return ``x[:, 1]`` for ``x[:, 1, :]``: whole dimensions behind say nothing."""
    if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Tuple):
        elements = list(tree.slice.elts)
        while len(elements) > 1 and ast.dump(elements[-1]) == ast.dump(ast.Slice()):
            elements.pop()
        return ast.Subscript(tree.value, ast.Tuple(elements, ast.Load()), tree.ctx)
    return tree
