"""What was changed while a run went on, in words: for the curves, the lists of runs and their reports."""

from __future__ import annotations

import re

from engine.graph.document import Document
from engine.graph.objectives import title_of
from engine.graph.settings import LEARNING, OBJECTIVE, SETTINGS
from engine.layers.params import Param, Value, number
from engine.optimizers import OPTIMIZERS

_LEARNING = {param.name: param for param in LEARNING}


def words_for(document: Document, name: str) -> str:
    """Return what people call a setting that scripts name so: ``learning rate``, ``weight of judge``.

    With several objectives those of the second and later ones say whose they are.
    """
    found = re.fullmatch(r"objective(\d+)\.(.+)", name)
    place, own = (int(found[1]) - 1, found[2]) if found else (0, name)
    if not 0 <= place < len(document.training.objectives):
        return name
    head, _, tail = own.partition(".")
    title = document.nodes[head].title if head in document.nodes else head
    if head == "optimizer":
        params = OPTIMIZERS[document.training.objectives[place].optimizer].params
        return _whose(document, _title(params, tail), place)
    if head == "loss":
        loss = document.nodes[tail].title if tail in document.nodes else tail
        return _whose(document, f"weight of {loss}", place)
    if not tail and own in {param.name for param in OBJECTIVE}:
        return _whose(document, _title(OBJECTIVE, own), place)
    if not tail:
        return _title(SETTINGS, own)
    if tail in _LEARNING:
        return f"{_LEARNING[tail].title.lower()} of {title}"
    return f"dropout of {tail.rpartition('.')[0] or title}" if tail.split(".")[-1] == "p" else own


def told_change(document: Document, name: str, before: Value, after: Value) -> str:
    """Return a change in words: ``learning rate 0.003 → 0.5``, ``conv1 frozen``, ``conv1 learns again``."""
    head, _, tail = name.partition(".")
    if tail == "frozen":
        title = document.nodes[head].title if head in document.nodes else head
        return f"{title} {'frozen' if after else 'learns again'}"
    return f"{words_for(document, name)} {_short(before)} → {_short(after)}"


def _whose(document: Document, words: str, place: int) -> str:
    several = len(document.training.objectives) > 1
    return f"{words} of {title_of(document, place)}" if several else words


def _title(params: tuple[Param, ...], name: str) -> str:
    return next((each.title.lower() for each in params if each.name == name), name)


def _short(value: Value) -> str:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return number(float(f"{value:.4g}") if isinstance(value, float) else value) if plain else str(value)
