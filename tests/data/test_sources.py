"""Every source: its promise in types, its formula, its split."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import catalogue
from engine.compiler.data import load_node, types_of
from engine.data.digits import resize
from engine.data.source import Source, split, standardized
from engine.graph.document import Node

SYNTHETIC = ("Spirals", "Moons", "Circles", "XOR", "Gaussians")
SOURCES = {name: layer for name, layer in catalogue.layers().items() if isinstance(layer, Source)}
BUILT_IN = [name for name, layer in SOURCES.items() if not any(each.outside for each in layer.params)]


def load(type_: str, **params):
    return load_node(Node("data", type_, params=params))


@pytest.mark.parametrize("type_", BUILT_IN)
def test_fields_are_what_the_types_promise(type_):
    node = Node("data", type_)
    dataset, types = load_node(node), types_of(node)
    ports = catalogue.layer(type_).outputs_of({})
    assert list(dataset.fields) == [port.name for port in ports]
    for field, promised, port in zip(dataset.fields.values(), types, ports, strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert field.values.dtype == {"float": np.float32, "int": np.int64}[promised.dtype]
        assert len(field.classes) == promised.classes
        assert port.refuse(promised) is None
        if promised.classes:
            assert set(np.unique(field.values)) == set(range(promised.classes))
    rows = np.concatenate([dataset.train, dataset.validation])
    assert np.array_equal(np.sort(rows), np.arange(len(dataset)))
    assert len(dataset.validation) == round(0.2 * len(dataset))


@pytest.mark.parametrize("type_", [*SYNTHETIC, "Line"])
def test_seed_decides_the_samples(type_):
    first, again, other = (load(type_, seed=seed, samples=50) for seed in (3, 3, 4))
    values = [next(iter(each.fields.values())).values for each in (first, again, other)]
    assert np.array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


@pytest.mark.parametrize("arms", [3, 5])
def test_spirals_are_the_formula(arms):
    """X_c(t) = t (sin, cos)(2 pi / C (2 t + c - 1)), with t the distance to the middle."""
    data = load("Spirals", arms=arms, noise=0, samples=500)
    point, label = data.fields["point"].values.astype(float), data.fields["label"].values
    t = np.hypot(*point.T)
    angle = 2 * np.pi / arms * (2 * t + (label + 1) - 1)
    assert np.allclose(point, t[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1), atol=1e-5)
    assert 0 <= t.min() < 0.05
    assert 0.95 < t.max() <= 1 + 1e-6
    assert np.ptp(np.bincount(label)) <= 1


def test_noise_of_spirals_has_its_deviation():
    clean, noisy = (load("Spirals", samples=20_000, noise=noise).fields["point"].values for noise in (0, 0.1))
    difference = noisy - clean
    assert np.allclose(difference.std(0), 0.1, rtol=0.03)
    assert np.allclose(difference.mean(0), 0, atol=0.005)


def test_shapes_of_the_other_points():
    moons = load("Moons", noise=0)
    shifted = moons.fields["point"].values + np.where(
        moons.fields["label"].values[:, None] == 0, (0.5, 0.25), (-0.5, -0.25)
    )
    assert np.allclose(np.hypot(*shifted.T), 1, atol=1e-5)
    circles = load("Circles", noise=0, inner=0.25)
    radius = np.hypot(*circles.fields["point"].values.T)
    assert np.allclose(radius, np.where(circles.fields["label"].values == 0, 1, 0.25), atol=1e-5)
    xor = load("XOR", noise=0, samples=4, validation=0)
    assert xor.fields["point"].values.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert xor.fields["label"].values.tolist() == [0, 1, 1, 0]
    clouds = load("Gaussians", noise=0, clusters=4)
    assert np.allclose(np.hypot(*clouds.fields["point"].values.T), 1, atol=1e-6)
    assert len(np.unique(clouds.fields["point"].values.round(4), axis=0)) == 4


def test_line_is_a_weighted_sum():
    exact = load("Line", features=3, noise=0)
    x, y = exact.fields["x"].values.astype(float), exact.fields["y"].values.astype(float)
    theta, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.allclose(x @ theta, y, atol=1e-5)
    noisy = load("Line", features=3, noise=0.5, samples=20_000)
    x, y = noisy.fields["x"].values, noisy.fields["y"].values
    theta, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.isclose((y - x @ theta).std(), 0.5, rtol=0.03)


@pytest.mark.parametrize("size", [8, 16, 28, 32])
def test_digits_are_enlarged_as_torch_does_it(size):
    small, image = (
        load("Digits", size=8).fields["image"].values,
        load("Digits", size=size).fields["image"].values,
    )
    wanted = F.interpolate(torch.tensor(small), size=(size, size), mode="bilinear", align_corners=False)
    assert image.shape == (1797, 1, size, size)
    assert np.allclose(image, wanted, atol=1e-6)
    assert image.min() >= 0
    assert image.max() <= 1


def test_resize_of_unequal_sides():
    images = np.random.default_rng(0).uniform(size=(2, 3, 5))
    wanted = F.interpolate(torch.tensor(images)[:, None], size=(7, 7), mode="bilinear")[:, 0]
    assert np.allclose(resize(images, 7), wanted)


def test_digits_are_the_real_ones():
    from sklearn.datasets import load_digits

    data = load("Digits", size=8)
    assert np.array_equal(data.fields["image"].values[:, 0] * 16, load_digits().images)
    assert np.array_equal(data.fields["label"].values, load_digits().target)


@pytest.mark.parametrize("table", ["iris", "wine", "breast_cancer", "diabetes"])
def test_sample_tables(table):
    node = Node("data", "SampleTable", params={"table": table})
    data, types = load_node(node), types_of(node)
    features = data.fields["features"].values
    assert features.shape[1:] == types[0].shape[1:]
    assert data.fields["target"].values.shape[1:] == types[1].shape[1:]
    assert len(data.fields["target"].classes) == types[1].classes
    assert np.allclose(features[data.train].mean(0), 0, atol=1e-5)
    assert np.allclose(features[data.train].std(0), 1, atol=1e-4)
    target = data.fields["target"]
    if not target.classes:
        assert np.isclose(target.values[data.train].std(), 1, atol=1e-4)
    raw = load("SampleTable", table=table, normalize="none").fields["features"].values
    assert not np.allclose(raw, features)


def test_standardizing_looks_at_training_rows_only():
    values = np.array([[0.0, 7.0], [2.0, 7.0], [1000.0, 9.0]])
    assert standardized(values, np.array([0, 1])).tolist() == [[-1, 0], [1, 0], [999, 2]]


def test_split_is_fair_and_never_takes_everything():
    train, held = split(10, 0.3, 0)
    assert (len(train), len(held)) == (7, 3)
    assert sorted([*train, *held]) == list(range(10))
    assert [len(rows) for rows in split(1, 0.9, 0)] == [1, 0]
    assert [len(rows) for rows in split(5, 0, 0)] == [5, 0]
    assert not np.array_equal(split(100, 0.5, 0)[1], split(100, 0.5, 1)[1])


def test_loading_twice_gives_the_same_object():
    node = Node("a", "Spirals", params={"samples": 77})
    assert load_node(node) is load_node(Node("b", "Spirals", params={"samples": 77}))
    with pytest.raises(ValueError, match="read-only"):
        load_node(node).fields["point"].values[0] = 0


def test_a_long_reading_holds_up_nobody_else(monkeypatch):
    """Whoever wants the same data waits for the first one's reading; others do not."""
    source = catalogue.layer("Line")
    begun, go_on, read = threading.Event(), threading.Event(), []

    def slow(p):
        read.append(p["samples"])
        if p["samples"] == 77:
            begun.set()
            assert go_on.wait(20)
        return source.load(p)

    slowed = replace(source, load=slow)
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(load_node(Node("data", "Line", params={"samples": 77}), slowed))
        )
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    assert begun.wait(20)
    assert len(load_node(Node("data", "Line", params={"samples": 78}), slowed)) == 78
    go_on.set()
    for each in threads:
        each.join()
    assert found[0] is found[1]
    assert read == [77, 78]
