"""A person's own images: one folder for each class."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from engine.compiler.data import load_node, types_of
from engine.data.stream import Stream, joined
from engine.errors import DataError
from engine.graph.document import Node


@pytest.fixture
def pets(tmp_path):
    """Two classes, a picture that is none, and a file that is nobody's."""
    for name, color, sizes in (("cats", (255, 0, 0), ((40, 20), (8, 8))), ("dogs", (0, 0, 255), ((30, 60),))):
        (tmp_path / name).mkdir()
        for number, size in enumerate(sizes):
            Image.new("RGB", size, color).save(tmp_path / name / f"{number}.png")
    (tmp_path / "dogs" / "torn.jpg").write_bytes(b"\xff\xd8\xff but no picture")
    (tmp_path / "dogs" / "notes.txt").write_text("not an image")
    (tmp_path / ".cache").mkdir()
    return tmp_path


def node(folder, **params) -> Node:
    return Node(
        "images", "ImageFolder", params={"folder": str(folder), "size": 16, "validation": 0, **params}
    )


def test_each_folder_is_a_class(pets):
    data = load_node(node(pets))
    image, label = data.fields["image"], data.fields["label"]
    assert image.values.shape == (3, 3, 16, 16)
    assert image.values.dtype == np.float32
    assert label.classes == ("cats", "dogs")
    assert label.values.tolist() == [0, 0, 1]
    assert image.values[0, :, 8, 8].tolist() == [1, 0, 0]
    assert image.values[2, :, 8, 8].tolist() == [0, 0, 1]
    assert [t.shape[1:] for t in types_of(node(pets))] == [(3, 16, 16), ()]
    assert types_of(node(pets))[1].classes == 2


def test_what_cannot_be_read_is_skipped_and_named(pets):
    assert [each.partition(":")[0] for each in load_node(node(pets)).skipped] == ["dogs/torn.jpg"]


def test_gray_images_have_one_channel(pets):
    gray = load_node(node(pets, colors="gray")).fields["image"].values
    assert gray.shape == (3, 1, 16, 16)
    assert gray[0].max() == pytest.approx(76 / 255)  # red as luma of ITU-R 601


def test_the_middle_is_cut_out_or_all_is_stretched(tmp_path):
    (tmp_path / "a").mkdir()
    wide = Image.new("RGB", (48, 16), (255, 255, 255))
    wide.paste((0, 0, 0), (16, 0, 32, 16))
    for name in ("wide.png", "wider.png"):
        wide.save(tmp_path / "a" / name)
    assert load_node(node(tmp_path)).fields["image"].values.max() == 0
    stretched = load_node(node(tmp_path, fit="stretch")).fields["image"].values[0, 0, 8]
    assert stretched[0] == 1
    assert stretched[8] == 0


def test_a_photo_that_the_camera_turned_stands_upright(tmp_path):
    (tmp_path / "a").mkdir()
    photo = Image.new("RGB", (16, 16), (0, 0, 0))
    photo.paste((255, 255, 255), (0, 0, 16, 8))  # the upper half as stored
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by half
    for name in ("photo.jpg", "photo2.jpg"):
        photo.save(tmp_path / "a" / name, exif=exif, quality=95)
    image = load_node(node(tmp_path)).fields["image"].values[0, 0]
    assert image[:6].max() < 0.2
    assert image[10:].min() > 0.8


def test_a_new_image_is_seen(pets):
    assert len(load_node(node(pets))) == 3
    Image.new("RGB", (9, 9)).save(pets / "cats" / "new.png")
    assert len(load_node(node(pets))) == 4


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda top: top / "nowhere", "there is no such folder"),
        (
            lambda top: ((top / "loose.png").write_bytes(b"") and top) or top,
            "1 images and no folder of images",
        ),
        (lambda top: top, "it holds none"),
    ],
)
def test_what_is_no_folder_of_classes_is_told(tmp_path, make, said):
    with pytest.raises(DataError, match=said):
        load_node(node(make(tmp_path)))


def test_a_folder_of_nothing_readable_is_told(tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"none of 1 images can be read; cats/a\.png"):
        load_node(node(tmp_path))


def test_too_many_pixels_are_refused_before_they_are_read(pets, monkeypatch):
    monkeypatch.setattr("engine.data.images.LARGEST", 1000)
    with pytest.raises(DataError, match="choose a smaller size"):
        load_node(node(pets))


def test_no_folder_is_chosen_yet():
    with pytest.raises(DataError, match="Choose a folder"):
        types_of(node(""))


@pytest.fixture
def many(tmp_path):
    """Two classes of gray pictures, each of another brightness; one file is no picture."""
    for number in range(120):
        folder = tmp_path / ("a", "b")[number >= 80]
        folder.mkdir(exist_ok=True)
        Image.new("L", (8, 8), number).save(folder / f"{number:03}.png")
    (tmp_path / "a" / "none.png").write_text("no picture")
    return tmp_path


def brightness(images: np.ndarray) -> np.ndarray:
    return np.round(images[:, 0, 0, 0] * 255).astype(int)


@pytest.mark.parametrize("split", ["random", "stratified"])
def test_a_streamed_folder_is_split_as_one_in_memory(many, split, monkeypatch):
    monkeypatch.setattr("engine.data.file_blocks.PIECE", 4000)
    monkeypatch.setattr("engine.data.stream.WINDOW", 30_000)
    options = {"size": 8, "colors": "gray", "split": split, "validation": 0.25, "normalize": "none"}
    whole = load_node(node(many, **options))
    data = load_node(node(many, reading="stream", **options))
    assert isinstance(data, Stream)
    assert (data.rows, data.held) == (whole.rows, whole.held) == (90, 30)
    held = joined(list(data.blocks(held=True)))
    assert set(brightness(held["image"])) == set(brightness(whole.first(99, held=True)["image"]))
    first, again, other = (joined(list(data.epoch(0, number))) for number in (1, 1, 2))
    rows = brightness(first["image"])
    assert set(rows) == set(range(120)) - set(brightness(held["image"]))
    assert np.array_equal(first["label"], rows >= 80)
    assert np.array_equal(rows, brightness(again["image"]))
    assert not np.array_equal(rows, brightness(other["image"]))
    assert [each.partition(":")[0] for each in data.skipped] == ["a/none.png"]


def test_a_streamed_folder_is_scaled_by_its_training_images(many):
    options = {"size": 8, "colors": "gray", "normalize": "standardize"}
    whole, data = (load_node(node(many, reading=each, **options)) for each in ("memory", "stream"))
    scales = [each.fields["image"].scale for each in (whole, data)]
    assert scales[0].shift == pytest.approx(scales[1].shift, abs=0.02)
    train = joined(list(data.blocks()))["image"]
    assert train.mean() == pytest.approx(0, abs=1e-4)
    assert train.std() == pytest.approx(1, abs=1e-3)


def test_a_picture_that_ends_too_early_gives_way_to_a_neighbor(many):
    whole = (many / "b" / "100.png").read_bytes()
    data = load_node(node(many, reading="stream", size=8, colors="gray"))
    (many / "b" / "100.png").write_bytes(whole[: len(whole) // 2])
    rows = joined(list(data.epoch(0, 1)))
    assert len(rows["label"]) == 120
    found = brightness(rows["image"])
    assert 100 not in found
    assert np.array_equal(rows["label"], found >= 80)


def test_images_larger_than_memory_are_streamed(many, monkeypatch):
    monkeypatch.setattr("engine.data.scan.SHARE", 0)
    assert isinstance(load_node(node(many, size=9)), Stream)
