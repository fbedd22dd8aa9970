"""Looking at a network while it trains: on a fixed probe batch, in evaluation mode, leaving no trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from engine.compiler.module import in_a_row
from engine.graph.blocks import inside, layer_of
from engine.graph.document import Document, Slot, Way
from engine.training.curve import Axis, axis
from engine.training.events import Activation, Curve, Regions, Samples, Snapshot, Watch, Weights
from engine.training.loop import evaluating
from engine.training.reduce import activations, weight_of, weights
from engine.training.setup import Fields, Setup

PROBE = 64
"""Rows of the probe batch, at most: the first held-out ones, or training rows if none are held out."""

GRID = 96
"""Points of the plane on each axis where decision regions are asked for."""

POINTS = 1000
"""Points of the data that are drawn over them."""

MARGIN = 0.15
"""Of the data's extent, on each side."""

KEPT = 50_000_000
"""Parameters of which the initial values are kept, to tell how far they moved."""


@dataclass(frozen=True)
class Answer:
    """Where the first loss reads what the model says and what it should say."""

    loss: str
    scores: Slot
    target: str
    """The name of the field of right answers."""
    classes: tuple[str, ...]
    yes_no: bool
    """Whether the scores go through a sigmoid."""


class Probe:
    """Takes snapshots of one run; call it only from the thread that uses the model."""

    def __init__(self, setup: Setup):
        self._setup = setup
        rows = setup.held if setup.dataset.held else setup.train
        count = setup.rows_at_once(PROBE)
        self.fields: Fields = {name: value[:count] for name, value in rows.items()}
        self._answer = _answer(setup)
        self._first = _first_ports(setup)
        self._plane = _plane(setup, self._answer)
        self._axis = _axis(setup, self._answer)
        parameters = dict(setup.model.named_parameters())
        few = sum(value.numel() for value in parameters.values()) <= KEPT
        self._initial = {name: value.detach().clone() for name, value in parameters.items()} if few else {}

    def snapshot(self, watch: Watch, step: int, epoch: int) -> Snapshot | None:
        """Return what the watch asks for, or None if that is nothing.

        Weights, gradients, modes and random states stay as they are.
        """
        if not (watch.nodes or watch.selected or watch.regions or watch.samples):
            return None
        state = torch.get_rng_state()
        try:
            with torch.no_grad(), evaluating(self._setup.model):
                return self._snapshot(watch, step, epoch)
        finally:
            torch.set_rng_state(state)

    def _snapshot(self, watch: Watch, step: int, epoch: int) -> Snapshot:
        values: dict[str, Tensor] = {}
        losses: dict[str, float] = {}
        shapes: dict[Slot, tuple[int, ...]] = {}
        scores = None
        wanted = watch.nodes | {watch.selected}
        for way, node, outputs in self._setup.built.look(self._setup.model, self.fields, watch.way):
            first = next(iter(outputs.values()), None) if way else outputs.get(self._first.get(node, ""))
            if not isinstance(first, Tensor):
                continue
            if way == watch.way:
                shapes |= {Slot(node, port): value.shape for port, value in outputs.items()}
                if first.dim() == 0:
                    losses[node] = float(first)
                elif node in wanted:
                    values[node] = first
            if not way and self._answer and node == self._answer.scores.node:
                scores = outputs.get(self._answer.scores.port)
        spot = self._spot(watch.way)
        small = {node: value for node, value in values.items() if node in watch.nodes}
        detail = {node: value for node, value in values.items() if node == watch.selected}
        return Snapshot(
            step=step,
            epoch=epoch,
            activations=self._labelled(
                activations(small, watch.sample, maps=16, side=48, numbers=1024), watch.way
            ),
            detail=self._labelled(activations(detail, watch.sample), watch.way).get(watch.selected),
            weights=self._weights(spot, watch.selected, shapes) if spot else None,
            gradients=_gradients(spot, wanted) if spot else {},
            losses=losses,
            selected=watch.selected,
            sample=watch.sample,
            regions=self._regions() if watch.regions else None,
            curve=self._curve() if watch.regions else None,
            samples=self._samples(scores) if watch.samples else None,
            way=watch.way,
        )

    def _spot(self, way: Way) -> Spot | None:
        """Return where a way leads, or None where the run's document has no such block."""
        spot = Spot(self._setup.document, self._setup.model, "")
        for node, place in way:
            layer = spot.layer(node)
            if layer is None or spot.graph.nodes[node].type not in spot.graph.blocks:
                return None
            row = in_a_row(layer)
            place = min(place, len(row) - 1)
            found = spot.graph.nodes[node]
            in_row = f"{place}." if isinstance(layer, nn.Sequential) else ""
            prefix = f"{spot.prefix}{found.attribute}.{in_row}"
            spot = Spot(inside(spot.graph, found.type), row[place], prefix)
        return spot

    def _labelled(self, found: dict[str, Activation], way: Way) -> dict[str, Activation]:
        """Name the entries of the class scores."""
        answer = self._answer
        if not way and answer and answer.scores.node in found:
            scores = found[answer.scores.node]
            if scores.shape == (len(answer.classes),):
                found[answer.scores.node] = replace(scores, labels=answer.classes)
        return found

    def _weights(self, spot: Spot, node: str, shapes: Mapping[Slot, tuple[int, ...]]) -> Weights | None:
        layer = spot.layer(node)
        found = weight_of(layer) if layer is not None else None
        if found is None:
            return None
        name, weight = found
        start = self._initial.get(f"{spot.prefix}{spot.graph.nodes[node].attribute}.{name}")
        moved = 0.0
        if start is not None:
            moved = float((weight - start).norm() / start.norm().clamp_min(1e-12))
        return weights(name, weight, moved, _image(spot, node, weight, shapes))

    def _regions(self) -> Regions | None:
        if self._plane is None:
            return None
        rows = self._setup.rows_at_once(GRID * GRID)
        parts = [
            self._scores({name: value[start : start + rows] for name, value in self._plane.fields.items()})
            for start in range(0, GRID * GRID, rows)
        ]
        scores = torch.cat(parts)
        best, confidence = _decided(scores, self._answer.yes_no)
        return replace(
            self._plane.regions,
            classes=best.reshape(GRID, GRID).cpu().numpy(),
            confidence=confidence.reshape(GRID, GRID).cpu().numpy(),
        )

    def _curve(self) -> Curve | None:
        if self._axis is None:
            return None
        return replace(self._axis.curve, y=_copy(self._scores(self._axis.fields).flatten()))

    def _scores(self, fields: Fields) -> Tensor:
        for node, outputs in self._setup.built.steps(self._setup.model, fields):
            if node == self._answer.scores.node:
                return outputs[self._answer.scores.port]
        raise AssertionError("the loss reads what no step gives")

    def _samples(self, scores: Tensor | None) -> Samples | None:
        answer = self._answer
        if answer is None or scores is None:
            return None
        target, inputs = self.fields[answer.target], next(iter(self.fields.values()))
        if not target.dtype.is_floating_point:
            if scores.dim() != 2:
                return None
            best, confidence = _decided(scores, answer.yes_no)
            return Samples(
                _copy(inputs), _copy(target), _copy(best), "class", answer.classes, _copy(confidence)
            )
        if answer.yes_no:
            scores = scores.sigmoid()
        picture = inputs.dim() == 4 and scores[0].numel() == target[0].numel() == inputs[0].numel()
        if picture:
            target, scores = target.reshape(inputs.shape), scores.reshape(inputs.shape)
        return Samples(_copy(inputs), _copy(target), _copy(scores), "image" if picture else "number")


@dataclass(frozen=True)
class Spot:
    """A graph that is looked at, and its module, the document's or a block's; ``prefix`` names weights."""

    graph: Document
    module: nn.Module
    prefix: str

    def layer(self, node: str) -> nn.Module | None:
        """Return what a node calls, if that is a module."""
        found = self.graph.nodes.get(node)
        layer = getattr(self.module, found.attribute, None) if found else None
        return layer if isinstance(layer, nn.Module) else None


def _image(
    spot: Spot, node: str, weight: Tensor, shapes: Mapping[Slot, tuple[int, ...]]
) -> tuple[int, int, int] | None:
    """The (channels, height, width) that a row of weights looks at: found before the flattening."""
    while weight.dim() == 2:
        source = next(iter(spot.graph.incoming(node).values()), None)
        shape = tuple(shapes[source][1:]) if source in shapes else ()
        if prod(shape) != weight.shape[1]:
            return None
        if len(shape) == 3:
            return shape
        node = source.node
        if spot.layer(node) is not None or len(spot.graph.incoming(node)) != 1:
            return None
    return None


def _gradients(spot: Spot, nodes: frozenset[str]) -> dict[str, float]:
    """The norm of each node's gradient, as the last step left it."""
    found: dict[str, Tensor] = {}
    for node in nodes:
        layer = spot.layer(node)
        norms = [p.grad.norm() for p in layer.parameters() if p.grad is not None] if layer else []
        if norms:
            found[node] = torch.stack(norms).norm()
    values = torch.stack(list(found.values())).tolist() if found else []
    return dict(zip(found, values, strict=True))


@dataclass(frozen=True)
class Plane:
    """The grid that is asked for decision regions, and the data drawn over it."""

    fields: Fields
    regions: Regions


def _first_ports(setup: Setup) -> dict[str, str]:
    """The output that stands for each node: its first that a step gives."""
    given = setup.built.plan.types
    found = {}
    for id, node in setup.document.nodes.items():
        ports = [port.name for port in layer_of(setup.document, node.type).outputs_of(node.params)]
        if ports and Slot(id, ports[0]) in given:
            found[id] = ports[0]
    return found


def _answer(setup: Setup) -> Answer | None:
    document, built = setup.document, setup.built
    for step in built.plan.loss:
        layer = layer_of(document, document.nodes[step.node].type)
        if layer.role != "loss" or len(layer.inputs) < 2:
            continue
        incoming = document.incoming(step.node)
        scores, target = (incoming.get(port.name) for port in layer.inputs[:2])
        names = {**built.plan.arguments, **built.plan.fields}
        if scores is not None and target in names:
            classes = setup.dataset.fields[setup.ports[names[target]]].classes
            return Answer(step.node, scores, names[target], classes, "WithLogits" in layer.type)
    return None


def _plane(setup: Setup, answer: Answer | None) -> Plane | None:
    """The plane of a model that reads points (n, 2) and tells classes, else None."""
    arguments = list(setup.built.plan.arguments.values())
    if answer is None or len(arguments) != 1 or setup.train[answer.target].dtype.is_floating_point:
        return None
    name = arguments[0]
    train, held = setup.train[name], setup.held[name]
    scores = setup.built.plan.types.get(answer.scores)
    if train.dim() != 2 or train.shape[1] != 2 or scores is None or len(scores.shape) != 2:
        return None
    everything = torch.cat((train, held))
    low, high = everything.amin(0), everything.amax(0)
    margin = (high - low).clamp_min(1e-6) * MARGIN
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    y, x = torch.meshgrid(torch.linspace(y0, y1, GRID), torch.linspace(x0, x1, GRID), indexing="ij")
    grid = torch.stack((x.flatten(), y.flatten()), 1).to(setup.device)
    fields = {other: value[:1].expand(len(grid), *value.shape[1:]) for other, value in setup.train.items()}
    labels = torch.cat((setup.train[answer.target], setup.held[answer.target])).flatten()
    held_out = np.arange(len(everything)) >= len(train)
    # A fixed sample, in an order that draws training and held-out points alike.
    chosen = np.random.default_rng(0).permutation(len(everything))[:POINTS]
    empty = np.zeros((GRID, GRID))
    points = everything.cpu().numpy()[chosen]
    known = labels.cpu().numpy()[chosen]
    extent = (x0, x1, y0, y1)
    regions = Regions(extent, empty, empty, points, known, held_out[chosen], answer.classes)
    return Plane({**fields, name: grid}, regions)


def _axis(setup: Setup, answer: Answer | None) -> Axis | None:
    """The axis of a model that predicts a number from a number, else None."""
    if answer is None or answer.yes_no:
        return None
    return axis(setup, answer.scores, answer.target, setup.document.nodes[answer.loss].type)


def _decided(scores: Tensor, yes_no: bool) -> tuple[Tensor, Tensor]:
    """Return the class of each row (n, classes) and how sure the model is of it, 0 to 1."""
    if yes_no:
        yes = scores[:, 0].sigmoid()
        return (yes > 0.5).long(), torch.maximum(yes, 1 - yes)
    confidence, best = scores.softmax(1).max(1)
    return best, confidence


def _copy(value: Tensor) -> np.ndarray:
    return value.cpu().numpy().copy()
