"""A folder of blocks: kept, listed, removed; a broken file is told and stops nothing."""

from __future__ import annotations

import pytest

from engine.errors import FileError
from engine.graph.document import Document
from engine.graph.library import block_document
from engine.storage.document_file import load_document, save_document
from engine.storage.library import BLOCK_SUFFIX, keep, list_blocks, load_block, remove, save_block
from tests.graph.test_library import drawn


def test_a_kept_block_is_listed_and_loaded_as_it_was(tmp_path):
    folder = tmp_path / "not yet" / "blocks"
    path = keep(drawn(), "Stage", folder)
    assert path.name == f"Stage{BLOCK_SUFFIX}"
    (entry,) = list_blocks(folder)
    assert (entry.block, entry.problem) == ("Stage", "")
    assert entry.document == block_document(drawn(), "Stage")


def test_a_shared_file_is_an_ordinary_document(tmp_path):
    path = tmp_path / "mine.netwright"
    save_block(drawn(), "Unit", path)
    assert load_document(path).blocks.keys() == {"Unit"}
    assert load_block(path)[1] == "Unit"


def test_keeping_again_replaces_and_removing_forgets(tmp_path):
    keep(drawn(kernel=5), "Unit", tmp_path)
    path = keep(drawn(kernel=3), "Unit", tmp_path)
    (entry,) = list_blocks(tmp_path)
    assert entry.document.blocks["Unit"] == drawn(kernel=3).blocks["Unit"]
    remove(path)
    remove(path)
    assert list_blocks(tmp_path) == []


def test_a_broken_file_is_listed_with_its_problem(tmp_path):
    keep(drawn(), "Unit", tmp_path)
    (tmp_path / f"Broken{BLOCK_SUFFIX}").write_text("{", encoding="utf-8")
    (tmp_path / f"Image{BLOCK_SUFFIX}").write_bytes(b"\x89PNG\xff\xff")
    save_document(Document("Empty"), tmp_path / f"Empty{BLOCK_SUFFIX}")
    entries = {entry.path.stem: entry for entry in list_blocks(tmp_path)}
    assert entries["Unit"].block == "Unit"
    assert "not a Netwright document" in entries["Broken"].problem
    assert "not text" in entries["Image"].problem
    assert "holds no block" in entries["Empty"].problem


def test_no_folder_is_an_empty_library_and_a_file_in_its_place_is_told(tmp_path):
    assert list_blocks(tmp_path / "nowhere") == []
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(FileError, match="could not be made"):
        keep(drawn(), "Unit", tmp_path / "file")
