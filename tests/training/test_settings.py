"""What the settings of a run do: each against torch, or against what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.errors import TrainingError
from engine.graph.build import Builder
from engine.graph.document import Objective
from engine.graph.objectives import set_losses, set_moved
from engine.graph.settings import set_learning, set_optimizer, set_rule, set_training
from engine.training.events import Failed, Finished, Started
from engine.training.loop import evaluation, train
from engine.training.numerics import numerics
from engine.training.setup import prepare
from tests.graph.test_objectives import two_heads
from tests.training.documents import lenet, spirals
from tests.training.test_runner import complete, losses, of, run  # noqa: F401


class Ear:
    """Listens to a loop: keeps the losses, ends it after some steps."""

    def __init__(self, steps: int = 10**9):
        self.left, self.losses, self.metrics = steps, [], []

    def stepped(self, loss) -> bool:
        self.losses.append(float(loss))
        self.left -= 1
        return self.left > 0

    def evaluated(self, metrics) -> None:
        self.metrics.append(metrics)


def trained(document, steps: int = 10**9):
    """Return the setup after a run of so many steps, and what the run told."""
    setup, ear = prepare(document), Ear(steps)
    with numerics(document.training, setup.threads):
        setup.ended = train(setup, ear)
    return setup, ear


def state(setup):
    return {name: value.clone() for name, value in setup.model.state_dict().items()}


def heads(*objectives: Objective, **settings):
    document = two_heads()
    training = replace(document.training, objectives=objectives, epochs=1, batch_size=100)
    return set_training(document.with_(training=training), **settings)


# Objectives.


def test_each_objective_moves_what_it_names_with_its_own_optimizer():
    document = heads(Objective({"right": 1.0}, nodes=("scores",)), Objective({"alike": 1.0}, "SGD"))
    before = state(prepare(document))
    setup, _ = trained(document, 1)
    moved = {name for name, value in state(setup).items() if not torch.equal(value, before[name])}
    assert moved == {f"{node}.{part}" for node in ("trunk", "scores", "again") for part in ("weight", "bias")}
    kinds = [type(optimizer).__name__ for each in setup.minimizers for optimizer in each.optimizers]
    assert kinds == ["Adam", "SGD"]
    only = set_moved(document, 1, ["again"])
    setup, _ = trained(only, 3)
    assert torch.equal(state(setup)["trunk.weight"], before["trunk.weight"])
    assert not torch.equal(state(setup)["again.weight"], before["again.weight"])


def test_objectives_leave_no_gradients_for_each_other():
    """Two objectives on the same weights step as two optimizers would by hand, one after the other."""
    document = heads(
        Objective({"right": 1.0}, "SGD", {"lr": 0.1}), Objective({"alike": 2.0}, "SGD", {"lr": 0.05})
    )
    setup, _ = trained(document, 5)
    other = prepare(document)
    model, goals = other.model, other.built.objectives
    first, second = torch.optim.SGD(model.parameters(), 0.1), torch.optim.SGD(model.parameters(), 0.05)
    with numerics(document.training, other.threads):
        for batch, _ in zip(other.batches.epoch(1), range(5), strict=False):
            for optimizer, goal in ((first, goals[0]), (second, goals[1])):
                optimizer.zero_grad()
                goal(model, batch).backward()
                optimizer.step()
    for name, value in state(setup).items():
        assert torch.allclose(value, state(other)[name], atol=1e-7), name


def test_an_objective_may_step_less_often():
    document = set_rule(
        heads(Objective({"right": 1.0}), Objective({"alike": 1.0}, nodes=("again",))), 1, every=4
    )
    before = state(prepare(document))
    setup, _ = trained(document, 3)
    assert torch.equal(state(setup)["again.weight"], before["again.weight"])
    setup, ear = trained(document, 4)
    assert not torch.equal(state(setup)["again.weight"], before["again.weight"])
    assert len(ear.losses) == 4


def test_the_window_is_told_each_objectives_loss(run):  # noqa: F811
    events = complete(run(heads(Objective({"right": 1.0}), Objective({"alike": 1.0}))))
    from engine.training.events import Progress

    for event in of(events, Progress):
        assert event.parts.shape == (2, len(event.loss))
        assert np.allclose(event.parts.sum(0), event.loss)


def test_accumulating_two_batches_is_one_batch_of_twice_the_size():
    document = set_training(set_optimizer(spirals(epochs=1), "SGD", lr=0.5), batch_size=50)
    half = set_rule(set_training(document, batch_size=25), accumulate=2)
    whole, _ = trained(document, 6)
    parts, _ = trained(half, 12)
    for name, value in state(whole).items():
        assert torch.allclose(value, state(parts)[name], atol=1e-6)


def test_clipping_limits_the_gradient():
    document = set_optimizer(spirals(epochs=1), "SGD", lr=1.0)
    for rule, limit in (("clip_norm", 0.01), ("clip_value", 0.001)):
        setup, _ = trained(set_rule(document, **{rule: limit}), 1)
        gradients = torch.cat([each.parameter.grad.flatten() for each in setup.learners])
        size = gradients.norm() if rule == "clip_norm" else gradients.abs().max()
        assert float(size) == pytest.approx(limit, rel=1e-3)


def test_lasso_makes_zeros_where_ridge_does_not():
    """The course's comparison: an L1 penalty takes weights to nothing, an L2 penalty only shrinks."""
    document = set_optimizer(spirals(epochs=80), "SGD", lr=0.05)
    small = {}
    for rule, amount in (("l1", 0.01), ("l2", 0.01)):
        setup, _ = trained(set_rule(document, **{rule: amount}))
        weight = setup.model.fc1.weight.abs()
        small[rule] = int((weight.amax(1) < 2e-3).sum())
    assert small["l1"] > 30
    assert small["l2"] < small["l1"] / 3


def test_frozen_nodes_stay_and_multipliers_scale_the_first_step():
    document = set_optimizer(spirals(epochs=1), "SGD", lr=0.1)
    before = state(prepare(document))
    plain, _ = trained(document, 1)
    tuned, _ = trained(set_learning(set_learning(document, ["fc1"], frozen=True), ["scores"], rate=0.5), 1)
    assert torch.equal(state(tuned)["fc1.weight"], before["fc1.weight"])
    full = state(plain)["scores.weight"] - before["scores.weight"]
    half = state(tuned)["scores.weight"] - before["scores.weight"]
    assert torch.allclose(half, 0.5 * full, atol=1e-7)
    frozen = set_learning(document, ["fc1", "scores"], frozen=True)
    with pytest.raises(TrainingError, match="every layer with weights is frozen"):
        prepare(frozen)


def test_what_learns_inside_a_block_is_the_blocks_too():
    g = Builder("Blocks")
    with g.block("Pair") as b:
        x = b.input()
        b.output(b.add("Linear", b.add("Linear", x, out_features=8, id="first"), out_features=8, id="second"))
    data = g.add("Spirals")
    x = g.add("Pair", data, id="pair")
    g.add("CrossEntropyLoss", g.add("Linear", x, out_features=3, id="scores"), data["label"])
    g.train("SGD", lr=0.1, epochs=1, batch_size=50)
    document = set_learning(g.document(), ["pair"], rate=0.5)
    inner = document.blocks["Pair"]
    nodes = {
        **inner.nodes,
        "first": replace(inner.nodes["first"], learning=replace(inner.nodes["first"].learning, frozen=True)),
    }
    document = document.with_(blocks={"Pair": replace(inner, nodes=nodes)})
    found = {each.name: (each.frozen, each.rate) for each in prepare(document).learners}
    assert found["pair.first.weight"] == (True, 0.5)
    assert found["pair.second.weight"] == (False, 0.5)
    assert found["scores.weight"] == (False, 1.0)


# What is kept.


def test_the_average_is_what_is_checked_and_kept():
    setup, ear = trained(set_training(spirals(epochs=4), average=0.9))
    mean = {name: value.clone() for name, value in setup.average.module.state_dict().items()}
    assert not torch.equal(mean["fc1.weight"], setup.model.fc1.weight)
    assert evaluation(setup)["val_loss"] == pytest.approx(ear.metrics[-1]["val_loss"])
    setup.conclude()
    assert torch.equal(mean["fc1.weight"], setup.model.fc1.weight)
    assert prepare(spirals()).average is None


def test_the_average_follows_every_step():
    setup, _ = trained(set_training(spirals(epochs=1), average=0.9), 3)
    mean = None
    for steps in (1, 2, 3):
        now = trained(spirals(epochs=1), steps)[0].model.fc1.weight
        mean = now if mean is None else 0.9 * mean + 0.1 * now
    assert torch.allclose(setup.average.module.fc1.weight, mean, atol=1e-6)


def test_a_run_without_progress_ends_early_with_its_best_weights(run, tmp_path):  # noqa: F811
    document = set_training(
        set_optimizer(spirals(epochs=500), "SGD", lr=2.0), patience=6, keep_best=True, batch_size=200
    )
    events = complete(run(document, out=tmp_path / "run"))
    finished = of(events, Finished)[0]
    assert finished.reason == "done"
    assert finished.steps < of(events, Started)[0].steps
    assert "No progress for 6 checks" in finished.note
    from engine.training.events import Evaluated

    best = min(event.metrics["val_loss"] for event in of(events, Evaluated))
    setup = prepare(document)
    setup.model.load_state_dict(load_file(tmp_path / "run" / "weights.safetensors"))
    assert evaluation(setup)["val_loss"] == pytest.approx(best, rel=1e-5)


# Numbers.


def test_half_as_wide_numbers_learn_too():
    plain, _ = trained(lenet(epochs=2))
    half, ear = trained(set_training(lenet(epochs=2), precision="bfloat16"))
    assert half.model.conv1.weight.dtype == torch.float32
    assert not torch.equal(plain.model.conv1.weight, half.model.conv1.weight)
    assert ear.metrics[-1]["val_accuracy"] > 0.8


def test_float16_scales_its_gradients():
    setup, ear = trained(set_training(spirals(epochs=10), precision="float16"))
    assert setup.minimizers[0]._scaler.get_scale() > 1
    assert ear.losses[-1] < ear.losses[0]


def test_the_switches_of_the_process_are_as_before_afterwards():
    def switches():
        return (
            torch.get_float32_matmul_precision(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
        )

    before, inside = switches(), []
    document = set_training(spirals(epochs=1), precision="tf32", deterministic=True)
    with numerics(document.training, 1):
        inside.append(switches())
    assert inside == [("high", True, 1)]
    assert switches() == before


def test_layout_is_chosen_or_said():
    assert prepare(lenet()).channels_last
    assert not prepare(set_training(lenet(), layout="contiguous")).channels_last


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
def test_compiling_gives_the_same_curve(run, monkeypatch):  # noqa: F811
    """Torch's compiler up to the machine's code, which takes a minute to make."""
    compiler = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, mode: compiler(model, backend="aot_eager"))
    document = set_training(spirals(epochs=2), compile=True)
    events = complete(run(document))
    assert not of(events, Failed)
    assert of(events, Started)[0].notes == ()
    plain = complete(run(spirals(epochs=2)))
    assert np.allclose(losses(events), losses(plain), rtol=1e-4)


def test_what_cannot_be_translated_runs_as_it_is(run, monkeypatch):  # noqa: F811
    def refuse(*args, **options):
        def call(*inputs):
            raise RuntimeError("no compiler here")

        return call

    monkeypatch.setattr(torch, "compile", refuse)
    events = complete(run(set_training(spirals(epochs=2), compile=True)))
    assert "no compiler here" in of(events, Started)[0].notes[0]
    assert np.array_equal(losses(events), losses(complete(run(spirals(epochs=2)))))


def test_a_block_that_saves_memory_computes_the_same():
    g = Builder("Deep")
    with g.block("Pair") as b:
        x = b.add("ReLU", b.add("Linear", b.input(), out_features=64))
        b.output(b.add("Dropout", b.add("Linear", x, out_features=64), p=0.2))
    data = g.add("Spirals")
    x = g.add("Linear", data, out_features=64)
    x = g.add("Pair", x, id="pair", repeat=3)
    g.add("CrossEntropyLoss", g.add("Linear", x, out_features=3), data["label"])
    g.train(epochs=2, batch_size=64)
    document = g.document()
    plain, first = trained(document)
    again, second = trained(set_learning(document, ["pair"], checkpoint=True))
    assert first.losses == second.losses
    assert plain.model.state_dict().keys() == again.model.state_dict().keys()

    def kept(setup):
        sizes = []

        def pack(value):
            sizes.append(value.numel())
            return value

        batch = setup.first_rows(64)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            setup.built.objectives[0](setup.model, batch)
        return sum(sizes)

    assert kept(again) < 0.7 * kept(plain)


# What goes wrong.


def test_out_of_memory_says_what_would_fit(run, monkeypatch):  # noqa: F811
    from engine.training.minimizer import Minimizer

    def step(self, model, batch):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(Minimizer, "_quick", step)
    failed = complete(run(lenet()))[-1]
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.batch_size) == ("memory", 64)
    assert "batches of 128" in failed.message
    assert failed.node in lenet().nodes


def test_the_last_good_weights_are_kept_when_the_loss_explodes(run, tmp_path):  # noqa: F811
    document = set_training(spirals(epochs=50, lr=1e30), save_every=0.0)
    failed = complete(run(document, out=tmp_path / "run"))[-1]
    assert isinstance(failed, Failed)
    kept = load_file(tmp_path / "run" / "weights.safetensors")
    assert all(value.isfinite().all() for value in kept.values())


def test_balance_needs_classes():
    g = Builder("Numbers")
    data = g.add("Line")
    g.add("MSELoss", g.add("Linear", data, out_features=1), data["y"])
    g.train(epochs=1, batch_size=10)
    with pytest.raises(TrainingError, match="one class for each sample"):
        prepare(set_training(g.document(), balance="sampling"))


def test_weights_of_losses_in_the_document_are_used():
    document = set_losses(heads(Objective()), 0, {"right": 0.0, "alike": 1.0})
    setup, ear = trained(document, 1)
    batch = next(setup.batches.epoch(1))
    other = prepare(document)
    assert ear.losses[0] == pytest.approx(other.built.objectives[0].parts(other.model, batch)[1].item())
