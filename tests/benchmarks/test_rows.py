"""The benchmarks still run after whatever has changed: small versions, complete rows, nothing timed."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
import torch

from tests.benchmarks import canvas, compiled, endurance, inference, leaks, start, training
from tests.benchmarks.loops import by_hand, netwright
from tests.benchmarks.networks import MLP, CharLSTM, LeNet5, resnet18, resnet152, small_resnet18

STEPS = 4000
"""Steps of a long run's small version."""

ROW = {"name", "ratio", "bound", "better", "detail"}


def test_canvas_rows(qtbot):
    rows = canvas.measure(40, 60, 80)
    assert all(set(vars(row)) == ROW and row.ratio > 0 for row in rows)
    assert {"canvas build", "canvas zoom", "canvas drag", "canvas snapshot"} < {row.name for row in rows}
    told = {"80 nodes: open", "80 nodes: pan, all", "80 nodes: first search", "80 nodes: search"}
    assert told < {row.name for row in rows}


@pytest.mark.parametrize("how", ["headless", "window"])
def test_training_rows(qtbot, how):
    document = training.spirals(2)
    other = {"loop by hand": (by_hand(MLP), 1.2)}
    if how == "headless":
        rows = training.compare("spirals", document, netwright, other, 1)
    else:
        from tests.benchmarks.window import WatchedWindow

        with WatchedWindow() as window:
            rows = training.compare("spirals", document, window.train, other, 1)
            rows += window.smoothness("spirals", document)
            assert window.gaps
    assert all(set(vars(row)) == ROW and row.ratio > 0 for row in rows)
    assert rows[0].better == "higher"


def test_every_loop_that_is_raced_learns_the_same(tmp_path):
    for name, document, make in (
        ("spirals", training.spirals(2), MLP),
        ("LeNet-5", training.lenet(1, tmp_path), LeNet5),
        ("ResNet-18", training.resnet(1), small_resnet18),
        ("LSTM", training.char_lstm(1, tmp_path), CharLSTM),
    ):
        row = training.same_losses(name, document, make)
        assert row.good, row.detail


def test_leaks_row(qtbot):
    row = leaks.measure(40, 2, 1)
    assert set(vars(row)) == ROW
    assert row.ratio >= 0


def test_start_rows():
    rows = start.measure(1)
    assert [row.name for row in rows] == ["start: window on the screen", "start: everything in it"]
    assert all(row.ratio > 0 for row in rows)


def test_inference_rows():
    document = training.spirals(1)
    last = next(id for id, node in reversed(document.nodes.items()) if node.type == "Linear")
    rows = [
        inference.row("first look", lambda: inference.analyze(document), inference.forget, 1, 2.0, "both"),
        inference.after_an_edit(document, last, 1),
    ]
    assert all(set(vars(row)) == ROW and row.ratio > 0 and row.better == "lower" for row in rows)


def test_compiled_rows():
    mlp = compiled.compile_document(training.spirals(1)).model
    row = compiled.compared("perceptron", mlp, MLP(), torch.randn(4, 2), 1, 1)
    assert set(vars(row)) == ROW
    assert row.ratio > 0


@pytest.mark.parametrize("name", ["lenet5", "googlenet-small", "resnet18-small"])
def test_torch_compile_makes_one_graph_of_a_convolutional_preset(name):
    assert compiled.graphs_of(name).good


def test_the_networks_to_compare_with_are_the_published_ones():
    with torch.device("meta"):
        counts = [sum(each.numel() for each in make().parameters()) for make in (resnet18, resnet152)]
    assert counts == [11_689_512, 60_192_808]


def test_a_run_leaves_less_than_twenty_bytes_a_step(tmp_path):
    """A million steps may take 20 MB: what Python holds grows no faster than that."""
    held: dict[int, int] = {}

    def look(step: int) -> None:
        if step >= endurance.FIRST and (not held or step == STEPS):
            gc.collect()
            held[step] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        endurance.train(endurance.tiny(STEPS), tmp_path / "run", look)
    finally:
        tracemalloc.stop()
    (first, before), (last, after) = sorted(held.items())
    assert after - before < 20 * (last - first)
