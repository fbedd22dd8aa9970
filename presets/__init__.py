"""Ready-made networks: one file each, with a docstring (what it is, what to watch, its source) and
``build(g)``.

A preset file names itself: ``TITLE``, ``SUBTITLE`` (a few words for its card), ``SHELF`` (a heading of the
welcome page), ``ROWS`` (the systems that it teaches) and ``TIME`` (how long it trains, empty without data).
Its name is the file's. A network too large to train here may also define ``build_small(g)``, the same
architecture on small data, with ``SMALL_TIME``: it becomes the preset ``NAME-small``. Files whose names begin
with ``_`` are what several of them share.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from engine.catalogue import did_you_mean
from engine.errors import EngineError
from engine.graph.build import Builder
from engine.graph.document import Document

SHELVES = ("Start here", "Lessons", "Foundations", "Architectures")
"""Headings of the welcome page in their order."""

GROUPS = {
    "F": "Foundations",
    "T": "Training",
    "C": "Convolutional",
    "A": "Autoencoders",
    "G": "Generative",
    "S": "Sequences",
    "D": "Detection",
    "R": "Reinforcement",
}
"""What the letter of a row stands for, in the order of the course."""


@dataclass(frozen=True)
class Preset:
    """One ready-made network; ``document`` draws it. ``time`` is empty if it has no data to train on."""

    name: str
    title: str
    subtitle: str
    shelf: str
    rows: tuple[str, ...]
    time: str
    notes: str
    source: str
    _build: Callable[[Builder], None]

    @property
    def group(self) -> str:
        """The subject that its first row belongs to."""
        return GROUPS[self.rows[0][0]]

    def document(self) -> Document:
        """Return the network; a document is a value, so it is drawn only once."""
        return self._document

    @cached_property
    def _document(self) -> Document:
        builder = Builder(self.title, self.notes)
        self._build(builder)
        return builder.document()


def _place(preset: Preset) -> tuple:
    """The order of the gallery: by shelf, then as the course goes; names of one row with their numbers."""
    letter, number = preset.rows[0][0], int(preset.rows[0][1:])
    words = [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", preset.name)]
    return SHELVES.index(preset.shelf), list(GROUPS).index(letter), number, words


@cache
def presets() -> dict[str, Preset]:
    """Return every preset by name, in the order of the gallery."""
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    found = [preset for name in names for preset in _presets(name)]
    return {preset.name: preset for preset in sorted(found, key=_place)}


def preset(name: str) -> Preset:
    """Return a preset by name.

    Raises EngineError that offers the nearest name.
    """
    if name not in presets():
        offer = did_you_mean(name, presets()) or f" There are {', '.join(presets())}."
        raise EngineError(f"There is no preset {name!r}.{offer}")
    return presets()[name]


def _presets(name: str) -> Iterator[Preset]:
    """Give the preset of a file, and its small variant if it has one."""
    module = importlib.import_module(f"{__name__}.{name}")
    notes, _, source = (module.__doc__ or "").strip().partition("\n\nSource: ")
    source = " ".join(source.split())
    rows = tuple(module.ROWS)
    yield Preset(
        name, module.TITLE, module.SUBTITLE, module.SHELF, rows, module.TIME, notes, source, module.build
    )
    if small := getattr(module, "build_small", None):
        notes = "\n\n".join([notes.splitlines()[0], inspect.getdoc(small) or ""])
        title, words = f"{module.TITLE} small", "narrow, learns digits"
        yield Preset(
            f"{name}-small", title, words, module.SHELF, rows, module.SMALL_TIME, notes, source, small
        )
