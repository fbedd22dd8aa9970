"""A network as a tree: layers, and modules that will be blocks, with the ports through which tensors pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx
from torch import Tensor

from engine.graph.names import is_block_name
from engine.importing.calls import Place
from engine.importing.made import Lowered, Made, Source
from engine.layers.params import Value

_CONTAINERS = {"Sequential", "ModuleList", "ModuleDict", "GraphModule"}
_MOST = 0.5
"""A module that is used once and holds more than this part of the nodes is no block: it is the network."""


@dataclass(eq=False)
class Piece:
    """One node to be: a layer, or a block with the pieces inside it; ``copies`` stand in a row.

    ``inputs`` and, of a block, ``outputs`` say by port where tensors come from: outside, and inside.
    """

    wanted: str
    type: str = ""
    made: Made | None = None
    place: Place | None = None
    params: dict[str, Value] = field(default_factory=dict)
    inputs: dict[str, Outlet] = field(default_factory=dict)
    outputs: dict[str, Outlet] = field(default_factory=dict)
    inner: list[Piece] = field(default_factory=list)
    copies: list[Piece] = field(default_factory=list)
    id: str = ""

    @property
    def height(self) -> int:
        """How many blocks lie in each other inside: 0 for a layer."""
        return 0 if self.made else 1 + max((piece.height for piece in self.inner), default=0)

    def weights(self) -> dict[str, Tensor]:
        """Return all weights by their names in the node's layer."""
        if self.copies:
            rows = enumerate(self.copies)
            return {f"{row}.{key}": value for row, copy in rows for key, value in copy.own_weights().items()}
        return self.own_weights()

    def own_weights(self) -> dict[str, Tensor]:
        """Return the weights of one of those in a row."""
        if self.made:
            return dict(self.made.weights)
        return {f"{piece.id}.{key}": value for piece in self.inner for key, value in piece.weights().items()}

    def every(self) -> Iterable[Piece]:
        """Yield this piece and all inside it."""
        yield self
        for piece in self.inner:
            yield from piece.every()


@dataclass(frozen=True)
class Outlet:
    """An output of a piece beside; without a piece an input of the block around."""

    piece: Piece | None
    port: str


@dataclass
class Tree:
    """The pieces of the whole network, what it returns, and why some modules could not become blocks."""

    pieces: list[Piece]
    outputs: dict[str, Outlet]
    open: list[str]


def make_tree(lowered: Lowered, blocks: bool = True) -> Tree:
    """Return the nodes of a network in the modules that they were called in, or all in one level."""
    return _Planter(lowered, blocks).tree()


class _Planter:
    def __init__(self, lowered: Lowered, blocks: bool):
        self.lowered = lowered
        self.blocks = blocks
        self.open: list[str] = []
        self.around: set[str] = set()
        """Modules that are no blocks because they hold nearly all: names inside leave them away."""
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(lowered.nodes)
        self.graph.add_edges_from((s.made, made) for made in lowered.nodes for s in made.inputs.values())
        self.way: dict[Made, tuple[Piece, ...]] = {}

    def tree(self) -> Tree:
        grouped: set[str] = set()
        if self.blocks:
            self._move_constants()
            grouped = self._grouped()
        top: list[Piece] = []
        blocks: dict[str, Piece] = {}
        for made in self.lowered.nodes:
            way: list[Piece] = []
            level, path = top, ""
            for place in made.places if made.type != "Input" else ():
                if place.path in grouped:
                    if place.path not in blocks:
                        blocks[place.path] = Piece(_relative(place.path, path), place=place)
                        level.append(blocks[place.path])
                    way.append(blocks[place.path])
                    level, path = way[-1].inner, place.path
                elif place.path in self.around:
                    path = place.path
            piece = Piece(made.id or _relative(made.path, path), made.type, made, params=dict(made.params))
            level.append(piece)
            self.way[made] = (*way, piece)
        for made in self.lowered.nodes:
            for port, source in made.inputs.items():
                self._connect(made, port, source)
        outputs = {name: self._outlet(source, 0) for name, source in self.lowered.outputs.items()}
        return Tree(top, outputs, self.open)

    def _connect(self, made: Made, port: str, source: Source) -> None:
        way, other = self.way[made], self.way[source.made]
        depth = next(
            place for place, piece in enumerate(way) if place >= len(other) or piece is not other[place]
        )
        outlet = self._outlet(source, depth)
        for block in way[depth:-1]:
            outlet = Outlet(None, _port(block.inputs, outlet, "input"))
        way[-1].inputs[port] = outlet

    def _outlet(self, source: Source, depth: int) -> Outlet:
        """Return a source as it is seen at a depth: through the output ports of the blocks around it."""
        way = self.way[source.made]
        outlet = Outlet(way[-1], source.port)
        for block in reversed(way[depth:-1]):
            outlet = Outlet(block, _port(block.outputs, outlet, "output"))
        return outlet

    def _move_constants(self) -> None:
        """Put numbers without inputs where those stand that read them."""
        for made in reversed(self.lowered.nodes):
            readers = list(self.graph.successors(made))
            if not made.inputs and made.type != "Input" and readers:
                made.places = _common([reader.places for reader in readers])

    def _grouped(self) -> set[str]:
        """Return the paths of modules that can and should become blocks."""
        members: dict[str, list[Made]] = {}
        types: dict[str, str] = {}
        for made in self.lowered.nodes:
            for place in made.places:
                members.setdefault(place.path, []).append(made)
                types[place.path] = place.type
        kinds = [kind.rpartition(".")[2] for kind in types.values()]
        shared = {each for made in self.lowered.nodes if made.share for each in (made, made.share)}
        ends = {source.made for source in self.lowered.outputs.values()}
        found = set()
        for path, inside in members.items():
            kind = types[path].rpartition(".")[2]
            whole = kinds.count(kind) == 1 and len(inside) > _MOST * len(self.lowered.nodes)
            if whole and kind not in _CONTAINERS:
                self.around.add(path)
            if kind in _CONTAINERS or not is_block_name(block_name(kind)) or len(inside) < 2 or whole:
                continue
            reason = self._reason(set(inside), shared, ends)
            if reason:
                self.open.append(f"{path} ({kind}) is no block: {reason}.")
            else:
                found.add(path)
        return found

    def _reason(self, inside: set[Made], shared: set[Made], ends: set[Made]) -> str:
        """Return why nodes cannot be one block, or an empty text."""
        if inside & shared:
            return "its weights are shared with other places"
        if not any(source.made not in inside for made in inside for source in made.inputs.values()):
            return "nothing enters it"
        leaving = {after for made in inside for after in self.graph.successors(made) if after not in inside}
        if not leaving and not inside & ends:
            return "nothing leaves it"
        beyond = leaving.union(*(nx.descendants(self.graph, each) for each in leaving))
        return "what it computes leaves it and comes back" if beyond & inside else ""


def block_name(kind: str) -> str:
    """Return the name of a class as the name of a block."""
    name = re.sub(r"\W|^_+", "", kind.rpartition(".")[2])
    return name[:1].upper() + name[1:]


def _port(ports: dict[str, Outlet], outlet: Outlet, word: str) -> str:
    """Return the port for an outlet, a new one where there is none yet."""
    for name, known in ports.items():
        if known == outlet:
            return name
    name = word if not ports else f"{word}{len(ports) + 1}"
    ports[name] = outlet
    return name


def _common(chains: Sequence[tuple[Place, ...]]) -> tuple[Place, ...]:
    first = chains[0]
    length = next(
        (n for n, place in enumerate(first) if any(len(c) <= n or c[n] != place for c in chains)), len(first)
    )
    return first[:length]


def _relative(path: str, around: str) -> str:
    """Return a module's path below another as an identifier: conv1 for layer1.0.conv1 below layer1.0."""
    path, around = path.replace("@", "_"), around.replace("@", "_")
    if around and path.startswith(f"{around}."):
        path = path[len(around) + 1 :]
    return re.sub(r"\W", "_", path).strip("_")


def readers_of(pieces: Iterable[Piece], ends: Mapping[str, Outlet]) -> dict[Outlet, int]:
    """Return how often each outlet of a level is read."""
    counts: dict[Outlet, int] = {}
    for outlet in [*(o for piece in pieces for o in piece.inputs.values()), *ends.values()]:
        counts[outlet] = counts.get(outlet, 0) + 1
    return counts
