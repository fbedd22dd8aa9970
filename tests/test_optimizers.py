"""The table of optimizers: what is refused, what torch is called with, what is remembered."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.errors import ParameterError
from engine.graph.document import Objective
from engine.optimizers import OPTIMIZERS, check_optimizer
from engine.training.optimizing import make_optimizers


@pytest.mark.parametrize(
    ("type_", "options", "words"),
    [
        ("SGD", {"nesterov": True}, "Nesterov's look ahead needs a momentum above 0"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "set dampening to 0"),
        ("Rprop", {"step_min": 1.0, "step_max": 0.5}, "smallest step is larger than its largest"),
        ("Adam", {"beta1": 1.0}, "Beta1 takes a number from 0 to 0.9999, not 1.0"),
        ("LBFGS", {"line_search_fn": "wolf"}, "Line search takes one of none, strong_wolfe"),
        ("Adamm", {}, "There is no optimizer 'Adamm'.*Adam"),
        ("Muon", {"beta1": 0.9}, "There is no parameter 'beta1'"),
    ],
)
def test_what_is_refused_is_said(type_, options, words):
    with pytest.raises(ParameterError, match=words):
        check_optimizer(type_, options)


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_a_default_is_not_kept(type_):
    assert check_optimizer(type_, OPTIMIZERS[type_].values({})) == {}


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_what_it_remembers_is_what_it_says(type_):
    """Numbers for each weight of a matrix, counted in the optimizer itself after a few steps."""
    declared, options = OPTIMIZERS[type_], {}
    if type_ == "LBFGS":
        options = {"history_size": 3, "lr": 0.01, "max_iter": 2}
    weight = nn.Parameter(torch.linspace(-1, 1, 40_000).reshape(200, 200))
    (optimizer,) = make_optimizers(
        Objective(optimizer=type_, options=options), [{"params": [weight]}], torch.device("cpu")
    )

    def closure() -> torch.Tensor:
        weight.grad = None
        value = (weight.square().sum() - 3).square() + weight.sin().sum()
        value.backward()
        return value

    for _ in range(6):
        optimizer.step(closure)
    counted = sum(_numbers(value) for state in optimizer.state.values() for value in state.values())
    assert counted / weight.numel() == pytest.approx(declared.kept(options), abs=0.1 + (type_ == "LBFGS"))


def _numbers(value: object) -> int:
    if isinstance(value, list):
        return sum(map(_numbers, value))
    return value.numel() if isinstance(value, torch.Tensor) else 0


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_the_fast_form_is_asked_for_where_torch_has_it(type_):
    declared = OPTIMIZERS[type_]
    defaults = getattr(torch.optim, type_)([nn.Parameter(torch.ones(2, 2))]).defaults
    for device in ("cpu", "cuda", "mps"):
        assert declared.quick(device).keys() <= defaults.keys()
    if "fused" in defaults:
        assert declared.quick("cpu") == {"fused": True}
