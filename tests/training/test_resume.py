"""A run that was interrupted goes on bit for bit: the same weights, the same curve."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import FileError
from engine.graph.document import Objective
from engine.graph.objectives import set_losses, set_moved
from engine.graph.settings import set_learning, set_optimizer, set_rule, set_schedule, set_training
from engine.runs.log import losses, read_events, settled
from engine.storage.document_file import save_document
from engine.training import saving
from engine.training.events import Changed, Failed, Finished, Progress, Resumed, Started, State
from engine.training.moment import load_moment, moments, newest_moment, pack, save_moment, unpack
from engine.training.runner import Runner
from tests.graph.test_objectives import two_heads
from tests.training.documents import lenet, spirals
from tests.training.test_runner import LIMIT, Tail, complete, of, run  # noqa: F401

MAIN = Path(__file__).resolve().parents[2] / "main.py"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def curve(folder: Path) -> np.ndarray:
    """The losses as the folder's log tells them, without what was taken back."""
    steps, values = losses(settled(read_events(folder)))
    assert np.array_equal(steps, np.arange(1, len(steps) + 1))
    return values


def interrupted(run, document, folder: Path, *stops: int) -> Path:  # noqa: F811
    """Train with a stop after each of so many steps, going on every time in a new runner."""
    for place, stop in enumerate((*stops, 0)):
        runner = run(document, out=folder) if not place else run.resumed(folder)
        count = [stop and stop - (stops[place - 1] if place else 0)]
        original = runner.stepped

        def counted(loss, runner=runner, original=original, count=count):
            count[0] -= 1
            if not count[0]:
                runner._stopped = runner._asked = True
            return original(loss)

        runner.stepped = counted
        events = complete(runner)
        assert not of(events, Failed), of(events, Failed)
        assert of(events, Finished)[0].reason == ("stopped" if stop else "done")
    return folder


@pytest.fixture
def resuming(run):  # noqa: F811
    """``run`` that can also make a runner that goes on in a folder."""
    made = []

    def resumed(folder):
        made.append(Runner.resumed(folder))
        return made[-1]

    run.resumed = resumed
    yield run
    for runner in made:
        runner.close()


def dropped(**settings):
    return set_training(spirals(epochs=8, dropout=True), **settings)


def scheduled():
    document = set_schedule(spirals(epochs=8, dropout=True), "OneCycleLR", pct_start=0.4)
    return set_rule(document, warmup=11, clip_norm=0.5, l2=1e-4)


def plateau():
    return set_schedule(spirals(epochs=8), "ReduceLROnPlateau", patience=0, factor=0.5)


def accumulated():
    return set_rule(set_optimizer(spirals(epochs=8), "SGD", momentum=0.9), accumulate=4)


def played():
    """Two objectives that take turns on parts of the network."""
    document = two_heads()
    training = replace(document.training, objectives=(Objective(), Objective(optimizer="SGD")), epochs=2)
    document = document.with_(training=replace(training, batch_size=100))
    document = set_losses(set_losses(document, 0, {"right": 1.0}), 1, {"alike": 2.0, "right": 0.1})
    return set_rule(set_moved(document, 1, ["again", "trunk"]), 1, every=3)


DOCUMENTS = {
    "dropout": dropped,
    "channels last": lambda: lenet(epochs=2),
    "one cycle": scheduled,
    "plateau": plateau,
    "accumulation": accumulated,
    "average": lambda: dropped(average=0.95),
    "best": lambda: dropped(keep_best=True, patience=50),
    "balance": lambda: dropped(balance="sampling"),
    "bfloat16": lambda: dropped(precision="bfloat16"),
    "two objectives": played,
    "multipliers": lambda: set_learning(set_learning(dropped(), ["fc1"], rate=0.1), ["scores"], rate=2.0),
    "Muon": lambda: set_optimizer(spirals(epochs=8), "Muon"),
    "LBFGS": lambda: set_optimizer(spirals(epochs=3), "LBFGS"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_interrupted_run_ends_like_an_uninterrupted_one(name, resuming, tmp_path):
    document = DOCUMENTS[name]()
    complete(resuming(document, out=tmp_path / "whole"))
    steps = len(curve(tmp_path / "whole"))
    rng = random.Random(name)
    stops = sorted(rng.sample(range(1, steps), min(3, steps - 1)))
    interrupted(resuming, document, tmp_path / "parts", *stops)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert np.array_equal(curve(tmp_path / "whole"), curve(tmp_path / "parts"))
    metrics = [(tmp_path / each / "metrics.csv").read_text("utf-8") for each in ("whole", "parts")]
    assert metrics[0] == metrics[1]


def test_what_was_changed_by_hand_stays_changed(resuming, tmp_path):
    """The rate, the batch size and what is frozen are changed at a step; both runs go through it alike."""
    document = spirals(epochs=8, dropout=True)
    ends = []
    for name, stops in (("whole", ()), ("parts", (41,))):
        runner = resuming(document, out=tmp_path / name)
        orders = {
            20: [("optimizer.lr", 0.02), ("batch_size", 20)],
            30: [("fc1.frozen", True), ("dropout1.p", 0.2)],
        }
        orders[35] = [("scores.rate", 0.5), ("loss.loss", 2.0)]
        for place in range(len(stops) + 1):
            if place:
                runner = resuming.resumed(tmp_path / name)
            tail = Tail(runner)
            runner.start(paused=True)
            tail.state("paused")
            while runner._setup.position.step < 41:
                for order in orders.pop(runner._setup.position.step, []):
                    runner.set(*order)
                runner.step()
                tail.until(lambda event: isinstance(event, Progress))
            if place < len(stops):
                runner.stop()
            else:
                runner.resume()
            assert runner.join(LIMIT)
        ends.append(weights(tmp_path / name))
        assert len([event for event in read_events(tmp_path / name) if isinstance(event, Changed)]) == 6
    assert same(*ends)
    assert np.array_equal(curve(tmp_path / "whole"), curve(tmp_path / "parts"))


def test_the_window_is_told_where_a_resumed_run_begins(resuming, tmp_path):
    interrupted(resuming, spirals(epochs=4), tmp_path / "run", 20)
    events = read_events(tmp_path / "run")
    assert [event.step for event in events if isinstance(event, Resumed)] == [20]
    assert [event.step for event in events if isinstance(event, Started)] == [0, 20]


def test_a_run_that_is_over_can_be_looked_at_but_has_nothing_left_to_do(resuming, tmp_path):
    complete(resuming(spirals(epochs=2), out=tmp_path / "run"))
    before = weights(tmp_path / "run")
    events = complete(resuming.resumed(tmp_path / "run"))
    assert of(events, Finished)[0].reason == "done"
    assert same(before, weights(tmp_path / "run"))


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"document\.netwright"):
        Runner.resumed(tmp_path)


def test_a_damaged_moment_is_passed_over(resuming, tmp_path):
    document = spirals(epochs=8, dropout=True)
    complete(resuming(document, out=tmp_path / "whole"))
    interrupted(resuming, document, tmp_path / "run", 30)
    folder = tmp_path / "run" / "moments"
    assert [step for step, _ in moments(folder)] == [0, 30, 104]
    complete(resuming(document, out=tmp_path / "cut"))
    newest = moments(tmp_path / "cut" / "moments")[-1][1]
    newest.write_bytes(newest.read_bytes()[:200])
    complete(resuming.resumed(tmp_path / "cut"))
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_values_go_into_a_moment_and_come_back(tmp_path):
    state = {
        "a": [1, 2.5, "three", None, True],
        "b": ({3: torch.arange(4)}, ()),
        "c": {"nan": float("nan"), "empty": {}},
        "d": torch.zeros(()),
        "e": torch.ones(2, 3, dtype=torch.bfloat16),
    }
    save_moment(tmp_path / "1.safetensors", state)
    found = load_moment(tmp_path / "1.safetensors")
    assert found["a"] == state["a"]
    assert list(found["b"][0]) == [3]
    assert torch.equal(found["b"][0][3], torch.arange(4))
    assert isinstance(found["b"], tuple)
    assert np.isnan(found["c"]["nan"])
    assert found["e"].dtype == torch.bfloat16
    assert unpack(*pack((1, [2]))) == (1, [2])
    with pytest.raises(TypeError, match="cannot keep"):
        pack({"it": object()})
    save_file({"x": torch.zeros(1)}, tmp_path / "2.safetensors")
    with pytest.raises(FileError, match="no moment"):
        load_moment(tmp_path / "2.safetensors")


def test_a_full_disk_pauses_the_run_and_leaves_the_moment_before_whole(resuming, tmp_path, monkeypatch):
    document = set_training(spirals(epochs=100_000), save_every=0.001)
    runner = resuming(document, out=tmp_path / "run")
    tail = Tail(runner)
    full = threading.Event()
    original = saving.save_moment

    def save(path, state):
        if not full.is_set():
            original(path, state)
            return
        from engine.storage.failures import why_not_written

        raise FileError(why_not_written(path, OSError(28, "No space left on device")))

    monkeypatch.setattr(saving, "save_moment", save)
    runner.start()
    tail.until(lambda event: isinstance(event, Progress) and len(moments(tmp_path / "run/moments")) > 1)
    full.set()
    paused = tail.until(lambda event: isinstance(event, State) and event.state == "paused")
    assert "full" in paused.reason.lower() or "space" in paused.reason.lower()
    assert newest_moment(tmp_path / "run" / "moments")["position"]["step"] > 0
    full.clear()
    runner.resume()
    tail.state("running")
    tail.until(lambda event: isinstance(event, Progress))
    runner.stop()
    assert runner.join(LIMIT)


def test_what_was_learned_is_kept_once_there_is_room(resuming, tmp_path, monkeypatch):
    """The disk is full at the very end: the run waits, and writes when it is told to go on."""
    full, original = [True], saving.save_weights

    def save(model, path):
        if full[0]:
            raise FileError("The disk is full.")
        original(model, path)

    monkeypatch.setattr(saving, "save_weights", save)
    runner = resuming(spirals(epochs=2), out=tmp_path / "run")
    tail = Tail(runner)
    runner.start()
    paused = tail.until(lambda event: isinstance(event, State) and event.state == "paused")
    assert paused.reason == "The disk is full."
    full[0] = False
    runner.resume()
    assert tail.until(lambda event: isinstance(event, Finished)).reason == "done"
    assert runner.join(LIMIT)
    assert weights(tmp_path / "run")


KILLS = 3
"""Of the fifty that were tried by hand; each costs the start of a process."""


def test_killed_at_any_moment_it_ends_with_the_same_weights(tmp_path):
    """A killed process leaves what it had written; the next one goes on from what is whole."""
    document = set_training(spirals(epochs=60, dropout=True), save_every=0.002)
    save_document(document, tmp_path / "d.netwright")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(tmp_path / "d.netwright", "--out", str(whole)).wait()
    rng, again = random.Random(5), ["--out", str(parts)]
    killed = 0
    target: str | Path = tmp_path / "d.netwright"
    while True:
        process = train(target, *again)
        wanted = rng.randrange(1, 400)
        while process.poll() is None and not (killed < KILLS and steps_of(parts) >= wanted):
            threading.Event().wait(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        if process.wait() == 0:
            break
        if (parts / "status.json").exists():
            target, again = parts, ["--resume"]
    assert killed
    assert same(weights(whole), weights(parts))
    assert np.array_equal(curve(whole), curve(parts))


def train(target: Path, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(MAIN), "train", str(target), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def steps_of(folder: Path) -> int:
    found = moments(folder / "moments")
    return found[-1][0] if found else 0
