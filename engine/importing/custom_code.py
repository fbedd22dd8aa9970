"""What the catalogue has no layer for, as a custom layer: a function of tensors that holds the one call."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping, Sequence

from engine.importing.calls import About, Call
from engine.importing.normalize import BATCH_NAME, called

_LETTERS = ("x", "y", "z", "a", "b", "c", "d", "e")


def custom_source(
    call: Call, expression: ast.expr, names: Sequence[str], like: str | None, taken: Mapping[str, str]
) -> tuple[str, str, list[str]]:
    """Return the type, the source and the ports of a custom layer that computes an expression.

    ``names`` are the values that it reads; the batch size is that of ``like``. A layer with the same body is
    used again.
    """
    ports = [_LETTERS[n] if n < len(_LETTERS) else f"x{n}" for n in range(len(names))]
    new = dict(zip(names, ports, strict=True))
    body = _Rename(new, new.get(like or "", "")).visit(copy.deepcopy(expression))
    text = ast.unparse(ast.fix_missing_locations(body))
    count = (
        len(call.shapes[0])
        if isinstance(call.shapes[0], tuple) and not isinstance(call.shapes[0], About)
        else 1
    )
    returns = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
    word = _word(expression)

    def source(name: str) -> str:
        arguments = ", ".join(f"{port}: Tensor" for port in ports)
        lines = [
            f"def {name}({arguments}) -> {returns}:",
            f'    """{text[:90].replace(chr(34), chr(39))}."""',
        ]
        return "\n".join([*lines, f"    return {text}", ""])

    name, number = word, 1
    while name in taken and taken[name] != source(name):
        number += 1
        name = f"{word}{number}"
    return name, source(name), ports


def _word(expression: ast.expr) -> str:
    """Return a name for what an expression does: that of its function, else of its operator."""
    name = called(expression)[0] or {
        ast.Subscript: "index", ast.Compare: "compare", ast.BinOp: "arithmetic", ast.UnaryOp: "unary",
    }.get(type(expression), "operation")  # fmt: skip
    return (re.sub(r"\W|^_+|_+$", "", name) or "operation") + "_op"


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str], like: str):
        self.names = names
        self.like = like

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == BATCH_NAME and self.like:
            return ast.parse(f"{self.like}.size(0)", mode="eval").body
        return ast.Name(self.names.get(node.id, node.id), node.ctx)
