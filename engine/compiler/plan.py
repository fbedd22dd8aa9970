"""The plan: which steps are the model, which are the loss, in which order, and what passes between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.compiler.classes import BlockClass, make_classes
from engine.compiler.initialize import Beginning, beginnings
from engine.compiler.resolve import Resolution, Step
from engine.errors import CompileError
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import Document, Slot
from engine.graph.missing import ROLE as MISSING
from engine.graph.modes import active
from engine.graph.names import CLASSES
from engine.graph.pieces import bound_names
from engine.graph.view import ancestors_of, descendants_of
from engine.layers.declaration import TensorType
from engine.modules import defined_names


@dataclass(frozen=True)
class Plan:
    """The single truth that is rendered, executed, stepped and exported.

    ``model`` are the steps between data and losses, ``loss`` the loss nodes and what follows them.
    ``arguments`` names the data fields and inputs that the model reads, ``outputs`` what it returns,
    ``fields`` what the losses read beside that. ``totals`` are the numbers that are minimized when no
    objective names a loss. ``macs`` are the model's multiply-adds for one sample. ``beginnings`` say how
    weights begin, where that is not as torch lets them.
    """

    name: str
    notes: str
    model: tuple[Step, ...]
    arguments: Mapping[Slot, str]
    outputs: Mapping[Slot, str]
    loss: tuple[Step, ...]
    fields: Mapping[Slot, str]
    totals: tuple[Slot, ...]
    types: Mapping[Slot, TensorType]
    data: str = ""
    classes: tuple[BlockClass, ...] = ()
    macs: int = 0
    beginnings: tuple[Beginning, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The texts of the custom layers that it uses."""
        steps = [*self.steps, *(step for each in self.classes for step in each.steps)]
        return tuple(dict.fromkeys(step.layer.source for step in steps if step.layer.source))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in order."""
        return self.model + self.loss


def make_plan(document: Document, resolution: Resolution) -> Plan:
    """Return the plan of a document.

    What is marked as output or read by a loss is returned by the model; without either, what nobody reads is.

    Raises CompileError where a needed node has no step, with the node and its problem.
    """
    document = active(document)
    role = {id: layer_of(document, node.type).role for id, node in document.nodes.items()}
    losses = descendants_of(document, [id for id, each in role.items() if each == "loss"])
    marked = {id for id, each in role.items() if each == "output"}
    wanted = _wanted(document, role, losses, marked)
    needed = ancestors_of(document, {slot.node for slot in wanted} | losses)
    missing = {id for id, each in role.items() if each == MISSING}  # who knows what they are for
    for problem in resolution.problems:
        if problem.node in needed | marked | missing:
            raise CompileError(problem.message, problem.node, problem.port)
    order = [id for id in resolution.order if id in needed]
    classes = make_classes(document, resolution)
    model = tuple(
        classes.finish(resolution, resolution.steps[id])
        for id in order
        if role[id] in ("layer", ROLE) and id not in losses
    )
    loss = tuple(resolution.steps[id] for id in order if id in losses)
    if not model:
        raise CompileError("There is no model yet: add a layer and connect it.")
    sources = [slot for slot in resolution.types if role[slot.node] in ("data", "input")]
    customs = bound_names(document.customs)
    names = _source_names(sources, role)
    names = {slot: f"{name}_" if name in customs else name for slot, name in names.items()}
    read = {slot for step in model for slot in step.inputs}
    beside = {slot for step in loss for slot in step.inputs if slot.node not in losses}
    inside = {slot for step in loss for slot in step.inputs}
    return Plan(
        class_name(document.name, document.blocks.keys() | customs),
        document.notes,
        model,
        {slot: names[slot] for slot in sources if slot in read},
        _output_names(document, [slot for slot in wanted if slot not in names], marked),
        loss,
        {slot: names[slot] for slot in sources if slot in beside},
        tuple(slot for step in loss for slot in step.outputs if slot not in inside),
        resolution.types,
        next((id for id, each in role.items() if each == "data"), ""),
        classes.used_by(model),
        sum(resolution.macs[step.node] for step in model),
        beginnings(document, resolution, {step.node for step in model}),
    )


def _wanted(document: Document, role: Mapping[str, str], losses: set[str], marked: set[str]) -> list[Slot]:
    """Return the slots that the model must return, in the order in which they are read."""
    ends = losses | marked
    wanted = [s for t, s in document.edges.items() if t.node in ends and s.node not in losses]
    if not ends:
        read = {source for source in document.edges.values()}
        for id, node in document.nodes.items():
            ports = layer_of(document, node.type).outputs_of(node.params)
            slots = [Slot(id, port.name) for port in ports]
            if role[id] in ("layer", ROLE) and not read.intersection(slots):
                wanted += slots[:1]
    return list(dict.fromkeys(wanted))


def _source_names(sources: Iterable[Slot], role: Mapping[str, str]) -> dict[Slot, str]:
    """Return argument names: an Input's id, a data field's own name unless two sources share it."""
    sources = list(sources)
    ports = [slot.port for slot in sources if role[slot.node] == "data"]
    ids = {slot.node for slot in sources if role[slot.node] == "input"}
    return {
        slot: slot.node
        if slot.node in ids
        else slot.port
        if ports.count(slot.port) == 1 and slot.port not in ids
        else f"{slot.node}_{slot.port}"
        for slot in sources
    }


def _output_names(document: Document, slots: Iterable[Slot], marked: set[str]) -> dict[Slot, str]:
    """Return what each returned tensor is called: its Output's id, else that of the node it comes from."""
    labels = {
        s: t.node for t, s in document.edges.items() if t.node in marked and document.nodes[t.node].name == ""
    }
    slots = list(slots)
    ids = [slot.node for slot in slots]
    names: dict[Slot, str] = {}
    for slot in slots:
        name = slot.node if ids.count(slot.node) == 1 else f"{slot.node}_{slot.port}"
        label = labels.get(slot, "")
        names[slot] = label if label and not re.fullmatch(r"output\d*", label) else name
    return names


def class_name(title: str, others: Iterable[str] = ()) -> str:
    """Return a document's title as the name of a class that no block has: ``LeNet-5`` becomes ``LeNet5``."""
    words = re.findall(r"[A-Za-z0-9]+", title.encode("ascii", "ignore").decode())
    name = "".join(word[0].upper() + word[1:] for word in words)[:60]
    taken = CLASSES | defined_names() | set(others)
    return name if re.match(r"[A-Z]", name) and name not in taken else f"Net{name}"
