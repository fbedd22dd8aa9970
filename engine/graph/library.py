"""Blocks on their way between documents: taken out with all that they contain, and merged in again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import networkx as nx

from engine import catalogue
from engine.errors import EditError, shown
from engine.graph.blocks import innermost_first, with_block
from engine.graph.custom import add_custom
from engine.graph.document import Block, Document, Node, frozen
from engine.graph.missing import merged
from engine.graph.pieces import bound_names


def block_document(document: Document, name: str) -> Document:
    """Return a document of no nodes that holds a block, the blocks in it and the custom layers they use.

    Raises EditError for a name that is no block.
    """
    needed = _needed(document, name)
    used = {node.type for each in needed for node in document.blocks[each].nodes.values()}
    return Document(
        name=name,
        notes=document.blocks[name].notes,
        blocks=frozen({each: document.blocks[each] for each in needed}),
        customs=frozen({each: custom for each, custom in document.customs.items() if each in used}),
        missing=frozen({each: ports for each, ports in document.missing.items() if each in used}),
    )


def main_block(document: Document) -> str:
    """Return the block that a file of blocks is about: the one of its name, else the last outermost one.

    Raises EditError if there is none.
    """
    if document.name in document.blocks:
        return document.name
    inner = {node.type for block in document.blocks.values() for node in block.nodes.values()}
    outermost = [name for name in innermost_first(document) if name not in inner]
    if not outermost:
        raise EditError(f"{shown(document.name)} holds no block.")
    return outermost[-1]


def merge_block(document: Document, library: Document, name: str) -> tuple[Document, str]:
    """Return the document with a block of another one and all that it contains, and the block's name here.

    A block that is here already with the same content is used; one with other content gets a free name.
    Raises EditError where a custom layer of the same name is here with another source.
    """
    needed = _needed(library, name)
    used = {node.type for each in needed for node in library.blocks[each].nodes.values()}
    for each, custom in library.customs.items():
        if each in used:
            document, _ = add_custom(document, custom.source, each)
    document = merged(document, [each for each in library.missing.values() if each.type in used])
    names: dict[str, str] = {}
    for each in needed:
        block = _renamed(library.blocks[each], names)
        names[each] = _name_for(document, block)
        if names[each] not in document.blocks:
            document = with_block(document, replace(block, name=names[each]))
    return document, names[name]


def _needed(document: Document, name: str) -> list[str]:
    """Return a block and those that it contains, innermost first."""
    if name not in document.blocks:
        raise EditError(f"There is no block {shown(name)}.{catalogue.did_you_mean(name, document.blocks)}")
    graph = nx.DiGraph()
    graph.add_nodes_from(document.blocks)
    for each, block in document.blocks.items():
        graph.add_edges_from((n.type, each) for n in block.nodes.values() if n.type in document.blocks)
    inside = nx.ancestors(graph, name) | {name}
    return [each for each in innermost_first(document) if each in inside]


def _renamed(block: Block, names: Mapping[str, str]) -> Block:
    nodes = {id: replace(node, type=names.get(node.type, node.type)) for id, node in block.nodes.items()}
    return replace(block, nodes=frozen(nodes))


def _name_for(document: Document, block: Block) -> str:
    """Return the first of ``Name``, ``Name2`` ... that is free here or has this content already."""
    taken = catalogue.layers().keys() | document.missing.keys() | bound_names(document.customs)
    name, count = block.name, 1
    while name in taken or (name in document.blocks and not _same(document.blocks[name], block)):
        count += 1
        name = f"{block.name}{count}"
    return name


def _same(one: Block, other: Block) -> bool:
    """Whether two blocks are one but for their names and where their nodes stand."""
    return _content(one) == _content(other)


def _content(block: Block) -> tuple:
    def unplaced(node: Node) -> Node:
        return replace(node, position=(0.0, 0.0))

    ports = [node.id for node in block.nodes.values() if node.type in ("Input", "Output")]
    nodes = {id: unplaced(node) for id, node in block.nodes.items()}
    return dict(block.params), dict(block.about), block.notes, nodes, dict(block.edges), ports
