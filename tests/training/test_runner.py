"""A run from outside: events, pausing, stopping, changing, watching."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
import torch

from engine.errors import ParameterError, TrainingError
from engine.graph import edits, settings
from engine.graph.build import Builder
from engine.graph.document import Slot
from engine.training.events import (
    Changed,
    Evaluated,
    Failed,
    Finished,
    Progress,
    Snapshot,
    Started,
    State,
    Watch,
)
from engine.training.minimizer import Minimizer
from engine.training.runner import Runner
from tests.training.documents import autoencoder, lenet, spirals

LIMIT = 60
"""Seconds after which a run that should have ended is taken for hung."""


@pytest.fixture
def run():
    """Make runners that are closed at the end, whatever happens."""
    made = []

    def make(*args, **kwargs) -> Runner:
        made.append(Runner(*args, **kwargs))
        return made[-1]

    yield make
    for runner in made:
        runner.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("netwright")]


def complete(runner: Runner) -> list:
    runner.start()
    assert runner.join(LIMIT)
    return runner.events.drain()


def of(events: list, kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def losses(events: list) -> np.ndarray:
    return np.concatenate([event.loss for event in of(events, Progress)])


class Tail:
    """Reads a runner's events until one comes that is looked for."""

    def __init__(self, runner: Runner):
        self.runner = runner
        self.seen: list = []

    def until(self, wanted) -> object:
        """Return the first new event for which ``wanted`` holds."""
        idle = threading.Event()
        for _ in range(LIMIT * 200):
            events = self.runner.events.drain()
            self.seen += events
            found = next((event for event in events if wanted(event)), None)
            if found is not None:
                return found
            idle.wait(0.005)
        raise AssertionError(f"never came; last of {len(self.seen)} events: {self.seen[-3:]}")

    def state(self, state: str) -> None:
        self.until(lambda event: isinstance(event, State) and event.state == state)


def test_spirals_are_learned(run):
    events = complete(run(spirals(epochs=100)))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert (started.steps, started.steps_per_epoch, started.parameters) == (1300, 13, 603)
    assert isinstance(finished, Finished)
    assert finished.reason == "done"
    assert finished.metrics["val_accuracy"] > 0.95
    assert finished.metrics.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    steps = np.concatenate([event.step for event in of(events, Progress)])
    assert steps.tolist() == list(range(1, 1301))
    assert [event.epoch for event in of(events, Evaluated)] == list(range(1, 101))


def test_lenet_learns_digits(run):
    events = complete(run(lenet(epochs=5)))
    assert of(events, Finished)[0].metrics["val_accuracy"] > 0.9


def test_autoencoder_has_no_accuracy(run):
    events = complete(run(autoencoder()))
    metrics = [event.metrics for event in of(events, Evaluated)]
    assert metrics[0].keys() == {"loss", "val_loss"}
    assert metrics[-1]["val_loss"] < metrics[0]["val_loss"]


def test_same_seed_same_curve_also_when_watched(run):
    document = spirals(epochs=30, dropout=True)
    alone = complete(run(document))
    watched = run(document)
    watched.watch = Watch(frozenset(document.nodes), selected="fc1", regions=True, samples=True)
    seen = complete(watched)
    assert of(seen, Snapshot)
    assert np.array_equal(losses(alone), losses(seen))
    assert of(alone, Evaluated) == of(seen, Evaluated)
    other = settings.set_training(document, seed=1)
    assert not np.array_equal(losses(alone), losses(complete(run(other))))


def test_watching_a_batch_norm_leaves_its_statistics(run):
    b = Builder("Norm")
    data = b.add("Digits", size=8)
    x = b.add("ReLU", b.add("BatchNorm2d", b.add("Conv2d", data, out_channels=4, kernel_size=3)))
    b.add("CrossEntropyLoss", b.add("Linear", b.add("Flatten", x), out_features=10), data["label"])
    b.train("SGD", epochs=2, batch_size=64)
    document = b.document()
    alone, watched = run(document), run(document)
    watched.watch = Watch(frozenset(document.nodes), samples=True)
    assert np.array_equal(losses(complete(alone)), losses(complete(watched)))
    for name, value in alone.model.state_dict().items():
        assert torch.equal(value, watched.model.state_dict()[name]), name


def test_pause_step_resume_stop(run):
    runner = run(spirals(epochs=100_000))
    tail = Tail(runner)
    runner.start(paused=True)
    tail.state("paused")
    assert not of(tail.seen, Progress)
    for _ in range(3):
        runner.step()
    tail.until(lambda event: isinstance(event, Progress) and event.step[-1] == 3)
    runner.resume()
    tail.state("running")
    tail.until(lambda event: isinstance(event, Progress) and event.step[-1] > 20)
    runner.pause()
    tail.state("paused")
    last = of(tail.seen, Progress)[-1].step[-1]
    runner.step()
    assert tail.until(lambda event: isinstance(event, Progress)).step.tolist() == [last + 1]
    assert runner.alive
    runner.stop()
    finished = tail.until(lambda event: isinstance(event, Finished))
    assert (finished.reason, finished.steps) == ("stopped", last + 1)
    assert runner.join(LIMIT)
    assert not runner.alive


def test_a_last_batch_of_one_row_is_left_out(run):
    b = Builder("Norm")
    data = b.add("Gaussians", samples=65, validation=0)
    x = b.add("BatchNorm1d", b.add("Linear", data, out_features=4))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=2), data["label"])
    b.train("SGD", epochs=3, batch_size=16)
    events = complete(run(b.document()))
    assert (events[0].steps, events[-1].steps) == (12, 12)


def test_a_table_without_held_out_rows(run):
    b = Builder("XOR")
    data = b.add("XOR", samples=4, noise=0, validation=0)
    x = b.add("Tanh", b.add("Linear", data, out_features=8))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=2), data["label"])
    b.train("Adam", lr=0.05, epochs=200, batch_size=32)
    runner = run(b.document())
    runner.watch = Watch(regions=True, samples=True)
    events = complete(runner)
    metrics = of(events, Finished)[0].metrics
    assert metrics.keys() == {"loss", "accuracy"}
    assert metrics["accuracy"] == 1
    # An epoch is one step here: every tenth is evaluated.
    assert [event.epoch for event in of(events, Evaluated)] == list(range(10, 201, 10))
    assert len(of(events, Snapshot)[-1].samples.targets) == 4


def test_pausing_does_not_change_the_curve(run):
    document = spirals(epochs=10, dropout=True)
    alone = losses(complete(run(document)))
    runner = run(document)
    runner.watch = Watch(frozenset(document.nodes))
    tail = Tail(runner)
    runner.start(paused=True)
    tail.state("paused")
    for _ in range(5):
        runner.step()
    runner.resume()
    tail.until(lambda event: isinstance(event, Finished))
    assert np.array_equal(alone, losses(tail.seen))


def test_any_order_of_commands_ends_with_the_same_curve(run):
    document = spirals(epochs=40, dropout=True)
    alone = losses(complete(run(document)))
    rng = random.Random(0)
    for _ in range(5):
        runner = run(document)
        commands = (
            runner.pause,
            runner.resume,
            runner.step,
            lambda: setattr(runner, "watch", Watch(selected="fc1", sample=rng.randrange(64))),  # noqa: B023
        )
        runner.start(paused=rng.random() < 0.5)
        for _ in range(200):
            rng.choice(commands)()
            runner.join(rng.choice((0, 0, 0.001)))
        runner.resume()
        assert runner.join(LIMIT)
        assert np.array_equal(alone, losses(runner.events.drain()))


def test_many_runs_leave_no_thread(run):
    before = threading.active_count()
    document = spirals(epochs=100_000)
    for turn in range(100):
        runner = Runner(document)
        runner.start(paused=turn % 2 == 0)
        runner.stop()
        assert runner.join(LIMIT)
    assert threading.active_count() == before


def test_learning_rate_changes_while_it_runs(run):
    runner = run(spirals(epochs=100_000))
    tail = Tail(runner)
    runner.start(paused=True)
    tail.state("paused")
    runner.set("lr", 0)
    change = tail.until(lambda event: isinstance(event, Changed))
    assert change == Changed(0, "optimizer.lr", 0.01, 0.0)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.step()
    assert tail.until(lambda event: isinstance(event, Progress)).lr == 0
    assert all(torch.equal(value, before[name]) for name, value in runner.model.state_dict().items())
    runner.set("beta1", 0.5)
    assert tail.until(lambda event: isinstance(event, Changed)) == Changed(1, "optimizer.beta1", 0.9, 0.5)
    runner.set("lr", 0.1)
    tail.until(lambda event: isinstance(event, Changed))
    runner.step()
    assert tail.until(lambda event: isinstance(event, Progress)).lr == 0.1
    assert not torch.equal(runner.model.scores.weight, before["scores.weight"])


def test_refused_changes(run):
    runner = run(spirals())
    with pytest.raises(ParameterError, match="momentum"):
        runner.set("momentum", 0.9)
    with pytest.raises(ParameterError, match="at least 0"):
        runner.set("lr", -1)
    with pytest.raises(ParameterError, match="at least 0"):
        runner.set("lr", float("nan"))


def test_a_run_begins_once(run):
    runner = run(spirals(epochs=1))
    complete(runner)
    with pytest.raises(TrainingError, match="already"):
        runner.start()


def test_new_watch_is_answered_while_paused_and_afterwards(run):
    runner = run(spirals(epochs=1))
    tail = Tail(runner)
    runner.start(paused=True)
    tail.state("paused")
    runner.watch = Watch(selected="fc1")
    first = tail.until(lambda event: isinstance(event, Snapshot))
    assert (first.step, first.selected, first.weights.moved) == (0, "fc1", 0)
    runner.resume()
    tail.until(lambda event: isinstance(event, Finished))
    for sample in range(1, 20):
        runner.watch = Watch(selected="scores", sample=sample)
    last = tail.until(lambda event: isinstance(event, Snapshot) and event.sample == 19)
    assert last.detail.labels == ("0", "1", "2")
    assert last.weights.moved > 0
    assert runner.join(LIMIT)


def test_exploding_loss_names_the_node(run):
    failed = complete(run(spirals(epochs=5, lr=1e30)))[-1]
    assert isinstance(failed, Failed)
    assert failed.node in ("fc1", "scores", "loss")
    assert "learning rate" in failed.message


def test_nan_never_reaches_the_weights(run):
    b = Builder("Product")
    data = b.add("Line")
    x = b.add("Linear", data, out_features=1)
    for _ in range(4):
        x = b.add("Multiply", x, x)
    b.add("MSELoss", x, data["y"], id="loss")
    b.train("SGD", lr=1.0, epochs=50, batch_size=16)
    runner = run(b.document())
    failed = complete(runner)[-1]
    assert isinstance(failed, Failed)
    assert failed.node.startswith(("mul", "loss"))
    assert all(value.isfinite().all() for value in runner.model.parameters())


def test_deferred_losses_give_the_same_curve_and_are_checked(run, monkeypatch):
    document = spirals(epochs=10)
    at_once = complete(run(document))
    original = Minimizer.__init__

    def deferred(self, *args, **options):
        original(self, *args, **options)
        self._deferred = True

    monkeypatch.setattr(Minimizer, "__init__", deferred)
    later = complete(run(document))
    assert np.allclose(losses(at_once), losses(later), rtol=1e-6)
    failed = complete(run(spirals(epochs=5, lr=1e30)))[-1]
    assert isinstance(failed, Failed)
    assert failed.node in ("fc1", "scores", "loss")


def test_document_without_data_or_loss_fails_with_a_sentence(run):
    b = Builder("Empty")
    b.add("Linear", b.add("Input", shape=(4,)))
    failed = complete(run(b.document()))
    assert [type(event) for event in failed] == [Failed]
    assert "nothing to learn" in failed[0].message


def test_errors_of_a_step_lead_to_their_node(run):
    document = edits.set_params(spirals(), "scores", out_features=2)
    failed = complete(run(document))[-1]
    assert isinstance(failed, Failed)
    assert failed.node == "loss"


def test_unconnected_input_is_named(run):
    document = spirals()
    cut = edits.disconnect(document, [Slot("scores", "x")])
    failed = complete(run(cut))[-1]
    assert isinstance(failed, Failed)
    assert failed.node == "scores"


def test_run_folder(run, tmp_path):
    from safetensors.torch import load_file

    out = tmp_path / "run"
    runner = run(spirals(epochs=3), out=out)
    events = complete(runner)
    assert of(events, Finished)[0].run == str(out)
    assert {path.name for path in out.iterdir()} == {
        "document.netwright",
        "environment.json",
        "events.jsonl",
        "metrics.csv",
        "moments",
        "run.json",
        "status.json",
        "system.csv",
        "weights.safetensors",
    }
    rows = (out / "metrics.csv").read_text().splitlines()
    assert rows[0] == "step,epoch,loss,val_loss,accuracy,val_accuracy"
    assert len(rows) == 4
    assert '"done"' in (out / "status.json").read_text()
    weights = load_file(out / "weights.safetensors")
    assert torch.equal(weights["scores.weight"], runner.model.scores.weight)


def test_folder_that_cannot_be_made_fails_the_run(run, tmp_path):
    (tmp_path / "file").write_text("")
    failed = complete(run(spirals(epochs=1), out=tmp_path / "file" / "run"))
    assert [type(event) for event in failed] == [Failed]
    assert "could not be written" in failed[0].message
