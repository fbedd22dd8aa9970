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


def closed_up(edges: Mapping[Slot, Slot]) -> dict[Slot, Slot]:
    """Return the edges with the places of variadic ports numbered from 0 without a gap."""
    places: dict[tuple[str, str], list[tuple[int, Slot]]] = {}
    result: dict[Slot, Slot] = {}
    for target, source in edges.items():
        base, dot, index = target.port.partition(".")
        if dot:
            places.setdefault((target.node, base), []).append((int(index), source))
        else:
            result[target] = source
    for (node, base), sources in places.items():
        for place, (_, source) in enumerate(sorted(sources, key=lambda pair: pair[0])):
            result[Slot(node, f"{base}.{place}")] = source
    return result


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


MUTED, BYPASSED = "muted", "bypassed"
MODES = ("", MUTED, BYPASSED)
"""What a node is to the model: a part of it, left out with what depends on it, or passing its input on."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How a node's weights begin and move.

    ``frozen`` ones stay as they are; ``rate`` multiplies the learning rate. ``init`` says how they begin, the
    document's way where it is empty. A block with ``checkpoint`` computes its inside again in the backward
    pass instead of keeping it.
    """

    frozen: bool = False
    rate: float = 1.0
    init: str = ""
    init_options: Mapping[str, Value] = field(default_factory=lambda: frozen())  # its name is taken above
    checkpoint: bool = False


Moved = tuple[float, float, float]
"""What a block moved when it was expanded: all at its right, all below it, and itself upwards."""


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a layer.

    ``id`` is unique, never changes and is the attribute in code; ``name`` is free text for people, shown
    instead of the id where it is not empty. ``params`` holds only what differs from the layer's defaults.
    ``position`` is kept to a hundredth of a pixel, as files hold it. ``mode`` is one of ``MODES``;
    ``collapsed`` shows the title alone, ``expanded`` the inside of a block in place; for the eye.
    ``learning`` is how its weights are trained.
    """

    id: str
    type: str
    name: str = ""
    params: Mapping[str, Value] = field(default_factory=frozen)
    position: Point = (0.0, 0.0)
    share: Share | None = None
    mode: str = ""
    collapsed: bool = False
    expanded: Moved | None = None
    learning: Learning = Learning()

    def __post_init__(self) -> None:
        x, y = self.position
        object.__setattr__(self, "position", (round(float(x), 2), round(float(y), 2)))

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
    """Minimize a weighted sum of losses by changing the weights of some nodes.

    ``losses`` are loss nodes with their weights; where it is empty every loss counts once. ``nodes`` are
    those whose weights it changes; where it is empty, all. Its optimizer steps every ``every`` steps of the
    run, on the mean gradient of ``accumulate`` of them. ``schedule`` changes the learning rate, after
    ``warmup`` steps of linear rise; an empty one leaves it. ``clip_norm`` and ``clip_value`` limit the
    gradient, ``l1`` and ``l2`` are added to the loss times the sum of the weights' sizes and squares; 0
    switches each off.
    """

    losses: Mapping[str, float] = field(default_factory=frozen)
    optimizer: str = "Adam"
    options: Mapping[str, Value] = field(default_factory=frozen)
    name: str = ""
    nodes: tuple[str, ...] = ()
    schedule: str = ""
    schedule_options: Mapping[str, Value] = field(default_factory=frozen)
    warmup: int = 0
    every: int = 1
    accumulate: int = 1
    clip_norm: float = 0.0
    clip_value: float = 0.0
    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """How the model is trained: settings that travel with the document, each with its words in ``SETTINGS``.

    ``weights`` is the path of a safetensors file that a run begins with; fresh ones where it is empty.
    """

    epochs: int = 10
    batch_size: int = 32
    seed: int = 0
    device: str = "auto"
    objectives: tuple[Objective, ...] = (Objective(),)
    weights: str = ""
    init: str = ""
    init_options: Mapping[str, Value] = field(default_factory=frozen)
    balance: str = "none"
    average: float = 0.0
    patience: int = 0
    monitor: str = "auto"
    keep_best: bool = False
    precision: str = "float32"
    compile: bool = False
    layout: str = "auto"
    deterministic: bool = False
    save_every: float = 1.0


Box = tuple[float, float, float, float]
"""Left, top, width and height on the canvas."""
KINDS = ("frame", "note")
"""Every kind of comment."""
COLORS = ("blue", "teal", "green", "amber", "rose", "gray")
"""Every color of a comment, as a theme shows it."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What people write on the canvas, for the eye alone: a frame around nodes, or a note.

    ``id`` holds a space and is therefore never a node's. What stands in a frame moves with it; ``text`` is
    Markdown in a note, a plain line or two below the title in a frame. A note grows with its text.
    """

    id: str
    kind: str = "note"
    title: str = ""
    text: str = ""
    color: str = "blue"
    box: Box = (0.0, 0.0, 280.0, 80.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "box", tuple(round(each, 2) for each in self.box))


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a block's parameter beside its default: a sentence, and the range of its values."""

    doc: str = ""
    min: int | None = None
    max: int | None = None

    def holds(self, value: int) -> bool:
        """Return whether a value is within the range."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    @property
    def range(self) -> str:
        """The range in words."""
        if self.min is None:
            return f"up to {self.max}"
        return f"from {self.min}" + ("" if self.max is None else f" to {self.max}")


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
    about: Mapping[str, About] = field(default_factory=frozen)
    comments: Mapping[str, Comment] = field(default_factory=frozen)
    bends: Mapping[Slot, tuple[Point, ...]] = field(default_factory=frozen)

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of its inputs and outputs, in their order."""
        return tuple(id for id, node in self.nodes.items() if node.type in ("Input", "Output"))

    def __eq__(self, other: object) -> bool:
        """Blocks are equal if their ports and parameters stand in the same order too, unlike mappings."""
        if self is other or not isinstance(other, Block):
            return self is other
        return (
            all(getattr(self, each) == getattr(other, each) for each in Block.__dataclass_fields__)
            and self.ports == other.ports
            and tuple(self.params) == tuple(other.params)
        )


@dataclass(frozen=True, slots=True)
class Custom:
    """A layer written in Python: the class or function ``name`` of its source is the type of its nodes."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A type of nodes that nothing here declares, and the ports that edges name of it.

    ``xs.`` among the inputs is the variadic port ``xs``.
    """

    type: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A drawn network: nodes by id; edges by the slot that they enter, with the slot that they leave.

    ``blocks`` and ``customs`` are the document's own kinds of nodes, by the type that their nodes name;
    ``missing`` those that are nowhere declared, such as layers of a plug-in that is not installed.
    For the eye alone: ``comments`` by id, and ``bends``, the points that an edge passes through, by its slot.
    """

    name: str = "Untitled"
    notes: str = ""
    nodes: Mapping[str, Node] = field(default_factory=frozen)
    edges: Mapping[Slot, Slot] = field(default_factory=frozen)
    training: Training = Training()
    blocks: Mapping[str, Block] = field(default_factory=frozen)
    customs: Mapping[str, Custom] = field(default_factory=frozen)
    missing: Mapping[str, Missing] = field(default_factory=frozen)
    comments: Mapping[str, Comment] = field(default_factory=frozen)
    bends: Mapping[Slot, tuple[Point, ...]] = field(default_factory=frozen)

    def incoming(self, node: str) -> dict[str, Slot]:
        """Return the source slot of every connected input of a node, by input port name."""
        return {target.port: source for target, source in self.edges.items() if target.node == node}

    def outgoing(self, node: str) -> list[Edge]:
        """Return the edges that leave a node."""
        return [Edge(source, target) for target, source in self.edges.items() if source.node == node]

    def with_(self, **changes: object) -> Document:
        """Return the document with some fields replaced; mappings are frozen on the way.

        With other ``edges``, the bends of those that are gone go too.
        """
        if self.bends and "edges" in changes and "bends" not in changes:
            changes["bends"] = bends_of(self, changes["edges"])
        for name in ("nodes", "edges", "blocks", "customs", "missing", "comments", "bends"):
            if name in changes:
                changes[name] = frozen(changes[name])
        return replace(self, **changes)


def bends_of(graph: Document | Block, edges: Mapping[Slot, Slot]) -> Mapping[Slot, tuple[Point, ...]]:
    """Return the bends that a graph keeps with other edges: where an output still leads to the same input.

    They move with an edge whose place in a variadic port has moved up.
    """
    if not graph.bends or edges is graph.edges:
        return graph.bends
    kept: dict[Slot, tuple[Point, ...]] = {}
    for target, points in graph.bends.items():
        source = graph.edges[target]
        if edges.get(target) == source:
            kept[target] = points
            continue
        base, dot, _ = target.port.partition(".")
        for slot, leaves in edges.items() if dot else ():
            same = slot.node == target.node and slot.port.partition(".")[0] == base and leaves == source
            if same and graph.edges.get(slot) != source:
                kept[slot] = points
    return frozen(kept)
