"""Mends for nodes that cannot take what arrives: a size that fits, a layer in between, another width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from math import prod
from typing import Any

from engine.compiler.analysis import ERROR, Fix, Problem
from engine.compiler.fixes import inserted, set_param
from engine.compiler.resolve import Resolution, accepts
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Edge, Node, Slot
from engine.layers.declaration import Layer, TensorType
from engine.layers.formula import Formula
from engine.layers.params import Int, Param, Sizes, Value

_TRIES = 24
"""Values of one parameter that are tried: a nearer one is a better mend, and each may run the layer."""

_PROJECTIONS: Mapping[int, str] = {3: "Conv1d", 4: "Conv2d", 5: "Conv3d"}
"""The convolution that changes the channels of a tensor, by its number of dimensions."""

_WIDTHS = ("out_features", "out_channels")
"""Parameters that say how many numbers a layer gives."""

_KEEPING = ("Activation", "Augmentation", "Normalization", "Regularization")
"""Categories whose layers keep the shape."""


@dataclass(frozen=True)
class Case:
    """A node that cannot be resolved, and what arrives at each of its inputs."""

    document: Document
    found: Resolution
    node: Node
    layer: Layer
    arriving: Mapping[str, TensorType]

    def edge(self, port: str) -> Edge:
        """Return the edge that enters a port."""
        target = Slot(self.node.id, port)
        return Edge(self.document.edges[target], target)


def mended(document: Document, found: Resolution, problem: Problem) -> Problem:
    """Return the problem with the first mend that applies, where it has none yet."""
    node = document.nodes.get(problem.node)
    if problem.fix or problem.severity != ERROR or node is None:
        return problem
    incoming = document.incoming(node.id)
    if not incoming or any(slot not in found.types for slot in incoming.values()):
        return problem
    arriving = {port: found.types[incoming[port]] for port in sorted(incoming)}
    case = Case(document, found, node, layer_of(document, node.type), arriving)
    fix = next((fix for rule in _RULES if (fix := rule(case))), None)
    return replace(problem, fix=fix) if fix else problem


def _fitting_value(case: Case) -> Fix | None:
    """Set one of the node's own sizes to the nearest value that fits."""
    values = case.layer.values(case.node.params)
    for name in case.layer.fits:
        param, value = case.layer.param(name), values[name]
        if value is None or isinstance(value, Formula):
            continue
        for other in islice(_nearest(param, value, case), _TRIES):
            if accepts(case.document, case.node, {name: other}, case.found):
                return set_param(case.node.id, param.title.lower(), name, other, param.text(other))
    return None


def _nearest(param: Param, value: Value, case: Case) -> Iterator[Value]:
    """Give other values of a parameter, the nearest first."""
    if isinstance(param, Int):
        low, high = param.min or 0, param.max or 4096
        for far in range(1, _TRIES + 1):
            yield from (each for each in (value - far, value + far) if low <= each <= high)
    elif isinstance(param, Sizes):
        if not isinstance(value, str):  # "same" fits as it is
            largest = max(value) if isinstance(value, tuple) else value
            yield from range(largest - 1, (param.min or 0) - 1, -1)
    elif isinstance(value, tuple):
        first = next(iter(case.arriving.values())).shape
        wanted = [size for size in (prod(_numbers(first)), *_numbers(first)) if size]
        for place in reversed(range(len(value))):
            rest = (*value[:place], *value[place + 1 :])
            for size in wanted:
                for fit in (size // prod(rest), size - sum(rest)):
                    if fit > 0:
                        yield (*value[:place], fit, *value[place + 1 :])


def _numbers(shape: tuple[Any, ...]) -> list[int]:
    return [size for size in shape if isinstance(size, int)]


def _projection(case: Case) -> Fix | None:
    """Insert a 1×1 convolution, or a Linear, before a node that expects inputs of one shape."""
    if not case.layer.same_shape or len(case.arriving) < 2:
        return None
    shapes = {port: tensor.shape for port, tensor in case.arriving.items()}
    if len({(len(shape), case.arriving[port].dtype) for port, shape in shapes.items()}) > 1:
        return None
    if any(tensor.dtype != "float" for tensor in case.arriving.values()):
        return None
    ports = list(shapes)
    first = shapes[ports[0]]
    other = next((port for port in ports if shapes[port] != first), None)
    if other is None:
        return None
    for port, wanted in sorted(
        ((ports[0], shapes[other]), (other, first)), key=lambda pair: _room(shapes[pair[0]]), reverse=True
    ):
        fix = _projected(case, port, shapes[port], wanted)
        if fix:
            return fix
    return None


def _room(shape: tuple[Any, ...]) -> tuple[int, int]:
    """Larger for what should be changed: an image that a stride makes smaller, else fewer channels."""
    return prod(_numbers(shape[2:])), -prod(_numbers(shape[1:2]))


def _projected(case: Case, port: str, given: tuple[Any, ...], wanted: tuple[Any, ...]) -> Fix | None:
    sizes = [*given[1:], *wanted[1:]]
    if given[0] != wanted[0] or not all(isinstance(size, int) and size for size in sizes):
        return None
    rank, edge = len(given), case.edge(port)
    if rank == 2 or (rank == 3 and given[1] == wanted[1]):
        edit = partial(inserted, type_="Linear", edge=edge, out_features=wanted[-1])
        return Fix(f"Insert Linear to {wanted[-1]}", edit)
    if rank not in _PROJECTIONS:
        return None
    strides = {-(-a // b) for a, b in zip(given[2:], wanted[2:], strict=True)}
    stride = strides.pop() if len(strides) == 1 else 0
    if not stride or any(-(-a // stride) != b for a, b in zip(given[2:], wanted[2:], strict=True)):
        return None
    size = "1" if rank == 3 else "×".join("1" * (rank - 2))
    title = f"Insert {size} convolution" + (f", stride {stride}" if stride > 1 else "")
    params = {"out_channels": wanted[1], "kernel_size": 1, "stride": stride}
    return Fix(title, partial(inserted, type_=_PROJECTIONS[rank], edge=edge, **params))


def _width_of_the_target(case: Case) -> Fix | None:
    """Make the model give as many numbers as the target has, or drop the dimension that it lacks."""
    if case.layer.role != "loss" or len(case.layer.inputs) < 2:
        return None
    says, should = (port.name for port in case.layer.inputs[:2])
    if says not in case.arriving or should not in case.arriving:
        return None
    given, wanted = case.arriving[says].shape, case.arriving[should].shape
    if given == (*wanted, 1):
        return Fix("Insert Squeeze", partial(inserted, type_="Squeeze", edge=case.edge(says), dim=-1))
    if wanted == (*given, 1):
        return Fix("Insert Unsqueeze", partial(inserted, type_="Unsqueeze", edge=case.edge(says), dim=-1))
    if len(given) != len(wanted) or len(given) < 2:
        return None
    found = producer(case.document, case.edge(says).source)
    if found is None:
        return None
    node, param = found
    label = f"{param.title.lower()} of {case.document.nodes[node].title}"
    axis = 1 if param.name == "out_channels" else -1
    if not isinstance(wanted[axis], int):
        return None
    changed = list(given)
    changed[axis] = wanted[axis]
    if tuple(changed) != tuple(wanted):
        return None
    return set_param(node, label, param.name, wanted[axis])


def producer(document: Document, slot: Slot) -> tuple[str, Param] | None:
    """Return the layer that decides how many numbers a tensor has, and its parameter that says so.

    Layers that keep the shape, with one input, are passed on the way up.
    """
    for _ in document.nodes:
        layer = layer_of(document, document.nodes[slot.node].type)
        for name in _WIDTHS:
            if (param := layer.param(name)) is not None:
                return slot.node, param
        incoming = list(document.incoming(slot.node).values())
        if layer.category not in _KEEPING or len(incoming) != 1:
            return None
        slot = incoming[0]
    return None


_RULES: tuple[Callable[[Case], Fix | None], ...] = (_projection, _width_of_the_target, _fitting_value)
