"""The same block with other numbers: found in a selection, and used instead of a copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import networkx as nx
from networkx.algorithms.isomorphism import DiGraphMatcher

from engine.errors import EngineError
from engine.graph.blocks import free_name, group, layer_of
from engine.graph.document import Block, Document, Node, Slot, frozen
from engine.graph.edits import checked_node
from engine.graph.named import renamed
from engine.graph.parametrize import Candidate, Place, family, is_size, make_parameter
from engine.graph.parametrize import free_name as name_for
from engine.layers.declaration import Layer
from engine.layers.formula import Formula
from engine.layers.params import Value

_LARGEST = 60
"""Nodes of a selection that is compared; the number of ways to lay graphs over each other grows fast."""
_WAYS = 24


@dataclass(frozen=True)
class Match:
    """A block that the selection is, but for numbers.

    ``ports`` maps the selection's ports to the block's, ``given`` is what the new use gives to the block's
    parameters, ``varying`` are the numbers that have to become parameters for it, each with the number here.
    """

    block: str
    ports: Mapping[str, str] = field(default_factory=frozen)
    given: Mapping[str, int] = field(default_factory=frozen)
    varying: tuple[tuple[Candidate, int], ...] = ()

    @property
    def words(self) -> str:
        """What is particular to this use: ``channels 128, stride 2``."""
        new = {candidate.name: number for candidate, number in self.varying}
        return ", ".join(f"{name} {value}" for name, value in {**self.given, **new}.items())


def like(document: Document, ids: Iterable[str]) -> list[Match]:
    """Return the blocks that some nodes equal up to numbers, those with the fewest differences first."""
    chosen = set(ids)
    if not 2 <= len(chosen) <= _LARGEST:
        return []
    name = free_name(document)
    try:
        grouped, _ = group(document, chosen, name)
    except EngineError:
        return []
    selection = grouped.blocks[name]
    types = Counter(node.type for node in selection.nodes.values())
    found = []
    for block in document.blocks.values():
        if Counter(node.type for node in block.nodes.values()) == types:
            ways = (_match(document, block, selection, way) for way in _ways(selection, block))
            found += sorted(filter(None, ways), key=_differences)[:1]
    return sorted(found, key=_differences)


def _differences(match: Match) -> tuple[int, int]:
    return len(match.varying), len(match.given)


def _ways(selection: Block, block: Block) -> Iterator[Mapping[str, str]]:
    """Lay a selection over a block in every way that keeps types and edges."""
    matcher = DiGraphMatcher(
        _graph(selection), _graph(block), lambda a, b: a["type"] == b["type"], lambda a, b: a == b
    )
    return islice(matcher.isomorphisms_iter(), _WAYS)


def _graph(block: Block) -> nx.DiGraph:
    graph = nx.DiGraph()
    for node in block.nodes.values():
        graph.add_node(node.id, type=node.type)
    for target, source in block.edges.items():
        known = graph.get_edge_data(source.node, target.node, {"ports": frozenset()})["ports"]
        graph.add_edge(source.node, target.node, ports=known | {(source.port, target.port)})
    return graph


def _match(document: Document, block: Block, selection: Block, way: Mapping[str, str]) -> Match | None:
    """Return how a selection differs from a block that it is laid over, or None if by more than numbers."""
    formulas: list[tuple[Formula, int]] = []
    other: dict[tuple[str, int, int], list[Place]] = {}
    for mine, theirs in way.items():
        node, like_it = selection.nodes[mine], block.nodes[theirs]
        if node.share or like_it.share:
            return None
        layer = layer_of(document, node.type)
        if layer.unknown(node.params) != layer.unknown(like_it.params):
            return None
        for param, (here, there) in _differing(layer, node, like_it).items():
            declared = layer.param(param)
            if not is_size(layer, declared, here):
                return None
            if isinstance(there, Formula):
                formulas.append((there, here))
            elif is_size(layer, declared, there):
                other.setdefault((family(param), there, here), []).append(Place(theirs, param))
            else:
                return None
    given = _solved(block, formulas)
    if given is None:
        return None
    ports = {mine: theirs for mine, theirs in way.items() if block.nodes[theirs].type in ("Input", "Output")}
    changed = {name: value for name, value in given.items() if value != block.params[name]}
    return Match(block.name, frozen(ports), frozen(changed), _varying(block, other))


def _differing(layer: Layer, node: Node, like_it: Node) -> dict[str, tuple[Value, Value]]:
    if layer.role in ("input", "output"):
        return {}  # their types come from what is connected
    here, there = layer.values(node.params), layer.values(like_it.params)
    # Formulas are never the same: each depends on the block that it stands in.
    return {
        name: (here[name], there[name])
        for name in here
        if here[name] != there[name] or isinstance(here[name], Formula)
    }


def _solved(block: Block, formulas: list[tuple[Formula, int]]) -> dict[str, int] | None:
    """Return the parameters for which every formula gives its number, or None."""
    given: dict[str, int] = {}
    for formula, number in formulas:
        names = formula.names
        if len(names) == 1 and names[0] in block.params and names[0] not in given:
            zero, one = (_value(formula, {names[0]: value}) for value in (0, 1))
            if zero is not None and one is not None and one != zero:
                given[names[0]] = (number - zero) // (one - zero)
    values = {**block.params, **given}
    if any(value is None for value in values.values()):
        return None
    return values if all(_value(formula, values) == number for formula, number in formulas) else None


def _value(formula: Formula, values: Mapping[str, int]) -> int | None:
    try:
        return formula.evaluate(values)
    except EngineError:
        return None


def _varying(
    block: Block, other: Mapping[tuple[str, int, int], list[Place]]
) -> tuple[tuple[Candidate, int], ...]:
    """Return the numbers that differ as candidates, multiples with what they are multiples of."""
    made: list[tuple[Candidate, int]] = []
    taken = set(block.params)
    left = dict(sorted(other.items(), key=lambda item: (item[0][0] != "width", item[0][1])))
    while left:
        kind, there, here = key = next(iter(left))
        places = left.pop(key)
        multiples: list[Place] = []
        for each in list(left) if kind == "width" else ():
            times = each[1] // max(there, 1)
            if each == (kind, there * times, here * times):
                multiples += [place._replace(times=times) for place in left.pop(each)]
        name = name_for(places[0].param, taken)
        taken.add(name)
        made.append((Candidate(there, name, tuple(places), tuple(multiples)), here))
    return tuple(made)


def use_instead(document: Document, ids: Iterable[str], match: Match) -> tuple[Document, str]:
    """Return the document with a use of the matching block in place of some nodes, and its id.

    Numbers that differ become parameters of the block; its other uses keep them as defaults. Raises EditError
    where the nodes cannot be grouped.
    """
    name = free_name(document)
    grouped, old = group(document, ids, name)
    for candidate, _ in match.varying:
        grouped = make_parameter(grouped, match.block, candidate)
    given = {**match.given, **{candidate.name: number for candidate, number in match.varying}}
    taken = grouped.nodes.keys() - {old}
    id, count = match.block.lower(), 1
    while id in taken:
        count += 1
        id = f"{match.block.lower()}{count}"
    made = checked_node(layer_of(grouped, match.block), id, given, grouped.nodes[old].position)
    nodes = {(id if each == old else each): (made if each == old else n) for each, n in grouped.nodes.items()}

    def ported(slot: Slot) -> Slot:
        return Slot(id, match.ports[slot.port]) if slot.node == old else slot

    edges = {ported(t): ported(s) for t, s in grouped.edges.items()}
    blocks = {each: block for each, block in grouped.blocks.items() if each != name}
    training = renamed(grouped.training, lambda each: id if each == old else each)
    return grouped.with_(nodes=nodes, edges=edges, blocks=blocks, training=training), id
