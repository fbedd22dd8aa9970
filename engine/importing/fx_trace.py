"""torch.fx: layers stay whole, and everything between them becomes calls of torch's functions."""

from __future__ import annotations

import builtins
import math
import operator
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch import Tensor, fx, nn

from engine.importing.calls import Call, ImportingError, Place, Trace
from engine.importing.constructors import layer_of_module

_OPERATORS = {
    operator.add: "+", operator.iadd: "+", operator.sub: "-", operator.isub: "-", operator.mul: "*",
    operator.imul: "*", operator.truediv: "/", operator.itruediv: "/", operator.floordiv: "//",
    operator.ifloordiv: "//", operator.mod: "%", operator.pow: "**", operator.matmul: "@", operator.gt: ">",
    operator.lt: "<", operator.ge: ">=", operator.le: "<=", operator.eq: "==", operator.ne: "!=",
    operator.and_: "&", operator.or_: "|", operator.xor: "^",
}  # fmt: skip
_UNARY = {operator.neg: "-", operator.invert: "~", operator.pos: "+"}
_PLAIN = {
    len: "len",
    int: "int",
    float: "float",
    max: "max",
    min: "min",
    abs: "abs",
    sum: "sum",
    round: "round",
}
_ROOT = "model"
"""The attribute under which the user's model stands in the module that is traced."""


class Untraceable(Exception):
    """Where fx could not follow: the path of a module, the reason, and the line of the user's code."""

    def __init__(self, path: str, reason: str, line: str = ""):
        super().__init__(reason)
        self.path = path
        self.reason = reason
        self.line = line


class _Tracer(fx.Tracer):
    def __init__(self, module: nn.Module, opaque: Sequence[str]):
        super().__init__(autowrap_modules=(math,))
        # Asked before tracing, which hands out stand-ins for the attributes that tell a layer.
        self.leaves = {id(each): layer_of_module(each) is not None for each in module.modules()}
        self.opaque = {f"{_ROOT}.{path}" for path in opaque}
        self.failed: Untraceable | None = None

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self.opaque or self.leaves.get(id(m), False)

    def call_module(self, m: nn.Module, forward: Any, args: tuple, kwargs: dict) -> Any:
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception as error:
            if self.failed is None:
                path = self.path_of_module(m).removeprefix(_ROOT).removeprefix(".")
                self.failed = Untraceable(path, _first_line(error), where_in(error))
            raise


def where_in(error: BaseException) -> str:
    """Return the line of the user's code on which an error was born: ``net.py, line 12: if x.sum() > 0:``."""
    own = (torch.__path__[0], str(Path(__file__).parent), "<")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(own)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {frames[-1].line}" if frames else ""


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def trace_module(module: nn.Module, inputs: Sequence[str], opaque: Sequence[str] = ()) -> Trace:
    """Return a module's calls; ``opaque`` are paths of modules that stay whole.

    Raises Untraceable with the innermost module that fx cannot follow.
    """
    root = _root(module, inputs)
    tracer = _Tracer(module, opaque)
    try:
        graph = tracer.trace(root)
    except Exception as error:  # whatever the user's own code raises for a stand-in of a tensor
        raise tracer.failed or Untraceable("", _first_line(error), where_in(error)) from error
    return _Reader(root, graph).trace(type(module).__name__)


def _root(module: nn.Module, inputs: Sequence[str]) -> nn.Module:
    """A module whose ``forward`` takes exactly these inputs and gives them to the user's model by name."""
    given = ", ".join(f"{name}={name}" for name in inputs)
    namespace: dict[str, Any] = {}
    exec(f"def forward(self, {', '.join(inputs)}):\n    return self.{_ROOT}({given})\n", namespace)
    root = type("Root", (nn.Module,), {"forward": namespace["forward"]})()
    root.add_module(_ROOT, module)
    root.train(module.training)
    return root


class _Reader:
    """Turns fx nodes into calls."""

    def __init__(self, root: nn.Module, graph: fx.Graph):
        self.root = root
        self.graph = graph
        self.calls: list[Call] = []
        self.texts: dict[fx.Node, str] = {}

    def trace(self, name: str) -> Trace:
        outputs: dict[str, str] = {}
        for node in self.graph.nodes:
            if node.op == "output":
                outputs = output_texts(node.args[0], self._text)
            elif node.op == "placeholder":
                self._add(node, Call(node.target, role="input"))
            elif node.op == "get_attr":
                self._add(node, self._tensor(node))
            elif node.op == "call_module":
                self._module(node)
            elif getattr(node.target, "__name__", "") not in ("_assert", "_assert_is_none"):
                self._function(node)
        return Trace(name, self.calls, outputs)

    def _add(self, node: fx.Node, call: Call) -> None:
        call.places = self._places(node)
        self.calls.append(call)
        self.texts[node] = call.name

    def _tensor(self, node: fx.Node) -> Call:
        value: Any = self.root
        for part in node.target.split("."):
            value = getattr(value, part)
        path = node.target.removeprefix(f"{_ROOT}.")
        if not isinstance(value, Tensor):
            raise Untraceable("", f"{path} is no tensor")
        return Call(f"v_{node.name}", role="tensor", path=path, tensor=value)

    def _module(self, node: fx.Node) -> None:
        module = self.root.get_submodule(node.target)
        path = node.target.removeprefix(_ROOT).removeprefix(".")
        text = f"self({self._arguments(node.args, node.kwargs)})"
        self._add(node, Call(f"v_{node.name}", text, path=path, module=module))
        if getattr(module, "inplace", False) and node.args:
            self.texts[node.args[0]] = self.texts[node]

    def _function(self, node: fx.Node) -> None:
        target, changes = node.target, False
        kwargs = dict(node.kwargs)
        if kwargs.pop("inplace", False) is True:
            changes = True
        if node.op == "call_method":
            changes = changes or (target.endswith("_") and not target.endswith("__"))
            text = (
                f"{self._text(node.args[0])}.{target.rstrip('_')}({self._arguments(node.args[1:], kwargs)})"
            )
        elif target in _OPERATORS:
            a, b = map(self._text, node.args)
            text = f"{a} {_OPERATORS[target]} {b}"
            changes = target.__name__.startswith("i") and target is not operator.invert
        elif target in _UNARY:
            text = f"{_UNARY[target]}{self._text(node.args[0])}"
        elif target is operator.getitem:
            text = f"{self._text(node.args[0])}[{index_text(node.args[1], self._text)}]"
        elif target is builtins.getattr:
            text = f"{self._text(node.args[0])}.{node.args[1]}"
        elif target is operator.setitem:
            raise Untraceable("", "a tensor is written into in place (x[...] = y)")
        else:
            text = f"{self._named(target)}({self._arguments(node.args, kwargs)})"
        self._add(node, Call(f"v_{node.name}", text))
        if changes and isinstance(node.args[0], fx.Node):
            self.texts[node.args[0]] = self.texts[node]

    def _named(self, target: Any) -> str:
        if target in _PLAIN:
            return _PLAIN[target]
        name = getattr(target, "__name__", "")
        for prefix, holder in (("torch", torch), ("F", torch.nn.functional), ("math", math)):
            if getattr(holder, name, None) is target:
                return f"{prefix}.{name}"
        for known in dir(torch.nn.functional):  # F.max_pool2d is a function called fn
            if getattr(torch.nn.functional, known) is target:
                return f"F.{known}"
        raise Untraceable(
            "", f"it calls {getattr(target, '__module__', '')}.{name}, which is no function of torch"
        )

    def _places(self, node: fx.Node) -> tuple[Place, ...]:
        stack = node.meta.get("nn_module_stack") or {}
        found = [
            Place(key.removeprefix(_ROOT).removeprefix("."), getattr(kind, "__name__", str(kind)))
            for key, (_, kind) in stack.items()
        ]
        places = tuple(place for place in found if place.path)
        return places[:-1] if node.op == "call_module" else places

    def _arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        return ", ".join([*map(self._text, args), *(f"{name}={self._text(v)}" for name, v in kwargs.items())])

    def _text(self, value: Any) -> str:
        return self.texts[value] if isinstance(value, fx.Node) else value_text(value, self._text)


def value_text(value: Any, text: Any = repr) -> str:
    """Return an argument as Python; raises Untraceable for one that has no short form."""
    if isinstance(value, tuple):
        inner = ", ".join(map(text, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "math.nan" if value != value else ("-" if value < 0 else "") + "math.inf"
    if value is None or isinstance(value, bool | int | float | str | torch.dtype):
        return repr(value)
    if value is Ellipsis:
        return "..."
    if isinstance(value, slice):
        return f"slice({text(value.start)}, {text(value.stop)}, {text(value.step)})"
    if isinstance(value, torch.device):
        return repr(str(value))
    if isinstance(value, torch.memory_format | torch.layout):
        return str(value)
    raise Untraceable("", f"it uses {type(value).__name__} as an argument")


def index_text(index: Any, text: Any) -> str:
    """Return what stands in brackets: slices in their short form."""
    parts = index if isinstance(index, tuple) else (index,)
    if not parts:
        return "()"
    return ", ".join(map(lambda part: _slice_text(part, text), parts)) + (
        "," if len(parts) == 1 and isinstance(index, tuple) else ""
    )


def _slice_text(part: Any, text: Any) -> str:
    if not isinstance(part, slice):
        return text(part)
    ends = ["" if each is None else text(each) for each in (part.start, part.stop)]
    return ":".join(ends) + ("" if part.step in (None, 1) else f":{text(part.step)}")


def output_texts(result: Any, text: Any) -> dict[str, str]:
    """Return what a model gives as texts by name: of a dict by its keys, of several in their order."""
    if isinstance(result, fx.Node):
        return {"output": text(result)}
    flat, _ = pytree.tree_flatten_with_path(result)
    found: dict[str, str] = {}
    for path, value in flat:
        if value is None or isinstance(value, bool | int | float | str):
            continue
        name = re.sub(
            r"\W+",
            "_",
            "_".join(str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", "")))) for k in path),
        )
        name = name if name and not name[0].isdigit() else f"output{name}"
        found[name.strip("_") or "output"] = text(value)
    if not found:
        raise ImportingError("The model returns no tensor.")
    return found
