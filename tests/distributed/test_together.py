"""Processes of torchrun that train together: the curve of one process, restarts, a clean end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.distributed.follow import Follower, Patience
from engine.distributed.launch import Local
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.objectives import add_objective, set_losses, set_moved
from engine.graph.settings import set_rule, set_training
from engine.runs.log import losses, read_events
from engine.storage.document_file import save_document
from engine.training.checkpoint import read_weights
from engine.training.events import Failed, Finished, Progress, Resumed, Started, State
from engine.training.runner import Runner
from engine.training.status import WEIGHTS, read_status
from tests.distributed.test_follow import Heard, until
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


def worker(launch: Local, rank: int) -> psutil.Process:
    """One of the processes that torchrun started."""
    return next(each for each in launch.processes_now() if each.environ().get("RANK") == str(rank))


def go_on_and_save(follower: Follower, heard: Heard) -> None:
    """Train a while, hold the run, which keeps a moment, and train a while longer."""
    held = pauses(heard)
    follower.resume()
    until(lambda: len(heard.steps()) > 20, 60)
    follower.pause()
    until(lambda: pauses(heard) > held, 60)
    step = heard.steps()[-1]
    follower.resume()
    until(lambda: heard.steps()[-1] > step + 20, 60)


def pauses(heard: Heard) -> int:
    return sum(isinstance(each, State) and each.state == "paused" for each in all_of(heard))


def resumed(heard: Heard) -> bool:
    return heard.any(Resumed) is not None


def same_beginning(one: Path, other: Path) -> None:
    """What the other one told is what the one told at the same steps."""
    (_, values), (steps, others) = losses(read_events(one)), losses(read_events(other))
    assert steps.tolist() == list(range(1, len(steps) + 1))
    np.testing.assert_allclose(values[: len(others)], others, rtol=5e-3, atol=5e-4)


def test_a_killed_process_costs_nothing_but_time(tmp_path: Path) -> None:
    document = spirals(epochs=16)
    alone(document, tmp_path / "one")
    launch = Local(tmp_path / "two", 2)
    follower = Follower(document, launch, Patience(period=0.02))
    heard = Heard(follower)
    follower.pace = 100
    follower.start(paused=True)
    try:
        until(lambda: pauses(heard) == 1, 90)
        follower.step()
        until(lambda: heard.steps() == [1], 60)
        go_on_and_save(follower, heard)
        worker(launch, 1).kill()
        until(lambda: resumed(heard) or not follower.alive, 120)
        follower.pace = 0
        assert follower.join(120)
    finally:
        follower.close()
    assert heard.any(Failed) is None
    assert heard.any(Finished).reason == "done"
    assert next(event for event in heard.events if isinstance(event, Resumed)).step > 0
    same_curve(tmp_path / "one", tmp_path / "two")


def test_shared_weights_go_on_after_a_kill_and_end_when_the_system_asks(tmp_path: Path) -> None:
    document = spirals(epochs=100)
    alone(set_training(document, epochs=40), tmp_path / "one")
    launch = Local(tmp_path / "two", 2, parallel="fsdp")
    follower = Follower(document, launch, Patience(period=0.02))
    heard = Heard(follower)
    follower.pace = 60
    follower.start()
    try:
        until(lambda: heard.steps(), 90)
        go_on_and_save(follower, heard)
        worker(launch, 0).kill()
        until(lambda: resumed(heard) or not follower.alive, 120)
        until(lambda: len(since(heard, Resumed)) > 20, 60)
        launch.end()  # as a queue does when the time is over
        assert follower.join(60)
    finally:
        follower.close()
    assert heard.any(Failed) is None
    ended = heard.any(Finished)
    assert ended.reason == "stopped"
    assert last(heard, Resumed).step > 0
    same_beginning(tmp_path / "one", tmp_path / "two")
    (newest, *_) = sorted((tmp_path / "two" / "moments").glob("*.shares"), reverse=True)
    assert int(newest.stem) == ended.steps
    assert read_weights(tmp_path / "two" / WEIGHTS)["scores.weight"].shape == (3, 100)


def all_of(heard: Heard) -> list[object]:
    heard.any(Failed)
    return heard.events


def since(heard: Heard, kind: type) -> list[int]:
    """The steps that were told after the last event of a kind."""
    events = all_of(heard)
    first = max(place for place, event in enumerate(events) if isinstance(event, kind))
    return [int(step) for event in events[first:] if isinstance(event, Progress) for step in event.step]


def last(heard: Heard, kind: type) -> object:
    return next(event for event in reversed(all_of(heard)) if isinstance(event, kind))
