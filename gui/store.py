"""The one place where the document changes: a value, an undo stack, a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.errors import EngineError
from engine.graph.blocks import evaluated, inside, layer_of, outside
from engine.graph.diff import diff
from engine.graph.document import Document, Way


class _Edit(QUndoCommand):
    """The document before and after; edits in a row with one non-empty ``merge`` key are one step."""

    def __init__(self, store: Store, text: str, before: Document, after: Document, merge: str):
        super().__init__(text)
        self.store, self.before, self.after, self.merge = store, before, after, merge

    def redo(self) -> None:
        self.store._show(self.after)

    def undo(self) -> None:
        self.store._show(self.before)

    def id(self) -> int:
        return 1 if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other.merge != self.merge:
            return False
        self.after = other.after
        return True


class Store(QObject):
    """Holds the document, which of its blocks is entered, and the selection.

    ``document`` is what is shown: the whole document, or the inside of the block that was entered; edits are
    made to it and put back into ``whole``. ``changed`` carries the Diff of every step of what is shown, also
    of undo and redo; ``edited`` follows every step of the whole; ``replaced`` says that another document was
    opened, ``scope_changed`` that a block was entered or left, ``turned`` that another of those in a row is
    looked at; ``selection_changed`` carries the frozenset of selected node ids.
    """

    changed = Signal(object)
    edited = Signal()
    replaced = Signal()
    scope_changed = Signal()
    turned = Signal()
    selection_changed = Signal(object)

    def __init__(self, document: Document | None = None, parent: QObject | None = None):
        super().__init__(parent)
        self._whole = self._document = document or Document()
        self._scope: tuple[str, ...] = ()
        self._way: Way = ()
        self._selection: frozenset[str] = frozenset()
        self.undo_stack = QUndoStack(self)

    @property
    def document(self) -> Document:
        """What is shown: the document, or the inside of a block."""
        return self._document

    @property
    def whole(self) -> Document:
        """The document as a file holds it."""
        return self._whole

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the blocks that were entered, outermost first."""
        return self._scope

    @property
    def selection(self) -> frozenset[str]:
        """The ids of the selected nodes."""
        return self._selection

    def apply(self, text: str, edit: Callable[[Document], Document] | Document, merge: str = "") -> None:
        """Make an edit of what is shown as one undo step called ``text``.

        ``merge`` joins edits of one gesture that follow each other (a spin, a typed word). An edit that
        raises an EngineError leaves everything as it was and lets the error pass.
        """
        after = edit(self._document) if callable(edit) else edit
        if after is not self._document and (
            diff(self._document, after) or after.blocks != self._document.blocks
        ):
            whole = outside(self._whole, self._scope[-1], after) if self._scope else after
            self.undo_stack.push(_Edit(self, text, self._whole, whole, merge))

    def apply_whole(self, text: str, document: Document, merge: str = "") -> None:
        """Replace the whole document, also from inside of a block, as one undo step called ``text``.

        ``merge`` joins edits of one gesture, as in ``apply``.
        """
        if document != self._whole:
            self.undo_stack.push(_Edit(self, text, self._whole, document, merge))

    def open(self, document: Document) -> None:
        """Show another document with an empty history."""
        self._whole = self._document = document
        self._scope = self._way = ()
        self.undo_stack.clear()
        self._selection = frozenset()
        self.replaced.emit()
        self.selection_changed.emit(self._selection)

    @property
    def way(self) -> Way:
        """The nodes that were entered, outermost first, and which of those in a row each time."""
        return self._way

    def enter(self, block: str, node: str = "") -> None:
        """Show the inside of a block, as a node uses it: the first one where none is named."""
        if block in self._whole.blocks:
            uses = (id for id, each in self._document.nodes.items() if each.type == block)
            self._go((*self._scope, block), (*self._way, (node or next(uses, ""), 0)))

    def turn(self, depth: int, place: int) -> None:
        """Look at another of the blocks in a row, of the one that was entered at a depth."""
        way = (*self._way[:depth], (self._way[depth][0], place), *self._way[depth + 1 :])
        if way != self._way:
            self._way = way
            self.turned.emit()

    def rows(self) -> tuple[int, ...]:
        """Return how many stand in a row in each of the nodes that were entered."""
        graph, values, counts = self._whole, {}, []
        for (id, _), name in zip(self._way, self._scope, strict=True):
            node = graph.nodes.get(id)
            try:
                params = evaluated(node.params, values) if node and node.type == name else {}
            except EngineError:
                params = {}
            values = layer_of(self._whole, name).values(params)
            counts.append(values["repeat"])
            graph = self._whole.blocks[name]
        return tuple(counts)

    def leave(self) -> None:
        """Show what is around the block."""
        if self._scope:
            self.go_to(self._scope[:-1])

    def go_to(self, scope: tuple[str, ...]) -> None:
        """Show the inside of the last of these blocks, which were entered, or the document for none."""
        self._go(scope, self._way[: len(scope)])

    def _go(self, scope: tuple[str, ...], way: Way) -> None:
        if scope != self._scope:
            self._scope, self._way = scope, way
            self._document = inside(self._whole, scope[-1]) if scope else self._whole
            self._selection = frozenset()
            self.scope_changed.emit()
            self.selection_changed.emit(self._selection)

    def select(self, nodes: Iterable[str]) -> None:
        """Select these nodes and no others."""
        selection = frozenset(nodes) & self._document.nodes.keys()
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)

    def _show(self, whole: Document) -> None:
        gone = next((n for n, name in enumerate(self._scope) if name not in whole.blocks), None)
        self._whole = whole
        if gone is not None:  # the block that was entered has been undone
            self.go_to(self._scope[:gone])
        before, self._document = self._document, inside(whole, self._scope[-1]) if self._scope else whole
        self.changed.emit(diff(before, self._document))
        self.edited.emit()
        self.select(self._selection)
