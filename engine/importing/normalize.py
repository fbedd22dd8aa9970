"""One way to write a call where torch has many, so that the catalogue's templates can read it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.importing.calls import BATCHES, About, Call
from engine.importing.fx_trace import value_text

BATCH_NAME = "N"
"""How the batch size is written in a call's text."""

_LIBRARIES = ("F", "torch")


def normalize(expression: ast.expr, call: Call, calls: Mapping[str, Call], batch: str = "") -> ast.expr:
    """Return the expression in its usual form; the name of another value where it changes nothing.

    ``batch`` is the name of an input whose first size is that of the batch.
    """
    expression = _arguments(expression)
    if isinstance(expression, ast.Subscript):
        return _subscript(expression, calls)
    if isinstance(expression, ast.BinOp):
        return _arithmetic(expression)
    if isinstance(expression, ast.Compare):
        sides = [_as_tensor(expression.left), *map(_as_tensor, expression.comparators)]
        return ast.Compare(sides[0], expression.ops, sides[1:])
    name, args = called(expression)
    if args and isinstance(args[0], ast.Name) and args[0].id in calls:
        source = calls[args[0].id]
        if name in _RESHAPING | _COPYING and source.shapes == call.shapes:
            return args[0]
        if name in _RESHAPING:
            return _reshaped(args[0], source.shapes, call.shapes) or expression
        if name in _EXPANDING:
            return _expanded(args[0], source.shapes, call.shapes, batch) or expression
    rule = _RULES.get(name)
    return rule(expression, args, call) if rule else expression


def called(expression: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return the name of what is called, a function of torch or a method, and its arguments."""
    if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Attribute):
        return "", []
    root = expression.func.value
    library = isinstance(root, ast.Name) and root.id in _LIBRARIES
    return expression.func.attr, [*([] if library else [root]), *expression.args]


_RESHAPING = {
    "reshape", "view", "_unsafe_view", "flatten", "unflatten", "view_as", "reshape_as", "squeeze", "ravel",
}  # fmt: skip
_EXPANDING = {"expand", "expand_as", "broadcast_to"}
_COPYING = {
    "contiguous", "clone", "detach", "alias", "to", "type", "type_as", "float", "cpu", "narrow",
    "lift_fresh_copy", "lift_fresh", *_EXPANDING,
}  # fmt: skip


def _arguments(expression: ast.expr) -> ast.expr:
    """Leave away arguments that are None, and dtypes and devices, which follow from the inputs."""
    if not isinstance(expression, ast.Call):
        return expression
    kept = [
        keyword
        for keyword in expression.keywords
        if keyword.arg
        not in ("device", "pin_memory", "layout", "memory_format", "_stacklevel", "inplace", "dtype")
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)
    ]
    return ast.Call(expression.func, expression.args, kept)


def _reshaped(x: ast.expr, before: Sequence[Any], after: Sequence[Any]) -> ast.expr | None:
    """Return a change of shape in the words of the catalogue, which leave the batch alone."""
    (a, _), (c, d) = before, after
    if not isinstance(a, About) or not isinstance(c, About) or not c.shape:
        return None
    rest = c.shape[1:]
    if rest != d.shape[1:] or not a.shape:
        return None
    if a.shape[0] == c.shape[0]:
        if len(rest) == 1 and len(a.shape) > 2:
            return _method(x, "flatten", 1, library="torch")
        dropped = [dim for dim in range(1, len(a.shape)) if a.shape[:dim] + a.shape[dim + 1 :] == c.shape]
        if dropped and a.shape[dropped[0]] == 1:
            return _method(x, "squeeze", dropped[0])
        added = [dim for dim in range(1, len(c.shape)) if c.shape[:dim] + c.shape[dim + 1 :] == a.shape]
        if added and c.shape[added[0]] == 1:
            return _method(x, "unsqueeze", added[0])
        return _method(x, "reshape", -1, *rest)
    merged = next((n for n in range(1, len(a.shape)) if a.shape[n + 1 :] == rest), None)
    return _method(x, "flatten", 0, merged, library="torch") if merged else None


def _expanded(x: ast.expr, before: Sequence[Any], after: Sequence[Any], batch: str) -> ast.expr | None:
    """Return an expansion in the words of the catalogue: within samples, or of one sample to the batch."""
    (a, _), (c, d) = before, after
    if not isinstance(a, About) or c.shape[1:] != d.shape[1:]:
        return None
    if len(a.shape) == len(c.shape) and a.shape[0] == c.shape[0]:
        return _method(x, "expand", -1, *c.shape[1:])
    if a.shape == (1, *c.shape[1:]) and batch and c.shape[0] == BATCHES[0]:
        size = _method(ast.Name(batch, ast.Load()), "size", 0)
        return ast.Call(ast.Attribute(x, "expand", ast.Load()), [size, *map(ast.Constant, c.shape[1:])], [])
    return None


def _method(x: ast.expr, name: str, *args: Any, library: str = "") -> ast.expr:
    literals = [ast.parse(value_text(arg), mode="eval").body for arg in args]
    if library:
        return ast.Call(ast.Attribute(ast.Name(library, ast.Load()), name, ast.Load()), [x, *literals], [])
    return ast.Call(ast.Attribute(x, name, ast.Load()), literals, [])


def _as_tensor(node: ast.expr) -> ast.expr:
    """Return a number as a tensor, for an input that takes one."""
    number = isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    infinite = (
        isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "math"
    )
    return _call("torch.tensor", node) if number or infinite else node


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.parse(name, mode="eval").body, list(args), [])


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _literal(value: float) -> ast.expr:
    return ast.parse(value_text(value), mode="eval").body


def _arithmetic(node: ast.BinOp) -> ast.expr:
    """Arithmetic with a number is one of scale, shift and power."""
    left, right = _number(node.left), _number(node.right)
    if (left is None) == (right is None):
        return node
    x = node.left if left is None else node.right
    number = right if left is None else left
    scale, shift = ast.Mult(), ast.Add()
    match type(node.op).__name__, left is None:
        case "Add", _:
            return ast.BinOp(x, shift, _literal(number))
        case "Sub", True:
            return ast.BinOp(x, shift, _literal(-number))
        case "Sub", False:
            return ast.BinOp(ast.BinOp(x, scale, _literal(-1.0)), shift, _literal(number))
        case "Mult", _:
            return ast.BinOp(x, scale, _literal(number))
        case "Div", True if number:
            return ast.BinOp(x, scale, _literal(1.0 / number))
        case "Div", False:
            power = ast.BinOp(x, ast.Pow(), _literal(-1.0))
            return power if number == 1 else ast.BinOp(power, scale, _literal(number))
        case "Pow", True:
            return ast.BinOp(x, ast.Pow(), _literal(number))
    return node


def _subscript(node: ast.Subscript, calls: Mapping[str, Call]) -> ast.expr:
    """Return brackets over several dimensions as one choice after the other."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    about = (
        calls[node.value.id].shapes[0]
        if isinstance(node.value, ast.Name) and node.value.id in calls
        else None
    )
    if not isinstance(about, About):
        return node
    result: ast.expr = node.value
    used = sum(not _is(part, None) and not _is(part, Ellipsis) for part in parts)
    axis = 0
    for part in parts:
        if _is(part, Ellipsis):
            axis += len(about.shape) - used
            continue
        if _is(part, None):
            result = _method(result, "unsqueeze", axis)
            axis += 1
            continue
        number = _number(part)
        if number is not None:
            result = _method(result, "select", axis, int(number))
            continue
        if not isinstance(part, ast.Slice) or (part.step is not None and _number(part.step) != 1):
            return node
        if not (_whole(part.lower, 0) and (part.upper is None or (_number(part.upper) or 0) >= 2**31)):
            if axis == 0:
                return node
            full = [ast.Slice() for _ in range(axis)]
            result = ast.Subscript(
                result, ast.Tuple([*full, ast.Slice(part.lower, part.upper)], ast.Load()), ast.Load()
            )
        axis += 1
    return result


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _whole(node: ast.expr | None, default: int) -> bool:
    return node is None or _number(node) == default or _is(node, None)


# --- single functions ------------------------------------------------------------------------------------


def _masked_fill(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    x, mask, value = args[:3]
    return _call("torch.where", mask, _as_tensor(value), x)


def _tensors(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    """Numbers in the place of tensors, as in ``torch.where(mask, x, 0)``."""
    return ast.Call(node.func, [_as_tensor(each) for each in node.args], node.keywords)


def _dropout(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    p = args[1] if len(args) > 1 else given.get("p", ast.Constant(0.5))
    if _number(p) == 0:
        return args[0]
    return _call("F.dropout", args[0], p, ast.parse("self.training", mode="eval").body)


def _split(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    dim = args[2] if len(args) > 2 else given.get("dim", ast.Constant(0))
    if not isinstance(call.shapes[0], tuple) or _number(dim) is None:
        return node
    sizes = [about.shape[int(_number(dim) or 0)] for about in call.shapes[0]]
    if len(set(sizes)) == 1 and len(sizes) > 1:
        return _call("torch.chunk", args[0], ast.Constant(len(sizes)), dim)
    return _call("torch.split", args[0], ast.parse(value_text(tuple(sizes)), mode="eval").body, dim)


def _binary(symbol: type[ast.operator]) -> Callable[[ast.Call, list[ast.expr], Call], ast.expr]:
    def rule(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
        alpha = {keyword.arg: keyword.value for keyword in node.keywords}.get("alpha")
        if len(args) < 2 or (alpha is not None and _number(alpha) != 1):
            return node
        return _arithmetic(ast.BinOp(args[0], symbol(), args[1]))

    return rule


def _attention(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    """Attention as it is without dropout, which evaluation has not."""
    named = [keyword for keyword in node.keywords if keyword.arg != "dropout_p"]
    places = ("attn_mask", "dropout_p", "is_causal")
    named += [
        ast.keyword(name, value)
        for name, value in zip(places, args[3:], strict=False)
        if name != "dropout_p" and not _is(value, None)
    ]
    return ast.Call(node.func, args[:3], named)


def _rsqrt(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    return ast.BinOp(args[0], ast.Pow(), ast.Constant(-0.5))


def _t(node: ast.Call, args: list[ast.expr], call: Call) -> ast.expr:
    return _method(args[0], "transpose", 0, 1)


_RULES: Mapping[str, Callable[[ast.Call, list[ast.expr], Call], ast.expr]] = {
    "masked_fill": _masked_fill,
    "where": _tensors,
    "maximum": _tensors,
    "minimum": _tensors,
    "dropout": _dropout,
    "split": _split,
    "split_with_sizes": _split,
    "chunk": _split,
    "add": _binary(ast.Add),
    "sub": _binary(ast.Sub),
    "mul": _binary(ast.Mult),
    "div": _binary(ast.Div),
    "pow": _binary(ast.Pow),
    "rsqrt": _rsqrt,
    "t": _t,
    "scaled_dot_product_attention": _attention,
}
"""What some functions are rewritten as, by their name."""
