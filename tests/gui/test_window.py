"""The whole window, used as a newcomer uses it: draw, run, watch, take away."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit, QMessageBox

from engine.graph.blocks import layer_of
from engine.graph.document import Slot
from engine.graph.edits import set_params
from engine.graph.settings import set_training
from engine.layers.formula import Formula
from engine.storage.document_file import load_document, save_document
from gui.actions import ACTIONS
from gui.store import Store
from presets import preset, presets
from tests.gui.window_help import LEFT, NONE, answer, click_node, connect, drag_layer, open_window


def run_to_the_end(qtbot, window) -> None:
    window.bridge.run()
    qtbot.waitUntil(lambda: window.bench.state in ("finished", "failed"), timeout=60_000)
    assert window.bench.state == "finished"


def test_draw_by_mouse_set_in_the_form_run_and_watch(qtbot, monkeypatch):
    """Drag layers from the palette, connect them, set a parameter, press Run, and see it learn."""
    with open_window(qtbot) as window:
        store, canvas = window.bench.store, window.canvas
        middle = canvas.viewport().rect().center()
        for place, label in enumerate(("Spirals", "Linear", "ReLU", "Linear", "Cross-entropy")):
            drag_layer(window, label, middle + QPoint(-440 + 200 * place, -60), monkeypatch)
        assert [node.type for node in store.document.nodes.values()] == [
            "Spirals", "Linear", "ReLU", "Linear", "CrossEntropyLoss",
        ]  # fmt: skip
        points, first, relu, second, loss = store.document.nodes
        connect(window, (points, "point"), (first, "x"))
        connect(window, (first, "y"), (relu, "x"))
        connect(window, (relu, "y"), (second, "x"))
        connect(window, (second, "y"), (loss, "logits"))
        connect(window, (points, "label"), (loss, "target"))
        assert len(store.document.edges) == 5

        click_node(window, second)
        assert store.selection == {second}
        field = next(
            each
            for each in window.inspector.findChildren(QLineEdit)
            if each.isVisible() and each.text() == "64"
        )
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, "3")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert store.document.nodes[second].params["out_features"] == 3
        qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)
        assert window.bench.analysis.problems == ()
        assert window.bench.analysis.types[Slot(second, "y")].shape == ("N", 3)

        click_node(window, relu)
        store.apply("Long enough to be watched", lambda d: set_training(d, epochs=200))
        losses, seen = [], []
        window.bench.progress.connect(lambda event: losses.extend(event.loss))
        window.bench.snapshot_taken.connect(lambda event: seen.append(event.detail))
        QTest.mouseClick(window.top.run_button, LEFT)
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
        shown = [each.maps for each in seen if each is not None]
        assert len(shown) >= 2
        assert any(not np.array_equal(shown[0], each) for each in shown[1:])
        assert window.canvas.graph.nodes[relu].mood.strip is not None

        for _ in range(store.undo_stack.count()):
            window.actions_["undo"].trigger()
        assert not store.document.nodes
        while store.undo_stack.canRedo():
            window.actions_["redo"].trigger()
        assert len(store.document.edges) == 5


def _learns(name):
    document = presets()[name].document()
    return any(layer_of(document, node.type).role == "data" for node in document.nodes.values())


@pytest.mark.parametrize("name", [name for name in presets() if not _learns(name)])
def test_every_drawing_opens_with_every_shape(qtbot, name):
    with open_window(qtbot, name) as window:
        analysis = window.bench.analysis
        assert analysis.problems == ()
        assert all(source in analysis.types for source in analysis.document.edges.values())


@pytest.mark.parametrize("name", [name for name in presets() if _learns(name)])
def test_every_preset_opens_runs_and_shows_itself(qtbot, name):
    with open_window(qtbot, name) as window:
        losses = []
        window.bench.progress.connect(lambda event: losses.extend(event.loss))
        window.bridge.run()
        learning = {node for node, count in window.bench.analysis.parameters.items() if count}
        qtbot.waitUntil(lambda: bool(losses) and window.bench.snapshot is not None, timeout=60_000)
        qtbot.waitUntil(lambda: learning <= window.bench.snapshot.activations.keys(), timeout=10_000)
        assert np.isfinite(losses).all()
        window.bridge.stop()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=10_000)


def test_pause_step_resume_and_stop_by_the_buttons(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.bench.store.apply("Longer", lambda d: d.with_(training=_long(d.training)))
        steps = []
        window.bench.progress.connect(lambda event: steps.extend(event.step))
        QTest.mouseClick(window.top.run_button, LEFT)
        qtbot.waitUntil(lambda: len(steps) > 20, timeout=60_000)
        QTest.mouseClick(window.top.run_button, LEFT)
        qtbot.waitUntil(lambda: window.bench.state == "paused", timeout=10_000)
        before = steps[-1]
        QTest.mouseClick(window.top.step_button, LEFT)
        qtbot.waitUntil(lambda: steps[-1] != before, timeout=10_000)
        assert steps[-1] == before + 1
        QTest.mouseClick(window.top.run_button, LEFT)
        qtbot.waitUntil(lambda: steps[-1] > before + 20, timeout=10_000)
        assert steps == list(range(1, len(steps) + 1))
        QTest.mouseClick(window.top.stop_button, LEFT)
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=10_000)


def _long(training):
    from dataclasses import replace

    return replace(training, epochs=100_000)


def test_slow_enough_to_watch_and_full_speed_again(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.bench.store.apply("Longer", lambda d: d.with_(training=_long(d.training)))
        window.top.pace_button.menu().actions()[3].trigger()
        counts = []  # steps between two events, a tenth of a second apart
        window.bench.progress.connect(lambda event: counts.append(len(event.step)))
        window.bridge.run()
        qtbot.waitUntil(lambda: len(counts) > 8, timeout=60_000)
        assert max(counts[2:]) <= 3
        window.top.pace_button.menu().actions()[0].trigger()
        qtbot.waitUntil(lambda: counts[-1] > 10, timeout=10_000)


def test_weights_are_saved_and_a_run_begins_with_them(qtbot, tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    with open_window(qtbot, "digits_mlp") as window:
        assert not window.actions_["save_weights"].isEnabled()
        run_to_the_end(qtbot, window)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        window.actions_["save_weights"].trigger()
        window.bench.store.apply("Other head", lambda d: set_params(d, "digit", out_features=12))
        losses, said = [], []
        window.bench.progress.connect(lambda event: losses.extend(event.loss))
        window.bench.message.connect(said.append)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        window.bridge.set_pace(50)
        window.actions_["load_weights"].trigger()
        qtbot.waitUntil(lambda: len(said) > 0, timeout=60_000)
        assert "4 of 6 loaded" in said[0]
        assert "of another shape: digit.weight, digit.bias" in said[0]


def test_closing_while_it_trains_ends_at_once_and_leaves_no_thread(qtbot):
    before = set(threading.enumerate())
    with open_window(qtbot, "lenet5") as window:
        window.bench.store.apply("Longer", lambda d: d.with_(training=_long(d.training)))
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.snapshot is not None, timeout=60_000)
        window.undo_stack.setClean()
        start = time.perf_counter()
        assert window.close()
        assert time.perf_counter() - start < 2
        assert set(threading.enumerate()) <= before


def test_a_hundred_starts_and_stops_leave_no_thread(qtbot):
    with open_window(qtbot, "linear_regression") as window:
        window.bench.store.apply("Longer", lambda d: d.with_(training=_long(d.training)))
        qtbot.waitUntil(lambda: "netwright journal" in {each.name for each in threading.enumerate()})
        before = threading.active_count()
        for _ in range(100):
            window.bridge.run()
            qtbot.waitUntil(lambda: window.bench.state == "running", timeout=10_000)
            window.bridge.stop()
            qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=10_000)
        window.bridge.close()
        assert threading.active_count() <= before


def test_running_a_half_drawn_network_says_what_is_missing(qtbot):
    with open_window(qtbot) as window:
        store = window.bench.store
        window.canvas.add_layer("Linear")
        said = []
        window.bench.message.connect(said.append)
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "failed", timeout=60_000)
        assert "Nothing is connected" in said[-1] or "learn from" in said[-1]
        assert len(store.document.nodes) == 1


def test_save_open_recent_and_the_unsaved_question(qtbot, tmp_path, monkeypatch):
    path = tmp_path / "mine.netwright"
    with open_window(qtbot, "spirals") as window:
        store = window.bench.store
        store.apply("Set", lambda d: set_params(d, "hidden", out_features=7))
        assert window.files.dirty
        assert "•" in window.windowTitle()
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        window.actions_["save"].trigger()
        assert load_document(path) == store.document
        assert not window.files.dirty
        assert window.files.recent() == [path]
        assert [each.text() for each in window.recent.actions()] == [f"mine  –  {tmp_path}"]

        store.apply("Set", lambda d: set_params(d, "hidden", out_features=9))
        asked = answer(QMessageBox.StandardButton.Cancel)
        assert not window.close()
        assert "Save the changes to “Spirals”?" in asked[0]
        assert window.isVisible()
        answer(QMessageBox.StandardButton.Save)
        window.actions_["close_tab"].trigger()
        assert load_document(path).nodes["hidden"].params["out_features"] == 9
        assert not store.document.nodes
        assert window.open_path(str(path))
        assert store.document == load_document(path)


def test_a_file_dropped_on_the_window_opens_and_a_bad_one_explains_itself(qtbot, tmp_path):
    good, bad = tmp_path / "good.netwright", tmp_path / "bad.netwright"
    save_document(preset("lenet5").document(), good)
    nodes = '[{"id": "a", "type": "nn.Linear"}, {"id": "b", "type": "nn.ReLU"}]'
    bad.write_text(f'{{"netwright": 1, "nodes": {nodes}}}')
    with open_window(qtbot) as window:
        for path in (good, bad):
            said = answer(QMessageBox.StandardButton.Ok) if path == bad else []
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(path))])
            copy = Qt.DropAction.CopyAction
            enter = QDragEnterEvent(QPoint(9, 9), copy, data, LEFT, NONE)
            QApplication.sendEvent(window, enter)
            assert enter.isAccepted()
            QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, data, LEFT, NONE))
            if path == good:
                qtbot.waitUntil(lambda: len(window.bench.store.document.nodes) == 14, timeout=5000)
            else:
                qtbot.waitUntil(lambda said=said: bool(said), timeout=5000)
                assert "Did you mean 'Linear'?" in said[0]
                assert "'nn.ReLU'" in said[0]
        assert len(window.bench.store.document.nodes) == 14


def test_every_action_has_words_and_a_key_of_its_own(qtbot):
    named = [action for action in ACTIONS if action.text]
    assert all(action.keys for action in named)
    assert len({action.keys for action in named}) == len(named)
    assert len({action.id for action in named}) == len(named)
    with open_window(qtbot, "spirals") as window:
        in_menus = {item.text() for menu in window._menus.values() for item in menu.actions() if item.text()}
        assert len(in_menus - {"Open recent"}) == len(named)


def test_themes_change_everything_and_are_remembered(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.actions_["light"].trigger()
        light = window.grab().toImage().pixelColor(700, 500).lightness()
        window.actions_["dark"].trigger()
        dark = window.grab().toImage().pixelColor(700, 500).lightness()
        assert light > 200 > 60 > dark
        assert window.theme_choice == "dark"
        window.actions_["system"].trigger()


def test_panels_hide_and_are_remembered(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.actions_["left"].trigger()
        assert not window.shown("left")
    with open_window(qtbot, "spirals") as window:
        assert not window.shown("left")
        window.actions_["left"].trigger()
        assert window.shown("left")


def test_a_problem_is_mended_by_its_button_and_the_code_follows(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        store.select(["flatten1"])
        window.actions_["heal"].trigger()
        qtbot.waitUntil(lambda: bool(window.bench.analysis.errors), timeout=10_000)
        (problem,) = window.bench.analysis.errors
        assert (problem.node, problem.fix.title) == ("fc1", "Insert Flatten")
        store.apply(problem.fix.title, problem.fix.edit)
        qtbot.waitUntil(lambda: window.bench.analysis.problems == (), timeout=10_000)
        assert "torch.flatten" in window.bench.analysis.source.text


def test_group_enter_edit_inside_leave_and_unpack(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        before = store.document
        store.select(["conv1", "tanh1", "pool1"])
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Stem", True))
        window.actions_["group"].trigger()
        (id,) = [each for each, node in store.document.nodes.items() if node.type == "Stem"]
        qtbot.waitUntil(lambda: "class Stem(nn.Module)" in window.bench.analysis.source.text, timeout=10_000)

        place = window.canvas.to_view(window.canvas.graph.nodes[id].pos() + QPointF(60, 12))
        QTest.mouseDClick(window.canvas.viewport(), LEFT, NONE, place)
        assert store.scope == ("Stem",)
        assert set(window.canvas.graph.nodes) == {"conv1", "tanh1", "pool1", "input", "output"}
        assert window.bench.analysis.types[Slot("conv1", "y")].shape == ("N", 6, 28, 28)

        QTest.mouseClick(window.inspector.page.interface.parameters.add, LEFT)
        QTest.keyClicks(QApplication.focusWidget(), "filters")
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        assert dict(store.document.blocks["Stem"].params) == {"filters": 1}
        store.apply("Formula", lambda d: set_params(d, "conv1", out_channels=Formula("filters * 2")))
        QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
        assert store.scope == ()
        store.apply("Set", lambda d: set_params(d, id, filters=4))
        qtbot.waitUntil(lambda: "Stem(filters=4)" in window.bench.analysis.source.text, timeout=10_000)
        assert window.bench.analysis.parameters[id] == 8 * 26
        assert window.bench.analysis.problems == ()

        while store.undo_stack.canUndo():
            window.actions_["undo"].trigger()
        assert store.whole == before
        while store.undo_stack.canRedo():
            window.actions_["redo"].trigger()
        store.select([id])
        window.actions_["ungroup"].trigger()
        assert {node.type for node in store.document.nodes.values()} == {
            n.type for n in before.nodes.values()
        }


def test_undoing_the_group_while_inside_leaves_it(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        store.select(["conv1", "tanh1"])
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("Stem", True))
        window.actions_["group"].trigger()
        store.enter("Stem")
        window.actions_["undo"].trigger()
        assert store.scope == ()
        assert set(window.canvas.graph.nodes) == set(store.document.nodes)
        assert "conv1" in store.document.nodes


def test_edits_while_it_trains_do_not_touch_the_run(qtbot):
    with open_window(qtbot, "spirals") as window:
        store: Store = window.bench.store
        store.apply("Longer", lambda d: d.with_(training=_long(d.training)))
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.snapshot is not None, timeout=60_000)
        began_with = window.bridge.runner.document
        store.select(["relu1"])
        window.actions_["delete"].trigger()
        steps = []
        window.bench.progress.connect(lambda event: steps.extend(event.step))
        qtbot.waitUntil(lambda: len(steps) > 20, timeout=10_000)
        assert window.bridge.runner.document is began_with
        assert "relu1" in window.bridge.runner.document.nodes
        assert window.bench.state == "running"
