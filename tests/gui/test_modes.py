"""Mute, bypass and collapse by keys and menus: what the canvas, the inspector and the code show of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from engine.graph.document import BYPASSED, MUTED, Slot
from engine.graph.modes import set_mode
from gui.canvas.node_paint import FAINT
from gui.theme import LIGHT
from tests.gui.canvas_help import LEFT, NONE, canvas, drag, messages, point, port, title
from tests.gui.window_help import open_window

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def view(qtbot):
    return canvas(qtbot)


def document(view):
    return view.bench.store.document


def faces(view):
    return {id: item.face for id, item in view.graph.nodes.items()}


def choose(view, text: str, node: str) -> None:
    """Open a node's menu with the right button and click a line of it."""
    at = title(view, node)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at))
    QApplication.sendEvent(view.viewport(), event)
    menu = next(each for each in view.findChildren(QMenu) if each.isVisible())
    action = next(each for each in menu.actions() if each.text() == text)
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())
    menu.close()
    menu.deleteLater()
    QApplication.processEvents()


def test_a_muted_node_and_what_depends_on_it_are_faint_and_come_back(view):
    choose(view, "Mute", "flatten1")
    assert document(view).nodes["flatten1"].mode == MUTED
    assert {id for id, face in faces(view).items() if face.out} == {"flatten1", "fc1", "loss"}
    assert view.graph.wires[Slot("fc1", "x")].opacity() == FAINT
    assert view.graph.wires[Slot("loss", "target")].opacity() == FAINT
    assert view.graph.wires[Slot("relu1", "x")].opacity() == 1
    assert view.bench.store.undo_stack.undoText() == "Mute flatten1"
    choose(view, "Mute", "flatten1")
    assert not any(face.out for face in faces(view).values())
    assert {wire.opacity() for wire in view.graph.wires.values()} == {1}
    assert view.bench.store.undo_stack.undoText() == "Unmute flatten1"
    view.bench.store.undo_stack.undo()
    assert faces(view)["loss"].out


def test_a_wire_into_what_is_muted_is_faint_from_the_start(view):
    view.bench.store.apply("x", lambda d: set_mode(d, ["conv1"], MUTED))
    view.bench.store.select({"relu1"})
    view.delete_selection()
    assert not faces(view)["flatten1"].out
    view.bench.store.undo_stack.undo()
    assert faces(view)["relu1"].out
    assert view.graph.wires[Slot("flatten1", "x")].opacity() == FAINT
    drag(view, port(view, "conv1", "y", False), port(view, "flatten1", "x", True))
    assert view.graph.wires[Slot("flatten1", "x")].opacity() == FAINT


def test_what_cannot_be_bypassed_says_why(view):
    said = messages(view)
    choose(view, "Bypass", "loss")
    assert document(view).nodes["loss"].mode == ""
    assert said == ["loss cannot be bypassed: only a layer passes its input on. Mute it instead."]
    choose(view, "Bypass", "relu1")
    assert document(view).nodes["relu1"].mode == BYPASSED
    assert not any(face.out for face in faces(view).values())


def test_a_collapsed_node_is_its_title_and_its_wires_end_in_the_middle(view):
    full = faces(view)["loss"]
    choose(view, "Collapse", "loss")
    face = faces(view)["loss"]
    assert face.height < full.height
    assert (face.title, face.summary, face.foot, face.strip) == (full.title, "", "", None)
    assert {spot.at.x() for spot in face.inputs} == {0}
    assert sum(spot.at.y() for spot in face.inputs) / 2 == face.height / 2
    for name in ("logits", "target"):
        end = view.graph.wires[Slot("loss", name)].route.path.currentPosition()
        assert end == view.graph.slot_at(Slot("loss", name), True)
    choose(view, "Collapse", "loss")
    assert faces(view)["loss"] == full


def test_the_ports_of_a_collapsed_node_can_be_wired(view):
    choose(view, "Collapse", "loss")
    drag(
        view,
        port(view, "loss", "target", True),
        point(view, view.graph.bounds().bottomLeft()) + QPoint(0, 60),
    )
    assert Slot("loss", "target") not in document(view).edges
    drag(view, port(view, "label", "y", False), port(view, "loss", "target", True))
    assert document(view).edges[Slot("loss", "target")] == Slot("label", "y")


@pytest.mark.parametrize("zoom", [0.2, 0.45, 1.0, 2.0])
def test_every_state_is_painted_in_both_themes(view, zoom, caplog):
    store = view.bench.store
    store.apply("x", lambda d: set_mode(d, ["relu1"], BYPASSED))
    store.apply("x", lambda d: set_mode(d, ["flatten1"], MUTED))
    store.select({"conv1", "fc1"})
    view.commands.collapse()
    view.zoom_to(zoom)
    pictures = []
    for theme in (view.bench.theme, LIGHT):
        view.bench.set_theme(theme)
        pictures.append(view.grab().toImage())
    assert pictures[0] != pictures[1]
    assert not any(item._broken for item in view.graph.nodes.values())
    assert not caplog.records


def test_keys_in_the_window_change_code_inspector_and_file(qtbot, tmp_path):
    with open_window(qtbot, "lenet5") as window:
        store, before = window.bench.store, window.bench.store.document
        relu = next(id for id, node in before.nodes.items() if node.type in ("ReLU", "Tanh", "Sigmoid"))
        window.canvas.setFocus()
        store.select([relu])
        lines = window.bench.analysis.source.text.count("\n")
        QTest.keyClick(window.canvas, Qt.Key.Key_B)
        assert store.document.nodes[relu].mode == BYPASSED
        qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=20_000)
        assert window.bench.analysis.source.text.count("\n") < lines
        assert not window.bench.analysis.errors
        assert window.inspector.page.mode.isVisible()
        assert "passes its input on" in window.inspector.page.mode.text()
        assert window.actions_["bypass"].isChecked()
        QTest.keyClick(window.canvas, Qt.Key.Key_M)
        assert store.document.nodes[relu].mode == MUTED
        assert "left out" in window.inspector.page.mode.text()
        QTest.keyClick(window.canvas, Qt.Key.Key_M)
        QTest.keyClick(window.canvas, Qt.Key.Key_H)
        assert store.document.nodes[relu].collapsed
        assert not window.inspector.page.mode.isVisible()
        QTest.keyClick(window.canvas, Qt.Key.Key_D, CTRL)
        (copy,) = store.selection
        assert store.document.nodes[copy].collapsed
        for _ in range(5):
            window.undo_stack.undo()
        assert store.document == before
