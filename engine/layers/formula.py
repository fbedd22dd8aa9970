"""Formulas over a block's parameters: ``channels * 4``; names, whole numbers and + - * // ( )."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import ParameterError, shown

_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
}


@dataclass(frozen=True)
class Formula:
    """A whole number that depends on the parameters of the block around it."""

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ParameterError(f"A formula is a short text such as channels * 4, not {shown(self.text)}.")
        _parse(self.text)

    def __str__(self) -> str:
        return self.text

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that it depends on, each once."""
        found = (node.id for node in ast.walk(_parse(self.text)) if isinstance(node, ast.Name))
        return tuple(dict.fromkeys(found))

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the number for given parameters.

        Raises ParameterError for a name that is no parameter, or a division by zero.
        """
        return _evaluate(_parse(self.text), values)

    def __add__(self, other: Formula | int) -> Formula:
        return Formula(f"{self.text} + {other}")

    def __sub__(self, other: int) -> Formula:
        return Formula(f"{self.text} - {other}")

    def __mul__(self, other: Formula | int) -> Formula:
        return Formula(f"{_inside(self.text)} * {_inside(str(other))}")

    def __floordiv__(self, other: int) -> Formula:
        return Formula(f"{_inside(self.text)} // {other}")


def _inside(text: str) -> str:
    return f"({text})" if isinstance(_parse(text), ast.BinOp) else text


@lru_cache(maxsize=1024)
def _parse(text: str) -> ast.expr:
    """Return the checked expression of a formula's text."""
    if not 0 < len(text) <= 200:
        raise ParameterError(f"A formula is a short text such as channels * 4, not {shown(text)}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ParameterError(f"{shown(text)} is no formula: write it like channels * 4.") from None
    _check(tree, text)
    return tree


def _check(node: ast.expr, text: str) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(node.left, text)
        _check(node.right, text)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, text)
    elif not (
        isinstance(node, ast.Name)
        or (isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 2**31)
    ):
        raise ParameterError(f"{shown(text)} is no formula: it takes names, whole numbers and + - * // ( ).")


def _evaluate(node: ast.expr, values: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in values:
            offer = ", ".join(values) or "none"
            raise ParameterError(f"There is no parameter {node.id!r} here; the block has {offer}.")
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_evaluate(node.operand, values)
    left, right = _evaluate(node.left, values), _evaluate(node.right, values)
    if isinstance(node.op, ast.FloorDiv) and right == 0:
        raise ParameterError("A formula divides by zero.")
    return _OPERATORS[type(node.op)](left, right)
