"""Taking the network away: one writer for each kind of file, chosen by its ending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.compiler.plan import make_plan
from engine.compiler.resolve import resolve
from engine.compiler.source import render
from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.atomic import write_text
from engine.storage.document_file import SUFFIX, save_document


def _python(document: Document, path: Path) -> None:
    write_text(path, render(make_plan(document, resolve(document))).text)


EXPORTERS: dict[str, tuple[str, Callable[[Document, Path], None]]] = {
    ".py": ("Python module", _python),
    SUFFIX: ("Netwright document", save_document),
}
"""What each ending means, and who writes it."""


def export(document: Document, path: Path) -> None:
    """Write a document in the form that the file's ending asks for.

    Raises FileError for an unknown ending or a file that cannot be written, CompileError for a document that
    is no model yet.
    """
    if path.suffix.lower() not in EXPORTERS:
        raise FileError(f"{path.name} should end in {' or '.join(EXPORTERS)} to tell what to export.")
    try:
        EXPORTERS[path.suffix.lower()][1](document, path)
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror or error}.") from error
