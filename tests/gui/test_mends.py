"""Mends on the canvas: the reason stands under the node, a button does what it says, one step undoes it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.settings import set_training
from tests.gui.window_help import open_window


def skip() -> Document:
    g = Builder("Skip")
    x = g.add("Input", shape=(3, 16, 16))
    wide = g.add("Conv2d", x, id="wide", out_channels=24, kernel_size=3, padding=1, stride=2)
    g.add("Output", g.add("Add", wide, x, id="sum"))
    return g.document()


def heads() -> Document:
    g = Builder("Heads")
    attention = g.add("MultiheadAttention", g.add("Input", shape=(10, 30)), id="attention", num_heads=4)
    g.add("Output", attention)
    return g.document()


def widths() -> Document:
    g = Builder("Widths")
    x = g.add("Linear", g.add("Input", shape=(4,)), id="head", out_features=10)
    g.add("MSELoss", x, g.add("Input", id="y", shape=(3,)), id="loss")
    return g.document()


def single() -> Document:
    g = Builder("Single")
    x = g.add("BatchNorm2d", g.add("Conv2d", g.add("Input", shape=(1, 8, 8))), id="norm")
    g.add("Output", x)
    return set_training(g.document(), batch_size=1)


@pytest.mark.parametrize(
    ("make", "node", "title"),
    [
        (skip, "sum", "Insert 1×1 convolution, stride 2"),
        (heads, "attention", "Set heads to 3"),
        (widths, "loss", "Set units of head to 3"),
        (single, "norm", "Set batch size to 32"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_click_on_the_button_under_the_node_mends_it(qtbot, make, node, title):
    with open_window(qtbot) as window:
        store, canvas = window.bench.store, window.canvas
        store.open(make())
        window.show_workbench()
        qtbot.waitUntil(lambda: bool(window.bench.analysis.problems_of(node)))
        canvas.zoom_to(1.0)
        canvas.show_node(node)
        item = canvas.graph.nodes[node]
        assert item.face.note.fix.title == title
        assert len(item.face.note.lines) <= 4
        before = store.document
        at = canvas.to_view(item.pos() + item.face.note.button.center())
        QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.waitUntil(lambda: window.bench.analysis.document is store.document)
        assert window.bench.analysis.problems == ()
        assert canvas.graph.nodes[node].face.note is None
        window.undo_stack.undo()
        assert store.document.nodes == before.nodes
        assert store.document.training == before.training
