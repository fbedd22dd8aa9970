"""Lines of written Python: indented, and broken where they are long as people break them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

WIDTH = 110
_OPEN, _CLOSE = "([{", ")]}"
INDENT = "    "


def indented(lines: Sequence[str]) -> list[str]:
    """Return the lines one step further to the right."""
    return [f"{INDENT}{line}" if line else "" for line in lines]


def wrapped(lines: Iterable[str]) -> Iterator[str]:
    """Give the lines; one that is too long and ends with a bracket, with a line for each part in it."""
    for line in lines:
        place = _opening(line) if len(line) > WIDTH else -1
        if place < 0 or " for " in _outside(line[place + 1 : -1]):  # a comprehension is no list of parts
            yield line
            continue
        indent = line[: len(line) - len(line.lstrip())]
        yield line[: place + 1]
        for part in _parts(line[place + 1 : -1]):
            *most, last = wrapped([f"{indent}{INDENT}{part}"])
            yield from (*most, f"{last},")
        yield f"{indent}{line[-1]}"


def _opening(line: str) -> int:
    """Where the bracket opens that the line ends with; -1 if it ends with none."""
    if line[-1] not in _CLOSE:
        return -1
    return max(place for place, depth in _depths(line) if depth == 0 and line[place] in _OPEN)


def _outside(text: str) -> str:
    """What stands in no bracket."""
    kept, start = "", 0
    for place, depth in _depths(text):
        if depth == 0 and text[place] in _OPEN:
            kept += text[start:place]
        elif depth == 0 and text[place] in _CLOSE:
            start = place + 1
    return kept + text[start:]


def _parts(text: str) -> list[str]:
    """What commas outside of brackets and quotes divide."""
    cuts = [place for place, depth in _depths(text) if depth == 0 and text[place] == ","]
    places = [-1, *cuts, len(text)]
    parts = [text[start + 1 : end].strip() for start, end in pairwise(places)]
    return [part for part in parts if part]


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Give the places of brackets and commas outside of quotes, each with how many brackets are around it."""
    depth, quote, skip = 0, "", False
    for place, letter in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _OPEN:
            yield place, depth
            depth += 1
        elif letter in _CLOSE:
            depth -= 1
            yield place, depth
        elif letter == ",":
            yield place, depth
