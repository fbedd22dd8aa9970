"""Pure edits of the canvas: where a new node stands, which port it takes, and who makes room."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import EditError
from engine.graph import edits
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import Document, Edge, Point, Slot
from engine.graph.layout import COLUMN, LANE
from engine.graph.rules import can_connect
from engine.layers.declaration import Layer, Port, TensorType

Types = Mapping[Slot, TensorType]
NEAR = 120.0
"""Nodes whose tops differ by less stand in one row."""


def port_of(document: Document, slot: Slot, is_input: bool) -> Port | None:
    """Return the declaration of a port, or None."""
    node = document.nodes[slot.node]
    layer = layer_of(document, node.type)
    if is_input:
        return layer.input(slot.port)
    return next((port for port in layer.outputs_of(node.params) if port.name == slot.port), None)


def takes(port: Port, tensor: TensorType | None, source: Port | None = None) -> bool:
    """Return whether a tensor fits a port; where it is not known, whether the kinds of number agree."""
    if tensor is not None:
        return port.refuse(tensor) is None
    kinds = {port.dtype, source.dtype if source is not None else "any"}
    return kinds != {"int", "float"}


def free_input(
    document: Document, id: str, tensor: TensorType | None = None, source: Port | None = None
) -> str | None:
    """Return the first open input of a node that takes a tensor, else any open one, else None."""
    taken = document.incoming(id)
    slots: list[tuple[str, Port]] = []
    for port in layer_of(document, document.nodes[id].type).inputs:
        if port.variadic:
            count = sum(name.startswith(f"{port.name}.") for name in taken)
            slots.append((f"{port.name}.{count}", port))
        elif port.name not in taken:
            slots.append((port.name, port))
    fitting = [name for name, port in slots if takes(port, tensor, source)]
    return next(iter(fitting or (name for name, _ in slots)), None)


def fits_behind(layer: Layer, tensor: TensorType | None, source: Port | None) -> bool:
    """Return whether a new node of a layer could read this output."""
    return any(takes(port, tensor, source) for port in layer.inputs)


def fits_before(layer: Layer, target: Port) -> bool:
    """Return whether a new node of a layer could feed this input."""
    outputs = layer.outputs_of({})
    return any(takes(target, None, port) for port in outputs)


def fits_between(layer: Layer) -> bool:
    """Return whether a layer can stand in a wire."""
    return bool(layer.inputs) and bool(layer.outputs_of({})) and layer.role in ("layer", ROLE)


def add(document: Document, type_: str, at: Point) -> tuple[Document, str]:
    """Return the document with a new node that stands alone at a point, and its id."""
    return edits.add_node(document, type_, position=_rounded(at))


def add_behind(
    document: Document, type_: str, source: Slot, types: Types, at: Point | None = None
) -> tuple[Document, str]:
    """Return the document with a new node that reads an output; without ``at`` it stands in a free place."""
    x, y = document.nodes[source.node].position
    place = _rounded(at) if at is not None else _free(document, (x + COLUMN, y))
    document, id = edits.add_node(document, type_, position=place)
    port = free_input(document, id, types.get(source), port_of(document, source, False))
    if port is not None and can_connect(document, source, Slot(id, port)):
        document = edits.connect(document, source, Slot(id, port))
    return document, id


def add_before(document: Document, type_: str, target: Slot, at: Point) -> tuple[Document, str]:
    """Return the document with a new node that feeds an input."""
    document, id = edits.add_node(document, type_, position=_rounded(at))
    wanted = port_of(document, target, True)
    outputs = layer_of(document, type_).outputs_of(document.nodes[id].params)
    port = next((port for port in outputs if wanted is None or takes(wanted, None, port)), None)
    if port is not None and can_connect(document, Slot(id, port.name), target):
        document = edits.connect(document, Slot(id, port.name), target)
    return document, id


def connect(document: Document, source: Slot, target: Slot, instead_of: Slot | None = None) -> Document:
    """Return the document with an edge; ``instead_of`` is the input that it was taken from.

    Raises ConnectError with the reason.
    """
    if instead_of == target and document.edges.get(target) == source:
        return document
    if instead_of is not None:
        edges = {t: s for t, s in document.edges.items() if t != instead_of}
        document = document.with_(edges=edges)
    return edits.disconnect(edits.connect(document, source, target), ())


def insert_new(document: Document, type_: str, edge: Edge, at: Point) -> tuple[Document, str]:
    """Return the document with a new node in an edge, its neighbors pushed aside, and its id.

    Raises EditError if such a node has no input or no output.
    """
    document, id = edits.insert(document, type_, edge)
    return _make_room(document, id, edge, at), id


def insert_node(document: Document, id: str, edge: Edge, at: Point) -> Document:
    """Return the document with a free node put into an edge."""
    layer = layer_of(document, document.nodes[id].type)
    outputs = layer.outputs_of(document.nodes[id].params)
    port = free_input(document, id)
    if port is None or not outputs:
        raise EditError(f"{layer.label} cannot stand in an edge: it needs an input and an output.", id)
    document = edits.connect(document, edge.source, Slot(id, port))
    document = edits.connect(document, Slot(id, outputs[0].name), edge.target)
    return _make_room(document, id, edge, at)


def _make_room(document: Document, id: str, edge: Edge, at: Point) -> Document:
    """Put a node between its neighbors and push what stands to the right of it."""
    (ax, ay), (bx, by) = (document.nodes[slot.node].position for slot in edge)
    if bx <= ax or abs(by - ay) >= NEAR:
        return edits.move(document, {id: _rounded(at)})
    space = bx - ax
    x = ax + COLUMN if space < 2 * COLUMN else min(max(at[0], ax + COLUMN), bx - COLUMN)
    push = max(0.0, x + COLUMN - bx)
    places = {id: _rounded((x, ay))}
    for other, node in document.nodes.items():
        left, top = node.position
        if push and other not in (id, edge.source.node) and left >= bx - 1 and abs(top - by) < NEAR:
            places[other] = (left + push, top)
    return edits.move(document, places)


def _free(document: Document, at: Point) -> Point:
    """Return the first place at a point or below it where no node stands."""
    x, y = at
    positions = [node.position for node in document.nodes.values()]
    while any(abs(px - x) < COLUMN - 40 and abs(py - y) < LANE - 40 for px, py in positions):
        y += LANE
    return (x, y)


def _rounded(at: Point, grid: int = 4) -> Point:
    return (round(at[0] / grid) * grid, round(at[1] / grid) * grid)
