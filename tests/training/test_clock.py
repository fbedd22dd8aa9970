"""How long each node takes, measured beside the run."""

from __future__ import annotations

import torch

from engine.compiler.analyze import analyze
from engine.training.clock import PASSES, Clock
from engine.training.events import Timed, Watch
from engine.training.runner import Runner
from engine.training.setup import prepare
from presets import preset
from tests.training.documents import lenet, spirals


def run(document, watch: Watch) -> tuple[Runner, list]:
    runner = Runner(document)
    runner.watch = watch
    runner.start()
    assert runner.join(60)
    events = runner.events.drain()
    runner.close()
    return runner, events


def test_every_step_of_a_run_is_timed():
    document = lenet(epochs=1)
    _, events = run(document, Watch(times=True))
    timed = [event for event in events if isinstance(event, Timed)]
    assert len(timed) == 1
    assert timed[0].forward.keys() == analyze(document).memory.keys()
    assert all(value > 0 for value in timed[0].forward.values())
    assert timed[0].total == sum(timed[0].forward.values())
    assert timed[0].rows <= document.training.batch_size


def test_nobody_asked_nobody_timed():
    _, events = run(spirals(epochs=1), Watch())
    assert not [event for event in events if isinstance(event, Timed)]


def test_timing_changes_nothing():
    """The same seed gives the same weights, whether somebody looks at the times or not."""
    document = lenet(epochs=1)
    (one, _), (other, _) = run(document, Watch(times=True)), run(document, Watch())
    for name, value in one.model.state_dict().items():
        assert torch.equal(value, other.model.state_dict()[name])


def test_the_first_pass_fills_the_caches_and_does_not_count():
    clock = Clock(prepare(preset("spirals").document()))
    clock.measure()
    passes = clock._passes[()]
    passes[0] = dict.fromkeys(passes[0], 1e9)
    while not clock.done():
        assert clock.timed() is None or len(passes) > 3
        clock.measure()
    assert len(passes) == PASSES + 1
    assert max(clock.timed().forward.values()) < 1e9
