"""Walking the graph once: every node's step and types, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import catalogue
from engine.compiler.analysis import Problem
from engine.compiler.data import types_of
from engine.compiler.fixes import fix_for
from engine.compiler.guard import check_expression
from engine.compiler.meta import measure, parameters
from engine.compiler.template import Code, arguments, fill
from engine.errors import EngineError
from engine.graph.document import Document, Edge, Node, Slot
from engine.graph.view import order_of
from engine.layers.declaration import Layer, TensorType


@dataclass(frozen=True)
class Step:
    """One line of the network: ``init`` makes the layer, ``call`` runs it.

    ``call`` holds ``{0}``, ``{1}`` ... for its ``inputs`` and ``{self}`` for the layer's attribute;
    ``assign`` holds the names of its output ports. ``metrics`` are further calls over the same inputs,
    ``module`` is the file in ``engine.modules`` that defines its class, where torch does not.
    """

    node: str
    init: str
    call: str
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    assign: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


@dataclass(frozen=True)
class Resolution:
    """What the walk found: steps and types as far as they could be told, and the problems."""

    order: tuple[str, ...]
    steps: Mapping[str, Step]
    types: Mapping[Slot, TensorType]
    parameters: Mapping[str, int]
    macs: Mapping[str, int]
    problems: tuple[Problem, ...]


def resolve(document: Document) -> Resolution:
    """Return every node's step and types; a node that cannot have them gets a problem, the rest goes on."""
    order = order_of(document)
    found = Resolution(tuple(order), {}, {}, {}, {}, ())
    incoming: dict[str, dict[str, Slot]] = {id: {} for id in order}
    for target, source in document.edges.items():
        incoming[target.node][target.port] = source
    problems: list[Problem] = []
    for id in order:
        node = document.nodes[id]
        problems += _resolve_node(node, catalogue.layer(node.type), incoming[id], found)
    return Resolution(found.order, found.steps, found.types, found.parameters, found.macs, tuple(problems))


def _resolve_node(node: Node, layer: Layer, incoming: Mapping[str, Slot], found: Resolution) -> list[Problem]:
    """Enter one node into ``found`` and return its problems."""
    values = layer.values(node.params)
    outputs = [Slot(node.id, port.name) for port in layer.outputs_of(node.params)]
    if layer.role in _WITHOUT_CALL:
        try:
            found.types.update(zip(outputs, _WITHOUT_CALL[layer.role](node, values), strict=True))
        except EngineError as error:
            return [Problem(error.message, node.id)]
        if layer.role != "output":
            return []
    slots, open_ports = _inputs(layer, incoming)
    if open_ports:
        return [
            Problem(f"Nothing is connected to {_named(layer, port)}.", node.id, port) for port in open_ports
        ]
    used = [slot for each in slots.values() for slot in (each if isinstance(each, list) else [each])]
    if any(slot not in found.types for slot in used):
        return []  # the reason stands further up
    problems = _refused(layer, node.id, incoming, found)
    if problems or layer.role == "output":
        return problems
    shapes = dict.fromkeys(port.name for port in layer.inputs) | {
        port: tuple(found.types[slot].shape for slot in each)
        if isinstance(each, list)
        else found.types[each].shape
        for port, each in slots.items()
    }
    try:
        inferred = _call(layer.infer, shapes | values) if layer.infer else {}
        step = _step(layer, node.id, {**values, **inferred}, slots, outputs)
        check_expression(step.init)
        check_expression(step.call)
        inputs = tuple(found.types[slot]._replace(classes=0) for slot in step.inputs)
        if layer.types:
            types = _call(layer.types, shapes | values)
            count, macs = parameters(step.init), 0
        else:
            measured = measure(step.init, step.call, inputs)
            types, count, macs = measured.types, measured.parameters, measured.macs
        macs = _call(layer.macs, shapes | values) if layer.macs else macs
    except ValueError as error:
        return [Problem(f"{layer.label} {error}.", node.id)]
    except EngineError as error:
        return [Problem(error.message, node.id)]
    except (
        Exception
    ) as error:  # torch raises RuntimeError, TypeError, IndexError ... for arguments it refuses
        arriving = " and ".join(str(found.types[slot]) for slot in used)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return [Problem(f"{layer.label} cannot take {arriving}: {reason}", node.id)]
    found.types.update(zip(outputs, types, strict=False))
    found.steps[node.id] = step
    found.parameters[node.id] = count
    found.macs[node.id] = macs
    return []


_WITHOUT_CALL: Mapping[str, Callable[[Node, Mapping[str, Any]], tuple[TensorType, ...]]] = {
    "data": lambda node, values: types_of(node),
    "input": lambda node, values: (TensorType(("N", *values["shape"]), values["dtype"]),),
    "output": lambda node, values: (),
}
"""Roles whose nodes are no call, and the types of what they give."""


def _inputs(layer: Layer, incoming: Mapping[str, Slot]) -> tuple[dict[str, Any], list[str]]:
    """Return the source of every input port (a list for a variadic one), and the ports that are open."""
    slots: dict[str, Any] = {}
    missing = []
    for port in layer.inputs:
        if port.variadic:
            places = sorted((name for name in incoming if name.startswith(f"{port.name}.")), key=_place)
            slots[port.name] = [incoming[name] for name in places]
            if not places:
                missing.append(f"{port.name}.0")
        elif port.name in incoming or slots.get(port.fallback):
            slots[port.name] = incoming.get(port.name) or slots[port.fallback]
        elif not port.optional:
            missing.append(port.name)
    return slots, missing


def _place(name: str) -> int:
    return int(name.partition(".")[2])


def _named(layer: Layer, port: str) -> str:
    return "its input" if len(layer.inputs) == 1 else f"its input {port.partition('.')[0]}"


def _refused(layer: Layer, id: str, incoming: Mapping[str, Slot], found: Resolution) -> list[Problem]:
    """Return a problem for every input that the port's own rule refuses."""
    problems = []
    for name, source in incoming.items():
        port, tensor = layer.input(name), found.types[source]
        reason = port.refuse(tensor) if port else None
        if port and reason:
            fix = fix_for(port, tensor, Edge(source, Slot(id, name)))
            problems.append(Problem(f"{layer.label} {reason}.", id, name, fix=fix))
    return problems


def _step(
    layer: Layer, id: str, values: Mapping[str, Any], slots: Mapping[str, Any], outputs: list[Slot]
) -> Step:
    """Return the node's step: its texts with literals filled in and variables left open."""
    inputs: list[Slot] = []
    holes: dict[str, Any] = {}
    for port, each in slots.items():
        several = each if isinstance(each, list) else [each]
        names = [Code(f"{{{len(inputs) + place}}}") for place in range(len(several))]
        inputs += several
        holes[port] = names if isinstance(each, list) else names[0]
    assign = layer.assign or ", ".join(f"{{{slot.port}}}" for slot in outputs)
    metrics = {name: fill(text, layer, values, holes) for name, text in layer.metrics.items()}
    return Step(
        id,
        fill(layer.init, layer, values, holes).format(self="") if layer.init else "",
        fill(layer.call, layer, values, holes),
        tuple(inputs),
        tuple(outputs),
        assign,
        metrics,
        layer.module,
    )


def _call(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call a declaration's function with the shapes and parameters that its signature names."""
    return function(**{name: values[name] for name in arguments(function)})
