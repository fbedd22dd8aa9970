"""Neighbors give way to a block that is expanded in place, and come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.graph.document import Comment, Document, Node, Slot
from engine.graph.expansion import closed, expanded
from engine.storage.document_file import from_json, to_json
from tests.graph.test_interface import network

SMALL, LARGE = (160.0, 68.0), (500.0, 240.0)


def placed(**places: tuple[float, float]) -> Document:
    nodes = {id: Node(id, "ReLU", position=at) for id, at in places.items()}
    return Document(nodes=nodes)


def sizes(document: Document) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(document.nodes, SMALL)


def test_what_stands_at_the_right_and_below_gives_way_and_comes_back():
    before = placed(
        a=(0, 0), left=(-200, 10), right=(218, 0), far=(436, 40), under=(0, 192), above=(218, -192)
    )
    after = expanded(before, "a", sizes(before), LARGE, 30)
    assert after.nodes["a"].expanded == (340, 142, 30)
    assert {id: node.position for id, node in after.nodes.items()} == {
        "a": (0, -30),
        "left": (-200, 10),
        "right": (558, 0),
        "far": (776, 40),
        "under": (0, 334),
        "above": (218, -192),
    }
    assert closed(after, "a", {**sizes(after), "a": LARGE}, SMALL) == before


def test_it_rises_only_as_far_as_there_is_room():
    before = placed(a=(0, 0), above=(100, -192), aside=(700, -100))
    after = expanded(before, "a", sizes(before), LARGE, 200)
    assert after.nodes["a"].expanded == (340, 96, 76)
    assert after.nodes["a"].position == (0, -76)
    assert closed(after, "a", {**sizes(after), "a": LARGE}, SMALL) == before


def test_comments_and_bends_move_along_and_a_frame_around_it_grows():
    before = placed(a=(0, 0), b=(218, 0)).with_(
        edges={Slot("b", "x"): Slot("a", "y")},
        bends={Slot("b", "x"): ((180.0, 90.0), (200.0, 20.0))},
        comments={
            "frame 1": Comment("frame 1", "frame", box=(-30, -50, 220, 150)),
            "note 1": Comment("note 1", box=(0, 200, 100, 60)),
        },
    )
    after = expanded(before, "a", sizes(before), LARGE, 0)
    assert after.comments["frame 1"].box == (-30, -50, 560, 322)
    assert after.comments["note 1"].box == (0, 372, 100, 60)
    assert after.bends[Slot("b", "x")] == ((180.0, 262.0), (540.0, 20.0))
    assert closed(after, "a", {**sizes(after), "a": LARGE}, SMALL) == before


@given(
    st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=1, max_size=12),
    st.tuples(st.floats(100, 2000), st.floats(60, 900)),
    st.floats(0, 200),
)
def test_closing_is_the_way_back_wherever_the_others_stand(places, large, rise):
    before = placed(**{f"n{place}": at for place, at in enumerate(places)})
    after = expanded(before, "n0", sizes(before), large, rise)
    assert closed(after, "n0", {**sizes(after), "n0": large}, SMALL) == before


def test_an_expanded_node_is_kept_by_its_file():
    document = expanded(network(), "first", {"first": SMALL}, LARGE, 12.4)
    assert from_json(to_json(document)) == document
    assert document.nodes["first"].expanded == (340, 172, 0), "the image stands right above"
