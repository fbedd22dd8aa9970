"""What a report says, and which files there are to import; known before torch has loaded."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, NOTICE, BAD = "good", "notice", "bad"

SUFFIXES = (".py", ".pt2", ".onnx")
"""The endings of files that are imported."""


@dataclass(frozen=True)
class Note:
    """One line of the report: ``good``, ``notice`` or ``bad``, what it is about, and the rest."""

    kind: str
    title: str
    text: str = ""
