"""Nodes that stand in the drawing but not in the model: muted and bypassed ones."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from engine.errors import EditError, shown
from engine.graph.blocks import ROLE, innermost_first, inside, layer_of
from engine.graph.document import BYPASSED, MODES, MUTED, Block, Document, Node, Slot, frozen
from engine.graph.links import inherited
from engine.graph.missing import ROLE as MISSING
from engine.graph.view import descendants_of
from engine.layers.declaration import Port


def active(document: Document) -> Document:
    """Return the document as the model knows it: what is muted is gone with all that depends on it, and the
    input of what is bypassed goes on to its readers.

    A document without such nodes is returned as it is, so that what is remembered of it holds.
    """
    blocks = _blocks(_Same(document))
    found = _effect(document)
    if found.nodes is document.nodes and blocks.mapping is document.blocks:
        return document
    # Not by with_(): the blocks stay the same value, by whose identity others remember them.
    return replace(document, nodes=found.nodes, edges=found.edges, blocks=blocks.mapping)


def left_out(document: Document) -> frozenset[str]:
    """Return the nodes that are not in the model because they are muted or depend on what is."""
    return _effect(document).out


def stands_for(document: Document) -> Mapping[Slot, Slot]:
    """Return, for each output of a bypassed node, the output that its readers receive."""
    return _effect(document).passed


def check_mode(document: Document, node: Node) -> None:
    """Raise EditError with the reason if a node cannot have its mode."""
    if node.mode not in MODES:
        raise EditError(f"A node can be {MUTED} or {BYPASSED}, not {shown(node.mode)}.", node.id)
    if node.mode != BYPASSED:
        return
    layer = layer_of(document, node.type)
    if layer.role not in ("layer", ROLE, MISSING):
        reason = "only a layer passes its input on"
    elif not layer.inputs or not layer.outputs_of(node.params):
        reason = "it has no input that could go on"
    else:
        return
    raise EditError(f"{node.title} cannot be bypassed: {reason}. Mute it instead.", node.id)


def set_mode(document: Document, ids: Iterable[str], mode: str) -> Document:
    """Return the document with some nodes muted, bypassed, or neither. Raises EditError with the reason."""
    changed = {id: replace(document.nodes[id], mode=mode) for id in ids}
    for node in changed.values():
        check_mode(document, node)
    return document.with_(nodes={**document.nodes, **changed})


def set_collapsed(document: Document, ids: Iterable[str], collapsed: bool) -> Document:
    """Return the document with some nodes shown by their titles alone, or in full."""
    changed = {id: replace(document.nodes[id], collapsed=collapsed) for id in ids}
    return document.with_(nodes={**document.nodes, **changed})


@dataclass(frozen=True)
class _Effect:
    """What modes do to one graph: what is left of it, who is out, and what the bypassed ones pass on."""

    nodes: Mapping[str, Node]
    edges: Mapping[Slot, Slot]
    out: frozenset[str] = frozenset()
    passed: Mapping[Slot, Slot] = field(default_factory=frozen)


@dataclass(frozen=True)
class _Blocks:
    """The blocks as the model knows them, and the output ports that each has lost."""

    mapping: Mapping[str, Block]
    lost: Mapping[str, frozenset[str]] = field(default_factory=frozen)


class _Same:
    """A document compared by the identity of what matters here."""

    def __init__(self, document: Document, graph: bool = False):
        self.document = document
        self._parts = (document.blocks, document.customs)
        self._parts += (document.nodes, document.edges) if graph else ()

    def __hash__(self) -> int:
        return hash(tuple(map(id, self._parts)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Same)
            and len(self._parts) == len(other._parts)
            and all(a is b for a, b in zip(self._parts, other._parts, strict=True))
        )


def _effect(document: Document) -> _Effect:
    return _known_effect(_Same(document, graph=True))


@lru_cache(maxsize=16)
def _known_effect(same: _Same) -> _Effect:
    return _effect_on(same.document, _blocks(_Same(same.document)).lost)


@lru_cache(maxsize=16)
def _blocks(same: _Same) -> _Blocks:
    document = same.document
    if not any(node.mode for block in document.blocks.values() for node in block.nodes.values()):
        return _Blocks(document.blocks)
    mapping, lost = dict(document.blocks), {}
    for name in innermost_first(document):
        block = document.blocks[name]
        ports = {id for id, node in block.nodes.items() if node.type == "Input"}
        found = _effect_on(inside(document, name), lost, ports)
        if gone := frozenset(id for id in found.out if block.nodes[id].type == "Output"):
            lost[name] = gone
        if found.nodes is not block.nodes:
            mapping[name] = replace(block, nodes=found.nodes, edges=found.edges)
    return _Blocks(frozen(mapping), lost)


def _effect_on(
    document: Document, lost: Mapping[str, frozenset[str]], kept: Container[str] = frozenset()
) -> _Effect:
    """Return what modes do to a graph; ``lost`` are ports of blocks that are gone, ``kept`` stay."""
    nodes, edges = document.nodes, document.edges
    muted = {id for id, node in nodes.items() if node.mode == MUTED}
    bypassed = [id for id, node in nodes.items() if node.mode == BYPASSED]
    muted |= {
        target.node
        for target, source in edges.items()
        if source.port in lost.get(nodes[source.node].type, ())
    }
    muted |= {
        id
        for id, node in nodes.items()
        if node.type in lost
        and all(port.name in lost[node.type] for port in layer_of(document, node.type).outputs)
    }
    if not muted and not bypassed:
        return _Effect(nodes, edges)
    out = frozenset(id for id in descendants_of(document, muted) if id in muted or id not in kept)
    passed = _passed(document, [id for id in bypassed if id not in out])
    gone = {slot.node for slot in passed} | {id for id in out if id not in kept}
    gone |= {id for id in bypassed if id not in kept}
    left = inherited(nodes, {id: node for id, node in nodes.items() if id not in gone})
    ends = {t: passed.get(s, s) for t, s in edges.items() if t.node in left}
    return _Effect(
        frozen(left), frozen({t: s for t, s in ends.items() if s.node in left}), out, frozen(passed)
    )


def _passed(document: Document, bypassed: Iterable[str]) -> dict[Slot, Slot]:
    """Return what stands for each output of the bypassed nodes: what enters the first input, from afar."""
    first: dict[Slot, Slot] = {}
    for id in bypassed:
        node, incoming = document.nodes[id], document.incoming(id)
        layer = layer_of(document, node.type)
        ports = (port for each in layer.inputs for port in _places(each, incoming))
        source = next((incoming[port] for port in ports if port in incoming), None)
        if source is not None:
            first |= {Slot(id, port.name): source for port in layer.outputs_of(node.params)}
    return {slot: _end(first, slot) for slot in first}


def _places(port: Port, incoming: Iterable[str]) -> list[str]:
    if not port.variadic:
        return [port.name]
    taken = (name for name in incoming if name.startswith(f"{port.name}."))
    return sorted(taken, key=lambda name: int(name.partition(".")[2]))


def _end(first: Mapping[Slot, Slot], slot: Slot) -> Slot:
    while slot in first:
        slot = first[slot]
    return slot
