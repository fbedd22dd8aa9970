"""Blocks in the window: their numbers offered as parameters, recognized, kept, shared, looked into."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QPushButton

from engine.graph.build import Builder
from engine.graph.document import Document
from gui.main_window import MainWindow
from tests.graph.test_parametrize import FIRST, SECOND, bottleneck
from tests.gui.window_help import open_window


def network() -> Document:
    g = Builder("Net")
    digits = g.add("Digits", id="digits")
    x = bottleneck(g, digits, 1, 4, 1)
    x = bottleneck(g, x, 2, 8, 2)
    x = g.add("AdaptiveAvgPool2d", x, id="pool")
    x = g.add("Flatten", x, id="flat")
    x = g.add("Linear", x, id="fc", out_features=10)
    g.add("CrossEntropyLoss", x, digits["label"], id="loss")
    g.train(epochs=200, batch_size=64)
    return g.document()


@pytest.fixture
def window(qtbot, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Bottleneck", True))
    with open_window(qtbot) as window:
        window.bench.store.open(network())
        yield window


def press(window: MainWindow, words: str) -> None:
    """Press the visible button that says these words, by name or by text."""
    (found,) = [
        each
        for each in window.findChildren(QPushButton)
        if words in (each.text(), each.accessibleName()) and each.isVisible()
    ]
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def group(window: MainWindow, ids: list[str]) -> None:
    window.bench.store.select(ids)
    QTest.keyClick(window.canvas, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()


def test_the_numbers_of_a_new_block_become_its_parameters_by_a_click(window):
    store = window.bench.store
    group(window, FIRST)
    assert "may vary: 4, 16" in window.canvas.notice.accessibleName()
    press(window, "Offer as parameters")
    assert store.scope == ("Bottleneck",)
    offers = window.inspector.page.offers
    assert [row.name.text() for row in offers.rows] == ["channels", "channels", "kernel", "kernel", "padding"]
    offers.rows[0].name.setText("width")
    press(window, "Offer 4 as a parameter")
    assert dict(store.whole.blocks["Bottleneck"].params) == {"width": 4}
    texts = [str(store.document.nodes[id].params["out_channels"]) for id in ("a1", "b1", "c1")]
    assert texts == ["width", "width", "width * 4"]
    assert "width" in window.inspector.page.form.fields
    assert len(window.inspector.page.offers.rows) == 3
    window.undo_stack.undo()
    assert dict(store.whole.blocks["Bottleneck"].params) == {}
    assert store.document.nodes["c1"].params["out_channels"] == 16


def test_a_name_that_is_taken_is_refused_with_a_message(window):
    group(window, FIRST)
    press(window, "Offer as parameters")
    said: list[str] = []
    window.bench.message.connect(said.append)
    window.inspector.page.offers.rows[0].name.setText("two words")
    press(window, "Offer 4 as a parameter")
    assert "cannot name a parameter" in said[-1]
    assert dict(window.bench.store.whole.blocks["Bottleneck"].params) == {}


def test_the_second_bottleneck_is_recognized_and_used_in_one_step(window):
    store = window.bench.store
    group(window, FIRST)
    steps = window.undo_stack.count()
    group(window, SECOND)
    assert window.undo_stack.count() == steps + 1
    assert store.document.nodes["bottleneck2"].type == "Bottleneck"
    assert dict(store.document.nodes["bottleneck2"].params) == {"channels": 8, "stride": 2}
    assert store.selection == {"bottleneck2"}
    assert "Bottleneck with channels 8, stride 2" in window.canvas.notice.accessibleName()
    window.undo_stack.undo()
    assert "c2" in store.document.nodes
    assert not window.canvas.notice.isVisible()


def test_what_was_recognized_can_become_a_block_of_its_own(window, monkeypatch):
    store = window.bench.store
    group(window, FIRST)
    group(window, SECOND)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Other", True))
    press(window, "Make a new block instead")
    assert store.document.nodes["other"].type == "Other"
    assert store.whole.blocks.keys() == {"Bottleneck", "Other"}
    assert dict(store.whole.blocks["Bottleneck"].params) == {}
