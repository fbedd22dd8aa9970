"""Every layer there is, found in the modules that declare them."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import engine.data
import engine.layers
from engine.errors import EngineError, shown
from engine.layers.declaration import CATEGORIES, Layer
from engine.plugins import load_layers

_problems: list[str] = []


@cache
def layers() -> Mapping[str, Layer]:
    """Return all layers by type, in the order of the palette; those of installed packages come last."""
    found: dict[str, Layer] = {}
    for package in (engine.data, engine.layers):
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(info.name)).values():
                if isinstance(value, Layer) and found.setdefault(value.type, value) is not value:
                    raise EngineError(f"Two layers are called {value.type}.")
    added, problems = load_layers(found)
    found |= added
    _problems.extend(problems)
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: CATEGORIES.index(item[1].category))))


def plugin_problems() -> tuple[str, ...]:
    """Return what is wrong with layers of installed packages; they are left out."""
    layers()
    return tuple(_problems)


def report(problem: str) -> None:
    """Add a problem of an installed package that came to light later."""
    if problem not in _problems:
        _problems.append(problem)


def layer(type_: str) -> Layer:
    """Return the layer of a type.

    Raises EngineError that offers the nearest name.
    """
    try:
        return layers()[type_]
    except KeyError:
        raise EngineError(f"There is no layer {shown(type_)}.{did_you_mean(type_, layers())}") from None


def did_you_mean(word: str, words: object) -> str:
    """Return `` Did you mean 'Linear'?`` where a known word is near, else an empty text."""
    near = difflib.get_close_matches(str(word)[:100], list(words), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def search(text: str, among: Iterable[Layer] | None = None) -> list[Layer]:
    """Return the layers that answer to a text, best first: by name, synonym, category and doc."""
    candidates = layers().values() if among is None else among
    scored = [(score, each) for each in candidates if (score := _score(text, each)) is not None]
    return [each for _, each in sorted(scored, key=lambda pair: pair[0])]


def _score(wanted: str, layer: Layer) -> int | None:
    names = (layer.type, layer.label, *layer.synonyms)
    return rank(wanted, names, (layer.category, layer.doc))


SCATTERED = 4
"""The rank of what has the letters of a search in their order, but not together."""


def rank(wanted: str, names: Iterable[str], words: Iterable[str] = ()) -> int | None:
    """Return how well something answers to a search, 0 best, or None where it does not.

    The first two of its ``names`` weigh more than the others, and all of them more than ``words`` about it.
    """
    wanted = wanted.lower().strip()
    names = [name.lower() for name in names]
    if not wanted or wanted in names[:2]:
        return 0
    if wanted in names:
        return 1
    if any(name.startswith(wanted) for name in names):
        return 2
    parts = wanted.split()
    if any(all(part in name for part in parts) for name in names):
        return 3
    if any(_scattered(wanted, name) for name in names[:2]):
        return SCATTERED
    return 5 if any(wanted in word.lower() for word in words) else None


def _scattered(wanted: str, name: str) -> bool:
    """Return whether the letters stand in the name in this order: ``cv2`` in ``conv2d``."""
    letters = iter(name)
    return all(letter in letters for letter in wanted)
