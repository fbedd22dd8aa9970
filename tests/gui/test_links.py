"""Sharing weights by keys, by the inspector, and what the canvas shows of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.graph.document import Share
from tests.gui.window_help import open_window

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


def analyzed(window) -> bool:
    return window.bench.analysis.document is window.bench.store.document


def test_two_layers_are_linked_and_unlinked_by_keys(qtbot):
    with open_window(qtbot, "autoencoder") as window:
        store = window.bench.store
        first, second = [id for id, node in store.document.nodes.items() if node.type == "Linear"][:2]
        before = store.document
        window.canvas.setFocus()
        store.select([first, second])
        QTest.keyClick(window.canvas, Qt.Key.Key_L, CTRL)
        assert store.document.nodes[second].share == Share(first)
        assert store.document.nodes[second].params == store.document.nodes[first].params
        qtbot.waitUntil(lambda: analyzed(window), timeout=20_000)
        assert window.canvas.graph.nodes[second].face.foot == f"shares {first}"
        store.select([first])
        assert window.canvas.graph.nodes[second].mood.partner
        store.select([second])
        QTest.keyClick(window.canvas, Qt.Key.Key_L, CTRL | SHIFT)
        assert store.document.nodes[second].share is None
        window.undo_stack.undo()
        window.undo_stack.undo()
        assert store.document == before


def test_nodes_without_weights_are_not_linked_and_the_reason_is_told(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store, said = window.bench.store, []
        window.bench.message.connect(said.append)
        before = store.document
        store.select([id for id, node in before.nodes.items() if node.type == "AvgPool2d"])
        window.canvas.setFocus()
        QTest.keyClick(window.canvas, Qt.Key.Key_L, CTRL)
        assert store.document is before
        assert "Select two nodes of one type that have weights." in said


def test_a_linked_duplicate_shares_the_weights_of_its_original(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        original = next(id for id, node in store.document.nodes.items() if node.type == "Conv2d")
        window.canvas.setFocus()
        store.select([original])
        QTest.keyClick(window.canvas, Qt.Key.Key_D, ALT)
        (copy,) = store.selection
        assert store.document.nodes[copy].share == Share(original)


def test_the_inspector_makes_a_copy_that_follows_and_its_own_weights_again(qtbot):
    with open_window(qtbot, "spirals") as window:
        store = window.bench.store
        hidden = next(id for id, node in store.document.nodes.items() if node.type == "Linear")
        store.select([hidden])
        QTest.keyClick(window.canvas, Qt.Key.Key_D, ALT)
        (copy,) = store.selection
        weights = window.inspector.page.weights
        assert weights.form.fields["node"].combo.currentText() == hidden
        combo = weights.form.fields["follow"].combo
        combo.setCurrentText("Average")
        combo.textActivated.emit("Average")
        assert store.document.nodes[copy].share == Share(hidden, "average", 0.005)
        line = weights.form.fields["amount"].focusProxy()
        line.selectAll()
        QTest.keyClicks(line, "0.5")
        QTest.keyClick(line, Qt.Key.Key_Return)
        assert store.document.nodes[copy].share == Share(hidden, "average", 0.5)
        combo = weights.form.fields["node"].combo
        combo.setCurrentText("Its own")
        combo.textActivated.emit("Its own")
        assert store.document.nodes[copy].share is None
        assert "follow" not in weights.form.fields
