"""Another layer in a node's place: what fits of its links and parameters stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.errors import EditError, EngineError
from engine.graph.blocks import ROLE, check_nesting, layer_of
from engine.graph.document import Document, Learning, Node, Slot, frozen
from engine.graph.edits import disconnect
from engine.graph.links import inherited
from engine.graph.modes import check_mode
from engine.graph.named import renamed, without_nodes
from engine.layers.declaration import Layer
from engine.layers.params import Param, Value, check_params


@dataclass(frozen=True)
class Swap:
    """The document with another layer in a node's place, and what could not stay, in words."""

    document: Document
    lost: tuple[str, ...] = ()


def swap(document: Document, id: str, type_: str) -> Swap:
    """Return the document with another type of one node; its id, name and place stay.

    Parameters of the same name keep values that are allowed, links keep ports of the same name or else of the
    same place. Raises EditError where nothing would change.
    """
    node, layer = document.nodes[id], layer_of(document, type_)
    if node.type == type_:
        raise EditError(f"{node.title} is a {layer.label} already.", id)
    before = layer_of(document, node.type)
    kept = {param.name: param for param in layer.params if _takes(param, node.params)}
    gone = node.params.keys() - kept.keys()
    lost = [each.title.lower() for each in before.params if each.name in gone]
    lost += [name for name in before.unknown(node.params) if name in gone]
    params = {name: node.params[name] for name, each in kept.items() if node.params[name] != each.default}
    learning = node.learning if layer.role == ROLE else replace(node.learning, checkpoint=False)
    changes = {"share": None, "expanded": None, "learning": learning}
    swapped = replace(node, type=type_, params=frozen(params), **changes)
    document = _with_type(document, node, swapped)
    document, cut = _relinked(document, id, id, before, layer)
    check_nesting(document)
    if before.role == "loss" and layer.role != "loss":
        document = document.with_(training=without_nodes(document.training, {id}))
    lost += ["its shared weights"] * (node.share is not None)
    return Swap(document, tuple([*lost, *cut]))


def take_place(document: Document, id: str, target: str) -> Swap:
    """Return the document with one node, which has no links, in the place and the links of another.

    Raises EditError for a node that has links.
    """
    node, other = document.nodes[id], document.nodes[target]
    if document.incoming(id) or document.outgoing(id):
        raise EditError(f"{node.title} has links of its own; only a free node takes another's place.", id)
    before, layer = (layer_of(document, each.type) for each in (other, node))
    document, cut = _relinked(document, target, id, before, layer)
    kept = {each: n for each, n in document.nodes.items() if each != target}
    learning = other.learning if node.learning == Learning() else node.learning
    learning = learning if layer.role == ROLE else replace(learning, checkpoint=False)
    kept[id] = replace(node, position=other.position, learning=learning)
    same = (before.role == "loss") == (layer.role == "loss")
    training = renamed(document.training, lambda each: id if each == target and same else each)
    training = training if same else without_nodes(training, {target})
    return Swap(document.with_(nodes=inherited(document.nodes, kept), training=training), cut)


def _takes(param: Param, params: Mapping[str, Value]) -> bool:
    """Return whether a parameter has a value that it allows."""
    try:
        check_params([param], {param.name: params[param.name]})
    except (EngineError, KeyError):
        return False
    return True


def _with_type(document: Document, node: Node, swapped: Node) -> Document:
    """Return the document with a node of another type; those that shared its weights have their own."""
    try:
        check_mode(document, swapped)
    except EditError:
        swapped = replace(swapped, mode="")
    others = {id: each for id, each in document.nodes.items() if id != node.id}
    heirs = inherited(document.nodes, others)
    return document.with_(nodes={id: heirs.get(id, swapped) for id in document.nodes})


def _relinked(
    document: Document, old: str, new: str, before: Layer, layer: Layer
) -> tuple[Document, tuple[str, ...]]:
    """Return the document with the links of a node at the ports of another layer, and which were cut."""
    nodes, incoming = document.nodes, document.incoming(old)
    into = _inputs(layer, sorted(incoming, key=lambda port: _order(before, port)))
    names = [port.name for port in layer.outputs_of(nodes[new].params)]
    was = dict.fromkeys([port.name for port in before.outputs_of({})])
    was |= dict.fromkeys(edge.source.port for edge in document.outgoing(old))
    out = {
        port: port if port in names else names[place] if place < len(names) else ""
        for place, port in enumerate(was)
    }
    edges, cut = {}, []
    for target, source in document.edges.items():
        if target.node == old:
            if port := into.get(target.port):
                edges[Slot(new, port)] = source
            else:
                cut.append(f"the link from {nodes[source.node].title}")
        elif source.node == old:
            if out[source.port]:
                edges[target] = Slot(new, out[source.port])
            else:
                cut.append(f"the link to {nodes[target.node].title}")
        else:
            edges[target] = source
    return disconnect(document.with_(edges=edges), ()), tuple(dict.fromkeys(cut))


def _order(layer: Layer, port: str) -> tuple[int, int]:
    base, _, place = port.partition(".")
    names = [each.name for each in layer.inputs]
    return (names.index(base) if base in names else len(names), int(place) if place.isdecimal() else 0)


def _inputs(layer: Layer, ports: Iterable[str]) -> dict[str, str]:
    """Return which port of a layer each connected one, in order, goes to: by name, else the next free one."""
    single = [port.name for port in layer.inputs if not port.variadic]
    many = next((port.name for port in layer.inputs if port.variadic), "")
    found = {port: port for port in ports if port in single}
    free = [name for name in single if name not in found]
    count = 0
    for port in ports:
        if port in found:
            continue
        if many and (not free or port.startswith(f"{many}.")):
            found[port] = f"{many}.{count}"
            count += 1
        elif free:
            found[port] = free.pop(0)
    return found
