"""What a screen reader finds: nodes of the canvas, rows of the outline, and what is said as it happens."""

from __future__ import annotations

import gc

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QSlider, QWidget

from engine.graph import edits
from engine.graph.document import Slot
from engine.graph.settings import set_training
from gui.bench import Bench
from gui.canvas.view import CanvasView
from gui.store import Store
from presets import preset
from tests.gui.window_help import connect, drag, open_window


def said_of(interface: QAccessibleInterface) -> str:
    return interface.text(QAccessible.Text.Name)


def children(interface: QAccessibleInterface) -> list[QAccessibleInterface]:
    return [interface.child(n) for n in range(interface.childCount())]


@pytest.fixture
def listening():
    """Be a screen reader."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def test_nodes_of_the_canvas_are_its_children(qtbot, listening):
    with open_window(qtbot, "lenet5") as window:
        canvas, store = window.canvas, window.bench.store
        found = QAccessible.queryAccessibleInterface(canvas)
        assert found.role() == QAccessible.Role.Canvas
        assert said_of(found) == "Network canvas"
        nodes = children(found)
        assert len(nodes) == len(store.document.nodes)
        assert said_of(nodes[1]) == "conv1, Conv2d, N 6 28 28"
        assert [found.indexOfChild(each) for each in nodes] == list(range(len(nodes)))
        assert nodes[1].parent() is found

        store.select(["conv1"])
        canvas.setFocus()
        assert said_of(nodes[1]) == "conv1, Conv2d, N 6 28 28, selected"
        assert nodes[1].state().selected
        assert not nodes[2].state().selected
        assert found.focusChild() is nodes[1]

        body = canvas.graph.nodes["conv1"].body()
        at = canvas.viewport().mapToGlobal(canvas.to_view(body.center()))
        assert nodes[1].rect().contains(at)
        assert found.childAt(at.x(), at.y()) is nodes[1]
        nodes[1].setText(QAccessible.Text.Name, "edges")
        assert store.document.nodes["conv1"].title == "edges"


def test_a_node_tells_its_problems(qtbot, listening):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        store.apply("Break", lambda d: edits.set_params(d, "conv1", kernel_size=50))
        qtbot.waitUntil(lambda: bool(window.bench.analysis.problems_of("conv1")), timeout=60_000)
        node = QAccessible.queryAccessibleInterface(window.canvas).child(1)
        assert said_of(node).endswith("1 problem")
        message = window.bench.analysis.problems_of("conv1")[0].message
        assert message in node.text(QAccessible.Text.Description)
        store.select(["conv1"])
        assert message in window.canvas.accessibleDescription()


def test_nodes_that_are_gone_are_given_up(qtbot, listening):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        found = QAccessible.queryAccessibleInterface(window.canvas)
        for _ in range(3):
            before = [said_of(each) for each in children(found)]
            store.apply("Delete", lambda d: edits.delete(d, ["conv1", "pool1"]))
            assert found.childCount() == len(before) - 2
            assert not any(said_of(each).startswith("conv1,") for each in children(found))
            store.undo_stack.undo()
            gc.collect()
            assert len(children(found)) == len(before)
        window.files.open_preset("spirals")
        assert [said_of(each).split(",")[0] for each in children(found)] == [
            node.title for node in window.bench.store.document.nodes.values()
        ]


def test_a_canvas_takes_its_nodes_along_when_it_goes(qapp, listening):
    from gui.app import application

    application()
    for _ in range(20):
        view = CanvasView(Bench(Store(preset("spirals").document())))
        nodes = children(QAccessible.queryAccessibleInterface(view))
        assert len(nodes) == 5
        bench = view.bench
        view.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert not shiboken6.isValid(view)
        assert not any(shiboken6.isValid(each) for each in nodes)
        bench.store.select(["hidden"])
        gc.collect()


def test_the_outline_says_the_same(qtbot):
    with open_window(qtbot, "lenet5") as window:
        tree = window.outline.tree
        rows = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
        spoken = [row.data(0, Qt.ItemDataRole.AccessibleTextRole) for row in rows]
        assert "conv1, Conv2d, N 6 28 28" in spoken
        assert len(spoken) == len(window.bench.store.document.nodes)
        assert spoken[-1].endswith("Cross-entropy, N") or "loss" in spoken[-1]


def test_edits_problems_and_results_are_said(qtbot):
    with open_window(qtbot, "spirals") as window:
        store, said = window.bench.store, []
        window.announcer.said.connect(said.append)
        qtbot.waitUntil(lambda: bool(said))
        said.clear()
        title = window.canvas.to_view(window.canvas.graph.nodes["loss"].pos() + QPointF(60, 12))
        drag(window.canvas.viewport(), title, title + QPoint(60, 80))
        qtbot.waitUntil(lambda: "loss moved." in said)
        store.apply("Cut", lambda d: edits.disconnect(d, [Slot("loss", "target")]))
        qtbot.waitUntil(lambda: any("1 wire disconnected." in each for each in said))
        qtbot.waitUntil(lambda: any("problem" in each for each in said), timeout=60_000)
        connect(window, ("points", "label"), ("loss", "target"))
        qtbot.waitUntil(lambda: any("points label connected to loss target." in each for each in said))
        qtbot.waitUntil(lambda: any("No problems." in each for each in said), timeout=60_000)
        store.apply("Short", lambda d: set_training(d, epochs=3))
        QTest.keyClick(window.canvas, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        qtbot.waitUntil(lambda: any("Done after" in each for each in said))
        assert any("Epoch 1 of 3: loss" in each for each in said)
        assert "loss 0." in said[-1] or "loss 1." in said[-1]


def test_results_are_said_seldom_while_it_trains(qtbot):
    with open_window(qtbot, "spirals") as window:
        said = []
        window.announcer.said.connect(said.append)
        window.bench.store.apply("Short", lambda d: set_training(d, epochs=40))
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        qtbot.waitUntil(lambda: any("Done after" in each for each in said))
        assert 1 <= sum("Epoch" in each for each in said) < 20


def test_everything_that_takes_the_keyboard_has_a_name(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.bench.store.select(["hidden"])
        kinds = (QAbstractButton, QLineEdit, QComboBox, QSlider)
        nameless = []
        for page in ("learning", "problems", "code"):
            window.show_page(page)
            for widget in window.findChildren(QWidget):
                if isinstance(widget, kinds) and widget.isVisible() and widget.focusPolicy():
                    interface = QAccessible.queryAccessibleInterface(widget)
                    if not said_of(interface).strip():
                        nameless.append(widget)
        QApplication.processEvents()
        assert not nameless
