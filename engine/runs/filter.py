"""Which runs somebody means: words, tags, states and bounds of numbers in one line."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from engine.runs.library import Entry

HELP = "words, #tag, state:done, val_accuracy>0.9, steps<1000, -word for without"

_SIGNS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
)
_BOUND = re.compile(r"([\w.]+)(>=|<=|>|<|=)([-+]?[\d.]+(?:e[-+]?\d+)?)", re.IGNORECASE)
_FIELDS: Mapping[str, Callable[[Entry], str]] = MappingProxyType(
    {
        "state": lambda entry: entry.state,
        "name": lambda entry: entry.name,
        "network": lambda entry: entry.network,
        "device": lambda entry: entry.status.device,
        "file": lambda entry: entry.file,
        "tag": lambda entry: "\n".join(entry.tags),
        "notes": lambda entry: entry.notes,
    }
)


def filtered(entries: Iterable[Entry], text: str) -> list[Entry]:
    """Return the runs for which every word of a text holds, in their order.

    A word is part of the name, network, folder, notes, state or a tag; ``#tag`` is a tag's beginning;
    ``state:done`` part of one field; ``val_loss<0.1`` bounds a metric's best value, ``steps``, ``seconds`` or
    another number; ``-`` before any of these turns it round.
    """
    tests = [_test(word) for word in text.split()]
    return [entry for entry in entries if all(test(entry) for test in tests)]


def _test(word: str) -> Callable[[Entry], bool]:
    if word.startswith("-") and len(word) > 1:
        inner = _test(word[1:])
        return lambda entry: not inner(entry)
    if word.startswith("#"):
        tag = word[1:].lower()
        return lambda entry: any(each.lower().startswith(tag) for each in entry.tags)
    if bound := _BOUND.fullmatch(word):
        try:
            return _bounded(bound[1], _SIGNS[bound[2]], float(bound[3]))
        except ValueError:
            pass  # two points make no number; it is a word then
    name, colon, part = word.lower().partition(":")
    if colon and name in _FIELDS:
        return lambda entry: part in _FIELDS[name](entry).lower()
    part = word.lower()
    return lambda entry: part in _text(entry)


def _bounded(name: str, holds: Callable[[float, float], bool], bound: float) -> Callable[[Entry], bool]:
    def test(entry: Entry) -> bool:
        value = entry.number(name)
        return value is not None and holds(value, bound)

    return test


def _text(entry: Entry) -> str:
    return "\n".join((entry.name, entry.network, entry.id, entry.notes, entry.state, *entry.tags)).lower()
