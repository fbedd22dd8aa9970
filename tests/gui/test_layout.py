"""Lay out by its key: at once or in a thread, one step, cancelled by Escape or an edit, seen on the way."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QAbstractAnimation, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph import edits
from gui.canvas import layout_worker
from gui.canvas.view import CanvasView
from tests.gui.canvas_help import canvas

SCATTERED = {"relu1": (5.0, 5.0), "fc1": (10.0, 10.0), "loss": (90.0, 500.0)}


@pytest.fixture
def view(qtbot) -> CanvasView:
    view = canvas(qtbot)
    view.bench.store.apply("Scatter", lambda d: edits.move(d, SCATTERED))
    return view


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Work every layout out in the thread, and hold it there until the gate is opened."""
    gate, real = threading.Event(), layout_worker.arranged

    def held(document, chosen, sizes, cancelled=lambda: False):
        assert threading.current_thread().name == "netwright-layout"
        gate.wait(10)
        return real(document, chosen, sizes, cancelled)

    monkeypatch.setattr(layout_worker, "AT_ONCE", 0)
    monkeypatch.setattr(layout_worker, "arranged", held)
    yield gate
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "netwright-layout":
            thread.join()


def bodies_overlap(view: CanvasView) -> bool:
    bodies = [item.body() for item in view.graph.nodes.values()]
    return any(a.intersects(b) for n, a in enumerate(bodies) for b in bodies[:n])


def test_a_thread_works_out_the_layout_which_is_one_step(qtbot, view, gate):
    before = view.bench.store.document
    view.layout()
    assert view.arranger.busy
    assert view.bench.store.document is before
    gate.set()
    qtbot.waitUntil(lambda: not view.arranger.busy)
    assert not bodies_overlap(view)
    assert view.bench.store.undo_stack.undoText() == "Lay out"
    view.bench.store.undo_stack.undo()
    assert view.bench.store.document == before


def test_escape_cancels_a_layout(qtbot, view, gate):
    before = view.bench.store.document
    view.layout()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not view.arranger.busy
    gate.set()
    view.arranger.close()
    QApplication.processEvents()
    assert view.bench.store.document is before


def test_a_layout_of_what_has_changed_meanwhile_is_dropped(qtbot, view, gate):
    view.layout()
    view.bench.store.apply("Move", lambda d: edits.move(d, {"fc1": (700.0, 300.0)}))
    moved = view.bench.store.document
    assert not view.arranger.busy
    gate.set()
    view.arranger.close()
    QApplication.processEvents()
    assert view.bench.store.document is moved


def test_closing_waits_for_the_thread(view, gate):
    view.layout()
    gate.set()
    view.arranger.close()
    assert not any(thread.name == "netwright-layout" for thread in threading.enumerate())


def test_a_selection_is_laid_out_where_it_stands(view):
    before = view.bench.store.document
    view.bench.store.select({"relu1", "flatten1", "fc1"})
    view.layout()
    after = view.bench.store.document
    assert view.bench.store.undo_stack.undoText() == "Lay out selection"
    assert after.nodes["images"].position[0] == before.nodes["images"].position[0]
    assert not bodies_overlap(view)


def test_nodes_glide_to_their_places_and_an_edit_ends_the_glide(qtbot, view, monkeypatch):
    monkeypatch.setattr(layout_worker, "moves", lambda widget: True)
    view.layout()
    item, end = view.graph.nodes["fc1"], view.bench.store.document.nodes["fc1"].position
    assert item.pos().toTuple() != end
    qtbot.waitUntil(lambda: item.pos().toTuple() == end)
    view.bench.store.undo_stack.undo()
    view.layout()
    assert view.arranger._shift.state() == QAbstractAnimation.State.Running
    view.bench.store.apply("Rename", lambda d: edits.rename(d, "fc1", "last"))
    assert item.pos().toTuple() == end
    assert view.arranger._shift.state() == QAbstractAnimation.State.Stopped
