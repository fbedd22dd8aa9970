"""Images with masks in another folder: classes by color, numbers by brightness."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.compiler.data import load_node, types_of
from engine.errors import DataError
from engine.graph.document import Node


@pytest.fixture
def scene(tmp_path):
    """Three images; each has a mask whose left half is 0 and whose right half is its number."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in (1, 2, 3):
        Image.new("RGB", (32, 16), (80 * number, 0, 0)).save(tmp_path / "images" / f"{number}.jpg")
        mask = Image.new("L", (32, 16), 0)
        mask.paste(number, (16, 0, 32, 16))
        mask.save(tmp_path / "masks" / f"{number}{'_mask' if number == 2 else ''}.png")
    return tmp_path


def node(top, **params) -> Node:
    values = {"images": str(top / "images"), "masks": str(top / "masks"), "size": 8, "validation": 0}
    return Node("data", "ImageMasks", params=values | {"fit": "stretch"} | params)


def load(top, **params):
    data, types = load_node(node(top, **params)), types_of(node(top, **params))
    for field, promised in zip(data.fields.values(), types, strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert field.values.dtype == {"float": np.float32, "int": np.int64}[promised.dtype]
        assert len(field.classes) == promised.classes
    return data


def test_every_value_of_the_masks_is_a_class(scene):
    data = load(scene)
    mask = data.fields["mask"]
    assert mask.classes == ("0", "1", "2", "3")
    assert mask.values[2, :, :4].max() == 0
    assert set(mask.values[2, :, 4:].flat) == {3}
    assert data.fields["image"].values.shape == (3, 3, 8, 8)
    assert data.skipped == ()


def test_the_same_middle_is_cut_out_of_both(scene):
    mask = load(scene, fit="crop").fields["mask"].values
    assert mask[0].tolist() == [[0] * 4 + [1] * 4] * 8


def test_a_border_belongs_to_no_class(scene):
    mask = Image.open(scene / "masks" / "1.png")
    mask.paste(255, (0, 0, 32, 4))
    mask.save(scene / "masks" / "1.png")
    found = load(scene).fields["mask"]
    assert found.classes == ("0", "1", "2", "3")
    assert set(found.values[0, :2].flat) == {-100}
    assert load(scene, border=False).fields["mask"].classes == ("0", "1", "2", "3", "255")


def test_black_and_white_masks_have_two_classes_or_are_numbers(scene):
    for number in (1, 2, 3):
        for path in (scene / "masks").glob(f"{number}*"):
            mask = Image.new("1", (32, 16), 0)
            mask.paste(1, (16, 0, 32, 16))
            mask.save(path)
    found = load(scene).fields["mask"]
    assert found.classes == ("0", "255")
    assert set(found.values.flat) == {0, 1}
    numbers = load(scene, masks_are="numbers").fields["mask"].values
    assert numbers.shape == (3, 1, 8, 8)
    assert numbers[0, 0, 0, 0] == 0
    assert numbers[0, 0, 0, 7] == 1


def test_colors_and_palettes(scene):
    for path, color in zip(sorted((scene / "masks").iterdir()), ("red", "lime", "red"), strict=True):
        mask = Image.new("RGB", (32, 16), "black")
        mask.paste(color, (16, 0, 32, 16))
        mask.save(path)
    found = load(scene).fields["mask"]
    assert found.classes == ("#000000", "#00ff00", "#ff0000")
    assert found.values[:, 0, 7].tolist() == [2, 1, 2]
    for path in (scene / "masks").iterdir():
        mask = Image.new("P", (32, 16), 0)
        mask.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        mask.paste(2, (16, 0, 32, 16))
        mask.save(path)
    assert load(scene).fields["mask"].classes == ("0", "2")


def test_what_has_no_partner_or_cannot_be_read_is_skipped(scene):
    Image.new("RGB", (8, 8)).save(scene / "images" / "lonely.png")
    Image.new("RGB", (8, 8)).save(scene / "images" / "4.png")
    Image.new("L", (8, 8)).save(scene / "masks" / "4.png")
    (scene / "images" / "1.jpg").write_bytes(b"torn")
    (scene / "masks" / "3.png").write_bytes(b"torn")
    data = load(scene)
    assert len(data) == 2
    said = "\n".join(data.skipped)
    assert "lonely.png: there is no mask of this name in masks" in said
    assert "masks/3.png: " in said
    assert "1.jpg: " in said


def test_folders_that_do_not_fit_are_told(scene, tmp_path):
    with pytest.raises(DataError, match="Choose a folder"):
        types_of(node(scene, masks=""))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="'empty' should hold images; it holds none"):
        types_of(node(scene, images=str(tmp_path / "empty")))
    with pytest.raises(DataError, match=r"1.jpg needs 1.png or 1_mask.png there"):
        types_of(node(scene, masks=str(tmp_path / "empty")))


def test_photos_are_no_masks(scene):
    noise = np.random.default_rng(0).integers(0, 256, (16, 32, 3), np.uint8)
    for path in (scene / "masks").iterdir():
        Image.fromarray(noise).save(path)
    with pytest.raises(DataError, match="more than 256 different colors"):
        types_of(node(scene, size=32))
