"""Exporting by mouse and keys: what is offered, whose weights are written, what is said afterwards."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from engine.export import EXPORTERS
from engine.graph import edits
from engine.training.checkpoint import read_weights
from gui.exports import DRAWINGS, file_name
from tests.gui.window_help import LEFT, answer, open_window

STARTS = {
    "module": b"import torch",
    "script": b'"""Trains Spirals',
    "document": b'{\n "netwright": 3',
    "pdf": b"%PDF-",
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "onnx": b"\x08",
    "program": b"PK",
    "slurm": b"#!/bin/bash\n",
    "kubernetes": b'# Trains "Spirals" on Kubernetes',
}


@contextmanager
def dialog_of(qtbot, window):
    """Open the dialog from the menu and close it at the end."""
    window.actions_["export"].trigger()
    dialog = window.exports.dialog
    qtbot.waitExposed(dialog)
    yield dialog
    if window.exports.dialog is not None:
        QTest.mouseClick(dialog.close_button, LEFT)
    QApplication.processEvents()
    assert window.exports.dialog is None


def choose(qtbot, monkeypatch, window, dialog, name, path) -> str:
    """Click on a kind, name a file, wait, and return what is said."""
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: asked.append(given) or (str(path), ""))
    QTest.mouseClick(dialog.cards[name], LEFT)
    assert len(asked) == 1
    qtbot.waitUntil(
        lambda: not window.exports.busy and not dialog.said.text().startswith("Writing"), timeout=60_000
    )
    return dialog.said.text()


def trained(qtbot, window) -> None:
    window.bridge.run()
    qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)


def test_every_kind_is_offered_and_written(qtbot, monkeypatch, tmp_path):
    with open_window(qtbot, "spirals") as window, dialog_of(qtbot, window) as dialog:
        assert dialog.cards.keys() == EXPORTERS.keys() | DRAWINGS.keys()
        for name, card in dialog.cards.items():
            exporter = {**EXPORTERS, **DRAWINGS}[name]
            path = tmp_path / f"{name}{exporter.suffix}"
            said = choose(qtbot, monkeypatch, window, dialog, name, path)
            assert said.startswith(f"Wrote {path.name}"), said
            assert dialog.folder_button.isVisible()
            assert path.read_bytes().startswith(STARTS.get(name, b""))
            assert exporter.doc in card.accessibleName()
        opened = []
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
        QTest.mouseClick(dialog.folder_button, LEFT)
        assert opened == [str(tmp_path)]


def test_the_weights_of_the_last_run_are_written_unless_the_network_changed(qtbot, monkeypatch, tmp_path):
    path = tmp_path / "w.safetensors"
    with open_window(qtbot, "linear_regression") as window:
        with dialog_of(qtbot, window) as dialog:
            assert "nothing was trained yet" in dialog.notes["Model"].text()
            said = choose(qtbot, monkeypatch, window, dialog, "weights", path)
            assert said == "Wrote w.safetensors: fresh weights from seed 0."
        trained(qtbot, window)
        with dialog_of(qtbot, window) as dialog:
            assert dialog.notes["Model"].text() == "with the weights of the last run, step 100"
            said = choose(qtbot, monkeypatch, window, dialog, "weights", path)
            assert said == "Wrote w.safetensors: weights of the last run, step 100."
            state = window.bridge.runner.model.state_dict()
            assert all(state[name].equal(value) for name, value in read_weights(path).items())
        window.bench.store.apply("Without bias", lambda d: edits.set_params(d, "line", bias=False))
        with dialog_of(qtbot, window) as dialog:
            assert "changed since the last run" in dialog.notes["Model"].text()
            assert "fresh weights" in choose(qtbot, monkeypatch, window, dialog, "weights", path)


def test_arrows_and_enter_choose(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (str(tmp_path / "net"), ""))
    with open_window(qtbot, "spirals") as window, dialog_of(qtbot, window) as dialog:
        cards = list(dialog.cards.values())
        qtbot.waitUntil(cards[0].hasFocus, timeout=5000)
        QTest.keyClick(cards[0], Qt.Key.Key_Up)
        assert cards[-1].hasFocus()
        QTest.keyClick(cards[-1], Qt.Key.Key_Down)
        QTest.keyClick(cards[0], Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: dialog.said.text() == "Wrote net.py.", timeout=10_000)
        assert "class Spirals(nn.Module)" in (tmp_path / "net.py").read_text(encoding="utf-8")
        QTest.keyClick(dialog, Qt.Key.Key_Escape)


def test_a_failing_network_is_told_with_its_node(qtbot, monkeypatch, tmp_path):
    with open_window(qtbot, "lenet5") as window:
        window.bench.store.apply("Cut", lambda d: edits.delete(d, ["tanh1"]))
        with dialog_of(qtbot, window) as dialog:
            said = choose(qtbot, monkeypatch, window, dialog, "onnx", tmp_path / "net.onnx")
            assert said == "pool1: Nothing is connected to its input."
            assert not dialog.folder_button.isVisible()
            QTest.mouseClick(dialog.node_button, LEFT)
        assert window.bench.store.selection == {"pool1"}
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["module", "png", "weights"])
def test_a_folder_that_takes_no_file_is_told(qtbot, monkeypatch, tmp_path, name):
    suffix = {**EXPORTERS, **DRAWINGS}[name].suffix
    with open_window(qtbot, "spirals") as window, dialog_of(qtbot, window) as dialog:
        said = choose(qtbot, monkeypatch, window, dialog, name, tmp_path / "nowhere" / f"net{suffix}")
        assert "written" in said
        assert "No such file" in said
        assert not dialog.node_button.isVisible()


def test_the_window_lives_while_a_file_is_written(qtbot, monkeypatch, tmp_path):
    """The window draws and edits; closing the dialog does not end the writing; a second one waits."""
    go, said = threading.Event(), []

    def slowly(document, path, name, weights):
        assert go.wait(30)
        path.write_text("done")
        return f"Wrote {path.name}."

    monkeypatch.setattr("gui.exports.export", slowly)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (str(tmp_path / "net.onnx"), ""))
    with open_window(qtbot, "spirals") as window:
        window.bench.message.connect(said.append)
        with dialog_of(qtbot, window) as dialog:
            QTest.mouseClick(dialog.cards["onnx"], LEFT)
            assert dialog.said.text() == "Writing net.onnx …"
            assert not dialog.cards["onnx"].isEnabled()
        window.bench.store.apply("Edit", lambda d: edits.set_params(d, "hidden", out_features=7))
        window.exports.module()
        assert said == ["Writing net.onnx …", "Another file is still being written."]
        with dialog_of(qtbot, window) as dialog:
            assert "still being written" in dialog.said.text()
            go.set()
            qtbot.waitUntil(lambda: dialog.said.text() == "Wrote net.onnx.", timeout=10_000)
            assert dialog.cards["onnx"].isEnabled()
        assert said[-1] == "Wrote net.onnx."


def test_closing_the_window_waits_for_the_file(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (str(tmp_path / "net.py"), ""))
    with open_window(qtbot, "spirals") as window:
        window.exports.module()
    assert (tmp_path / "net.py").is_file()


def test_the_keys_of_the_drawing_and_of_the_code_ask_at_once(qtbot, monkeypatch, tmp_path):
    asked, said = [], []
    paths = iter([tmp_path / "net.svg", tmp_path / "net.py", tmp_path / "nowhere" / "net.png"])

    def ask(parent, title, start, filters):
        asked.append((start, filters))
        return str(next(paths)), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    with open_window(qtbot, "lenet5") as window:
        window.bench.message.connect(said.append)
        window.actions_["picture"].trigger()
        assert "<svg" in (tmp_path / "net.svg").read_text(encoding="utf-8")
        assert asked[0][1] == "PDF (*.pdf);;SVG (*.svg);;PNG (*.png)"
        QTest.mouseClick(window.code.export_button, LEFT)
        qtbot.waitUntil(lambda: said[-1] == "Wrote net.py.", timeout=10_000)
        assert asked[1][0] == str(tmp_path / "lenet_5.py")  # beside the last one
        told = answer(QMessageBox.StandardButton.Ok)
        window.actions_["picture"].trigger()
        assert "net.png was not written" in told[0]


def test_files_are_offered_under_names_that_work():
    assert file_name("LeNet-5", EXPORTERS["module"]) == "lenet_5.py"
    assert file_name("LeNet-5", EXPORTERS["script"]) == "lenet_5_script.py"
    assert file_name("3 layers", EXPORTERS["module"]) == "net_3_layers.py"
    assert file_name("Ünï", EXPORTERS["module"]) == "n.py"
    assert file_name("", EXPORTERS["onnx"]) == "network.onnx"
    assert file_name("../a:b", DRAWINGS["pdf"]) == "a-b.pdf"
