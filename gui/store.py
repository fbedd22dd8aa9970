"""The one place where the document changes: a value, an undo stack, a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.graph.diff import diff
from engine.graph.document import Document


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
    """Holds the document and the selection.

    ``changed`` carries the Diff of every step, also of undo and redo; ``replaced`` says that another document
    was opened; ``selection_changed`` carries the frozenset of selected node ids.
    """

    changed = Signal(object)
    replaced = Signal()
    selection_changed = Signal(object)

    def __init__(self, document: Document | None = None, parent: QObject | None = None):
        super().__init__(parent)
        self._document = document or Document()
        self._selection: frozenset[str] = frozenset()
        self.undo_stack = QUndoStack(self)

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self._document

    @property
    def selection(self) -> frozenset[str]:
        """The ids of the selected nodes."""
        return self._selection

    def apply(self, text: str, edit: Callable[[Document], Document] | Document, merge: str = "") -> None:
        """Make an edit as one undo step called ``text``.

        ``merge`` joins edits of one gesture that follow each other (a spin, a typed word). An edit that
        raises an EngineError leaves everything as it was and lets the error pass.
        """
        after = edit(self._document) if callable(edit) else edit
        if after is not self._document and diff(self._document, after):
            self.undo_stack.push(_Edit(self, text, self._document, after, merge))

    def open(self, document: Document) -> None:
        """Show another document with an empty history."""
        self._document = document
        self.undo_stack.clear()
        self._selection = frozenset()
        self.replaced.emit()
        self.selection_changed.emit(self._selection)

    def select(self, nodes: Iterable[str]) -> None:
        """Select these nodes and no others."""
        selection = frozenset(nodes) & self._document.nodes.keys()
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit(selection)

    def _show(self, document: Document) -> None:
        change = diff(self._document, document)
        self._document = document
        self.changed.emit(change)
        self.select(self._selection)
