"""The commands of the canvas: each is one named step of undo, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication

from engine.errors import EditError, EngineError
from engine.graph import edits, marks, modes
from engine.graph.document import BYPASSED, MUTED, Document, Edge, Slot
from engine.graph.links import can_share
from engine.graph.settings import set_learning
from engine.graph.swap import swap, take_place
from gui.bench import Bench, Offer
from gui.canvas import clipboard, fitting, travel
from gui.canvas.aligning import Alignment, Box
from gui.canvas.block_commands import BlockCommands
from gui.canvas.face import HEADER, WIDTH

Edited = tuple[Document, str]
COPY_STEP = 32.0
"""How far a copy stands from its original."""


class Commands(BlockCommands):
    """Edits of the store, for the gestures, the menus and the keyboard of one canvas."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self._pasted: tuple[str, int] = ("", 0)

    def edit(self, text: str, change: Callable[[Document], Document], merge: str = "") -> bool:
        """Make an edit; a refusal is shown as a message and changes nothing. Return whether it was made."""
        outer = self.outer_links()
        try:
            self.bench.store.apply(text, change, merge)
        except EngineError as error:
            self.bench.message.emit(error.message)
            return False
        self.tell_lost(outer)
        return True

    def make(self, text: str, change: Callable[[Document], Edited], merge: str = "") -> str:
        """Make an edit that creates a node, select the node and return its id, or an empty text."""
        made: list[str] = []

        def edit(document: Document) -> Document:
            document, id = change(document)
            made.append(id)
            return document

        if not self.edit(text, edit, merge):
            return ""
        self.bench.store.select(made[-1:])
        return made[-1]

    # -- adding ----------------------------------------------------------------------------------------

    def add(self, type_: str, at: QPointF, merge: str = "") -> str:
        """Add a node with its title under a place of the canvas."""
        place = (at.x() - WIDTH / 2, at.y() - HEADER / 2)
        return self._add(f"Add {self._label(type_)}", type_, lambda d, t: fitting.add(d, t, place), merge)

    def add_behind(self, type_: str, source: Slot, at: QPointF | None = None) -> str:
        """Add a node that reads an output: at a place, its port under the pointer, or beside the source."""
        place = (at.x(), at.y() - HEADER / 2) if at is not None else None
        types = self.bench.analysis.types
        text = f"Add {self._label(type_)}"
        return self._add(text, type_, lambda d, t: fitting.add_behind(d, t, source, types, place))

    def add_before(self, type_: str, target: Slot, at: QPointF) -> str:
        """Add a node that feeds an input."""
        place = (at.x() - WIDTH, at.y() - HEADER / 2)
        text = f"Add {self._label(type_)}"
        return self._add(text, type_, lambda d, t: fitting.add_before(d, t, target, place))

    def insert(self, type_: str, edge: Edge, at: QPointF) -> str:
        """Insert a node into an edge."""
        place = (at.x() - WIDTH / 2, at.y() - HEADER / 2)
        text = f"Insert {self._label(type_)}"
        return self._add(text, type_, lambda d, t: fitting.insert_new(d, t, edge, place))

    def _add(self, text: str, type_: str, change: Callable[[Document, str], Edited], merge: str = "") -> str:
        """Make an edit that adds a node of a type; a block of the library is brought along."""
        return self.make(text, lambda d: change(*self.bench.library.bring(d, type_)), merge)

    def _label(self, type_: str) -> str:
        return self.bench.library.layer_of(self.bench.store.document, type_).label

    # -- replacing -------------------------------------------------------------------------------------

    def replace(self, ids: Sequence[str], type_: str) -> bool:
        """Put another layer in the place of some nodes; what could not stay is told over the canvas."""
        lost: dict[str, None] = {}

        def edit(document: Document) -> Document:
            document, own = self.bench.library.bring(document, type_)
            for id in ids:
                done = swap(document, id, own)
                document = done.document
                lost.update(dict.fromkeys(done.lost))
            return document

        label, named = self._label(type_), self.named(list(ids))
        done = self.edit(f"Replace {named} with {label}", edit)
        if done and lost:
            self._tell(f"{named} became {label}", lost)
        return done

    def take_place(self, id: str, target: str) -> bool:
        """Put a free node into the place and the links of another, which goes."""
        lost: dict[str, None] = {}
        named, gone = self.named([id]), self.named([target])

        def edit(document: Document) -> Document:
            done = take_place(document, id, target)
            lost.update(dict.fromkeys(done.lost))
            return done.document

        done = self.edit(f"Replace {gone} with {named}", edit)
        if done and lost:
            self._tell(f"{named} stands for {gone}", lost)
        return done

    def _tell(self, what: str, lost: Iterable[str]) -> None:
        text = f"{what}; without {', '.join(lost)}."
        self.bench.offered.emit(Offer(text, (("Undo", self.bench.store.undo_stack.undo),)))

    # -- removing --------------------------------------------------------------------------------------

    def delete(self, heal: bool = False) -> None:
        """Delete what is selected; ``heal`` links across the nodes. Frames leave what stands in them."""
        chosen = self.bench.store.chosen
        if chosen:
            self.bench.store.select(())  # the dots that are left take the places of those that go
            text = f"Delete {self.named(chosen)}"
            self.edit(text + (" and heal" if heal else ""), lambda d: edits.delete(d, chosen, heal))

    def disconnect(self, slot: Slot) -> None:
        """Delete one edge."""
        self.edit("Disconnect", lambda d: edits.disconnect(d, [slot]))

    def disconnect_node(self, id: str) -> None:
        """Delete every edge of a node."""
        document = self.bench.store.document
        slots = [Slot(id, port) for port in document.incoming(id)]
        slots += [edge.target for edge in document.outgoing(id)]
        self.edit(f"Disconnect {document.nodes[id].title}", lambda d: edits.disconnect(d, slots))

    # -- copies ----------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Put the selected nodes and comments on the clipboard."""
        chosen = self._copied()
        if chosen:
            QGuiApplication.clipboard().setText(clipboard.to_text(self.bench.store.document, chosen))
            self._pasted = ("", 0)

    def cut(self) -> None:
        """Copy the selected nodes and comments and delete them."""
        chosen = self._copied()
        if chosen:
            self.copy()
            self.edit(f"Cut {self.named(chosen)}", lambda d: edits.delete(d, chosen))

    def _copied(self) -> frozenset[str]:
        """Return what can be copied of the selection: the dots of wires go with the wires."""
        store = self.bench.store
        return store.selection | (store.marks & store.document.comments.keys())

    def paste(self, at: QPointF | None, text: str | None = None, keep: bool = False) -> None:
        """Add the nodes on the clipboard, or in a text: around a place, or a step beside their originals.

        With ``keep`` the copies read what their originals read.
        """
        text = travel.text_in(QGuiApplication.clipboard().text() if text is None else text)
        count = self._pasted[1] + 1 if self._pasted[0] == text else 1
        self._pasted = (text, count)

        def offset() -> tuple[float, float]:
            if at is None:
                return (COPY_STEP * count, COPY_STEP * count)
            left, top, right, bottom = clipboard.area_of(text, (WIDTH, 2 * HEADER))
            middle = (left + right) / 2, (top + bottom) / 2
            return (round((at.x() - middle[0]) / 4) * 4, round((at.y() - middle[1]) / 4) * 4)

        self._add_text("Paste with links" if keep else "Paste", text, offset, keep=keep)

    def duplicate(self, linked: bool = False) -> None:
        """Copy the selected nodes beside themselves; the clipboard stays as it is.

        ``linked`` copies share the weights of their originals.
        """
        chosen = self._copied()
        if chosen:
            text = clipboard.to_text(self.bench.store.document, chosen)
            originals = [id for id in self.bench.store.document.nodes if id in chosen] if linked else []
            title = f"Duplicate {self.named(chosen)}" + (" linked" if linked else "")
            self._add_text(title, text, lambda: (COPY_STEP, COPY_STEP), originals)

    def share(self) -> None:
        """Let the selected nodes of each type share the weights of the first of them."""
        nodes = self.bench.store.document.nodes
        chosen = sorted(
            self.bench.store.selection, key=lambda id: (nodes[id].share is not None, nodes[id].position)
        )
        owners = {nodes[id].type: id for id in reversed(chosen)}

        def edit(document: Document) -> Document:
            for id in chosen:
                owner = owners[nodes[id].type]
                if id != owner and can_share(document, id, owner):
                    document = edits.share(document, id, owner)
            if document is self.bench.store.document:
                raise EditError("Select two nodes of one type that have weights.")
            return document

        self.edit(f"Share the weights of {', '.join(nodes[id].title for id in owners.values())}", edit)

    def unshare(self) -> None:
        """Give the selected nodes weights of their own again."""
        nodes = self.bench.store.document.nodes
        linked = [id for id in sorted(self.bench.store.selection) if nodes[id].share]

        def edit(document: Document) -> Document:
            for id in linked:
                document = edits.unshare(document, id)
            return document

        self.edit(f"Unlink {self.named(linked)}", edit)

    def _add_text(
        self,
        title: str,
        text: str,
        offset: Callable[[], tuple[float, float]],
        owners: Sequence[str] = (),
        keep: bool = False,
    ) -> None:
        made: list[str] = []

        def edit(document: Document) -> Document:
            document, ids = clipboard.paste(document, text, offset(), keep)
            for id, owner in zip(ids, owners, strict=False):
                if can_share(document, id, owner):
                    document = edits.share(document, id, owner)
            made.extend(ids)
            return document

        if self.edit(title, edit):
            self.bench.store.select(made)

    # -- what nodes are to the model ---------------------------------------------------------------------

    def mute(self) -> None:
        """Leave the selected nodes out of the model with all that depends on them, or take them in again."""
        self._set_mode(MUTED, "Mute", "Unmute")

    def bypass(self) -> None:
        """Let the input of the selected nodes go on to their readers, or go through them again."""
        self._set_mode(BYPASSED, "Bypass", "Do not bypass")

    def _set_mode(self, mode: str, do: str, undo: str) -> None:
        chosen, nodes = sorted(self.bench.store.selection), self.bench.store.document.nodes
        if chosen:
            has_it = all(nodes[id].mode == mode for id in chosen)
            text = f"{undo if has_it else do} {self.named(chosen)}"
            self.edit(text, lambda d: modes.set_mode(d, chosen, "" if has_it else mode))

    def collapse(self) -> None:
        """Show the selected nodes by their titles alone, or in full again."""
        chosen, nodes = sorted(self.bench.store.selection), self.bench.store.document.nodes
        if chosen:
            done = all(nodes[id].collapsed for id in chosen)
            text = f"{'Show in full' if done else 'Collapse'} {self.named(chosen)}"
            self.edit(text, lambda d: modes.set_collapsed(d, chosen, not done))

    def freeze(self) -> None:
        """Keep the weights of the selected nodes as they are, or let them learn again."""
        chosen, nodes = sorted(self.bench.store.selection), self.bench.store.document.nodes
        counts = self.bench.analysis.parameters
        chosen = [id for id in chosen if counts.get(id) or nodes[id].learning.frozen] or chosen
        if chosen:
            done = all(nodes[id].learning.frozen for id in chosen)
            text = f"{'Unfreeze' if done else 'Freeze'} {self.named(chosen)}"
            self.edit(text, lambda d: set_learning(d, chosen, frozen=not done))

    # -- places ----------------------------------------------------------------------------------------

    def align(self, alignment: Alignment, boxes: Mapping[str, Box]) -> None:
        """Line some nodes up, or spread them evenly; ``boxes`` are theirs."""
        if len(boxes) < alignment.least:
            self.bench.message.emit(f"{alignment.text} needs {alignment.least} nodes.")
            return
        places = alignment.place(boxes)
        self.edit(f"{alignment.text}: {self.named(list(boxes))}", lambda d: edits.move(d, places))

    def nudge(self, dx: float, dy: float, ids: Iterable[str]) -> None:
        """Move nodes and marks a little; nudges in a row are one step."""
        chosen = sorted(ids)
        if chosen:
            document = self.bench.store.document
            corners = {id: node.position for id, node in document.nodes.items()} | marks.places(document)
            places = {id: (corners[id][0] + dx, corners[id][1] + dy) for id in chosen}
            text = f"Move {self.named(chosen)}"
            self.edit(text, lambda d: edits.move(d, places), merge="nudge " + " ".join(chosen))

    # -- frames, notes, dots ---------------------------------------------------------------------------

    def add_frame(self, boxes: Sequence[QRectF], at: QPointF) -> str:
        """Put a frame around boxes, or around a place where there are none; it is selected."""
        empty = (at.x() - 180, at.y() - 110, 360, 220)
        box = marks.around(each.getRect() for each in boxes) if boxes else empty
        return self.make("Add a frame", lambda d: marks.add_comment(d, "frame", box, "Frame"))

    def add_note(self, at: QPointF) -> str:
        """Put an empty note at a place; it is selected."""
        box = (round(at.x() - 140), round(at.y() - 24), 280, 48)
        return self.make("Add a note", lambda d: marks.add_comment(d, "note", box, color="amber"))

    def change_comments(self, step: str, ids: Iterable[str], **changes: object) -> None:
        """Change a part of some comments as one step."""

        def edit(document: Document) -> Document:
            for id in sorted(ids):
                document = marks.change_comment(document, id, **changes)
            return document

        self.edit(step, edit)

    def write(self, id: str, text: str) -> None:
        """Give a comment another text."""
        if id in self.bench.store.document.comments:
            self.change_comments("Edit the text", [id], text=text)

    def add_dot(self, slot: Slot, place: int, at: QPointF) -> None:
        """Put a dot into a wire; it is selected."""
        at = (round(at.x()), round(at.y()))
        if self.edit("Add a dot", lambda d: marks.add_dot(d, slot, place, at)):
            self.bench.store.select({marks.dot_id(slot, place)})

    def straighten(self, slot: Slot) -> None:
        """Take all dots out of a wire."""
        gone = [marks.dot_id(slot, n) for n in range(len(self.bench.store.document.bends.get(slot, ())))]
        self.edit("Straighten the wire", lambda d: edits.delete(d, gone))

    def rename(self, id: str, name: str) -> None:
        """Give a node or a frame another title."""
        if id in self.bench.store.document.comments:
            self.change_comments("Rename", [id], title=name.strip())
        elif id in self.bench.store.document.nodes:
            name = "" if name.strip() == id else name
            self.edit("Rename", lambda d: edits.rename(d, id, name))

    def named(self, ids: Collection[str]) -> str:
        """Return some nodes, comments and dots in two words, for the name of a step."""
        document = self.bench.store.document
        if len(ids) == 1:
            id = next(iter(ids))
            if id in document.nodes:
                return document.nodes[id].title
            comment = document.comments.get(id)
            if comment is None:
                return "a dot"
            return f"the frame {comment.title}".strip() if comment.kind == "frame" else "a note"
        return f"{len(ids)} nodes" if document.nodes.keys() >= set(ids) else f"{len(ids)} items"
