"""Getting what a document's data needs onto this machine, before anything reads it."""

from __future__ import annotations

from collections.abc import Callable

from engine.compiler.analysis import in_bytes
from engine.data.hub_client import Progress
from engine.data.source import Source
from engine.errors import DataError, EngineError
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.graph.modes import active


def words(progress: Progress) -> str:
    """Return how far a download is, as people read it."""
    if progress.stage == "download":
        of = f" of {in_bytes(progress.total)}" if progress.total else ""
        return f"Downloading, {in_bytes(progress.done)}{of}"
    of = f" of {progress.total:,}" if progress.total else ""
    if progress.stage == "look":
        return f"Looking at the files, {progress.done:,}{of}"
    return f"Preparing, {progress.done:,}{of} rows"


def fetch(document: Document, tell: Callable[[str, Progress], None] = lambda node, progress: None) -> None:
    """Let every source of data fetch what it reads; ``tell`` hears the node and how far it is.

    Raises DataError that names the node.
    """
    for node in active(document).nodes.values():
        layer = layer_of(document, node.type)
        if isinstance(layer, Source) and layer.fetch is not None:
            try:
                layer.fetch(layer.values(node.params), lambda progress, id=node.id: tell(id, progress))
            except EngineError as error:
                raise DataError(error.message, node.id) from None
