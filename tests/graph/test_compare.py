"""Two documents beside each other: which node is which, and every difference in words."""

from __future__ import annotations

import pytest

from engine.graph import edits
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.compare import ADDED, CHANGED, REMOVED, compare, pairs_of
from engine.graph.document import Document, Slot
from engine.graph.settings import set_optimizer, set_params, set_training
from engine.storage.document_file import save_document
from main import main
from presets import preset, presets


def chain(*layers: tuple[str, str, dict]) -> Document:
    """Layers in a row, each as its id, type and settings."""
    g = Builder("Chain")
    x = g.add("Input", id="x", shape=(8,))
    for id, type_, params in layers:
        x = g.add(type_, x, id=id, **params)
    g.add("Output", x, id="out")
    return g.document()


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_document_does_not_differ_from_itself(name):
    document = preset(name).document()
    found = compare(document, document)
    assert not found
    assert found.pairs == {id: id for id in document.nodes}
    assert not found.links_added | found.links_removed


def test_settings_names_and_links_are_told_from_what_to_what():
    before = preset("lenet5").document()
    after = set_params(before, "conv2", out_channels=32)
    after = edits.rename(after, "fc1", "wide")
    texts = [item.text for item in compare(before, after).items]
    assert texts == ["conv2: out_channels 16 → 32", "wide: called fc1 before"]
    assert compare(before, after).signs_after == {"conv2": CHANGED, "fc1": CHANGED}


def test_added_and_removed_nodes_and_the_links_around_them():
    before = chain(
        ("a", "Linear", {"out_features": 4}), ("b", "ReLU", {}), ("c", "Linear", {"out_features": 2})
    )
    after = edits.delete(before, {"b"}, heal=True)
    found = compare(before, after)
    assert [(item.sign, item.text) for item in found.items] == [
        (CHANGED, "c: x from a instead of b"),
        (REMOVED, "b (ReLU)"),
    ]
    assert found.signs_before == {"b": REMOVED, "c": CHANGED}
    assert found.links_removed == {Slot("b", "x"), Slot("c", "x")}
    assert found.links_added == {Slot("c", "x")}
    turned = compare(after, before)
    assert turned.signs_after == {"b": ADDED, "c": CHANGED}
    assert turned.links_added == found.links_removed


def test_a_loose_link_is_told():
    before = chain(("a", "Linear", {"out_features": 4}), ("b", "ReLU", {}))
    after = edits.disconnect(before, [Slot("b", "x")])
    (item,) = compare(before, after).items
    assert item.text == "b: x from nothing instead of a"
    (item,) = compare(after, before).items
    assert item.text == "b: x from a"
    assert edits.connect(after, Slot("a", "y"), Slot("b", "x")).edges == before.edges


def test_nodes_with_other_ids_are_found_by_likeness():
    before = chain(
        ("l1", "Linear", {"out_features": 64}), ("r1", "ReLU", {}), ("l2", "Linear", {"out_features": 10})
    )
    after = chain(
        ("first", "Linear", {"out_features": 64}),
        ("act", "ReLU", {}),
        ("norm", "LayerNorm", {}),
        ("last", "Linear", {"out_features": 12}),
    )
    pairs = pairs_of(before, after)
    assert pairs == {"x": "x", "l1": "first", "r1": "act", "l2": "last", "out": "out"}
    assert compare(before, after).signs_after["norm"] == ADDED
    assert any("out_features 10 → 12" in item.text for item in compare(before, after).items)


def test_the_same_id_of_another_type_is_a_change_of_type():
    before = chain(("a", "Linear", {"out_features": 4}), ("act", "ReLU", {}))
    after = chain(("a", "Linear", {"out_features": 4}), ("act", "Tanh", {}))
    (item,) = compare(before, after).items
    assert (item.sign, item.text) == (CHANGED, "act: ReLU → Tanh")


def test_what_differs_inside_of_a_block_is_told_at_its_node():
    before, id = group(preset("lenet5").document(), ["conv1", "tanh1"], "Stem")
    block = before.blocks["Stem"]
    inner = set_params(inside(before, "Stem"), "conv1", out_channels=9)
    after = outside(before, "Stem", inner)
    (item,) = compare(before, after).items
    assert item.text == "in Stem: conv1: out_channels 6 → 9"
    assert (item.before, item.after, item.block) == (id, id, "Stem")
    assert block != after.blocks["Stem"]


def test_training_is_compared_too():
    before = preset("lenet5").document()
    after = set_optimizer(set_training(before, epochs=3), lr=0.5)
    texts = [item.text for item in compare(before, after).items]
    assert texts[0] == f"epochs {before.training.epochs} → 3"
    assert texts[1].endswith("→ 0.5")


def test_it_holds_for_two_networks_that_have_nothing_in_common():
    one, other = preset("lenet5").document(), preset("spirals").document()
    found = compare(one, other)
    told = {item.before for item in found.items} | set(found.pairs)
    assert told >= one.nodes.keys()
    assert {item.after for item in found.items} | set(found.pairs.values()) >= other.nodes.keys()
    assert len(set(found.pairs.values())) == len(found.pairs)


def test_a_thousand_nodes_with_other_ids():
    def tower(prefix: str) -> Document:
        return chain(*((f"{prefix}{n}", "Linear", {"out_features": 8 + n % 3}) for n in range(1000)))

    found = compare(tower("a"), tower("b"))
    assert len(found.pairs) == 1002
    assert all("called" in item.text for item in found.items)


def test_the_command_line_prints_the_same(tmp_path, capsys):
    before = preset("lenet5").document()
    save_document(set_params(before, "conv2", out_channels=32), tmp_path / "wide.netwright")
    assert main(["compare", "preset:lenet5", str(tmp_path / "wide.netwright")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "~ conv2: out_channels 16 → 32"
    assert lines[1].split()[0] == "parameters"
    assert lines[1].split()[1] == "61,706"
    assert lines[1].split()[3].startswith("+")
    assert main(["compare", "preset:lenet5", "preset:lenet5", "--json"]) == 0
    assert '"differences": []' in capsys.readouterr().out
