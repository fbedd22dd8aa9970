"""Statistics of data sets, in the units of the file."""

from __future__ import annotations

import numpy as np

from engine.compiler.data import load_node
from engine.data.statistics import statistics
from engine.graph.document import Node


def test_columns_and_classes_of_a_table():
    node = Node("data", "SampleTable", params={"table": "iris", "split": "stratified"})
    data = load_node(node)
    found = statistics(data)
    assert (found.rows, found.held) == (120, 30)
    features = found.field("features")
    assert features.columns[0].name == "sepal length (cm)"
    from sklearn.datasets import load_iris

    iris = load_iris()
    raw = iris.data[data.train]
    assert np.allclose([each.mean for each in features.columns], raw.mean(0), atol=1e-5)
    assert np.allclose([each.deviation for each in features.columns], raw.std(0), atol=1e-5)
    assert np.allclose([each.low for each in features.columns], raw.min(0), atol=1e-5)
    assert np.allclose([each.high for each in features.columns], raw.max(0), atol=1e-5)
    classes = found.field("target").classes
    assert [(each.name, each.rows, each.held) for each in classes] == [
        ("setosa", 40, 10),
        ("versicolor", 40, 10),
        ("virginica", 40, 10),
    ]
    petals = raw[iris.target[data.train] == 2][:, 2]
    assert np.isclose(classes[2].columns[2].mean, petals.mean(), atol=1e-5)


def test_channels_of_images():
    found = statistics(load_node(Node("data", "Digits", params={"size": 8})))
    image = found.field("image")
    assert image.shape == (1, 8, 8)
    assert [each.name for each in image.columns] == ["gray"]
    assert (image.columns[0].low, image.columns[0].high) == (0, 1)
    assert sum(each.rows for each in found.field("label").classes) == found.rows


def test_missing_values_are_counted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,1,0\n,2,1\n3,?,0\n" + "4,3,0\n" * 20)
    node = Node("data", "CSV", params={"path": str(path), "missing": "mean", "validation": 0.0})
    columns = statistics(load_node(node)).field("features").columns
    assert [(each.name, each.missing) for each in columns] == [("a", 1), ("b", 1)]
    node = Node("data", "CSV", params={"path": str(path), "missing": "skip", "validation": 0.0})
    columns = statistics(load_node(node)).field("features").columns
    assert [(each.name, each.missing) for each in columns] == [("a", 1), ("b", 1)]
