"""Tables in JSON: every usual form, and what is said of those that cannot be used."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.compiler.data import load_node, types_of
from engine.errors import DataError
from engine.graph.document import Node

RECORDS = [{"size": 1.5, "color": "red", "kind": "cat"}, {"size": 2, "color": "blue", "kind": "dog"}]


@pytest.fixture
def read(tmp_path):
    def write(text: object, **params):
        path = tmp_path / "table.json"
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        node = Node(
            "data", "JSON", params={"path": str(path), "normalize": "none", "validation": 0.0, **params}
        )
        data = load_node(node)
        for field, promised in zip(data.fields.values(), types_of(node), strict=True):
            assert field.values.shape[1:] == promised.shape[1:]
            assert len(field.classes) == promised.classes
        return data.fields["features"], data.fields["target"], data.skipped

    return write


@pytest.mark.parametrize(
    "content",
    [
        RECORDS,
        "\n".join(json.dumps(each) for each in RECORDS),
        {"size": [1.5, 2], "color": ["red", "blue"], "kind": ["cat", "dog"]},
        {"version": "1.0", "data": RECORDS},
        {name: {str(row): each[name] for row, each in enumerate(RECORDS)} for name in RECORDS[0]},
    ],
    ids=["list", "lines", "columns", "wrapped", "pandas"],
)
def test_every_form_of_a_table(read, content):
    features, target, skipped = read(content)
    assert features.columns == ("size", "color = blue", "color = red")
    assert features.values.tolist() == [[1.5, 0, 1], [2, 1, 0]]
    assert target.classes == ("cat", "dog")
    assert skipped == ()


def test_vectors_and_inner_objects(read):
    rows = [{"at": {"x": n, "y": [n, 2 * n]}, "y": n % 2} for n in range(6)]
    features, target, _ = read(rows, target="y")
    assert features.columns == ("at.x", "at.y 0", "at.y 1")
    assert features.values[3].tolist() == [3, 3, 6]
    assert target.classes == ("0", "1")


def test_a_vector_may_be_the_target(read):
    rows = [{"x": n, "y": [n, n / 2, 0]} for n in range(6)]
    _, target, _ = read(rows)
    assert target.values.shape == (6, 3)


def test_bad_lines_are_left_out_and_listed(read):
    good = "\n".join(json.dumps({"a": n, "v": [n, 1], "b": "xy"[n % 2]}) for n in range(30))
    bad = """{"a": 1,
        [1, 2]
        {"a": "oops", "v": [1, 2], "b": "x"}
        {"v": [1, 2], "b": "x"}
        {"a": 1, "v": [1], "b": "x"}
    """
    features, _, skipped = read(bad + good)
    assert len(features.values) == 30
    text = "\n".join(skipped)
    assert "Line 1 is no JSON" in text
    assert "Line 2: expected an object, [1, 2] came." in text
    assert "Line 3: 'a' expects a number, 'oops' came." in text
    assert "Line 4: 'a' expects a number, it is empty." in text
    assert "Line 5: 'v' expects a number, '[1]' came." in text
    assert len(skipped) == 5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "holds no objects"),
        ("no json", "holds no objects; expected a list of objects.*Line 1 is no JSON"),
        ("3", "holds 3; expected a list of objects"),
        ([1, 2], "holds no objects.*expected an object, 1 came"),
        ({"a": [1, 2], "b": [1]}, "different lengths: a 2, b 1"),
        ([{"a": 1}, {"a": 2}], "has one column"),
        ([{"a": [{}], "b": 1}, {"a": [{}], "b": 2}], "no column that can be a feature"),
        ([{"a": 1, "b": [{}]}, {"a": 2, "b": [{}]}], "'b' cannot be the target"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_useless_files(read, content, reason):
    with pytest.raises(DataError, match=reason) as caught:
        read(content)
    assert caught.value.node == "data"


def test_missing_words_are_rows_of_zeros(read):
    rows = [{"w": w, "x": 1.0, "y": n % 2} for n, w in enumerate(["a", None, "b", "a"])]
    features, _, _ = read(rows, target="y", missing="mean")
    assert features.columns == ("w = a", "w = b", "x")
    assert np.array_equal(features.values[:, :2], [[1, 0], [0, 0], [0, 1], [1, 0]])
