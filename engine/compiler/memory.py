"""What training a network keeps in memory: each tensor once, at the node that makes it necessary.

A forward pass makes tensors (``forward``); autograd keeps some of them until the gradients are computed
(``kept``). Both are told by running every layer once on the meta device and looking at what it saves
(``torch.autograd.graph.saved_tensors_hooks``), by the identity of storages: a view costs nothing, a weight is
no activation, and a tensor that two layers keep is counted at the first of them.

Fused kernels and other memory formats keep a little more or less than what is told here: it is *about* right.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from types import SimpleNamespace
from typing import Any

import torch

from engine.compiler.analysis import Footprint, Memory
from engine.compiler.meta import BATCH_SIZE, build, empty, evaluate, flat, parameters
from engine.compiler.resolve import Resolution, Step
from engine.compiler.template import arguments
from engine.graph.blocks import ROLE, ends_of
from engine.graph.document import Document, Slot
from engine.graph.objectives import loss_nodes, moved_by
from engine.layers.declaration import TensorType
from engine.optimizers import OPTIMIZERS

_BYTES = {"float": 4, "int": 8, "bool": 1}
_FLOAT = 4

Key = Any
"""The identity of a storage while one graph is walked."""


@dataclass(frozen=True)
class Kept:
    """What one call makes and keeps, in bytes for one sample.

    ``outputs`` holds for each output the place of the input whose storage it shares (``("in", 0)``), or of
    the output to which its storage belongs (``("out", 0)``), and the bytes of that storage. ``inputs`` and
    ``results`` are the places of those that are kept, ``inside`` is what else is kept, None where that is not
    known. ``gradients`` says which outputs a gradient flows back through.
    """

    outputs: tuple[tuple[tuple[str, int], int], ...]
    gradients: tuple[bool, ...]
    inside: int | None = 0
    inputs: frozenset[int] = frozenset()
    results: frozenset[int] = frozenset()


def memory_of(
    document: Document, resolution: Resolution, nodes: Container[str] | None = None
) -> dict[str, Memory]:
    """Return what each node with a step (only ``nodes``, if given) makes and keeps for one sample."""
    return _walk(document, resolution, {}, nodes).nodes


def inside_of(document: Document, use: Resolution) -> dict[str, Memory]:
    """Return the same for the nodes in one use of a block, whose inputs gradients flow through."""
    given = [slot for slot in use.types if slot.node not in use.steps]
    return _walk(document, use, {slot: (("in", n), True) for n, slot in enumerate(given)}).nodes


def footprint(document: Document, found: Resolution, memory: Mapping[str, Memory]) -> Footprint:
    """Return what training a resolved document takes, in bytes; ``memory`` is that of its nodes."""
    training = document.training
    states = [OPTIMIZERS[each.optimizer].kept(each.options) for each in training.objectives]
    whole = _FLOAT * sum(found.parameters.values())
    moved = [_moved(document, place, found) for place in range(len(states))]
    learned = [_FLOAT * sum(found.parameters.get(id, 0) for id in ids) for ids in moved]
    gradients = _FLOAT * sum(found.parameters.get(id, 0) for id in frozenset().union(*moved))
    copied = {step.attribute: _numbers(found, id) for id, step in found.steps.items() if step.copies}
    return Footprint(
        whole + _FLOAT * sum(copied.values()),
        gradients,
        sum(each * kept for each, kept in zip(learned, states, strict=True)),
        sum(each.kept or 0 for each in memory.values()),
        training.batch_size,
        tuple(id for id, each in memory.items() if each.kept is None),
    )


def _moved(document: Document, place: int, found: Resolution) -> frozenset[str]:
    """Return the nodes that an objective moves; where there is no loss yet, all that are not frozen."""
    if loss_nodes(document):
        return moved_by(document, place)
    nodes = document.nodes
    return frozenset(id for id in found.parameters if id in nodes and not nodes[id].learning.frozen)


def _numbers(found: Resolution, id: str) -> int:
    """Return how many numbers the layer or block of a node holds, whether they are its own or copies."""
    if id in found.blocks:
        return sum(sum(use.parameters.values()) for use in found.blocks[id])
    step = found.steps[id]
    return parameters(step.init, step.layer.source)


@dataclass
class _Walk:
    """Which storage stands behind each slot, and which are counted already."""

    keys: dict[Slot, Key] = field(default_factory=dict)
    gradients: dict[Slot, bool] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)
    counted: set[Key] = field(default_factory=set)
    inside: int = 0
    known: bool = True
    nodes: dict[str, Memory] = field(default_factory=dict)

    def call(self, name: Any, kept: Kept, inputs: Sequence[Key]) -> tuple[list[Key], Memory]:
        """Enter one call; return its outputs' storages and what it adds."""
        outputs: list[Key] = []
        made = 0
        for place, ((side, which), size) in enumerate(kept.outputs):
            if side == "in":
                outputs.append(inputs[which])
            elif which < place:
                outputs.append(outputs[which])
            else:
                outputs.append((name, place))
                self.sizes[name, place] = size
                made += size
        wanted = [inputs[place] for place in sorted(kept.inputs)]
        wanted += [outputs[place] for place in sorted(kept.results)]
        new = [key for key in dict.fromkeys(wanted) if key not in self.counted]
        self.counted.update(new)
        self.inside += kept.inside or 0
        self.known &= kept.inside is not None
        total = None if kept.inside is None else kept.inside + sum(self.sizes[key] for key in new)
        return outputs, Memory(made, total)

    def summary(self, given: Sequence[Key], outputs: Sequence[Key], gradients: Iterable[bool]) -> Kept:
        """Return everything that was entered as one call, seen from outside."""
        inputs, results = list(given), list(outputs)
        own = self.counted - {*inputs, *results}
        return Kept(
            tuple(
                (("in", inputs.index(key)) if key in inputs else ("out", results.index(key)), self.sizes[key])
                for key in results
            ),
            tuple(gradients),
            self.inside + sum(self.sizes[key] for key in own) if self.known else None,
            frozenset(inputs.index(key) for key in inputs if key in self.counted),
            frozenset(results.index(key) for key in results if key in self.counted and key not in inputs),
        )


def _walk(
    document: Document,
    found: Resolution,
    given: Mapping[Slot, tuple[Key, bool]],
    nodes: Container[str] | None = None,
) -> _Walk:
    walk = _Walk()
    for slot, tensor in found.types.items():
        if slot in given:
            walk.keys[slot], walk.gradients[slot] = given[slot]
        elif slot.node not in found.steps:  # data and inputs: no gradient goes there
            walk.keys[slot], walk.gradients[slot] = slot, False
        else:
            continue
        walk.sizes[walk.keys[slot]] = _bytes(tensor)
    for id in found.order:
        step = found.steps.get(id)
        if step is None or (nodes is not None and id not in nodes):
            continue
        gradients = tuple(walk.gradients[slot] for slot in step.inputs)
        if step.layer.role == ROLE:
            kept = _block(document, step, found.blocks[id], gradients)
        else:
            inputs, outputs = (
                tuple(found.types[slot]._replace(classes=0) for slot in slots)
                for slots in (step.inputs, step.outputs)
            )
            kept = _call(step, inputs, outputs, gradients)
        keys, walk.nodes[id] = walk.call(id, kept, [walk.keys[slot] for slot in step.inputs])
        walk.keys.update(zip(step.outputs, keys, strict=False))
        walk.gradients.update(zip(step.outputs, kept.gradients, strict=False))
    return walk


def _block(document: Document, step: Step, inner: Sequence[Resolution], gradients: tuple[bool, ...]) -> Kept:
    """Return what the blocks that stand in a row make and keep together."""
    row = _Walk()
    given = keys = [("in", place) for place in range(len(step.inputs))]
    for place, use in enumerate(inner):
        kept, sizes = _use(_Same(use), _Ends.of(document, step), gradients)
        row.sizes = dict(zip(keys, sizes, strict=True)) | row.sizes
        keys, _ = row.call(place, kept, keys)
        gradients = kept.gradients
    return row.summary(given, keys, gradients)


@dataclass(frozen=True)
class _Ends:
    """The document, and where the outputs of a block's node come from inside; equal while they are."""

    slots: tuple[Slot, ...]
    document: Document = field(compare=False)

    @classmethod
    def of(cls, document: Document, step: Step) -> _Ends:
        ends = ends_of(document.blocks[step.layer.type])
        return cls(tuple(ends[slot.port] for slot in step.outputs), document)


class _Same:
    """A resolution compared by identity: alike uses of a block share one."""

    def __init__(self, use: Resolution):
        self.use = use

    def __hash__(self) -> int:
        return id(self.use)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.use is self.use


@lru_cache(maxsize=512)
def _use(same: _Same, ends: _Ends, gradients: tuple[bool, ...]) -> tuple[Kept, tuple[int, ...]]:
    """Return what one use of a block makes and keeps, and the bytes of its inputs."""
    use = same.use
    slots = [slot for slot in use.types if slot.node not in use.steps]
    given = {
        slot: (("in", place), flows) for place, (slot, flows) in enumerate(zip(slots, gradients, strict=True))
    }
    walk = _walk(ends.document, use, given)
    kept = walk.summary(
        [key for key, _ in given.values()],
        [walk.keys[slot] for slot in ends.slots],
        (walk.gradients[slot] for slot in ends.slots),
    )
    return kept, tuple(_bytes(use.types[slot]) for slot in slots)


def _call(
    step: Step, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...], gradients: tuple[bool, ...]
) -> Kept:
    """Return what one layer makes and keeps: by its own rule, or by running it on the meta device."""
    layer = step.layer
    if not layer.types:
        try:
            return _measure(step.init, step.call, inputs, gradients, layer.source)
        except Exception:  # the meta device refuses it with gradients: what it keeps is not known
            return _told(outputs, None)
    if not layer.kept:
        return _told(outputs, None)
    shapes = {
        name: tuple(inputs[_hole(each)].shape for each in code)
        if isinstance(code, list)
        else inputs[_hole(code)].shape
        for name, code in step.holes.items()
    }
    known = dict.fromkeys(port.name for port in layer.inputs) | shapes | dict(step.values)
    floats = layer.kept(**{name: known[name] for name in arguments(layer.kept)})
    return _told(outputs, _FLOAT * floats)


def _hole(code: str) -> int:
    """The place of the input that a variable of a step's texts stands for: ``{2}``."""
    return int(code[1:-1])


def _told(outputs: tuple[TensorType, ...], inside: int | None) -> Kept:
    """Return what a rule says: every output is a tensor of its own, the first input is kept."""
    made = tuple((("out", place), _bytes(tensor)) for place, tensor in enumerate(outputs))
    gradients = tuple(tensor.dtype == "float" for tensor in outputs)
    return Kept(made, gradients, inside, frozenset([0]) if inside else frozenset())


def _bytes(tensor: TensorType) -> int:
    """Return the bytes of a tensor for one sample; what has no batch is shared by all and counts nothing."""
    batches = [size for size in tensor.shape if isinstance(size, str)]
    if not batches:
        return 0
    times = prod(int(size[:-1] or 1) for size in batches)
    return _BYTES[tensor.dtype] * times * prod(size for size in tensor.shape if isinstance(size, int))


@lru_cache(maxsize=4096)
def _measure(
    init: str, call: str, inputs: tuple[TensorType, ...], gradients: tuple[bool, ...], source: str
) -> Kept:
    """Run a layer on the meta device with gradients, and look at what it returns and saves."""
    layer = build(init, source) if init else None
    names = [f"a{place}" for place in range(len(inputs))]
    with torch.enable_grad():
        # Not the leaves themselves: a layer may change what it receives in place.
        values = [
            empty(tensor).requires_grad_().clone() if flows and tensor.dtype == "float" else empty(tensor)
            for tensor, flows in zip(inputs, gradients, strict=True)
        ]
        saved: dict[int, torch.UntypedStorage] = {}  # the storages themselves, so that none is made twice

        def save(tensor: torch.Tensor) -> torch.Tensor:
            saved[_storage(tensor)] = tensor.untyped_storage()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
            code = call.format(*names, self="self.layer")
            self_ = SimpleNamespace(layer=layer, training=True)
            results = flat(evaluate(code, {"self": self_} | dict(zip(names, values, strict=True)), source))
    weights = {_storage(each) for each in (*layer.parameters(), *layer.buffers())} if layer else set()
    given, made = [_storage(value) for value in values], [_storage(result) for result in results]
    outputs = tuple(
        (
            ("in", given.index(key)) if key in given else ("out", made.index(key)),
            result.untyped_storage().nbytes() // BATCH_SIZE,
        )
        for key, result in zip(made, results, strict=True)
    )
    private = saved.keys() - weights - {*given, *made}
    return Kept(
        outputs,
        tuple(result.requires_grad for result in results),
        sum(saved[key].nbytes() for key in private) // BATCH_SIZE,
        frozenset(place for place, key in enumerate(given) if key in saved),
        frozenset(place for place, key in enumerate(made) if key in saved and key not in given),
    )


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
