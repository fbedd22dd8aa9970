"""From the document to a live module: the rendered text is what runs, and every line knows its node."""

from __future__ import annotations

import ast
import itertools
import linecache
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from torch import Tensor, get_rng_state, nn, set_rng_state

from engine.compiler.analysis import SourceText
from engine.compiler.classes import BlockClass
from engine.compiler.custom import execute, known_statements
from engine.compiler.goal import Fields, Goal, make_goal
from engine.compiler.guard import check_source
from engine.compiler.meta import NAMESPACE
from engine.compiler.plan import Plan, make_plan
from engine.compiler.resolve import Step, resolve
from engine.compiler.source import render, render_metrics
from engine.errors import CompileError
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot, Way
from engine.graph.missing import ROLE as MISSING
from engine.graph.missing import why_missing
from engine.graph.modes import active

Steps = tuple[tuple[Step, CodeType], ...]

_count = itertools.count(1)


@dataclass(frozen=True)
class Built:
    """A compiled document.

    ``model`` is on the CPU with fresh weights (seed torch before compiling); ``objectives`` are its losses,
    a goal for each of the document's objectives, called with the model and the data fields by name.
    """

    document: Document
    plan: Plan
    source: SourceText
    model: nn.Module
    objectives: tuple[Goal, ...]
    filename: str
    _names: Mapping[str, Any]
    _steps: Steps
    _loss: Callable[..., Tensor] | None
    _metrics: Callable[..., dict[str, Tensor]]
    _inside: Mapping[str, tuple[BlockClass, Steps]]
    _texts: Mapping[str, SourceText]
    """The texts of the goals, by the names of their files."""
    follow: Callable[[nn.Module, int], None] | None = None
    """Lets the model's copies of layers follow after a training step; None where there are none."""

    @property
    def data(self) -> str:
        """The id of the data node, or an empty text."""
        return self.plan.data

    def goal_text(self, place: int) -> str:
        """Return the function ``losses`` of an objective: the losses that it weighs, as a tuple."""
        return self._texts[f"{self.filename}:goal {place}"].text

    def outputs(self, model: nn.Module, fields: Fields) -> tuple[Tensor, ...]:
        """Return what the model gives, always as a tuple."""
        result = model(*(fields[name] for name in self.plan.arguments.values()))
        return tuple(result) if len(self.plan.outputs) > 1 else (result,)

    def evaluate(self, model: nn.Module, fields: Fields) -> dict[str, Tensor]:
        """Return the total loss and every metric that the losses declare, as scalar tensors."""
        given = (*self.outputs(model, fields), *(fields[name] for name in self.plan.fields.values()))
        total = {"loss": self._loss(*given)} if self._loss else {}
        return total | self._metrics(*given)

    def steps(self, model: nn.Module, fields: Fields) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Run one call at a time and yield each node with its outputs by port: data first, losses last.

        The calls are those of the rendered module, so the values are the same bit for bit.
        """
        return ((node, outputs) for _, node, outputs in self.look(model, fields))

    def look(
        self, model: nn.Module, fields: Fields, way: Way = ()
    ) -> Iterator[tuple[Way, str, dict[str, Tensor]]]:
        """Run one call at a time, inside the blocks on a way too; yield where a node is, it and its outputs.

        The ``way`` names, from outside, the node of each block and which of those in its row is entered. Its
        nodes come before its own outputs, which theirs make: nothing is run twice.
        """
        names = {**self.plan.fields, **self.plan.arguments}
        values: dict[Slot, Tensor] = {slot: fields[name] for slot, name in names.items()}
        for node in dict.fromkeys(slot.node for slot in names):
            yield (), node, {slot.port: values[slot] for slot in names if slot.node == node}
        yield from self._walk(model, self._steps, values, way, ())

    def _walk(
        self, module: nn.Module, steps: Steps, values: dict[Slot, Tensor], way: Way, here: Way
    ) -> Iterator[tuple[Way, str, dict[str, Tensor]]]:
        """Step one graph, whose module is given, and fill its values."""
        for step, code in steps:
            inputs = [values[slot] for slot in step.inputs]
            if way and step.node == way[0][0] and step.layer.type in self._inside:
                flat = yield from self._enter(module, step, inputs, way, here)
            else:
                arguments = {f"a{place}": value for place, value in enumerate(inputs)}
                flat = tuple(_flat(eval(code, {**self._names, "self": module, **arguments})))
            values.update(zip(step.outputs, flat, strict=False))
            yield here, step.node, dict(zip((slot.port for slot in step.outputs), flat, strict=False))

    def _enter(
        self, module: nn.Module, step: Step, inputs: Sequence[Tensor], way: Way, here: Way
    ) -> Generator[tuple[Way, str, dict[str, Tensor]], None, tuple[Tensor, ...]]:
        """Run the blocks of a row one by one, step the one that is entered, and return what the row gives."""
        row = in_a_row(getattr(module, step.attribute))
        block, steps = self._inside[step.layer.type]
        passed = tuple(inputs)
        for place, each in enumerate(row):
            if place != min(way[0][1], len(row) - 1):
                passed = tuple(_flat(each(*passed)))
                continue
            inner = (*here, way[0])
            values = dict(zip(block.arguments, passed, strict=True))
            for slot, value in values.items():
                yield inner, slot.node, {slot.port: value}
            yield from self._walk(each, steps, values, way[1:], inner)
            passed = tuple(values[slot] for slot in block.outputs)
        return passed

    def locate(self, error: BaseException) -> str:
        """Return the node on whose line an exception was born, or an empty text."""
        found = ""
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == self.filename:
                found = self.source.node_at(frame.lineno or 0) or found
            elif frame.filename in self._texts:
                found = self._texts[frame.filename].node_at(frame.lineno or 0) or found
            elif frame.filename.startswith(f"{self.filename}:"):
                found = frame.filename.removeprefix(f"{self.filename}:")
        return found


def compile_document(document: Document) -> Built:
    """Return the document as a module with its losses.

    Raises CompileError, with the node and the port, where it cannot be written down.
    """
    document = active(document)
    state = get_rng_state()  # code of custom layers may draw numbers while it is measured
    plan = make_plan(document, resolve(document))
    set_rng_state(state)
    source = render(plan)
    filename = f"<netwright {plan.name} {next(_count)}>"
    namespace = _execute(source.text, filename, plan.sources)
    linecache.cache[filename] = (len(source.text), None, source.text.splitlines(keepends=True), filename)
    metrics: dict[str, Any] = dict(namespace)
    text = render_metrics(plan)
    check_source(text)
    exec(compile(text, f"{filename}:metrics", "exec"), metrics)
    steps = tuple((step, _compiled(step, f"{filename}:{step.node}")) for step in plan.steps)
    model = namespace[plan.name]()
    if plan.beginnings:
        namespace["initialize"](model)
    goals = [
        (name := f"{filename}:goal {place}", *make_goal(plan, objective, namespace, name))
        for place, objective in enumerate(document.training.objectives if plan.loss else ())
    ]
    loss, follow = namespace.get("loss"), namespace.get("follow")
    names = NAMESPACE | namespace
    inside = {
        block.name: (
            block,
            tuple((step, _compiled(step, f"{filename}:{block.name}/{step.node}")) for step in block.steps),
        )
        for block in plan.classes
    }
    return Built(
        document,
        plan,
        source,
        model,
        tuple(goal for _, goal, _ in goals),
        filename,
        names,
        steps,
        loss,
        metrics["metrics"],
        inside,
        {name: text for name, _, text in goals},
        follow,
    )


def in_a_row(module: nn.Module) -> list[nn.Module]:
    """Return the blocks that stand in a row in a node's module: one, or those of a sequence."""
    return list(module) if isinstance(module, nn.Sequential) else [module]


def _execute(text: str, filename: str, sources: Sequence[str]) -> dict[str, Any]:
    """Execute rendered text; the statements of custom layers from their own sources, with their own lines."""
    written = frozenset().union(*map(known_statements, sources))
    tree = check_source(text, sources)
    rest = [node for node in tree.body if not written or ast.dump(node) not in written]
    imports = [node for node in rest if isinstance(node, ast.Import | ast.ImportFrom)]
    namespace: dict[str, Any] = {"__name__": filename}
    exec(compile(ast.Module(imports, []), filename, "exec"), namespace)
    execute(sources, namespace)
    exec(compile(ast.Module([n for n in rest if n not in imports], []), filename, "exec"), namespace)
    return namespace


def _compiled(step: Step, filename: str) -> CodeType:
    names = [f"a{place}" for place in range(len(step.inputs))]
    return compile(step.call.format(*names, self=f"self.{step.attribute}"), filename, "eval")


def _flat(result: Any) -> Iterator[Tensor]:
    if isinstance(result, tuple | list):
        for each in result:
            yield from _flat(each)
    else:
        yield result


def check_trainable(document: Document) -> None:
    """Raise CompileError with the reason if the document cannot be trained."""
    document = active(document)
    roles = {layer_of(document, node.type).role for node in document.nodes.values()}
    for node in document.nodes.values() if MISSING in roles else ():
        if layer_of(document, node.type).role == MISSING:  # it may be the data, or the loss
            raise CompileError(why_missing(node.type), node.id)
    if "data" not in roles:
        raise CompileError(
            "There is nothing to learn from: add a source of data, such as Digits, and connect it."
        )
    if "loss" not in roles:
        raise CompileError(
            "There is nothing to minimize: add a loss, such as Cross-entropy, after the last layer."
        )
