"""Importing by a file's ending, and what is written of it: the document and its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from safetensors.torch import save

from engine.graph.document import Document
from engine.graph.settings import set_training
from engine.importing.calls import ImportingError
from engine.importing.imported import Imported
from engine.importing.onnx_file import import_onnx
from engine.importing.pt2 import import_pt2
from engine.importing.python_import import import_python
from engine.importing.torch_file import parse_target
from engine.storage.atomic import write_bytes
from engine.storage.document_file import SUFFIX, save_document

Importer = Callable[[str, Sequence[str], bool], Imported]

IMPORTERS: Mapping[str, Importer] = MappingProxyType(
    {
        ".py": import_python,
        ".pt2": lambda target, inputs, trusted: import_pt2(Path(target), inputs),
        ".onnx": lambda target, inputs, trusted: import_onnx(Path(target), inputs),
    }
)
"""Who reads each of ``report.SUFFIXES``; only a Python file is a program that needs trust."""


def import_file(target: str, inputs: Sequence[str] = (), trusted: bool = False) -> Imported:
    """Return the import of a file, of Python also as ``net.py:Net(num_classes=5)``.

    Raises ImportingError with the reason.
    """
    path = parse_target(target).path
    suffix = path.suffix.lower()
    if suffix not in IMPORTERS:
        raise ImportingError(f"{path.name} should end in {', '.join(IMPORTERS)} to be imported.")
    if not path.is_file():
        raise ImportingError(f"There is no file {path}.")
    return IMPORTERS[suffix](target, inputs, trusted)


def save_import(imported: Imported, path: Path) -> Document:
    """Write a document and, beside it, its weights as safetensors; return the document that names them.

    Raises FileError or ImportingError where they cannot be written.
    """
    weights = path.with_suffix(".safetensors")
    document = imported.document
    if imported.weights:
        try:
            write_bytes(weights, save(dict(imported.weights), {"format": "pt"}))
        except OSError as error:
            raise ImportingError(f"{weights} cannot be written: {error.strerror or error}.") from None
        document = set_training(document, weights=str(weights.resolve()))
    save_document(document, path if path.suffix else path.with_suffix(SUFFIX))
    return document
