"""The table of schedules: complete, checked, and named as in torch."""

import inspect

import pytest
import torch

from engine.errors import ParameterError
from engine.schedules import SCHEDULES, check_schedule


@pytest.mark.parametrize("type_", SCHEDULES)
def test_every_schedule_calls_torch_with_what_it_takes(type_):
    schedule = SCHEDULES[type_]
    usual = inspect.signature(getattr(torch.optim.lr_scheduler, type_)).parameters
    assert set(schedule.arguments({}, [0.1, 0.01], 100)) <= set(usual)
    required = {
        name
        for name, each in usual.items()
        if each.default is inspect.Parameter.empty and name != "optimizer"
    }
    assert required <= set(schedule.arguments({}, [0.1, 0.01], 100))


@pytest.mark.parametrize("type_", SCHEDULES)
def test_a_default_is_not_kept(type_):
    schedule = SCHEDULES[type_]
    assert check_schedule(type_, schedule.values({})) == {}


@pytest.mark.parametrize("type_", [each.type for each in SCHEDULES.values() if each.length])
def test_a_length_of_zero_is_the_whole_run(type_):
    schedule = SCHEDULES[type_]
    assert schedule.arguments({}, [0.1], 700)[schedule.length] == 700
    assert schedule.arguments({schedule.length: 30}, [0.1], 700)[schedule.length] == 30


def test_an_empty_type_is_a_constant_rate():
    assert check_schedule("", {}) == {}
    with pytest.raises(ParameterError, match="constant learning rate has no option 'gamma'"):
        check_schedule("", {"gamma": 0.5})


@pytest.mark.parametrize(
    ("type_", "options", "words"),
    [
        ("StepLr", {}, "There is no schedule 'StepLr'.*StepLR"),
        ("StepLR", {"gama": 0.5}, "There is no parameter 'gama'"),
        ("StepLR", {"gamma": 3}, "Factor takes a number from 0 to 1, not 3"),
        ("MultiStepLR", {"milestones": (8, 5, 5)}, "Milestones ascend, each once: 5, 8 instead of 8, 5, 5"),
        ("OneCycleLR", {"base_momentum": 0.99}, "lowest momentum, 0.99, is above the highest, 0.95"),
        ("CosineAnnealingLR", {"per": "batch"}, "Counts takes one of epoch, step"),
    ],
)
def test_what_is_refused_is_said(type_, options, words):
    with pytest.raises(ParameterError, match=words):
        check_schedule(type_, options)
