"""What the user trusted, kept from one start to the next: digests of code in the settings."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSettings

from engine.compiler.trust import digest, trust

_KEY = "trust/digests"
_MOST = 2000
"""Digests that are remembered; the oldest are forgotten and asked about again."""


def load() -> None:
    """Let what the user trusted at any time before run again."""
    trust(_remembered())


def remember(sources: Iterable[str]) -> None:
    """Trust these texts now and at every later start."""
    new = [digest(source) for source in sources]
    trust(new)
    kept = [each for each in _remembered() if each not in new]
    QSettings().setValue(_KEY, [*kept, *new][-_MOST:])


def _remembered() -> list[str]:
    stored = QSettings().value(_KEY, [])
    return [stored] if isinstance(stored, str) else [str(each) for each in stored or []]
