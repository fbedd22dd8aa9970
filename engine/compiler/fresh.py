"""A document from a text alone: Input nodes for the arguments, Output nodes for the results, laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.compiler.drawing import Drawing, Drawings
from engine.compiler.resolve import resolve
from engine.compiler.text import told_shapes
from engine.errors import EngineError, ReadError
from engine.graph import edits
from engine.graph.blocks import inside, layer_of, outside, with_block
from engine.graph.document import Block, Document, Node, Slot, frozen
from engine.graph.layout import layout
from engine.graph.rules import check_ports

_SIDE, _STEPS = 32, 16
"""How large images are and how long sequences, where a text does not tell."""


def fresh_document(drawings: Drawings) -> Document:
    """Return the document that a text draws when there is none before it. Raises ReadError."""
    document = Document()
    for drawing in drawings.blocks.values():
        document = fresh_block(document, drawing)
    model = drawings.model
    text = drawings.module.classes[model.name]
    told, _ = told_shapes(text.docstring)
    document = document.with_(name=model.name, notes="" if text.notes == model.name else text.notes + ".")
    for name, slot in model.arguments.items():
        shape = _sizes(told.get(name, ""))
        shape = shape if shape is not None else _usual_shape(document, model, slot)
        params = {"shape": shape, "dtype": _dtype(document, model, slot)}
        document, _ = edits.add_node(document, "Input", params, id=slot.node)
    document = with_nodes(document, model, model.nodes)
    edges = {t: s for t, s in model.edges.items() if t.node not in model.losses}
    ends = {t: s for t, s in model.edges.items() if t.node in model.losses}
    place = {slot: number for number, (_, slot) in enumerate(model.outputs)}
    for label, slot in model.outputs:
        read = slot in ends.values()
        named = label not in ("", slot.node, f"{slot.node}_{slot.port}")
        if not read or named:
            id = label if named and label not in document.nodes else edits.free_id(document, "output")
            document, id = edits.add_node(document, "Output", id=id)
            ends[Slot(id, "x")] = slot
    order = sorted(ends.items(), key=lambda item: place.get(item[1], len(place)))
    document = connected(document, edges | dict(order))
    document = _guess_fields(document, model)
    return edits.move(document, layout(document))


def fresh_block(document: Document, drawing: Drawing) -> Document:
    """Return the document with a block that a class draws."""
    notes = f"{drawing.notes}." if drawing.notes else ""
    document = with_block(document, Block(drawing.name, frozen(drawing.params), notes))
    inner = inside(document, drawing.name)
    for slot in drawing.arguments.values():
        inner, _ = edits.add_node(inner, "Input", id=slot.node)
    inner = with_nodes(inner, drawing, drawing.nodes)
    edges = dict(drawing.edges)
    for label, slot in drawing.outputs:
        inner, id = edits.add_node(inner, "Output", id=label)
        edges[Slot(id, "x")] = slot
    inner = connected(inner, edges)
    return outside(document, drawing.name, edits.move(inner, layout(inner)))


def with_nodes(document: Document, drawing: Drawing, ids: Iterable[str]) -> Document:
    """Return the document with nodes that a drawing has, links between them included."""
    nodes: dict[str, Node] = {}
    for id in ids:
        drawn = drawing.nodes[id]
        try:
            node = edits.checked_node(layer_of(document, drawn.type), id, drawn.params)
        except EngineError as error:
            raise ReadError(error.message, drawn.made or drawn.line) from None
        nodes[id] = replace(node, share=drawn.share) if drawn.share else node
    return document.with_(nodes={**document.nodes, **nodes})


def connected(document: Document, edges: Mapping[Slot, Slot]) -> Document:
    """Return the document with edges whose ports are there; the order of a text has no cycles."""
    for target, source in edges.items():
        check_ports(document, source, target)
    return document.with_(edges={**document.edges, **edges})


def _sizes(told: str) -> tuple[int, ...] | None:
    """Return the shape of a sample that ``N×1×28×28`` tells, None where it tells none."""
    words = told.split("×")
    if words[0] != "N" or not all(word.isdigit() for word in words[1:]):
        return None
    return tuple(map(int, words[1:]))


def _readers(drawing: Drawing, slot: Slot) -> list[Slot]:
    return [target for target, source in drawing.edges.items() if source == slot]


def _dtype(document: Document, drawing: Drawing, slot: Slot) -> str:
    """Whole numbers where what reads an argument asks for them, also behind a change of its shape."""
    seen, waiting = set(), [slot]
    while waiting:
        for target in _readers(drawing, waiting.pop()):
            node = drawing.nodes[target.node]
            port = layer_of(document, node.type).input(target.port)
            if port is not None and port.dtype == "int":
                return "int"
            layer = layer_of(document, node.type)
            if layer.category == "Shape" and layer.type != "ToFloat" and target.node not in seen:
                seen.add(target.node)
                waiting += [Slot(target.node, each.name) for each in layer.outputs_of(node.params)]
    return "float"


def _usual_shape(document: Document, drawing: Drawing, slot: Slot) -> tuple[int, ...]:
    """Return a shape that the first reader of an argument can take."""
    for target in _readers(drawing, slot):
        node = drawing.nodes[target.node]
        port = layer_of(document, node.type).input(target.port)
        known = [value for value in node.inferred.values() if isinstance(value, int)]
        usual = {"C": 3, "D": 64, "H": _SIDE, "W": _SIDE, "L": _STEPS}
        dims = port.dims.split("|")[0].split() if port else []
        if dims[:1] == ["N"] and all(dim in usual for dim in dims[1:]):
            channel = known[0] if known else None
            return tuple(channel if channel and dim in ("C", "D") else usual[dim] for dim in dims[1:])
    return (1, 28, 28)


def _guess_fields(document: Document, drawing: Drawing) -> Document:
    """Give what only the loss reads a shape that the loss can take, for a text does not tell it."""
    fields = {name: drawing.arguments[name] for name in drawing.fields}
    for slot in fields.values():  # at first that of what the model says
        for shape in _beside(document, drawing, slot, set(fields.values()))[:1]:
            document = edits.set_params(document, slot.node, shape=shape)
    for slot in fields.values():
        reader = next(iter(_readers(drawing, slot)), Slot("", "")).node
        for shape in [*_beside(document, drawing, slot, set()), ()]:
            tried = edits.set_params(document, slot.node, shape=shape)
            if not any(problem.node == reader for problem in resolve(tried).problems):
                document = tried
                break
    return document


def _beside(document: Document, drawing: Drawing, slot: Slot, without: set[Slot]) -> list[tuple[int, ...]]:
    """Return shapes that may go with what enters beside a field: the same, or without a dimension."""
    types = resolve(document).types
    readers = {target.node for target in _readers(drawing, slot)}
    sources = [s for t, s in drawing.edges.items() if t.node in readers and s != slot and s not in without]
    kinds = [types[source].shape for source in sources if source in types]
    shapes = [shape for kind in kinds for shape in (kind[1:], kind[2:], kind[1:2])]
    return [shape for shape in shapes if all(isinstance(size, int) for size in shape)]
