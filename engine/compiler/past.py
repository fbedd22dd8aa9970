"""What an earlier look at a document found, as far as it still holds after some edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.graph.blocks import ROLE
from engine.graph.document import Document, Slot

if TYPE_CHECKING:
    from engine.compiler.resolve import Resolution


class Past:
    """What was found a few edits ago, as far as it still holds."""

    def __init__(self, found: Resolution, document: Document):
        before = found.document
        self._found, self._document, self._before = found, document, before
        self._broken = {problem.node for problem in found.problems}
        self._same_blocks = before.blocks is document.blocks and before.customs is document.customs
        self._alike = before.nodes is document.nodes or list(before.nodes) == list(document.nodes)
        self._same_edges = before.edges is document.edges or before.edges == document.edges
        self._incoming: dict[str, dict[str, Slot]] = {}
        if not self._same_edges:
            for target, source in before.edges.items():
                self._incoming.setdefault(target.node, {})[target.port] = source
        self._handed = 0

    @property
    def order(self) -> tuple[str, ...]:
        """The order of the nodes where it is as it was, else nothing."""
        return self._found.order if self._alike and self._same_edges else ()

    def holds(self, id: str, incoming: Mapping[str, Slot], found: Resolution) -> bool:
        """Return whether a node, what enters it and what it stands for are as they were.

        What files, trust or other nodes decide beside that is always looked at again: data, custom layers,
        shared weights, and blocks once one of them was edited.
        """
        step, old, new = self._found.steps.get(id), self._before.nodes.get(id), self._document.nodes[id]
        if step is None or id in self._broken or new.share or old.share or step.layer.source:
            return False
        if old is not new and (old.type, old.params) != (new.type, new.params):
            return False
        if step.layer.role == ROLE and not self._same_blocks:
            return False
        if not self._same_edges and self._incoming.get(id, {}) != incoming:
            return False
        types = self._found.types
        return all(slot in found.types and found.types[slot] == types.get(slot) for slot in incoming.values())

    def hand_over(self, id: str, found: Resolution) -> None:
        """Enter a node as it was found."""
        was, step = self._found, self._found.steps[id]
        found.steps[id] = step
        found.parameters[id], found.macs[id] = was.parameters[id], was.macs[id]
        found.types.update((slot, was.types[slot]) for slot in step.outputs if slot in was.types)
        if id in was.blocks:
            found.blocks[id] = was.blocks[id]

    def all_of(self, found: Resolution) -> bool:
        """Return whether nothing at all is different, so that what was found can stand for itself."""
        was = self._found
        return (
            not found.failed
            and self.order == found.order
            and all(self._before.nodes[id] is node for id, node in self._document.nodes.items())
            and was.values == found.values
            and was.types == found.types
            and was.problems == found.problems
            and was.steps == found.steps
            and was.blocks.keys() == found.blocks.keys()
            and all(
                len(was.blocks[id]) == len(row)
                and all(a is b for a, b in zip(was.blocks[id], row, strict=True))
                for id, row in found.blocks.items()
            )
        )
