"""File > Import, from the file to the open network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from torch import nn

from engine.importing.files import IMPORTERS
from engine.importing.report import SUFFIXES
from gui.trust import Review
from tests.gui.window_help import LEFT, open_window

TWO = """
from torch import nn

class Small(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.fc = nn.Linear(width, 3)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.fc(x))

class Large(Small):
    def __init__(self, classes: int):
        super().__init__(8)
        self.head = nn.Linear(3, classes)

    def forward(self, x):
        return self.head(super().forward(x))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nets.py"
    path.write_text(f"# {tmp_path}\n{TWO}")  # no other test has trusted it
    return path


def decide(trusted: bool, seen: list[str]) -> None:
    """Answer the review of the code when it comes up."""

    def look() -> None:
        review = QApplication.activeModalWidget()
        if isinstance(review, Review):
            seen.append(review.windowTitle())
            QTest.mouseClick(review.trust_button if trusted else review.keep_button, LEFT)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def words(window) -> str:
    return " ".join(each.text() for each in window.imports.dialog.findChildren(QLabel) if each.isVisible())


def test_every_ending_has_a_reader() -> None:
    assert tuple(IMPORTERS) == SUFFIXES


def test_a_python_file_is_trusted_read_reported_and_opened(qtbot, monkeypatch, file) -> None:
    seen: list[str] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    with open_window(qtbot) as window:
        imports = window.imports
        decide(True, seen)
        window.actions_["import"].trigger()
        assert seen == ["Review Python code"]
        qtbot.waitUntil(lambda: imports.dialog.form.isVisible(), timeout=60_000)
        assert "Large takes (classes: int)" in imports.dialog.said.text()

        imports.dialog.module.setText("Large(5)")
        imports.dialog.inputs.setText("1,7")
        QTest.mouseClick(imports.dialog.again_button, LEFT)
        qtbot.waitUntil(lambda: "does not run with x 1,7" in imports.dialog.said.text(), timeout=60_000)

        imports.dialog.inputs.setText("1,8")
        QTest.mouseClick(imports.dialog.again_button, LEFT)
        qtbot.waitUntil(lambda: imports.dialog.open_button.isVisible(), timeout=60_000)
        assert "The outputs agree" in words(window)

        QTest.mouseClick(imports.dialog.open_button, LEFT)
        document = window.bench.store.document
        assert [node.type for node in document.nodes.values()] == [
            "Input", "Linear", "ReLU", "Linear", "Output",
        ]  # fmt: skip
        assert window.files.path == file.with_suffix(".netwright")
        assert document.training.weights == str(file.with_suffix(".safetensors"))
        assert not window.files.dirty


def test_a_module_of_the_file_is_chosen_with_one_click(qtbot, file) -> None:
    with open_window(qtbot) as window:
        decide(True, [])
        window.imports.open(file)
        qtbot.waitUntil(lambda: window.imports.dialog.form.isVisible(), timeout=60_000)
        assert list(window.imports.dialog.chips) == ["Small", "Large"]
        QTest.mouseClick(window.imports.dialog.chips["Small"], LEFT)
        qtbot.waitUntil(lambda: window.imports.dialog.open_button.isVisible(), timeout=60_000)
        window.imports.dialog.reject()
        assert not file.with_suffix(".netwright").exists()


def test_without_trust_nothing_is_run(qtbot, file) -> None:
    witness = file.with_name("witness")
    file.write_text(f"open({str(witness)!r}, 'w').close()\n{TWO}")
    with open_window(qtbot) as window:
        decide(False, seen := [])
        window.imports.open(file)
        assert seen
        assert window.imports.dialog is None
        assert not window.imports.busy
    assert not witness.exists()


def test_a_file_in_the_way_is_kept(qtbot, tmp_path) -> None:
    path = tmp_path / "line.pt2"
    torch.export.save(torch.export.export(nn.Linear(2, 3).eval(), (torch.randn(4, 2),)), path)
    path.with_suffix(".netwright").write_text("mine")
    with open_window(qtbot) as window:
        window.imports.open(path)
        qtbot.waitUntil(lambda: window.imports.dialog.open_button.isVisible(), timeout=60_000)
        QTest.mouseClick(window.imports.dialog.open_button, LEFT)
        assert window.files.path == tmp_path / "line-2.netwright"
    assert path.with_suffix(".netwright").read_text() == "mine"
