"""Files that are dropped on the window: what will happen is said first, and then happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

import presets
from engine import catalogue
from engine.graph.blocks import group
from engine.storage.document_file import save_document
from engine.storage.library import BLOCK_SUFFIX, save_block
from gui.drops import drop_of
from gui.main_window import MainWindow
from presets import preset
from tests.gui.window_help import LEFT, NONE, open_window

COPY = Qt.DropAction.CopyAction


def data_of(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def over(window: MainWindow, *paths: Path, at: QPoint | None = None) -> list[str]:
    """Drag files over the window; returns what it says."""
    at = at or QPoint(700, 300)
    data = data_of(*paths)
    for event in (
        QDragEnterEvent(at, COPY, data, LEFT, NONE),
        QDragMoveEvent(at, COPY, data, LEFT, NONE),
    ):
        QApplication.sendEvent(window, event)
        assert event.isAccepted()
    window.last = event
    assert window.drop_hint.isVisible()
    return window.drop_hint.texts


def drop(window: MainWindow, *paths: Path, at: QPoint | None = None) -> list[str]:
    """Drag files over the window and let them go; returns what it said."""
    at = at or QPoint(700, 300)
    said = list(over(window, *paths, at=at))
    data = data_of(*paths)
    QApplication.sendEvent(window, QDropEvent(QPointF(at), COPY, data, LEFT, NONE))
    assert not window.drop_hint.isVisible()
    QApplication.processEvents()
    return said


def images(folder: Path) -> Path:
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        picture = QImage(8, 8, QImage.Format.Format_RGB32)
        picture.fill(0)
        picture.save(str(folder / name / "one.png"))
    return folder


def test_what_shares_an_ending_is_looked_into(qtbot, tmp_path):
    verse, table, boxes, plain = (tmp_path / name for name in ("verse.txt", "t.txt", "boxes.json", "p.json"))
    verse.write_text("Shall I compare thee, to a summer's day?\nThou art more lovely\n")
    table.write_text("a,b\n1,2\n3,4\n")
    boxes.write_text('{"images": [], "annotations": [], "categories": []}')
    plain.write_text('[{"a": 1}]')
    for kind, name in (("texts", "one.txt"), ("sounds", "one.wav")):
        for inner in ("a", "b"):
            (tmp_path / kind / inner).mkdir(parents=True)
            (tmp_path / kind / inner / name).write_bytes(b"")
    with open_window(qtbot) as window:
        drop(window, verse, table, boxes, plain, tmp_path / "texts", tmp_path / "sounds")
        assert types(window) == ["TextFile", "CSV", "COCO", "JSON", "TextFolder", "AudioFolder"]


def types(window: MainWindow) -> list[str]:
    return [node.type for node in window.bench.store.document.nodes.values()]


def test_documents_open_each_in_a_tab(qtbot, tmp_path):
    paths = [tmp_path / "a.netwright", tmp_path / "b.netwright"]
    for path in paths:
        save_document(preset("spirals").document(), path)
    with open_window(qtbot) as window:
        said = drop(window, *paths)
        assert said == ["Open a.netwright in a new tab", "Open b.netwright in a new tab"]
        assert [each.path for each in window.bench.store.sessions] == paths


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("flowers.tsv", "CSV"),
        ("Flowers.PARQUET", "Parquet"),
        ("flowers.jsonl", "JSON"),
        ("arrays.npy", "NPY"),
        ("train-images-idx3-ubyte.gz", "IDX"),
        ("train-images.idx3-ubyte", "IDX"),
        ("train-labels-idx1-ubyte.gz", None),
    ],
)
def test_kinds_of_data_that_can_be_dropped(tmp_path, name, type_):
    path = tmp_path / name
    path.write_text('{"a": 1, "kind": "x"}\n')
    found = drop_of(path)
    if type_ is None:
        assert found is None
    else:
        assert found.says(path) == f"Add a node “{catalogue.layer(type_).label}” that reads {name}"


def test_data_becomes_a_node_with_its_path_where_it_was_dropped(qtbot, tmp_path):
    table, arrays = tmp_path / "flowers.csv", tmp_path / "digits.npz"
    table.write_text("a,b,kind\n1,2,x\n3,4,y\n")
    np.savez(arrays, x=np.zeros((4, 2), np.float32), y=np.zeros(4, np.int64))
    folder = images(tmp_path / "pets")
    with open_window(qtbot) as window:
        at = window.canvas.viewport().mapTo(window, QPoint(300, 200))
        said = drop(window, table, arrays, folder, at=at)
        assert [text.rpartition(" ")[2] for text in said] == ["flowers.csv", "digits.npz", "pets"]
        assert all(text.startswith("Add a node") for text in said)
        nodes = list(window.bench.store.document.nodes.values())
        assert [node.type for node in nodes] == ["CSV", "NPZ", "ImageFolder"]
        assert nodes[0].params["path"] == str(table)
        assert nodes[2].params["folder"] == str(folder)
        canvas = window.canvas
        place = canvas.map_to_canvas(QPointF(300, 200))
        assert canvas.graph.nodes[nodes[0].id].body().contains(place)
        assert window.undo_stack.count() == 3


def test_over_the_examples_a_table_begins_a_network(qtbot, tmp_path):
    table = tmp_path / "flowers.csv"
    table.write_text("a,b,kind\n1,2,x\n3,4,y\n")
    with open_window(qtbot) as window:
        window.show_welcome()
        drop(window, table)
        assert types(window) == ["CSV"]
        assert window.canvas.isVisible()


def test_a_block_an_example_and_weights(qtbot, tmp_path):
    block, weights = tmp_path / f"Stem{BLOCK_SUFFIX}", tmp_path / "best.safetensors"
    document, _ = group(preset("lenet5").document(), ["conv1", "tanh1"], "Stem")
    save_block(document, "Stem", block)
    weights.write_bytes(b"")
    with open_window(qtbot, "spirals") as window:
        assert drop(window, block) == [f"Add the block of Stem{BLOCK_SUFFIX}"]
        assert types(window)[-1] == "Stem"
        assert drop(window, weights) == ["Begin the next runs with best.safetensors"]
        assert window.bench.store.whole.training.weights == str(weights)
        example = Path(presets.__file__).parent / "lenet5.py"
        assert drop(window, example) == ["Open the example lenet5"]
        assert window.bench.store.session.name == "LeNet-5"


@pytest.mark.parametrize("name", ["net.onnx", "net.pt2", "net.py"])
def test_networks_from_elsewhere_are_imported(qtbot, tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(b"")
    with open_window(qtbot) as window:
        opened = []
        monkeypatch.setattr(window.imports, "open", opened.append)
        assert drop(window, path) == [f"Import the network in {name}"]
        assert opened == [path]


def test_what_cannot_be_used_is_told_with_what_could_be(qtbot, tmp_path):
    picture, folder, other = tmp_path / "cat.png", tmp_path / "notes", tmp_path / "a.docx"
    folder.mkdir()
    for path in (picture, other):
        path.write_bytes(b"")
    with open_window(qtbot, "spirals") as window:
        said = over(window, picture, folder, other)
        assert "one folder of images for each class" in said[0]
        assert "holds no folders of images" in said[1]
        assert "can be dropped" in said[2]
        assert window.last.dropAction() == Qt.DropAction.IgnoreAction
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not window.drop_hint.isVisible()
        messages, before = [], window.bench.store.whole
        window.bench.message.connect(messages.append)
        drop(window, other)
        assert "a.docx" in messages[0]
        assert window.bench.store.whole == before


def test_many_files_are_counted(qtbot, tmp_path):
    with open_window(qtbot) as window:
        said = over(window, *(tmp_path / f"{n}.csv" for n in range(9)))
        assert len(said) == 7
        assert said[-1] == "and 3 more"
