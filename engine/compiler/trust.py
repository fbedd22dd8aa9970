"""Which Python code of documents may run: what the user trusted, told apart by its content.

A digest stands for the text of one custom layer, so changed code is asked about again, and code that was
trusted in one document is trusted in another. Who keeps digests from one start to the next calls ``trust``.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from engine.errors import CompileError
from engine.graph.document import Custom, Document

OFF = "holds Python code, which is off until you trust this file."

_trusted: set[str] = set()


def digest(source: str) -> str:
    """Return what stands for a text: its SHA-256 in hexadecimal digits."""
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def trust(digests: Iterable[str]) -> None:
    """Let the code with these digests run in this process."""
    _trusted.update(digests)


def trust_source(source: str) -> None:
    """Let one text run in this process."""
    trust([digest(source)])


def distrust(digests: Iterable[str]) -> None:
    """Keep the code with these digests off again."""
    _trusted.difference_update(digests)


def is_trusted(source: str) -> bool:
    """Return whether a text may run."""
    return digest(source) in _trusted


def state() -> frozenset[str]:
    """Return all that is trusted now: what is remembered about a document holds while this is the same."""
    return frozenset(_trusted)


def trust_document(document: Document) -> None:
    """Let every custom layer of a document run in this process."""
    trust(digest(custom.source) for custom in document.customs.values())


def untrusted(document: Document) -> tuple[Custom, ...]:
    """Return the custom layers of a document that are off."""
    return tuple(custom for custom in document.customs.values() if not is_trusted(custom.source))


def check_trusted(source: str, label: str = "This document") -> None:
    """Raise CompileError unless a text may run."""
    if not is_trusted(source):
        raise CompileError(f"{label} {OFF}")
