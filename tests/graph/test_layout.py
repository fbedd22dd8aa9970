"""A document that nobody laid out is legible: nothing overlaps, and it reads from left to right."""

from __future__ import annotations

from itertools import combinations

import pytest

from engine.graph.build import Builder
from engine.graph.layout import COLUMNS, layout
from presets import presets

WIDTH, HEIGHT = 176, 128


@pytest.mark.parametrize("name", presets())
def test_nodes_of_a_preset_do_not_overlap(name):
    document = presets()[name].document()
    for a, b in combinations(document.nodes.values(), 2):
        apart = abs(a.position[0] - b.position[0]) >= WIDTH or abs(a.position[1] - b.position[1]) >= HEIGHT
        assert apart, (a.id, b.id)


def test_a_chain_reads_like_text_in_rows_of_equal_length():
    g = Builder()
    last = g.add("Input", shape=(4,))
    for _ in range(2 * COLUMNS - 2):
        last = g.add("ReLU", last)
    places = list(layout(g.document()).values())
    rows = {y: [x for x, each in places if each == y] for _, y in places}
    assert [len(row) for row in rows.values()] == [COLUMNS, COLUMNS - 1]
    assert all(row == sorted(row) for row in rows.values())
    assert list(rows) == sorted(rows)
    assert len({row[0] for row in rows.values()}) == 1


def test_branches_stand_in_lanes_of_their_own():
    g = Builder()
    start = g.add("Input", shape=(4,))
    a, b, c = (g.add("ReLU", start) for _ in range(3))
    g.add("Add", a, b, c)
    places = layout(g.document())
    assert len({places[each.node] for each in (a, b, c)}) == 3
    assert len({places[each.node][0] for each in (a, b, c)}) == 1
