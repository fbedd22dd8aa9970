"""From the tree of pieces to a document: modules that are alike become one block, in a row one node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from engine import catalogue
from engine.graph.blocks import layer_of, with_block
from engine.graph.custom import add_custom
from engine.graph.document import Block, Document, Node, Share, Slot, frozen
from engine.graph.layout import layout
from engine.graph.names import is_id
from engine.graph.parametrize import free_name, is_size
from engine.importing.made import Lowered
from engine.importing.pieces import Outlet, Piece, Tree, block_name, make_tree, readers_of
from engine.layers.declaration import Layer
from engine.layers.formula import Formula


@dataclass
class Assembled:
    """A document with the weights of its compiled model by state-dict key, how often each block is used, and
    which modules stayed open, with the reason."""

    document: Document
    weights: dict[str, Tensor]
    uses: dict[str, int] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    calls: dict[str, str] = field(default_factory=dict)
    """The call that each node of the outermost graph came from."""


def assemble(lowered: Lowered, name: str, blocks: bool = True) -> Assembled:
    """Return the document of nodes, with blocks from the modules that they were called in."""
    tree = make_tree(lowered, blocks)
    document = Document(name=name)
    for source in lowered.customs.values():
        document, _ = add_custom(document, source)
    document, uses = _define_blocks(document, tree)
    tree.pieces = _in_rows(tree.pieces, tree.outputs)
    _name(document, tree.pieces, set(tree.outputs))
    nodes, edges = _graph(document, tree.pieces)
    for wanted, outlet in tree.outputs.items():
        id = _free(nodes, wanted)
        nodes[id] = Node(id, "Output")
        edges[Slot(id, "x")] = Slot(outlet.piece.id, outlet.port) if outlet.piece else Slot(outlet.port, "y")
    document = _laid_out(document.with_(nodes=nodes, edges=edges))
    weights = {f"{p.id}.{key}": value for p in tree.pieces for key, value in p.weights().items()}
    calls = {piece.id: piece.made.call for piece in tree.pieces if piece.made}
    return Assembled(document, weights, uses, tree.open, calls)


def _define_blocks(document: Document, tree: Tree) -> tuple[Document, dict[str, int]]:
    """Return the document with a block for each kind of module, inner ones first, and their uses."""
    blocks = [piece for top in tree.pieces for piece in top.every() if not piece.made]
    uses: dict[str, int] = {}
    for height in sorted({piece.height for piece in blocks}):
        alike: dict[tuple, list[Piece]] = {}
        for piece in blocks:
            if piece.height == height:
                piece.inner = _in_rows(piece.inner, piece.outputs)
                _name(document, piece.inner, {*piece.inputs, *piece.outputs})
                alike.setdefault((piece.place.type, _structure(document, piece)), []).append(piece)
        for (kind, _), pieces in alike.items():
            name = _block_name(document, block_name(kind))
            document = _define(document, name, pieces)
            uses[name] = len(pieces)
    return document, uses


def _block_name(document: Document, wanted: str) -> str:
    taken = {*document.blocks, *catalogue.layers(), *document.customs}
    name, count = wanted, 1
    if wanted in catalogue.layers():
        name = wanted = f"{wanted}Block"
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def _sizes(document: Document, piece: Piece) -> dict[str, int]:
    """Return the numbers of a piece that may differ from use to use."""
    layer = layer_of(document, piece.type)
    values = layer.values(piece.params)
    return {p.name: values[p.name] for p in layer.params if is_size(layer, p, values[p.name])}


def _structure(document: Document, block: Piece) -> tuple:
    """Return what uses of one block have in common: everything but sizes."""
    inner = []
    for piece in block.inner:
        sizes = _sizes(document, piece)
        layer = layer_of(document, piece.type)
        other = tuple((k, v) for k, v in layer.values(piece.params).items() if k not in sizes)
        inner.append((piece.id, piece.type, other, tuple(sizes), _wires(piece.inputs)))
    return tuple(inner), tuple(block.inputs), _wires(block.outputs)


def _wires(ports: Mapping[str, Outlet]) -> tuple:
    return tuple((port, o.piece.id if o.piece else "", o.port) for port, o in ports.items())


def _define(document: Document, name: str, pieces: Sequence[Piece]) -> Document:
    """Return the document with the block of these pieces, whose sizes that differ are its parameters."""
    first = pieces[0]
    params: dict[str, list[int]] = {}
    formulas: dict[tuple[str, str], Formula] = {}
    for place, inner in enumerate(first.inner):
        rows = [_sizes(document, piece.inner[place]) for piece in pieces]
        for param in rows[0]:
            values = [row[param] for row in rows]
            if len(set(values)) > 1:
                formulas[inner.id, param] = _expressed(param, values, params)
    inside = document.with_(nodes={}, edges={}, blocks=document.blocks)
    nodes, edges = _graph(inside, first.inner, formulas)
    ports = {port: Node(port, "Input") for port in first.inputs}
    nodes = {**ports, **nodes}
    for port, outlet in first.outputs.items():
        nodes[port] = Node(port, "Output")
        edges[Slot(port, "x")] = (
            Slot(outlet.piece.id, outlet.port) if outlet.piece else Slot(outlet.port, "y")
        )
    document = with_block(
        document, Block(name, frozen(dict.fromkeys(params)), "", frozen(nodes), frozen(edges))
    )
    placed = _laid_out(document.with_(nodes=nodes, edges=edges))
    block = replace(document.blocks[name], nodes=placed.nodes)
    for use, piece in enumerate(pieces):
        piece.type = name
        piece.params = {param: values[use] for param, values in params.items()}
    return with_block(document, block)


def _expressed(param: str, values: list[int], params: dict[str, list[int]]) -> Formula:
    """Return the formula of sizes in all uses: a parameter or its multiple, else a new parameter."""
    for name, known in params.items():
        times = values[0] // known[0] if known[0] else 0
        if times and [value * times for value in known] == values:
            return Formula(name) if times == 1 else Formula(name) * times
    name = free_name(param, params)
    params[name] = values
    return Formula(name)


def _in_rows(pieces: list[Piece], ends: dict[str, Outlet]) -> list[Piece]:
    """Return the pieces with equal blocks that follow each other as one that is repeated."""
    readers = readers_of(pieces, ends)
    gone: dict[Piece, Piece] = {}
    kept: list[Piece] = []
    for piece in pieces:
        before = next(iter(piece.inputs.values())).piece if len(piece.inputs) == 1 else None
        head = gone.get(before, before) if before else None
        alike = (
            not piece.made
            and head is not None
            and not head.made
            and (head.type, head.params.items()) == (piece.type, piece.params.items())
            and len(piece.outputs) == len(before.inputs) == 1
            and list(piece.inputs.values()) == [Outlet(before, "output")]
            and readers[Outlet(before, "output")] == 1
            and _shapes(head) == _shapes(piece)
        )
        if alike:
            head.copies = head.copies or [head]
            head.copies.append(piece)
            gone[piece] = head
        else:
            kept.append(piece)
    for piece in kept:
        if piece.copies:
            piece.params["repeat"] = len(piece.copies)
            piece.wanted = re.sub(r"_?\d+$", "", piece.wanted) or piece.wanted
    for ports in [*(piece.inputs for piece in kept), ends]:
        for port, outlet in ports.items():
            if outlet.piece in gone:
                ports[port] = Outlet(gone[outlet.piece], outlet.port)
    return kept


def _shapes(piece: Piece) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in piece.own_weights().items()}


def _name(document: Document, pieces: Iterable[Piece], taken: set[str]) -> None:
    """Give each piece of a level its id: the name of its module, else that of its layer with a number."""
    used = set(taken)
    pieces = list(pieces)
    for piece in [p for p in pieces if p.type == "Input"] + [p for p in pieces if p.type != "Input"]:
        wanted = piece.wanted
        if not is_id(wanted) and re.fullmatch(r"\d[\d_]*", wanted or "0"):
            prefix, count = layer_of(document, piece.type).prefix, 1
            while not is_id(f"{prefix}{count}") or f"{prefix}{count}" in used:
                count += 1
            wanted = f"{prefix}{count}"
        piece.id = _free(used, wanted)
        used.add(piece.id)


def _free(taken: Iterable[str], wanted: str) -> str:
    """Return an id that is free, as near as possible to what is wanted."""
    wanted = re.sub(r"\W", "_", wanted)[:56].strip("_")
    wanted = wanted if wanted[:1].isalpha() else f"n{wanted}"
    name, count = wanted, 1
    while name in taken or not is_id(name):
        count += 1
        name = f"{wanted}_{count}"
    return name


def _graph(
    document: Document, pieces: Sequence[Piece], formulas: Mapping[tuple[str, str], Formula] | None = None
) -> tuple[dict[str, Node], dict[Slot, Slot]]:
    """Return the nodes and edges of one level."""
    ids = {id(piece.made): piece.id for piece in pieces if piece.made}
    nodes: dict[str, Node] = {}
    edges: dict[Slot, Slot] = {}
    for piece in pieces:
        layer = layer_of(document, piece.type)
        params = {**piece.params, **{p: f for (n, p), f in (formulas or {}).items() if n == piece.id}}
        share = Share(ids[id(piece.made.share)]) if piece.made and piece.made.share else None
        nodes[piece.id] = Node(piece.id, piece.type, params=frozen(_changed(layer, params)), share=share)
        for port, outlet in piece.inputs.items():
            source = Slot(outlet.piece.id, outlet.port) if outlet.piece else Slot(outlet.port, "y")
            edges[Slot(piece.id, port)] = source
    return nodes, edges


def _changed(layer: Layer, params: Mapping[str, object]) -> dict[str, object]:
    defaults = {param.name: param.default for param in layer.params}
    return {name: value for name, value in params.items() if value != defaults.get(name, object())}


def _laid_out(document: Document) -> Document:
    places = layout(document)
    return document.with_(nodes={id: replace(n, position=places[id]) for id, n in document.nodes.items()})
