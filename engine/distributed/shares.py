"""Which moments of a run are of weights that are shared out; knows no torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

SUFFIX = ".shares"
"""Ending of the folder of such a moment."""


def shared_moments(folder: Path) -> list[Path]:
    """Return the moments in a folder that are whole, oldest first."""
    with suppress(OSError):
        return sorted(each for each in folder.glob(f"*{SUFFIX}") if each.name.partition(".")[0].isdecimal())
    return []
