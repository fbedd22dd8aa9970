"""The command palette: everything that can be done, found by its name and done with the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.storage.document_file import save_document
from gui.actions import ACTIONS
from gui.theme import LIGHT
from gui.widgets.keycaps import caps_of
from presets import preset, presets
from tests.gui.window_help import open_window

CONTROL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot):
    """A window with a small classifier."""
    with open_window(qtbot, "spirals") as window:
        window.activateWindow()
        window.canvas.setFocus()
        yield window


def call_palette(window, text: str = "") -> None:
    """Press Ctrl+Shift+P and type."""
    QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_P, CONTROL_SHIFT)
    assert window.commands.isVisible()
    QTest.keyClicks(window.commands.field, text)


def press(window, key: Qt.Key) -> None:
    QTest.keyClick(window.commands.field, key)


def texts(window) -> list[str]:
    return [each.text for each in window.commands.shown()]


def test_every_action_is_offered_with_its_keys_and_what_cannot_be_done_stands_at_the_end(window):
    call_palette(window)
    shown = {each.key: each for each in window.commands.shown()}
    for action in ACTIONS:
        if action.text and action.id != "commands":
            each = shown[f"action:{action.id}"]
            assert each.where == action.menu
            assert QKeySequence(each.keys) == window.actions_[action.id].shortcut()
    states = [each.enabled for each in window.commands.shown()]
    assert True in states
    assert False in states
    assert states == sorted(states, reverse=True)
    assert not shown["action:stop"].enabled, "nothing runs"


def test_a_command_is_found_by_a_few_letters_and_done_with_enter(window):
    before = window.canvas.zoom
    call_palette(window, "zoom in")
    assert texts(window)[0] == "Zoom in"
    press(window, Qt.Key.Key_Return)
    assert window.canvas.zoom > before
    assert not window.commands.isVisible()
    assert QApplication.focusWidget() is window.canvas


def test_words_may_stand_in_any_order_and_the_menu_is_a_word_too(window):
    call_palette(window, "link heal")
    assert "Delete and heal the link" in texts(window)
    window.commands.field.setText("train run")
    assert texts(window)[0] == "Run"
    window.commands.field.setText("zoom")
    assert texts(window)
    found = [text for text in texts(window) if not text.startswith("Add ")]  # layers have other names too
    assert all("zoom" in text.lower() for text in found), "nothing by letters here and there"
    window.commands.field.setText("f")
    assert texts(window)[0].startswith("F"), "a name that begins so comes before the menu File"


def test_what_was_used_lately_stands_first_in_this_window_and_the_next(window, qtbot):
    call_palette(window, "minimap")
    press(window, Qt.Key.Key_Return)
    call_palette(window, "select all")
    press(window, Qt.Key.Key_Return)
    call_palette(window)
    assert texts(window)[:2] == ["Select all", "Minimap"]
    press(window, Qt.Key.Key_Escape)
    with open_window(qtbot) as other:
        other.commands.open()
        assert texts(other)[0] == "Minimap", "an empty canvas has nothing to select"


def test_what_cannot_be_done_is_shown_but_not_chosen(window):
    call_palette(window, "stop")
    row = texts(window).index("Stop")
    stops = window.commands.shown()[row]
    assert not stops.enabled
    item = window.commands.list.item(row)
    at = window.commands.list.visualItemRect(item).center()
    QTest.mouseClick(window.commands.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.commands.isVisible()


def test_what_is_on_is_told(window):
    call_palette(window, "minimap")
    assert window.commands.shown()[0].on
    press(window, Qt.Key.Key_Return)
    call_palette(window, "minimap")
    assert not window.commands.shown()[0].on


def test_layers_are_offered_from_two_letters_on_and_added(window):
    call_palette(window, "r")
    assert not [each for each in window.commands.shown() if each.key.startswith("layer:")]
    QTest.keyClicks(window.commands.field, "elu")
    assert "Add ReLU" in texts(window)
    count = len(window.bench.store.document.nodes)
    window.commands.field.setText("add tanh")
    assert texts(window)[0] == "Add Tanh"
    press(window, Qt.Key.Key_Return)
    nodes = window.bench.store.document.nodes.values()
    assert len(nodes) == count + 1
    assert any(node.type == "Tanh" for node in nodes)


def test_examples_and_recent_files_are_opened_by_their_names(window, tmp_path):
    path = tmp_path / "my-first-net.netwright"
    save_document(preset("spirals").document(), path)
    assert window.files.open(path)
    call_palette(window, presets()["lenet5"].title)
    press(window, Qt.Key.Key_Return)
    assert window.files.preset == "lenet5"
    call_palette(window, "my-first")
    assert texts(window) == ["Open my-first-net"]
    press(window, Qt.Key.Key_Return)
    assert window.files.path == path


def test_another_open_network_is_gone_to_by_its_name(window):
    first = window.bench.store.session
    window.files.open_preset("lenet5")
    assert window.bench.store.session is not first
    call_palette(window, f"go to {first.name}")
    assert texts(window)[0] == f"Go to {first.name}"
    press(window, Qt.Key.Key_Return)
    assert window.bench.store.session is first


def test_escape_and_the_same_keys_leave_and_the_keyboard_goes_on_where_it_was(window):
    window.palette_.setFocus()
    before = QApplication.focusWidget()
    for key, modifiers in (
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_P, CONTROL_SHIFT),
    ):
        call_palette(window)
        assert QApplication.focusWidget() is window.commands.field
        QTest.keyClick(window.commands.field, key, modifiers)
        assert not window.commands.isVisible()
        assert QApplication.focusWidget() is before


def test_a_click_elsewhere_closes_it(window):
    call_palette(window)
    QTest.mouseClick(window.canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 300))
    assert not window.commands.isVisible()


def test_arrows_walk_and_the_mouse_chooses(window):
    call_palette(window)
    press(window, Qt.Key.Key_Down)
    press(window, Qt.Key.Key_Down)
    press(window, Qt.Key.Key_Up)
    assert window.commands.list.currentRow() == 1
    window.commands.field.setText("light")
    row = texts(window).index("Light")
    at = window.commands.list.visualItemRect(window.commands.list.item(row)).center()
    QTest.mouseClick(window.commands.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.bench.theme is LIGHT


def test_nothing_found_says_so_and_it_works_on_the_welcome_page(window):
    window.show_welcome()
    window.commands.open()
    QTest.keyClicks(window.commands.field, "quaternion")
    assert texts(window) == []
    assert window.commands.nothing.isVisible()
    assert "quaternion" in window.commands.nothing.text()
    window.commands.field.setText("relu")
    assert not [each for each in texts(window) if each.startswith("Add")], "there is no canvas to add to"


def test_it_stays_inside_a_small_window_and_is_painted(window, qtbot):
    window.resize(1000, 700)
    call_palette(window)
    assert window.rect().contains(window.commands.geometry())
    picture = window.commands.grab().toImage()
    assert len({picture.pixel(x, 60) for x in range(picture.width())}) > 5
    spoken = window.commands.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert window.commands.shown()[0].text in spoken


@pytest.mark.parametrize(
    ("keys", "caps"),
    [
        ("Ctrl+Shift+P", ["Ctrl", "Shift", "P"]),
        ("Ctrl++", ["Ctrl", "+"]),
        ("Ctrl+=", ["Ctrl", "="]),
        ("F5", ["F5"]),
        ("", []),
    ],
)
def test_a_shortcut_is_drawn_as_the_keys_that_one_presses(keys, caps):
    assert caps_of(keys) == caps
