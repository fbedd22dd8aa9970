"""What differs between two documents, in words: ``conv1: out_channels 32 → 64``, ``adds relu3``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.graph.blocks import layer_of
from engine.graph.document import Document, Node, Slot
from engine.layers.formula import Formula
from engine.layers.params import Value


def changes(before: Document, after: Document) -> list[str]:
    """Return a sentence without its end for each change of nodes, wires, blocks and name."""
    found: list[str] = []
    if before.name != after.name:
        found.append(f"calls it {after.name}")
    found += _graph(before, after, before.nodes, after.nodes, before.edges, after.edges)
    for name, block in after.blocks.items():
        old = before.blocks.get(name)
        if old is None:
            found.append(f"adds the block {name}")
            continue
        inner = _graph(before, after, old.nodes, block.nodes, old.edges, block.edges)
        if old.params != block.params:
            inner = [f"parameters {', '.join(block.params) or 'none'}", *inner]
        found += [f"in {name} {words}" for words in inner]
    found += [f"removes the block {name}" for name in before.blocks if name not in after.blocks]
    return found or (["other notes"] if before != after else [])


def _graph(
    before: Document,
    after: Document,
    was: Mapping[str, Node],
    now: Mapping[str, Node],
    wires: Mapping[Slot, Slot],
    rewired: Mapping[Slot, Slot],
) -> list[str]:
    gone = [id for id in was if id not in now]
    came = [id for id in now if id not in was]
    renamed = {}
    for id in came:  # another id at the same place is another name
        place = (now[id].type, now[id].position)
        old = next((each for each in gone if (was[each].type, was[each].position) == place), None)
        if old is not None:
            renamed[id] = old
            gone.remove(old)
    found = [f"renames {old} to {new}" for new, old in renamed.items()]
    for id, node in now.items():
        old = was.get(renamed.get(id, id))
        if old is not None and old != node:
            found += _node(before, after, old, node)
    if added := [id for id in came if id not in renamed]:
        found.append(f"adds {', '.join(added)}")
    if gone:
        found.append(f"removes {', '.join(gone)}")
    if not found and wires != rewired:
        moved = dict.fromkeys(t.node for t, s in rewired.items() if wires.get(t) != s)
        moved |= dict.fromkeys(t.node for t in wires if t not in rewired)
        found.append(f"rewires {', '.join(moved)}")
    return found


def _node(before: Document, after: Document, old: Node, node: Node) -> Iterator[str]:
    if old.type != node.type:
        yield f"{node.id} becomes {layer_of(after, node.type).label}"
        return
    if words := value_changes(before, after, old, node):
        yield f"{node.id}: {', '.join(words)}"
    if old.share != node.share:
        yield f"{node.id} shares the weights of {node.share.node}" if node.share else f"unlinks {node.id}"


def value_changes(before: Document, after: Document, old: Node, node: Node) -> list[str]:
    """Return ``name 32 → 64`` for each setting in which two nodes of one type differ."""
    was, now = _values(before, old), _values(after, node)
    return [
        f"{name} {_shown(was.get(name))} → {_shown(now.get(name))}"
        for name in dict.fromkeys([*now, *was])
        if was.get(name) != now.get(name)
    ]


def _values(document: Document, node: Node) -> dict[str, Value]:
    """Return the value of every setting of a node, also of those that its layer does not know."""
    layer = layer_of(document, node.type)
    return layer.values(node.params) | layer.unknown(node.params)


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return "×".join(map(_shown, value)) or "()"
    return value.text if isinstance(value, Formula) else str(value)[:60]
