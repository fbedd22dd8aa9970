"""Where nodes stand when nobody has placed them: columns by depth, long drawings in rows as text runs.

A layered drawing after Sugiyama, Tagawa and Toda (1981): longest paths give the columns; edges over several
columns get a place in each; sweeps of barycenters and exchanges of neighbors take crossings away. As Brandes
and Koepf (2001) do, nodes are aligned with those they read as long as no two alignments cross, but the
longest path is aligned first, so that the main line is straight.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from math import ceil, sqrt

from engine.graph.blocks import layer_of
from engine.graph.document import Document, Point, Slot

Size = tuple[float, float]
SIZE: Size = (176.0, 120.0)
"""Room of a node, for who cannot ask the window: as large as most become when they show what they see."""
ACROSS, DOWN, BETWEEN = 42.0, 48.0, 72.0
"""Free space between columns, between nodes above each other, between the rows of a wrapped drawing."""
COLUMN, ROW, LANE = SIZE[0] + ACROSS, SIZE[1] + BETWEEN, SIZE[1] + DOWN
COLUMNS = 6
"""Columns of a row at least, before a longer drawing wraps into rows of equal length."""
ASPECT = 1.6
"""Width of a long drawing by its height."""
_WAY = 12.0
"""Room of an edge that passes a column."""
_SWEEPS = 6
_MOST_TURNS = 4_000
"""Nodes and passing edges up to which neighbors are exchanged, too."""


class Cancelled(Exception):
    """Nobody wants the layout any more."""


def layout(
    document: Document,
    sizes: Mapping[str, Size] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Point]:
    """Return the place of every node's top left corner; parts that are not connected stand below each other.

    ``sizes`` are the nodes' widths and heights, ``SIZE`` where one is missing. The same graph always gives
    the same places. Raises Cancelled as soon as ``cancelled`` returns true.
    """
    places: dict[str, Point] = {}
    top = 0.0
    reads = _reads(document)
    for part in _parts(reads):
        found = _Part({id: reads[id] for id in part}, sizes or {}, cancelled).places()
        places |= {id: (x, y + top) for id, (x, y) in found.items()}
        top += max(y + _size(sizes, id)[1] for id, (_, y) in found.items()) + BETWEEN
    return {id: places[id] for id in document.nodes}


def _size(sizes: Mapping[str, Size] | None, id: str) -> Size:
    return (sizes or {}).get(id, SIZE)


def _reads(document: Document) -> dict[str, list[str]]:
    """Return the nodes that each node reads, in the order of its ports; no edge closes a cycle."""
    order = {id: n for n, id in enumerate(document.nodes)}
    ports = {type_: _ranks(document, type_) for type_ in {node.type for node in document.nodes.values()}}

    def rank(slot: Slot) -> tuple[int, int]:
        base, _, place = slot.port.partition(".")
        return ports[document.nodes[slot.node].type].get(base, 0), int(place or 0)

    into: dict[str, list[tuple[tuple[int, int], str]]] = {id: [] for id in order}
    for target, source in document.edges.items():
        into[target.node].append((rank(target), source.node))
    reads = {id: list(dict.fromkeys(source for _, source in sorted(each))) for id, each in into.items()}
    if _sorted(reads) is None:  # a drawing that was read from elsewhere: as it stands
        return {id: [each for each in sources if order[each] < order[id]] for id, sources in reads.items()}
    return reads


def _ranks(document: Document, type_: str) -> dict[str, int]:
    return {port.name: n for n, port in enumerate(layer_of(document, type_).inputs)}


def _sorted(reads: Mapping[str, list[str]]) -> list[str] | None:
    """Return the nodes so that each comes after those it reads, or None if there is a cycle."""
    waits = {id: len(sources) for id, sources in reads.items()}
    readers = _turned(reads)
    ready = [id for id, count in waits.items() if not count]
    for id in ready:
        for reader in readers[id]:
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    return ready if len(ready) == len(reads) else None


def _turned(reads: Mapping[str, list[str]]) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {id: [] for id in reads}
    for id, sources in reads.items():
        for source in sources:
            readers[source].append(id)
    return readers


def _parts(reads: Mapping[str, list[str]]) -> list[list[str]]:
    """Return the nodes of each connected part, all in the order in which they were added."""
    readers = _turned(reads)
    part: dict[str, int] = {}
    for number, id in enumerate(reads):
        waiting = [] if id in part else [id]
        part.setdefault(id, number)
        while waiting:
            here = waiting.pop()
            for other in (*reads[here], *readers[here]):
                if other not in part:
                    part[other] = number
                    waiting.append(other)
    parts: dict[int, list[str]] = {}
    for id in reads:
        parts.setdefault(part[id], []).append(id)
    return list(parts.values())


class _Part:
    """One connected part. Nodes are numbers here; those from ``count`` on are edges on their way."""

    def __init__(
        self, reads: Mapping[str, list[str]], sizes: Mapping[str, Size], cancelled: Callable[[], bool]
    ):
        self.ids = list(reads)
        self.count = len(self.ids)
        self.cancelled = cancelled
        self.sizes = [_size(sizes, id) for id in self.ids]
        order = _sorted(reads) or []
        depth = _columns(reads, order)
        number = {id: n for n, id in enumerate(self.ids)}
        self.depth = [depth[id] for id in self.ids]
        self.before: list[list[int]] = [[] for _ in self.ids]
        self.after: list[list[int]] = [[] for _ in self.ids]
        passing: dict[tuple[int, int], int] = {}  # one way for all edges that leave a node
        for id in order:
            target = number[id]
            for source in reads[id]:
                last = number[source]
                for column in range(depth[source] + 1, depth[id]):
                    way = passing.get((number[source], column))
                    if way is None:
                        way = passing[number[source], column] = len(self.depth)
                        self.depth.append(column)
                        self.before.append([])
                        self.after.append([])
                        self._join(last, way)
                    last = way
                self._join(last, target)
        self.heights = [self.sizes[n][1] if n < self.count else _WAY for n in range(len(self.depth))]
        self.columns: list[list[int]] = [[] for _ in range(max(self.depth) + 1)]
        for n in self._visited():
            self.columns[self.depth[n]].append(n)
        self.place = [0] * len(self.depth)

    def _join(self, source: int, target: int) -> None:
        self.after[source].append(target)
        self.before[target].append(source)

    def _visited(self) -> Iterable[int]:
        """Visit what is reachable from each source depth first: neighbors begin near each other."""
        seen = [False] * len(self.depth)
        for start in range(self.count):
            waiting = [] if self.before[start] else [start]
            while waiting:
                n = waiting.pop()
                if seen[n]:
                    continue
                seen[n] = True
                yield n
                waiting.extend(reversed(self.after[n]))

    def places(self) -> dict[str, Point]:
        self._order()
        heights = self._heights()
        across: list[float] = []
        for column in self.columns:
            across.append(max((self.sizes[n][0] for n in column if n < self.count), default=SIZE[0]))
        rows, length = self._rows(heights)
        result: dict[str, Point] = {}
        top = 0.0
        for row in range(rows):
            columns = range(row * length, min((row + 1) * length, len(self.columns)))
            inside = [n for column in columns for n in self.columns[column] if n < self.count]
            highest = min(heights[n] for n in inside)
            left = 0.0
            for column in columns:
                for n in self.columns[column]:
                    if n < self.count:
                        result[self.ids[n]] = (left, top + heights[n] - highest)
                left += max(across[column], SIZE[0]) + ACROSS
            top += max(heights[n] + self.heights[n] for n in inside) - highest + BETWEEN
        return result

    def _rows(self, heights: list[float]) -> tuple[int, int]:
        """Return how many rows a drawing wraps into, and how many columns each has at most."""
        real = range(self.count)
        tall = max(heights[n] + self.heights[n] for n in real) - min(heights[n] for n in real) + BETWEEN
        most = max(COLUMNS, round(sqrt(ASPECT * len(self.columns) * tall / COLUMN)))
        rows = ceil(len(self.columns) / most)
        return rows, ceil(len(self.columns) / rows)

    # -- the order in each column ------------------------------------------------------------------------

    def _order(self) -> None:
        self._number()
        best, least = [list(column) for column in self.columns], self._crossings()
        for sweep in range(_SWEEPS):
            if not least:
                break
            if self.cancelled():
                raise Cancelled
            forward = sweep % 2 == 0
            others = self.before if forward else self.after
            for column in self.columns if forward else reversed(self.columns):
                wish = {n: self._mean(others[n], self.place[n]) for n in column}
                column.sort(key=wish.__getitem__)
                for place, n in enumerate(column):
                    self.place[n] = place
            if len(self.depth) <= _MOST_TURNS:
                self._exchange()
            crossings = self._crossings()
            if crossings < least:
                best, least = [list(column) for column in self.columns], crossings
        self.columns = best
        self._number()

    def _number(self) -> None:
        for column in self.columns:
            for place, n in enumerate(column):
                self.place[n] = place

    def _mean(self, others: list[int], here: int) -> float:
        return sum(self.place[n] for n in others) / len(others) if others else here

    def _crossings(self) -> int:
        """Count the crossings between all neighboring columns."""
        total = 0
        for column in self.columns:
            passed: list[int] = []
            for n in column:
                ends = sorted(self.place[each] for each in self.after[n])
                total += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
                for end in ends:
                    insort(passed, end)
        return total

    def _exchange(self) -> None:
        """Exchange neighbors in a column where that takes crossings away."""
        for column in self.columns:
            for place in range(len(column) - 1):
                a, b = column[place], column[place + 1]
                if self._between(b, a) < self._between(a, b):
                    column[place], column[place + 1] = b, a
                    self.place[a], self.place[b] = place + 1, place

    def _between(self, a: int, b: int) -> int:
        """Count the crossings of the edges of two neighbors, the first above."""
        total = 0
        for others in (self.before, self.after):
            ends = [self.place[each] for each in others[b]]
            total += sum(end < self.place[each] for each in others[a] for end in ends)
        return total

    # -- the height of each ------------------------------------------------------------------------------

    def _heights(self) -> list[float]:
        """Return the top of each: the main line is at 0, the other lines as near to it as they can be."""
        root = self._aligned()
        lines: dict[int, list[int]] = {}
        for n in sorted(range(len(self.depth)), key=self.depth.__getitem__):
            lines.setdefault(root[n], []).append(n)
        above: dict[int, dict[int, float]] = {line: {} for line in lines}
        below: dict[int, dict[int, float]] = {line: {} for line in lines}
        for column in self.columns:
            for a, b in pairwise(column):
                space = self.heights[a] + (DOWN if max(a, b) < self.count else DOWN / 2)
                first, second = root[a], root[b]
                below[first][second] = max(below[first].get(second, 0.0), space)
                above[second][first] = max(above[second].get(first, 0.0), space)
        main = root[self.main[0]]
        y = {line: 0.0 for line in lines}
        sides: list[list[int]] = []
        for next_, back, sign in ((below, above, 1.0), (above, below, -1.0)):
            order = _beyond(main, next_)
            sides.append(order)
            for line in order:
                y[line] = sign * max(sign * y[other] + space for other, space in back[line].items())
        if self.cancelled():
            raise Cancelled
        for order, next_, sign in ((sides[0], below, 1.0), (sides[1], above, -1.0)):
            for line in reversed(order):  # away from the main line, toward what it joins
                wish = sign * self._wish(lines[line], root, y)
                room = min((sign * y[other] - space for other, space in next_[line].items()), default=wish)
                y[line] = sign * max(sign * y[line], min(wish, room))
        return [y[root[n]] for n in range(len(self.depth))]

    def _wish(self, line: list[int], root: list[int], y: Mapping[int, float]) -> float:
        """Return the mean height of what the ends of a line join."""
        others = [root[n] for n in (*self.before[line[0]], *self.after[line[-1]])]
        return sum(y[each] for each in others) / len(others) if others else y[root[line[0]]]

    def _aligned(self) -> list[int]:
        """Return for each the first of the line that it stands in; lines never cross."""
        self.main = self._longest()
        main = set(self.main)
        root = list(range(len(self.depth)))
        for column in self.columns[1:]:
            lowest = -1  # the place of the last one before that has been followed
            bound = next(((self.place[n], n) for n in column if n in main), None)
            for n in column:
                sources = sorted(
                    self.before[n],
                    key=lambda each: (each >= self.count, abs(self.place[each] - self.place[n])),
                )
                for source in sources:
                    if n in main and source not in main:
                        continue
                    ahead = bound is not None and n not in main and self._crosses(n, source, bound, main)
                    if self.place[source] > lowest and not ahead:
                        root[n] = root[source]
                        lowest = self.place[source]
                        break
        return root

    def _crosses(self, n: int, source: int, bound: tuple[int, int], main: set[int]) -> bool:
        """Return whether the way of a node from its source would cross or take the main line."""
        place, through = bound
        trunk = next(self.place[each] for each in self.before[through] if each in main)
        if self.place[n] < place:
            return self.place[source] >= trunk
        return self.place[source] <= trunk

    def _longest(self) -> list[int]:
        """Return the longest path of nodes; of several the one that begins first and turns least."""
        length = [0] * len(self.depth)
        for column in reversed(self.columns):
            for n in column:
                length[n] = (n < self.count) + max((length[each] for each in self.after[n]), default=0)
        n = max(self.columns[0], key=lambda each: (length[each], -each))
        path = [n]
        while self.after[n]:
            n = max(self.after[n], key=lambda each: (length[each], each < self.count, -self.place[each]))
            path.append(n)
        return path


def _beyond(main: int, next_: Mapping[int, Mapping[int, float]]) -> list[int]:
    """Return the lines beyond the main one, each after all that lie between."""
    reached, waiting = {main}, [main]
    while waiting:
        for line in next_[waiting.pop()]:
            if line not in reached:
                reached.add(line)
                waiting.append(line)
    waits = dict.fromkeys(reached, 0)
    for line in reached:
        for other in next_[line]:
            waits[other] += 1
    order = [main]
    for line in order:
        for other in next_[line]:
            waits[other] -= 1
            if not waits[other]:
                order.append(other)
    return order[1:]


def _columns(reads: Mapping[str, list[str]], order: Iterable[str]) -> dict[str, int]:
    """Return the column of each node: the longest path to it; what only feeds others stands beside them."""
    order = list(order)
    readers = _turned(reads)
    depth: dict[str, int] = {}
    loose: dict[str, bool] = {}
    for id in order:
        depth[id] = 1 + max((depth[each] for each in reads[id]), default=-1)
        loose[id] = all(loose[each] and len(readers[each]) == 1 for each in reads[id])
    for id in reversed(order):
        if loose[id] and readers[id]:
            depth[id] = min(depth[each] for each in readers[id]) - 1
    lowest = min(depth.values())
    return {id: column - lowest for id, column in depth.items()}
