"""A document that nobody laid out is legible: nothing overlaps, and it reads from left to right."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.build import Builder
from engine.graph.document import Document, Node, Slot
from engine.graph.layout import COLUMNS, SIZE, Cancelled, layout
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


def graph(links: list[list[int]]) -> Document:
    """Nodes that each read some of those before them, by their numbers."""
    nodes = {f"n{n}": Node(f"n{n}", "Add" if reads else "Input") for n, reads in enumerate(links)}
    edges = {
        Slot(f"n{n}", f"xs.{place}"): Slot(f"n{source}", "y")
        for n, reads in enumerate(links)
        for place, source in enumerate(reads)
    }
    return Document(nodes=nodes, edges=edges)


@st.composite
def graphs(draw: st.DrawFn, most: int = 30) -> Document:
    count = draw(st.integers(1, most))
    return graph([draw(st.lists(st.integers(0, n - 1), max_size=3)) if n else [] for n in range(count)])


SIZES = st.tuples(st.integers(100, 400), st.integers(40, 300))


@settings(max_examples=150, deadline=None)
@given(graphs(), st.lists(SIZES, min_size=30, max_size=30))
def test_nothing_overlaps_whatever_the_graph_and_the_sizes(document, sizes):
    sizes = dict(zip(document.nodes, sizes, strict=False))
    boxes = [(*at, *sizes[id]) for id, at in layout(document, sizes).items()]
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(boxes, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_edges_go_forward_and_the_same_graph_stands_the_same(document):
    places = layout(document)
    for target, source in document.edges.items():
        (ax, ay), (bx, by) = places[source.node], places[target.node]
        assert ax < bx or ay + SIZE[1] <= by, "neither to the right nor in a later row"
    moved = document.with_(
        nodes={id: replace(node, position=(7.0, 9.0)) for id, node in document.nodes.items()}
    )
    assert layout(moved) == places
    shuffled = document.with_(edges=dict(reversed(document.edges.items())))
    assert layout(shuffled) == places


def test_the_main_line_is_straight_and_shortcuts_pass_beside_it():
    links = [[], [0], [1], [2, 0], [3], [4, 2]]
    places = list(layout(graph(links)).values())
    assert {y for _, y in places} == {0.0}


def test_branches_stand_on_both_sides_of_the_longest():
    links = [[], [0], [0], [2], [0], [1, 3, 4], [5]]
    places = list(layout(graph(links)).values())
    trunk = places[0][1]
    assert all(places[n][1] == trunk for n in (2, 3, 5, 6))
    assert places[1][1] < trunk < places[4][1]


def test_what_only_feeds_a_loss_stands_beside_it():
    g = Builder()
    x = g.add("Input", shape=(4,))
    for _ in range(3):
        x = g.add("ReLU", x)
    label = g.add("Input", shape=(4,))
    g.add("MSELoss", x, label)
    places = layout(g.document())
    assert places[label.node][0] == places[x.node][0]


def test_parts_without_a_wire_between_them_stand_below_each_other():
    places = list(layout(graph([[], [0], [], [2]])).values())
    assert max(y for _, y in places[:2]) < min(y for _, y in places[2:])


def test_no_wires_cross_where_they_need_not():
    places = list(layout(graph([[], [0], [0], [0], [3], [2], [1], [6, 5, 4]])).values())
    order = sorted((1, 2, 3), key=lambda n: places[n][1])
    assert [7 - n for n in order] == sorted((4, 5, 6), key=lambda n: places[n][1])


def test_a_long_chain_fits_a_screen_and_not_a_ribbon():
    places = layout(graph([[]] + [[n] for n in range(400)])).values()
    width, height = (max(axis) + size for axis, size in zip(zip(*places, strict=True), SIZE, strict=True))
    assert 1 < width / height < 3


def test_a_layout_that_nobody_wants_any_more_ends():
    with pytest.raises(Cancelled):
        layout(graph([[], [0], [0], [1, 2]]), cancelled=lambda: True)
