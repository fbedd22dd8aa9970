"""A person's own files: what they mean, and what is said of those that cannot be used."""

from __future__ import annotations

import io
import os
import pickle
import random
import zipfile

import numpy as np
import pytest

from engine.compiler.data import load_node, types_of
from engine.errors import DataError
from engine.graph.document import Node


@pytest.fixture
def table(tmp_path):
    """Write a table and return the node that reads it."""

    def write(text: str | bytes, name: str = "table.csv", **params) -> Node:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Node(
            "data", "CSV", params={"path": str(path), "normalize": "none", "validation": 0.0, **params}
        )

    return write


@pytest.fixture
def arrays(tmp_path):
    """Write arrays and return the node that reads them."""

    def write(_params: dict | None = None, **values) -> Node:
        path = tmp_path / "arrays.npz"
        np.savez(path, **values)
        return Node("data", "NPZ", params={"path": str(path), "validation": 0.0, **(_params or {})})

    return write


def parts(node: Node):
    dataset = load_node(node)
    for field, promised in zip(dataset.fields.values(), types_of(node), strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert ("int" if field.values.dtype == np.int64 else "float") == promised.dtype
        assert len(field.classes) == promised.classes
    features, target = (*dataset.fields.values(), None)[:2]
    return features.values, target, dataset.skipped


def test_mixed_columns(table):
    features, target, skipped = parts(table("height,color,kind\n1.5,red,cat\n2,blue,dog\n-3e1,red,cat\n"))
    # Words of a feature become one column each, in the order of the alphabet.
    assert features.tolist() == [[1.5, 0, 1], [2, 1, 0], [-30, 0, 1]]
    assert target.values.tolist() == [0, 1, 0]
    assert target.classes == ("cat", "dog")
    assert skipped == ()


def test_target_by_name_and_header(table):
    text = "y,a\n1.5,10\n2.5,20\n3.5,30\n"
    features, target, _ = parts(table(text, target="y"))
    assert features.tolist() == [[10], [20], [30]]
    assert target.values.tolist() == [[1.5], [2.5], [3.5]]
    assert target.classes == ()
    features, target, _ = parts(table("1,2,0\n3,4,1\n5,6,1\n7,8,0\n"))
    assert features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert target.classes == ("0", "1")
    features, target, _ = parts(table("red,a\nblue,b\nred,b\n", header="no"))
    assert len(features) == 3
    assert target.classes == ("a", "b")


def test_task(table):
    few = "x,y\n" + "".join(f"{n},{n % 3 + 5}\n" for n in range(30))
    many = "x,y\n" + "".join(f"{n},{n}\n" for n in range(30))
    assert parts(table(few))[1].classes == ("5", "6", "7")
    assert parts(table(few, task="number"))[1].classes == ()
    assert parts(table(many))[1].values.shape == (30, 1)
    assert len(parts(table(many, task="classes"))[1].classes) == 30
    with pytest.raises(DataError, match=r"'y' holds words such as 'a', not numbers") as caught:
        load_node(table("x,y\n1,a\n2,b\n", task="number"))
    assert caught.value.node == "data"


def test_separators_and_encodings(table):
    for text in ("a;b;c\n1,5;2;x\n2,5;3;y\n", "a\tb\tc\n1.5\t2\tx\n2.5\t3\ty\n"):
        assert parts(table(text))[0].tolist() == [[1.5, 2], [2.5, 3]]
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        node = table("größe,art\n1,süß\n2,saúr\n".encode(encoding), target="art")
        assert parts(node)[1].classes == ("saúr", "süß")
        assert parts(table("größe,art\r\n1,süß\r\n2,saúr\r\n".encode(encoding), target="größe"))[0].shape == (
            2,
            2,
        )
    quoted = 'a,b\n"1","x, and\nmore"\n"2","y ""z"""\n'
    assert parts(table(quoted))[1].classes == ("x, and\nmore", 'y "z"')


def test_bad_rows_are_left_out_and_listed(table):
    good = "".join(f"{n},{n * 2},{'ab'[n % 2]}\n" for n in range(40))
    features, target, skipped = parts(
        table(f"x,y,kind\n1,2\n3,oops,a\n,5,b\n1,inf,b\n6,7,?\n\n{good}1,2,3,4\n")
    )
    assert len(features) == len(target.values) == 40
    text = "\n".join(skipped)
    assert "Line 2: expected 3 values, 2 came." in text
    assert "Line 3: 'y' expects a number, 'oops' came." in text
    assert "Line 4: 'x' expects a number, it is empty." in text
    assert "Line 5: 'y' expects a number, 'inf' came." in text
    assert "Line 6: 'kind' expects a word, '?' came." in text
    assert "Line 48: expected 3 values, 4 came." in text
    assert len(skipped) == 6


def test_many_bad_rows_are_summed_up(table):
    node = table("x,y\n" + "1,2\n2,3\n" * 5 + "1\n" * 500)
    skipped = load_node(node).skipped
    assert len(skipped) == 101
    assert skipped[-1] == "And 400 more."


def test_names_are_no_feature(table):
    text = "name,size,kind\n" + "".join(f"person{n},{n},{'ab'[n % 2]}\n" for n in range(80))
    features, _, skipped = parts(table(text))
    assert features.shape == (80, 1)
    assert skipped == ("Column 'name' was left out: 80 different words.",)


def test_standardizing(table):
    node = table(
        "x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(50)), normalize="standardize", validation=0.2
    )
    dataset = load_node(node)
    features = dataset.fields["features"].values
    assert len(dataset.validation) == 10
    assert np.isclose(features[dataset.train].mean(), 0, atol=1e-6)
    assert np.isclose(features[dataset.train].std(), 1, atol=1e-6)
    assert set(dataset.fields["target"].values) == {0, 1}
    text = "x,y\n" + "".join(f"{n},{n * n}\n" for n in range(50))
    dataset = load_node(table(text, normalize="standardize", validation=0.2))
    assert np.isclose(dataset.fields["target"].values[dataset.train].mean(), 0, atol=1e-6)


def test_a_changed_file_is_read_again(table):
    node = table("x,y\n1,2.5\n2,3.5\n")
    assert len(load_node(node)) == 2
    again = table("x,y\n1,2.5\n2,3.5\n3,4.5\n")
    assert again == node
    assert len(load_node(node)) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a\n1\n2\n", "has one column"),
        ("a,b\n", "no row of 2 values"),
        (b"\x00\x01\x02", "not a text file"),
        (b"PK\x03\x04" + bytes(range(256)), "not a text file"),
        (b"\xff\xfe\x00", "not a text file"),
        ("a,b\nx,\ny,\n", "no usable row"),
        ("a,b\n" + "".join(f"w{n},{n}\n" for n in range(99)), "no column that can be a feature"),
        ("a,b\n1,2\n", "fewer than two samples"),
        ("a,b\n1," + "9" * 200_000 + "\n", "not a table"),
    ],
)
def test_useless_tables(table, text, reason):
    with pytest.raises(DataError, match=reason) as caught:
        load_node(table(text))
    assert caught.value.node == "data"


def test_unknown_column(table):
    with pytest.raises(DataError, match=r"no column 'hight'. Did you mean 'height'\?"):
        types_of(table("height,kind\n1,a\n2,b\n", target="hight"))


def test_paths(table, tmp_path, monkeypatch):
    for type_ in ("CSV", "NPZ"):
        for path, reason in (
            ("", "Choose a file"),
            (str(tmp_path), "is a folder"),
            ("none.csv", "no such file"),
        ):
            with pytest.raises(DataError, match=reason) as caught:
                load_node(Node("data", type_, params={"path": path}))
            assert caught.value.node == "data"
        with pytest.raises(DataError, match="cannot be read"):
            load_node(Node("data", type_, params={"path": "a\0b"}))
    table("x,y\n1,2.5\n2,3.5\n")
    monkeypatch.chdir(tmp_path)
    assert len(load_node(Node("data", "CSV", params={"path": "table.csv"}))) == 2


def test_images_become_channels_first(arrays):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (4, 5, 6), np.uint8)
    x, target, _ = parts(arrays(x=grey, y=[0, 1, 2, 1]))
    assert np.array_equal(x, (grey[:, None] / 255).astype(np.float32))
    assert target.classes == ("0", "1", "2")
    color = rng.integers(0, 256, (4, 5, 6, 3), np.uint8)
    x, _, _ = parts(arrays(x=color, y=[0, 1, 2, 1]))
    assert np.array_equal(x, (color.transpose(0, 3, 1, 2) / 255).astype(np.float32))
    first = rng.integers(0, 256, (4, 3, 5, 6), np.uint8)
    assert np.array_equal(parts(arrays(x=first, y=[0, 1, 2, 1]))[0], (first / 255).astype(np.float32))


def test_other_arrays(arrays):
    x, target, _ = parts(arrays(x=np.arange(6.0).reshape(3, 2), y=np.array([0.5, 1.5, 2.5])))
    assert x.dtype == np.float32
    assert target.values.tolist() == [[0.5], [1.5], [2.5]]
    x, target, _ = parts(arrays(x=np.arange(6).reshape(3, 2), y=np.array(["b", "a", "b"])))
    assert x.dtype == np.int64
    assert (target.values.tolist(), target.classes) == ([1, 0, 1], ("a", "b"))
    assert parts(arrays(x=np.eye(3), y=np.array([[0], [1], [0]])))[1].values.tolist() == [0, 1, 0]
    codes = parts(arrays(x=np.eye(3), y=np.array([-1, 7000, -1])))[1]
    assert (codes.values.tolist(), codes.classes) == ([0, 1, 0], ("-1", "7000"))
    x, target, _ = parts(arrays({"target": ""}, x=np.eye(3)))
    assert target is None
    x, _, skipped = parts(arrays(x=np.array([[1.0], [np.nan], [2.0]]), y=[0, 1, 0]))
    assert x.tolist() == [[1], [2]]
    assert skipped == ("1 samples hold numbers that are not finite: 1.",)


def test_refused_arrays(arrays):
    for params, values, reason in (
        ({"input": "images"}, {"x": np.eye(2), "y": [0, 1]}, r"no array 'images'; it has x, y"),
        ({}, {"x": np.eye(2), "y": [0, 1, 1]}, r"'x' has 2 samples, array 'y' has 3"),
        ({}, {"x": np.float64(3), "y": [0]}, "samples first"),
        ({}, {"x": np.zeros((0, 2)), "y": []}, "at least one"),
        ({}, {"x": np.array(["a", "b"]), "y": [0, 1]}, "holds words"),
        ({}, {"x": np.eye(2) * 1j, "y": [0, 1]}, "expected numbers"),
        ({}, {"x": np.full((2, 2), np.nan), "y": [0, 1]}, "every sample"),
    ):
        with pytest.raises(DataError, match=reason) as caught:
            load_node(arrays(params, **values))
        assert caught.value.node == "data"


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_pickles_are_never_opened(tmp_path):
    path = tmp_path / "evil.npz"
    node = Node("data", "NPZ", params={"path": str(path)})
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="no NPZ file"):
        load_node(node)
    objects = np.empty(3, object)
    objects[:] = [Bomb()] * 3
    np.savez(path, x=objects, y=np.arange(3))
    with pytest.raises(DataError, match="expected numbers"):
        load_node(node)
    np.savez(path, x=np.eye(3), y=objects)
    with pytest.raises(DataError, match="expected numbers"):
        types_of(node)


def test_a_header_that_lies_reserves_no_memory(tmp_path):
    path = tmp_path / "lies.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + b"\0" * 64)
    with pytest.raises(DataError, match="is damaged"):
        load_node(Node("data", "NPZ", params={"path": str(path)}))


def test_damage_anywhere_is_told_or_harmless(tmp_path):
    path = tmp_path / "whole.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(20, 3)), y=np.arange(20) % 3)
    whole = path.read_bytes()
    rng = random.Random(0)
    node = Node("data", "NPZ", params={"path": str(path)})
    told = 0
    for turn in range(150):
        data = bytearray(whole)
        if turn % 3:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        else:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(bytes(data))
        os.utime(path, ns=(turn, turn))
        try:
            assert load_node(node).fields["x"].values.shape[1:] == (3,)
        except DataError:
            told += 1
    assert told > 75
