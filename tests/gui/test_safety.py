"""Files that another program, another window, another version or a bad disk has to do with."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from engine.graph import edits
from engine.storage.document_file import load_document, save_document, to_json
from engine.storage.earlier import versions
from engine.storage.format import VERSION
from gui.earlier import EarlierDialog
from gui.locks import lock_of, take
from gui.safety import versions_folder
from presets import preset
from tests.gui.window_help import answer, open_window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.netwright"
    save_document(preset("spirals").document(), path)
    return path


def changed_outside(path, name: str = "Theirs", rename: bool = False) -> None:
    """Write a file as another program does: in place, or by another file that takes its name."""
    text = to_json(edits.rename(preset("spirals").document().with_(name=name), "hidden", "theirs"))
    if rename:
        other = path.with_suffix(".other")
        other.write_text(text, encoding="utf-8")
        os.replace(other, path)
    else:
        path.write_text(text, encoding="utf-8")


def edit(window, name: str = "mine") -> None:
    window.bench.store.apply("Rename", lambda d: edits.rename(d, "hidden", name))


def press(qtbot, window, word: str) -> None:
    """Click on a button of the banner."""
    qtbot.waitUntil(lambda: word in window.files.safety.banner.buttons, timeout=10_000)
    QTest.mouseClick(window.files.safety.banner.buttons[word], LEFT)
    QApplication.processEvents()


def choose_file(monkeypatch, path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


def said_in(window) -> str:
    banner = window.files.safety.banner
    return banner.text() if banner.isVisible() else ""


# A newer format.


def newer(path) -> None:
    raw = json.loads(to_json(preset("spirals").document()))
    path.write_text(json.dumps({**raw, "netwright": VERSION + 1, "weather": "sunny"}), encoding="utf-8")


def test_a_newer_file_opens_to_read_and_saves_as_a_copy(qtbot, tmp_path, monkeypatch):
    path, copy = tmp_path / "tomorrow.netwright", tmp_path / "copy.netwright"
    newer(path)
    before = path.read_bytes()
    with open_window(qtbot) as window:
        assert window.open_path(str(path))
        assert window.bench.store.document.nodes
        assert "newer Netwright" in said_in(window)
        assert "(read-only)" in window.windowTitle()
        edit(window)
        choose_file(monkeypatch, path)
        said = answer("Save a copy …")
        refused = answer("OK")
        window.actions_["save"].trigger()
        assert "newer Netwright" in said[0]
        assert "Take another name" in refused[0]
        assert path.read_bytes() == before
        choose_file(monkeypatch, copy)
        answer("Save a copy …")
        press(qtbot, window, "Save a copy …")
        qtbot.waitUntil(lambda: not window.files.dirty, timeout=5000)
        assert window.files.path == copy
        assert said_in(window) == ""
        assert "(read-only)" not in window.windowTitle()
    assert path.read_bytes() == before
    assert load_document(copy).nodes["hidden"].name == "mine"


# Another program.


@pytest.mark.parametrize("rename", [False, True], ids=["in place", "by a rename"])
def test_what_another_program_wrote_is_offered_and_reloads_as_one_step(qtbot, file, rename):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        before = window.bench.store.whole
        for name in ("Theirs", "Theirs again"):  # the watch goes on after it was replaced
            changed_outside(file, name, rename)
            qtbot.waitUntil(lambda: "changed on disk" in said_in(window), timeout=10_000)
            press(qtbot, window, "Reload")
            assert window.bench.store.whole.name == name
            assert not window.files.dirty
            assert said_in(window) == ""
        window.actions_["undo"].trigger()
        window.actions_["undo"].trigger()
        assert window.bench.store.whole == before


def test_theirs_and_mine_are_compared(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        edit(window)
        changed_outside(file)
        press(qtbot, window, "Compare")
        qtbot.waitUntil(lambda: window.compare.isVisible(), timeout=10_000)
        assert any("Theirs" in each.text or "theirs" in each.text for each in window.compare.items)
        qtbot.waitUntil(lambda: window.compare._thread is None or not window.compare._thread.is_alive())
        QTest.keyClick(window.compare, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: "changed on disk" in said_in(window), timeout=10_000)


def test_keeping_mine_overwrites_theirs_which_stays_kept(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        edit(window)
        changed_outside(file)
        press(qtbot, window, "Keep mine")
        assert said_in(window) == ""
        assert window.files.dirty
        window.actions_["save"].trigger()
        assert load_document(file).nodes["hidden"].name == "mine"
        assert "Theirs" in [load_document(each.path).name for each in versions(file, versions_folder())]


def test_a_save_asks_before_it_replaces_what_another_program_wrote(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        edit(window)
        changed_outside(file)
        said = answer("Cancel")
        window.actions_["save"].trigger()  # at once: nobody has heard of it yet
        assert "Another program has changed" in said[0]
        assert load_document(file).name == "Theirs"
        answer("Replace it")
        window.actions_["save"].trigger()
        assert load_document(file).nodes["hidden"].name == "mine"
        assert not window.files.dirty


def test_ones_own_saves_are_no_change_from_outside(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        for name in ("one", "two", "three"):
            edit(window, name)
            window.actions_["save"].trigger()
            qtbot.wait(30)
            window.files.safety.watching.look()
            assert said_in(window) == ""


def test_a_file_that_is_gone_is_saved_again(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        file.unlink()
        qtbot.waitUntil(lambda: "not in its folder any more" in said_in(window), timeout=10_000)
        press(qtbot, window, "Save")
        qtbot.waitUntil(lambda: file.exists() and said_in(window) == "", timeout=10_000)
        assert load_document(file) == window.bench.store.whole


def test_each_document_has_words_of_its_own(qtbot, file, tmp_path):
    other = tmp_path / "other.netwright"
    save_document(preset("lenet5").document(), other)
    with open_window(qtbot) as window:
        window.open_path(str(file))
        window.open_path(str(other))
        changed_outside(file)
        window.files.safety.watching.look()
        assert said_in(window) == ""
        window.open_path(str(file))
        assert "changed on disk" in said_in(window)


def test_files_that_are_written_beside_it_all_the_time_hide_no_change(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        written = iter(range(10_000))

        def told() -> bool:
            (file.parent / f"metrics{next(written)}").write_text("1")
            return "changed on disk" in said_in(window)

        changed_outside(file)
        qtbot.waitUntil(told, timeout=10_000)


# Another window or process.


def test_a_file_that_is_open_elsewhere_asks_and_opens_to_read(qtbot, file):
    with open_window(qtbot) as first, open_window(qtbot) as second:
        first.open_path(str(file))
        said = answer("Cancel")
        assert not second.open_path(str(file))
        assert f"process {os.getpid()}" in said[0]
        answer("Open to read only")
        assert second.open_path(str(file))
        assert "is open in another Netwright" in said_in(second)
        assert "(read-only)" in second.windowTitle()
        edit(second, "theirs")
        answer("Cancel")
        assert not second.files.save()
        second.undo_stack.setClean()
        assert load_document(file).nodes["hidden"].name == ""


def test_opened_anyway_it_can_be_saved_and_the_other_window_hears_of_it(qtbot, file):
    with open_window(qtbot) as first, open_window(qtbot) as second:
        first.open_path(str(file))
        answer("Open anyway")
        assert second.open_path(str(file))
        assert said_in(second) == ""
        edit(second, "theirs")
        second.actions_["save"].trigger()
        qtbot.waitUntil(lambda: "changed on disk" in said_in(first), timeout=10_000)


def test_a_closed_document_is_free_again(qtbot, file):
    with open_window(qtbot) as first, open_window(qtbot) as second:
        first.open_path(str(file))
        first.actions_["close_tab"].trigger()
        assert second.open_path(str(file))
        assert said_in(second) == ""


def test_saving_over_a_file_that_is_open_elsewhere_asks(qtbot, file, monkeypatch):
    choose_file(monkeypatch, file)
    with open_window(qtbot) as first, open_window(qtbot, "lenet5") as second:
        first.open_path(str(file))
        said = answer("Cancel")
        second.actions_["save_as"].trigger()
        assert "is open in another Netwright" in said[0]
        assert load_document(file).name == "Spirals"
        answer("Replace it")
        second.actions_["save_as"].trigger()
        assert load_document(file).name == "LeNet-5"
        first.files.new()
        first.bench.store.apply("Add", lambda d: edits.add_node(d, "Linear")[0])
        said = answer("OK")
        first.actions_["save_as"].trigger()
        assert "open here in another tab" in said[0]
        assert load_document(file).name == "LeNet-5"
        first.undo_stack.setClean()


def test_another_process_is_named_and_one_that_was_killed_is_none(qtbot, file):
    lock = lock_of(file)
    code = (
        "import sys; from PySide6.QtCore import QLockFile; lock = QLockFile(sys.argv[1]);"
        "print(lock.tryLock(0), flush=True); sys.stdin.read()"
    )
    assert take(lock)
    lock.unlock()
    with (
        subprocess.Popen(
            [sys.executable, "-c", code, lock.fileName()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
        open_window(qtbot) as window,
    ):
        assert other.stdout.readline().strip() == b"True"
        said = answer("Cancel")
        assert not window.open_path(str(file))
        assert f"process {other.pid}" in said[0]
        other.kill()
        other.wait()
        assert window.open_path(str(file))
        assert said_in(window) == ""


# Earlier versions, damage.


def test_an_earlier_version_is_chosen_and_opens_as_a_copy(qtbot, file, monkeypatch):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        for name in ("one", "two"):
            edit(window, name)
            window.actions_["save"].trigger()
        shown = []

        def choose(dialog):
            shown.extend(
                dialog.list.topLevelItem(row).text(2) for row in range(dialog.list.topLevelItemCount())
            )
            dialog.list.setCurrentItem(dialog.list.topLevelItem(0))
            QTest.mouseClick(dialog.open_button, LEFT)

        monkeypatch.setattr(EarlierDialog, "exec", choose)
        window.actions_["earlier"].trigger()
        assert len(shown) == 2
        assert window.files.path is None
        assert window.files.dirty
        assert window.bench.store.document.nodes["hidden"].name == "one"
        assert load_document(file).nodes["hidden"].name == "two"
        window.undo_stack.setClean()


def test_without_a_file_there_are_no_earlier_versions_to_list(qtbot):
    with open_window(qtbot, "spirals") as window:
        assert not window.actions_["earlier"].isEnabled()


def test_a_damaged_file_offers_its_last_good_version(qtbot, file):
    with open_window(qtbot) as window:
        window.open_path(str(file))
        edit(window, "good")
        window.actions_["save"].trigger()
        window.actions_["close_tab"].trigger()
        file.write_bytes(file.read_bytes()[:200])
        said = answer("Cancel")
        assert not window.open_path(str(file))
        assert "last good version" in said[0]
        answer("Open the last good version")
        assert window.open_path(str(file))
        assert window.bench.store.document.nodes["hidden"].name == "good"
        assert window.files.path is None
        assert window.files.dirty
        window.undo_stack.setClean()


# Disks.


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "may not")]
)
def test_a_save_that_fails_says_so_and_offers_another_place(qtbot, file, tmp_path, monkeypatch, code, words):
    elsewhere = tmp_path / "elsewhere.netwright"
    with open_window(qtbot) as window:
        window.open_path(str(file))
        edit(window)
        choose_file(monkeypatch, elsewhere)
        real = os.replace

        def failing(source, target, **more):
            if str(target).endswith("net.netwright"):
                raise OSError(code, os.strerror(code))
            return real(source, target, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            said = answer("Cancel")
            window.actions_["save"].trigger()
            assert words in said[0]
            assert "Nothing is lost" in said[0]
            assert window.files.dirty
            answer("Save as …")
            window.actions_["save"].trigger()
        assert window.files.path == elsewhere
        assert not window.files.dirty
    assert load_document(elsewhere).nodes["hidden"].name == "mine"
    assert load_document(file).nodes["hidden"].name == ""


def test_a_state_folder_that_cannot_be_written_keeps_nothing_from_being_saved(qtbot, file, monkeypatch):
    with open_window(qtbot) as window:
        state = file.parent / "a file and no folder"
        state.write_text("")
        monkeypatch.setenv("NETWRIGHT_STATE", str(state))
        assert window.open_path(str(file))
        edit(window)
        window.actions_["save"].trigger()
        assert load_document(file).nodes["hidden"].name == "mine"
        assert not window.files.dirty


def test_autosave_that_fails_is_told_once(qtbot, file, monkeypatch):
    with open_window(qtbot) as window:
        state = file.parent / "a file and no folder"
        state.write_text("")
        monkeypatch.setenv("NETWRIGHT_STATE", str(state))
        said: list[str] = []
        window.bench.message.connect(said.append)
        window.open_path(str(file))
        edit(window, "one")
        qtbot.waitUntil(lambda: any("cannot be kept" in each for each in said), timeout=10_000)
        edit(window, "two")
        qtbot.wait(1500)
        assert sum("cannot be kept" in each for each in said) == 1
