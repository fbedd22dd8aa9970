"""Walking the graph once: every node's step and types, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from engine.compiler.analysis import Fix, Problem
from engine.compiler.data import types_of
from engine.compiler.fixes import connect_answer, drop_unknown, fix_for, replaced
from engine.compiler.guard import check_expression
from engine.compiler.meta import measure, parameters
from engine.compiler.past import Past
from engine.compiler.template import Code, arguments, fill
from engine.compiler.trust import check_trusted, state
from engine.errors import CompileError, EngineError
from engine.graph.blocks import ROLE, ends_of, evaluated, inside, layer_of
from engine.graph.document import Document, Edge, Node, Share, Slot, frozen
from engine.graph.missing import ROLE as MISSING
from engine.graph.missing import why_missing, why_unknown
from engine.graph.modes import active
from engine.graph.view import order_of
from engine.layers.declaration import Layer, TensorType
from engine.layers.formula import Formula


@dataclass(frozen=True)
class Step:
    """One line of the network: ``init`` makes the layer, ``call`` runs it.

    ``call`` holds ``{0}``, ``{1}`` ... for its ``inputs`` and ``{self}`` for the layer's attribute;
    ``assign`` holds the names of its output ports. ``metrics`` are further calls over the same inputs,
    ``module`` is the file in ``engine.modules`` that defines its class, where torch does not.

    ``values`` are the parameters and inferred sizes that stand in the texts, ``formulas`` those of them that
    depend on the parameters of the block around: ``written`` puts other code in their place. ``attribute``
    holds the layer: the node's own, unless it is linked to another's; ``copies`` is what that layer is a copy
    of.
    """

    node: str
    layer: Layer
    values: Mapping[str, Any]
    holes: Mapping[str, Any]
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    init: str = ""
    call: str = ""
    assign: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    module: str = ""
    formulas: Mapping[str, Formula] = field(default_factory=dict)
    attribute: str = ""
    copies: Share | None = None

    def written(self, values: Mapping[str, Any], called: Mapping[str, Any] | None = None) -> Step:
        """Return the step with its texts filled from these values, literals or code.

        The call takes them from ``called``, where it is given: what has a name in a constructor has another
        one outside of it.
        """
        layer, holes = self.layer, self.holes
        called = values if called is None else called
        return replace(
            self,
            init=fill(layer.init, layer, values, {}).format(self="") if layer.init else "",
            call=fill(layer.call, layer, called, holes),
            metrics={name: fill(text, layer, called, holes) for name, text in layer.metrics.items()},
        )


@dataclass(frozen=True)
class Resolution:
    """What the walk over one graph found: steps and types as far as they could be told, and the problems.

    ``blocks`` holds, for each node that is a block, what was found inside each of those that stand in a row;
    ``values`` are the parameters of the block that this graph is, empty for the whole document; ``document``
    is what was resolved. ``failed`` holds, by the block's name, what was found in those that cannot be used.
    """

    order: tuple[str, ...]
    steps: dict[str, Step] = field(default_factory=dict)
    types: dict[Slot, TensorType] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    macs: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    blocks: dict[str, tuple[Resolution, ...]] = field(default_factory=dict)
    failed: dict[str, Resolution] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    document: Document | None = field(default=None, compare=False, repr=False)


def resolve(document: Document, before: Resolution | None = None) -> Resolution:
    """Return every node's step and types; a node that cannot have them gets a problem, the rest goes on.

    What was found ``before``, of the same document a few edits ago, is taken over where nothing it depends on
    has changed. What modes leave out is not there (``engine.graph.modes``).
    """
    return _walk(active(document), {}, {}, before)


def _walk(
    document: Document,
    values: Mapping[str, Any],
    given: Mapping[str, TensorType],
    before: Resolution | None = None,
) -> Resolution:
    """Resolve a graph whose formulas stand for ``values`` and whose Input nodes receive ``given`` types."""
    past = Past(before, document) if before else None
    order = past.order if past and past.order else tuple(order_of(document))
    found = Resolution(order, values=values, document=document)
    incoming: dict[str, dict[str, Slot]] = {id: {} for id in order}
    for target, source in document.edges.items():
        incoming[target.node][target.port] = source
    for id in order:
        if id in given:
            found.types[Slot(id, "y")] = given[id]
            continue
        if past and past.holds(id, incoming[id], found):
            past.hand_over(id, found)
            continue
        try:
            resolve_node(document, document.nodes[id], incoming[id], found)
        except EngineError as error:
            found.problems.append(Problem(error.message, id, error.port or ""))
    _check_shared(document, found)
    return before if before and past.all_of(found) else found


def _check_shared(document: Document, found: Resolution) -> None:
    """Report linked nodes that would need another layer than the one whose weights they share."""
    for id, step in found.steps.items():
        share = document.nodes[id].share
        owner = found.steps.get(share.node) if share else None
        if owner and owner.init != step.init:
            title = document.nodes[owner.node].title
            message = f"It shares the weights of {title}, which is {owner.init}; here {step.init} is needed."
            found.problems.append(Problem(message, id))


def resolve_node(document: Document, node: Node, incoming: Mapping[str, Slot], found: Resolution) -> None:
    """Enter one node into ``found``: its step and types, or its problems. Raises EngineError for one more."""
    layer = layer_of(document, node.type)
    if layer.source:
        check_trusted(layer.source, node.title)
    if layer.role == MISSING:
        found.problems.append(Problem(why_missing(node.type), node.id, fix=replaced(node.id, node.type)))
        return
    if unknown := layer.unknown(node.params):
        found.problems.append(
            Problem(why_unknown(layer, unknown), node.id, fix=drop_unknown(node.id, unknown))
        )
    params = evaluated(node.params, found.values)
    values = layer.values(params)
    outputs = [Slot(node.id, port.name) for port in layer.outputs_of(params)]
    if layer.role in _WITHOUT_CALL:
        found.types.update(zip(outputs, _WITHOUT_CALL[layer.role](layer, node, values), strict=True))
        if layer.role != "output":
            return
    slots, open_ports = _inputs(layer, incoming)
    for port in open_ports:
        fix = _answer(document, layer, Slot(node.id, port), found)
        found.problems.append(
            Problem(f"Nothing is connected to {_named(layer, port)}.", node.id, port, fix=fix)
        )
    used = [slot for each in slots.values() for slot in (each if isinstance(each, list) else [each])]
    if open_ports or any(slot not in found.types for slot in used):
        return  # the reason stands here or further up
    refused = _refused(layer, node.id, incoming, found)
    found.problems.extend(refused)
    if refused or layer.role == "output":
        return
    step = _step(layer, node, values, slots, outputs)
    holder = document.nodes.get(node.attribute)
    if holder and holder.share and holder.share.follow:
        step = replace(step, copies=holder.share)
    if layer.role == ROLE:
        types, count, macs = _enter(document, node, step, found)
    else:
        step, types, count, macs = _measured(step, slots, found)
    found.types.update(zip(outputs, types, strict=False))
    found.steps[node.id], found.macs[node.id] = step, macs
    found.parameters[node.id] = 0 if node.share else count  # shared weights are counted once, where they are


def accepts(document: Document, node: Node, params: Mapping[str, Any], found: Resolution) -> bool:
    """Return whether a node of a resolved graph could be resolved with some other parameters."""
    trial = Resolution((), types=dict(found.types), values=found.values)
    node = replace(node, params=frozen({**node.params, **params}))
    try:
        resolve_node(document, node, document.incoming(node.id), trial)
    except EngineError:
        return False
    return not trial.problems


def _measured(
    step: Step, slots: Mapping[str, Any], found: Resolution
) -> tuple[Step, tuple[TensorType, ...], int, int]:
    """Return a layer's step with its texts, the types of its outputs, its parameters and multiply-adds."""
    layer = step.layer
    shapes = dict.fromkeys(port.name for port in layer.inputs) | {
        port: tuple(found.types[slot].shape for slot in each)
        if isinstance(each, list)
        else found.types[each].shape
        for port, each in slots.items()
    }
    known = shapes | dict(step.values)
    try:
        inferred = _call(layer.infer, known) if layer.infer else {}
        step = replace(step, values={**step.values, **inferred})
        step = step.written(step.values)
        called = layer.type if layer.source else ""
        check_expression(step.init, called)
        check_expression(step.call, called)
        if layer.types:
            types, count, macs = _call(layer.types, known), parameters(step.init, layer.source), 0
        else:
            inputs = tuple(found.types[slot]._replace(classes=0) for slot in step.inputs)
            measured = measure(step.init, step.call, inputs, layer.source)
            if layer.source and len(measured.types) != len(step.outputs):
                raise CompileError(_returned(layer, len(measured.types)))
            types, count, macs = measured.types, measured.parameters, measured.macs
        return step, types, count, _call(layer.macs, known) if layer.macs else macs
    except EngineError:
        raise
    except ValueError as error:
        raise CompileError(f"{layer.label} {error}.") from None
    except Exception as error:  # torch raises RuntimeError, TypeError ... for arguments that it refuses
        arriving = " and ".join(str(found.types[slot]) for slot in step.inputs)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CompileError(f"{layer.label} cannot take {arriving}: {reason}") from None


def _returned(layer: Layer, count: int) -> str:
    came = f"{count} tensors" if count > 1 else "one tensor" if count else "no tensor"
    wanted = f"tuple[{', '.join(['Tensor'] * count)}]" if count > 1 else "Tensor"
    return f"{layer.label} returns {came}, its signature says {len(layer.outputs)}: write -> {wanted}."


def _enter(
    document: Document, node: Node, step: Step, found: Resolution
) -> tuple[tuple[TensorType, ...], int, int]:
    """Resolve what stands in a block, once for each of those in a row."""
    values = dict(step.values)
    repeat = values.pop("repeat")
    for name, value in values.items():
        if value is None:
            raise CompileError(f"{node.type} needs a value for {name}.")
        about = document.blocks[node.type].about.get(name)
        if about and not about.holds(value):
            raise CompileError(f"{node.type} takes {name} {about.range}, not {value}.")
    if repeat > 1 and not len(step.inputs) == len(step.outputs) == 1:
        raise CompileError("Only a block with one input and one output can stand several times in a row.")
    types = tuple(found.types[slot]._replace(classes=0) for slot in step.inputs)
    inner: list[Resolution] = []
    for _ in range(repeat):
        inner.append(_inside(_Same(document), node.type, tuple(values.items()), types))
        if inner[-1].problems:
            first = inner[-1].problems[0]
            found.failed.update({**inner[-1].failed, node.type: inner[-1]})
            raise CompileError(f"In {node.type}, {first.node}: {first.message}")
        ends = ends_of(document.blocks[node.type])
        if not ends or any(slot.port not in ends for slot in step.outputs):
            raise CompileError(f"{node.type} has an output that nothing is connected to.")
        if len(set(ends.values())) < len(ends):
            raise CompileError(f"Two outputs of {node.type} give the same tensor; remove one of them.")
        types = tuple(inner[-1].types[ends[slot.port]] for slot in step.outputs)
    found.blocks[node.id] = tuple(inner)
    return (
        types,
        sum(sum(each.parameters.values()) for each in inner),
        sum(sum(each.macs.values()) for each in inner),
    )


class _Same:
    """A document as far as blocks depend on it: equal while its own layers and what is trusted are."""

    def __init__(self, document: Document):
        self.document = document
        self.trusted = state() if document.customs else frozenset()

    def __hash__(self) -> int:
        return id(self.document.blocks)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Same)
            and other.document.blocks is self.document.blocks
            and other.document.customs is self.document.customs
            and other.trusted == self.trusted
        )


@lru_cache(maxsize=512)
def _inside(
    same: _Same, name: str, values: tuple[tuple[str, Any], ...], types: tuple[TensorType, ...]
) -> Resolution:
    """Resolve a block for parameters and input types; those that are alike share one resolution."""
    inner = inside(same.document, name)
    ports = [id for id, node in inner.nodes.items() if node.type == "Input"]
    use = (name, values, types)
    found = _walk(inner, dict(values), dict(zip(ports, types, strict=True)), _latest.get(use))
    if len(_latest) >= 512:
        _latest.clear()
    _latest[use] = found
    return found


_latest: dict[tuple[Any, ...], Resolution] = {}
"""What was found in each use of a block the last time, whichever document it stood in."""


_WITHOUT_CALL: Mapping[str, Callable[[Layer, Node, Mapping[str, Any]], tuple[TensorType, ...]]] = {
    "data": lambda layer, node, values: types_of(node, layer),
    "input": lambda layer, node, values: (TensorType(("N", *values["shape"]), values["dtype"]),),
    "output": lambda layer, node, values: (),
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


def _answer(document: Document, layer: Layer, slot: Slot, found: Resolution) -> Fix | None:
    """Return the mend for an open input of a loss behind its first, which takes what the model says."""
    port = layer.input(slot.port)
    if layer.role != "loss" or port is None or port is layer.inputs[0]:
        return None
    data = [id for id, node in document.nodes.items() if layer_of(document, node.type).role == "data"]
    return connect_answer(slot, port, found.types, data)


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
    layer: Layer, node: Node, values: Mapping[str, Any], slots: Mapping[str, Any], outputs: list[Slot]
) -> Step:
    """Return the node's step, its texts still to be written."""
    inputs: list[Slot] = []
    holes: dict[str, Any] = {}
    for port, each in slots.items():
        several = each if isinstance(each, list) else [each]
        names = [Code(f"{{{len(inputs) + place}}}") for place in range(len(several))]
        inputs += several
        holes[port] = names if isinstance(each, list) else names[0]
    return Step(
        node.id,
        layer,
        values,
        holes,
        tuple(inputs),
        tuple(outputs),
        call=f"{{self}}({', '.join(f'{{{place}}}' for place in range(len(inputs)))})",
        assign=layer.assign or ", ".join(f"{{{slot.port}}}" for slot in outputs),
        module=layer.module,
        formulas={name: value for name, value in node.params.items() if isinstance(value, Formula)},
        attribute=node.attribute,
    )


def _call(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call a declaration's function with the shapes and parameters that its signature names."""
    return function(**{name: values[name] for name in arguments(function)})
