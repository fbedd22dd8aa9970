"""The journal: unsaved work outlives the program, whenever it is killed."""

from __future__ import annotations

import os
import random
import signal
import threading
from pathlib import Path
from time import monotonic, time

import pytest

from engine.errors import FileError
from engine.graph import edits
from engine.graph.document import Document
from engine.storage import journal as journals
from engine.storage.document_file import from_json, load_document, save_document
from engine.storage.journal import SUFFIX, Journal, read_entry


def until(condition) -> None:
    """Wait for what another thread does, at most ten seconds."""
    waiting, end = threading.Event(), monotonic() + 10
    while not condition():
        assert monotonic() < end, "it never happened"
        waiting.wait(0.005)


def written(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def named(name: str) -> Document:
    return edits.add_node(Document(name=name), "Linear", {"out_features": 7})[0]


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "state", period=0.01)
    yield journal
    journal.close()


def test_the_newest_state_is_kept_with_its_file(journal, tmp_path):
    for name in ("first", "second", "last"):
        journal.keep(named(name), "/somewhere/net.netwright")
    until(lambda: journal.path.exists() and read_entry(journal.path).document.name == "last")
    entry = read_entry(journal.path)
    assert entry.document == named("last")
    assert entry.file == "/somewhere/net.netwright"
    assert abs(entry.at - time()) < 60


def test_what_is_saved_is_forgotten(journal):
    journal.keep(named("kept"))
    until(journal.path.exists)
    journal.clear()
    assert not journal.path.exists()
    journal.keep(named("again"))
    until(journal.path.exists)
    journal.close()
    assert not journal.path.exists()


def test_what_is_forgotten_while_it_is_written_does_not_come_back(journal, monkeypatch):
    writing, go_on = threading.Event(), threading.Event()
    write = journals.write_text

    def slow(path, text):
        writing.set()
        assert go_on.wait(10)
        write(path, text)

    monkeypatch.setattr(journals, "write_text", slow)
    journal.keep(named("kept"))
    assert writing.wait(10)
    journal.clear()
    go_on.set()
    journal.close()
    assert not journal.path.exists()


def test_a_full_disk_is_told_once_and_again_after_it_was_mended(tmp_path, monkeypatch):
    told, full, write = [], True, journals.write_text

    def failing(path, text):
        if full:
            raise OSError(28, "No space left on device")
        write(path, text)

    monkeypatch.setattr(journals, "write_text", failing)
    journal = Journal(tmp_path, told.append, period=0.001)
    for n in range(3):
        journal.keep(named(f"try {n}"))
        until(lambda: journal._newest is None)
    until(lambda: told)
    full = False
    journal.keep(named("kept"))
    until(journal.path.exists)
    journal.close()
    reason = "the disk is full (No space left on device)"
    assert told == [f"Unsaved changes cannot be kept in {tmp_path}: {reason}."]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]\n{}", "nonsense\n{}", '{"file": 1}\n', '{"file":"","at":0}\n{"netwright":9}']
)
def test_a_damaged_journal_is_told_in_a_sentence(tmp_path, text):
    path = tmp_path / f"1{SUFFIX}"
    path.write_text(text)
    with pytest.raises(FileError):
        read_entry(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork, so nothing is killed here")
def test_killed_at_any_moment_what_was_written_is_there_and_whole(tmp_path):
    """Two hundred programs edit and save without a pause and are killed in the midst of it."""
    rng = random.Random(0)
    reached = []
    for attempt in range(200):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        pid, told = _editing(folder)
        os.read(told, 1)  # it has begun
        threading.Event().wait(rng.random() * 0.06)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(told, "rb") as pipe:
            counts = [int(line) for line in pipe.read().decode().split("\n")[1:-1]]
        last = counts[-1] if counts else -1
        assert _newest(folder) >= last
        reached.append(last)
    assert max(reached) > 40, "no program came as far as its first save"


def _editing(folder: Path) -> tuple[int, int]:
    """Fork a program that edits as fast as it can; after each write it tells the number of the edit."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        write = journals.write_text

        def telling(path, text):
            write(path, text)
            os.write(writing, f"{_count(from_json(text.partition(chr(10))[2]))}\n".encode())

        journals.write_text = telling
        os.write(writing, b"0\n")
        journal = Journal(folder / "state", period=0.001)
        for count in range(10**9):
            document = named(f"edit {count}")
            if count % 40 == 39:
                save_document(document, folder / "net.netwright")
                journal.clear()
                os.write(writing, f"{count}\n".encode())
            else:
                journal.keep(document)
    finally:
        os._exit(1)


def _count(document: Document) -> int:
    return int(document.name.split()[1])


def _newest(folder: Path) -> int:
    """The number of the newest edit on disk; every file must be whole."""
    path = folder / "net.netwright"
    found = [_count(load_document(path))] if path.exists() else [-1]
    return max(found + [_count(read_entry(each).document) for each in written(folder / "state")])


def test_edits_without_a_pause_are_written_all_the_same(tmp_path, monkeypatch):
    """A newer state does not put the writing off: at most one period passes between two writes."""
    times, write = [], journals.write_text

    def noting(path, text):
        write(path, text)
        times.append(monotonic())

    monkeypatch.setattr(journals, "write_text", noting)
    journal, count = Journal(tmp_path, period=0.001), 0
    while len(times) < 20:
        journal.keep(named(f"edit {count}"))
        count += 1
        assert count < 1_000_000, "the journal waits for a pause"
    journal.close()
    assert count > len(times)
