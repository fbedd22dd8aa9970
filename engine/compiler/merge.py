"""Following an edited text: what differs between the old and the new text is done to the document.

Both texts are read in the same way, so that what a text cannot say (titles, positions, which of two equal
ways drew something) is the same on both sides and stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.compiler.drawing import Drawings
from engine.compiler.fresh import fresh_block
from engine.compiler.merge_graph import GraphMerge, Lines
from engine.compiler.plan import Plan
from engine.graph.blocks import inside, outside, with_block
from engine.graph.document import Document, Node, frozen
from engine.graph.named import without_nodes


def follow(before: Document, plan: Plan, lines: Lines, old: Drawings, new: Drawings) -> Document:
    """Return the document changed as its text was: from ``old`` to ``new``. Raises ReadError."""
    document, old = _renamed_block(before, old, new)
    ports: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for name, drawing in new.blocks.items():
        was = old.blocks.get(name)
        if was is None or name not in document.blocks:
            document = fresh_block(document, drawing)
            names = {slot.node: slot.node for slot in drawing.arguments.values()}
            ports[name] = (names | {label: label for label, _ in drawing.outputs}, {})
            continue
        block = document.blocks[name]
        if was.params != drawing.params:
            dropped = {each: value for each, value in block.params.items() if each not in was.params}
            block = replace(block, params=frozen({**drawing.params, **dropped}))
        if was.notes != drawing.notes:
            block = replace(block, notes=_notes(block.notes, drawing.notes))
        document = with_block(document, block)
        merged = GraphMerge(inside(document, name), was, drawing, lines, f"{name}/", ports)
        document = outside(document, name, merged.block(document.blocks[name]))
        ports[name] = (merged.new_ports, merged.old_ports)
    document = GraphMerge(document, old.model, new.model, lines, "", ports).model(plan)
    if old.model.name != new.model.name:
        document = document.with_(name=new.model.name)
    if old.model.notes != new.model.notes:
        document = document.with_(notes=_notes(document.notes, new.model.notes))
    return _without_unused(document, old, new)


def _renamed_block(document: Document, old: Drawings, new: Drawings) -> tuple[Document, Drawings]:
    """Take a class that is gone and another that came for one that was renamed."""
    gone = [name for name in old.blocks if name not in new.blocks]
    came = [name for name in new.blocks if name not in old.blocks and name not in document.blocks]
    if len(gone) != 1 or len(came) != 1:
        return document, old
    (was,), (now,) = gone, came

    def nodes(given: Mapping[str, Node]) -> Mapping[str, Node]:
        return frozen({i: replace(n, type=now) if n.type == was else n for i, n in given.items()})

    blocks = {
        now if name == was else name: replace(
            block, name=now if name == was else name, nodes=nodes(block.nodes)
        )
        for name, block in document.blocks.items()
    }
    document = document.with_(nodes=nodes(document.nodes), blocks=blocks)
    for drawing in (*old.blocks.values(), old.model):
        drawing.nodes = {i: replace(n, type=now) if n.type == was else n for i, n in drawing.nodes.items()}
    old.blocks = {now if name == was else name: drawing for name, drawing in old.blocks.items()}
    return document, old


def _notes(notes: str, first: str) -> str:
    _, line, rest = notes.strip().partition("\n")
    return f"{first}.{line}{rest}" if first else rest.strip()


def _without_unused(document: Document, old: Drawings, new: Drawings) -> Document:
    """Drop the blocks whose class was deleted and which nobody uses."""
    gone = [name for name in old.blocks if name not in new.blocks]
    graphs = [document.nodes, *(block.nodes for block in document.blocks.values())]
    used = {node.type for nodes in graphs for node in nodes.values()}
    kept = {name: block for name, block in document.blocks.items() if name not in gone or name in used}
    named = {id for each in document.training.objectives for id in (*each.losses, *each.nodes)}
    if lost := named - document.nodes.keys():
        document = document.with_(training=without_nodes(document.training, lost))
    return document.with_(blocks=kept) if len(kept) != len(document.blocks) else document
