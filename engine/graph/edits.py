"""Edits: pure functions from a document to the next one. They refuse what would break it, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine import catalogue
from engine.errors import EditError, ParameterError, shown
from engine.graph import marks
from engine.graph.blocks import layer_of
from engine.graph.document import FOLLOWS, Document, Edge, Node, Point, Share, Slot, closed_up, frozen
from engine.graph.links import check_share, family, inherited
from engine.graph.modes import check_mode
from engine.graph.named import without_nodes
from engine.graph.names import is_id
from engine.graph.rules import check_connect
from engine.layers.declaration import Layer
from engine.layers.params import Value, check_params


def free_id(document: Document, prefix: str) -> str:
    """Return ``prefix1``, ``prefix2`` ...: the first id that is not taken."""
    count = 1
    while f"{prefix}{count}" in document.nodes:
        count += 1
    return f"{prefix}{count}"


def checked_node(
    layer: Layer,
    id: str,
    params: Mapping[str, Any] | None = None,
    position: Point = (0.0, 0.0),
    name: str = "",
    foreign: bool = False,
) -> Node:
    """Return a node whose parameters have been checked; only what differs from the defaults is kept.

    Where it is ``foreign``, of a file or another document, values that its layer does not know are kept too.
    Raises EditError for an id that is no identifier or means something else in a module, ParameterError for a
    refused value.
    """
    if not is_id(id):
        raise EditError(
            f"{shown(id)} cannot name a node: use letters, digits and _, and none of Python's own words."
        )
    kept = layer.unknown(params or {}) if foreign else {}
    return Node(id, layer.type, name, _changed(layer, params or {}, id, kept), position)


def add_node(
    document: Document,
    type_: str,
    params: Mapping[str, Any] | None = None,
    position: Point = (0.0, 0.0),
    id: str = "",
    name: str = "",
    foreign: bool = False,
) -> tuple[Document, str]:
    """Return the document with one more node, and the node's id.

    Raises EditError for an id that is taken, and what ``checked_node`` raises.
    """
    layer = layer_of(document, type_)
    id = id or free_id(document, layer.prefix or layer.type.lower())
    if id in document.nodes:
        raise EditError(f"There is a node {shown(id)} already.", id)
    return _with_node(document, checked_node(layer, id, params, position, name, foreign)), id


def _changed(
    layer: Layer, params: Mapping[str, Any], node: str, kept: Mapping[str, Value]
) -> Mapping[str, Value]:
    """Return what differs from the defaults, checked, and what is kept though the layer does not know it."""
    try:
        values = check_params(layer.params, {name: params[name] for name in params if name not in kept})
    except ParameterError as error:
        raise ParameterError(error.message, node) from None
    return frozen(
        {param.name: values[param.name] for param in layer.params if values[param.name] != param.default}
        | dict(kept)
    )


def _node(document: Document, id: str) -> Node:
    if id not in document.nodes:
        raise EditError(f"There is no node {shown(id)}.{catalogue.did_you_mean(id, document.nodes)}")
    return document.nodes[id]


def _with_node(document: Document, node: Node) -> Document:
    return document.with_(nodes={**document.nodes, node.id: node})


def set_params(document: Document, id: str, **params: Any) -> Document:
    """Return the document with some of a node's parameters changed.

    Nodes that share its weights change with it. Raises ParameterError for a refused value. Edges whose
    output port is gone afterwards are dropped.
    """
    node = _node(document, id)
    layer = layer_of(document, node.type)
    kept = {name: value for name, value in layer.unknown(node.params).items() if name not in params}
    changed = _changed(layer, {**node.params, **params}, id, kept)
    members = {each: replace(document.nodes[each], params=changed) for each in family(document, id)}
    ports = {port.name for port in layer.outputs_of(changed)}
    edges = {t: s for t, s in document.edges.items() if s.node not in members or s.port in ports}
    return document.with_(nodes={**document.nodes, **members}, edges=edges)


def drop_unknown(document: Document, id: str) -> Document:
    """Return the document with a node, and those that share its weights, of what its layer knows alone."""
    node = _node(document, id)
    unknown = layer_of(document, node.type).unknown(node.params)
    known = frozen({name: value for name, value in node.params.items() if name not in unknown})
    members = {each: replace(document.nodes[each], params=known) for each in family(document, id)}
    return document.with_(nodes={**document.nodes, **members})


def share(document: Document, id: str, owner: str, follow: str = "", amount: float | None = None) -> Document:
    """Return the document with a node that uses another's weights; see ``Share`` for how it may follow them.

    It takes the other's parameters, and from now on the two change together. Raises EditError with the reason
    why they cannot share.
    """
    node, other = _node(document, id), _node(document, owner)
    link = Share(other.attribute, follow, FOLLOWS.get(follow, 0.0) if amount is None else amount)
    check_share(document, id, link)
    nodes = {**document.nodes, id: replace(node, share=link, params=other.params)}
    if not follow:  # who called this node's layer calls the other's now
        for each, member in document.nodes.items():
            if member.share and member.share.node == id:
                nodes[each] = replace(member, share=replace(member.share, node=link.node))
    return set_params(document.with_(nodes=nodes), id)


def unshare(document: Document, id: str) -> Document:
    """Return the document with a node that has weights of its own again."""
    return _with_node(document, replace(_node(document, id), share=None))


def rename(document: Document, id: str, name: str) -> Document:
    """Return the document with another title on a node; its id, and with it the code, stays."""
    return _with_node(document, replace(_node(document, id), name=name.strip()[:200]))


def move(document: Document, positions: Mapping[str, Point]) -> Document:
    """Return the document with some nodes at new positions, and comments and dots by their ids."""
    beside = {id: at for id, at in positions.items() if " " in id}
    if beside:
        document = marks.moved(document, beside)
        positions = {id: at for id, at in positions.items() if id not in beside}
    moved = {
        id: replace(_node(document, id), position=(float(x), float(y))) for id, (x, y) in positions.items()
    }
    return document.with_(nodes={**document.nodes, **moved})


def connect(document: Document, source: Slot, target: Slot) -> Document:
    """Return the document with an edge from an output to an input; an edge that ended there before gives way.

    Raises ConnectError with the reason.
    """
    check_connect(document, source, target)
    return document.with_(edges={**document.edges, Slot(*target): Slot(*source)})


def disconnect(document: Document, targets: Iterable[Slot]) -> Document:
    """Return the document without the edges that enter these slots; later ones of a variadic port move up."""
    gone = set(targets)
    return document.with_(edges=closed_up({t: s for t, s in document.edges.items() if t not in gone}))


def delete(document: Document, nodes: Iterable[str], heal: bool = False) -> Document:
    """Return the document without these nodes and their edges; ``heal`` links across them.

    Comments and dots of wires may be among them by their ids.
    """
    gone = set(nodes)
    beside = {id for id in gone if " " in id}
    if beside:
        document, gone = marks.without(document, beside), gone - beside
    for id in gone:
        _node(document, id)
    kept = {id: node for id, node in document.nodes.items() if id not in gone}
    edges: dict[Slot, Slot] = {}
    for target, source in document.edges.items():
        if target.node in gone:
            continue
        while heal and source.node in gone:
            before = document.incoming(source.node)
            source = next(iter(before.values()), Slot("", ""))
        if source.node in kept:
            edges[target] = source
    training = without_nodes(document.training, gone)
    return document.with_(nodes=inherited(document.nodes, kept), edges=closed_up(edges), training=training)


def insert(
    document: Document, type_: str, edge: Edge, params: Mapping[str, Any] | None = None
) -> tuple[Document, str]:
    """Return the document with a new node in the middle of an edge, and the node's id."""
    a, b = (_node(document, slot.node).position for slot in edge)
    document, id = add_node(document, type_, params, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
    layer = layer_of(document, type_)
    outputs = layer.outputs_of(document.nodes[id].params)
    if not layer.inputs or not outputs:
        raise EditError(f"{layer.label} cannot stand in an edge: it needs an input and an output.")
    first = layer.inputs[0]
    document = connect(document, edge.source, Slot(id, f"{first.name}.0" if first.variadic else first.name))
    return connect(document, Slot(id, outputs[0].name), edge.target), id


def paste(
    document: Document, nodes: Iterable[Node], edges: Iterable[Edge], offset: Point
) -> tuple[Document, list[str]]:
    """Return the document with copies of nodes and of the edges among them, and the copies' ids.

    A copy of a linked node is linked to the copy of what it was linked to, or to that itself where it stays.
    """
    new: dict[str, str] = {}
    nodes = list(nodes)
    for node in nodes:
        wanted = node.id if node.id not in document.nodes and is_id(node.id) else ""
        at = (node.position[0] + offset[0], node.position[1] + offset[1])
        document, new[node.id] = add_node(
            document, node.type, node.params, at, wanted, node.name, foreign=True
        )
        kept = {"mode": node.mode, "collapsed": node.collapsed, "learning": node.learning}
        copy = replace(document.nodes[new[node.id]], **kept)
        check_mode(document, copy)
        document = _with_node(document, copy)
    for source, target in edges:
        if source.node in new and target.node in new:
            document = connect(
                document, Slot(new[source.node], source.port), Slot(new[target.node], target.port)
            )
    for node in nodes:
        owner = new.get(node.share.node, node.share.node) if node.share else ""
        if owner in document.nodes and document.nodes[owner].type == node.type:
            document = share(document, new[node.id], owner, node.share.follow, node.share.amount)
    return document, list(new.values())
