"""What a run told is told again in bounded memory."""

from __future__ import annotations

import numpy as np

from engine.training.events import Changed, Evaluated, Progress, Snapshot, Started, State, Timed
from engine.training.record import Record


def progress(first: int, losses: np.ndarray) -> Progress:
    return Progress(np.arange(first, first + len(losses)), losses, 1, 0.1, 100.0, 1.0)


def test_it_keeps_the_order_and_of_pictures_only_the_newest():
    record = Record()
    started, changed = Started(1, 10, 10, "cpu", 1, 5), Changed(3, "lr", 0.1, 0.2)
    for event in (
        started,
        State("running"),
        Snapshot(1, 1),
        Timed(8, {"a": 1.0}),
        changed,
        Snapshot(2, 1),
        Timed(8, {"b": 1.0}, (("block", 0),)),
        Timed(8, {"a": 2.0}),
        Evaluated(4, 1, {"loss": 0.5}),
    ):
        record.add(event)
    told = record.events
    assert told[0] is started
    assert told[1] is changed
    assert [each.step for each in told if isinstance(each, Snapshot)] == [2]
    assert [dict(each.forward) for each in told if isinstance(each, Timed)] == [{"b": 1.0}, {"a": 2.0}]
    assert not any(isinstance(each, State) for each in told)


def test_a_long_run_stays_small_and_keeps_its_extremes():
    record, rng = Record(most=1000), np.random.default_rng(0)
    losses = rng.random(50_000)
    losses[31_234], losses[40_001], losses[20_003] = 9.0, -9.0, np.nan
    for first in range(0, len(losses), 50):
        record.add(progress(first, losses[first : first + 50]))
    parts = [each for each in record.events if isinstance(each, Progress)]
    step, loss = (np.concatenate([getattr(part, name) for part in parts]) for name in ("step", "loss"))
    assert len(step) < 20_000
    assert (np.diff(step) > 0).all()
    assert step[-1] == 49_999
    assert (losses[step] == loss)[~np.isnan(loss)].all()
    assert loss[step == 31_234] == 9.0
    assert loss[step == 40_001] == -9.0
    assert np.isnan(loss[step == 20_003]).all()
    assert (step == 20_003).any()


def test_many_evaluations_become_fewer_and_the_newest_stays():
    record = Record(checks=100)
    for step in range(1, 20_001):
        record.add(Evaluated(step, step, {"loss": 1.0 / step}))
    steps = [each.step for each in record.events]
    assert len(steps) <= 500
    assert steps[-1] == 20_000
    assert steps == sorted(steps)
    assert max(np.diff(steps)) < 2000  # nowhere more than a tenth of the run
