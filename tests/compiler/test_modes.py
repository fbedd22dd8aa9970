"""Muted and bypassed nodes in code, runs, cost, problems and weights: all agree."""

from __future__ import annotations

import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.compiler.read import read_source
from engine.errors import CompileError
from engine.graph.blocks import group, inside, outside
from engine.graph.build import Builder
from engine.graph.diff import diff
from engine.graph.document import BYPASSED, MUTED, Slot
from engine.graph.modes import set_collapsed, set_mode
from engine.training.setup import prepare


def digits():
    """Digits with a hidden layer that keeps its size, dropout, and an extra head that nobody needs."""
    g = Builder("Heads")
    data = g.add("Digits", id="data")
    flat = g.add("Flatten", Slot(data.node, "image"), id="flat")
    first = g.add("Linear", flat, id="first", out_features=32)
    wide = g.add("Linear", first, id="wide", out_features=32)
    scores = g.add("Linear", wide, id="scores", out_features=10)
    g.add("CrossEntropyLoss", scores, Slot(data.node, "label"), id="loss")
    other = g.add("Linear", first, id="other", out_features=10)
    g.add("CrossEntropyLoss", other, Slot(data.node, "label"), id="second")
    return g.document()


def test_code_weights_cost_and_memory_know_nothing_of_a_bypassed_layer():
    document = set_mode(digits(), ["wide"], BYPASSED)
    analysis, plain = analyze(document), analyze(digits())
    assert analysis.document is document
    assert not analysis.errors
    assert "wide" not in analysis.source.text
    assert analysis.total_parameters == plain.total_parameters - (32 * 32 + 32)
    assert analysis.footprint.weights < plain.footprint.weights
    assert analysis.types[Slot("wide", "y")] == analysis.types[Slot("first", "y")]
    assert not any(name.startswith("wide.") for name in compile_document(document).model.state_dict())


def test_a_muted_head_is_left_out_with_its_loss():
    document = set_mode(digits(), ["other"], MUTED)
    analysis = analyze(document)
    assert not analysis.problems
    assert "other" not in analysis.source.text
    assert Slot("other", "y") not in analysis.types
    built = compile_document(document)
    assert set(built.plan.outputs) == {Slot("scores", "y")}
    assert [step.node for step in built.plan.loss] == ["loss"]


def test_shapes_that_do_not_fit_across_a_bypass_are_a_problem_as_usual():
    document = set_mode(digits(), ["flat"], BYPASSED)
    (problem,) = [each for each in analyze(document).errors if each.node == "first"]
    assert "8" in problem.message
    mended = problem.fix.edit(document)
    assert not analyze(mended).errors
    new = (mended.nodes.keys() - document.nodes.keys()).pop()
    assert mended.edges[Slot(new, "x")] == Slot("flat", "y"), "the mend stands where the wire is drawn"


def test_a_run_learns_without_them_and_a_muted_loss_says_what_is_missing():
    document = set_mode(set_mode(digits(), ["wide"], BYPASSED), ["second"], MUTED)
    setup = prepare(document, "cpu")
    batch = {name: value[:4] for name, value in setup.train.items()}
    loss = setup.built.objectives[0](setup.model, batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert setup.model.first.weight.grad is not None
    with pytest.raises(CompileError, match="nothing to minimize"):
        prepare(set_mode(digits(), ["loss", "second"], MUTED), "cpu")


def test_what_was_found_before_is_taken_over_and_the_result_is_as_if_it_were_new():
    before = digits()
    analysis = analyze(before)
    for mode in (MUTED, BYPASSED, ""):
        document = set_mode(before, ["wide"], mode)
        again, fresh = analyze(document, analysis), analyze(document)
        assert (again.types, again.problems, again.source) == (fresh.types, fresh.problems, fresh.source)
        before, analysis = document, again
    assert analysis.source == analyze(digits()).source


def test_inside_of_a_block_they_are_left_out_of_its_class():
    document, _ = group(digits(), ["wide", "scores"], "Body")
    inner = set_mode(inside(document, "Body"), ["wide"], BYPASSED)
    document = outside(document, "Body", inner)
    analysis = analyze(document)
    assert not analysis.errors
    assert "wide" not in analysis.source.text
    assert analysis.blocks["Body"].types[Slot("wide", "y")].sample == "32"
    assert not any(".wide." in name for name in compile_document(document).model.state_dict())
    gone = analyze(outside(document, "Body", set_mode(inner, ["wide"], MUTED)))
    assert "wide" not in (gone.source.text if gone.source else "")


def test_editing_the_code_keeps_what_it_does_not_hold():
    document = set_collapsed(set_mode(digits(), ["wide"], BYPASSED), ["first"], True)
    document = set_mode(document, ["other"], MUTED)
    text = analyze(document).source.text.replace("784, 32", "784, 24")
    after = read_source(text, document)
    assert after.nodes["first"].params["out_features"] == 24
    assert after.nodes["first"].collapsed
    assert after.nodes["wide"].mode == BYPASSED
    assert after.nodes["other"].mode == MUTED
    assert after.edges == document.edges


def test_a_mode_is_a_change_of_meaning_and_collapsing_is_not():
    before, id = digits(), "wide"
    assert diff(before, set_mode(before, [id], MUTED)).meaning
    change = diff(before, set_collapsed(before, [id], True))
    assert change.changed == {id}
    assert not change.meaning
