"""Processes of torchrun that train together: the curve of one process, restarts, a clean end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.distributed.launch import Local
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.objectives import add_objective, set_losses, set_moved
from engine.graph.settings import set_rule, set_training
from engine.runs.log import losses, read_events
from engine.storage.document_file import save_document
from engine.training.checkpoint import read_weights
from engine.training.events import Failed, Started
from engine.training.runner import Runner
from engine.training.status import WEIGHTS, read_status
from tests.training.documents import spirals


def alone(document: Document, folder: Path) -> None:
    """Train a document in this process."""
    runner = Runner(document, out=folder)
    runner.start()
    assert runner.join(120)
    assert not [event for event in runner.events.drain() if isinstance(event, Failed)]


def same_curve(one: Path, other: Path) -> None:
    """Both have told the same losses at the same steps, and learned the same."""
    (steps, values), (others, other_values) = losses(read_events(one)), losses(read_events(other))
    assert steps.tolist() == others.tolist()
    np.testing.assert_allclose(values, other_values, rtol=2e-3, atol=2e-4)
    weights, other_weights = read_weights(one / WEIGHTS), read_weights(other / WEIGHTS)
    for name, value in weights.items():
        np.testing.assert_allclose(value, other_weights[name], rtol=0.01, atol=2e-3, err_msg=name)
    metrics, other_metrics = read_status(one).metrics, read_status(other).metrics
    assert metrics.keys() == other_metrics.keys()
    for name, value in metrics.items():
        assert value == pytest.approx(other_metrics[name], abs=5e-3), name


def together(
    document: Document, folder: Path, processes: int, **more: str
) -> subprocess.CompletedProcess[str]:
    """Train a document in processes of torchrun, as somebody types it."""
    launch = Local(folder, processes)
    launch.folder.mkdir()
    save_document(document, folder / "given.netwright")
    command = [
        *launch.command(str(folder / "given.netwright")),
        *(part for pair in more.items() for part in pair),
    ]
    return subprocess.run(
        command, env={**os.environ, **launch.environment()}, capture_output=True, text=True, timeout=150
    )


def rich() -> Document:
    """Two objectives with different nodes, rules and kinds of loss, on batches that cannot be halved."""
    b = Builder("Rich")
    data = b.add("Spirals")
    x = b.add("ReLU", b.add("Linear", data, out_features=24, id="first"), id="relu")
    scores = b.add("Linear", x, out_features=3, id="scores")
    b.add("CrossEntropyLoss", scores, data["label"], id="mean")
    b.add("CrossEntropyLoss", scores, data["label"], id="sum", reduction="sum")
    b.train("SGD", lr=0.05, epochs=3, batch_size=37)
    document = b.document()
    document = add_objective(document)
    document = set_losses(document, 0, {"mean": 1.0})
    document = set_losses(document, 1, {"mean": 0.5, "sum": 0.01})
    document = set_moved(document, 0, ["first"])
    document = set_moved(document, 1, ["scores"])
    document = set_rule(document, 0, clip_norm=0.5, accumulate=2)
    document = set_rule(document, 1, l2=0.001, warmup=5)
    return set_training(document, average=0.9)


def test_two_processes_give_the_curve_of_one(tmp_path: Path) -> None:
    document = rich()
    alone(document, tmp_path / "one")
    done = together(document, tmp_path / "two", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done after") == 1  # one speaks for all
    same_curve(tmp_path / "one", tmp_path / "two")
    (started,) = (event for event in read_events(tmp_path / "two") if isinstance(event, Started))
    assert "2 processes train together (DDP)." in started.notes


def test_four_processes_give_the_curve_of_one(tmp_path: Path) -> None:
    alone(spirals(epochs=4), tmp_path / "one")
    done = together(spirals(epochs=4), tmp_path / "four", 4)
    assert done.returncode == 0, done.stderr
    same_curve(tmp_path / "one", tmp_path / "four")
