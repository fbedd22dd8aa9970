"""The document: everything that a file holds, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from engine.layers.params import Value

Point = tuple[float, float]


def frozen(values: Mapping | None = None) -> Mapping:
    """Return a read-only copy of a mapping."""
    return MappingProxyType(dict(values or {}))


Way = tuple[tuple[str, int], ...]
"""The way into blocks: from outside, the node of each, and which of those in its row."""


class Slot(NamedTuple):
    """A port of a node; ``xs.2`` is the third place of the variadic port ``xs``."""

    node: str
    port: str


class Edge(NamedTuple):
    """A tensor's way from an output to an input. An input takes one edge, so its slot names the edge."""

    source: Slot
    target: Slot


@dataclass(frozen=True, slots=True)
class Share:
    """Whose weights a node uses: those of ``node``, which has the same type and the same parameters.

    ``follow`` says how: an empty text calls the same layer once more; ``frozen`` is a copy that stays as it
    was made; ``average`` a copy that moves toward the weights by the fraction ``amount`` after every step;
    ``copy`` one that is made anew every ``amount`` steps. No gradient moves a copy.
    """

    node: str
    follow: str = ""
    amount: float = 0.0


FOLLOWS: Mapping[str, float] = MappingProxyType({"": 0.0, "frozen": 0.0, "average": 0.005, "copy": 100.0})
"""Every way to share weights, and its usual amount."""


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a layer.

    ``id`` is unique, never changes and is the attribute in code; ``name`` is free text for people, shown
    instead of the id where it is not empty. ``params`` holds only what differs from the layer's defaults.
    ``position`` is kept to a hundredth of a pixel, as files hold it.
    """

    id: str
    type: str
    name: str = ""
    params: Mapping[str, Value] = field(default_factory=frozen)
    position: Point = (0.0, 0.0)
    share: Share | None = None

    def __post_init__(self) -> None:
        x, y = self.position
        object.__setattr__(self, "position", (round(x, 2), round(y, 2)))

    @property
    def title(self) -> str:
        """What the node is called on the canvas."""
        return self.name or self.id

    @property
    def attribute(self) -> str:
        """The node whose layer this one calls: itself, unless it is linked to another."""
        return self.share.node if self.share and not self.share.follow else self.id


@dataclass(frozen=True, slots=True)
class Objective:
    """Minimize a loss with an optimizer; an empty ``loss`` means the sum of every loss node."""

    loss: str = ""
    optimizer: str = "Adam"
    options: Mapping[str, Value] = field(default_factory=frozen)


@dataclass(frozen=True, slots=True)
class Training:
    """How the model is trained: settings that travel with the document.

    ``weights`` is the path of a safetensors file that a run begins with; fresh ones where it is empty.
    """

    epochs: int = 10
    batch_size: int = 32
    seed: int = 0
    device: str = "auto"
    objectives: tuple[Objective, ...] = (Objective(),)
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A graph with parameters of its own, used as a node; its Input and Output nodes are its ports.

    ``params`` are whole numbers with their defaults, None where a value must be given. Parameters of nodes
    inside may be formulas over them.
    """

    name: str
    params: Mapping[str, int | None] = field(default_factory=frozen)
    notes: str = ""
    nodes: Mapping[str, Node] = field(default_factory=frozen)
    edges: Mapping[Slot, Slot] = field(default_factory=frozen)


@dataclass(frozen=True, slots=True)
class Custom:
    """A layer written in Python: the class or function ``name`` of its source is the type of its nodes."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Document:
    """A drawn network: nodes by id; edges by the slot that they enter, with the slot that they leave.

    ``blocks`` and ``customs`` are the document's own kinds of nodes, by the type that their nodes name.
    """

    name: str = "Untitled"
    notes: str = ""
    nodes: Mapping[str, Node] = field(default_factory=frozen)
    edges: Mapping[Slot, Slot] = field(default_factory=frozen)
    training: Training = Training()
    blocks: Mapping[str, Block] = field(default_factory=frozen)
    customs: Mapping[str, Custom] = field(default_factory=frozen)

    def incoming(self, node: str) -> dict[str, Slot]:
        """Return the source slot of every connected input of a node, by input port name."""
        return {target.port: source for target, source in self.edges.items() if target.node == node}

    def outgoing(self, node: str) -> list[Edge]:
        """Return the edges that leave a node."""
        return [Edge(source, target) for target, source in self.edges.items() if source.node == node]

    def with_(self, **changes: object) -> Document:
        """Return the document with some fields replaced; mappings are frozen on the way."""
        for name in ("nodes", "edges", "blocks", "customs"):
            if name in changes:
                changes[name] = frozen(changes[name])
        return replace(self, **changes)
