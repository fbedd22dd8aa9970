"""Columns of the hub become fields: sound, arrays, files beside the rows, names that are no words."""

from __future__ import annotations

import io
import wave

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from engine.data.features import port_name, reader_of, says
from engine.data.hub import hub
from engine.errors import DataError
from tests.data.hub_sets import BYTES, png

VALUE = {"_type": "Value", "dtype": "float32"}
P = hub.values({"size": 8, "length": 4, "rate": 8000, "seconds": 0.5})


def read(feature: dict, column: pa.Array, **params):
    column = pa.chunked_array([column])
    reader = reader_of("x", feature, column, P | params)
    values, bad = reader.read(column)
    assert values.shape[1:] == reader.type.shape[1:]
    assert values.dtype == {"float": np.float32, "int": np.int64}[reader.type.dtype]
    return values, bad, reader


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((10_000 * np.sin(np.arange(4000))).astype("<i2").tobytes())
    return out.getvalue()


def test_sound():
    cells = [{"bytes": sound(), "path": "a.wav"}, {"bytes": b"torn", "path": "b.wav"}, None]
    values, bad, reader = read({"_type": "Audio"}, pa.array(cells, BYTES))
    assert reader.type.shape == ("N", 1, 4000)
    assert np.abs(values[0, 0] - 10_000 * np.sin(np.arange(4000)) / 2**15).max() < 1e-3
    assert set(bad) == {1, 2}
    assert bad[2] == "there is no sound"


def test_images_in_files_of_the_cache_and_of_no_other_place(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    inside, outside = tmp_path / "home" / "datasets" / "a.png", tmp_path / "secret.png"
    inside.parent.mkdir(parents=True)
    for path in (inside, outside):
        Image.new("RGB", (9, 9), "red").save(path)
    cells = [
        {"bytes": None, "path": str(inside)},
        {"bytes": None, "path": str(outside)},
        {"bytes": None, "path": str(inside.parent / ".." / ".." / "secret.png")},
        {"bytes": None, "path": "https://example.org/a.png"},
        png((255, 0, 0)),
    ]
    values, bad, _ = read({"_type": "Image"}, pa.array(cells, BYTES))
    assert set(bad) == {1, 2, 3}
    assert values[0, :, 4, 4].tolist() == values[4, :, 4, 4].tolist() == [1, 0, 0]


def test_arrays_of_one_shape_and_of_another():
    feature = {"_type": "Array2D", "shape": [2, 3], "dtype": "float32"}
    kind = pa.list_(pa.list_(pa.float32()))
    rows = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [0, 1, 2]]]
    values, bad, reader = read(feature, pa.array(rows, kind))
    assert says(feature) == "arrays of 2×3"
    assert reader.type.shape == ("N", 2, 3)
    assert values.tolist() == rows
    assert not bad
    values, bad, _ = read(feature, pa.array([*rows, [[1, 2], [3, 4]], None], kind))
    assert values[:2].tolist() == rows
    assert bad[2] == "its shape is 2×2, not 2×3"
    assert 3 in bad


def test_lists_of_whole_numbers():
    feature = {"_type": "List", "feature": VALUE | {"dtype": "int64"}}
    values, bad, _ = read(feature, pa.array([[5], [1, 2, 3, 4, 5, 6], None]))
    assert values[:2].tolist() == [[5, 0, 0, 0], [1, 2, 3, 4]]
    assert bad == {2: "there is no list"}
    values, bad, reader = read(feature, pa.array([[1, 2], [3, 4]]))
    assert (values.tolist(), bad, reader.type.dtype) == ([[1, 2], [3, 4]], {}, "int")
    with pytest.raises(DataError, match="'x' begins with empty rows"):
        read(feature, pa.array([None, []], pa.list_(pa.int64())))


def test_numbers_and_labels_that_are_missing():
    values, bad, reader = read(VALUE, pa.array([1.5, None, float("nan"), 4.0], pa.float32()))
    assert values[[0, 3], 0].tolist() == [1.5, 4.0]
    assert set(bad) == {1, 2}
    assert not reader.sure
    assert read(VALUE, pa.array([1.5, 2.5], pa.float32()))[2].sure
    feature = {"_type": "ClassLabel", "names": ["a", "b"]}
    values, bad, reader = read(feature, pa.array([0, 1, -1, None]))
    assert (values[:2].tolist(), set(bad)) == ([0, 1], {2, 3})
    assert reader.classes == ("a", "b")


@pytest.mark.parametrize(
    "feature",
    [
        {"_type": "Value", "dtype": "timestamp[s]"},
        {"_type": "Value", "dtype": "binary"},
        {"_type": "List", "feature": {"_type": "Value", "dtype": "string"}},
        {"_type": "Translation", "languages": ["de", "fr"]},
        {"a": VALUE},
        [VALUE],
        None,
    ],
)
def test_what_becomes_no_field_is_not_offered(feature):
    assert says(feature) == ""
    with pytest.raises(DataError, match=r"The column 'x' is .*; no field can be made of it"):
        reader_of("x", feature, pa.chunked_array([pa.array([1])]), P)


def test_names_of_ports_are_words():
    names = ["image", "input.ids", "2d", "class", "self", "größe", "___", "a b-c"]
    ports = [port_name(name) for name in names]
    assert ports == ["image", "input_ids", "column_2d", "class_", "self_", "gr_e", "column", "a_b_c"]
    assert all(port.isidentifier() for port in ports)
    outputs = hub.outputs_of({"columns": "a b, a.b, , image, image"})
    assert [port.name for port in outputs] == ["a_b", "a_b_", "image"]
