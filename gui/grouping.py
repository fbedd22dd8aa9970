"""Putting nodes into a block: a known one if they are it but for numbers, else a new one."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QInputDialog, QWidget

from engine.errors import EngineError
from engine.graph.blocks import free_name, group, palette, ungroup
from engine.graph.document import Document
from engine.graph.likeness import Match, like, use_instead
from engine.graph.parametrize import candidates
from gui.bench import Bench, Offer


class Grouping:
    """Groups the selected nodes of a bench, and says what can be done next."""

    def __init__(self, bench: Bench, window: QWidget):
        self._bench = bench
        self._window = window

    def group(self) -> None:
        """Use the block that the selected nodes are; otherwise ask for a name and make a new one."""
        store = self._bench.store
        usable = {layer.type for layer in palette(store.document, store.scope)}
        match = next((m for m in like(store.document, store.selection) if m.block in usable), None)
        if match is None:
            self.make(store.selection)
        else:
            self._use(store.selection, match)

    def ungroup(self) -> None:
        """Put what stands in the selected blocks in their place, and select it."""
        store = self._bench.store
        ids = [id for id in store.document.nodes if id in store.selection]
        blocks = [id for id in ids if store.document.nodes[id].type in store.document.blocks]
        others = store.document.nodes.keys() - set(blocks)

        def change(document: Document) -> Document:
            for id in blocks:
                document = ungroup(document, id)
            return document

        title = store.document.nodes[blocks[0]].title if len(blocks) == 1 else f"{len(blocks)} blocks"
        try:
            store.apply(f"Unpack {title}", change)
        except EngineError as error:
            self._bench.message.emit(error.message)
            return
        store.select(store.document.nodes.keys() - others)

    def make(self, ids: Iterable[str]) -> None:
        """Ask for a name and put nodes into a new block."""
        wanted, given = QInputDialog.getText(
            self._window,
            "Group into a block",
            "Name of the block:",
            text=free_name(self._bench.store.document),
        )
        name = wanted.strip()
        if given and self._apply(f"Group into {name}", lambda d: group(d, ids, name)):
            self._offer_parameters(name)

    def _use(self, ids: frozenset[str], match: Match) -> None:
        if not self._apply(f"Use {match.block}", lambda d: use_instead(d, ids, match)):
            return
        text = f"This is {match.block}{f' with {match.words}' if match.words else ''}."
        if match.varying:
            made = " and ".join(candidate.name for candidate, _ in match.varying)
            text += f" {made.capitalize()} can vary now."
        self._bench.offered.emit(Offer(text, (("Make a new block instead", lambda: self._instead(ids)),)))

    def _instead(self, ids: frozenset[str]) -> None:
        """Take the use of the known block back and make a new one."""
        self._bench.store.undo_stack.undo()
        self._bench.store.select(ids)
        self.make(ids)

    def _offer_parameters(self, name: str) -> None:
        store = self._bench.store
        numbers = [each.number for each in candidates(store.document, name)]
        if numbers:
            listed = ", ".join(dict.fromkeys(str(number) for number in numbers[:4]))
            text = f"{name} holds numbers that may vary: {listed}."
            self._bench.offered.emit(Offer(text, (("Offer as parameters", lambda: self._open(name)),)))

    def _open(self, name: str) -> None:
        if name in self._bench.store.document.blocks:
            self._bench.store.enter(name)

    def _apply(self, text: str, edit: object) -> bool:
        made: list[str] = []

        def change(document: Document) -> Document:
            document, id = edit(document)
            made.append(id)
            return document

        try:
            self._bench.store.apply(text, change)
        except EngineError as error:
            self._bench.message.emit(error.message)
            return False
        self._bench.store.select(made[-1:])
        return True
