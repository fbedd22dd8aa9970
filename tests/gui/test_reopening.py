"""The tabs of the last time: they come back quietly, the one in front in front, unless that is not wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMessageBox

from engine.graph.edits import rename
from engine.storage.document_file import save_document
from gui import locks, reopening
from gui.app import make_window
from gui.main_window import MainWindow
from gui.reopening import reopen
from presets import preset
from tests.gui.test_recovery import left_behind
from tests.gui.window_help import answer

EXEC = QMessageBox.exec
NAMES = ("lenet5", "spirals", "digits_mlp")


@pytest.fixture(autouse=True)
def nothing_is_asked(monkeypatch):
    def asked(box):
        raise AssertionError(f"it asked: {box.text()}")

    monkeypatch.setattr(QMessageBox, "exec", asked)


@pytest.fixture
def paths(tmp_path) -> list[Path]:
    made = [tmp_path / f"{name}.netwright" for name in NAMES]
    for name, path in zip(NAMES, made, strict=True):
        save_document(preset(name).document(), path)
    return made


@contextmanager
def started(qtbot, target: Path | None = None) -> Iterator[MainWindow]:
    """A window as the program begins one, closed by the user at the end."""
    window = make_window()
    window.show()
    qtbot.waitExposed(window)
    if target:
        window.files.open(target)
    reopen(window, named=target is not None)
    try:
        yield window
    finally:
        for session in window.bench.store.sessions:
            session.undo_stack.setClean()
        window.close()
        window.deleteLater()


def opened(window: MainWindow) -> list[Path | None]:
    return [session.path for session in window.bench.store.sessions]


def leave_open(qtbot, paths: list[Path], front: int = 1) -> None:
    with started(qtbot) as window:
        for path in paths:
            window.files.open(path)
        window.files.show(window.files.session_of(paths[front]))


def test_the_first_start_shows_the_welcome_page(qtbot):
    with started(qtbot) as window:
        assert window.pages.currentWidget() is window.welcome
        assert opened(window) == [None]


def test_tabs_come_back_in_their_order_with_the_one_in_front_in_front(qtbot, paths):
    leave_open(qtbot, paths)
    with started(qtbot) as window:
        assert opened(window) == paths
        assert window.files.path == paths[1]
        assert window.pages.currentWidget() is window.workbench
        assert window.canvas.graph.nodes.keys() == preset("spirals").document().nodes.keys()
        assert [tab.text() for tab in window.tabs.tabs.values()] == [
            session.name for session in window.bench.store.sessions
        ]
        assert not any(session.dirty or session.read_only for session in window.bench.store.sessions)
        window.tabs.walk(1)
        assert window.canvas.graph.nodes.keys() == preset("digits_mlp").document().nodes.keys()
        first = next(iter(window.bench.store.document.nodes))
        window.bench.store.apply("Rename", lambda d: rename(d, first, "mine"))
        assert window.files.save()
    with started(qtbot) as window:
        assert window.files.path == paths[2]
        assert window.bench.store.document.nodes[first].name == "mine"


def test_a_tab_that_was_closed_and_a_file_that_is_gone_do_not_come_back(qtbot, paths):
    leave_open(qtbot, paths)
    with started(qtbot) as window:
        window.files.close(window.files.session_of(paths[0]))
    paths[1].unlink()
    with started(qtbot) as window:
        assert opened(window) == [paths[2]]
        window.files.close()
    with started(qtbot) as window:
        assert window.pages.currentWidget() is window.welcome


def test_a_named_network_comes_alone_and_is_what_was_open_last(qtbot, paths):
    leave_open(qtbot, paths)
    with started(qtbot, target=paths[2]) as window:
        assert opened(window) == [paths[2]]
    with started(qtbot) as window:
        assert opened(window) == [paths[2]]


def test_the_switch_in_the_file_menu_is_kept(qtbot, paths):
    leave_open(qtbot, paths)
    with started(qtbot) as window:
        switch = window.actions_["reopen_tabs"]
        assert switch.isChecked()
        switch.trigger()
        assert not switch.isChecked()
    with started(qtbot) as window:
        assert opened(window) == [None]
        assert not window.actions_["reopen_tabs"].isChecked()
        window.files.open(paths[0])
        window.actions_["reopen_tabs"].trigger()
    with started(qtbot) as window:
        assert opened(window) == [paths[0]]


def test_what_is_in_use_or_broken_is_left_out_and_named(qtbot, paths):
    leave_open(qtbot, paths, front=0)
    paths[1].write_text("{ this is no network")
    lock = locks.lock_of(paths[0])
    assert locks.take(lock)
    with started(qtbot) as window:
        assert opened(window) == [paths[2]]
        said = []
        window.bench.message.connect(said.append)
        reopening.choose(True)
        QSettings().setValue("window/open", [str(path) for path in paths])
        assert not reopen(window)
        assert said == [
            "Not opened again, because it is in use or cannot be read: lenet5.netwright, spirals.netwright."
        ]
    lock.unlock()


def test_another_window_does_not_make_this_one_forget(qtbot, paths):
    with started(qtbot) as window:
        window.files.open(paths[0])
        with started(qtbot):
            pass
    with started(qtbot) as window:
        assert opened(window) == [paths[0]]


def test_what_a_crash_left_stays_in_front_and_is_not_opened_twice(qtbot, paths, monkeypatch):
    leave_open(qtbot, paths)
    left_behind("Lost and found", str(paths[0]))
    monkeypatch.setattr(QMessageBox, "exec", EXEC)
    window = make_window()
    window.show()
    answer("Restore")
    assert window.recovery.offer()
    assert reopen(window)
    assert opened(window) == paths
    assert window.bench.store.whole.name == "Lost and found"
    for session in window.bench.store.sessions:
        session.undo_stack.setClean()
    window.close()
    window.deleteLater()


def test_a_window_that_was_not_asked_to_opens_and_remembers_nothing(qtbot, paths):
    leave_open(qtbot, paths)
    before = QSettings().value("window/open")
    window = make_window()
    window.show()
    window.files.open(paths[2])
    assert opened(window) == [paths[2]]
    window.close()
    window.deleteLater()
    assert QSettings().value("window/open") == before
