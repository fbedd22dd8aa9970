"""One open document with everything that is its own: history, file, what is selected, where one looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF
from PySide6.QtGui import QUndoGroup, QUndoStack

from engine.graph.document import Document, Way

if TYPE_CHECKING:
    from engine.compiler.analysis import Analysis
    from gui.runs import Run


class Place(NamedTuple):
    """Where one looks on the canvas: the scale, what is in the middle, whether it shows all by itself."""

    zoom: float
    middle: QPointF
    whole: bool


@dataclass(eq=False)
class Session:
    """An open document. The Store shows one of them; each keeps what it needs to be shown again."""

    whole: Document
    scope: tuple[str, ...] = ()
    way: Way = ()
    selection: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    """The selected comments and dots of wires, by their ids."""
    undo_stack: QUndoStack = field(default_factory=QUndoStack)
    path: Path | None = None
    """The file that it was read from or saved to."""
    read_only: str = ""
    """Why it is not written to its file: a sentence; empty where it may be."""
    preset: str = ""
    """The ready-made network that it began as."""
    analysis: Analysis | None = None
    """What was found in the whole document last."""
    run: Run | None = None
    """The run that was begun here last."""
    place: Place | None = None
    """Where one looked when another document came to the front."""

    def __post_init__(self) -> None:
        self.document = self.whole
        """What is shown: the whole document, or the inside of the block that was entered."""

    @property
    def name(self) -> str:
        """What the document is called."""
        return self.whole.name or "Untitled"

    @property
    def dirty(self) -> bool:
        """Whether there are changes that no file holds."""
        return not self.undo_stack.isClean()

    @property
    def untouched(self) -> bool:
        """Whether it is an empty document that nobody has done anything to."""
        return self.whole == Document() and not (self.path or self.undo_stack.count() or self.dirty)


class History(QUndoGroup):
    """The undo stack of the document in front: its signals follow it, and what it can do is done by it."""

    def __getattr__(self, name: str) -> object:
        return getattr(self.activeStack(), name)
