"""What the holes of a template stand for in a piece of code."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.compiler import signatures
from engine.compiler.patterns import Pattern, dotted, hole_of
from engine.compiler.signatures import EMPTY, Signature
from engine.compiler.template import arguments
from engine.errors import EngineError, ParameterError
from engine.layers.declaration import Layer
from engine.layers.formula import Formula
from engine.layers.params import Int, Param, Value, check_params

_WITHOUT_MEANING = {"inplace"}
"""Arguments that change where a result is kept, but no result."""


@dataclass(frozen=True)
class Recognized:
    """A layer that was found in code.

    ``params`` are those that the code gives, checked; ``inferred`` the sizes that ``infer`` will find by
    itself, so that a mismatch can be told. ``inputs`` are expressions by port (``xs.0`` for a variadic one).
    """

    type: str
    params: Mapping[str, Value]
    inferred: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, ast.expr] = field(default_factory=dict)


class Refused(Exception):
    """A layer was meant, but something about it cannot be had."""


class Match:
    """What the holes of one pattern stand for."""

    def __init__(self, pattern: Pattern):
        self.pattern = pattern
        self.layer = pattern.layer
        self.values: dict[str, Any] = {}
        self.inferred: dict[str, Any] = {}
        self.inputs: dict[str, ast.expr] = {}

    @property
    def _found(self) -> tuple[dict[str, Any], ...]:
        return self.values, self.inferred, self.inputs

    def recognized(self) -> Recognized:
        """Return the layer with its parameters checked. Raises ParameterError."""
        layer = self.layer
        restored = {}
        sizes = arguments(layer.restore) if layer.restore else ()
        if known := {name: self.inferred[name] for name in sizes if name in self.inferred}:
            try:
                restored = layer.restore(**known)
            except (TypeError, ValueError, IndexError):
                raise ParameterError(f"{', '.join(known)} must be numbers here") from None
        given = {**restored, **self.values, **self.pattern.fixed}
        checked = check_params(layer.params, given)
        return Recognized(layer.type, {name: checked[name] for name in given}, self.inferred, self.inputs)

    def match(self, pattern: ast.expr, tree: ast.AST) -> bool:
        """Return whether a tree has the form of a pattern; what stands in its holes is kept."""
        kind, name = hole_of(pattern)
        if kind:
            return self._fill(kind, name, tree)
        if isinstance(pattern, ast.List | ast.Tuple):
            return self._row(pattern.elts, tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree])
        if isinstance(pattern, ast.BinOp) and hole_of(pattern.left)[0] == "CHAIN":
            return self._chain(hole_of(pattern.left)[1], type(pattern.op), tree)
        if type(pattern) is not type(tree):
            return False
        if isinstance(pattern, ast.Call):
            return self._call(pattern, tree)
        return all(
            self._same(getattr(pattern, name), getattr(tree, name))
            for name in pattern._fields
            if name not in ("ctx", "kind")
        )

    def _same(self, pattern: Any, tree: Any) -> bool:
        if isinstance(pattern, ast.AST):
            return isinstance(tree, ast.AST) and self.match(pattern, tree)
        if isinstance(pattern, list):
            return len(pattern) == len(tree) and all(map(self._same, pattern, tree))
        return pattern == tree

    def _fill(self, kind: str, name: str, tree: Any) -> bool:
        if kind == "SELF":
            return True
        if kind == "IN":
            return _is_tensor(tree) and self._input(name.replace("__", "."), tree)
        return self._value(name, tree)

    def _input(self, port: str, tree: ast.expr) -> bool:
        return ast.dump(self.inputs.setdefault(port, tree)) == ast.dump(tree)

    def _value(self, name: str, tree: ast.expr) -> bool:
        """Keep the value of a parameter or an inferred size; a name or a sum may be a formula."""
        param = self.layer.param(name)
        try:
            value = _literal(tree)
        except ValueError:
            try:
                value = Formula(ast.unparse(tree))
            except EngineError:
                value = None
            if param is not None and (value is None or not param.formulas):
                return False
        if param is None:
            self.inferred[name] = value
            return True
        self.values[name] = _alone(param, value)
        return True

    def _row(self, patterns: list[ast.expr], trees: list[ast.expr]) -> bool:
        """Match elements in a row; a starred hole takes all that are left."""
        if any(isinstance(tree, ast.Starred) for tree in trees):
            return False
        for place, pattern in enumerate(patterns):
            if isinstance(pattern, ast.Starred):
                kind, name = hole_of(pattern.value)
                left = trees[place:]
                if len(left) == 1 and isinstance(left[0], ast.List | ast.Tuple):
                    left = left[0].elts
                if kind == "VALS":
                    return self._value(name, ast.Tuple(left, ast.Load()))
                return bool(left) and all(
                    _is_tensor(tree) and self._input(f"{name}.{n}", tree) for n, tree in enumerate(left)
                )
            if place >= len(trees) or not self.match(pattern, trees[place]):
                return False
        return len(patterns) == len(trees)

    def _chain(self, name: str, operator: type, tree: ast.AST) -> bool:
        """Match ``a + b + c``."""
        terms: list[ast.expr] = []
        while isinstance(tree, ast.BinOp) and isinstance(tree.op, operator):
            terms.insert(0, tree.right)
            tree = tree.left
        terms.insert(0, tree)
        return len(terms) > 1 and all(
            _is_tensor(term) and self._input(f"{name}.{n}", term) for n, term in enumerate(terms)
        )

    def _call(self, pattern: ast.Call, tree: ast.Call) -> bool:
        """Match a call whose arguments may be given by position or by name."""
        wanted, written = dotted(pattern.func), dotted(tree.func)
        itself = hole_of(pattern.func)[0] == "SELF"
        if not itself and wanted.rpartition(".")[2] != written.rpartition(".")[2]:
            return False
        made = _made(self.layer, wanted)
        if made is not None and wanted != written and not itself:
            return False
        own = self.layer.source and (itself or wanted == written)
        if own:
            of = signatures.of_source(self.layer.source, self.layer.type, "forward" if itself else "__init__")
            pairs = [(of, of)]
        elif itself:
            pairs = [(of := self._forward(), of)]
        elif made is not None:
            pairs = [(of := signatures.of_class(made), of)]
        else:
            ours, theirs = signatures.of_function(wanted), signatures.of_function(written)
            pairs = [(a, b) for a in ours for b in theirs]
        method = not itself and not own and made is None
        args = [_receiver(pattern, wanted), _receiver(tree, written)] if method else [[], []]
        reason: Refused | None = None
        for one, other in pairs:
            holes = signatures.bind(one, [*args[0], *pattern.args], pattern.keywords)
            given = signatures.bind(other, [*args[1], *tree.args], tree.keywords)
            if holes is None or given is None:
                continue
            trial = Match(self.pattern)
            for mine, its in zip(self._found, trial._found, strict=True):
                its.update(mine)
            try:
                rest = any(keyword.arg is None for keyword in pattern.keywords)
                if trial._bound(holes, given, other, rest):
                    for mine, its in zip(self._found, trial._found, strict=True):
                        mine.update(its)
                    return True
            except Refused as refused:
                reason = reason or refused
        if reason:
            raise reason
        return False

    def _forward(self) -> Signature:
        init = self.layer.init.partition("(")[0] or f"nn.{self.layer.type}"
        made = _made(self.layer, init)
        return signatures.of_forward(made) if made else ()

    def _bound(
        self, holes: Mapping[str, ast.expr], given: Mapping[str, ast.expr], signature: Signature, rest: bool
    ) -> bool:
        """Match arguments by name; what is not given counts as its default."""
        defaults = {argument.name: argument.default for argument in signature}
        for name, hole in holes.items():
            if name in given:
                if not self.match(hole, given[name]):
                    return self._explain(name, hole, given[name])
            elif defaults.get(name, EMPTY) is EMPTY:
                return False
            elif not self.match(hole, ast.Constant(defaults[name])):
                return self._explain(name, hole, ast.Constant(defaults[name]))
        for name in [name for name in defaults if rest and name not in holes]:
            param = self.layer.param(name)
            default = defaults[name]
            default = getattr(default, "__name__", default) if callable(default) else default
            if param and name not in given and default not in (EMPTY, None) and default != param.default:
                self.values[name] = default
        known = set(arguments(self.layer.restore)) if self.layer.restore else set()
        for name in [name for name in given if name not in holes]:
            if rest and (self.layer.param(name) or name in known):
                if not self._value(name, given[name]):
                    raise Refused(f"{name} of {self.layer.label} is written as a number or a word")
            elif name not in _WITHOUT_MEANING and not _is_default(given[name], defaults.get(name)):
                raise Refused(f"{self.layer.label} of Netwright has no {name}")
        return True

    def _explain(self, name: str, hole: ast.expr, tree: ast.expr) -> bool:
        """Say what a fixed argument must be, where that is the only thing that does not fit."""
        if isinstance(hole, ast.Constant) and isinstance(hole.value, bool) and isinstance(tree, ast.Constant):
            raise Refused(f"{self.layer.label} of Netwright is made with {name}={hole.value}")
        return False


def _made(layer: Layer, name: str) -> type | None:
    """Return the class that a name stands for in a layer's text: one of torch, or one of engine.modules."""
    if layer.module and name == layer.type:
        return getattr(importlib.import_module(f"engine.modules.{layer.module}"), name)
    return signatures.class_of(name)


def _receiver(call: ast.Call, name: str) -> list[ast.expr]:
    """Return the tensor whose method is called, as the first argument."""
    return [call.func.value] if isinstance(call.func, ast.Attribute) and name.startswith(".") else []


def _is_tensor(tree: ast.AST) -> bool:
    """Whether an expression may be a tensor: numbers are told from it by what they are."""
    return isinstance(tree, ast.expr) and not isinstance(
        tree, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Slice | ast.Starred
    )


def _literal(tree: ast.expr) -> Any:
    """Return the value of a literal. Raises ValueError for anything else."""
    try:
        return ast.literal_eval(tree)
    except (TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError from None


def _is_default(tree: ast.expr, default: Any) -> bool:
    try:
        return _literal(tree) == default
    except ValueError:
        return False


def _alone(param: Param, value: Any) -> Any:
    """Return the number of a row of one where a single number is meant, as in ``x.flip([1])``."""
    one = isinstance(value, tuple | list) and len(value) == 1 and isinstance(param, Int)
    return value[0] if one else value
