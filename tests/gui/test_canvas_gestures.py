"""Gestures of the canvas that change several things at once: each is one step with a name."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph.document import Slot
from tests.gui.canvas_help import NONE, RIGHT, canvas, point, port

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def view(qtbot):
    return canvas(qtbot)


def document(view):
    return view.bench.store.document


def steps(view):
    stack = view.bench.store.undo_stack
    return stack.count(), stack.undoText()


def right_drag(view, start: QPoint, end: QPoint, release: bool = True) -> None:
    """Press the right button with Ctrl, move, and release: as the platform tells it."""
    over = view.viewport()
    QTest.mousePress(over, RIGHT, CTRL, start)
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, start, over.mapToGlobal(start), CTRL)
    QApplication.sendEvent(over, menu)
    for share in (0.3, 0.7, 1.0):
        QTest.mouseMove(over, start + (end - start) * share)
    if release:
        QTest.mouseRelease(over, RIGHT, CTRL, end)
    QApplication.processEvents()


def middle(view, node: str, name: str = "x") -> QPoint:
    """The pixel in the middle of the wire that enters a port."""
    return point(view, view.graph.wires[Slot(node, name)].route.path.pointAtPercent(0.5))


# -- the knife ---------------------------------------------------------------------------------------------


def test_the_knife_cuts_every_wire_it_crosses_in_one_step(view):
    before = document(view)
    crossed = {slot for slot in before.edges if slot.node == "loss"}
    high, low = sorted((port(view, "loss", slot.port, True) for slot in crossed), key=lambda at: at.y())
    top, bottom = high + QPoint(-6, -40), low + QPoint(-6, 40)
    right_drag(view, top, bottom, release=False)
    assert {slot for slot, wire in view.graph.wires.items() if wire.lit} == crossed
    QTest.mouseRelease(view.viewport(), RIGHT, CTRL, bottom)
    assert before.edges.keys() - document(view).edges.keys() == crossed
    assert steps(view) == (1, "Cut 2 wires")
    assert not view.quick_add.isVisible(), "Ctrl and the right button are the knife's"
    view.bench.store.undo_stack.undo()
    assert document(view).edges == before.edges


def test_the_knife_that_is_moved_back_or_given_up_cuts_nothing(view):
    before = document(view)
    at = middle(view, "relu1")
    up, down = at - QPoint(0, 60), at + QPoint(0, 60)
    right_drag(view, up, down, release=False)
    assert view.graph.wires[Slot("relu1", "x")].lit
    QTest.mouseMove(view.viewport(), up + QPoint(0, 8))
    assert not view.graph.wires[Slot("relu1", "x")].lit
    QTest.mouseMove(view.viewport(), down)
    QTest.keyClick(view, Qt.Key.Key_Escape, NONE)
    QTest.mouseRelease(view.viewport(), RIGHT, CTRL, down)
    assert document(view).edges == before.edges
    assert steps(view)[0] == 0
    assert not view.graph.wires[Slot("relu1", "x")].lit
    right_drag(view, up, down)
    assert Slot("relu1", "x") not in document(view).edges
    assert steps(view) == (1, "Cut a wire")


def test_the_knife_works_where_only_boxes_are_painted(view):
    view.zoom_to(0.1)
    at = view.graph.wires[Slot("relu1", "x")].route.path.pointAtPercent(0.5)
    right_drag(view, point(view, at + QPointF(0, -150)), point(view, at + QPointF(0, 200)))
    assert Slot("relu1", "x") not in document(view).edges
