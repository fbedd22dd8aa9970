"""The learning-rate finder: what it proposes, when it stops, and that it touches nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.graph.document import Document
from engine.graph.edits import delete
from engine.graph.settings import set_optimizer, set_training
from engine.training.events import Evaluated, Failed
from engine.training.finder import (
    FEWEST,
    HIGHEST,
    LOWEST,
    Finder,
    Found,
    Tried,
    find,
    propose,
    rounded,
    tries,
)
from engine.training.runner import Runner
from tests.training.documents import autoencoder, spirals

RATES = np.geomspace(LOWEST, HIGHEST, 200)


def valley(steepest: float, lowest: float) -> np.ndarray:
    """Losses that fall fastest at one rate, are lowest at another, and explode after it."""
    x = np.log10(RATES)
    fall = 2.3 - 2 / (1 + np.exp(-6 * (x - np.log10(steepest))))
    return fall + np.where(x > np.log10(lowest), 8 * (x - np.log10(lowest)) ** 2, 0)


class TestProposal:
    def test_it_lies_between_the_steepest_fall_and_a_tenth_of_the_lowest_loss(self):
        proposal = propose(RATES, valley(0.01, 0.4))
        assert proposal.steepest == pytest.approx(0.01, rel=0.1)
        assert 0.015 < proposal.tenth < 0.05
        assert proposal.steepest < proposal.rate < proposal.tenth
        assert "where the loss falls fastest" in proposal.why

    def test_noise_does_not_move_it_far(self):
        noise = np.random.default_rng(0).normal(0, 0.15, len(RATES))
        proposal = propose(RATES, valley(0.01, 0.4) + noise)
        assert 0.003 < proposal.rate < 0.1

    def test_a_loss_below_zero_is_no_matter(self):
        assert propose(RATES, valley(0.01, 0.4) - 50).rate == propose(RATES, valley(0.01, 0.4)).rate

    @pytest.mark.parametrize(
        ("losses", "words"),
        [
            (np.full(200, 2.3), "fell at none of these rates"),
            (2.3 + np.random.default_rng(1).normal(0, 0.3, 200), "fell at none of these rates"),
            (2.3 + 5 * np.geomspace(1e-4, 1, 200), "fell at none of these rates"),
        ],
        ids=["flat", "noise", "rising"],
    )
    def test_where_nothing_is_learned_nothing_is_proposed(self, losses, words):
        proposal = propose(RATES, losses)
        assert (proposal.rate, proposal.steepest, proposal.tenth) == (None, None, None)
        assert words in proposal.why

    def test_a_loss_that_explodes_at_once(self):
        proposal = propose(RATES[:3], np.array([1.0, 2.0, 3.0]))
        assert proposal.rate is None
        assert "exploded at once" in proposal.why

    def test_rates_are_told_as_people_write_them(self):
        assert [rounded(each) for each in (0.031623, 1.0, 0.00087654)] == [0.032, 1.0, 0.00088]


class TestTries:
    def test_rates_rise_evenly_until_the_loss_explodes(self):
        points = list(tries(set_optimizer(spirals(), "SGD"), steps=100, highest=1e6))
        rates, losses = np.array(points).T
        assert rates[0] == LOWEST
        np.testing.assert_allclose(np.diff(np.log(rates)), np.diff(np.log(rates))[0])
        assert FEWEST < len(rates) < 100
        assert np.isfinite(losses).all()
        assert losses.min() < 0.9 * losses[:10].mean()

    def test_a_schedule_and_a_warmup_stand_aside(self):
        document = spirals()
        objective = replace(document.training.objectives[0], schedule="OneCycleLR", warmup=50)
        scheduled = document.with_(training=replace(document.training, objectives=(objective,)))
        assert list(tries(scheduled, steps=20)) == list(tries(document, steps=20))

    def test_the_same_seed_tries_the_same(self):
        assert list(tries(spirals(), steps=15)) == list(tries(spirals(), steps=15))
        other = set_training(spirals(), seed=1)
        assert list(tries(spirals(), steps=15)) != list(tries(other, steps=15))

    def test_nothing_outside_is_touched(self):
        torch.manual_seed(3)
        expected = torch.rand(4)
        torch.manual_seed(3)
        document = spirals(epochs=1)
        runner = Runner(document)
        runner.start()
        runner.close()
        torch.manual_seed(3)
        weights = {name: value.clone() for name, value in runner.model.state_dict().items()}
        find(document, steps=20)
        assert torch.equal(torch.rand(4), expected)
        assert all(torch.equal(value, weights[name]) for name, value in runner.model.state_dict().items())

    def test_what_cannot_be_trained_says_why(self):
        with pytest.raises(EngineError, match="nothing to minimize"):
            find(delete(spirals(), ["loss"]))
        with pytest.raises(EngineError, match="no objective 3; there are 1"):
            find(spirals(), place=2)


def drained(finder: Finder) -> list:
    events = []
    while finder.alive or len(finder.events):
        events += finder.events.drain()
    return events


class TestThread:
    def test_it_tells_every_point_and_then_what_it_found(self):
        finder = Finder(spirals(), steps=60)
        finder.start()
        *told, found = drained(finder)
        assert isinstance(found, Found)
        assert all(isinstance(each, Tried) for each in told)
        np.testing.assert_array_equal(np.concatenate([each.rates for each in told]), found.rates)
        np.testing.assert_array_equal(np.concatenate([each.losses for each in told]), found.losses)
        assert found.smoothed.shape == found.losses.shape
        assert found.proposal.rate is not None

    def test_it_ends_when_it_is_told_to(self):
        finder = Finder(spirals(), steps=10_000_000)
        finder.start()
        while not len(finder.events):
            assert finder.alive
        finder.close()
        assert not finder.alive
        assert not any(isinstance(each, Found) for each in finder.events.drain())

    def test_a_failure_is_an_event(self):
        finder = Finder(delete(spirals(), ["loss"]))
        finder.start()
        (failed,) = drained(finder)
        assert isinstance(failed, Failed)
        assert "nothing to minimize" in failed.message


@pytest.mark.parametrize(
    ("make", "optimizer", "options"),
    [
        (lambda: spirals(epochs=15), "Adam", {}),
        (lambda: autoencoder(epochs=3), "Adam", {}),
        (lambda: autoencoder(epochs=3), "RMSprop", {}),
    ],
    ids=["spirals", "autoencoder", "autoencoder RMSprop"],
)
def test_its_proposal_is_within_a_decade_of_the_best_of_a_sweep(make, optimizer, options):
    document = set_optimizer(make(), optimizer, **options)
    proposed = find(document).proposal.rate
    swept = {rate: reached(set_optimizer(document, lr=rate)) for rate in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)}
    best = min(swept, key=swept.get)
    assert best / 10 <= proposed <= best * 10


def reached(document: Document) -> float:
    """The training loss at the end of a run, as high as can be if it failed."""
    runner = Runner(document)
    runner.start()
    assert runner.join(60)
    told = [each for each in runner.events.drain() if isinstance(each, Evaluated)]
    runner.close()
    return told[-1].metrics["loss"] if told else float("inf")
