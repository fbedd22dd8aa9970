"""A document with layers that are not installed, in the window: seen, edited around, saved as it came."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.storage.document_file import load_document
from gui.inspector.kept import KeptSection
from tests.graph.test_missing import SETTINGS, nodes_of, raw
from tests.gui.window_help import click_node, open_window

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plug-in.netwright"
    path.write_text(json.dumps(raw()), encoding="utf-8")
    return path


def shown(qtbot, window) -> None:
    qtbot.waitUntil(lambda: window.bench.analysis.document is window.bench.store.document, timeout=30_000)


def test_it_opens_calmly_and_is_saved_as_it_came(qtbot, file):
    with open_window(qtbot) as window:
        assert window.open_path(str(file))
        shown(qtbot, window)
        face = window.canvas.graph.nodes["squash"].face
        assert face.missing
        assert [spot.name for spot in face.outputs] == ["low", "high"]
        assert "Install the plug-in" in face.problem.message
        assert not window.canvas.graph.nodes["linear1"].face.missing
        window.actions_["save_as" if not window.files.path else "save"].trigger()
    assert nodes_of(file.read_text("utf-8"))["squash"]["params"] == SETTINGS
    assert json.loads(file.read_text("utf-8"))["edges"] == raw()["edges"]


def test_the_inspector_shows_its_settings_to_read(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        shown(qtbot, window)
        click_node(window, "squash")
        kept = window.inspector.page.findChild(KeptSection)
        assert kept.isVisible()
        assert kept._shown["scale"] == "2.5"
        assert kept._shown["modes"] == '["a", [1, null]]'
        assert not window.inspector.page.form.isVisible()
        click_node(window, "linear1")
        assert not window.inspector.page.findChild(KeptSection).isVisible()


def test_run_refuses_with_the_sentence(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        shown(qtbot, window)
        said: list[str] = []
        window.bench.message.connect(said.append)
        window.actions_["run"].trigger()
        qtbot.waitUntil(lambda: any("no layer 'Squash'" in each for each in said), timeout=30_000)
        qtbot.waitUntil(lambda: not window.bridge.busy, timeout=30_000)


def test_copy_paste_delete_and_undo_with_keys(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        shown(qtbot, window)
        before = window.bench.store.document
        click_node(window, "squash")
        QTest.keyClick(window.canvas, Qt.Key.Key_C, CTRL)
        QTest.keyClick(window.canvas, Qt.Key.Key_V, CTRL)
        (copy,) = window.bench.store.document.nodes.keys() - before.nodes.keys()
        assert dict(window.bench.store.document.nodes[copy].params) == SETTINGS
        window.files.new()
        QTest.keyClick(window.canvas, Qt.Key.Key_V, CTRL)
        (alone,) = window.bench.store.document.nodes.values()
        assert dict(alone.params) == SETTINGS
        shown(qtbot, window)
        assert [spot.name for spot in window.canvas.graph.nodes[alone.id].face.outputs] == ["low", "high"]
        window.open_path(str(file))
        window.bench.store.select([copy])
        QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
        assert window.bench.store.document == before
        window.actions_["undo"].trigger()
        assert copy in window.bench.store.document.nodes
        window.actions_["undo"].trigger()
        assert window.bench.store.document == before
        for session in window.bench.store.sessions:
            session.undo_stack.setClean()
    assert load_document(file) == before
