"""The exported script carries whatever an objective can ask for: the same losses and weights as our run."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.export import export
from engine.graph.build import Builder
from engine.graph.document import Document, Objective
from engine.graph.settings import set_learning, set_training
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training.checkpoint import save_weights
from engine.training.numerics import numerics
from tests.export.test_script import ran, reports

SHORT = {
    "StepLR": {"step_size": 1},
    "MultiStepLR": {"milestones": (1, 2)},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"step_size_up": 3, "mode": "exp_range", "gamma": 0.99},
    "ReduceLROnPlateau": {"patience": 0, "threshold": 0.5},
}
"""Options with which a schedule does something within three epochs."""


def small(epochs: int = 3, **training: object) -> Document:
    """2-8-3 on points, with two losses; ten steps an epoch."""
    b = Builder("Small")
    data = b.add("Spirals", samples=600, id="points")
    x = b.add("Tanh", b.add("Linear", data, out_features=8, id="first"))
    scores = b.add("Linear", x, out_features=3, id="scores")
    b.add("CrossEntropyLoss", scores, data["label"], id="loss")
    b.add("MSELoss", b.add("Linear", x, out_features=2, id="again"), data, id="other")
    b.train("Adam", epochs=epochs, batch_size=48)
    return set_training(b.document(), **training)


def minimizing(*objectives: Objective, **training: object) -> Document:
    document = small(**training)
    return document.with_(training=replace(document.training, objectives=objectives))


def agrees(document: Document, folder: Path) -> str:
    """Export, run the script here, compare with our run, and return its text."""
    export(document, folder / "net.py", "script")
    text = (folder / "net.py").read_text(encoding="utf-8")
    threads, before, arguments = torch.get_num_threads(), torch.get_rng_state(), sys.argv
    said = io.StringIO()
    try:
        sys.argv = ["net.py", "--device", "cpu"]
        with redirect_stdout(said), numerics(document.training, 0):
            names = {"__name__": "__main__", "__file__": str(folder / "net.py")}
            exec(compile(text, "net.py", "exec"), names)
    finally:
        sys.argv = arguments
        torch.set_num_threads(threads)
        torch.set_rng_state(before)
    told = reports(said.getvalue())
    runner, evaluated = ran(document)
    assert list(told) == [event.epoch for event in evaluated]
    for event in evaluated:
        assert told[event.epoch] == pytest.approx(dict(event.metrics), rel=1e-6)
    learned = torch.load(folder / "net_weights.pt", weights_only=True)
    for name, value in runner.model.state_dict().items():
        assert torch.equal(learned[name], value), name
    assert max(map(len, text.splitlines())) <= 120
    return text


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_every_optimizer(type_, tmp_path):
    options = {"lr": 0.05, "max_iter": 3} if type_ == "LBFGS" else {}
    text = agrees(minimizing(Objective(optimizer=type_, options=options)), tmp_path)
    assert f"torch.optim.{type_}(" in text


@pytest.mark.parametrize(
    ("type_", "warmup"),
    [
        *((type_, warmup) for type_ in ("", *SCHEDULES) for warmup in (0, 6)),
        ("", 14),
        ("ExponentialLR", 14),
        ("ReduceLROnPlateau", 14),
    ],
)
def test_every_schedule_and_the_warmup_before_it(type_, warmup, tmp_path):
    """Of ten steps an epoch: a warm-up may end within the first or reach into the second."""
    objective = Objective(
        options={"lr": 0.05}, schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=warmup
    )
    text = agrees(minimizing(objective), tmp_path)
    assert (f"lr_scheduler.{type_}(" in text) if type_ else ("lr_scheduler" in text) == bool(warmup)


@pytest.mark.parametrize("type_", ["OneCycleLR", "CosineAnnealingLR", "CyclicLR"])
def test_a_schedule_that_counts_otherwise(type_, tmp_path):
    options = {**SHORT.get(type_, {}), "per": "epoch"}
    agrees(minimizing(Objective(schedule=type_, schedule_options=options, warmup=4)), tmp_path)


def test_a_schedule_with_a_length_of_its_own_stays_at_its_end(tmp_path):
    objective = Objective(schedule="OneCycleLR", schedule_options={"total_steps": 12})
    assert "if schedule.last_epoch < 11:" in agrees(minimizing(objective), tmp_path)


@pytest.mark.parametrize(
    "objective",
    [
        Objective(clip_norm=0.1),
        Objective(clip_value=0.01, clip_norm=0.5, options={"lr": 0.05}),
        Objective(l1=0.01, l2=0.02),
        Objective(accumulate=3, schedule="CosineAnnealingLR", warmup=2),
        Objective(every=2, accumulate=2, clip_norm=0.2, schedule="StepLR", schedule_options={"step_size": 1}),
        Objective(optimizer="Muon", l2=0.01, clip_norm=1.0, schedule="OneCycleLR", warmup=3),
        Objective(optimizer="LBFGS", options={"max_iter": 3, "lr": 0.1}, l1=0.001, clip_value=0.5),
        Objective({"loss": 0.5, "other": 2.0}),
        Objective({"other": 1.0}, nodes=("first", "again")),
    ],
    ids=["clip", "clip both", "penalties", "accumulate", "every", "Muon", "LBFGS", "weights", "nodes"],
)
def test_whatever_an_objective_asks_for(objective, tmp_path):
    agrees(minimizing(objective), tmp_path)


def test_several_objectives_with_everything(tmp_path):
    first = Objective(
        {"loss": 1.0},
        nodes=("first", "scores"),
        schedule="ExponentialLR",
        warmup=5,
        clip_norm=1.0,
        l2=0.01,
    )
    second = Objective({"other": 0.3}, "Muon", nodes=("again", "first"), every=3, accumulate=2)
    third = Objective({}, "SGD", {"lr": 0.01, "momentum": 0.9}, schedule="ReduceLROnPlateau")
    text = agrees(minimizing(first, second, third), tmp_path)
    assert "losses.append(last_1 + last_2 + last_3)" in text
    assert "if step % 3 == 0:" in text


def test_frozen_nodes_and_multipliers(tmp_path):
    document = set_learning(small(), ["again"], frozen=True)
    document = set_learning(document, ["first"], rate=0.25)
    objective = Objective(schedule="OneCycleLR", clip_norm=1.0, l1=0.001, warmup=2)
    document = document.with_(training=replace(document.training, objectives=(objective,)))
    text = agrees(document, tmp_path)
    assert "model.again.requires_grad_(False)" in text
    assert '{"params": [*model.first.parameters()], "lr": 0.00025}' in text


@pytest.mark.parametrize(
    "training",
    [
        {"average": 0.9},
        {"patience": 2, "epochs": 40, "keep_best": True},
        {"average": 0.8, "keep_best": True},
        {"monitor": "val_accuracy", "keep_best": True, "epochs": 5},
        {"monitor": "accuracy", "patience": 1, "epochs": 30},
        {"balance": "sampling"},
        {"precision": "bfloat16"},
        {"deterministic": True, "precision": "tf32"},
    ],
    ids=lambda each: " ".join(each),
)
def test_settings_of_the_whole_run(training, tmp_path):
    fast = Objective(options={"lr": 0.1})
    agrees(minimizing(fast, **training), tmp_path)


def test_weights_that_a_run_begins_with_come_along(tmp_path):
    runner, _ = ran(small(epochs=1))
    save_weights(runner.model, tmp_path / "begin.safetensors")
    document = set_training(small(epochs=2), weights=str(tmp_path / "begin.safetensors"))
    assert 'model.load_state_dict(data["begin"])' in agrees(document, tmp_path)
