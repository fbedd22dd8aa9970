"""Earlier versions: every save leaves what was there before; a damaged file has its last good one."""

from __future__ import annotations

import os

import pytest

from engine.graph.document import Document
from engine.storage import earlier
from engine.storage.document_file import load_document, save_document
from engine.storage.earlier import MOST, keep_version, place_of, readable, versions


@pytest.fixture
def file(tmp_path):
    return tmp_path / "net.netwright"


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def saved(file, state, name: str, at: float = 0.0) -> None:
    """Save as the window does: what is there before and after is kept."""
    keep_version(file, state)
    save_document(Document(name=name), file)
    if at:
        os.utime(file, (at, at))
    keep_version(file, state)


def names(file, state) -> list[str]:
    return [load_document(each.path).name for each in versions(file, state)]


def test_each_save_is_kept_newest_first(file, state):
    for count in range(3):
        saved(file, state, f"number {count}", 1_700_000_000 + count)
    assert names(file, state) == ["number 2", "number 1", "number 0"]
    assert [each.at for each in versions(file, state)] == [1_700_000_002, 1_700_000_001, 1_700_000_000]


def test_what_another_program_wrote_is_kept_too(file, state):
    saved(file, state, "mine")
    save_document(Document(name="theirs"), file)
    saved(file, state, "mine again")
    assert names(file, state) == ["mine again", "theirs", "mine"]


def test_the_same_again_is_not_kept_twice(file, state):
    for _ in range(3):
        saved(file, state, "the same")
    assert names(file, state) == ["the same"]


def test_the_newest_ten_stay(file, state):
    for count in range(MOST + 5):
        saved(file, state, f"number {count}")
    assert names(file, state) == [f"number {count}" for count in range(MOST + 4, 4, -1)]


def test_a_clock_that_goes_back_keeps_the_order_of_the_saves(file, state):
    saved(file, state, "first", 1_700_000_500)
    saved(file, state, "second", 1_700_000_100)
    assert names(file, state) == ["second", "first"]


def test_files_of_one_name_are_kept_apart(tmp_path, state):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        saved(tmp_path / folder / "net.netwright", state, folder)
    assert names(tmp_path / "a" / "net.netwright", state) == ["a"]
    link = tmp_path / "link.netwright"
    link.symlink_to(tmp_path / "b" / "net.netwright")
    assert names(link, state) == ["b"]


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 500, b'{"netwright": 1, "nodes": 3}'])
def test_a_damaged_file_has_a_last_good_version(file, state, damage):
    saved(file, state, "good")
    saved(file, state, "better")
    file.write_bytes(damage)
    version, document = next(readable(file, state))
    assert document.name == "better"
    keep_version(file, state)
    assert next(readable(file, state))[1].name == "better"
    assert version.at > 0


def test_what_the_file_holds_is_no_earlier_version(file, state):
    saved(file, state, "before")
    saved(file, state, "now")
    assert [document.name for _, document in readable(file, state)] == ["before"]
    file.unlink()
    assert [document.name for _, document in readable(file, state)] == ["now", "before"]


def test_a_file_that_is_not_there_has_none(file, state):
    keep_version(file, state)
    assert versions(file, state) == []
    assert not state.exists()


def test_names_of_any_kind_have_a_place(tmp_path, state):
    for name in ("ein Netz – ü.netwright", "..netwright", "a" * 200 + ".netwright"):
        place = place_of(tmp_path / name, state)
        assert place.parent == state
        assert len(place.name) < 100


def test_a_state_folder_that_cannot_be_written_says_so(file, state, monkeypatch):
    save_document(Document(name="there"), file)
    monkeypatch.setattr(earlier, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        keep_version(file, state)
