"""What was changed while a run went on, in words."""

import pytest

from engine.graph.changed import told_change, words_for
from engine.graph.edits import rename
from tests.graph.test_objectives import two_heads
from tests.graph.test_objectives_follow import adversaries


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("optimizer.lr", 0.003, 0.5, "learning rate 0.003 → 0.5"),
        ("batch_size", 32, 8, "batch size 32 → 8"),
        ("loss.right", 1.0, 0.25, "weight of right 1 → 0.25"),
        ("trunk.frozen", False, True, "trunk frozen"),
        ("trunk.frozen", True, False, "trunk learns again"),
        ("trunk.rate", 1.0, 0.1, "rate multiplier of trunk 1 → 0.1"),
        ("drop.p", 0.5, 0.1, "dropout of drop 0.5 → 0.1"),
        ("block.drop.p", 0.5, 0.1, "dropout of drop 0.5 → 0.1"),
    ],
)
def test_a_change_in_words(name, before, after, words):
    assert told_change(two_heads(), name, before, after) == words


def test_with_several_objectives_it_is_told_whose_it_is():
    document = adversaries()
    assert words_for(document, "optimizer.lr") == "learning rate of Generator"
    assert words_for(document, "clip_norm") == "clip the norm of Generator"
    assert words_for(document, "batch_size") == "batch size", "that of all"
    assert words_for(document, "objective2.loss.judge") == "weight of judge of Discriminator"
    assert words_for(document, "objective7.optimizer.lr") == "objective7.optimizer.lr"


def test_a_node_is_called_as_people_call_it():
    assert told_change(rename(two_heads(), "trunk", "The trunk"), "trunk.frozen", False, True) == (
        "The trunk frozen"
    )
