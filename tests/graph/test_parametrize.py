"""Numbers in a block offered as its parameters, and blocks recognized in a selection."""

from __future__ import annotations

import pytest

from engine.compiler.analyze import analyze
from engine.errors import EditError
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.graph.edits import set_params
from engine.graph.likeness import like, use_instead
from engine.graph.parametrize import candidates, make_parameter, places_in_words

FIRST = ["a1", "n1", "r1", "b1", "c1"]
SECOND = ["a2", "n2", "r2", "b2", "c2"]


def bottleneck(g: Builder, x: Slot, n: int, channels: int, stride: int, last: int = 4) -> Slot:
    x = g.add("Conv2d", x, id=f"a{n}", out_channels=channels, kernel_size=1)
    x = g.add("BatchNorm2d", x, id=f"n{n}")
    x = g.add("ReLU", x, id=f"r{n}")
    x = g.add("Conv2d", x, id=f"b{n}", out_channels=channels, stride=stride, padding=1)
    return g.add("Conv2d", x, id=f"c{n}", out_channels=channels * last, kernel_size=1)


@pytest.fixture
def net() -> Document:
    g = Builder("Net")
    x = g.add("Input", id="image", shape=(3, 32, 32))
    x = bottleneck(g, x, 1, 64, 1)
    x = bottleneck(g, x, 2, 128, 2)
    g.add("Output", x, id="maps")
    return g.document()


def facts(document: Document) -> tuple:
    found = analyze(document)
    assert not found.errors
    return found.total_parameters, [str(found.types[s]) for s in document.edges.values() if s in found.types]


def test_the_numbers_of_a_group_are_offered_with_their_places_and_multiples(net):
    document, _ = group(net, FIRST, "Bottleneck")
    offered = candidates(document, "Bottleneck")
    block = document.blocks["Bottleneck"]
    words = {(each.number, each.name): places_in_words(document, block, each.places) for each in offered}
    assert words == {
        (64, "channels"): "a1, b1 filters",
        (256, "channels"): "c1 filters",
        (1, "kernel"): "a1, c1 kernel size",
        (3, "kernel"): "b1 kernel size",
        (1, "padding"): "b1 padding",
    }
    assert offered[0].number == 64
    assert [tuple(place) for place in offered[0].multiples] == [("c1", "out_channels", 4)]


def test_a_number_that_became_a_parameter_changes_nothing_until_a_use_gives_another(net):
    before, _ = group(net, FIRST, "Bottleneck")
    after = make_parameter(before, "Bottleneck", candidates(before, "Bottleneck")[0])
    block = after.blocks["Bottleneck"]
    texts = {id: str(block.nodes[id].params["out_channels"]) for id in ("a1", "b1", "c1")}
    assert texts == {"a1": "channels", "b1": "channels", "c1": "channels * 4"}
    assert dict(block.params) == {"channels": 64}
    assert facts(after) == facts(before)
    wider = set_params(after, "bottleneck", channels=32)
    assert str(analyze(wider).types[Slot("bottleneck", "output")]) == "N×128×32×32"
    assert [each.number for each in candidates(after, "Bottleneck")] == [1, 3, 1]


def test_multiples_can_be_left_as_they_are(net):
    document, _ = group(net, FIRST, "Bottleneck")
    chosen = candidates(document, "Bottleneck")[0]
    after = make_parameter(document, "Bottleneck", chosen, "width", multiples=False)
    assert after.blocks["Bottleneck"].nodes["c1"].params["out_channels"] == 256
    assert dict(after.blocks["Bottleneck"].params) == {"width": 64}


def test_what_cannot_become_a_parameter_is_refused_with_the_reason(net):
    document, _ = group(net, FIRST, "Bottleneck")
    chosen = candidates(document, "Bottleneck")[0]
    with pytest.raises(EditError, match="letters"):
        make_parameter(document, "Bottleneck", chosen, "two words")
    after = make_parameter(document, "Bottleneck", chosen)
    with pytest.raises(EditError, match="already"):
        make_parameter(after, "Bottleneck", chosen)
    with pytest.raises(EditError, match="64 any more"):
        make_parameter(after, "Bottleneck", chosen, "width")


def test_indices_and_axes_are_no_sizes():
    g = Builder("Net")
    x = g.add("Input", id="image", shape=(4, 8, 8))
    x = g.add("Transpose", x, id="turn", dim0=1, dim1=3)
    x = g.add("Flatten", x, id="flat", start_dim=2)
    g.add("Softmax", x, id="soft", dim=1)
    document, _ = group(g.document(), ["turn", "flat", "soft"], "Turned")
    assert candidates(document, "Turned") == []


def test_names_of_parameters_stay_apart(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document = make_parameter(document, "Bottleneck", candidates(document, "Bottleneck")[0], multiples=False)
    first = candidates(document, "Bottleneck")[0]
    assert (first.number, first.name) == (256, "channels2")


def test_the_same_block_with_other_numbers_is_recognized_and_used(net):
    document, _ = group(net, FIRST, "Bottleneck")
    (match,) = like(document, SECOND)
    assert match.words == "channels 128, stride 2"
    after, id = use_instead(document, SECOND, match)
    assert id == "bottleneck2"
    assert after.blocks.keys() == {"Bottleneck"}
    assert dict(after.blocks["Bottleneck"].params) == {"channels": 64, "stride": 1}
    assert str(after.blocks["Bottleneck"].nodes["c1"].params["out_channels"]) == "channels * 4"
    assert dict(after.nodes[id].params) == {"stride": 2, "channels": 128}
    assert dict(after.nodes["bottleneck"].params) == {}
    assert analyze(after).total_parameters == analyze(net).total_parameters
    assert analyze(after).types[Slot(id, "output")] == analyze(net).types[Slot("c2", "y")]


def test_parameters_that_are_there_are_used_before_new_ones(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document = make_parameter(document, "Bottleneck", candidates(document, "Bottleneck")[0])
    (match,) = like(document, SECOND)
    assert dict(match.given) == {"channels": 128}
    assert [(candidate.name, number) for candidate, number in match.varying] == [("stride", 2)]


def test_what_differs_by_more_than_numbers_is_another_block(net):
    document, _ = group(net, FIRST, "Bottleneck")
    assert like(document, SECOND[:-1]) == []
    assert like(set_params(document, "b2", bias=False), SECOND) == []
    assert like(set_params(document, "b2", kernel_size=(1, 3)), SECOND) == []
    assert like(document, ["a2"]) == []


def test_a_formula_that_does_not_give_the_number_is_no_match(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document = make_parameter(document, "Bottleneck", candidates(document, "Bottleneck")[0])
    assert like(set_params(document, "c2", out_channels=500), SECOND) == []


def test_ports_follow_where_a_block_has_several():
    g = Builder("Net")
    x = g.add("Input", id="image", shape=(4, 8, 8))
    for n, (left, right) in enumerate([("p", "q"), ("s", "t")]):
        first = g.add("Conv2d", x, id=left, out_channels=8 * (n + 1), padding=1)
        second = g.add("ReLU", x, id=right)
        g.add("Output", first, id=f"{left}_end")
        g.add("Output", second, id=f"{right}_end")
    document, _ = group(g.document(), ["p", "q"], "Fork")
    (match,) = like(document, ["s", "t"])
    after, id = use_instead(document, ["s", "t"], match)
    assert after.edges[Slot("s_end", "x")] == Slot(id, "output1")
    assert after.edges[Slot("t_end", "x")] == Slot(id, "output2")
    assert str(analyze(after).types[Slot(id, "output1")]) == "N×16×8×8"


def test_what_blocks_inside_are_given_is_offered_too(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document, _ = use_instead(document, SECOND, like(document, SECOND)[0])
    document, _ = group(document, ["bottleneck", "bottleneck2"], "Stage")
    offered = {(each.number, each.name): each.places for each in candidates(document, "Stage")}
    assert [tuple(place)[:2] for place in offered[128, "channels"]] == [("bottleneck2", "channels")]
    after = make_parameter(document, "Stage", candidates(document, "Stage")[0])
    assert facts(after) == facts(document)


def test_nodes_with_formulas_are_grouped_inside_a_block(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document = make_parameter(document, "Bottleneck", candidates(document, "Bottleneck")[0])
    opened, id = group(inside(document, "Bottleneck"), ["b1", "c1"], "Wide")
    after = outside(document, "Bottleneck", opened)
    assert dict(after.blocks["Wide"].params) == {"channels": None}
    assert str(after.blocks["Bottleneck"].nodes[id].params["channels"]) == "channels"
    assert facts(after) == facts(document)
    wider = set_params(after, "bottleneck", channels=8)
    assert facts(wider) == facts(set_params(document, "bottleneck", channels=8))


def test_the_same_formula_in_another_block_is_another_number(net):
    document, _ = group(net, FIRST, "Bottleneck")
    document = make_parameter(document, "Bottleneck", candidates(document, "Bottleneck")[0])
    opened, _ = group(inside(document, "Bottleneck"), ["b1", "c1"], "Wide")
    document = outside(document, "Bottleneck", opened)
    document, _ = group(document, SECOND, "Other")
    chosen = next(each for each in candidates(document, "Other") if each.number == 128)
    document = make_parameter(document, "Other", chosen)
    assert like(inside(document, "Other"), ["b2", "c2"]) == []
