"""What changed between two documents."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from engine.graph.document import Document, Slot

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Diff:
    """What a view has to redraw: ids of nodes, slots that edges enter, and whether the rest changed."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    edges_added: frozenset[Slot] = frozenset()
    edges_removed: frozenset[Slot] = frozenset()
    training: bool = False
    name: bool = False
    meaning: bool = False
    """Whether anything but positions, titles and comments changed: shapes and code may be different."""
    comments: frozenset[str] = frozenset()
    """Ids of comments that came, went or changed."""
    bends: frozenset[Slot] = frozenset()
    """Slots of edges whose bends came, went or changed."""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)


def diff(before: Document, after: Document) -> Diff:
    """Return what turns ``before`` into ``after``; a re-routed edge counts as removed and added."""
    old, new = before.nodes, after.nodes
    added = frozenset(new.keys() - old.keys())
    removed = frozenset(old.keys() - new.keys())
    changed = frozenset(
        id for id, node in new.items() if id in old and old[id] is not node and old[id] != node
    )
    was, now = before.edges, after.edges
    edges_added = edges_removed = frozenset()
    if was is not now:
        edges_added = frozenset(slot for slot, source in now.items() if was.get(slot) != source)
        edges_removed = frozenset(slot for slot, source in was.items() if now.get(slot) != source)
    meaning = bool(added or removed or edges_added or edges_removed) or any(
        (old[id].type, old[id].params, old[id].share, old[id].mode, old[id].learning)
        != (new[id].type, new[id].params, new[id].share, new[id].mode, new[id].learning)
        for id in changed
    )
    training = before.training != after.training
    if before.blocks is not after.blocks and before.blocks != after.blocks:
        meaning = True
        uses = {id for id, node in new.items() if before.blocks.get(node.type) != after.blocks.get(node.type)}
        changed |= frozenset(uses & old.keys())
    if before.customs is not after.customs and before.customs != after.customs:
        meaning = True
        was, now = before.customs, after.customs
        uses = {id for id, node in new.items() if was.get(node.type) != now.get(node.type)}
        changed |= frozenset(uses & old.keys())
    renamed = (before.name, before.notes) != (after.name, after.notes)
    return Diff(
        added,
        removed,
        changed,
        edges_added,
        edges_removed,
        training,
        renamed,
        meaning or before.name != after.name,
        _different(before.comments, after.comments),
        _different(before.bends, after.bends),
    )


def _different(was: Mapping[K, object], now: Mapping[K, object]) -> frozenset[K]:
    """Return the keys under which two mappings differ."""
    if was is now:
        return frozenset()
    return frozenset(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
