"""Laying out a document: a part keeps its place, others give way, frames and notes follow."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import edits, marks
from engine.graph.arrange import arranged
from engine.graph.document import Document, Slot
from engine.graph.layout import SIZE
from tests.graph.test_layout import graph, graphs


def overlaps(document: Document) -> list[tuple[str, str]]:
    width, height = SIZE
    places = {id: node.position for id, node in document.nodes.items()}
    return [
        (a, b)
        for a, b in combinations(places, 2)
        if abs(places[a][0] - places[b][0]) < width and abs(places[a][1] - places[b][1]) < height
    ]


@settings(max_examples=80, deadline=None)
@given(graphs(14), st.data())
def test_a_part_keeps_its_corner_and_lies_on_nothing(document, data):
    spread = arranged(document)
    count = len(document.nodes)
    chosen = data.draw(st.sets(st.sampled_from(sorted(document.nodes)), max_size=count - 1))
    after = arranged(spread, chosen)
    assert overlaps(after) == []
    if len(chosen) > 1:
        for axis in (0, 1):
            corner = min(spread.nodes[id].position[axis] for id in chosen)
            assert min(after.nodes[id].position[axis] for id in chosen) == round(corner, 2)
    assert arranged(spread, chosen) == after


def test_wires_among_what_is_laid_out_lose_their_dots():
    document = graph([[], [0], [1], [2]])
    for id in ("n1", "n3"):
        document = marks.add_dot(document, Slot(id, "xs.0"), 0, (50, 900))
    assert arranged(document, ["n0", "n1"]).bends.keys() == {Slot("n3", "xs.0")}
    assert not arranged(document).bends


def test_frames_go_around_what_they_held_and_notes_leave_the_nodes():
    document = arranged(graph([[], [0], [1], [2]]))
    document = edits.move(document, {"n1": (0, 900), "n2": (300, 900)})
    document, _ = marks.add_comment(document, "frame", (-40, 860, 560, 260), "Pair")
    document, _ = marks.add_comment(document, "note", (200, 20, 300, 90), text="in the way")
    document, _ = marks.add_comment(document, "note", (0, -900, 300, 90), text="far away")
    after = arranged(document)
    left, top, width, height = after.comments["frame 1"].box
    for id in ("n1", "n2"):
        x, y = after.nodes[id].position
        assert left < x
        assert x + SIZE[0] < left + width
        assert top < y < top + height
    assert after.comments["note 1"].box[1] + 90 < min(top, *(n.position[1] for n in after.nodes.values()))
    assert after.comments["note 2"] == document.comments["note 2"]


def test_an_empty_document_stays_as_it_is():
    assert arranged(Document()) == Document()
