"""Every shortcut can be looked up and changed, and is another everywhere at once."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QHelpEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from gui.actions import ACTIONS
from gui.canvas.keys import KEYS
from gui.commands.entries import CANVAS, CODE, GESTURES, entries
from gui.commands.keymap import normal
from gui.commands.shortcuts import ShortcutsWindow
from tests.gui.window_help import LEFT, answer, click_node, open_window

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(qtbot):
    """A window with LeNet-5."""
    with open_window(qtbot, "lenet5") as window:
        window.activateWindow()
        window.canvas.setFocus()
        yield window


def shortcuts(window) -> ShortcutsWindow:
    """Press Ctrl+K."""
    QTest.keyClick(window.canvas, Qt.Key.Key_K, CONTROL)
    shown = window.findChild(ShortcutsWindow)
    assert shown.isVisible()
    return shown


def give(shown: ShortcutsWindow, id: str, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Select a row, press Enter, press the new keys."""
    shown.choose(id)
    QTest.keyClick(shown.list, Qt.Key.Key_Return)
    QTest.keyClick(shown.field, key, modifiers)


def test_everything_is_listed_with_its_keys(window):
    shown = shortcuts(window)
    listed = {each.id: each for each in shown.shown() if each.id}
    for action in ACTIONS:
        if action.text:
            assert shown.keys_of(listed[action.id]) == normal(action.keys)
    assert {each.id for each in KEYS} <= listed.keys()
    assert [(each.text, each.gesture) for each in shown.shown() if each.gesture] == list(GESTURES)


def test_no_two_declared_keys_are_the_same():
    free = [each for each in entries() if each.keys and each.where != CODE]
    twice = {keys for keys, count in Counter(normal(each.keys) for each in free).items() if count > 1}
    assert twice == set()
    assert all(normal(each.keys) for each in free), "Qt knows every key that is declared"
    ids = Counter(each.id for each in entries() if each.id)
    assert max(ids.values()) == 1
    assert {each.id for each in entries() if each.where == CANVAS} <= {each.id for each in KEYS}


def test_new_keys_do_at_once_what_they_stand_for_and_the_old_ones_nothing(window):
    shown = shortcuts(window)
    give(shown, "zoom_in", Qt.Key.Key_Y, CONTROL | SHIFT)
    assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+Shift+Y")
    shown.close()
    window.activateWindow()
    before = window.canvas.zoom
    QTest.keyClick(window.canvas, Qt.Key.Key_Equal, CONTROL)
    assert window.canvas.zoom == before
    QTest.keyClick(window.canvas, Qt.Key.Key_Y, CONTROL | SHIFT)
    assert window.canvas.zoom > before
    window.commands.open()
    command = next(each for each in window.commands.shown() if each.key == "action:zoom_in")
    assert command.keys == "Ctrl+Shift+Y"


def test_keys_of_the_canvas_change_too(window):
    shown = shortcuts(window)
    give(shown, "add_here", Qt.Key.Key_A)
    give(shown, "move_right", Qt.Key.Key_D, SHIFT)
    give(shown, "back", Qt.Key.Key_Q)
    shown.close()
    canvas = window.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Tab)
    assert not canvas.quick_add.isVisible()
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_A)
    assert canvas.quick_add.isVisible()
    QTest.keyClick(canvas.quick_add.field, Qt.Key.Key_Escape)
    click_node(window, "conv1")
    x, _ = window.bench.store.document.nodes["conv1"].position
    QTest.keyClick(canvas, Qt.Key.Key_D, SHIFT)
    assert window.bench.store.document.nodes["conv1"].position[0] == x + 16
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert window.bench.store.document.nodes["conv1"].position[0] == x + 16
    QTest.keyClick(canvas, Qt.Key.Key_Q)
    assert window.bench.store.selection == frozenset()


def test_hints_name_the_keys_that_are_chosen(window):
    window.files.new()
    caption = window.canvas.caption
    assert "press Tab" in caption.invitation
    give(shortcuts(window), "add_here", Qt.Key.Key_A, ALT)
    assert "press Alt+A" in caption.invitation
    assert "Alt+A" in caption.accessibleName()
    assert window.palette_.search._hint == "Alt+A"


def test_tool_tips_tell_the_keys_that_are_chosen(window):
    def tip(button) -> str:
        at = button.rect().center()
        QApplication.sendEvent(button, QHelpEvent(QEvent.Type.ToolTip, at, button.mapToGlobal(at)))
        return QToolTip.text()

    assert tip(window.top.run_button) == "Train the network  (F5)"
    assert tip(window.top.step_button).endswith("(F8)")
    shown = shortcuts(window)
    give(shown, "run", Qt.Key.Key_R, CONTROL)
    assert tip(window.top.run_button) == "Train the network  (Ctrl+R)"
    QTest.mouseClick(shown.remove_button, LEFT)
    assert tip(window.top.run_button) == "Train the network"


def test_a_key_that_is_held_can_be_another(window):
    give(shortcuts(window), "hand", Qt.Key.Key_G)
    window.canvas.setFocus()
    place = window.canvas.viewportTransform()
    start = window.canvas.viewport().rect().center()
    QTest.keyPress(window.canvas, Qt.Key.Key_G)
    QTest.mousePress(window.canvas.viewport(), LEFT, NONE, start)
    QTest.mouseMove(window.canvas.viewport(), start / 2)
    QTest.mouseRelease(window.canvas.viewport(), LEFT, NONE, start / 2)
    QTest.keyRelease(window.canvas, Qt.Key.Key_G)
    assert window.canvas.viewportTransform() != place
    assert window.bench.store.selection == frozenset()


def test_keys_of_another_are_named_and_taken_away_only_if_one_says_so(window):
    shown = shortcuts(window)
    give(shown, "zoom_in", Qt.Key.Key_L, CONTROL)
    assert "“Share weights”" in shown.said.text()
    assert shown.take_button.isVisible()
    assert window.actions_["share"].shortcut() == QKeySequence("Ctrl+L")
    shown.choose("fit")  # looked elsewhere: nothing was taken
    assert not shown.take_button.isVisible()
    assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+=")
    give(shown, "zoom_in", Qt.Key.Key_L, CONTROL)
    QTest.mouseClick(shown.take_button, LEFT)
    assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+L")
    assert window.actions_["share"].shortcut().isEmpty()
    shown.choose("share")
    QTest.mouseClick(shown.reset_button, LEFT)
    assert "“Zoom in”" in shown.said.text()


def test_one_and_all_are_given_back(window):
    shown = shortcuts(window)
    give(shown, "zoom_in", Qt.Key.Key_F12)
    give(shown, "mute", Qt.Key.Key_F12, SHIFT)
    give(shown, "add_here", Qt.Key.Key_F12, ALT)
    shown.choose("zoom_in")
    assert shown.said.text() == "It came with Ctrl+=."
    QTest.mouseClick(shown.reset_button, LEFT)
    assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+=")
    assert window.actions_["mute"].shortcut() == QKeySequence("Shift+F12")
    said = answer("Cancel")
    QTest.mouseClick(shown.reset_all_button, LEFT)
    assert "2 shortcuts" in said[0]
    assert window.actions_["mute"].shortcut() == QKeySequence("Shift+F12")
    answer("Reset all")
    QTest.mouseClick(shown.reset_all_button, LEFT)
    assert window.actions_["mute"].shortcut() == QKeySequence("M")
    assert not shown.reset_all_button.isEnabled()
    assert not any(shown.is_changed(each) for each in shown.shown())


def test_a_shortcut_can_be_removed(window):
    shown = shortcuts(window)
    shown.choose("select_all")
    QTest.mouseClick(shown.remove_button, LEFT)
    assert window.actions_["select_all"].shortcut().isEmpty()
    shown.close()
    QTest.keyClick(window.canvas, Qt.Key.Key_A, CONTROL)
    assert window.bench.store.selection == frozenset()


def test_the_choice_is_kept_for_the_next_window(window, qtbot):
    shown = shortcuts(window)
    give(shown, "zoom_in", Qt.Key.Key_F12)
    shown.choose("select_all")
    QTest.mouseClick(shown.remove_button, LEFT)
    give(shown, "move_left", Qt.Key.Key_J)
    with open_window(qtbot) as other:
        assert other.actions_["zoom_in"].shortcut() == QKeySequence("F12")
        assert other.actions_["select_all"].shortcut().isEmpty()
        assert other.bench.keymap.keys("move_left", "Left") == "J"


def test_nothing_that_is_pressed_in_the_field_is_done(window):
    shown = shortcuts(window)
    count = window.undo_stack.count()
    click_node(window, "conv1")
    give(shown, "zoom_in", Qt.Key.Key_Delete)
    assert "“Delete”" in shown.said.text()
    assert "conv1" in window.bench.store.document.nodes
    assert window.undo_stack.count() == count


def test_keys_that_every_form_needs_are_refused_for_actions_of_the_window(window):
    shown = shortcuts(window)
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Down):
        give(shown, "zoom_in", key)
        assert "needed in every form" in shown.said.text()
        assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+=")
    give(shown, "zoom_in", Qt.Key.Key_Return, CONTROL)
    assert "while one types code" in shown.said.text()
    assert not shown.take_button.isVisible()


def test_escape_leaves_the_field_as_it_was(window):
    shown = shortcuts(window)
    give(shown, "zoom_in", Qt.Key.Key_Escape)
    assert shown.focusWidget() is shown.list
    assert shown.isVisible()
    assert window.actions_["zoom_in"].shortcut() == QKeySequence("Ctrl+=")


def test_gestures_and_keys_of_the_code_are_shown_but_not_changed(window):
    shown = shortcuts(window)
    for n in range(shown.list.count()):
        entry = shown.list.item(n).data(Qt.ItemDataRole.UserRole)
        if entry is not None and not entry.id:
            shown.list.setCurrentRow(n)
            assert not shown.field.isEnabled()
            assert not shown.remove_button.isEnabled()
            assert shown.said.text()


def test_the_list_is_searched_by_name_and_by_keys(window):
    shown = shortcuts(window)
    assert shown.focusWidget() is shown.search
    QTest.keyClicks(shown.search, "ctrl+g")
    assert [each.id for each in shown.shown()] == ["group"]
    shown.search.setText("weights share")
    assert shown.shown()[0].id == "share"
    assert shown.entry.id == "share"
    shown.search.setText("teleport")
    assert shown.shown() == []
    assert shown.nothing.isVisible()
    assert "teleport" in shown.nothing.text()
    assert not shown.field.isEnabled()
    QTest.keyClick(shown.search, Qt.Key.Key_Escape)
    assert len(shown.shown()) == len(entries())
    QTest.keyClick(shown.search, Qt.Key.Key_Down)
    assert shown.focusWidget() is shown.list
    QTest.keyClicks(shown.list, "pa")
    assert shown.search.text() == "pa"


def test_the_window_fits_and_is_painted_in_both_themes(window):
    window.resize(1000, 700)
    shown = shortcuts(window)
    assert shown.height() <= 700
    for theme in ("dark", "light"):
        window.choose_theme(theme)
        picture = shown.grab(QRect(0, 80, shown.width(), 200)).toImage()
        line = {picture.pixel(x, y) for x in range(0, picture.width(), 2) for y in range(0, 200, 2)}
        assert window.bench.theme.color("panel").rgb() in line
        assert len(line) > 10
        give(shown, "zoom_in", Qt.Key.Key_F12)
        assert not shown.field.grab().isNull()
