"""What is written as it is: the module's text, the document, the weights."""

from __future__ import annotations

from pathlib import Path

from engine.compiler.plan import make_plan
from engine.compiler.resolve import resolve
from engine.compiler.source import render
from engine.export import Weights
from engine.export.live import make_live
from engine.graph.document import Document
from engine.storage.atomic import write_text
from engine.storage.document_file import save_document
from engine.training.checkpoint import save_weights


def write_module(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write the model and its loss as Python."""
    write_text(path, render(make_plan(document, resolve(document))).text)
    return ""


def write_document(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write the document itself."""
    save_document(document, path)
    return ""


def write_weights(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write every parameter and buffer as safetensors."""
    live = make_live(document, weights)
    save_weights(live.model, path)
    return live.told
