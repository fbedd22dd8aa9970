"""Learning rates while a run goes on: warm-up, changes by hand, saved and planned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from engine.graph.document import Objective
from engine.schedules import SCHEDULES
from engine.training.optimizing import make_optimizers
from engine.training.schedules import WARMUP_START, Rates, cycled, planned
from engine.training.setup import prepare
from engine.training.steering import steerable, steers
from tests.training.documents import autoencoder
from tests.training.test_trajectories import (
    CPU,
    EPOCHS,
    METRICS,
    PER_EPOCH,
    SHORT,
    STEPS,
    document,
    network,
    ours,
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks take one thread, as in a run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_warmup_alone_rises_to_the_rate_in_a_line():
    objective = Objective(warmup=10, options={"lr": 0.5})
    _, rates = ours(objective)
    lrs = [each[0] for each in rates]
    assert lrs[0] == 0.5 * WARMUP_START
    assert lrs[10:] == [0.5] * 10
    np.testing.assert_allclose(np.diff(lrs[:11]), np.diff(lrs[:11])[0])


def test_a_warmup_over_several_epochs_multiplies_what_epochs_do():
    objective = Objective(
        optimizer="SGD",
        options={"lr": 1.0},
        schedule="ExponentialLR",
        schedule_options={"gamma": 0.5},
        warmup=10,
    )
    _, rates = ours(objective)
    assert rates[7][0] == pytest.approx((WARMUP_START + (1 - WARMUP_START) * 0.7) * 0.5)
    assert rates[10][0] == 0.25


def test_a_plateau_follows_a_metric_that_rises():
    objective = Objective(schedule="ReduceLROnPlateau", schedule_options={"patience": 0, "factor": 0.5})
    model = network()
    optimizers = make_optimizers(objective, [{"params": model.parameters()}], CPU)
    rates = Rates(optimizers, objective, PER_EPOCH, STEPS, rising=True)
    for metric in (0.5, 0.8, None, 0.9):
        rates.epoch_ended(metric)
    assert rates.lr == 0.001
    rates.epoch_ended(0.7)
    assert rates.lr == optimizers[0].param_groups[0]["lr"] == 0.0005


class TestByHand:
    def rates(self, **values) -> tuple[Rates, torch.optim.Optimizer]:
        objective = Objective(optimizer="SGD", **{"options": {"lr": 0.1}, **values})
        model = network()
        groups = [{"params": model[0].parameters(), "rate": 0.1}, {"params": model[2].parameters()}]
        optimizers = make_optimizers(objective, groups, CPU)
        return Rates(optimizers, objective, PER_EPOCH, STEPS), optimizers[0]

    def lrs(self, optimizer: torch.optim.Optimizer) -> list[float]:
        return [group["lr"] for group in optimizer.param_groups]

    @pytest.mark.parametrize("type_", ["", *SCHEDULES])
    def test_the_rest_of_a_schedule_is_scaled(self, type_):
        options = {"schedule": type_, "schedule_options": SHORT.get(type_, {}), "warmup": 3}
        (one, first), (other, second) = self.rates(**options), self.rates(**options)
        for number in range(1, STEPS):
            for each in (one, other):
                each.stepped()
                if number % PER_EPOCH == 0:
                    each.epoch_ended(METRICS[number // PER_EPOCH])
            if number == 7:
                other.rebase(0.02)
                assert other.base == pytest.approx(0.02)
            scale = 0.2 if number >= 7 else 1.0
            np.testing.assert_allclose(
                self.lrs(second), [rate * scale for rate in self.lrs(first)], rtol=1e-12
            )

    def test_a_rate_of_zero_can_be_raised(self):
        rates, optimizer = self.rates(
            options={"lr": 0.0}, schedule="StepLR", schedule_options={"step_size": 1}
        )
        assert self.lrs(optimizer) == [0.0, 0.0]
        rates.epoch_ended()
        rates.rebase(0.5)
        np.testing.assert_allclose(self.lrs(optimizer), [0.005, 0.05])

    def test_a_rate_set_to_zero_and_back(self):
        rates, optimizer = self.rates(schedule="CosineAnnealingLR")
        for _ in range(10):
            rates.stepped()
        before = self.lrs(optimizer)
        rates.rebase(0.0)
        assert self.lrs(optimizer) == [0.0, 0.0]
        rates.rebase(0.1)
        assert self.lrs(optimizer) == before

    @pytest.mark.parametrize("type_", [each.type for each in SCHEDULES.values() if each.length])
    @pytest.mark.parametrize("done", [1, 1200])
    def test_a_run_that_becomes_longer_takes_its_schedule_along(self, type_, done):
        objective = Objective(optimizer="SGD", schedule=type_, warmup=2)
        optimizers = make_optimizers(objective, [{"params": network().parameters()}], CPU)
        rates = Rates(optimizers, objective, 100, 2000)
        for _ in range(done):
            rates.stepped()
        before, left = rates.lr, 4 * (2000 - done)
        rates.resize(left)
        assert rates.lr == pytest.approx(before, rel=2e-3)
        seen = []
        for _ in range(left):
            seen.append(rates.lr)
            rates.stepped()
        assert seen[left // 2] > 2 * seen[-1]
        assert rates.lr < 1e-3
        assert seen[-2] != seen[-1]  # it falls to the very end

    def test_a_constant_rate_needs_no_word_of_each_step(self):
        rates, _ = self.rates(warmup=2)
        seen = [rates.constant]
        for _ in range(2):
            rates.stepped()
            seen.append(rates.constant)
        assert seen == [False, False, True]
        assert not self.rates(schedule="OneCycleLR")[0].constant
        assert self.rates(schedule="StepLR")[0].constant

    def test_rates_that_lie_in_a_tensor_stay_there(self):
        objective = Objective(options={"lr": 0.1}, schedule="CosineAnnealingLR")
        parameter = nn.Parameter(torch.ones(3))
        held = torch.tensor(0.1)
        optimizer = torch.optim.Adam([parameter], lr=held)
        rates = Rates([optimizer], objective, PER_EPOCH, STEPS)
        for _ in range(10):
            rates.stepped()
        assert optimizer.param_groups[0]["lr"] is held
        assert held.item() == pytest.approx(0.05)


@pytest.mark.parametrize("type_", ["", *SCHEDULES])
@pytest.mark.parametrize("at", [3, 5, 12])
def test_a_schedule_that_was_saved_goes_on_with_the_same_bits(type_, at):
    objective = Objective(optimizer="Muon", schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=4)

    def begin() -> tuple[Rates, list[torch.optim.Optimizer]]:
        optimizers = make_optimizers(objective, [{"params": network().parameters()}], CPU)
        return Rates(optimizers, objective, PER_EPOCH, STEPS), optimizers

    def go(rates: Rates, optimizers: list[torch.optim.Optimizer], first: int, last: int) -> list[list]:
        seen = []
        for number in range(first, last + 1):
            rates.stepped()
            if number % PER_EPOCH == 0:
                rates.epoch_ended(METRICS[number // PER_EPOCH - 1])
            seen.append(
                [(g["lr"], g.get("betas"), g.get("momentum")) for o in optimizers for g in o.param_groups]
            )
        return seen

    one, first = begin()
    go(one, first, 1, at)
    one.rebase(0.003)
    text = json.dumps(one.state_dict(), allow_nan=False)
    expected = go(one, first, at + 1, STEPS)
    other, second = begin()
    other.load_state_dict(json.loads(text))
    assert other.lr == pytest.approx(other.base * one.lr / one.base) or at < STEPS
    assert go(other, second, at + 1, STEPS) == expected


class TestPlanned:
    @pytest.mark.parametrize("type_", ["", *SCHEDULES])
    @pytest.mark.parametrize("warmup", [0, 4])
    def test_the_plan_is_what_happens(self, type_, warmup):
        objective = Objective(schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=warmup)
        if type_ == "ReduceLROnPlateau":  # which nobody can foresee
            objective = Objective(schedule=type_, warmup=warmup)
        steps, rates = planned(objective, PER_EPOCH, STEPS)
        assert steps.tolist() == list(range(STEPS))
        np.testing.assert_allclose(rates, [each[0] for each in ours(objective)[1]], rtol=1e-9, atol=1e-15)

    @pytest.mark.parametrize("type_", SCHEDULES)
    def test_a_long_run_is_thinned(self, type_):
        objective = Objective(schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=1000)
        steps, rates = planned(objective, 1000, 3_000_000)
        assert len(steps) == len(rates) <= 1200
        assert (steps[0], steps[-1]) == (0, 2_999_999)
        assert np.isfinite(rates).all()

    def test_an_objective_that_steps_seldom_is_told_in_steps_of_the_run(self):
        objective = Objective(schedule="CosineAnnealingLR", every=2, accumulate=5)
        steps, rates = planned(objective, 50, 200)
        assert steps.tolist() == list(range(0, 200, 10))
        assert rates[10] == pytest.approx(0.0005)


@pytest.mark.parametrize(
    ("monitor", "told", "drops"),
    [("val_accuracy", "val_accuracy", False), ("val_loss", "val_loss", True), ("auto", "val_loss", True)],
)
def test_a_plateau_knows_in_which_direction_its_metric_gets_better(monitor, told, drops):
    objective = Objective(schedule="ReduceLROnPlateau", schedule_options={"patience": 0})
    drawn = document(objective)
    setup = prepare(drawn.with_(training=replace(drawn.training, monitor=monitor)), "cpu")
    assert setup.monitored == told
    rates = setup.minimizers[0].rates
    for metric in (0.5, 0.6):
        rates.epoch_ended(metric)
    assert (rates.lr < 0.001) == drops


def test_a_plateau_of_a_metric_that_is_not_measured_takes_the_loss():
    objective = Objective(schedule="ReduceLROnPlateau", schedule_options={"patience": 0})
    drawn = autoencoder()
    training = replace(drawn.training, objectives=(objective,), monitor="val_accuracy")
    setup = prepare(drawn.with_(training=training), "cpu")
    assert setup.monitored == "val_loss"
    rates = setup.minimizers[0].rates
    rates.epoch_ended(0.5)
    rates.epoch_ended(0.4)
    assert rates.lr == 0.001  # a loss that falls is progress


@pytest.mark.parametrize(
    ("optimizer", "options", "moved"),
    [
        ("SGD", {}, "momentum"),
        ("Adam", {}, "beta1"),
        ("Adagrad", {}, ""),
        ("Adam", {"cycle_momentum": False}, ""),
    ],
)
def test_what_a_schedule_moves_cannot_be_changed_by_hand(optimizer, options, moved):
    objective = Objective(optimizer=optimizer, schedule="OneCycleLR", schedule_options=options)
    drawn = document(objective)
    setup = prepare(drawn, "cpu")
    assert cycled(objective) == moved
    names = {name for name in steers(setup) if name.startswith("optimizer.")}
    assert names == {name for name in steerable(drawn) if name.startswith("optimizer.")}
    assert f"optimizer.{moved}" not in names
    assert {"optimizer.lr", "optimizer.weight_decay"} <= names


@pytest.mark.parametrize("type_", ["CosineAnnealingLR", "LinearLR", "OneCycleLR"])
def test_a_schedule_by_epochs_ends_with_the_run_however_seldom_it_steps(type_):
    """Ten steps an epoch and a step of the optimizer after four of them: no whole number an epoch."""
    objective = Objective(schedule=type_, schedule_options={"per": "epoch"}, accumulate=4)
    setup = prepare(document(objective), "cpu")
    (minimizer,) = setup.minimizers
    seen = []
    for _ in range(EPOCHS):
        seen.append(minimizer.rates.lr)
        minimizer.rates.epoch_ended()
    steps, rates = planned(objective, 10, 10 * EPOCHS)
    np.testing.assert_allclose([rates[steps // 10 == epoch][0] for epoch in range(EPOCHS)], seen)
    plain = torch.optim.Adam([nn.Parameter(torch.ones(1))])
    arguments = SCHEDULES[type_].arguments({}, [0.001], EPOCHS)
    scheduler = getattr(lr_scheduler, type_)(plain, **arguments)
    for rate in seen:
        assert plain.param_groups[0]["lr"] == rate
        plain.step()
        scheduler.step()


@pytest.mark.parametrize("type_", ["", *SCHEDULES])
@pytest.mark.parametrize("at", [2, 12])
def test_a_multiplier_that_is_changed_by_hand_goes_along_with_the_schedule(type_, at):
    """At the second step it still warms up."""
    objective = Objective(optimizer="Muon", schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=4)
    setup, other = prepare(document(objective), "cpu"), prepare(document(objective), "cpu")
    steered, (changed,), (kept,) = steers(setup), setup.minimizers, other.minimizers
    first = next(iter(setup.learners)).node
    for number in range(1, STEPS):
        if number == at:
            steered[f"{first}.rate"].put(0.25)
        for each in (changed, kept):
            each.rates.stepped()
            if number % PER_EPOCH == 0:
                each.rates.epoch_ended(METRICS[number // PER_EPOCH])
        (rate,) = {group["lr"] for each in kept.optimizers for group in each.param_groups}
        for each in changed.optimizers:
            for group in each.param_groups:
                assert group["lr"] == pytest.approx(rate * group["rate"], rel=1e-9)
        if number >= at:
            assert {g["rate"] for each in changed.optimizers for g in each.param_groups} == {0.25, 1.0}
