"""Blocks in the window: their numbers offered as parameters, recognized, kept, shared, looked into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QLabel,
    QListWidgetItem,
    QMenu,
    QPushButton,
)

from engine.graph.blocks import group as make_group
from engine.graph.blocks import set_params as set_block_params
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.edits import set_params
from engine.layers.formula import Formula
from engine.storage.document_file import save_document
from gui.canvas.menus import node_menu
from gui.main_window import MainWindow
from gui.views.parts import Stepper
from tests.graph.test_parametrize import FIRST, SECOND, bottleneck
from tests.gui.window_help import drag_layer, open_window


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
    assert "width" in window.inspector.page.interface.parameters.fields
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


def row(window: MainWindow, text: str, category: str = "My blocks") -> QListWidgetItem:
    """Return the row under a heading of the palette; fails if it is not there."""
    rows = window.palette_.list
    items = [rows.item(n) for n in range(rows.count())]
    start = next(n for n, item in enumerate(items) if item.text() == category)
    return next(item for item in items[start:] if item.text() == text)


def choose(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()
    QApplication.processEvents()


def headings(window: MainWindow) -> list[str]:
    rows = window.palette_.list
    return [
        rows.item(n).text() for n in range(rows.count()) if rows.item(n).flags() == Qt.ItemFlag.NoItemFlags
    ]


def test_a_block_is_kept_and_used_in_another_document_by_drag_and_quick_add(window, monkeypatch):
    store = window.bench.store
    group(window, FIRST)
    assert "My blocks" not in headings(window)
    choose(node_menu(window.canvas, "bottleneck"), "Save to my blocks")
    assert headings(window)[:2] == ["Blocks", "My blocks"]
    window.undo_stack.setClean()
    window.files.new()
    assert headings(window)[0] == "My blocks"
    drag_layer(window, "Bottleneck", QPoint(300, 200), monkeypatch)
    assert store.document.nodes["bottleneck1"].type == "Bottleneck"
    assert set(store.whole.blocks["Bottleneck"].nodes) >= set(FIRST)
    store.select(())
    window.canvas.open_quick_add()
    QTest.keyClicks(window.canvas.quick_add.field, "bottlen")
    types = window.canvas.quick_add.types()
    assert len(types) == 2
    QTest.keyClick(window.canvas.quick_add.field, Qt.Key.Key_Down)
    QTest.keyClick(window.canvas.quick_add.field, Qt.Key.Key_Return)
    assert [node.type for node in store.document.nodes.values()] == ["Bottleneck", "Bottleneck"]
    assert store.whole.blocks.keys() == {"Bottleneck"}
    window.undo_stack.undo()
    window.undo_stack.undo()
    assert not store.whole.blocks
    assert not store.document.nodes


def test_a_kept_block_is_removed_by_its_menu_and_comes_back_by_undo(window):
    group(window, FIRST)
    choose(window.palette_.list.menu_for(row(window, "Bottleneck", "Blocks")), "Save to my blocks")
    choose(window.palette_.list.menu_for(row(window, "Bottleneck")), "Remove from my blocks")
    assert "My blocks" not in headings(window)
    assert list(window.bench.library.folder.iterdir()) == []
    press(window, "Undo")
    assert row(window, "Bottleneck")


def test_keeping_another_block_of_the_name_says_so_and_can_be_undone(window):
    store = window.bench.store
    group(window, FIRST)
    window.actions_["keep_block"].trigger()
    store.enter("Bottleneck")
    store.apply("Wider", lambda d: set_params(d, "a1", out_channels=9))
    window.actions_["keep_block"].trigger()
    assert "was replaced" in window.canvas.notice.accessibleName()
    (kept,) = window.bench.library.layers()
    held = window.bench.library.entry(kept.type).document.blocks["Bottleneck"]
    assert held.nodes["a1"].params["out_channels"] == 9
    press(window, "Undo")
    held = window.bench.library.entry(kept.type).document.blocks["Bottleneck"]
    assert held.nodes["a1"].params["out_channels"] == 4


def test_a_broken_file_is_listed_with_its_problem_and_can_be_removed(qtbot):
    folder = Path(os.environ["NETWRIGHT_BLOCKS"])
    (folder / "Bad.netwright-block").write_text("{", encoding="utf-8")
    with open_window(qtbot) as window:
        item = row(window, "Bad", "Files that hold no block")
        assert "not a Netwright document" in item.toolTip()
        choose(window.palette_.list.menu_for(item), "Remove from my blocks")
        assert "Files that hold no block" not in headings(window)


def test_a_block_is_shared_as_a_file_and_dropped_on_a_canvas(window, qtbot, tmp_path, monkeypatch):
    store = window.bench.store
    group(window, FIRST)
    path = tmp_path / "mine.netwright-block"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.actions_["export_block"].trigger()
    store.open(network())
    group(window, SECOND)  # another block of the same name
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    at = window.canvas.mapTo(window, QPoint(320, 240))
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(at, copy, data, left, none))
    QApplication.sendEvent(window, QDropEvent(QPointF(at), copy, data, left, none))
    qtbot.waitUntil(lambda: "Bottleneck2" in store.whole.blocks)
    (node,) = (node for node in store.document.nodes.values() if node.type == "Bottleneck2")
    assert store.selection == {node.id}
    there = window.canvas.map_to_canvas(QPointF(320, 240))
    assert node.position == (round(there.x()), round(there.y()))
    assert "called Bottleneck2 here" in window.canvas.notice.accessibleName()
    assert set(store.whole.blocks["Bottleneck2"].nodes) >= set(FIRST)
    window.undo_stack.undo()
    assert store.whole.blocks.keys() == {"Bottleneck"}


def test_a_file_that_holds_no_block_is_refused_with_a_message(window, tmp_path, monkeypatch):
    path = tmp_path / "plain.netwright"
    save_document(network(), path)
    said: list[str] = []
    window.bench.message.connect(said.append)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    before = window.bench.store.document
    window.actions_["import_block"].trigger()
    assert said == ["plain.netwright holds no block."]
    assert window.bench.store.document is before


def enter(window: MainWindow, id: str) -> None:
    window.bench.store.select([id])
    QTest.keyClick(window.canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()


def test_a_block_is_looked_into_while_it_trains(window, qtbot):
    bench, store = window.bench, window.bench.store
    group(window, FIRST)
    group(window, SECOND)
    window.bridge.run()
    qtbot.waitUntil(lambda: bench.snapshot is not None, timeout=60_000)
    enter(window, "bottleneck2")
    assert store.way == (("bottleneck2", 0),)
    assert bench.snapshot is None or bench.snapshot.way == store.way
    qtbot.waitUntil(lambda: bench.snapshot is not None and "c1" in bench.snapshot.activations, timeout=60_000)
    window.bridge.pause()
    qtbot.waitUntil(lambda: bench.state == "paused", timeout=60_000)
    store.select(["b1"])
    qtbot.waitUntil(lambda: bench.snapshot is not None and bench.snapshot.selected == "b1", timeout=60_000)
    snapshot = bench.snapshot
    model = window.bridge.runner.model
    assert snapshot.weights.values.shape == (8, 8, 3, 3)
    assert (snapshot.weights.values == model.bottleneck2.b1.weight.detach().numpy()).all()
    assert snapshot.activations["c1"].shape == (32, 14, 14)
    assert all(window.canvas.graph.nodes[id].mood.strip is not None for id in ("a1", "b1", "c1", "r1"))
    store.leave()
    qtbot.waitUntil(lambda: bench.snapshot is not None and "bottleneck" in bench.snapshot.activations)
    assert store.way == ()
    window.bridge.stop()
    qtbot.waitUntil(lambda: bench.state == "finished", timeout=60_000)


def test_each_of_a_row_can_be_looked_at(window, qtbot):
    bench, store = window.bench, window.bench.store
    group(window, ["n1", "r1"])
    store.apply("Three", lambda d: set_params(d, "bottleneck", repeat=3))
    enter(window, "bottleneck")
    assert "1 of 3" in [each.text() for each in window.canvas.trail.findChildren(QLabel)]
    window.bridge.step()
    qtbot.waitUntil(lambda: bench.snapshot is not None and "n1" in bench.snapshot.activations, timeout=60_000)
    qtbot.waitUntil(lambda: bench.state == "paused", timeout=60_000)
    (stepper,) = window.canvas.trail.findChildren(Stepper)
    QTest.mouseClick(stepper, Qt.MouseButton.LeftButton, pos=QPoint(stepper.width() - 4, 8))
    assert store.way == (("bottleneck", 1),)
    qtbot.waitUntil(lambda: bench.snapshot is not None and "n1" in bench.snapshot.activations, timeout=60_000)
    assert bench.snapshot.way == store.way
    assert "2 of 3" in [each.text() for each in window.canvas.trail.findChildren(QLabel) if each.isVisible()]
    window.bridge.stop()
    qtbot.waitUntil(lambda: bench.state == "finished", timeout=60_000)


def test_a_value_that_a_block_needs_is_asked_for(window):
    group(window, FIRST)
    window.bench.store.apply("Ask", lambda d: set_block_params(d, "Bottleneck", {"channels": None}))
    window.bench.store.select(())
    window.bench.store.select(["bottleneck"])
    assert window.inspector.page.form.fields["channels"].line.placeholderText() == "needed"
    enter(window, "bottleneck")
    fields = window.inspector.page.interface.parameters.fields
    assert fields["channels"].line.placeholderText() == "no default"


def test_the_way_into_nested_blocks_is_told_and_walked_back(window, qtbot):
    store = window.bench.store
    group(window, ["n1", "r1"])
    store.apply("Stage", lambda d: make_group(d, ["a1", "bottleneck"], "Stage")[0])
    enter(window, "stage")
    store.apply("Depth", lambda d: set_block_params(d, "Stage", {"depth": 2}))
    store.apply("Row", lambda d: set_params(d, "bottleneck", repeat=Formula("depth * 2")))
    enter(window, "bottleneck")
    assert store.way == (("stage", 0), ("bottleneck", 0))
    assert store.rows() == (1, 4)
    store.turn(1, 3)
    assert store.way == (("stage", 0), ("bottleneck", 3))
    window.bridge.step()
    bench = window.bench
    qtbot.waitUntil(lambda: bench.snapshot is not None and "n1" in bench.snapshot.activations, timeout=60_000)
    qtbot.waitUntil(lambda: bench.state == "paused", timeout=60_000)
    assert bench.snapshot.way == store.way
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert store.way == (("stage", 0),)
    window.bridge.stop()
    qtbot.waitUntil(lambda: bench.state == "finished", timeout=60_000)
