"""A block's interface: its ports and its parameters, edited so that every use of the block follows.

All functions take and return whole documents. The ports are the block's Input and Output nodes in their
order, named by their ids; the class that is exported has the same arguments in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from engine.errors import EditError, ParameterError, shown
from engine.graph import edits
from engine.graph.blocks import inside, layer_of, outside, uses_of, with_block
from engine.graph.document import About, Block, Document, Node, Point, Slot, Way, frozen
from engine.graph.names import is_id, is_param_name
from engine.layers.formula import Formula
from engine.layers.params import Value

INPUT, OUTPUT = "Input", "Output"
Graph = TypeVar("Graph", Document, Block)
_STEP: Point = (218.0, 96.0)
"""From a new port to the nodes beside it, and to the port above it."""
_LARGEST = 2**31


# -- ports ---------------------------------------------------------------------------------------------------


def ports_of(block: Block, kind: str) -> list[str]:
    """Return the names of a block's ports of a kind, ``Input`` or ``Output``, in their order."""
    return [id for id, node in block.nodes.items() if node.type == kind]


def add_port(
    document: Document, block: str, kind: str, name: str = "", at: Point | None = None
) -> tuple[Document, str]:
    """Return the document with one more port of a block, the last of its kind, and the port's name.

    Without a name it gets a free one. Raises EditError for a name that is taken or no identifier.
    """
    graph = document.blocks[block]
    name = name or _free(graph.nodes, kind.lower())
    _check_port(graph, name)
    inner, _ = edits.add_node(inside(document, block), kind, position=at or _place(graph, kind), id=name)
    return outside(document, block, inner), name


def linked_port(graph: Document, slot: Slot, kind: str, y: float) -> tuple[Document, str]:
    """Return the inside of a block with a new port of a kind that a slot is linked to, and its name.

    Its node stands at a height, beside the others of its kind. Raises what ``connect`` raises.
    """
    name = _free(graph.nodes, kind.lower())
    graph, _ = edits.add_node(graph, kind, position=(_place(graph, kind)[0], y), id=name)
    ends = (slot, Slot(name, "x")) if kind == OUTPUT else (Slot(name, "y"), slot)
    return edits.connect(graph, *ends), name


def rename_port(document: Document, block: str, port: str, name: str) -> Document:
    """Return the document with another name for a port of a block; every link keeps to it.

    Raises EditError for a name that is taken or no identifier.
    """
    graph = document.blocks[block]
    kind = _port(graph, port).type
    if name == port:
        return document
    _check_port(graph, name)

    def inner(slot: Slot) -> Slot:
        return Slot(name, slot.port) if slot.node == port else slot

    nodes = {(name if id == port else id): node for id, node in graph.nodes.items()}
    nodes[name] = replace(nodes[name], id=name)
    graph = _put(graph, nodes, *_moved(graph, inner, inner))
    document = document.with_(blocks={**document.blocks, block: graph})

    def follow(each: Graph) -> Graph:
        def outer(slot: Slot) -> Slot:
            used = slot.port == port and each.nodes[slot.node].type == block
            return Slot(slot.node, name) if used else slot

        stays = _stays
        moved = _moved(each, stays, outer) if kind == INPUT else _moved(each, outer, stays)
        return _put(each, each.nodes, *moved)

    return _everywhere(document, follow)


def move_port(document: Document, block: str, port: str, place: int) -> Document:
    """Return the document with a port at another place among those of its kind, counted from 0."""
    graph = document.blocks[block]
    kind = _port(graph, port).type
    order = iter(_reordered(ports_of(graph, kind), port, place))
    keys = [next(order) if node.type == kind else id for id, node in graph.nodes.items()]
    graph = replace(graph, nodes=frozen({key: graph.nodes[key] for key in keys}))
    return document.with_(blocks={**document.blocks, block: graph})


def remove_port(document: Document, block: str, port: str) -> Document:
    """Return the document with a block that has lost a port, and without the links to it."""
    _port(document.blocks[block], port)
    return outside(document, block, edits.delete(inside(document, block), [port]))


def link_count(document: Document) -> int:
    """Return how many links a document holds, those in its blocks included."""
    return len(document.edges) + sum(len(block.edges) for block in document.blocks.values())


# -- parameters ----------------------------------------------------------------------------------------------


def add_parameter(document: Document, block: str, name: str, default: int | None = 1) -> Document:
    """Return the document with one more parameter of a block, the last.

    Raises EditError for a name that is taken or no identifier.
    """
    graph = document.blocks[block]
    _check_parameter(graph, name)
    return with_block(document, replace(graph, params=frozen({**graph.params, name: default})))


def rename_parameter(document: Document, block: str, param: str, name: str) -> Document:
    """Return the document with another name for a parameter: formulas inside and every use follow.

    Raises EditError for a name that is taken or no identifier.
    """
    graph = document.blocks[block]
    _known(graph, param)
    if name == param:
        return document
    _check_parameter(graph, name)
    word = re.compile(rf"\b{param}\b")

    def value(old: Value) -> Value:
        return Formula(word.sub(name, old.text)) if isinstance(old, Formula) else old

    def keys(old: Mapping[str, Value]) -> Mapping[str, Value]:
        return frozen({(name if each == param else each): v for each, v in old.items()})

    nodes = {
        id: replace(node, params=frozen({each: value(v) for each, v in node.params.items()}))
        for id, node in graph.nodes.items()
    }
    graph = replace(graph, nodes=frozen(nodes), params=keys(graph.params), about=keys(graph.about))
    document = document.with_(blocks={**document.blocks, block: graph})
    return _given(document, block, keys)


def move_parameter(document: Document, block: str, param: str, place: int) -> Document:
    """Return the document with a parameter at another place, counted from 0."""
    graph = document.blocks[block]
    _known(graph, param)
    order = _reordered(list(graph.params), param, place)
    graph = replace(graph, params=frozen({each: graph.params[each] for each in order}))
    return document.with_(blocks={**document.blocks, block: graph})


def remove_parameter(document: Document, block: str, param: str) -> Document:
    """Return the document with a block that has lost a parameter: its default stands where it was used.

    Raises EditError where it is used and has no default, or a formula cannot be computed with it.
    """
    graph = document.blocks[block]
    _known(graph, param)
    default = graph.params[param]
    nodes = {id: _without(document, node, param, default) for id, node in graph.nodes.items()}
    params = {each: value for each, value in graph.params.items() if each != param}
    about = {each: value for each, value in graph.about.items() if each != param}
    graph = replace(graph, nodes=frozen(nodes), params=frozen(params), about=frozen(about))
    document = document.with_(blocks={**document.blocks, block: graph})
    return _given(document, block, lambda old: frozen({p: v for p, v in old.items() if p != param}))


def set_default(document: Document, block: str, param: str, default: int | None) -> Document:
    """Return the document with another default of a parameter, None where each use gives a value.

    Uses that have given no value follow. Raises EditError for one outside of the parameter's range.
    """
    graph = document.blocks[block]
    _known(graph, param)
    _check_value(default, graph.about.get(param, About()), f"The default of {param} is")
    graph = replace(graph, params=frozen({**graph.params, param: default}))
    document = document.with_(blocks={**document.blocks, block: graph})
    return _given(
        document, block, lambda old: frozen({p: v for p, v in old.items() if (p, v) != (param, default)})
    )


def describe(document: Document, block: str, param: str, **changes: object) -> Document:
    """Return the document with another ``doc``, ``min`` or ``max`` of a parameter; see ``About``.

    Raises EditError for a range that its default or the value of a use is outside of.
    """
    graph = document.blocks[block]
    _known(graph, param)
    about = replace(graph.about.get(param, About()), **changes)
    if about.min is not None and about.max is not None and about.min > about.max:
        raise EditError(f"The range of {param} ends at {about.max}, before it begins at {about.min}.")
    _check_value(graph.params[param], about, f"The default of {param} is")
    for each in (document, *document.blocks.values()):
        for node in uses_of(each, block):
            _check_value(node.params.get(param), about, f"{node.title} gives {param}", node.id)
    kept = {each: value for each, value in graph.about.items() if each != param}
    kept |= {param: about} if about != About() else {}
    graph = replace(graph, about=frozen({each: kept[each] for each in graph.params if each in kept}))
    return document.with_(blocks={**document.blocks, block: graph})


# -- uses ----------------------------------------------------------------------------------------------------


def ways_to(document: Document, block: str) -> list[Way]:
    """Return every way to a use of a block, as one walks in from outside: the node of each block entered."""
    around: dict[str, list[Way]] = {}

    def walk(graph: Document | Block, way: Way) -> Iterator[Way]:
        for node in graph.nodes.values():
            if node.type == block:
                yield (*way, (node.id, 0))
            elif node.type in document.blocks and leads(node.type):
                yield from walk(document.blocks[node.type], (*way, (node.id, 0)))

    def leads(name: str) -> bool:
        if name not in around:
            inner = document.blocks[name].nodes.values()
            around[name] = (
                [()]
                if any(n.type == block or (n.type in document.blocks and leads(n.type)) for n in inner)
                else []
            )
        return bool(around[name])

    return list(walk(document, ()))


# -- how it is done ------------------------------------------------------------------------------------------


def _port(graph: Block, port: str) -> Node:
    node = graph.nodes.get(port)
    if node is None or node.type not in (INPUT, OUTPUT):
        raise EditError(f"{graph.name} has no port {shown(port)}.")
    return node


def _known(graph: Block, param: str) -> None:
    if param not in graph.params:
        raise EditError(f"{graph.name} has no parameter {shown(param)}.")


def _check_port(graph: Block, name: str) -> None:
    if not is_id(name):
        raise EditError(
            f"{shown(name)} cannot name a port: begin with a letter, use letters, digits and _, and no word "
            "of Python."
        )
    if name in graph.nodes:
        raise EditError(f"There is a node {name} in {graph.name} already; take another name.")


def _check_parameter(graph: Block, name: str) -> None:
    if not is_param_name(name):
        raise EditError(
            f"{shown(name)} cannot name a parameter: use letters, digits and _, no word of Python."
        )
    if name in graph.params:
        raise EditError(f"{graph.name} has a parameter {name} already; take another name.")


def _check_value(value: object, about: About, who: str, node: str = "") -> None:
    if value is None or isinstance(value, Formula):
        return
    if type(value) is not int or abs(value) >= _LARGEST:
        raise EditError(f"{who} {shown(value)}, which is no whole number.", node)
    if not about.holds(value):
        raise EditError(f"{who} {value}, outside of its range {about.range}.", node)


def _free(taken: Mapping[str, Node], wanted: str) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def _place(graph: Block | Document, kind: str) -> Point:
    """Return where a new port stands: below the last of its kind, or beside all other nodes."""
    own = [node.position for node in graph.nodes.values() if node.type == kind]
    if own:
        return (own[-1][0], max(y for _, y in own) + _STEP[1])
    places = [node.position for node in graph.nodes.values()] or [(0.0, 0.0)]
    xs, ys = zip(*places, strict=True)
    return (min(xs) - _STEP[0] if kind == INPUT else max(xs) + _STEP[0], min(ys))


def _reordered(names: list[str], name: str, place: int) -> list[str]:
    names.remove(name)
    names.insert(min(max(place, 0), len(names)), name)
    return names


def _stays(slot: Slot) -> Slot:
    return slot


Moved = tuple[Mapping[Slot, Slot], Mapping[Slot, tuple[Point, ...]]]


def _moved(graph: Document | Block, source: Callable[[Slot], Slot], target: Callable[[Slot], Slot]) -> Moved:
    """Return a graph's edges and their bends with other slots, in the order that they had."""
    edges = {target(t): source(s) for t, s in graph.edges.items()}
    return edges, {target(slot): points for slot, points in graph.bends.items()}


def _put(graph: Graph, nodes: Mapping[str, Node], edges: Mapping, bends: Mapping) -> Graph:
    return replace(graph, nodes=frozen(nodes), edges=frozen(edges), bends=frozen(bends))


def _everywhere(document: Document, follow: Callable) -> Document:
    """Return the document with a change made to the graph of every block and to its own."""
    blocks = {name: follow(block) for name, block in document.blocks.items()}
    return follow(document.with_(blocks=blocks))


def _given(
    document: Document, block: str, change: Callable[[Mapping[str, Value]], Mapping[str, Value]]
) -> Document:
    """Return the document with other values that the uses of a block give to its parameters."""

    def follow(graph: Graph) -> Graph:
        used = {node.id: replace(node, params=change(node.params)) for node in uses_of(graph, block)}
        return replace(graph, nodes=frozen({**graph.nodes, **used})) if used else graph

    return _everywhere(document, follow)


def _without(document: Document, node: Node, param: str, default: int | None) -> Node:
    """Return a node of a block whose formulas hold a number in place of a parameter."""
    values: dict[str, Value] = {}
    layer = layer_of(document, node.type)
    for each, value in node.params.items():
        if isinstance(value, Formula) and param in value.names:
            if default is None:
                raise EditError(
                    f"{node.title} depends on {param}, which has no default: give it one, which then stands "
                    "there.",
                    node.id,
                )
            text = re.sub(rf"\b{param}\b", f"({default})" if default < 0 else str(default), value.text)
            value = Formula(text)
            declared = layer.param(each)
            if not value.names and declared is not None:
                try:
                    value = declared.check(value.evaluate({}))
                except ParameterError as error:
                    raise EditError(f"{node.title} needs {param}: {error.message}", node.id) from None
                if value == declared.default:
                    continue
        values[each] = value
    return replace(node, params=frozen(values))
