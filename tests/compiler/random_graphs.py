"""Random valid networks: layers of the whole catalogue, blocks with parameters, shared weights."""

from __future__ import annotations

from math import prod

from hypothesis import assume
from hypothesis import strategies as st

from engine import catalogue
from engine.compiler.resolve import resolve
from engine.errors import EngineError
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.build import BlockBuilder, Builder
from engine.graph.document import FOLLOWS, Document, Slot
from engine.layers.declaration import Layer, Port, TensorType
from tests.layers.harness import variants

LARGEST = 4096
"""Numbers of one sample's tensor, at most."""

INPUTS = ((4, 9, 9), (12,), (5, 12), (6, 10))


def _fitting() -> list[tuple[str, dict]]:
    """Every layer that reads one tensor or several alike, with its defaults and with one other value each."""
    found = []
    for layer in catalogue.layers().values():
        needed = _needed(layer)
        if layer.role == "layer" and needed and all(port.dtype != "int" for port in needed):
            found += [(layer.type, params) for params in variants(layer)]
    return found


def _needed(layer: Layer) -> list[Port]:
    return [port for port in layer.inputs if not port.optional and not port.fallback]


FITTING = _fitting()


@st.composite
def documents(draw: st.DrawFn, largest: int = 60) -> Document:
    """Draw a document without problems: up to ``largest`` nodes with blocks and shared weights, all read."""
    g = Builder("Random")
    blocks = [_block(draw, g, f"Part{n + 1}") for n in range(draw(st.integers(0, 2)))]
    for shape in draw(st.lists(st.sampled_from(INPUTS), min_size=1, max_size=3)):
        g.add("Input", shape=shape)
    document = g.document()
    for _ in range(draw(st.integers(1, largest))):
        if len(document.nodes) >= largest:
            break
        grown = _grown(draw, document, blocks)
        document = grown if grown is not None else document
    read = set(document.edges.values())
    ends = [
        slot
        for slot in resolve(document).types
        if slot not in read and layer_of(document, document.nodes[slot.node].type).role != "input"
    ]
    for slot in ends:
        document, id = edits.add_node(document, "Output")
        document = edits.connect(document, slot, Slot(id, "x"))
    assume(ends)
    return document


def _grown(draw: st.DrawFn, document: Document, blocks: list[str]) -> Document | None:
    """Return the document with one more node, None where what was drawn does not fit."""
    types = resolve(document).types
    slots = [slot for slot, tensor in types.items() if tensor.dtype == "float"]
    first = draw(st.sampled_from(slots[-6:] + slots[:1]))
    linked = draw(st.booleans())
    owners = [
        node
        for node in document.nodes.values()
        if _first_type(document, node.id, types) == types[first]
        and (layer_of(document, node.type).init or node.type in blocks)
    ]
    try:
        if linked and owners:
            owner = draw(st.sampled_from(owners))
            follow = draw(st.sampled_from(sorted(FOLLOWS)))
            grown, id = edits.add_node(document, owner.type)
            grown = edits.share(grown, id, owner.id, follow)
        elif blocks and draw(st.integers(0, 4)) == 0:
            params = {"width": draw(st.integers(1, 6)), "repeat": draw(st.integers(1, 3))}
            grown, id = edits.add_node(document, draw(st.sampled_from(blocks)), params)
        else:
            type_, params = draw(st.sampled_from(_for(types[first])))
            grown, id = edits.add_node(document, type_, params)
        return _connected(draw, grown, id, first, types)
    except EngineError:
        return None


def _for(tensor: TensorType) -> list[tuple[str, dict]]:
    """The layers whose first port takes a tensor."""
    return [
        (type_, params)
        for type_, params in FITTING
        if catalogue.layer(type_).inputs[0].refuse(tensor) is None
    ]


def _first_type(document: Document, id: str, types: dict[Slot, TensorType]) -> TensorType | None:
    incoming = document.incoming(id)
    return types.get(next(iter(incoming.values()))) if incoming else None


def _connected(
    draw: st.DrawFn, document: Document, id: str, first: Slot, types: dict[Slot, TensorType]
) -> Document | None:
    """Return the document with a node's inputs connected; None if it does not fit."""
    layer: Layer = layer_of(document, document.nodes[id].type)
    like = [slot for slot, tensor in types.items() if tensor == types[first]]
    for place, port in enumerate(_needed(layer)):
        names = [f"{port.name}.{n}" for n in range(2)] if port.variadic else [port.name]
        for name in names:
            source = first if place == 0 and name == names[0] else draw(st.sampled_from(like))
            document = edits.connect(document, source, Slot(id, name))
    found = resolve(document)
    if found.problems:
        return None
    made = [tensor for slot, tensor in found.types.items() if slot.node == id]
    small = all(
        all(isinstance(size, int) and size > 0 for size in tensor.shape[1:])
        and tensor.shape[:1] == ("N",)
        and prod(tensor.shape[1:]) <= LARGEST
        for tensor in made
    )
    return document if made and small else None


def _block(draw: st.DrawFn, g: Builder, name: str) -> str:
    """Draw a block for tensors of any shape whose last dimension its layers change by formulas."""
    with g.block(name, "A part.", width=draw(st.integers(1, 4))) as b:
        x = b.input("x")
        for _ in range(draw(st.integers(1, 3))):
            x = _part(draw, b, x)
        b.output(x)
    return name


def _part(draw: st.DrawFn, b: BlockBuilder, x: Slot) -> Slot:
    kind = draw(st.sampled_from(("linear", "wide", "twice", "residual", "activation", "copy")))
    if kind == "activation":
        return b.add(draw(st.sampled_from(("ReLU", "Tanh", "GELU"))), x)
    if kind == "residual":
        return b.add("Add", x, b.add("Sigmoid", x))
    y = b.add("Linear", x, out_features=b["width"] * 2 if kind == "wide" else b["width"])
    if kind == "twice":
        return b.add("Add", y, b.again(y, x))
    if kind == "copy":
        return b.add("Add", y, b.again(y, x, follow="average"))
    return y
