"""How weights begin, as lines of a function ``initialize`` beside the loss: written, and checked."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from torch import nn

from engine.compiler.template import literal
from engine.errors import CompileError
from engine.graph.blocks import ROLE
from engine.graph.document import Document, Node
from engine.inits import INITS, Init
from engine.layers.params import Value

if TYPE_CHECKING:  # the guard knows these lines, and what resolves a graph asks the guard
    from engine.compiler.resolve import Resolution, Step

HELPER = "initialize_weights"
"""The function of ``engine.modules`` that a line calls; its file is called ``initialization``."""

_PATH = r"model(\.[A-Za-z]\w*(\[\d+\])?)*"
_COPY = re.compile(rf"{_PATH}\.layer\.load_state_dict\({_PATH}\.state_dict\(\)\)")


@dataclass(frozen=True)
class Beginning:
    """How the weights of the module at ``path`` begin: ``model``, ``model.conv1``, ``model.stage[0].conv1``.

    ``node`` is what the line belongs to: an id, in a block ``Bottleneck/conv1``, empty for the whole model.
    A copy of a layer begins as its ``source`` does, which is a path too.
    """

    path: str
    type: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    node: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """The line of Python."""
        if self.source:
            return f"{self.path}.layer.load_state_dict({self.source}.state_dict())"
        given = arguments_of(INITS[self.type], self.options)
        words = "".join(f", {name}={literal(value)}" for name, value in given.items())
        return f"{HELPER}({self.path}, nn.init.{self.type}_{words})"


def arguments_of(init: Init, options: Mapping[str, Value]) -> dict[str, Value]:
    """Return what torch's function is called with: the arguments that differ from its own defaults."""
    usual = defaults_of(init.type)
    given = init.arguments(options)
    return {name: value for name, value in given.items() if name not in usual or usual[name] != value}


@cache
def defaults_of(type_: str) -> Mapping[str, Value]:
    """Return what torch's function takes where nothing is said, by argument."""
    signature = inspect.signature(getattr(nn.init, f"{type_}_"))
    return {
        name: each.default
        for name, each in signature.parameters.items()
        if each.default is not inspect.Parameter.empty
    }


def beginnings(document: Document, resolution: Resolution, model: Collection[str]) -> tuple[Beginning, ...]:
    """Return how the weights of a model with these nodes begin: what holds for more comes first.

    Empty where all begin as torch lets them.
    """
    training = document.training
    first = [Beginning("model", training.init, training.init_options)] if training.init else []
    graph = _Graph(document, resolution, document.nodes, model, "model", "")
    own = list(graph.own())
    return (*first, *own, *graph.copies()) if first or own else ()


@dataclass(frozen=True)
class _Graph:
    """One graph on the way inside: the whole document's, or that of one use of a block at ``path``."""

    document: Document
    resolution: Resolution
    nodes: Mapping[str, Node]
    model: Collection[str]
    path: str
    inside: str

    def own(self) -> Iterator[Beginning]:
        """What nodes say for themselves, each before what stands inside of it; shared weights once."""
        for name, step in self._layers.items():
            node = self.nodes.get(name, self.nodes[step.node])
            if (learning := node.learning).init:
                where = f"{self.path}.{name}"
                yield Beginning(where, learning.init, learning.init_options, self.inside + node.id)
            for graph in self._within(step):
                yield from graph.own()

    def copies(self) -> Iterator[Beginning]:
        """Copies of layers, which took over what those were before they began: each after what it copies."""
        waiting = {step.attribute: step for step in self._steps if step.copies}
        while waiting:
            ready = (name for name, step in waiting.items() if step.copies.node not in waiting)
            name = next(ready, next(iter(waiting)))  # a circle is refused where the constructor is written
            step = waiting.pop(name)
            source = f"{self.path}.{step.copies.node}"
            yield Beginning(f"{self.path}.{name}", node=self.inside + step.node, source=source)
        for step in self._layers.values():
            for graph in self._within(step):
                yield from graph.copies()

    @property
    def _steps(self) -> list[Step]:
        steps = self.resolution.steps
        return [steps[id] for id in self.resolution.order if id in steps and id in self.model]

    @property
    def _layers(self) -> dict[str, Step]:
        """The layers that are no copies, by their attribute."""
        found: dict[str, Step] = {}
        for step in self._steps:
            if (step.init or step.layer.role == ROLE) and not step.copies:
                found.setdefault(step.attribute, step)
        return found

    def _within(self, step: Step) -> Iterator[_Graph]:
        """The graph of every block that a node has in a row, none where it is no block."""
        if step.layer.role == ROLE:
            block, row = self.document.blocks[step.layer.type], self.resolution.blocks[step.node]
            for place, use in enumerate(row):
                path = f"{self.path}.{step.attribute}" + (f"[{place}]" if len(row) > 1 else "")
                yield _Graph(self.document, use, block.nodes, block.nodes, path, f"{block.name}/")


def check_initialize(function: ast.FunctionDef) -> None:
    """Raise CompileError unless a function holds lines as ``Beginning`` writes them, and nothing else."""
    head = ast.unparse(ast.FunctionDef(**{**vars(function), "body": [ast.Pass()]}))
    if head != "def initialize(model: nn.Module) -> None:\n    pass":
        raise CompileError("Generated code may define initialize(model: nn.Module) -> None alone.")
    for statement in function.body:
        if not isinstance(statement, ast.Expr) or not (
            isinstance(statement.value, ast.Constant) or is_beginning(statement.value)
        ):
            raise CompileError(f"Generated code may not initialize by {ast.unparse(statement)[:100]}.")


def is_beginning(call: ast.expr) -> bool:
    """Return whether a call is as ``Beginning`` writes it: of paths, functions of nn.init, and literals."""
    if not isinstance(call, ast.Call):
        return False
    if ast.unparse(call.func) != HELPER:
        return bool(_COPY.fullmatch(ast.unparse(call)))
    if len(call.args) != 2 or not re.fullmatch(_PATH, ast.unparse(call.args[0])):
        return False
    name = ast.unparse(call.args[1])
    known = name.startswith("nn.init.") and name.endswith("_") and name[8:-1] in INITS
    return known and all(each.arg and _is_literal(each.value) for each in call.keywords)


def _is_literal(value: ast.expr) -> bool:
    try:
        return isinstance(ast.literal_eval(value), bool | int | float | str)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
