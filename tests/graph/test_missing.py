"""Layers that are not here: their nodes stay with all they hold, can be edited around, and never run."""

from __future__ import annotations

import json

import pytest

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.errors import EditError, EngineError, FileError, ParameterError
from engine.graph import edits
from engine.graph.blocks import group, layer_of, ungroup
from engine.graph.changes import changes
from engine.graph.custom import add_custom
from engine.graph.document import BYPASSED, Document, Edge, Slot
from engine.graph.library import block_document, merge_block
from engine.graph.missing import MOST_PORTS, ROLE
from engine.graph.modes import set_mode
from engine.graph.swap import swap
from engine.storage.document_file import from_json, to_json

SETTINGS = {"scale": 2.5, "modes": ["a", [1, None]], "deep": {"x": {"y": "–"}}, "on": True}


def raw(**more: object) -> dict:
    """A file with two nodes of a plug-in in a chain: ``squash`` has settings, ``mix`` takes any number."""
    return {
        "netwright": 1,
        "name": "With a plug-in",
        "nodes": [
            {"id": "input1", "type": "Input", "params": {"shape": [8]}},
            {"id": "squash", "type": "Squash", "name": "My squash", "params": SETTINGS, "position": [200, 0]},
            {"id": "mix", "type": "Mixing", "position": [400, 0]},
            {"id": "linear1", "type": "Linear", "params": {"out_features": 3}, "position": [600, 0]},
            {"id": "output1", "type": "Output", "position": [800, 0]},
        ],
        "edges": [
            ["input1.y", "squash.x"],
            ["squash.low", "mix.xs.0"],
            ["squash.high", "mix.xs.1"],
            ["mix.y", "linear1.x"],
            ["linear1.y", "output1.x"],
        ],
        **more,
    }


def opened(**more: object) -> Document:
    return from_json(json.dumps(raw(**more)))


def nodes_of(text: str) -> dict[str, dict]:
    return {node["id"]: node for node in json.loads(text)["nodes"]}


def test_it_opens_and_is_saved_as_it_came():
    document = opened()
    text = to_json(document)
    assert nodes_of(text)["squash"]["params"] == SETTINGS
    assert json.loads(text)["edges"] == raw()["edges"]
    assert from_json(text) == document
    assert to_json(from_json(text)) == text


def test_its_ports_are_those_that_edges_name():
    document = opened()
    squash, mix = (layer_of(document, type_) for type_ in ("Squash", "Mixing"))
    assert [port.name for port in squash.inputs] == ["x"]
    assert [port.name for port in squash.outputs_of({})] == ["low", "high"]
    assert [(port.name, port.variadic) for port in mix.inputs] == [("xs", True)]
    assert squash.role == mix.role == ROLE


def test_its_problem_names_the_type_and_the_mend_and_nothing_runs():
    analysis = analyze(opened())
    (problem,) = analysis.problems_of("squash")
    assert "no layer 'Squash'" in problem.message
    assert "Install the plug-in" in problem.message
    assert "replace the node" in problem.message
    assert analysis.source is None
    with pytest.raises(EngineError, match="no layer 'Squash'"):
        compile_document(opened())


def test_a_misspelled_type_is_told_the_nearest_name():
    document = from_json('{"netwright": 1, "nodes": [{"id": "a", "type": "Linea"}]}')
    assert "Did you mean 'Linear'?" in analyze(document).problems_of("a")[0].message


def test_nothing_runs_even_where_nothing_reads_it():
    """It may be a loss or a source of data: leaving it out would train something else than what was drawn."""
    edges = [["input1.y", "linear1.x"], ["linear1.y", "output1.x"], ["linear1.y", "squash.x"]]
    nodes = [each for each in raw()["nodes"] if each["id"] != "mix"]
    with pytest.raises(EngineError, match="no layer 'Squash'"):
        compile_document(opened(nodes=nodes, edges=edges))


def test_what_was_meant_takes_its_place_by_one_click():
    nodes = [{**each, "type": "Linea"} if each["id"] == "linear1" else each for each in raw()["nodes"]]
    document = opened(nodes=nodes)
    (problem,) = analyze(document).problems_of("linear1")
    assert problem.fix.title == "Replace with Linear"
    mended = problem.fix.edit(document)
    assert mended.nodes == opened().nodes
    assert mended.edges == opened().edges
    assert analyze(opened()).problems_of("squash")[0].fix is None


def test_it_is_replaced_telling_what_could_not_stay():
    swapped = swap(opened(), "squash", "Tanh")
    assert swapped.document.edges[Slot("squash", "x")] == Slot("input1", "y")
    assert set(SETTINGS) <= set(swapped.lost)


def test_bypassed_or_muted_the_rest_runs():
    document = set_mode(opened(), ["squash", "mix"], BYPASSED)
    assert from_json(to_json(document)) == document
    assert not analyze(document).errors
    assert "self.linear1(input1)" in compile_document(document).source.text


def test_who_feeds_it_is_not_called_useless():
    assert not analyze(opened()).problems_of("input1")
    edges = [["input1.y", "linear1.x"], ["linear1.y", "squash.x"], ["squash.y", "output1.x"]]
    nodes = [each for each in raw()["nodes"] if each["id"] != "mix"]
    assert not analyze(opened(nodes=nodes, edges=edges)).problems_of("linear1")


def test_its_links_are_deleted_and_drawn_again():
    document = opened()
    without = edits.disconnect(document, [Slot("squash", "x"), Slot("mix", "xs.0")])
    assert without.edges[Slot("mix", "xs.0")] == Slot("squash", "high")
    again = edits.connect(without, Slot("input1", "y"), Slot("squash", "x"))
    again = edits.connect(again, Slot("squash", "low"), Slot("mix", "xs.1"))
    assert len(again.edges) == len(document.edges)
    with pytest.raises(EngineError, match="no input 'other'"):
        edits.connect(document, Slot("input1", "y"), Slot("squash", "other"))


def test_it_moves_is_renamed_and_copied_with_all_it_holds():
    document = edits.move(edits.rename(opened(), "squash", "Renamed"), {"squash": (1.0, 2.0)})
    assert dict(document.nodes["squash"].params) == SETTINGS
    nodes = [document.nodes[id] for id in ("squash", "mix")]
    between = [Edge(s, t) for t, s in document.edges.items() if {s.node, t.node} == {"squash", "mix"}]
    pasted, ids = edits.paste(document, nodes, between, (40.0, 40.0))
    assert [pasted.nodes[id].params for id in ids] == [node.params for node in nodes]
    assert sum(target.node in ids for target in pasted.edges) == 2
    assert from_json(to_json(pasted)) == pasted


def test_what_differs_between_its_settings_is_told():
    nodes = [dict(each) for each in raw()["nodes"]]
    nodes[1]["params"] = {"scale": 3.5, "modes": SETTINGS["modes"], "new": 1}
    (said,) = changes(opened(), opened(nodes=nodes))
    assert "scale 2.5 → 3.5" in said
    assert "new None → 1" in said
    assert "on True → None" in said
    assert "modes" not in said


def test_its_settings_cannot_be_set():
    with pytest.raises(ParameterError, match="no parameter 'scale'"):
        edits.set_params(opened(), "squash", scale=3.0)


def test_it_is_deleted_healing_the_wire():
    document = edits.delete(opened(), ["squash", "mix"], heal=True)
    assert document.edges[Slot("linear1", "x")] == Slot("input1", "y")
    assert not analyze(document).errors


def test_it_stands_in_a_block_and_comes_out_again():
    document, id = group(opened(), ["squash", "mix"], "Pair")
    assert dict(document.blocks["Pair"].nodes["squash"].params) == SETTINGS
    again = from_json(to_json(document))
    assert again == document
    assert "no layer 'Squash'" in analyze(again).problems_of(id)[0].message
    assert analyze(again).blocks["Pair"].problems_of("squash")
    out = ungroup(document, id)
    assert dict(out.nodes["squash"].params) == SETTINGS
    assert set(out.edges.values()) == set(opened().edges.values())


def test_a_block_takes_it_along_to_another_document():
    document, _ = group(opened(), ["squash", "mix"], "Pair")
    library = block_document(document, "Pair")
    merged, name = merge_block(Document(), library, "Pair")
    assert name == "Pair"
    assert merged.missing.keys() == {"Squash", "Mixing"}
    assert from_json(to_json(merged)) == merged


def test_shared_weights_stay_shared():
    more = {"id": "second", "type": "Squash", "params": SETTINGS, "share": {"node": "squash"}}
    document = opened(nodes=[*raw()["nodes"], more])
    assert document.nodes["second"].attribute == "squash"
    assert from_json(to_json(document)) == document
    freed = edits.unshare(document, "second")
    assert edits.share(freed, "second", "squash") == document


def test_its_name_is_taken():
    with pytest.raises(EditError, match="another layer 'Squash'"):
        add_custom(opened(), "def Squash(x: Tensor) -> Tensor:\n    return x\n")
    with pytest.raises(EditError, match="cannot name a block"):
        group(opened(), ["linear1"], "Squash")


def test_what_a_file_brings_along_is_refused_and_not_missing():
    """A block that cannot be read has its own problem; its nodes are no layers of a plug-in."""
    with pytest.raises(FileError) as caught:
        opened(blocks=[{"name": "Squash", "nodes": 3}])
    assert "its nodes should be a list" in caught.value.message


@pytest.mark.parametrize(
    "settings",
    [{"a": 1e999}, {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}, {"a": {"b": [1e999]}}],
    ids=["infinite", "deep", "infinite inside"],
)
def test_settings_that_no_file_could_keep_are_refused(settings):
    text = json.dumps({"netwright": 1, "nodes": [{"id": "a", "type": "Squash", "params": settings}]})
    with pytest.raises(FileError, match="no value that a file can keep"):
        from_json(text.replace("Infinity", "1e999"))


def test_half_of_a_character_is_written_as_it_came():
    text = '{"netwright": 1, "nodes": [{"id": "a", "type": "Squash", "params": {"word": "\\ud800 ü"}}]}'
    document = from_json(text)
    assert document.nodes["a"].params["word"] == "\ud800 ü"
    assert from_json(to_json(document).encode().decode()) == document


def test_a_node_of_ten_thousand_ports_is_damage():
    edges = [["input1.y", f"squash.x{n}"] for n in range(10_000)]
    with pytest.raises(FileError, match=f"no input 'x{MOST_PORTS}'"):
        opened(edges=edges)


def test_types_that_are_no_names_are_refused():
    for type_ in ("__import__('os')", "a b", "", "x" * 100, "class"):
        with pytest.raises(FileError, match="There is no layer"):
            from_json(json.dumps({"netwright": 1, "nodes": [{"id": "a", "type": type_}]}))


# Settings that a layer that is here does not know.


def newer() -> Document:
    nodes = [
        {"id": "input1", "type": "Input", "params": {"shape": [8]}},
        {"id": "linear1", "type": "Linear", "params": {"out_features": 3, "sparsity": [0.5, "x"]}},
    ]
    return from_json(json.dumps({"netwright": 1, "nodes": nodes, "edges": [["input1.y", "linear1.x"]]}))


def test_a_setting_that_a_layer_does_not_know_is_kept():
    document = newer()
    assert nodes_of(to_json(document))["linear1"]["params"] == {"out_features": 3, "sparsity": [0.5, "x"]}
    changed = edits.set_params(document, "linear1", out_features=4)
    assert dict(changed.nodes["linear1"].params) == {"out_features": 4, "sparsity": [0.5, "x"]}
    with pytest.raises(ParameterError, match="no parameter 'sparsity'"):
        edits.set_params(document, "linear1", sparsity=1)


def test_it_is_a_problem_with_a_mend_and_shapes_are_known():
    document = newer()
    analysis = analyze(document)
    (problem,) = analysis.problems_of("linear1")
    assert "no setting 'sparsity'" in problem.message
    assert analysis.types[Slot("linear1", "y")].shape == ("N", 3)
    with pytest.raises(EngineError, match="no setting 'sparsity'"):
        compile_document(document)
    mended = problem.fix.edit(document)
    assert dict(mended.nodes["linear1"].params) == {"out_features": 3}
    assert not analyze(mended).errors
    compile_document(mended)
