"""Nodes that share weights: who belongs together, and who inherits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.errors import EditError, shown
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import FOLLOWS, Document, Node, Share
from engine.graph.missing import ROLE as MISSING


def root_of(nodes: Mapping[str, Node], id: str) -> str:
    """Return the node that a node's weights begin with: itself where it shares none."""
    seen = {id}
    while (share := nodes[id].share) and share.node in nodes and share.node not in seen:
        id = share.node
        seen.add(id)
    return id


def family(document: Document, id: str) -> list[str]:
    """Return the nodes whose weights begin with the same node, this one among them."""
    nodes = document.nodes
    if not any(node.share for node in nodes.values()):
        return [id]
    root = root_of(nodes, id)
    return [each for each in nodes if root_of(nodes, each) == root]


def inherited(nodes: Mapping[str, Node], kept: Mapping[str, Node]) -> dict[str, Node]:
    """Return the nodes that are kept, with weights that belonged to others passed on.

    The first node that called a layer which is gone has it from now on; a copy of one that is gone altogether
    becomes a layer of its own.
    """
    heirs: dict[str, str] = {}
    for id, node in kept.items():
        if node.attribute not in kept:
            heirs.setdefault(node.attribute, id)
    result: dict[str, Node] = {}
    for id, node in kept.items():
        share = node.share
        if share and heirs.get(share.node) == id:  # it is now what the other was, perhaps a copy itself
            share = nodes[share.node].share
        while share and share.node not in kept and share.node not in heirs:
            above = nodes[share.node].share  # what a copy that is gone was a copy of
            share = replace(share, node=above.node) if above else None
        if share and share.node in heirs:
            share = replace(share, node=heirs[share.node])
        result[id] = node if share == node.share else replace(node, share=share)
    return result


def check_share(document: Document, id: str, share: Share) -> None:
    """Raise EditError with the reason if a node cannot share another's weights in this way."""
    node = document.nodes[id]
    other = document.nodes.get(share.node)
    if other is None:
        raise EditError(f"{node.title} shares the weights of {shown(share.node)}, which is not there.", id)
    layer = layer_of(document, node.type)
    if not layer.init and layer.role not in (ROLE, MISSING):
        raise EditError(f"{layer.label} has no weights that could be shared.", id)
    if other.type != node.type:
        label = layer_of(document, other.type).label
        raise EditError(
            f"{node.title} is a {layer.label}, {other.title} a {label}: one type can share weights.",
            id,
        )
    if share.follow not in FOLLOWS:
        raise EditError(f"A copy follows by {_words()}, not {shown(share.follow)}.", id)
    low, high, what = _AMOUNTS[share.follow]
    if isinstance(share.amount, bool) or not isinstance(share.amount, int | float):
        raise EditError(f"{node.title} should follow by {what}, not {shown(share.amount)}.", id)
    if not low <= share.amount <= high or (share.follow == "copy" and share.amount != int(share.amount)):
        raise EditError(f"{node.title} should follow by {what}, not {shown(share.amount)}.", id)
    if other.attribute != other.id:
        raise EditError(f"{other.title} is linked to {other.attribute}: link {node.title} to that.", id)
    above = share.node
    while above:
        if above == id:
            raise EditError(f"{other.title} has its weights from {node.title} already.", id)
        link = document.nodes[above].share
        above = link.node if link and link.node in document.nodes and link.node != above else ""


def can_share(document: Document, id: str, owner: str) -> bool:
    """Return whether a node can call another's layer."""
    try:
        check_share(document, id, Share(document.nodes[owner].attribute))
    except EditError:
        return False
    return True


_AMOUNTS = {
    "": (0, 0, "nothing"),
    "frozen": (0, 0, "nothing"),
    "average": (0.0, 1.0, "a fraction from 0 to 1 after every step"),
    "copy": (1, 1e9, "a copy every so many whole steps"),
}


def _words() -> str:
    return ", ".join(repr(word) for word in FOLLOWS if word)
