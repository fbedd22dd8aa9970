"""What snapshots hold, against numbers computed another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.errors import TrainingError
from engine.graph.build import Builder
from engine.training.devices import devices, pick
from engine.training.events import Watch
from engine.training.probes import GRID, Probe
from engine.training.setup import prepare
from tests.training.documents import autoencoder, lenet, spirals


def test_activations_and_statistics():
    setup = prepare(lenet(), "cpu")
    snapshot = Probe(setup).snapshot(Watch(frozenset({"digits", "conv1"}), "conv2", sample=7), 3, 1)
    assert (snapshot.step, snapshot.epoch, snapshot.selected, snapshot.sample) == (3, 1, "conv2", 7)
    images = setup.held["image"][:64]
    with torch.no_grad():
        wanted = setup.model.conv1(images)
    seen = snapshot.activations["conv1"]
    assert seen.shape == (6, 28, 28)
    assert np.allclose(seen.maps, wanted[7], atol=1e-6)
    assert np.allclose([seen.low, seen.high], [wanted.min(), wanted.max()], atol=1e-6)
    assert np.allclose([seen.mean, seen.deviation], [wanted.mean(), wanted.std(correction=0)], atol=1e-5)
    assert np.array_equal(snapshot.activations["digits"].maps, images[7])
    assert snapshot.detail.shape == (16, 10, 10)
    assert snapshot.activations.keys() == {"digits", "conv1"}
    assert snapshot.weights.values.shape == (16, 6, 5, 5)
    assert np.array_equal(snapshot.weights.values, setup.model.conv2.weight.detach())
    assert snapshot.weights.moved == 0
    assert snapshot.regions is None
    assert snapshot.samples is None


def test_weights_of_a_row_that_looks_at_an_image():
    snapshot = Probe(prepare(lenet(), "cpu")).snapshot(Watch(selected="fc1"), 0, 0)
    assert snapshot.weights.image == (16, 5, 5)
    assert Probe(prepare(lenet(), "cpu")).snapshot(Watch(selected="fc2"), 0, 0).weights.image is None


def test_dead_units_are_counted():
    setup = prepare(spirals(), "cpu")
    with torch.no_grad():
        setup.model.fc1.weight[:25] = 0
        setup.model.fc1.bias[:25] = -1
    snapshot = Probe(setup).snapshot(Watch(frozenset({"relu1", "fc1"})), 0, 0)
    assert snapshot.activations["relu1"].dead >= 0.25
    assert snapshot.activations["fc1"].dead == 0


def test_gradients_are_those_of_the_last_step():
    setup = prepare(spirals(), "cpu")
    loss = setup.built.objectives[0](setup.model, setup.train)
    loss.backward()
    watch = Watch(frozenset({"fc1", "relu1", "scores"}))
    snapshot = Probe(setup).snapshot(watch, 0, 0)
    wanted = torch.cat([p.grad.flatten() for p in setup.model.fc1.parameters()]).norm()
    assert snapshot.gradients.keys() == {"fc1", "scores"}
    assert np.isclose(snapshot.gradients["fc1"], wanted, rtol=1e-5)
    assert snapshot.losses.keys() == {"loss"}


def test_regions_answer_over_the_plane():
    setup = prepare(spirals(), "cpu")
    regions = Probe(setup).snapshot(Watch(regions=True), 0, 0).regions
    x0, x1, y0, y1 = regions.extent
    points = setup.dataset.fields["point"].values
    assert x0 < points[:, 0].min()
    assert y1 > points[:, 1].max()
    assert regions.classes.shape == regions.confidence.shape == (GRID, GRID)
    # Row 0 is the smallest y; the corner with the largest x ends the row.
    with torch.no_grad():
        scores = setup.model(torch.tensor([[x1, y0]])).softmax(1)
    assert regions.classes[0, -1] == scores.argmax()
    assert np.isclose(regions.confidence[0, -1], scores.max(), atol=1e-5)
    assert len(regions.points) == len(regions.labels) == 1000
    assert regions.held_out.sum() == 200
    assert regions.names == ("0", "1", "2")


def test_regions_of_one_score():
    b = Builder("Yes or no")
    data = b.add("Moons", samples=5000)
    b.add("BCEWithLogitsLoss", b.add("Linear", data, out_features=1, id="score"), data["label"])
    b.train("Adam", epochs=1, batch_size=64)
    setup = prepare(b.document(), "cpu")
    with torch.no_grad():
        setup.model.score.bias.zero_()
    snapshot = Probe(setup).snapshot(Watch(regions=True, samples=True), 0, 0)
    assert set(np.unique(snapshot.regions.classes)) == {0, 1}
    assert snapshot.regions.confidence.min() >= 0.5
    assert len(snapshot.regions.points) == 1000
    with torch.no_grad():
        yes = setup.model(setup.held["point"][:64])[:, 0] > 0
    assert np.array_equal(snapshot.samples.predictions, yes.long())


def test_samples_of_a_classifier_and_of_an_autoencoder():
    setup = prepare(lenet(), "cpu")
    samples = Probe(setup).snapshot(Watch(samples=True), 0, 0).samples
    assert (samples.kind, samples.inputs.shape) == ("class", (64, 1, 28, 28))
    assert np.array_equal(samples.targets, setup.held["label"][:64])
    assert samples.names == tuple("0123456789")
    setup = prepare(autoencoder(), "cpu")
    samples = Probe(setup).snapshot(Watch(samples=True), 0, 0).samples
    assert samples.kind == "image"
    assert samples.predictions.shape == samples.targets.shape == (64, 1, 8, 8)
    with torch.no_grad():
        assert np.allclose(samples.predictions, setup.model(setup.held["image"][:64]), atol=1e-6)


def test_samples_of_a_number():
    b = Builder("Line")
    data = b.add("Line")
    b.add("MSELoss", b.add("Linear", data, out_features=1), data["y"])
    b.train("SGD", epochs=1, batch_size=16)
    probe = Probe(prepare(b.document(), "cpu"))
    snapshot = probe.snapshot(Watch(samples=True, regions=True), 0, 0)
    assert snapshot.samples.kind == "number"
    assert snapshot.regions is None


def test_nothing_watched_costs_nothing_and_modes_are_kept():
    setup = prepare(spirals(dropout=True), "cpu")
    probe = Probe(setup)
    assert probe.snapshot(Watch(), 0, 0) is None
    setup.model.train()
    setup.model.fc1.eval()
    state = torch.get_rng_state()
    probe.snapshot(Watch(frozenset(setup.document.nodes)), 0, 0)
    assert setup.model.training
    assert not setup.model.fc1.training
    assert torch.equal(state, torch.get_rng_state())


def test_big_tensors_are_thinned():
    b = Builder("Wide")
    data = b.add("Digits", size=64)
    x = b.add("Conv2d", data, out_channels=80, kernel_size=1, id="wide")
    x = b.add("Flatten", b.add("AvgPool2d", x, kernel_size=4))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=10), data["label"])
    b.train("Adam", epochs=1, batch_size=16)
    snapshot = Probe(prepare(b.document(), "cpu")).snapshot(Watch(frozenset({"wide"}), "wide"), 0, 0)
    assert snapshot.detail.shape == (80, 64, 64)
    assert snapshot.detail.maps.shape == (64, 64, 64)
    assert snapshot.activations["wide"].maps.shape == (16, 48, 48)
    assert snapshot.weights.values.shape == (64, 1, 1, 1)


def test_devices():
    keys = [key for key, _ in devices()]
    assert keys[-1] == "cpu"
    assert str(pick("auto")) == keys[0]
    assert str(pick("cpu")) == "cpu"
    with pytest.raises(TrainingError, match=r"no device 'tpu' here; there are .*cpu"):
        pick("tpu")
