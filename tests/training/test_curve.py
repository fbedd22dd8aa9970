"""The curve of a model of one number, against numbers computed another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.graph.build import Builder
from engine.training.curve import PLACES, least_squares
from engine.training.events import Watch
from engine.training.probes import Probe
from engine.training.setup import prepare
from tests.training.documents import autoencoder, spirals


def line(samples=200, features=1, units=1):
    b = Builder("Line")
    data = b.add("Line", samples=samples, features=features)
    hidden = b.add("Tanh", b.add("Linear", data["x"], out_features=8)) if units > 1 else data["x"]
    b.add("MSELoss", b.add("Linear", hidden, out_features=1, id="line"), data["y"], id="loss")
    b.train("SGD", lr=0.1, epochs=100, batch_size=samples)
    return prepare(b.document(), "cpu")


def curve_of(setup):
    return Probe(setup).snapshot(Watch(regions=True), 0, 0).curve


def test_curve_holds_the_answers_over_the_data_and_a_little_beyond():
    setup = line()
    curve = curve_of(setup)
    assert curve.x.shape == curve.y.shape == (PLACES,)
    assert curve.x[0] < curve.points[:, 0].min() <= curve.points[:, 0].max() < curve.x[-1]
    weight, bias = setup.model.line.weight.item(), setup.model.line.bias.item()
    assert np.allclose(curve.y, weight * curve.x + bias, atol=1e-6)


def test_points_are_the_data_and_tell_what_is_held_out():
    setup = line(samples=3000)
    curve = curve_of(setup)
    assert curve.points.shape == (1000, 2)
    held = {tuple(row) for row in torch.cat((setup.held["x"], setup.held["y"]), 1).tolist()}
    assert all(
        (tuple(row) in held) == out for row, out in zip(curve.points.tolist(), curve.held_out, strict=True)
    )
    assert 0 < curve.held_out.sum() < 1000


def test_closed_line_is_where_no_step_lowers_the_loss():
    setup = line()
    slope, intercept = curve_of(setup).closed
    with torch.no_grad():
        setup.model.line.weight.fill_(slope)
        setup.model.line.bias.fill_(intercept)
    setup.built.objectives[0](setup.model, setup.train).backward()
    assert setup.model.line.weight.grad.abs().item() < 1e-5
    assert setup.model.line.bias.grad.abs().item() < 1e-5


def test_points_on_one_place_tell_no_line():
    assert least_squares(np.ones(5, np.float32), np.arange(5, dtype=np.float32)) is None
    assert least_squares(np.arange(3.0), 2 * np.arange(3.0) + 1) == pytest.approx((2, 1))


def test_a_network_with_hidden_units_bends():
    curve = curve_of(line(units=8))
    assert np.abs(np.diff(curve.y, 2)).max() > 0
    assert curve.closed is not None


@pytest.mark.parametrize(
    "setup", [lambda: line(features=2), *(lambda d=d: prepare(d(), "cpu") for d in (spirals, autoencoder))]
)
def test_other_models_have_no_curve(setup):
    assert curve_of(setup()) is None
