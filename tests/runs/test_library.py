"""The library of runs: what is listed, found, said about a run, deleted and brought back."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace

import pytest

from engine.compiler.analysis import in_bytes
from engine.errors import FileError
from engine.runs.filter import filtered
from engine.runs.library import Library, read_entry, runs_folder, size_of
from engine.runs.words import duration_text, metrics_text, when_text
from engine.training.folder import Folder
from main import main
from tests.runs.helpers import aged, made
from tests.training.documents import spirals


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path / "runs"))
    return Library()


def test_the_folder_is_named_by_the_environment_or_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path))
    assert runs_folder() == tmp_path
    monkeypatch.delenv("NETWRIGHT_RUNS")
    assert runs_folder().name == "runs"
    assert runs_folder().is_absolute()


def test_a_run_gets_a_folder_of_its_own(library):
    first, second = library.new("LeNet-5 / größer"), library.new("LeNet-5 / größer")
    assert first != second
    assert first.name.startswith("lenet-5-gr-er-")
    assert library.new("../..").parent == library.folder


def test_what_is_known_of_a_run_before_it_begins_is_kept(library):
    entry = read_entry(made(library.new("a", name="Known", tags=["early"], file="/a.netwright")))
    assert (entry.name, entry.tags, entry.file) == ("Known", ("early",), "/a.netwright")


def test_a_folder_whose_run_never_began_is_swept_away(library):
    empty, begun = library.new("a", name="Never"), made(library.new("b"))
    assert [entry.path for entry in library.entries()] == [begun]
    for path in (empty, begun):
        os.utime(path, (time.time() - 7200,) * 2)
    library.new("c")
    assert not empty.exists()
    assert begun.exists()


def test_runs_are_listed_the_newest_first(library):
    assert library.entries() == []
    old = aged(made(library.new("a"), name="Old"), 60)
    new = made(library.new("b"), name="New", tags=["x"], notes="why", file="/n.netwright")
    (library.folder / "no run").mkdir()
    entries = library.entries()
    assert [entry.path for entry in entries] == [new, old]
    entry = entries[0]
    assert (entry.name, entry.tags, entry.notes, entry.network) == ("New", ("x",), "why", "Spirals")
    assert entry.state == "done"
    assert entry.status.step == 40
    assert entry.best["val_accuracy"] == 0.9
    assert entry.seed == 0
    assert entry.document.exists()


def test_what_changed_is_read_again_and_what_did_not_is_not(library, monkeypatch):
    path = made(library.new("a"))
    library.entries()
    read = []
    monkeypatch.setattr("engine.runs.library.read_entry", lambda path: read.append(path) or read_entry(path))
    library.entries()
    assert read == []
    library.rename(path, "Better")
    assert library.entries()[0].name == "Better"
    assert read == [path]


def test_a_thousand_runs_are_listed_from_two_small_files_each(library, monkeypatch):
    first = made(library.new("a"))
    for name in ("events.jsonl", "environment.json", "system.csv", "metrics.csv", "document.netwright"):
        (first / name).unlink()
    for number in range(999):
        shutil.copytree(first, library.folder / f"copy-{number}")
    assert len(library.entries()) == 1000


def test_people_say_things_about_a_run(library):
    path = made(library.new("a"))
    library.rename(path, " The good one ")
    library.tag(path, ["#best", "paper, best", " "])
    library.note(path, "Two\nlines")
    entry = library.entries()[0]
    assert (entry.name, entry.tags, entry.notes) == ("The good one", ("best", "paper"), "Two\nlines")
    assert entry.network == "Spirals"


def test_a_deleted_run_can_be_brought_back_until_the_bin_is_emptied(library):
    path = made(library.new("a"))
    [lying] = library.delete([path])
    assert library.entries() == []
    assert [entry.path for entry in library.deleted()] == [lying]
    assert library.restore([lying]) == [path]
    assert [entry.path for entry in library.entries()] == [path]
    [lying] = library.delete([path])
    library.empty_bin()
    assert lying.exists()
    os.utime(lying, (time.time() - 31 * 86400,) * 2)
    library.new("b")
    assert not lying.exists()


def test_a_run_that_goes_on_is_not_deleted(library):
    done = made(library.new("a"))
    run = Folder(library.new("b"))
    run.begin(spirals())
    try:
        assert read_entry(run.path).going
        with pytest.raises(FileError, match="stop it"):
            library.delete([done, run.path])
        assert done.exists()
    finally:
        run.close()


def test_a_run_is_found_by_its_names(library):
    old = aged(made(library.new("first"), name="Try"), 60)
    new = made(library.new("second"), name="Try")
    assert library.find(str(old)).path == old
    assert library.find("try").path == new
    assert library.find("first").path == old
    with pytest.raises(FileError, match=r"no run 'third'.*the newest are second"):
        library.find("third")


def test_runs_of_a_document(library, tmp_path):
    one = made(library.new("a"), file=str(tmp_path / "a.netwright"))
    other = made(library.new("b"), replace(spirals(), name="Other"))
    assert [entry.path for entry in library.of_document("Other")] == [other]
    assert [entry.path for entry in library.of_document(file=tmp_path / "x" / ".." / "a.netwright")] == [one]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "good bad ugly"),
        ("GOOD", "good"),
        ("spirals", "good bad ugly"),
        ("#pap", "good ugly"),
        ("-#paper", "bad"),
        ("state:fail", "bad"),
        ("tag:pap notes:member", "ugly"),
        ("val_accuracy>0.5", "good"),
        ("val_accuracy<=0.5 #paper", "ugly"),
        ("steps>=40", "good bad ugly"),
        ("nothing>1", ""),
        ("remember", "ugly"),
        ("a:b", ""),
    ],
)
def test_words_choose_runs(library, text, names):
    made(library.folder / "1", name="good", tags=["paper"], best=0.9)
    made(library.folder / "2", name="bad", state="failed", best=0.1)
    made(library.folder / "3", name="ugly", tags=["paper"], best=0.5, notes="Remember me")
    assert {entry.name for entry in filtered(library.entries(), text)} == set(names.split())


def test_what_people_read():
    assert [duration_text(each) for each in (0.44, 12.2, 200, 7500, 273600)] == [
        "0.4 s",
        "12 s",
        "3 min 20 s",
        "2 h 5 min",
        "3 d 4 h",
    ]
    noon = time.mktime((2026, 3, 3, 12, 0, 0, 0, 0, -1))
    assert when_text(noon, noon + 60) == "12:00"
    assert when_text(noon, noon + 86400) == "yesterday 12:00"
    assert when_text(noon, noon + 10 * 86400) == f"3 {time.strftime('%b', time.localtime(noon))} 12:00"
    assert when_text(noon, noon + 400 * 86400).endswith("2026")


def test_the_command_line(library, capsys):
    path = made(library.new("a"), name="First", best=0.75)
    made(library.new("b"), name="Second", state="failed")

    def told(*arguments: str) -> str:
        assert main(["runs", *arguments]) == 0
        return capsys.readouterr().out

    assert len(told().splitlines()) == 2
    assert "First" in told("val_accuracy<0.8")
    assert "There are no such runs" in told("nothing")
    told("rename", "First", "Best of all")
    told("tag", path.name, "paper", "#old")
    told("tag", path.name, "-old")
    told("note", path.name, "Keep it.")
    [row] = json.loads(told("#paper", "--json"))
    assert (row["name"], row["tags"], row["notes"]) == ("Best of all", ["paper"], "Keep it.")
    assert row["best"]["val_accuracy"] == {"value": 0.75, "step": 40}
    assert "val_accuracy 0.75" in told("show", path.name)
    assert f"On disk    {in_bytes(size_of(path))}" in told("show", path.name)
    assert "restore" in told("delete", path.name)
    assert len(told().splitlines()) == 1
    assert path.name in told("--deleted")
    assert told("restore", path.name).strip() == str(path)
    assert len(told().splitlines()) == 2
    assert main(["runs", "show", "nobody"]) == 2
    assert "There is no run 'nobody'" in capsys.readouterr().err


def test_what_the_terminal_trains_is_among_the_runs(library, capsys, tmp_path, monkeypatch):
    arguments = ["train", "preset:linear_regression", "--epochs", "2", "--json"]
    monkeypatch.setattr("sys.argv", ["/bin/netwright", *arguments])
    assert main([*arguments, "--name", "Line", "--tag", "quick,first"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    [entry] = library.of_document(file="preset:linear_regression")
    assert str(entry.path) == summary["run"]
    assert (entry.name, entry.tags, entry.state) == ("Line", ("quick", "first"), "done")
    assert entry.command == "netwright train preset:linear_regression --epochs 2 --json"
    assert entry.status.step == summary["steps"]
    assert entry.status.metrics == summary["metrics"]
    assert main([*arguments, "--out", str(tmp_path / "elsewhere")]) == 0
    assert len(library.entries()) == 1
    assert read_entry(tmp_path / "elsewhere").state == "done"


def test_the_main_metric_comes_first(library):
    entry = read_entry(made(library.new("a")))
    assert metrics_text(entry.status) == "val_accuracy 0.9  accuracy 0.9"
