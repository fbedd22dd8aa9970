"""What a network can be compared with: other tabs, what its file holds, its earlier states, any file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from engine.graph.document import Document
from engine.storage.document_file import load_document
from engine.storage.earlier import Version, versions
from gui.earlier import when
from gui.files import FILTER
from gui.runs import Run
from gui.safety import versions_folder

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_STEPS = 8


@dataclass(frozen=True)
class Side:
    """One of two networks: what it is called, the document, and the run that it had, if any."""

    title: str
    document: Document
    run: Run | None = None


@dataclass(frozen=True)
class Source:
    """One choice: its heading, its words, and how it is got; None where the user thinks better of it."""

    heading: str
    text: str
    get: Callable[[], Side | None]


def present(window: MainWindow) -> Side:
    """Return the document in front as it is now."""
    session = window.bench.store.session
    return Side(f"{session.name}, now", session.whole, session.run)


def sources(window: MainWindow) -> Iterator[Source]:
    """Give what the document in front can be compared with."""
    store = window.bench.store
    here = store.session
    for session in store.sessions:
        if session is not here:
            side = Side(session.name, session.whole, session.run)
            yield Source("Open networks", session.name, lambda side=side: side)
    if here.path is not None and here.path.is_file():
        yield Source("This network", f"As it is saved in {here.path.name}", lambda: _read(here.path))
    for version in versions(here.path, versions_folder()) if here.path is not None else ():
        yield Source("Earlier versions", f"Saved {when(version)}", lambda each=version: _saved(each))
    stack = here.undo_stack
    for n in range(min(stack.index(), stack.count()) - 1, max(stack.index() - _STEPS, 0) - 1, -1):
        before = getattr(stack.command(n), "before", None)
        if before is not None:
            side = Side(f"{here.name}, before “{stack.text(n)}”", before)
            yield Source("This network", f"Before “{stack.text(n)}”", lambda side=side: side)
    yield Source("Elsewhere", "A file …", lambda: _ask(window))


def _read(path: Path) -> Side:
    return Side(f"{path.name}, as saved", load_document(path))


def _saved(version: Version) -> Side:
    return Side(f"Saved {when(version)}", load_document(version.path))


def _ask(window: MainWindow) -> Side | None:
    name, _ = QFileDialog.getOpenFileName(window, "Compare with a network", "", FILTER)
    return _read(Path(name)) if name else None
