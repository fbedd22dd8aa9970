"""Full disks, folders that are read-only or gone: what failed is told plainly, and nothing is lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.document_file import load_document, save_document
from engine.storage.journal import Journal
from tests.storage.test_journal import until

CASES = {
    errno.ENOSPC: ("the disk is full", "Free some room"),
    errno.EROFS: ("the disk is read-only", "Save it elsewhere"),
    errno.EACCES: ("you may not write there", "Save it elsewhere"),
    errno.EIO: ("the disk does not answer", "Save it elsewhere"),
    errno.EXDEV: ("could not be written", "Save it elsewhere"),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.netwright"
    save_document(Document(name="before"), path)
    return path


def fail(monkeypatch, function: str, code: int) -> None:
    """Let a function of the system fail, as it does on a disk that is full, locked or gone."""

    def failing(*arguments, **more):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, function, failing)


@pytest.mark.parametrize("function", ["open", "fsync", "replace"])
@pytest.mark.parametrize("code", CASES)
def test_it_is_told_what_failed_and_how_to_mend_it(file, monkeypatch, code, function):
    with monkeypatch.context() as patch:
        fail(patch, function, code)
        with pytest.raises(FileError) as caught:
            save_document(Document(name="after"), file)
    for words in (*CASES[code], os.strerror(code), str(file)):
        assert words in caught.value.message
    assert load_document(file).name == "before"
    assert [each.name for each in file.parent.iterdir()] == ["net.netwright"]


def test_a_full_disk_in_the_middle_leaves_no_half_file(file, monkeypatch):
    def half(self, data):
        with self.open("wb") as target:
            target.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(FileError, match="the disk is full"):
        save_document(Document(name="after"), file)
    assert load_document(file).name == "before"
    assert [each.name for each in file.parent.iterdir()] == ["net.netwright"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from engine.errors import FileError
from engine.storage.document_file import save_document
from presets import preset

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_document(preset("lenet5").document(), Path(sys.argv[1]))
except FileError as error:
    print(error.message)
"""


def test_a_system_that_stops_in_the_middle_of_a_file_leaves_the_old_one(file):
    """The system itself refuses the bytes past the first thousand, as a full disk does."""
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", LIMITED, str(file)]
    done = subprocess.run(arguments, cwd=root, capture_output=True, text=True, timeout=120)
    assert "files may not become that large there" in done.stdout, done.stderr
    assert load_document(file).name == "before"
    assert [each.name for each in file.parent.iterdir()] == ["net.netwright"]


def test_a_drive_that_is_gone(tmp_path):
    with pytest.raises(FileError, match=r"folder is not there any more .*Plug its drive in again"):
        save_document(Document(), tmp_path / "drive" / "net.netwright")


def test_a_file_that_is_marked_read_only_is_not_replaced(file):
    file.chmod(0o444)
    with pytest.raises(FileError, match="you may not write there"):
        save_document(Document(name="after"), file)
    assert load_document(file).name == "before"
    file.chmod(0o644)
    save_document(Document(name="after"), file)
    assert load_document(file).name == "after"


def test_a_journal_that_cannot_be_removed_stops_nothing(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "state", period=0.001)
    journal.keep(Document())
    until(journal.path.exists)
    with monkeypatch.context() as patch:
        fail(patch, "unlink", errno.EROFS)
        journal.clear()
        journal.close()
