"""Known numbers in the texts of calls; what depends on the batch size is written as a multiple of ``N``."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from engine.importing.calls import BATCHES, NAMESPACE, About, Call, ImportingError, all_names, names_read
from engine.importing.fx_trace import value_text
from engine.importing.normalize import BATCH_NAME


class Substitute(ast.NodeTransformer):
    """Puts numbers in the place of names that stand for known numbers."""

    def __init__(self, calls: Mapping[str, Call]):
        self.calls = calls

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        known = self._asked(node)
        return known if known is not None else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        known = self._asked(node)
        return known if known is not None else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        call = self.calls.get(node.id)
        if call is None or not call.values:
            return node
        pair = call.values
        if isinstance(pair[0], Tensor):
            if not pair[0].shape and call.known and same(*pair):
                return ast.parse(value_text(pair[0].item()), mode="eval").body
            return node
        if call.role != "call" or not _is_plain(pair[0]):
            return node
        return literal_of(pair)

    def _asked(self, node: ast.expr) -> ast.expr | None:
        """Return the literal of ``x.size(1)`` where it is part of a longer expression."""
        names = all_names(node) & self.calls.keys()
        if not names or any(not self.calls[name].values for name in set(names_read(node)) & names):
            return None
        values = []
        for place in range(len(BATCHES)):
            env = {
                name: call.values[place] if call.values else _Shape(call.shapes[place])
                for name in names
                if (call := self.calls[name]).values or isinstance(call.shapes[place], About)
            }
            try:
                values.append(
                    eval(
                        compile(
                            ast.fix_missing_locations(ast.Expression(copy.deepcopy(node))), "<shape>", "eval"
                        ),
                        {**NAMESPACE, **env},
                    )
                )
            except Exception:
                return None
        return literal_of(tuple(values)) if _is_plain(values[0]) else None


class _Shape:
    """A tensor of which only shape and dtype are known."""

    def __init__(self, about: About):
        self._empty = torch.empty(about.shape, dtype=about.dtype, device="meta")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._empty, name)

    def __len__(self) -> int:
        return len(self._empty)


def literal_of(pair: Sequence[Any]) -> ast.expr:
    """Return a literal; what depends on the batch size is written as a multiple of ``N``."""
    a, b = pair
    if isinstance(a, tuple | list):
        elements = [literal_of(each) for each in zip(a, b, strict=True)]
        return ast.List(elements, ast.Load()) if isinstance(a, list) else ast.Tuple(elements, ast.Load())
    if isinstance(a, slice):
        return literal_of_slice(a, b)
    if a == b or a != a:
        return ast.parse(value_text(a), mode="eval").body
    times, left = divmod(a, BATCHES[0]) if isinstance(a, int) else (0, 1)
    if left or times * BATCHES[1] != b:
        raise ImportingError(
            f"A number depends on the batch size in a way that cannot be drawn: {a} and {b}."
        )
    return ast.parse(BATCH_NAME if times == 1 else f"{times} * {BATCH_NAME}", mode="eval").body


def literal_of_slice(a: slice, b: slice) -> ast.expr:
    parts = [
        literal_of(pair) for pair in zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
    ]
    return ast.Call(ast.Name("slice", ast.Load()), parts, [])


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | slice | torch.dtype | torch.device)


def same(a: Any, b: Any) -> bool:
    """Return whether two values are equal tensors, nan included."""
    return (
        isinstance(a, Tensor)
        and isinstance(b, Tensor)
        and a.shape == b.shape
        and bool(torch.allclose(a.double(), b.double(), rtol=0, atol=0, equal_nan=True))
    )
