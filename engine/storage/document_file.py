"""Documents as JSON files: versioned, checked as a whole, every problem told at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import FileError
from engine.graph.document import Document
from engine.graph.settings import set_training
from engine.storage.atomic import write_text
from engine.storage.failures import check_writable, why_not_written
from engine.storage.format import NewerError, parsed, why_newer
from engine.storage.reader import MOST_PROBLEMS, Reader
from engine.storage.writing import to_json

SUFFIX = ".netwright"
_LARGEST = 32 * 2**20


def save_document(document: Document, path: Path) -> None:
    """Write a document to a file; the old file stays whole until the new one is.

    Raises FileError that names the file and the reason.
    """
    try:
        check_writable(path)
        write_text(path, to_json(_beside(document, path)))
    except OSError as error:
        raise FileError(why_not_written(path, error)) from error


@dataclass(frozen=True)
class Loaded:
    """The document in a file, and why it should not be written there again: empty where it may be.

    ``left_out`` tells what could not be read of a file of a newer format.
    """

    document: Document
    read_only: str = ""
    left_out: tuple[str, ...] = ()


def load_document(path: Path) -> Document:
    """Return the document in a file; nothing in it is executed.

    Raises FileError whose ``problems`` are all that is wrong with it, also for a file of a newer format.
    """
    loaded = read_document(path)
    if loaded.read_only:
        raise NewerError(f"{path.name}: {loaded.read_only}", (loaded.read_only, *loaded.left_out))
    return loaded.document


def read_document(path: Path) -> Loaded:
    """Return the document in a file; nothing in it is executed.

    One of a newer format is read as far as can be. Raises FileError whose ``problems`` are all that is wrong
    with it.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise FileError(
                f"{path.name} has {size / 2**20:.0f} MB; a document has at most {_LARGEST // 2**20} MB."
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{path.name} is not a Netwright document: it is not text.") from None
    except OSError as error:
        raise FileError(f"{path} could not be read: {error.strerror or error}.") from error
    try:
        loaded = read_json(text)
    except FileError as error:
        raise FileError(f"{path.name}: {error.message}", error.problems) from None
    weights = loaded.document.training.weights
    if weights:  # beside the document, wherever both have been moved
        document = set_training(loaded.document, weights=str(path.resolve().parent / weights))
        return replace(loaded, document=document)
    return loaded


def _beside(document: Document, path: Path) -> Document:
    """Return the document as its file holds it: weights in its own folder by their name alone."""
    weights, folder = Path(document.training.weights), path.resolve().parent
    inside = document.training.weights and weights.is_absolute() and weights.is_relative_to(folder)
    if not inside:
        return document
    return set_training(document, weights=weights.relative_to(folder).as_posix())


def from_json(text: str) -> Document:
    """Return the document that a text holds.

    Raises FileError with all problems, also for a newer format.
    """
    loaded = read_json(text)
    if loaded.read_only:
        raise NewerError(loaded.read_only, (loaded.read_only, *loaded.left_out))
    return loaded.document


def read_json(text: str) -> Loaded:
    """Return the document that a text holds; of a newer format as much as can be read.

    Raises FileError with all problems.
    """
    raw = parsed(text)
    reader = Reader(raw)
    document = reader.document()
    if not reader.newer:
        return Loaded(document)
    return Loaded(document, why_newer(raw, len(reader.problems)), tuple(reader.problems[:MOST_PROBLEMS]))
