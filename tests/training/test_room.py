"""A run that will not fit is told before it starts."""

from __future__ import annotations

import psutil
import pytest
import torch

from engine.compiler.analyze import analyze
from engine.graph.settings import set_optimizer, set_training
from engine.training import room
from main import main
from presets import preset

MB = 10**6


@pytest.fixture
def free(monkeypatch):
    """Set how many bytes the device has free."""

    def set_free(size: int) -> None:
        monkeypatch.setattr(room, "free_memory", lambda device: size)

    return set_free


def test_the_free_memory_of_this_machine():
    free = room.free_memory(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


def test_a_network_that_fits_has_no_warning(free):
    free(100 * MB)
    assert room.problem_of(analyze(preset("lenet5").document())) is None


def test_the_warning_says_what_is_needed_and_mends_it(free):
    document = set_training(preset("lenet5").document(), batch_size=4096)
    told = analyze(document).footprint
    free(20 * MB)
    problem = room.problem_of(analyze(document))
    assert problem.severity == "warning"
    assert "weights 247 kB, gradients 247 kB, optimizer 494 kB, activations" in problem.message
    assert "for a batch of 4096); 20 MB are free. A batch of 256 would fit." in problem.message
    assert told.total > 20 * MB
    after = problem.fix.edit(document)
    assert after.training.batch_size == 256
    assert room.problem_of(analyze(after)) is None


def test_a_network_that_is_too_large_for_any_batch(free):
    free(MB // 2)
    problem = room.problem_of(analyze(preset("lenet5").document()))
    assert "No batch would fit" in problem.message
    assert problem.fix is None
    lighter = set_optimizer(preset("lenet5").document(), "SGD")
    assert "optimizer" not in room.problem_of(analyze(lighter)).message


def test_without_a_loss_nothing_trains(free):
    free(1)
    assert room.problem_of(analyze(preset("resnet152").document())) is None


def test_the_command_line_warns_and_goes_on(free, capsys):
    free(1000)
    assert main(["train", "preset:spirals", "--epochs", "1"]) == 0
    out, err = capsys.readouterr()
    assert "warning: Training needs about" in err
    assert "done after" in out
