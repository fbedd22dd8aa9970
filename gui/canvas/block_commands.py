"""The commands of a canvas that are about blocks: how many stand in a row, and their inside in place."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import EngineError
from engine.graph import edits, interface
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.layers.formula import Formula
from engine.layers.params import Value
from gui.bench import Bench, Offer
from gui.canvas import expand
from gui.canvas.face import PORT_TOP


class BlockCommands:
    """Edits of blocks as nodes; a part of ``Commands``."""

    bench: Bench
    edit: Callable[..., bool]

    # -- how many in a row -----------------------------------------------------------------------------

    def repeat_of(self, id: str) -> int | None:
        """Return how many of a block stand in a row, None where a formula says it."""
        count = self.bench.store.document.nodes[id].params.get("repeat", 1)
        return count if isinstance(count, int) else None

    def set_repeat(self, id: str, count: Value, merge: str = "") -> bool:
        """Let so many of a block stand in a row; steps in a row with one ``merge`` are one step of undo."""
        title = self.bench.store.document.nodes[id].title
        return self.edit(f"Repeat {title}", lambda d: edits.set_params(d, id, repeat=count), merge)

    def type_repeat(self, id: str, text: str) -> None:
        """Take what was typed for the count: ``4``, ``×4``, or a formula over the block around."""
        nodes = self.bench.store.document.nodes
        text = text.strip().lstrip("×x* ").strip()
        if id not in nodes or not text:
            return
        try:
            param = layer_of(self.bench.store.document, nodes[id].type).param("repeat")
            count = param.parse(text) if text.lstrip("-").isdecimal() else Formula(text.lstrip("= "))
        except EngineError as error:
            self.bench.message.emit(error.message)
            return
        self.set_repeat(id, count)

    # -- ports -----------------------------------------------------------------------------------------

    def new_port(self, slot: Slot, forward: bool, off: Slot | None, y: float) -> None:
        """Link an output to a new output of the block that is open, or an input to a new input."""
        kind = interface.OUTPUT if forward else interface.INPUT
        made: list[str] = []

        def change(document: Document) -> Document:
            document = edits.disconnect(document, [off]) if off is not None else document
            document, name = interface.linked_port(document, slot, kind, y - PORT_TOP)
            made.append(name)
            return document

        if self.edit(f"New {kind.lower()}", change):
            self.bench.store.select(made[-1:])

    def outer_links(self) -> int:
        """Return how many links there are outside of the block that is open."""
        store = self.bench.store
        if not store.scope:
            return 0
        return interface.link_count(store.whole) - len(store.whole.blocks[store.scope[-1]].edges)

    def tell_lost(self, before: int) -> None:
        """Tell what an edit inside of a block took from its uses: the links to ports that are gone."""
        lost = before - self.outer_links() if self.bench.store.scope else 0
        if lost > 0:
            links = "One link" if lost == 1 else f"{lost} links"
            text = f"{links} outside ended at a port that is gone."
            undo = self.bench.store.undo_stack.undo
            self.bench.offered.emit(Offer(text, (("Undo", undo),)))

    # -- in place ----------------------------------------------------------------------------------------

    def toggle_expanded(self, path: tuple[str, ...]) -> None:
        """Expand the block that a way of nodes leads to, or close it again; one step of undo."""
        document, analysis = self.bench.store.document, self.bench.analysis
        node = document.nodes[path[0]]
        for id in path[1:]:
            node = document.blocks[node.type].nodes[id]
        text = f"{'Close' if node.expanded else 'Expand'} {node.title}"
        self.edit(text, lambda d: expand.toggled_at(d, path, analysis))

    def expand(self) -> None:
        """Expand the selected blocks in place; close them where all of them are."""
        document, analysis = self.bench.store.document, self.bench.analysis
        chosen = [id for id in document.nodes if id in self.bench.store.selection]
        chosen = [id for id in chosen if document.nodes[id].type in document.blocks]
        done = all(document.nodes[id].expanded for id in chosen)

        def change(document: Document) -> Document:
            for id in reversed(chosen):
                if bool(document.nodes[id].expanded) == done:
                    document = expand.toggled(document, id, analysis)
            return document

        if chosen:
            what = document.nodes[chosen[0]].title if len(chosen) == 1 else f"{len(chosen)} blocks"
            self.edit(f"{'Close' if done else 'Expand'} {what}", change)
