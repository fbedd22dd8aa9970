"""The history: every step by its name, and a click that goes to it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph.edits import set_params
from engine.storage.document_file import load_document
from gui.panels.history import BEGINNING
from tests.gui.window_help import LEFT, click_node, open_window

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot):
    """A window with LeNet-5 and its history in front."""
    with open_window(qtbot, "lenet5") as window:
        window.activateWindow()
        window.canvas.setFocus()
        QTest.keyClick(window.canvas, Qt.Key.Key_H, CONTROL)
        assert window.history.isVisible()
        yield window


def edit_three_times(window) -> list[object]:
    """Set, move by an arrow, delete; return the documents after each step, the first as it was opened."""
    store = window.bench.store
    states = [store.whole]
    store.apply("Set kernel size", lambda d: set_params(d, "conv1", kernel_size=3, padding=1))
    states.append(store.whole)
    click_node(window, "conv2")
    QTest.keyClick(window.canvas, Qt.Key.Key_Down)
    states.append(store.whole)
    click_node(window, "tanh4")
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    states.append(store.whole)
    return states


def click(window, row: int) -> None:
    steps = window.history.list
    QTest.mouseClick(steps.viewport(), LEFT, pos=steps.visualRect(steps.model().index(row)).center())


def spoken(window) -> list[str]:
    model = window.history.model
    return [model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]


def test_without_a_step_it_says_what_will_appear(window):
    assert not window.history.list.isVisible()
    edit_three_times(window)
    assert window.history.list.isVisible()


def test_every_step_is_named_and_the_present_one_marked(window):
    edit_three_times(window)
    stack = window.undo_stack
    assert window.history.texts() == [BEGINNING, *(stack.text(n) for n in range(3))]
    assert window.history.texts()[1] == "Set kernel size"
    assert all(window.history.texts())
    assert spoken(window)[3].endswith("present")
    assert window.history.list.currentIndex().row() == 3


def test_a_click_goes_to_any_step_and_back(window):
    states = edit_three_times(window)
    for row in (1, 3, 0, 2):
        click(window, row)
        assert window.bench.store.whole == states[row]
        assert set(window.canvas.graph.nodes) == set(states[row].nodes)
        assert window.undo_stack.index() == row
        assert [each.endswith("undone") for each in spoken(window)] == [n > row for n in range(4)]
    assert window.undo_stack.count() == 3


def test_undo_and_redo_move_the_mark(window):
    edit_three_times(window)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, CONTROL)
    assert window.history.list.currentIndex().row() == 2
    assert spoken(window)[3].endswith("undone")


def test_a_new_step_replaces_what_was_undone(window):
    edit_three_times(window)
    click(window, 1)
    store = window.bench.store
    store.apply("Set another size", lambda d: set_params(d, "conv1", kernel_size=7))
    assert window.history.texts() == [BEGINNING, "Set kernel size", "Set another size"]


def test_the_keyboard_goes_to_a_step(window):
    states = edit_three_times(window)
    QTest.keyClick(window.canvas, Qt.Key.Key_H, CONTROL)
    assert QApplication.focusWidget() is window.history.list
    QTest.keyClick(window.history.list, Qt.Key.Key_Up)
    QTest.keyClick(window.history.list, Qt.Key.Key_Up)
    assert window.bench.store.whole == states[3]
    QTest.keyClick(window.history.list, Qt.Key.Key_Return)
    assert window.bench.store.whole == states[1]


def test_the_saved_step_is_marked_once_there_is_a_file(window, tmp_path, monkeypatch):
    states = edit_three_times(window)
    assert not any("saved" in each for each in spoken(window))
    path = tmp_path / "net.netwright"
    monkeypatch.setattr("gui.files.QFileDialog.getSaveFileName", lambda *_, **__: (str(path), ""))
    assert window.files.save_as()
    assert ["saved" in each for each in spoken(window)] == [False, False, False, True]
    click(window, 1)
    assert window.files.dirty
    assert ["saved" in each for each in spoken(window)] == [False, False, False, True]
    click(window, 3)
    assert not window.files.dirty
    assert load_document(path) == states[3]


def test_it_follows_while_it_was_not_looked_at(window):
    window.left.show_page("outline")
    edit_three_times(window)
    window.left.show_page("history")
    assert len(window.history.texts()) == 4
    assert window.history.list.currentIndex().row() == 3


def test_each_open_document_has_its_own(window):
    edit_three_times(window)
    window.files.new()
    assert window.history.texts() == [BEGINNING]


def test_the_row_of_the_present_step_is_painted_in_the_accent(window):
    edit_three_times(window)
    for theme in ("dark", "light"):
        window.choose_theme(theme)
        accent = window.bench.theme.color("accent").rgb()
        for row in (3, 0):
            click(window, row)
            steps = window.history.list
            box = steps.visualRect(steps.model().index(row)).adjusted(0, 0, 0, 0)
            picture = steps.viewport().grab(box).toImage()
            marks = [(x, y) for x in range(26) for y in range(box.height()) if picture.pixel(x, y) == accent]
            assert len(marks) > 20
