"""Finding nodes in a document by what people know of them."""

from __future__ import annotations

import random
from dataclasses import replace

import networkx as nx
import pytest

from engine.compiler.analysis import Problem
from engine.errors import EngineError
from engine.graph.blocks import group, inside
from engine.graph.blocks import set_params as set_block_params
from engine.graph.build import Builder
from engine.graph.document import Comment, Document, Node, Slot, frozen
from engine.graph.edits import rename, set_params
from engine.graph.find import Hit, find, reason
from engine.graph.view import graph_of, order_of
from presets import preset, presets


def network() -> Document:
    """A small reader of pictures."""
    g = Builder("Small")
    x = g.add("Input", id="images", shape=(1, 28, 28))
    x = g.add("Conv2d", x, id="first", out_channels=64, kernel_size=5)
    x = g.add("ReLU", x)
    x = g.add("Conv2d", x, id="second", out_channels=640, kernel_size=(3, 5), padding="same", bias=False)
    x = g.add("MaxPool2d", x, id="pool")
    x = g.add("Flatten", x)
    g.add("Linear", x, id="digits64", out_features=10)
    return g.document()


def found(text: str, document: Document | None = None, **more: object) -> list[str]:
    return [hit.id for hit in find(document or network(), text, **more)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("first", ["first"]),
        ("FIRST", ["first"]),
        ("conv", ["first", "second"]),
        ("convolution", ["first", "second"]),
        ("fc", ["digits64"]),  # a synonym of Linear
        ("conv second", ["second"]),
        ("second conv", ["second"]),
        ("kernel_size=5", ["first"]),
        ("kernel_size = 5", ["first"]),
        ("kernel=5", ["first"]),
        ("kernel=3x5", ["second"]),
        ("kernel=3,5", ["second"]),
        ("kernel_size=3, 5", ["second"]),
        ("kernel=5x5", ["first"]),
        ("3×5", ["second"]),
        ("64", ["first", "digits64"]),
        ("640", ["second"]),
        ("10", ["digits64"]),
        ("stride=1", ["first", "second"]),  # nobody has set it: it is the default
        ("kernel_size=2", ["pool"]),
        ("bias=no", ["second"]),
        ("bias=false conv", ["second"]),
        ("same", ["second"]),
        ("padding=sa", ["second"]),
        ("out_channels=", ["first", "second"]),
        ("28", ["images"]),
        ("kernel_size=7", []),
        ("kernel(size", []),
        ("nothing of the kind", []),
        ("", []),
        ("  ", []),
    ],
)
def test_nodes_are_found_by_name_type_and_parameters(text, ids):
    assert found(text) == ids


def test_a_name_of_ones_own_and_the_id_in_code_are_both_found():
    document = rename(network(), "first", "Strokes and edges")
    assert found("strokes", document) == ["first"]
    assert found("first", document) == ["first"]


def test_what_is_wrong_is_found_and_told():
    said = ("It is too wide.", "Linear expects 400 numbers, 640 arrive.")
    problems = {"": tuple(Problem(each, "digits64") for each in said)}
    assert found("error", problems=problems) == ["digits64"]
    assert found("expects 400", problems=problems) == ["digits64"]
    (hit,) = find(network(), "arrive", problems)
    assert reason(network(), hit, "arrive", problems) == "Linear expects 400 numbers, 640 arrive."
    assert found("error") == []


def test_the_reason_is_told_where_it_is_not_the_name():
    document = network()

    def why(text: str) -> list[str]:
        return [reason(document, hit, text) for hit in find(document, text)]

    assert why("kernel=5") == ["kernel_size=5"]
    assert why("64") == ["out_channels=64", ""]
    assert why("conv 640") == ["out_channels=640"]
    assert why("second") == [""]


def test_nodes_inside_blocks_are_found_once_with_the_way_to_them():
    document = preset("resnet50").document()
    hits = [hit for hit in find(document, "conv2") if hit.id == "conv2"]
    assert [(hit.scope, hit.way) for hit in hits] == [
        (("Projection",), ("project1",)),
        (("Bottleneck",), ("stage1",)),
    ]
    for hit in hits:
        graph = document
        for block, node in zip(hit.scope, hit.way, strict=True):
            assert graph.nodes[node].type == block
            graph = inside(document, block)
        assert graph.nodes[hit.id] is hit.item


def test_blocks_in_blocks_and_problems_in_them():
    inner, id = group(network(), ["first", "relu1"], "Stem")
    document, _ = group(inner, [id, "second"], "Body")
    (hit,) = find(document, "first")
    assert hit.scope == ("Body", "Stem")
    assert found("kernel_size=5", document) == ["first"]
    problems = {"Stem": (Problem("It forgets.", "first"),)}
    assert found("forgets", document, problems=problems) == ["first"]
    assert found("forgets", document, problems={"": problems["Stem"]}) == []


def test_an_edit_is_seen_at_once_and_undoing_it_too():
    before = network()
    assert found("kernel_size=7", before) == []
    after = set_params(before, "first", kernel_size=7)
    assert found("kernel_size=7", after) == ["first"]
    assert found("kernel_size=5", after) == []
    assert found("kernel_size=5", before) == ["first"]


def test_the_parameters_of_a_changed_block_are_known_anew():
    document, _ = group(network(), ["first", "relu1"], "Stem")
    document = set_block_params(document, "Stem", {"width": 96})
    assert found("width=96", document) == ["stem"]
    document = set_block_params(document, "Stem", {"width": 48})
    assert found("width=96", document) == []
    assert found("width=48", document) == ["stem"]


def test_nodes_that_are_set_alike_are_told_apart_by_their_names_alone():
    g = Builder("Alike")
    x = g.add("Input", id="images", shape=(1, 28, 28))
    for id, options in (("a", {}), ("b", {}), ("c", {"bias": False}), ("d", {"bias": False}), ("e", {})):
        x = g.add("Conv2d", x, id=id, out_channels=8, kernel_size=1, **options)
    document = rename(g.document(), "b", "Left arm")
    assert found("out=8", document) == ["a", "b", "c", "d", "e"]
    assert found("bias=no", document) == ["c", "d"]
    assert found("left", document) == ["b"]
    assert found("left bias=no", document) == []
    assert found("arm out=8", document) == ["b"]
    document = rename(document, "d", "Left leg")
    assert found("left", document) == ["b", "d"]
    assert found("left bias=no", document) == ["d"]


def test_what_a_layer_does_not_know_is_found_whatever_it_holds():
    settings = {"order": ("1", ["a", "b"]), "more": {"deep": 7}}
    nodes = {id: Node(id, "Quaternion", params=frozen(settings)) for id in ("a", "b")}
    assert found("deep", Document(nodes=frozen(nodes))) == ["a", "b"]


def test_hits_stand_in_the_order_in_which_the_nodes_run():
    document = network()
    backwards = document.with_(nodes={id: document.nodes[id] for id in reversed(document.nodes)})
    assert found("o", backwards) == [id for id in order_of(backwards) if id in found("o", backwards)]
    assert found("conv", backwards) == ["first", "second"]


def test_types_that_are_nowhere_declared_and_cycles_are_searched_too():
    nodes = {id: Node(id, "Quaternion", params=frozen({"order": 4})) for id in ("a", "b")}
    document = Document(
        nodes=frozen(nodes), edges=frozen({Slot("a", "x"): Slot("b", "y"), Slot("b", "x"): Slot("a", "y")})
    )
    assert found("quaternion order=4", document) == ["a", "b"]


def test_frames_and_notes_are_found_by_their_texts_also_in_blocks():
    document, _ = group(network(), ["first", "relu1"], "Stem")
    frame = Comment("frame 1", "frame", "Feature extraction", "Two convolutions.")
    note = Comment("note 1", "note", "", "Try **dropout** here.\nIt overfits after 40 epochs.")
    stem = replace(document.blocks["Stem"], comments=frozen({note.id: note}))
    document = document.with_(comments={frame.id: frame}, blocks={"Stem": stem})
    (hit,) = find(document, "extraction")
    assert (hit.id, hit.title, hit.type, hit.scope) == ("frame 1", "Feature extraction", "frame", ())
    assert reason(document, hit, "extraction") == ""
    assert reason(document, hit, "two convolutions") == "Two convolutions."
    (hit,) = find(document, "overfits")
    assert (hit.id, hit.title, hit.scope) == ("note 1", "Try **dropout** here.", ("Stem",))
    assert reason(document, hit, "overfits") == "It overfits after 40 epochs."
    assert found("note", document) == ["note 1"]


def test_a_text_of_several_words_needs_them_all_in_one_node():
    assert found("conv pool") == []
    assert isinstance(find(network(), "pool")[0], Hit)


@pytest.mark.parametrize("name", list(presets()))
def test_nodes_run_in_the_order_that_networkx_finds(name):
    document = preset(name).document()
    rng = random.Random(0)
    for _ in range(3):
        ids = list(document.nodes)
        rng.shuffle(ids)
        mixed = document.with_(nodes={id: document.nodes[id] for id in ids})
        place = {id: n for n, id in enumerate(ids)}
        assert order_of(mixed) == list(
            nx.lexicographical_topological_sort(graph_of(mixed), key=place.__getitem__)
        )


def test_a_cycle_is_refused_by_name():
    nodes = {id: Node(id, "ReLU") for id in ("a", "b")}
    edges = {Slot("a", "x"): Slot("b", "y"), Slot("b", "x"): Slot("a", "y")}
    with pytest.raises(EngineError, match=r"cycle: [ab], [ab]"):
        order_of(Document(nodes=frozen(nodes), edges=frozen(edges)))
