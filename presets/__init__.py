"""Ready-made networks: one file each, with a docstring (what it is, what to watch, its source) and
``build(g)``.

A preset file names itself: ``TITLE``, ``SUBTITLE`` (a few words for its card), ``GROUP`` (a heading of the
gallery) and ``ROWS`` (the systems that it teaches). Its name is the file's.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from engine.catalogue import did_you_mean
from engine.errors import EngineError
from engine.graph.build import Builder
from engine.graph.document import Document

SHELVES = ("Start here", "Foundations")
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
    """One ready-made network; ``document`` draws it."""

    name: str
    title: str
    subtitle: str
    shelf: str
    rows: tuple[str, ...]
    time: str
    notes: str
    source: str
    _module: ModuleType

    @property
    def group(self) -> str:
        """The subject that its first row belongs to."""
        return GROUPS[self.rows[0][0]]

    def document(self) -> Document:
        """Return the network as a fresh document."""
        builder = Builder(self.title, self.notes)
        self._module.build(builder)
        return builder.document()


def _place(row: str) -> tuple[int, int]:
    """The order of the course: foundations, training, convolutions ... and within a letter by number."""
    return list(GROUPS).index(row[0]), int(row[1:])


@cache
def presets() -> dict[str, Preset]:
    """Return every preset by name, in the order of the gallery."""
    found = [_preset(info.name) for info in pkgutil.iter_modules(__path__)]
    found.sort(key=lambda preset: (SHELVES.index(preset.shelf), _place(preset.rows[0])))
    return {preset.name: preset for preset in found}


def preset(name: str) -> Preset:
    """Return a preset by name.

    Raises EngineError that offers the nearest name.
    """
    if name not in presets():
        offer = did_you_mean(name, presets()) or f" There are {', '.join(presets())}."
        raise EngineError(f"There is no preset {name!r}.{offer}")
    return presets()[name]


def _preset(name: str) -> Preset:
    module = importlib.import_module(f"{__name__}.{name}")
    notes, _, source = (module.__doc__ or "").strip().partition("\n\nSource: ")
    return Preset(
        name,
        module.TITLE,
        module.SUBTITLE,
        module.SHELF,
        tuple(module.ROWS),
        module.TIME,
        notes,
        " ".join(source.split()),
        module,
    )
