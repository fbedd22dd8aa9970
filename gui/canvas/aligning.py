"""Lining boxes up and spreading them evenly: where each goes, as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""Left, top, width and height."""
Places = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Alignment:
    """One way to line up or spread what is selected: its words, its keys, how many it needs."""

    id: str
    text: str
    keys: str
    place: Callable[[Mapping[str, Box]], Places]
    least: int = 2


def _lined(axis: int, share: float) -> Callable[[Mapping[str, Box]], Places]:
    """Return what lines boxes up at one side (0 or 1) or the middle (0.5) of all, along an axis."""

    def place(boxes: Mapping[str, Box]) -> Places:
        low = min(box[axis] for box in boxes.values())
        high = max(box[axis] + box[axis + 2] for box in boxes.values())
        line = low + share * (high - low)
        return {id: _moved(box, axis, line - share * box[axis + 2]) for id, box in boxes.items()}

    return place


def _spread(axis: int) -> Callable[[Mapping[str, Box]], Places]:
    """Return what makes the gaps between boxes equal along an axis; the first and the last stay."""

    def place(boxes: Mapping[str, Box]) -> Places:
        order = sorted(boxes, key=lambda id: (boxes[id][axis] + boxes[id][axis + 2] / 2, id))
        first, last = boxes[order[0]], boxes[order[-1]]
        room = last[axis] + last[axis + 2] - first[axis] - sum(boxes[id][axis + 2] for id in order)
        gap, at = room / (len(order) - 1), first[axis]
        places = {}
        for id in order:
            places[id] = _moved(boxes[id], axis, at)
            at += boxes[id][axis + 2] + gap
        return places

    return place


def _moved(box: Box, axis: int, to: float) -> tuple[float, float]:
    return (to, box[1]) if axis == 0 else (box[0], to)


ALIGNMENTS: tuple[Alignment, ...] = (
    Alignment("align_left", "Align left", "Ctrl+Shift+Left", _lined(0, 0)),
    Alignment("align_center", "Align centers", "Ctrl+Alt+C", _lined(0, 0.5)),
    Alignment("align_right", "Align right", "Ctrl+Shift+Right", _lined(0, 1)),
    Alignment("align_top", "Align top", "Ctrl+Shift+Up", _lined(1, 0)),
    Alignment("align_middle", "Align middles", "Ctrl+Alt+Y", _lined(1, 0.5)),
    Alignment("align_bottom", "Align bottom", "Ctrl+Shift+Down", _lined(1, 1)),
    Alignment("spread_across", "Distribute horizontally", "Ctrl+Alt+H", _spread(0), 3),
    Alignment("spread_down", "Distribute vertically", "Ctrl+Alt+V", _spread(1), 3),
)
