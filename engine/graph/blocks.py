"""Blocks: a document's own layers, looked at from outside (a layer) and from inside (a document)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import networkx as nx

from engine import catalogue
from engine.errors import EditError, EngineError, shown
from engine.graph import marks
from engine.graph.document import (
    About,
    Block,
    Document,
    Learning,
    Node,
    Point,
    Slot,
    closed_up,
    frozen,
)
from engine.graph.missing import ROLE as MISSING
from engine.graph.missing import missing_layer
from engine.graph.named import nameless, renamed, unpacked
from engine.graph.names import is_block_name, is_param_name
from engine.graph.pieces import bound_names
from engine.graph.signature import read_signature
from engine.layers.declaration import Layer, Port
from engine.layers.formula import Formula
from engine.layers.params import Int, Value

ROLE = "block"
_INSIDE = ("notes", "nodes", "edges", "comments", "bends")
"""What a block holds as a document does."""


def layer_of(document: Document, type_: str) -> Layer:
    """Return the layer of a node's type: a block or a custom layer of the document, else one that ships.

    For a type that the document knows to be missing here, it is what stands for it. Raises EngineError that
    offers the nearest name for any other.
    """
    if block := document.blocks.get(type_):
        return _as_layer(_Same(block))
    if custom := document.customs.get(type_):
        return read_signature(custom.source, custom.name)
    if type_ in document.missing and type_ not in catalogue.layers():
        return missing_layer(document.missing[type_])
    return catalogue.layer(type_)


def palette(document: Document, scope: Iterable[str] = ()) -> list[Layer]:
    """Return all that can be added: blocks that do not contain what is open, custom layers, the others."""
    graph = _uses(document.blocks)
    around = {name for each in scope if each in graph for name in {each} | nx.descendants(graph, each)}
    own = [layer_of(document, name) for name in document.blocks if name not in around]
    own += [layer_of(document, name) for name in document.customs]
    return [*own, *catalogue.layers().values()]


class _Same:
    """A block compared by identity: its mappings cannot be hashed, and a changed block is another value."""

    def __init__(self, block: Block):
        self.block = block

    def __hash__(self) -> int:
        return id(self.block)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.block is self.block


@lru_cache(maxsize=1024)
def _as_layer(same: _Same) -> Layer:
    block = same.block
    params = [
        Int(
            name=name,
            default=default,
            optional=default is None,
            unset="needed",
            min=about.min,
            max=about.max,
            doc=about.doc or f"A parameter of {block.name}.",
        )
        for name, default in block.params.items()
        for about in (block.about.get(name, About()),)
    ]
    repeat = Int(
        name="repeat",
        default=1,
        min=1,
        max=1000,
        doc="How many of it stand in a row, each with its own weights.",
    )
    return Layer(
        block.name,
        category="Blocks",
        doc=block.notes.strip().partition("\n")[0] or "A block of this document.",
        inputs=tuple(
            Port(id, dtype="any", doc=node.name) for id, node in block.nodes.items() if node.type == "Input"
        ),
        outputs=tuple(Port(id, doc=node.name) for id, node in block.nodes.items() if node.type == "Output"),
        params=(*params, repeat),
        summary=lambda p: _summary(block, p),
        prefix=block.name.lower(),
        role=ROLE,
    )


def _summary(block: Block, values: Mapping[str, Value]) -> str:
    words = [f"{name} {values[name]}" for name, default in block.params.items() if values[name] != default]
    return ", ".join(words[:2])


def ends_of(block: Block) -> dict[str, Slot]:
    """Return what each connected output port of a block gives, by the port's name."""
    return {t.node: s for t, s in block.edges.items() if block.nodes[t.node].type == "Output"}


def inside(document: Document, name: str) -> Document:
    """Return a block's graph as a document, for every edit and view; ``outside`` puts it back."""
    block = document.blocks[name]
    parts = {part: getattr(block, part) for part in ("name", *_INSIDE)}
    return document.with_(**parts, training=nameless(document.training))


def outside(document: Document, name: str, inner: Document) -> Document:
    """Return the document with a block's graph replaced by an edited one."""
    block = replace(inner.blocks[name], **{part: getattr(inner, part) for part in _INSIDE})
    parts = {
        "blocks": inner.blocks,
        "customs": inner.customs,
        # Objectives name nodes of the whole document, as nothing that happens inside may change.
        "training": replace(inner.training, objectives=document.training.objectives),
        "missing": inner.missing,
    }
    lost = frozenset(document.blocks[name].ports) - frozenset(block.ports) if name in document.blocks else ()
    document = with_block(document.with_(**parts), block)
    return _unlinked(document, name, lost) if lost else document


def _unlinked(document: Document, name: str, lost: Iterable[str]) -> Document:
    """Return the document without the links of every use of a block to ports that it has lost."""

    def kept(graph: Document | Block) -> dict[Slot, Slot]:
        used = {Slot(node.id, port) for node in uses_of(graph, name) for port in lost}
        left = {t: s for t, s in graph.edges.items() if t not in used and s not in used}
        return closed_up(left) if len(left) < len(graph.edges) else dict(graph.edges)

    for block in document.blocks.values():
        if len(edges := kept(block)) < len(block.edges):
            inner = inside(document, block.name).with_(edges=edges)
            document = outside(document, block.name, inner)
    return document.with_(edges=kept(document))


def uses_of(graph: Document | Block, name: str) -> list[Node]:
    """Return the nodes of a graph that use a block."""
    return [node for node in graph.nodes.values() if node.type == name]


def set_params(document: Document, name: str, params: Mapping[str, int | None]) -> Document:
    """Return the document with other parameters, by name with defaults, for a block.

    Values that nodes give to parameters which are gone are dropped with them. Raises EditError for a name
    that is no identifier.
    """
    for param in params:
        if not is_param_name(param):
            raise EditError(f"{shown(param)} cannot name a parameter: use letters, digits and _.")
    document = with_block(document, replace(document.blocks[name], params=frozen(params)))

    def cleaned(nodes: Mapping[str, Node]) -> dict[str, Node]:
        return {
            id: replace(
                node, params=frozen({p: v for p, v in node.params.items() if p in params or p == "repeat"})
            )
            if node.type == name
            else node
            for id, node in nodes.items()
        }

    inner = {
        each: replace(block, nodes=frozen(cleaned(block.nodes))) for each, block in document.blocks.items()
    }
    return document.with_(nodes=cleaned(document.nodes), blocks=inner)


def free_name(document: Document) -> str:
    """Return ``Block1``, ``Block2`` ...: the first name that no block and no other layer of it has."""
    count = 1
    taken = document.blocks.keys() | document.missing.keys() | bound_names(document.customs)
    while f"Block{count}" in taken:
        count += 1
    return f"Block{count}"


def with_block(document: Document, block: Block) -> Document:
    """Return the document with a block added or replaced.

    Raises EditError if it takes the name of a layer, or contains itself.
    """
    others = (catalogue.layers(), document.missing, bound_names(document.customs))
    taken = any(block.name in each for each in others)
    if not is_block_name(block.name) or taken:
        raise EditError(
            f"{shown(block.name)} cannot name a block: begin with a capital, take no layer's name."
        )
    document = document.with_(blocks={**document.blocks, block.name: block})
    check_nesting(document)
    return document


def check_nesting(document: Document) -> None:
    """Raise EditError if a block contains itself, directly or through others."""
    if not nx.is_directed_acyclic_graph(graph := _uses(document.blocks)):
        cycle = [edge[0] for edge in nx.find_cycle(graph)]
        raise EditError(f"A block cannot contain itself: {' in '.join(cycle)}.")


def innermost_first(document: Document) -> list[str]:
    """Return the names of the blocks so that each comes after those that it contains."""
    return list(nx.topological_sort(_uses(document.blocks)))


def _uses(blocks: Mapping[str, Block]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(blocks)
    graph.add_edges_from(
        (n.type, name) for name, b in blocks.items() for n in b.nodes.values() if n.type in blocks
    )
    return graph


def group(document: Document, ids: Iterable[str], name: str) -> tuple[Document, str]:
    """Return the document with some nodes put into a new block, and the id of the block's node.

    Tensors that cross the border become ports, parameters of a block around that formulas name become
    parameters. Raises EditError where a path leaves the group and comes back,
    because the block would then depend on itself.
    """
    chosen = [id for id in document.nodes if id in set(ids)]
    if not chosen:
        raise EditError("Select the nodes that shall become a block.")
    for id in chosen:
        if layer_of(document, document.nodes[id].type).role not in ("layer", ROLE, MISSING):
            raise EditError(
                f"{document.nodes[id].title} cannot stand in a block: data and losses stay outside.", id
            )
    _check_objectives(document, chosen)
    for id, node in document.nodes.items():
        if node.share and (id in chosen) != (node.share.node in chosen):
            raise EditError(
                f"{node.title} shares the weights of {document.nodes[node.share.node].title}: select both, "
                "or neither.",
                id,
            )
    entering = {t: s for t, s in document.edges.items() if t.node in chosen and s.node not in chosen}
    leaving = {t: s for t, s in document.edges.items() if s.node in chosen and t.node not in chosen}
    nodes = {id: document.nodes[id] for id in chosen}
    edges = {t: s for t, s in document.edges.items() if t.node in chosen and s.node in chosen}
    left = min(node.position[0] for node in nodes.values())
    right = max(node.position[0] for node in nodes.values())
    sources = list(dict.fromkeys(entering.values()))
    results = list(dict.fromkeys(leaving.values())) or _ends(document, chosen)
    ports = {
        source: _port(nodes, "input" if len(sources) == 1 else f"input{n + 1}")
        for n, source in enumerate(sources)
    }
    for source, port in ports.items():
        readers = [t.node for t, s in entering.items() if s == source]
        y = document.nodes[readers[0]].position[1]
        nodes[port] = Node(port, "Input", position=(left - 218.0, y))
        edges |= {t: Slot(port, "y") for t, s in entering.items() if s == source}
    exits: dict[Slot, str] = {}
    for n, slot in enumerate(results):
        exits[slot] = _port(nodes, "output" if len(results) == 1 else f"output{n + 1}")
        nodes[exits[slot]] = Node(
            exits[slot], "Output", position=(right + 218.0, document.nodes[slot.node].position[1])
        )
        edges[Slot(exits[slot], "x")] = slot
    # Formulas go on to depend on the block around, through parameters of the new one.
    given = {
        each: Formula(each)
        for id in chosen
        for value in document.nodes[id].params.values()
        if isinstance(value, Formula)
        for each in value.names
    }
    params = frozen(dict.fromkeys(given))
    bends = frozen({t: each for t, each in document.bends.items() if edges.get(t) == document.edges[t]})
    block = Block(name, params, nodes=frozen(nodes), edges=frozen(edges), bends=bends)
    document = with_block(document, block)
    id = _port(document.nodes, name.lower())
    x, y = (sum(document.nodes[each].position[axis] for each in chosen) / len(chosen) for axis in (0, 1))
    kept = {each: node for each, node in document.nodes.items() if each not in chosen}
    kept[id] = Node(id, name, params=frozen(given), position=(x, y))
    outer = {t: s for t, s in document.edges.items() if t.node in kept and s.node in kept}
    outer |= {Slot(id, port): source for source, port in ports.items()}
    outer |= {t: Slot(id, exits[s]) for t, s in leaving.items()}
    training = renamed(document.training, lambda each: id if each in chosen else each)
    document = document.with_(nodes=kept, edges=outer, training=training)
    graph = nx.DiGraph((s.node, t.node) for t, s in document.edges.items())
    if not nx.is_directed_acyclic_graph(graph):
        raise EditError("A path leaves these nodes and comes back; select what lies on it too.")
    return document, id


def _check_objectives(document: Document, chosen: list[str]) -> None:
    """Raise EditError where objectives move different ones of some nodes: a block is moved as a whole."""
    movers: dict[tuple[int, ...], str] = {}
    for id in chosen:
        places = tuple(n for n, each in enumerate(document.training.objectives) if id in each.nodes)
        if places:  # what none names may have no weights at all
            movers.setdefault(places, id)
    if len(movers) > 1:
        first, other = (document.nodes[id].title for id in list(movers.values())[:2])
        raise EditError(
            f"Different objectives move {first} and {other}: group only what the same ones move.",
            list(movers.values())[1],
        )


def _ends(document: Document, chosen: list[str]) -> list[Slot]:
    """The outputs of a group that nobody outside reads: those that nobody reads at all."""
    read = set(document.edges.values())
    slots = [
        Slot(id, port.name)
        for id in chosen
        for port in layer_of(document, document.nodes[id].type).outputs_of(document.nodes[id].params)[:1]
    ]
    return [slot for slot in slots if slot not in read]


def _port(taken: Mapping[str, object], wanted: str) -> str:
    count = 1
    name = f"{wanted}1" if wanted in ("input", "output") and wanted in taken else wanted
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def ungroup(document: Document, id: str) -> Document:
    """Return the document with a block's node replaced by what stands in the block, formulas by their values.

    The nodes stand around the place where the block's node stood, which is where they were before they were
    grouped. Raises EditError for a node that is no block, or stands for several in a row.
    """
    node = document.nodes.get(id)
    if node is None or node.type not in document.blocks:
        raise EditError(f"{shown(id)} is no block.")
    block = document.blocks[node.type]
    values = layer_of(document, node.type).values(node.params)
    linked = [each.title for each in document.nodes.values() if each.share and each.share.node == id]
    if node.share or linked:
        other = document.nodes[node.share.node].title if node.share else linked[0]
        raise EditError(f"{node.title} and {other} share weights; unlink them to unpack it.", id)
    if values["repeat"] != 1:
        raise EditError(
            f"{node.title} stands for {values['repeat']} in a row; set repeat to 1 to unpack it.", id
        )
    inner = {each: n for each, n in block.nodes.items() if n.type not in ("Input", "Output")}
    names: dict[str, str] = {}
    for each in inner:
        names[each] = _port({**document.nodes, **dict.fromkeys(names.values())}, each)
    shift = _shift(inner.values(), node)
    try:
        nodes = {
            names[each]: replace(
                n,
                id=names[each],
                name=n.name or ("" if names[each] == each else each),
                params=frozen(_outside(n.params, values)),
                position=(n.position[0] + shift[0], n.position[1] + shift[1]),
                share=replace(n.share, node=names[n.share.node]) if n.share else None,
                learning=_learning(n.learning, node.learning),
            )
            for each, n in inner.items()
        }
    except EngineError as error:
        raise EditError(error.message, id) from None
    incoming = document.incoming(id)
    where = {Slot(port, "y"): source for port, source in incoming.items()}
    where |= {
        Slot(each, p): Slot(new, p)
        for each, new in names.items()
        for p in _ports_of(document, block.nodes[each])
    }
    edges = {
        Slot(names[t.node], t.port): where[s]
        for t, s in block.edges.items()
        if t.node in names and s in where
    }
    out = {Slot(id, t.node): where[s] for t, s in block.edges.items() if t.node not in names and s in where}
    kept = {
        t: out.get(s, s) for t, s in document.edges.items() if t.node != id and (s.node != id or s in out)
    }
    others = {each: n for each, n in document.nodes.items() if each != id}
    document = document.with_(
        nodes={**others, **nodes},
        edges=closed_up({**kept, **edges}),
        training=unpacked(document.training, id, names.values()),
    )
    return marks.copies(document, block.comments.values(), block.bends, names, shift)[0]


def _learning(inner: Learning, block: Learning) -> Learning:
    """Return how a node learns outside of the block that it stood in: as it did there."""
    begin = inner if inner.init else block
    return replace(
        inner,
        frozen=inner.frozen or block.frozen,
        rate=inner.rate * block.rate,
        init=begin.init,
        init_options=begin.init_options,
    )


def _ports_of(document: Document, node: Node) -> list[str]:
    return [port.name for port in layer_of(document, node.type).outputs_of(node.params)]


def _shift(nodes: Iterable[Node], block: Node) -> Point:
    """Return how far what stands in a block moves, so that its middle is where the block's node is."""
    places = [node.position for node in nodes] or [(0.0, 0.0)]
    x, y = (round(sum(each[axis] for each in places) / len(places), 2) for axis in (0, 1))
    rise = block.expanded[2] if block.expanded else 0.0
    return (block.position[0] - x, block.position[1] + rise - y)


def _outside(params: Mapping[str, Value], values: Mapping[str, Value]) -> dict[str, Value]:
    """Return parameters as they are outside of a block: formulas by their values, or over the block around.

    Raises ParameterError for a formula that names no parameter, or grows too long.
    """
    around = {name: value.text for name, value in values.items() if isinstance(value, Formula)}
    texts = {**{name: str(value) for name, value in values.items()}, **around}

    def outer(value: Value) -> Value:
        if not isinstance(value, Formula) or not any(name in around for name in value.names):
            return evaluated({"": value}, values)[""]
        return Formula(
            re.sub(r"[A-Za-z_]\w*", lambda found: _alone(texts.get(found[0], found[0])), value.text)
        )

    return {name: outer(value) for name, value in params.items()}


def _alone(text: str) -> str:
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


def evaluated(params: Mapping[str, Value], values: Mapping[str, Value]) -> dict[str, Value]:
    """Return parameters with every formula replaced by its value.

    Raises ParameterError for a formula that names no parameter.
    """
    numbers = {name: value for name, value in values.items() if isinstance(value, int)}
    return {name: v.evaluate(numbers) if isinstance(v, Formula) else v for name, v in params.items()}
