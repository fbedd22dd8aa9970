"""A layer that does not fit says what it expected and what came, before torch would."""

from __future__ import annotations

import pytest

from engine.compiler.analyze import analyze
from engine.graph.build import Builder
from engine.graph.document import Slot
from engine.graph.edits import connect


@pytest.mark.parametrize(
    ("type_", "shapes", "params", "message"),
    [
        (
            "Conv2d",
            [(4, 9, 9)],
            {"padding": "same", "stride": 2},
            "padding='same' is not supported for strided",
        ),
        ("Conv1d", [(4, 9, 9)], {}, "expects N×C×L, N×4×9×9 arrives"),
        (
            "ZeroPad",
            [(4, 9, 9)],
            {"padding": (1, 2)},
            "one number for all borders or 4, two for each axis, not 2",
        ),
        ("Resize", [(4, 9)], {"size": (3, 3)}, "one for each of 1 axes, not 2"),
        ("RoIAlign", [(4, 9, 9), (3, 5)], {}, "four numbers for each box, x1 y1 x2 y2, 5 arrive"),
        ("GroupNorm", [(6, 9)], {"num_groups": 4}, "divides 6 channels into 4 groups"),
        ("GLU", [(7,)], {}, "halves dimension -1, whose size 7 is odd"),
        ("Bilinear", [(7,), (4, 7)], {}, "differ only in their last size, N×7 and N×4×7 arrive"),
        ("Subtract", [(3, 4), (2, 4)], {}, "expects inputs of one shape, N×3×4 and N×2×4 arrive"),
        ("Einsum", [(3, 4)], {}, "expects 2 inputs for bij,bjk->bik, 1 arrive"),
        ("Einsum", [(3, 4), (4,)], {}, "expects 3 dimensions for bjk, N×4 arrives"),
        ("Einsum", [(3, 4), (5, 6)], {}, "finds two sizes for the letter j: 4 and 5"),
        ("Stack", [(3,), (4,)], {}, "expects inputs of one shape, N×3 and N×4 arrive"),
        ("Chunk", [(7,)], {}, "divides 7 into 2 equal parts, which leaves a rest"),
        ("Chunk", [(7,)], {"dim": 0}, "dimension 0, but that is the batch"),
        ("Chunk", [(7,)], {"dim": 3}, "divides dimension 3, but N×7 has 2"),
        ("Split", [(7,)], {"sizes": (3, 3)}, "expects 3 + 3 = 6 in dimension 1, 7 arrive"),
        ("Slice", [(7,)], {"start": 5, "stop": 2}, "keeps nothing between 5 and 2 of the 7 in dimension 1"),
        ("Unflatten", [(7,)], {"sizes": (2, 3)}, "expects 2 × 3 = 6 in dimension 1, 7 arrive"),
        ("Squeeze", [(7,)], {}, "removes a dimension of size 1, but dimension 1 of N×7 is larger"),
        ("Repeat", [(7,)], {"repeats": (1, 2)}, "expects 1 numbers, one for each dimension"),
        ("DistanceMatrix", [(5, 3), (5, 4)], {}, "vectors of one length, N×5×3 and N×5×4 arrive"),
        ("GaussianReparameterization", [(5,), (6,)], {}, "a variance for each mean, N×5 and N×6 arrive"),
        ("PositionEmbedding", [(9, 4)], {"max_len": 8}, "knows 8 places, a sequence of 9 arrives"),
        ("ScaledDotProductAttention", [(5, 4), (5, 3)], {}, "compares queries of 4 numbers with keys of 3"),
        ("TransformerEncoderLayer", [(5, 6)], {}, "splits 6 numbers among 4 heads"),
        ("TransformerDecoderLayer", [(5, 8), (5, 4)], {}, "memory of its own width 8, 4 arrives"),
        ("L1Loss", [(5,), (4,)], {}, "target of the input's shape N×5, N×4 arrives"),
        ("TripletMarginLoss", [(5,), (5,), (4,)], {}, "compares inputs of one shape, N×5 and N×4 arrive"),
        ("OneHot", [(5,)], {}, "expects whole numbers"),
        ("Exp", [(5,), "int"], {}, "expects decimal numbers, whole numbers"),
    ],
)
def test_message(type_, shapes, params, message):
    g = Builder()
    dtype = "int" if shapes[-1] == "int" else "float"
    sources = [g.add("Input", shape=shape, dtype=dtype) for shape in shapes if shape != "int"]
    g.add(type_, *sources, id="tested", **params)
    (problem,) = analyze(g.document()).errors
    assert problem.node == "tested"
    assert message in problem.message


def test_masks_and_states_must_fit():
    g = Builder()
    x = g.add("Input", shape=(5, 8))
    mask = g.add("CausalMask", g.add("Input", shape=(6, 8)))
    g.add("MultiheadAttention", x, x, x, mask, id="tested")
    assert "expects a mask of 5×5, 6×6 arrives" in analyze(g.document()).errors[0].message
    g = Builder()
    x = g.add("Input", shape=(5, 8))
    state = g.add("GRU", x, hidden_size=7)["hidden"]
    g.add("GRU", x, state, id="tested", hidden_size=6)
    assert "expects to begin with 1×N×6, 1×N×7 arrives" in analyze(g.document()).errors[0].message


@pytest.mark.parametrize(
    ("type_", "port"), [("LSTM", "initial"), ("LSTM", "initial_cell"), ("PeepholeLSTM", "initial")]
)
def test_an_lstm_begins_with_both_or_neither(type_, port):
    g = Builder()
    x = g.add("Input", shape=(5, 8))
    before = g.add(type_, x)
    g.add(type_, x, id="tested")
    document = connect(g.document(), before["hidden"], Slot("tested", port))
    assert "expects both initial and initial cell, or neither" in analyze(document).errors[0].message
