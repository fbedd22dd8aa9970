"""The one place where documents change: values, undo stacks, signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from engine.errors import EngineError
from engine.graph.blocks import evaluated, inside, layer_of, outside
from engine.graph.diff import diff
from engine.graph.document import Block, Document, Way
from engine.graph.marks import marks
from gui.session import History, Session


class _Edit(QUndoCommand):
    """The document before and after; edits in a row with one non-empty ``merge`` key are one step."""

    def __init__(self, store: Store, text: str, before: Document, after: Document, merge: str):
        super().__init__(text)
        self.store, self.session = store, store.session
        self.before, self.after, self.merge = before, after, merge

    def redo(self) -> None:
        self.store._take(self.session, self.after)

    def undo(self) -> None:
        self.store._take(self.session, self.before)

    def id(self) -> int:
        return 1 if self.merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other.merge != self.merge:
            return False
        self.after = other.after
        return True


class Store(QObject):
    """Holds the open documents, which of them is in front, which of its blocks is entered, and the selection.

    ``document`` is what is shown: the whole document, or the inside of the block that was entered; edits are
    made to it and put back into ``whole``. ``changed`` carries the Diff of every step of what is shown, also
    of undo and redo; ``edited`` follows every step of the whole; ``scope_changed`` says that a block was
    entered or left, ``turned`` that another of those in a row is looked at; ``selection_changed`` carries the
    frozenset of selected node ids, ``marks_changed`` says the same of comments and dots.

    ``replaced`` says that another document is in front: it was opened, or its tab was turned to. ``leaving``
    comes before, ``arrived`` when every part has taken it over. ``sessions_changed`` says that others are
    open, or in another order; ``closed`` carries the session that is no more.
    """

    changed = Signal(object)
    edited = Signal()
    leaving = Signal()
    replaced = Signal()
    arrived = Signal()
    scope_changed = Signal()
    turned = Signal()
    selection_changed = Signal(object)
    marks_changed = Signal()
    sessions_changed = Signal()
    closed = Signal(object)

    def __init__(self, document: Document | None = None, parent: QObject | None = None):
        super().__init__(parent)
        self.undo_stack = History(self)
        self.session = Session(document or Document())
        self.sessions: list[Session] = [self.session]
        self.undo_stack.addStack(self.session.undo_stack)
        self.undo_stack.setActiveStack(self.session.undo_stack)

    @property
    def document(self) -> Document:
        """What is shown: the document, or the inside of a block."""
        return self.session.document

    @property
    def whole(self) -> Document:
        """The document as a file holds it."""
        return self.session.whole

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the blocks that were entered, outermost first."""
        return self.session.scope

    @property
    def way(self) -> Way:
        """The nodes that were entered, outermost first, and which of those in a row each time."""
        return self.session.way

    @property
    def selection(self) -> frozenset[str]:
        """The ids of the selected nodes."""
        return self.session.selection

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the selected comments and dots of wires."""
        return self.session.marks

    @property
    def chosen(self) -> frozenset[str]:
        """The ids of all that is selected: nodes, comments and dots."""
        return self.selection | self.marks

    # -- open documents ----------------------------------------------------------------------------------

    def open(self, document: Document) -> Session:
        """Show another document in place of the one in front, with an empty history."""
        before, session = self.session, Session(document)
        self.sessions[self.sessions.index(before)] = session
        self._begin(session)
        self._end(before)
        return session

    def add(self, document: Document) -> Session:
        """Show another document behind the one in front, which stays open."""
        session = Session(document)
        self.sessions.insert(self.sessions.index(self.session) + 1, session)
        self._begin(session)
        return session

    def put(self, document: Document) -> Session:
        """Open another document at the end of the row; what is in front stays there."""
        session = Session(document)
        self.sessions.append(session)
        self.undo_stack.addStack(session.undo_stack)
        self.sessions_changed.emit()
        return session

    def show(self, session: Session) -> None:
        """Bring an open document to the front."""
        if session is self.session:
            return
        self.leaving.emit()
        self.session = session
        self.undo_stack.setActiveStack(session.undo_stack)
        self.replaced.emit()
        self.selection_changed.emit(session.selection)
        self.arrived.emit()

    def close(self, session: Session) -> None:
        """Close a document; its neighbor comes to the front, an empty one where it was the last."""
        place = self.sessions.index(session)
        if len(self.sessions) == 1:
            self.open(Document())
            return
        self.sessions.remove(session)
        if session is self.session:
            self.show(self.sessions[min(place, len(self.sessions) - 1)])
        self._end(session)

    def move(self, session: Session, place: int) -> None:
        """Give an open document another place in the row."""
        self.sessions.remove(session)
        self.sessions.insert(place, session)
        self.sessions_changed.emit()

    def _begin(self, session: Session) -> None:
        self.undo_stack.addStack(session.undo_stack)
        self.show(session)
        self.sessions_changed.emit()

    def _end(self, session: Session) -> None:
        self.undo_stack.removeStack(session.undo_stack)
        session.undo_stack.clear()
        self.closed.emit(session)
        self.sessions_changed.emit()

    # -- the one in front --------------------------------------------------------------------------------

    def apply(self, text: str, edit: Callable[[Document], Document] | Document, merge: str = "") -> None:
        """Make an edit of what is shown as one undo step called ``text``.

        ``merge`` joins edits of one gesture that follow each other (a spin, a typed word). An edit that
        raises an EngineError leaves everything as it was and lets the error pass.
        """
        after = edit(self.document) if callable(edit) else edit
        if after is not self.document and (
            diff(self.document, after) or after.blocks != self.document.blocks
        ):
            whole = outside(self.whole, self.scope[-1], after) if self.scope else after
            self.undo_stack.push(_Edit(self, text, self.whole, whole, merge))

    def apply_whole(self, text: str, document: Document, merge: str = "") -> None:
        """Replace the whole document, also from inside of a block, as one undo step called ``text``.

        ``merge`` joins edits of one gesture, as in ``apply``.
        """
        if document != self.whole:
            self.undo_stack.push(_Edit(self, text, self.whole, document, merge))

    def enter(self, block: str, node: str = "") -> None:
        """Show the inside of a block, as a node uses it: the first one where none is named."""
        if block in self.whole.blocks:
            uses = (id for id, each in self.document.nodes.items() if each.type == block)
            self._go((*self.scope, block), (*self.way, (node or next(uses, ""), 0)))

    def turn(self, depth: int, place: int) -> None:
        """Look at another of the blocks in a row, of the one that was entered at a depth."""
        way = (*self.way[:depth], (self.way[depth][0], place), *self.way[depth + 1 :])
        if way != self.way:
            self.session.way = way
            self.turned.emit()

    def rows(self) -> tuple[int, ...]:
        """Return how many stand in a row in each of the nodes that were entered."""
        graph, values, counts = self.whole, {}, []
        for (id, _), name in zip(self.way, self.scope, strict=True):
            node = graph.nodes.get(id)
            try:
                params = evaluated(node.params, values) if node and node.type == name else {}
            except EngineError:
                params = {}
            values = layer_of(self.whole, name).values(params)
            counts.append(values["repeat"])
            graph = self.whole.blocks[name]
        return tuple(counts)

    def leave(self) -> None:
        """Show what is around the block."""
        if self.scope:
            self.go_to(self.scope[:-1])

    def go_way(self, way: Way) -> None:
        """Show the inside of the block that the last of these nodes uses, each inside of the one before."""
        scope: list[str] = []
        graph: Document | Block = self.whole
        for id, _ in way:
            scope.append(graph.nodes[id].type)
            graph = self.whole.blocks[scope[-1]]
        if tuple(scope) == self.scope and way != self.way:  # the same drawing, looked at in another use
            self.session.way = way
            self.turned.emit()
        else:
            self._go(tuple(scope), way)

    def go_to(self, scope: tuple[str, ...]) -> None:
        """Show the inside of the last of these blocks, which were entered, or the document for none."""
        self._go(scope, self.way[: len(scope)])

    def _go(self, scope: tuple[str, ...], way: Way) -> None:
        if scope != self.scope:
            self.session.scope, self.session.way = scope, way
            self.session.document = inside(self.whole, scope[-1]) if scope else self.whole
            self.session.selection = self.session.marks = frozenset()
            self.scope_changed.emit()
            self.selection_changed.emit(self.selection)

    def select(self, ids: Iterable[str]) -> None:
        """Select these nodes, comments and dots, and no others."""
        ids = frozenset(ids)
        selection = ids & self.document.nodes.keys()
        beside = ids - selection
        beside = beside & marks(self.document) if beside else beside
        before = self.selection, self.marks
        self.session.selection, self.session.marks = selection, beside
        if selection != before[0]:
            self.selection_changed.emit(selection)
        if beside != before[1]:
            self.marks_changed.emit()

    def _take(self, session: Session, whole: Document) -> None:
        """Hold another state of a document, which comes to the front."""
        self.show(session)
        gone = next((n for n, name in enumerate(self.scope) if name not in whole.blocks), None)
        session.whole = whole
        if gone is not None:  # the block that was entered has been undone
            self.go_to(self.scope[:gone])
        before, session.document = session.document, inside(whole, self.scope[-1]) if self.scope else whole
        self.changed.emit(diff(before, session.document))
        self.edited.emit()
        self.select(self.chosen)
