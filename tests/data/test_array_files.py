"""NPY and IDX files, in memory and streamed alike."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from engine.compiler.data import load_node, types_of
from engine.data.source import Dataset
from engine.data.stream import Stream, joined
from engine.errors import DataError
from engine.graph.document import Node

BOTH = pytest.mark.parametrize("reading", ["memory", "stream"])


def write_idx(path: Path, values: np.ndarray, code: int = 8) -> Path:
    content = struct.pack(f">BBBB{values.ndim}I", 0, 0, code, values.ndim, *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def npy(folder: Path, x: np.ndarray, y: np.ndarray | None = None, **params) -> Node:
    np.save(folder / "x.npy", x)
    params = {"path": str(folder / "x.npy"), **params}
    if y is not None:
        np.save(folder / "y.npy", y)
        params["target"] = str(folder / "y.npy")
    return Node("data", "NPY", params=params)


def load(node: Node) -> Dataset | Stream:
    data, types = load_node(node), types_of(node)
    for field, promised in zip(data.fields.values(), types, strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert ("int" if field.values.dtype == np.int64 else "float") == promised.dtype
        assert len(field.classes) == promised.classes
    return data


def everything(data: Dataset | Stream) -> dict[str, np.ndarray]:
    return joined([*data.blocks(), *data.blocks(held=True)])


@BOTH
def test_images_of_bytes(tmp_path, reading):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (3000, 5, 6, 3), np.uint8), rng.integers(0, 4, 3000)
    data = load(npy(tmp_path, images, labels, reading=reading, split="last"))
    assert isinstance(data, Stream if reading == "stream" else Dataset)
    assert (data.rows, data.held) == (2400, 600)
    held = data.first(600, held=True)
    assert np.allclose(held["x"], images[2400:].transpose(0, 3, 1, 2) / 255)
    assert np.array_equal(held["target"], labels[2400:])
    assert data.fields["target"].classes == ("0", "1", "2", "3")


@BOTH
def test_numbers_and_words(tmp_path, reading):
    x = np.arange(6000, dtype=">f8").reshape(2000, 3)
    data = load(npy(tmp_path, x, np.array(["b", "a"])[np.arange(2000) % 2], reading=reading))
    rows = everything(data)
    assert np.array_equal(rows["target"], 1 - (rows["x"][:, 0] / 3).astype(int) % 2)
    data = load(npy(tmp_path, np.asfortranarray(x), x[:, 0] / 2, reading=reading))
    rows = everything(data)
    assert np.array_equal(rows["target"][:, 0], rows["x"][:, 0] / 2)
    data = load(npy(tmp_path, np.arange(4000).reshape(1000, 4), reading=reading))
    assert list(data.fields) == ["x"]
    assert data.fields["x"].values.dtype == np.int64


@BOTH
def test_numbers_that_are_not_finite_are_left_out(tmp_path, reading):
    x = np.ones((5000, 2))
    x[7], x[4321, 1] = np.nan, np.inf
    data = load(npy(tmp_path, x, np.arange(5000) % 3, reading=reading))
    assert len(data) == 4998
    assert np.isfinite(everything(data)["x"]).all()
    text = " ".join(data.skipped)
    assert "7" in text
    assert "4,321" in text or "4321" in text


@pytest.mark.parametrize("split", ["random", "stratified", "last"])
def test_channels_are_scaled_alike(tmp_path, split):
    rng = np.random.default_rng(0)
    images = rng.integers(0, (256, 128, 20), (4000, 4, 4, 3)).astype(np.uint8)
    scales = []
    for reading in ("memory", "stream"):
        options = {"reading": reading, "normalize": "standardize", "split": split}
        data = load(npy(tmp_path, images, rng.integers(0, 3, 4000), **options))
        train = joined(list(data.blocks()))["x"]
        assert np.allclose(train.mean((0, 2, 3)), 0, atol=1e-4)
        assert np.allclose(train.std((0, 2, 3)), 1, atol=1e-4)
        scales.append(data.fields["x"].scale)
    assert np.allclose(scales[0].shift, scales[1].shift, rtol=0.02)


@BOTH
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_mnist_files(tmp_path, reading, ending):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (500, 7, 7), np.uint8), rng.integers(0, 10, 500).astype(np.uint8)
    path = write_idx(tmp_path / f"train-images-idx3-ubyte{ending}", images)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{ending}", labels)
    params = {"path": str(path), "reading": reading, "split": "last", "validation": 0.1}
    data = load(Node("data", "IDX", params=params))
    assert np.allclose(data.first(450)["image"][:, 0], images[:450] / 255)
    assert np.array_equal(data.first(450)["label"], labels[:450])
    other = write_idx(tmp_path / "numbers.idx", np.arange(500, dtype=">i4"), 12)
    data = load(Node("data", "IDX", params={**params, "labels": str(other)}))
    assert data.first(3)["label"].tolist() == [0, 1, 2]


def test_refused_files(tmp_path):
    images = write_idx(tmp_path / "images.idx", np.zeros((5, 2, 2), np.uint8))
    node = Node("data", "IDX", params={"path": str(images)})
    with pytest.raises(DataError, match=r"there is no labels.idx beside images.idx"):
        load_node(node)
    write_idx(tmp_path / "labels.idx", np.zeros(4, np.uint8))
    with pytest.raises(DataError, match=r"images.idx has 5 samples, labels.idx has 4; expected as many"):
        load_node(node)
    for content, reason in (
        (b"", "is no IDX file"),
        (b"\0\0\x08\x01\0\0\0\x05ab", "claims 5 bytes and has 2"),
        (b"\0\0\x08\x03\0\0", "is damaged"),
        (b"\x1f\x8b and no more", "cannot be unpacked"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05ab"), r"claims the shape \(5,\)"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcde")[:-9], "cannot be unpacked"),
    ):
        path = tmp_path / "bad.idx"
        path.write_bytes(content)
        with pytest.raises(DataError, match=reason) as caught:
            types_of(Node("data", "IDX", params={"path": str(path), "labels": str(path)}))
        assert caught.value.node == "data"


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_refused_numpy_files(tmp_path):
    path = tmp_path / "x.npy"
    objects = np.empty(3, object)
    objects[:] = [Bomb()] * 3
    np.save(path, objects)
    node = Node("data", "NPY", params={"path": str(path)})
    with pytest.raises(DataError, match="expected numbers"):
        types_of(node)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="no NPY file"):
        load_node(node)
    np.save(path, np.ones((4, 3)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match="claims 96 bytes and has 88"):
        load_node(node)
    with pytest.raises(DataError, match=r"x.npy has 4 samples, y.npy has 3; expected as many"):
        load_node(npy(tmp_path, np.ones((4, 3)), np.ones(3)))
    with pytest.raises(DataError, match="holds words"):
        types_of(npy(tmp_path, np.array(["a", "b"])))
