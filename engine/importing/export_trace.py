"""torch.export: a flat graph of operators, read as the functions that people write."""

from __future__ import annotations

import contextlib
import io
import logging
import operator
import string
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind

from engine.importing.aten import SKIPPED, TEMPLATES
from engine.importing.calls import BATCHES, Call, Place, Trace
from engine.importing.examples import Example, tensors
from engine.importing.fx_trace import Untraceable, output_texts, value_text, where_in

_END = 2**62
_SYMBOLIC = {
    operator.mul: "*", operator.add: "+", operator.sub: "-", operator.floordiv: "//", operator.truediv: "/",
    operator.mod: "%", operator.pow: "**",
}  # fmt: skip
_SIZED = {"view", "reshape", "_unsafe_view", "expand"}
"""Operators whose second argument is a shape."""


def export_module(module: nn.Module, examples: Sequence[Example]) -> ExportedProgram:
    """Return a module as torch.export sees it, its batch left open. Raises Untraceable with the reason."""
    given = tensors(examples, BATCHES[0])
    shapes = {each.name: {0: Dim.AUTO} for each in examples}
    try:
        with quiet():
            return torch.export.export(module, (), given, dynamic_shapes=shapes, strict=False)
    except Exception as error:  # the user's own code, or one of many kinds of torch's
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Untraceable("", reason, where_in(error)) from error


def trace_program(
    program: ExportedProgram, name: str, module: nn.Module | None = None, batch: int | None = None
) -> Trace:
    """Return an exported program's calls.

    ``module`` is where it came from, if that is known; ``batch`` the batch size that stands in its shapes,
    where it was exported for a single one.
    """
    with quiet():
        program = program.run_decompositions({})  # without in-place operators
    return _Reader(program, module, batch).trace(name)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's advice about its own parts out of the terminal; what matters is raised."""
    loggers = [logging.getLogger(name) for name in ("torch.fx.experimental.symbolic_shapes", "torch.export")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _Reader:
    def __init__(self, program: ExportedProgram, module: nn.Module | None, batch: int | None):
        self.program = program
        self.modules = dict(module.named_modules()) if module else {}
        self.batch = batch
        self.calls: list[Call] = []
        self.texts: dict[fx.Node, str] = {}
        self.first = ""

    def trace(self, name: str) -> Trace:
        graph = self.program.graph
        stored = self._stored()
        for node in graph.nodes:
            if node.op == "placeholder":
                if node.name in stored:
                    path, value = stored[node.name]
                    self._add(node, Call(f"v_{node.name}", role="tensor", path=path, tensor=value))
                elif isinstance(node.meta.get("val"), Tensor):
                    self.first = self.first or node.name
                    self._add(node, Call(node.name, role="input"))
            elif node.op == "call_function" and _name(node) not in SKIPPED:
                self._call(node)
        given = next(node for node in graph.nodes if node.op == "output").args[0]
        spec = self.program.call_spec.out_spec
        if spec is not None and len(given) == spec.num_leaves:
            given = torch.utils._pytree.tree_unflatten(list(given), spec)
        return Trace(name, self.calls, output_texts(given, self._text))

    def _stored(self) -> dict[str, tuple[str, Any]]:
        found: dict[str, tuple[str, Any]] = {}
        for each in self.program.graph_signature.input_specs:
            if each.kind in (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
                value = self.program.state_dict.get(each.target, self.program.constants.get(each.target))
                found[each.arg.name] = (str(each.target), value)
        return found

    def _add(self, node: fx.Node, call: Call) -> None:
        self.calls.append(call)
        self.texts[node] = call.name

    def _call(self, node: fx.Node) -> None:
        places = self._places(node)
        leaf = places[-1] if places and is_leaf(places[-1]) else None
        text = self._of_module(node, leaf) or self._written(node)
        call = Call(
            f"v_{node.name}", text, places=places[:-1] if leaf else places, path=leaf.path if leaf else ""
        )
        self._add(node, call)

    def _of_module(self, node: fx.Node, leaf: Place | None) -> str:
        """Return the call of a layer that leaves nothing in evaluation: dropout."""
        module = self.modules.get(leaf.path.partition("@")[0]) if leaf else None
        if isinstance(module, nn.Dropout) and _name(node) == "clone" and module.p:
            return f"F.dropout({self._text(node.args[0])}, {module.p}, False)"
        return ""

    def _written(self, node: fx.Node) -> str:
        target, name = node.target, _name(node)
        if target is operator.getitem:
            return f"{self._text(node.args[0])}[{self._text(node.args[1])}]"
        if target in _SYMBOLIC:
            return f"({self._text(node.args[0])} {_SYMBOLIC[target]} {self._text(node.args[1])})"
        if not isinstance(target, torch._ops.OpOverload):
            raise Untraceable(self._path(node), f"it uses {getattr(target, '__name__', target)}")
        given = self._given(node, target)
        if name in TEMPLATES:
            return _filled(TEMPLATES[name], given)
        args = [self._text(each) for each in node.args]
        args += [
            f"{key}={self._text(v)}" for key, v in node.kwargs.items() if key not in ("pin_memory", "layout")
        ]
        for prefix, holder in (("torch", torch), ("F", F)):
            if hasattr(holder, name):
                return f"{prefix}.{name}({', '.join(args)})"
        if hasattr(Tensor, name) and args:
            return f"{args[0]}.{name}({', '.join(args[1:])})"
        raise Untraceable(self._path(node), f"{target} has no form that people write")

    def _given(self, node: fx.Node, target: Any) -> dict[str, str]:
        """Return the texts of arguments by place and by name, defaults filled in."""
        given: dict[str, str] = {}
        for place, argument in enumerate(target._schema.arguments):
            if place < len(node.args):
                value = node.args[place]
            elif argument.name in node.kwargs:
                value = node.kwargs[argument.name]
            else:
                value = argument.default_value if argument.has_default_value() else None
            value = self._batched(node, place, value)
            given[str(place)] = given[argument.name] = self._text(value)
        if _name(node) == "slice":
            given["slice"] = self._slice(node)
        if _name(node) == "index":
            given["indices"] = ", ".join(":" if each is None else self._text(each) for each in node.args[1])
        return given

    def _batched(self, node: fx.Node, place: int, value: Any) -> Any:
        """Write the batch for the number that stood for it, in a program of a single batch size."""
        if (
            self.batch is None
            or place != 1
            or _name(node) not in _SIZED
            or not isinstance(value, list | tuple)
        ):
            return value
        shape = node.meta["val"].shape
        source = node.args[0].meta["val"].shape
        if (
            value
            and value[0] == self.batch == shape[0]
            and (source[0] == self.batch or _name(node) == "expand")
        ):
            return [_Code(f"{self.first}.size(0)"), *value[1:]]
        return value

    def _slice(self, node: fx.Node) -> str:
        dim, start, end, step = (*node.args[1:], *(0, None, None, 1)[len(node.args) - 1 :])[:4]
        rank = len(node.args[0].meta["val"].shape)
        start = "" if start in (0, None) else self._text(start)
        end = "" if end is None or (isinstance(end, int) and end >= _END) else self._text(end)
        part = f"{start}:{end}" + (f":{step}" if step != 1 else "")
        return ", ".join([*[":"] * (dim % rank), part])

    def _places(self, node: fx.Node) -> tuple[Place, ...]:
        stack = node.meta.get("nn_module_stack") or {}
        found = []
        for key, (path, kind) in stack.items():
            name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
            again = str(key).partition("@")[2]
            if path and not str(key).startswith("_"):
                found.append(Place(path + (f"@{again}" if again and "@" not in path else ""), name))
        return tuple(found)

    def _path(self, node: fx.Node) -> str:
        places = self._places(node)
        return places[-1].path if places else ""

    def _text(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            if value not in self.texts:
                raise Untraceable(self._path(value), f"{value} has no value")
            return self.texts[value]
        if isinstance(value, _Code):
            return str(value)
        if isinstance(value, torch.SymInt):
            raise Untraceable("", "a size depends on the numbers in a tensor")
        return value_text(
            list(value) if isinstance(value, fx.immutable_collections.immutable_list) else value, self._text
        )


def is_leaf(place: Place) -> bool:
    """Whether a module is a layer of torch, and no container of others."""
    name = place.type.rpartition(".")[2]
    return place.type.startswith("torch.nn.") and name not in ("Sequential", "ModuleList", "ModuleDict")


class _Code(str):
    """Text that is code already."""


def _name(node: fx.Node) -> str:
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return target._schema.name.partition("::")[2]
    return getattr(target, "__name__", "")


def _filled(template: str, given: Mapping[str, str]) -> str:
    """Fill a template; an argument that is named and None is left away."""
    fields = {name: given.get(name, "None") for _, name, _, _ in string.Formatter().parse(template) if name}
    return template.format(
        *(given.get(str(place), "None") for place in range(10)),
        **{k: v for k, v in fields.items() if not k.isdigit()},
    )
