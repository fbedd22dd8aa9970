"""What an objective minimizes: chosen losses, weighted, running no more of the model than they need."""

from dataclasses import replace

import pytest
import torch

from engine.compiler.module import compile_document
from engine.errors import CompileError
from engine.graph.document import Objective
from engine.graph.modes import set_mode
from tests.graph.test_objectives import two_heads

BATCH = {"image": torch.rand(4, 1, 8, 8), "label": torch.tensor([0, 3, 9, 1])}


def built(*objectives: Objective, document=None):
    document = document or two_heads()
    torch.manual_seed(1)
    return compile_document(document.with_(training=replace(document.training, objectives=objectives)))


def test_losses_are_weighted_and_their_weights_may_change():
    made = built(Objective(), Objective({"right": 2.0, "alike": 0.5}), Objective({"right": 1.0}))
    every, weighted, one = (goal(made.model, BATCH).item() for goal in made.objectives)
    right, alike = (value.item() for value in made.objectives[0].parts(made.model, BATCH))
    assert every == pytest.approx(right + alike)
    assert weighted == pytest.approx(2 * right + 0.5 * alike)
    assert one == right
    made.objectives[0].weights["alike"] = 0.0
    assert made.objectives[0](made.model, BATCH).item() == pytest.approx(right)


def test_only_what_a_loss_needs_is_run():
    made = built(Objective({"right": 1.0}))
    goal = made.objectives[0]
    assert not goal.whole
    goal(made.model, BATCH).backward()
    moved = {name for name, each in made.model.named_parameters() if each.grad is not None}
    assert moved == {"trunk.weight", "trunk.bias", "scores.weight", "scores.bias"}


def test_an_error_inside_is_about_its_node():
    made = built(Objective({"right": 1.0}))
    with pytest.raises(RuntimeError) as caught:
        made.objectives[0](made.model, {**BATCH, "image": torch.rand(4, 1, 9, 9)})
    assert made.locate(caught.value) == "trunk"


def test_a_loss_that_is_no_part_of_the_model_is_named():
    document = set_mode(two_heads(), ["alike"], "muted")
    with pytest.raises(CompileError, match="minimizes alike, which is no loss of the model"):
        built(Objective({"alike": 1.0}), document=document)
