"""The templates of declarations as syntax trees with holes, so that code can be matched against them."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from engine.layers.declaration import Layer
from engine.layers.params import Value


@dataclass(frozen=True, eq=False)
class Pattern:
    """A template of a layer; holes are names that begin with IN, MANY, CHAIN, VAL, VALS, SELF or REST."""

    layer: Layer
    tree: ast.expr
    fixed: Mapping[str, Value]

    @property
    def size(self) -> int:
        """How much of it is told, so that the most special pattern is tried first."""
        return sum(not (isinstance(node, ast.Name) and hole_of(node)[0]) for node in ast.walk(self.tree))


def hole_of(node: ast.expr) -> tuple[str, str]:
    """Return the kind and the name of a hole, or two empty texts."""
    kind, _, name = node.id.partition("__") if isinstance(node, ast.Name) else ("", "", "")
    return (kind, name) if kind in ("IN", "MANY", "CHAIN", "VAL", "VALS", "SELF", "REST") else ("", "")


def patterns_of(layer: Layer, template: str, fixed: Mapping[str, Value] | None = None) -> Iterator[Pattern]:
    """Give a template's tree, once for each set of optional inputs and parameters that makes sense."""
    optional = [port.optional for port in layer.inputs if port.optional]
    optional += [param.code for param in layer.params if param.code]
    sets = chain.from_iterable(combinations(optional, count) for count in range(len(optional), -1, -1))
    for codes in sets if "{options}" in template else [()]:
        text = template.replace("{options}", "".join(codes))
        try:
            tree = ast.parse(_with_holes(layer, text), mode="eval").body
        except SyntaxError:  # half a pair of optional inputs
            continue
        yield Pattern(layer, tree, fixed or {})


def _with_holes(layer: Layer, template: str) -> str:
    variadic = {port.name for port in layer.inputs if port.variadic}
    inputs = {port.name for port in layer.inputs}
    text = ""
    for literal, name, spec, _ in string.Formatter().parse(template):
        text += literal
        port, _, place = (name or "").partition(".")
        if name is None:
            continue
        if name in ("self", "rest"):
            text += "SELF__" if name == "self" else ("" if literal.endswith("(") else ", ") + "**REST__"
        elif port in variadic and not place:
            text += f"CHAIN__{port}{spec}CHAIN__{port}" if spec.strip(", ") else f"*MANY__{port}"
        elif port in inputs:
            text += f"IN__{port}" + (f"__{place}" if place else "")
        else:
            text += f"*VALS__{name}" if spec else f"VAL__{name}"
    return text


def index(patterns: Iterable[Pattern]) -> Mapping[str, tuple[Pattern, ...]]:
    """Return patterns by what stands at the top of their tree, the most special first."""
    found: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        found.setdefault(key_of(pattern.tree), []).append(pattern)
    return {key: tuple(sorted(each, key=lambda p: -p.size)) for key, each in found.items()}


def key_of(tree: ast.expr) -> str:
    if isinstance(tree, ast.Call):
        return dotted(tree.func).rpartition(".")[2] + "()"
    operator = getattr(tree, "op", None) or next(iter(getattr(tree, "ops", ())), None)
    return type(operator or tree).__name__


def dotted(function: ast.expr) -> str:
    """Return ``F.relu``, ``nn.Linear``, ``torch.cat``, ``Block``, or ``.flatten`` for a tensor's method."""
    text = ast.unparse(function) if _isdotted(function) else ""
    for long, short in (("torch.nn.functional.", "F."), ("nn.functional.", "F."), ("torch.nn.", "nn.")):
        text = text.replace(long, short, 1) if text.startswith(long) else text
    if text.partition(".")[0] in ("torch", "F", "nn") or isinstance(function, ast.Name):
        return text
    return f".{function.attr}" if isinstance(function, ast.Attribute) else ""


def _isdotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
