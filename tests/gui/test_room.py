"""Pressing Run on what will not fit asks first."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from engine.graph.settings import set_training
from engine.training import room
from tests.gui.window_help import open_window


@pytest.mark.parametrize(
    ("press", "state", "batch_size"),
    [
        ("Set batch size to 16 and run", "finished", 16),
        ("Run anyway", "finished", 64),
        ("Cancel", "idle", 64),
    ],
)
def test_run_asks_before_it_fills_the_memory(qtbot, monkeypatch, press, state, batch_size):
    with open_window(qtbot, "spirals") as window:
        needs = window.bench.analysis.footprint
        free = int((needs.fixed + 20 * needs.sample) / room._MARGIN)
        monkeypatch.setattr(room, "free_memory", lambda device: free)
        window.bench.store.apply("Short", lambda d: set_training(d, epochs=1))
        asked = []

        def answer() -> None:
            box = QApplication.activeModalWidget()
            assert isinstance(box, QMessageBox)
            asked.append((box.text(), box.informativeText()))
            next(
                each for each in box.findChildren(QPushButton) if each.text().replace("&", "") == press
            ).click()

        QTimer.singleShot(0, answer)
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state in ("finished", "failed", "idle"), timeout=60_000)
        ((title, text),) = asked
        assert title == "This will not fit into memory"
        assert "A batch of 16 would fit." in text
        assert window.bench.state == state
        assert window.bench.store.document.training.batch_size == batch_size


def test_the_problems_list_warns_while_one_draws(qtbot, monkeypatch):
    with open_window(qtbot, "spirals") as window:
        needs = window.bench.analysis.footprint
        monkeypatch.setattr(room, "free_memory", lambda device: needs.total)
        assert window.problems.rows() == []
        window.bench.store.apply("More", lambda d: set_training(d, batch_size=4096))
        qtbot.waitUntil(lambda: len(window.problems.rows()) == 1)
        (row,) = window.problems.rows()
        row.fix_button.click()
        qtbot.waitUntil(lambda: window.problems.rows() == [])
        assert window.bench.store.document.training.batch_size == 32
