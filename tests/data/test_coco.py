"""Images with boxes in the layout of COCO."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from engine.compiler.data import load_node, types_of
from engine.data.coco import fitted
from engine.errors import DataError
from engine.graph.document import Node


def annotation(image, category, box, **more):
    return {"id": 7, "image_id": image, "category_id": category, "bbox": box} | more


@pytest.fixture
def street(tmp_path):
    """Two images with boxes and one without; return a function that writes the JSON with changes."""
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (40, 20), (255, 255, 255)).save(tmp_path / "images" / name)
    data = {
        "images": [{"id": n, "file_name": f"{name}.png"} for n, name in ((10, "a"), (11, "b"), (12, "c"))],
        "categories": [{"id": 5, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [
            annotation(10, 3, [0, 0, 10, 20]),
            annotation(10, 5, [20, 10, 20, 10]),
            annotation(11, 5, [10, 0, 20, 20]),
        ],
    }

    def write(text: str | None = None, **changes) -> Node:
        path = tmp_path / "boxes.json"
        path.write_text(json.dumps(data | changes) if text is None else text)
        params = {"path": str(path), "folder": str(tmp_path / "images"), "size": 20, "most": 3}
        return Node("data", "COCO", params=params | {"fit": "stretch", "validation": 0})

    write.data = data
    return write


def load(node: Node, **params):
    node = Node("data", "COCO", params={**node.params, **params})
    data = load_node(node)
    for field, promised in zip(data.fields.values(), types_of(node), strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert field.values.dtype == {"float": np.float32, "int": np.int64}[promised.dtype]
        assert len(field.classes) == promised.classes
    return data


def test_boxes_follow_the_image_into_its_square(street):
    data = load(street())
    boxes, labels = data.fields["boxes"].values, data.fields["labels"]
    assert labels.classes == ("cat", "dog")  # in the order of their numbers
    assert labels.values.tolist() == [[0, 1, -1], [1, -1, -1], [-1, -1, -1]]
    assert boxes[0].tolist() == [[0, 0, 5, 20], [10, 10, 20, 20], [0, 0, 0, 0]]
    assert load(street(), units="shares").fields["boxes"].values[0, 0].tolist() == [0, 0, 0.25, 1]


def test_boxes_are_cut_off_where_the_image_is(street):
    data = load(street(), fit="crop")
    # The square is the columns 10 to 30: the first box lies outside, the second is half in it.
    assert data.fields["labels"].values[0].tolist() == [1, -1, -1]
    assert data.fields["boxes"].values[0, 0].tolist() == [10, 10, 20, 20]
    assert data.fields["boxes"].values[1, 0].tolist() == [0, 0, 20, 20]


@pytest.mark.parametrize("fit", ["crop", "stretch"])
@pytest.mark.parametrize("size", [(30, 90), (90, 30), (64, 64)])
def test_a_box_marks_the_same_pixels_as_before(tmp_path, fit, size):
    image = Image.new("L", size, 0)
    box = (size[0] // 2 - 6, size[1] // 2 - 9, 15, 12)
    image.paste(255, (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    image.save(tmp_path / "a.png")
    data = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [annotation(1, 1, box)],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(data))
    params = {"path": str(tmp_path / "boxes.json"), "size": 60, "colors": "gray", "fit": fit, "validation": 0}
    fields = load_node(Node("data", "COCO", params=params)).fields
    bright = np.argwhere(fields["image"].values[0, 0] > 0.5)
    found = [*bright.min(0)[::-1], *(bright.max(0)[::-1] + 1)]
    assert np.abs(fields["boxes"].values[0, 0] - found).max() <= 1


def test_the_largest_boxes_have_room(street):
    many = [annotation(10, 3, [0, 0, n, n]) for n in (2, 8, 4, 16)]
    data = load(street(annotations=many))
    assert (data.fields["boxes"].values[0, :, 3]).tolist() == [16, 8, 4]
    assert data.skipped == ("a.png: its 1 smallest boxes have no room",)


def test_crowds_and_bad_annotations_are_left_out(street):
    bad = [
        annotation(10, 3, [0, 0, 10, 20], iscrowd=1),
        annotation(99, 3, [0, 0, 1, 1]),
        annotation(10, 99, [0, 0, 1, 1]),
        annotation(10, 3, [0, 0, 0, 5]),
        annotation(10, 3, [0, 0, "a", 5]),
        "nothing",
    ]
    data = load(street(annotations=bad))
    assert (data.fields["labels"].values == -1).all()
    said = "\n".join(data.skipped)
    assert "Annotation 7: its image_id 99 is not in the file." in said
    assert "its category_id 99" in said
    assert "left, top, width, height; [0, 0, 0, 5] came" in said
    assert "Annotation 6: expected an object" in said


def test_images_that_are_missing_or_elsewhere_are_skipped(street, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    names = ["a.png", "b.png", "gone.png", "../secret.png", str(tmp_path / "secret.png")]
    data = load(street(images=[{"id": n, "file_name": name} for n, name in enumerate(names)], annotations=[]))
    assert len(data) == 2
    assert "gone.png: there is no such image in images" in data.skipped
    assert "../secret.png: it lies outside of images" in data.skipped
    assert len(data.skipped) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"boxes\.json is no JSON"),
        ("[]", "expected .*annotations.*; a list came"),
        ('{"images": []}', "it has 'images'"),
        ('{"images": [], "annotations": [], "categories": []}', "lists no categories"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "lacks 'file_name'"),
    ],
)
def test_what_is_no_file_of_boxes_is_told(street, text, said):
    with pytest.raises(DataError, match=said) as caught:
        types_of(street(text))
    assert caught.value.node == "data"


def test_fitted_is_exact():
    box = np.array([[10.0, 5.0, 20.0, 10.0]])
    assert fitted(box, 40, 20, 100, "stretch").tolist() == [[25, 25, 75, 75]]
    assert fitted(box, 40, 20, 100, "crop").tolist() == [[0, 25, 100, 75]]
