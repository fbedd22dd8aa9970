"""Motion is held back where somebody asks for it, and everything that moves asks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

import gui
from gui import motion
from gui.widgets.switch import Switch
from tests.gui.window_help import open_window


@pytest.fixture
def seen(monkeypatch):
    """A desktop that likes motion."""
    monkeypatch.setattr(motion, "_desktop", lambda: False)
    monkeypatch.setattr(QGuiApplication, "platformName", lambda *_: "xcb")


def test_the_variable_holds_motion_back(qapp, seen, monkeypatch):
    assert not motion.reduced()
    monkeypatch.setenv(motion.VARIABLE, "1")
    assert motion.reduced()
    monkeypatch.setenv(motion.VARIABLE, "0")
    assert not motion.reduced()


def test_the_desktop_holds_motion_back(qapp, seen, monkeypatch):
    monkeypatch.setattr(motion, "_desktop", lambda: True)
    assert motion.reduced()


def test_the_switch_of_the_menu_holds_the_view_still(qtbot, seen):
    with open_window(qtbot, "lenet5") as window:
        canvas = window.canvas
        assert motion.moves(canvas)
        QTest.keyClick(
            canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        )
        assert motion.chosen()
        assert window.actions_["motion"].isChecked()
        assert not motion.moves(canvas)
        canvas.zoom_to(0.5)
        canvas.fit_all()
        assert canvas._glide.state() == canvas._glide.State.Stopped
        window.actions_["motion"].trigger()
        assert motion.moves(canvas)
        canvas.zoom_to(0.3)
        canvas.fit_all()
        assert canvas._glide.state() == canvas._glide.State.Running
        qtbot.waitUntil(lambda: canvas._glide.state() == canvas._glide.State.Stopped)


def test_a_switch_jumps_where_motion_is_held_back(qtbot, seen):
    knob = Switch()
    qtbot.addWidget(knob)
    knob.show()
    motion.choose(True)
    knob.click()
    assert knob._place == 1.0
    motion.choose(False)
    knob.click()
    assert knob._place > 0.5
    qtbot.waitUntil(lambda: knob._place == 0.0)


def test_every_module_that_animates_asks():
    root = Path(gui.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    moving = {path for path, text in sources.items() if re.search(r"Q\w*Animation\(|QTimeLine\(", text)}
    moving |= {path for path, text in sources.items() if re.search(r"\bGlide\(self", text)}
    assert len(moving) >= 4
    asking = {path for path in moving if re.search(r"\bmotion\b", sources[path])}
    assert moving == asking
