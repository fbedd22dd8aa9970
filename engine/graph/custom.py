"""Custom layers: a document's own kinds of nodes, written in Python. Nothing here executes what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine import catalogue
from engine.errors import EditError, ParameterError, shown
from engine.graph.document import Block, Custom, Document, Node, Slot, bends_of, frozen
from engine.graph.pieces import check_custom
from engine.graph.signature import read_signature
from engine.layers.declaration import Layer, Port
from engine.layers.params import Value

TEMPLATE = '''\
class {name}(nn.Module):
    """Mixes its input with a transformed copy of it."""

    # What __init__ takes becomes settings of the node: int, float,
    # bool, str, tuple[int, ...]. `features` may stay open: the node
    # then takes the size that arrives.
    def __init__(self, features: int, gate: float = 0.5) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.gate = nn.Parameter(torch.tensor(gate))

    # What forward takes are inputs, what it returns are outputs.
    def forward(self, x: Tensor) -> Tensor:
        return x + self.gate * torch.tanh(self.linear(x))
'''
"""What the editor offers to begin with."""

DATA_TEMPLATE = '''\
import numpy as np


def {name}(samples: int = 500, noise: float = 0.1, seed: int = 0) -> dict:
    """Points on two rings."""
    # What it takes becomes settings of the node. What it returns are
    # its outputs: arrays with one entry for each sample. "-> dict"
    # says that it makes data.
    rng = np.random.default_rng(seed)
    label = np.arange(samples) % 2
    angle = rng.uniform(0, 2 * np.pi, samples)
    radius = 1 + label + rng.normal(0, noise, samples)
    point = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return {{"point": point, "label": (label, ["inner", "outer"])}}
'''
"""What it offers for data."""


def with_custom(document: Document, custom: Custom) -> Document:
    """Return the document with a custom layer added or replaced.

    Raises SourceError with the line, EditError for the name of a layer that is missing here.
    """
    if custom.name in document.missing:
        raise EditError(f"Nodes of this document name another layer {shown(custom.name)}; take another name.")
    check_custom(custom, document.customs, catalogue.layers(), document.blocks)
    return document.with_(customs={**document.customs, custom.name: custom})


def add_custom(document: Document, source: str, name: str = "") -> tuple[Document, str]:
    """Return the document with one more custom layer, and the type that its nodes name.

    ``name`` chooses among several classes or functions of the source; the last is meant without.

    Raises SourceError for what the source says, EditError if another one has its name.
    """
    name = read_signature(source, name).type
    if name in document.customs and document.customs[name].source != source:
        raise EditError(f"There is a layer {shown(name)} already; give the class another name.")
    return with_custom(document, Custom(name, source)), name


def set_custom(document: Document, name: str, source: str) -> tuple[Document, str]:
    """Return the document with another source for a custom layer, and its name now.

    Nodes of it follow: they keep the settings that the new source takes, edges end where a port is gone, and
    a port or setting that only has another name keeps what it had. Raises SourceError or EditError.
    """
    if name not in document.customs:
        raise EditError(f"There is no layer {shown(name)} written in Python.")
    before = document.customs[name].source
    chosen = name if read_signature(before).type != name else ""  # another one than the last was meant
    old, new = read_signature(before, name), read_signature(source, chosen)
    if new.type != name and new.type in document.customs:
        raise EditError(f"There is a layer {shown(new.type)} already; give the class another name.")
    custom = Custom(new.type, source)
    customs = {each: c for each, c in document.customs.items() if each != name}
    check_custom(custom, customs, catalogue.layers(), document.blocks)
    document = document.with_(customs={**customs, new.type: custom})
    follow = _Follow(old, new)
    blocks = {each: follow.graph(block) for each, block in document.blocks.items()}
    inner = follow.graph(document)
    return inner.with_(blocks=blocks) if blocks != document.blocks else inner, new.type


def remove_custom(document: Document, name: str) -> Document:
    """Return the document without a custom layer. Raises EditError while a node uses it."""
    for graph in (document, *document.blocks.values()):
        for node in graph.nodes.values():
            if node.type == name:
                raise EditError(f"{node.title} uses {name}; delete it first.", node.id)
    return document.with_(customs={each: c for each, c in document.customs.items() if each != name})


def free_name(document: Document, wanted: str = "Custom") -> str:
    """Return ``Custom1``, ``Custom2`` ...: the first name that nothing in the document has."""
    count = 1
    while f"{wanted}{count}" in document.customs or f"{wanted}{count}" in document.blocks:
        count += 1
    return f"{wanted}{count}"


class _Follow:
    """Takes the nodes of a type from one face to another."""

    def __init__(self, old: Layer, new: Layer):
        self.old, self.new = old, new
        self.inputs = _renamed(old.inputs, new.inputs)
        self.outputs = _renamed(old.outputs, new.outputs)
        self.params = _renamed(old.params, new.params)

    def graph(self, graph: Any) -> Any:
        """Return a document or a block whose nodes of the type follow; the same one where there are none."""
        graph_nodes: Mapping[str, Node] = graph.nodes
        ids = {id for id, node in graph_nodes.items() if node.type == self.old.type}
        if not ids:
            return graph
        nodes = {id: self._node(node) if id in ids else node for id, node in graph_nodes.items()}
        edges: dict[Slot, Slot] = {}
        for target, source in graph.edges.items():
            if target.node in ids:
                base, dot, place = target.port.partition(".")
                target = Slot(target.node, f"{self.inputs.get(base, base)}{dot}{place}")
            if source.node in ids:
                source = Slot(source.node, self.outputs.get(source.port, source.port))
            gone = source.node in ids and source.port not in {port.name for port in self.new.outputs}
            if not gone and (target.node not in ids or self.new.input(target.port)):
                edges[target] = source
        if isinstance(graph, Block):
            bends = bends_of(graph, edges)
            return replace(graph, nodes=frozen(nodes), edges=frozen(edges), bends=bends)
        return graph.with_(nodes=nodes, edges=edges)

    def _node(self, node: Node) -> Node:
        kept: dict[str, Value] = {}
        for name, value in node.params.items():
            param = self.new.param(self.params.get(name, name))
            try:
                if param and param.check(value) != param.default:
                    kept[param.name] = param.check(value)
            except ParameterError:
                continue
        return replace(node, type=self.new.type, params=frozen(kept))


def _renamed(old: Any, new: Any) -> dict[str, str]:
    """Return which names took the place of which: those that are gone and those that came, in their order."""
    gone = [each for each in old if each.name not in {other.name for other in new}]
    came = [each for each in new if each.name not in {other.name for other in old}]
    pairs = zip(gone, came, strict=False)
    return {a.name: b.name for a, b in pairs if _alike(a, b)}


def _alike(a: Any, b: Any) -> bool:
    return a.variadic == b.variadic if isinstance(a, Port) else type(a) is type(b)
