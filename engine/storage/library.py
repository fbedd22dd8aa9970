"""A folder of blocks: each a document file that holds one block and what it contains."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.graph.library import block_document, main_block
from engine.storage.document_file import load_document, save_document

BLOCK_SUFFIX = ".netwright-block"
_MOST = 500
"""Files that are read; a folder with more is no library."""


@dataclass(frozen=True)
class Entry:
    """A file of the library: its ``block`` in its ``document``, or the ``problem`` that hides it."""

    path: Path
    document: Document = field(default_factory=Document)
    block: str = ""
    problem: str = ""


def list_blocks(folder: Path) -> list[Entry]:
    """Return what is in a folder of blocks, by name; a broken file is listed with its problem."""
    try:
        paths = sorted(folder.glob(f"*{BLOCK_SUFFIX}"), key=lambda path: path.name.lower())
    except OSError as error:
        return [Entry(folder, problem=f"{folder} could not be read: {error.strerror or error}.")]
    return [_entry(path) for path in paths[:_MOST]]


def _entry(path: Path) -> Entry:
    try:
        document, block = load_block(path)
    except EngineError as error:
        return Entry(path, problem=error.message)
    return Entry(path, document, block)


def load_block(path: Path) -> tuple[Document, str]:
    """Return the document in a file and the block that it is about. Raises FileError."""
    document = load_document(path)
    try:
        return document, main_block(document)
    except EngineError:
        raise FileError(f"{path.name} holds no block.") from None


def save_block(document: Document, name: str, path: Path) -> None:
    """Write a block, with what it contains, as a file of its own. Raises FileError or EditError."""
    save_document(block_document(document, name), path)


def keep(document: Document, name: str, folder: Path) -> Path:
    """Save a block in a folder of blocks under its name, over an older one; returns the file's path.

    Raises FileError.
    """
    path = folder / f"{name}{BLOCK_SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder} could not be made: {error.strerror or error}.") from error
    save_block(document, name, path)
    return path


def remove(path: Path) -> None:
    """Take a file out of the library. Raises FileError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path} could not be removed: {error.strerror or error}.") from error
