"""Splits, scaling and missing values: what each choice promises."""

from __future__ import annotations

import numpy as np
import pytest

from engine.compiler.data import load_node
from engine.data.split import held_of_order, parts_of, share_of
from engine.data.tally import Tally, scale_of
from engine.errors import DataError
from engine.graph.document import Node


@pytest.fixture
def table(tmp_path):
    def write(text: str, **params) -> Node:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return Node("data", "CSV", params={"path": str(path), "normalize": "none", **params})

    return write


def rows(count: int = 100) -> str:
    """A class that occurs in one of ten rows."""
    return "x,when,part,kind\n" + "".join(
        f"{n},{(n * 37) % 101},{('train', 'Valid', 'TEST')[n % 3]},{'rare' if n % 10 == 0 else 'common'}\n"
        for n in range(count)
    )


def test_stratified_holds_out_each_class_in_its_share(table):
    data = load_node(table(rows(), split="stratified", validation=0.2))
    labels = data.fields["target"].values
    assert np.bincount(labels[data.validation]).tolist() == [18, 2]
    assert np.bincount(labels[data.train]).tolist() == [72, 8]
    other = load_node(table(rows(), split="stratified", validation=0.2, seed=1))
    assert other.validation.tolist() != data.validation.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_stratifying_takes_what_was_asked_and_is_never_one_row_off(seed):
    rng = np.random.default_rng(seed)
    labels, validation = rng.integers(0, 5, rng.integers(2, 60)), rng.uniform(0, 0.9)
    wanted = share_of(len(labels), validation)
    held = held_of_order(labels, wanted)
    assert held.sum() == wanted
    for each in np.unique(labels):
        assert abs(held[labels == each].sum() - (labels == each).sum() * wanted / len(labels)) < 1


def test_stratifying_needs_classes(table):
    with pytest.raises(DataError, match=r"needs one class for each sample.*choose random") as caught:
        load_node(Node("data", "Line", params={"split": "stratified"}))
    assert caught.value.node == "data"


def test_the_last_rows(table):
    data = load_node(table(rows(), split="last", validation=0.25))
    assert data.validation.tolist() == list(range(75, 100))


def test_the_latest_rows_by_a_column(table):
    data = load_node(table(rows(), split="last", split_column="when", validation=0.25))
    when = (np.arange(100) * 37) % 101
    assert when[data.validation].min() > when[data.train].max()
    assert data.held == 25
    assert "when" not in data.fields["features"].columns  # a time of the future would tell too much


def test_by_a_column(table):
    data = load_node(table(rows(), split="column", split_column="part"))
    assert data.train.tolist() == list(range(0, 100, 3))
    assert data.validation.tolist() == list(range(1, 100, 3))
    assert any("33 rows were set aside for a test" in each for each in data.skipped)
    assert not any(name.startswith("part") for name in data.fields["features"].columns)
    with pytest.raises(DataError, match="'common', 'rare'; expected train, validation or test"):
        load_node(table(rows(), split="column", split_column="kind", target="x"))
    with pytest.raises(DataError, match="Name the split column"):
        load_node(table(rows(), split="column"))
    with pytest.raises(DataError, match=r"no column 'prt'. Did you mean 'part'\?"):
        load_node(table(rows(), split="column", split_column="prt"))


def test_words_for_parts():
    words = np.array(["Train", " training", "val", "DEV", "validation", "test"])
    assert parts_of(words).tolist() == [0, 0, 1, 1, 1, 2]


def test_scales_are_of_the_training_rows_alone(table):
    text = "x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(50)) + "10000,0\n" * 10
    data = load_node(table(text, normalize="standardize", split="last", validation=1 / 6))
    x = data.fields["features"].values
    assert np.allclose(x[:50], (np.arange(50)[:, None] - 24.5) / np.arange(50).std(), atol=1e-6)
    assert np.allclose(data.fields["features"].scale.undo(x)[50:], 10_000)
    data = load_node(table(text, normalize="min-max", split="last", validation=1 / 6))
    assert np.allclose(data.fields["features"].values[:50, 0], np.linspace(0, 1, 50))


def test_missing_numbers_become_the_mean_of_the_training_rows(table):
    text = "a,b,y\n1,1,0\n,2,1\n3,?,0\n8,oops,1\n" + "4,3,0\n" * 96
    skipping = load_node(table(text, missing="skip", validation=0.0))
    assert len(skipping) == 97
    filling = load_node(table(text, missing="mean", validation=0.0))
    features = filling.fields["features"]
    assert len(filling) == 99  # what is no number at all is an error, not missing
    assert np.isclose(features.values[1, 0], (1 + 3 + 4 * 96) / 98)
    assert features.missing == (1, 1)
    assert any("'b' expects a number, 'oops' came" in each for each in filling.skipped)


def test_channels_of_images_are_scaled_one_by_one(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, (256, 128, 20), (40, 5, 5, 3)).astype(np.uint8)
    np.savez(tmp_path / "images.npz", x=images, y=np.arange(40) % 2)
    node = Node(
        "data", "NPZ", params={"path": str(tmp_path / "images.npz"), "normalize": "standardize", "seed": 3}
    )
    data = load_node(node)
    train = data.first(1000)["x"]
    assert np.allclose(train.mean((0, 2, 3)), 0, atol=1e-5)
    assert np.allclose(train.std((0, 2, 3)), 1, atol=1e-5)


def test_sums_do_not_depend_on_the_blocks():
    values = np.random.default_rng(0).normal(1e6, 1, (1000, 3))
    values[::7, 1] = np.nan
    whole, parts = Tally(3), Tally(3)
    whole.add(values)
    for start in range(0, 1000, 13):
        part = Tally(3)
        part.add(values[start : start + 13])
        parts.merge(part)
    assert np.allclose(whole.mean, np.nanmean(values, 0))
    assert np.allclose(parts.mean, whole.mean)
    assert np.allclose(parts.deviation, np.nanstd(values, 0), rtol=1e-9)
    assert parts.missing.tolist() == [0, 143, 0]
    assert scale_of(whole, "none") is None
