"""Blocks as classes: one constructor that serves every use of a block.

Where a number is the same in every use it stays a number. Where it differs, it becomes the parameter or the
formula that equals it in all of them; where none does, one more argument of the constructor, such as
``in_channels``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.compiler.resolve import Resolution, Step
from engine.compiler.template import Code, literal, written_names
from engine.errors import EngineError
from engine.graph.blocks import ROLE, ends_of, innermost_first
from engine.graph.document import Block, Document, Slot
from engine.layers.declaration import TensorType
from engine.layers.formula import Formula


@dataclass(frozen=True)
class BlockClass:
    """A block, ready to be rendered: its constructor's ``parameters`` with defaults, and its steps.

    ``kept`` are the parameters that its calls need, by the attribute that keeps each.
    """

    name: str
    notes: str
    parameters: Mapping[str, int | None]
    steps: tuple[Step, ...]
    arguments: Mapping[Slot, str]
    outputs: Mapping[Slot, str]
    types: Mapping[Slot, TensorType]
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Classes:
    """Every block that a document uses as a class, and what each use gives to its constructor."""

    found: dict[str, BlockClass] = field(default_factory=dict)
    extras: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)
    """By block and argument: the value in each use, keyed by the identity of its resolution."""

    def arguments(self, name: str, use: Resolution) -> dict[str, Any]:
        """Return what a use of a block gives to its constructor, by argument."""
        extra = {argument: values[id(use)] for argument, values in self.extras[name].items()}
        return extra | dict(use.values)

    def finish(self, where: Resolution, step: Step) -> Step:
        """Return a step of the whole document with its text; a block's is the call of its class."""
        return _Writer(self, [where], {}).write(step)

    def used_by(self, steps: Sequence[Step]) -> tuple[BlockClass, ...]:
        """Return the classes that these steps need, those that others contain first."""
        needed = {step.layer.type for step in steps if step.layer.role == ROLE}
        for name in reversed(self.found):
            if name in needed:
                needed |= {step.layer.type for step in self.found[name].steps if step.layer.role == ROLE}
        return tuple(each for name, each in self.found.items() if name in needed)


def make_classes(document: Document, resolution: Resolution) -> Classes:
    """Return a class for each block that the document uses."""
    uses: dict[str, dict[int, Resolution]] = {name: {} for name in innermost_first(document)}
    for name, use in _uses(resolution):
        uses[name][id(use)] = use
    classes = Classes()
    for name, found in uses.items():
        if found:
            _add_class(classes, document.blocks[name], list(found.values()))
    return classes


def _uses(where: Resolution) -> Iterator[tuple[str, Resolution]]:
    for node, inner in where.blocks.items():
        for use in {id(each): each for each in inner}.values():
            yield where.steps[node].layer.type, use
            yield from _uses(use)


def first_uses(resolution: Resolution) -> dict[str, Resolution]:
    """Return what was found in the first use of each block."""
    found: dict[str, Resolution] = {}
    for name, use in _uses(resolution):
        found.setdefault(name, use)
    return found


def _add_class(classes: Classes, block: Block, uses: list[Resolution]) -> None:
    writer = _Writer(classes, uses, block.params)
    first = uses[0]
    ends = ends_of(block)
    outputs = {ends[id]: id for id in block.nodes if id in ends}  # in the order of the ports
    order = [id for id in first.order if id in first.steps]
    steps = tuple(writer.write(first.steps[id]) for id in order)
    classes.extras[block.name] = {
        name: {id(use): value for use, value in zip(uses, values, strict=True)}
        for name, values in writer.extras.items()
    }
    classes.found[block.name] = BlockClass(
        block.name,
        block.notes,
        {**dict.fromkeys(writer.extras), **block.params},
        steps,
        {Slot(id, "y"): id for id, node in block.nodes.items() if node.type == "Input"},
        outputs,
        {
            slot: kind
            for slot, kind in first.types.items()
            if all(use.types.get(slot) == kind for use in uses)
        },
        {attribute: name for attribute, name in writer.kept.items() if _calls_for(steps, attribute)},
    )


def _calls_for(steps: Sequence[Step], attribute: str) -> bool:
    return any(re.search(rf"\bself\.{attribute}\b", step.call) for step in steps)


@dataclass
class _Writer:
    """Writes the steps of one graph so that they hold in every use of it."""

    classes: Classes
    uses: list[Resolution]
    params: Mapping[str, int | None]
    extras: dict[str, list[Any]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def write(self, step: Step) -> Step:
        """Return the step with texts that are right in every use."""
        if step.layer.role == ROLE:
            return replace(step, init=self._construct(step))
        seen = [use.steps[step.node] for use in self.uses]
        names = written_names(step.layer, step.values)
        values = {
            name: self._express(
                step.node, name, [each.values[name] for each in seen], step.formulas.get(name)
            )
            if name in names
            else value
            for name, value in step.values.items()
        }
        return step.written(values, {name: self._keep(value) for name, value in values.items()})

    def _keep(self, value: Any) -> Any:
        """Return the code of a value outside of the constructor, where names are attributes."""
        if not isinstance(value, Code):
            return value
        nodes = self.uses[0].order

        def attribute(match: re.Match) -> str:
            name = match[0]
            while name in nodes:
                name += "_"
            self.kept[name] = match[0]
            return f"self.{name}"

        return Code(re.sub(r"[A-Za-z_]\w*", attribute, value))

    def _express(self, node: str, name: str, values: list[Any], formula: Formula | None) -> Any:
        """Return a literal, or the code of what equals these values in every use."""
        if formula is not None and self.params:
            return Code(formula.text)
        if all(value == values[0] for value in values):
            return values[0]
        for param in self.params:
            if [use.values[param] for use in self.uses] == values:
                return Code(param)
        for text in self._formulas():
            if self._evaluate(text) == values:
                return Code(text)
        for argument, known in self.extras.items():
            if known == values:
                return Code(argument)
        argument = name if name not in self.extras and name not in self.params else f"{node}_{name}"
        self.extras[argument] = values
        return Code(argument)

    def _formulas(self) -> list[str]:
        """The formulas that the graph uses anywhere, short ones first."""
        texts = {each.text for step in self.uses[0].steps.values() for each in step.formulas.values()}
        return sorted(texts, key=lambda text: (len(text), text))

    def _evaluate(self, text: str) -> list[Any]:
        try:
            return [Formula(text).evaluate(use.values) for use in self.uses]
        except EngineError:
            return []

    def _construct(self, step: Step) -> str:
        """Return the call of a block's class, once for each of those in a row."""
        name = step.layer.type
        rows = [use.blocks[step.node] for use in self.uses]
        repeat = self._express(step.node, "repeat", [len(row) for row in rows], step.formulas.get("repeat"))
        first = self._call(name, step, [row[0] for row in rows])
        if repeat == 1:
            return first
        later = self._call(name, step, [row[min(1, len(row) - 1)] for row in rows])
        if later == first:
            return f"nn.Sequential(*({first} for _ in range({repeat})))"
        if repeat == 2:
            return f"nn.Sequential({first}, {later})"
        left = repeat - 1 if isinstance(repeat, int) else f"{repeat} - 1"
        return f"nn.Sequential({first}, *({later} for _ in range({left})))"

    def _call(self, name: str, step: Step, inner: list[Resolution]) -> str:
        """Return the call of a class: what has no default by position, the rest by name where it differs."""
        parameters = self.classes.found[name].parameters
        given = [self.classes.arguments(name, use) for use in inner]
        texts = []
        for argument, default in parameters.items():
            values = [each[argument] for each in given]
            value = self._express(step.node, argument, values, step.formulas.get(argument))
            text = value if isinstance(value, Code) else literal(value)
            if default is None:
                texts.append(text)
            elif value != default:
                texts.append(f"{argument}={text}")
        return f"{name}({', '.join(texts)})"
