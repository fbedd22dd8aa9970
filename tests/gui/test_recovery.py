"""Unsaved work after a crash: kept while editing, offered at the next start, forgotten once it is saved."""

from __future__ import annotations

from engine.graph import edits
from engine.graph.document import Document
from engine.storage.format import VERSION
from engine.storage.journal import SUFFIX, Journal, read_entry
from gui.recovery import folder
from tests.gui.window_help import answer, open_window


def journals() -> list:
    return sorted(folder().glob(f"*{SUFFIX}"))


def left_behind(name: str, file: str = "") -> None:
    """Leave what a program leaves that ended without a word: a journal without its lock."""
    journal = Journal(folder(), period=0.01)
    journal.keep(edits.add_node(Document(name=name), "Linear")[0], file)
    while not journal.path.exists():
        pass
    kept = journal.path.read_bytes()
    journal.close()
    journal.path.write_bytes(kept)


def test_edits_are_kept_until_they_are_saved(qtbot, tmp_path):
    with open_window(qtbot, "lenet5") as window:
        assert journals() == []
        first = next(iter(window.bench.store.document.nodes))
        window.bench.store.apply("Rename", lambda d: edits.rename(d, first, "new name"))
        qtbot.waitUntil(lambda: len(journals()) == 1, timeout=10_000)
        (path,) = journals()
        assert read_entry(path).document == window.bench.store.whole
        window.files._write(tmp_path / "net.netwright")
        assert journals() == []
        window.undo_stack.undo()
        qtbot.waitUntil(lambda: len(journals()) == 1, timeout=10_000)
    assert journals() == []


def test_what_a_crash_left_is_restored_unsaved_and_kept_again(qtbot, tmp_path):
    left_behind("Lost and found", str(tmp_path / "net.netwright"))
    with open_window(qtbot) as window:
        answer("Restore")
        assert window.recovery.offer()
        assert window.bench.store.whole.name == "Lost and found"
        assert window.files.dirty
        assert window.files.path == tmp_path / "net.netwright"
        assert not (tmp_path / "net.netwright").exists()
        qtbot.waitUntil(lambda: len(journals()) == 1, timeout=10_000)
        assert not window.recovery.offer(), "one's own journal is no lost work"


def test_discarded_it_is_gone_and_later_it_is_asked_again(qtbot):
    left_behind("Unwanted")
    with open_window(qtbot) as window:
        answer("Ask again later")
        assert not window.recovery.offer()
        assert len(journals()) == 1
        answer("Discard")
        assert not window.recovery.offer()
        assert journals() == []
        assert not window.recovery.offer()


def test_a_journal_of_a_newer_netwright_waits_for_it(qtbot):
    left_behind("Of tomorrow")
    (path,) = journals()
    text = path.read_text("utf-8").replace(f'"netwright": {VERSION}', f'"netwright": {VERSION + 1}')
    path.write_text(text, encoding="utf-8")
    with open_window(qtbot) as window:
        assert not window.recovery.offer()
    assert path.read_text("utf-8") == text


def test_a_damaged_journal_stops_nothing(qtbot):
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / f"1{SUFFIX}").write_text("half of a", encoding="utf-8")
    with open_window(qtbot) as window:
        assert not window.recovery.offer()
    assert journals() == []
