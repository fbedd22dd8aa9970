"""Every test of the window collects garbage in the window's thread, as the program does."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gui.collector import collect_if_due


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Keep readers and trainers from collecting widgets in their own threads."""
    gc.disable()
    yield
    collect_if_due()
    gc.enable()
