"""Comments and the dots of wires: drawn for the eye, moved and deleted like nodes, unknown to the code."""

from __future__ import annotations

import pytest

from engine.compiler.analyze import analyze
from engine.errors import EditError, FileError
from engine.graph import edits, marks
from engine.graph.blocks import group, inside, outside, ungroup
from engine.graph.build import Builder
from engine.graph.diff import diff
from engine.graph.document import Document, Slot
from engine.storage.document_file import from_json, to_json


def chain() -> Document:
    """Input, two layers, an output of two that are added."""
    g = Builder("Chain")
    x = g.add("Input", id="x", shape=(4,))
    a = g.add("Linear", x, id="a", out_features=4)
    b = g.add("ReLU", a, id="b")
    g.add("Add", x, a, b, id="sum")
    return g.document()


def bent() -> Document:
    """The chain, with two dots in the wire of the sum's middle input and a comment of each kind."""
    document = chain()
    document = marks.add_dot(document, Slot("sum", "xs.1"), 0, (10, 20))
    document = marks.add_dot(document, Slot("sum", "xs.1"), 1, (30.123, 40))
    document, _ = marks.add_comment(document, "frame", (0, 0, 300, 200), "Front", "two lines", "teal")
    document, _ = marks.add_comment(document, "note", (0, -100, 200, 60), text="# Hello")
    return document


def test_a_comment_gets_an_id_that_no_node_can_have():
    document, frame = marks.add_comment(Document(), "frame", (1, 2, 300, 200), "Encoder")
    document, note = marks.add_comment(document, "note", (1, 2, 3, 4), text="*why*", color="amber")
    assert (frame, note) == ("frame 1", "note 1")
    assert document.comments[note].box == (1, 2, *marks.SMALLEST)
    document = edits.delete(document, [frame])
    assert list(document.comments) == [note]


@pytest.mark.parametrize("changes", [{"kind": "cloud"}, {"color": "#ff0000"}, {"text": "x" * 30_000}])
def test_what_is_no_comment_is_refused_with_the_reason(changes):
    document, id = marks.add_comment(Document(), "note", (0, 0, 200, 80))
    with pytest.raises(EditError, match="comment"):
        marks.change_comment(document, id, **changes)


def test_dots_follow_their_wire_and_go_with_it():
    document = bent()
    assert document.bends[Slot("sum", "xs.1")] == ((10, 20), (30.12, 40))
    moved_up = edits.disconnect(document, [Slot("sum", "xs.0")])
    assert dict(moved_up.bends) == {Slot("sum", "xs.0"): ((10, 20), (30.12, 40))}
    assert not edits.disconnect(document, [Slot("sum", "xs.1")]).bends
    assert not edits.connect(document, Slot("x", "y"), Slot("sum", "xs.1")).bends, "another wire"
    assert edits.connect(document, Slot("x", "y"), Slot("a", "x")).bends == document.bends
    assert not edits.delete(document, ["a"], heal=True).bends
    assert edits.delete(document, ["b"]).bends == document.bends


def test_marks_are_moved_and_deleted_as_nodes_are():
    document = bent()
    first = marks.dot_id(Slot("sum", "xs.1"), 0)
    moved = edits.move(document, {"a": (7, 8), "frame 1": (1, 2), first: (5, 6)})
    assert moved.nodes["a"].position == (7, 8)
    assert moved.comments["frame 1"].box == (1, 2, 300, 200)
    assert moved.bends[Slot("sum", "xs.1")] == ((5, 6), (30.12, 40))
    left = edits.delete(document, {"a", "note 1", first})
    assert "a" not in left.nodes
    assert list(left.comments) == ["frame 1"]
    assert not left.bends
    assert edits.delete(document, {first}).bends[Slot("sum", "xs.1")] == ((30.12, 40),)
    assert marks.marks(document) == {"frame 1", "note 1", first, marks.dot_id(Slot("sum", "xs.1"), 1)}
    with pytest.raises(EditError, match="ghost"):
        edits.move(document, {"ghost 9": (0, 0)})


def test_a_difference_of_marks_changes_no_meaning():
    step = diff(chain(), bent())
    assert step
    assert not step.meaning
    assert not step.changed
    assert step.comments == {"frame 1", "note 1"}
    assert step.bends == {Slot("sum", "xs.1")}
    assert not diff(bent(), bent())


def test_wires_stay_bent_inside_a_block_and_out_of_it_again():
    document = marks.add_dot(chain(), Slot("b", "x"), 0, (400, 90))
    grouped, id = group(document, ["a", "b"], "Front")
    assert grouped.blocks["Front"].bends == document.bends
    assert not grouped.bends
    assert ungroup(grouped, id).bends == document.bends


def test_code_is_the_same_with_and_without_marks():
    assert analyze(bent()).source == analyze(chain()).source


def test_a_file_holds_marks_also_inside_blocks():
    document, id = group(bent(), ["a", "b"], "Front")
    inner, note = marks.add_comment(inside(document, "Front"), "note", (0, 0, 200, 80), text="inner ✓")
    inner = marks.add_dot(inner, Slot("b", "x"), 0, (4, 4))
    document = outside(document, "Front", inner)
    assert document.blocks["Front"].comments[note].text == "inner ✓"
    again = from_json(to_json(document))
    assert again == document
    assert '"comments"' not in to_json(chain())
    assert '"bends"' not in to_json(chain())
    unpacked = ungroup(document, id)
    assert unpacked.comments.keys() == {"frame 1", "note 1", "note 2"}
    x, y = unpacked.nodes["b"].position
    inner_x, inner_y = document.blocks["Front"].nodes["b"].position
    assert unpacked.bends[Slot("b", "x")] == ((x - inner_x + 4, y - inner_y + 4),), "it moved with the nodes"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ('"comments": [{"id": "note 1", "kind": "note"}]', "box is missing"),
        ('"comments": [{"id": "note 1", "kind": "note", "box": [0, 0, "wide", 3]}]', "width"),
        ('"comments": [{"id": "note1", "kind": "note", "box": [0, 0, 99, 99]}]', "id"),
        ('"comments": [{"id": "n 1", "kind": "note", "box": [0, 0, 99, 99], "color": "red"}]', "blue, teal"),
        ('"bends": [["a.x", [[0]]]]', "bend 1"),
        ('"bends": 3', "bends should be a list"),
    ],
)
def test_a_file_with_a_wrong_mark_is_refused_with_the_reason(part, said):
    with pytest.raises(FileError) as caught:
        from_json(f'{{"netwright": 1, {part}}}')
    assert said in " ".join(caught.value.problems)


def test_bends_of_no_wire_are_left_out():
    assert not from_json('{"netwright": 1, "bends": [["a.x", [[0, 1]]]]}').bends


def test_a_builder_puts_frames_around_nodes_and_notes_above():
    g = Builder()
    x = g.add("Input", shape=(4,))
    y = g.add("Linear", x, out_features=2)
    g.frame("Model", y, text="learns", color="green")
    g.note("Press **Run**.")
    g.note("Here", at=(500, 500))
    document = g.document()
    frame, above, placed = document.comments.values()
    left, top = document.nodes["fc1"].position
    assert frame.box[0] < left
    assert frame.box[1] < top
    assert (frame.title, frame.color) == ("Model", "green")
    assert above.box[1] + above.box[3] < frame.box[1]
    assert placed.box[:2] == (500, 500)


def test_notes_of_a_row_begin_at_one_height():
    g = Builder()
    g.add("Input", shape=(4,))
    for text in ("Short.", "## Long\n" + "word " * 90, "Also short."):
        g.note(text)
    document = g.document()
    notes = list(document.comments.values())
    assert len({note.box[1] for note in notes}) == 1
    assert max(note.box[1] + note.box[3] for note in notes) < document.nodes["input1"].position[1]


def test_a_frame_leaves_room_for_its_text_above_the_nodes():
    boxes = [(0.0, 0.0, 148.0, 100.0)]
    bare, line, lines = (marks.around(boxes, text) for text in ("", "One line", "word " * 60))
    assert lines[1] < line[1] < bare[1]
    assert {top + height for _, top, _, height in (bare, line, lines)} == {100 + marks.PAD}
