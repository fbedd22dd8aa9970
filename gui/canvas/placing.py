"""Where the labels of wires stand: beside their wires, and never on each other or on anything else.

Most labels are free where they would stand best, which is found for all of them at once; only the others look
along their wires for another place, the more important first. What finds none has no room.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from engine.graph.document import Comment
from gui.canvas import fonts
from gui.canvas.comment_paint import HEAD, PAD, body_of, text_box
from gui.canvas.routing import Box, Route

HEIGHT = 15.0
BESIDE = 11.0
"""How far the middle of a label is from a line that it stands above or below."""
OVER = 36.0
"""The same for one that is wider than the gap between two nodes and stands above both."""
_ALONG = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
"""Shares of a wire's length where its label looks for room."""
_FEW = 20_000
"""Up to so many pairs of boxes are simply compared."""
_CELL = 256.0
_MATES = 2
"""Of one output's wires, so many are looked at."""
NO_BOXES = np.empty((0, 4))


class Tag(NamedTuple):
    """A label to be placed; those of one ``source`` show one of them. See ``tag``."""

    width: float
    route: Route
    source: Hashable
    row: tuple[float, ...]
    """Its box where it would stand best, and numbers that are lower for what goes first."""


class Placed(NamedTuple):
    """Where labels stand (left, top, right, bottom of each), which of them are shown, and which lack room.

    What is neither is told by the label of another wire of the same output.
    """

    boxes: np.ndarray
    shown: np.ndarray
    crowded: np.ndarray


def tag(text: str, route: Route, source: Hashable, failing: bool = False, dashed: bool = False) -> Tag:
    """Return the label of a wire: what is wrong goes first, what only tells the right answer last."""
    width = width_of(text)
    x, y = route.label.toTuple()
    if route.above:
        y -= BESIDE if width <= route.room + 8 else OVER
    first = (0 if failing else 2 if dashed else 1, not route.above)
    row = (x - width / 2, y - HEIGHT / 2, x + width / 2, y + HEIGHT / 2, *first)
    return Tag(width, route, source, row)


def arrange(tags: Sequence[Tag], taken: np.ndarray) -> Placed:
    """Place labels where neither ``taken`` boxes (n, 4) nor other labels are."""
    count = len(tags)
    shown = np.zeros(count, bool)
    if not count:
        return Placed(NO_BOXES, shown, shown)
    rows = np.array([tag.row for tag in tags], np.float64)
    boxes, order = rows[:, :4].copy(), np.lexsort((rows[:, 5], rows[:, 4]))
    numbers: dict[Hashable, int] = {}
    group = np.array([numbers.setdefault(tag.source, len(numbers)) for tag in tags])
    decided = np.zeros(len(numbers), bool)
    urgent = order[rows[order, 4] == 0]
    if len(urgent):  # what is wrong takes its place before all others
        _squeeze(tags, boxes, shown, group, urgent, taken)
        taken = np.concatenate((taken, boxes[shown]))
        decided[group[shown]] = True
    free = ~decided[group]
    free[overlaps(boxes, taken)[0]] = False
    ready = order[free[order]]
    heads = ready[np.sort(np.unique(group[ready], return_index=True)[1])]  # the best of each output
    lost = np.zeros(len(heads), bool)
    for first, second in _ordered(*overlaps(boxes[heads], boxes[heads])):
        lost[second] |= not lost[first]
    shown[heads[~lost]] = True
    decided[group[shown]] = True
    rest = order[~decided[group[order]]]
    if len(rest):
        _squeeze(tags, boxes, shown, group, rest, np.concatenate((taken, boxes[shown])))
        decided[group[shown]] = True
    return Placed(boxes, shown, ~decided[group])


def _squeeze(
    tags: Sequence[Tag],
    boxes: np.ndarray,
    shown: np.ndarray,
    group: np.ndarray,
    rest: np.ndarray,
    taken: np.ndarray,
) -> None:
    """Look for other places of the labels that are ``rest``, in this order."""
    found: list[Box] = []
    owner: list[int] = []
    mates: dict[int, int] = {}
    for index in rest.tolist():
        number = int(group[index])
        mates[number] = mates.get(number, 0) + 1
        if mates[number] <= _MATES:
            places = places_of(tags[index].route, tags[index].width)
            found += places
            owner += [index] * len(places)
    places, owners = np.array(found), np.array(owner)
    free = np.ones(len(places), bool)
    free[overlaps(places, taken)[0]] = False
    places, owners = places[free], owners[free]
    rivals: dict[int, list[int]] = {}
    for first, second in _ordered(*overlaps(places, places)):
        rivals.setdefault(first, []).append(second)
        rivals.setdefault(second, []).append(first)
    turn: dict[int, list[int]] = {}
    for place, number in enumerate(group[owners].tolist()):
        turn.setdefault(number, []).append(place)
    blocked: set[int] = set()
    chosen: list[int] = []
    for candidates in turn.values():
        place = next((each for each in candidates if each not in blocked), None)
        if place is not None:
            chosen.append(place)
            blocked.update(rivals.get(place, ()))
    boxes[owners[chosen]] = places[chosen]
    shown[owners[chosen]] = True


def places_of(route: Route, width: float) -> list[Box]:
    """Return where the label of a wire may stand, the best place first."""
    half, up = width / 2, HEIGHT / 2
    x, y = route.label.toTuple()
    fits = width <= route.room + 8
    spots = [(x, y - BESIDE if fits else y - OVER)] if route.above else [(x, y)]
    if route.above:
        spots += [(x, y + BESIDE)] if fits else [(x, y - BESIDE), (x, y + BESIDE)]
        aside = half - route.room / 2 - 4  # over one of the nodes only, from the edge of the other
        spots += [(x, y - OVER), (x + aside, y - OVER), (x - aside, y - OVER)]
    along = _along(route)
    if not route.above:
        spots += along
        spots += [(x, py) for px, py in along if 0 < abs(px - x) < half]  # between two columns, on its line
    spots += [(px, py + by) for px, py in along for by in (-BESIDE, BESIDE)]
    return [(px - half, py - up, px + half, py + up) for px, py in spots]


def _along(route: Route) -> list[tuple[float, float]]:
    """Return some points of a wire; Qt's own ``pointAtPercent`` measures the whole path for each of them."""
    lines = route.path.toSubpathPolygons()
    points = np.array([point.toTuple() for point in lines[0]] if lines else ())
    if len(points) < 2:
        return [route.label.toTuple()]
    lengths = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    at = lengths[-1] * np.array(_ALONG)
    x, y = np.interp(at, lengths, points[:, 0]), np.interp(at, lengths, points[:, 1])
    return list(zip(x.tolist(), y.tolist(), strict=True))


def reveal(tags: Sequence[Tag], taken: np.ndarray) -> list[Box]:
    """Return where labels stand that must be seen although there is no room: where they cover least."""
    result: list[Box] = []
    for tag in tags:
        places = np.array(places_of(tag.route, tag.width))
        others = np.concatenate((taken, np.array(result).reshape(-1, 4)))
        near = others[within(others, places)]
        across = np.minimum(places[:, None, 2], near[:, 2]) - np.maximum(places[:, None, 0], near[:, 0])
        down = np.minimum(places[:, None, 3], near[:, 3]) - np.maximum(places[:, None, 1], near[:, 1])
        covered = (np.clip(across, 0, None) * np.clip(down, 0, None)).sum(1)
        result.append(tuple(places[int(np.argmin(covered))].tolist()))
    return result


@lru_cache(maxsize=4096)
def width_of(text: str) -> float:
    """Return how wide a label is with the space around it."""
    return fonts.mono_metrics().horizontalAdvance(text) + 7.5


def label_boxes(tags: Sequence[Tag], taken: Iterable[Box]) -> list[QRectF | None]:
    """Return where each label stands in a picture, or None where it is not shown."""
    found = arrange(tags, array_of(taken))
    return [
        QRectF(left, top, right - left, bottom - top) if shown else None
        for (left, top, right, bottom), shown in zip(found.boxes.tolist(), found.shown.tolist(), strict=True)
    ]


def words_of(comment: Comment, at: QPointF) -> list[QRectF]:
    """Return what of a comment at a place must not be covered: all of a note, the words of a frame."""
    if comment.kind != "frame":
        return [body_of(comment).translated(at)]
    width = fonts.text_metrics(14, 600).horizontalAdvance(comment.title)
    title = QRectF(PAD, 0, min(width, comment.box[2] - 2 * PAD), HEAD + 4)
    text = [text_box(comment).translated(at)] if comment.text else []
    return [title.translated(at), *text] if comment.title else text


def array_of(boxes: Iterable[Box]) -> np.ndarray:
    """Return boxes as an array (n, 4) of left, top, right, bottom."""
    return np.array(list(boxes), np.float64).reshape(-1, 4)


# -- boxes -------------------------------------------------------------------------------------------------


def overlaps(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of places in ``a`` and ``b`` (n, 4) whose boxes overlap; a pair may come twice."""
    if not len(a) or not len(b):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    near = np.flatnonzero(within(b, a))
    if len(a) * len(near) <= _FEW:
        first = np.repeat(np.arange(len(a)), len(near))
        second = np.tile(near, len(a))
    else:
        first, second = _neighbors(a, b[near])
        second = near[second]
    one, other = a[first], b[second]
    hit = (one[:, 0] < other[:, 2]) & (one[:, 2] > other[:, 0])
    hit &= (one[:, 1] < other[:, 3]) & (one[:, 3] > other[:, 1])
    return first[hit], second[hit]


def within(boxes: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return which boxes (n, 4) touch the box around those of ``area`` (m, 4)."""
    left, top, right, bottom = *area[:, :2].min(0), *area[:, 2:].max(0)
    return (boxes[:, 0] < right) & (boxes[:, 2] > left) & (boxes[:, 1] < bottom) & (boxes[:, 3] > top)


def _neighbors(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs that share a cell of a grid."""
    (keys, owners), (others, theirs) = _cells(a), _cells(b)
    order = np.argsort(others)
    others, theirs = others[order], theirs[order]
    left, right = np.searchsorted(others, keys, "left"), np.searchsorted(others, keys, "right")
    counts = right - left
    return np.repeat(owners, counts), theirs[np.repeat(left, counts) + _counting(counts)]


def _cells(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the key of each cell that a box touches, and the place of that box."""
    cells = np.floor(boxes / _CELL).astype(np.int64)
    wide, high = cells[:, 2] - cells[:, 0] + 1, cells[:, 3] - cells[:, 1] + 1
    counts = wide * high
    owner, step = np.repeat(np.arange(len(boxes)), counts), _counting(counts)
    x, y = cells[owner, 0] + step % wide[owner], cells[owner, 1] + step // wide[owner]
    return (x << 32) + y, owner


def _counting(counts: np.ndarray) -> np.ndarray:
    """Return 0, 1, … for each count, one after another."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _ordered(first: np.ndarray, second: np.ndarray) -> Iterable[tuple[int, int]]:
    """Return the pairs whose first comes before the second, by the first."""
    ahead = first < second
    first, second = first[ahead], second[ahead]
    order = np.argsort(first, kind="stable")
    return zip(first[order].tolist(), second[order].tolist(), strict=True)
