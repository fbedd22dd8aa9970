"""Where a run can be: what has to be said about each place, and what speaks against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.distributed.launch import Local, Own, check_template, filled
from engine.distributed.places import PLACES, warning
from engine.distributed.ssh import Ssh
from engine.errors import TrainingError


def test_every_place_says_what_it_needs() -> None:
    for place in PLACES.values():
        assert place.doc.endswith(".")
        assert place.words(place.values({}))
        for param in place.params:
            assert param.doc, param.name
            assert param.check(param.default) == param.default


def test_a_form_that_is_filled_in_makes_a_launch(tmp_path: Path) -> None:
    local = PLACES["local"]
    launch = local.make(tmp_path / "run", local.values({"processes": 4}), False)
    assert isinstance(launch, Local)
    assert (launch.processes, launch.folder, launch.outlives) == (4, tmp_path / "run", False)
    ssh = PLACES["ssh"]
    assert "me@gpu-box" in ssh.problem(ssh.values({}))
    values = ssh.values({"host": "me@gpu-box", "processes": 0, "copy_data": True, "before": " . env "})
    assert ssh.problem(values) == ""
    assert ssh.words(values) == "gpu-box"
    launch = ssh.make(tmp_path / "run", values, False)
    assert isinstance(launch, Ssh)
    assert (launch.machine.processes, launch.machine.copy_data, launch.machine.before) == (0, True, ". env")
    own = PLACES["own"]
    assert own.problem(own.values({})) == ""
    assert isinstance(own.make(tmp_path / "run", own.values({}), False), Own)


def test_what_was_remembered_wrongly_is_forgotten() -> None:
    values = PLACES["local"].values({"processes": -3, "parallel": "magic", "unknown": 1})
    assert values == {"processes": 2, "parallel": "ddp"}


@pytest.mark.parametrize(
    ("key", "given", "macs", "rows", "words"),
    [
        ("local", {"processes": 2}, 600 * 64, 64, "so small that several processes are slower"),
        ("local", {"processes": 2}, 10**10, 64, ""),
        ("local", {"processes": 1}, 600, 64, ""),
        ("local", {"processes": 8}, 10**10, 4, "A batch has 4 rows"),
        ("ssh", {"host": "me@gpu-box", "processes": 0}, 600, 64, ""),
        ("ssh", {"host": "me@gpu-box", "processes": 4}, 600, 64, "so small"),
        ("own", {}, 600, 64, ""),
    ],
)
def test_what_speaks_against_a_place(key: str, given: dict, macs: int, rows: int, words: str) -> None:
    place = PLACES[key]
    said = warning(place, place.values(given), macs, rows)
    assert words in said
    assert bool(said) == bool(words)


def test_a_command_has_to_say_what_and_where() -> None:
    with pytest.raises(TrainingError, match=r"does not say \{run\}"):
        check_template("sbatch {document}")
    with pytest.raises(TrainingError, match=r"\{document\} and \{run\}"):
        Own(Path("run"), "sbatch")
    assert PLACES["own"].problem({"command": "sbatch"})


def test_paths_in_a_command_are_words_of_their_own() -> None:
    command = filled("train {document} --out {run}", Path("/a b/$x.netwright"), Path("/r/{document}"))
    assert command == "train '/a b/$x.netwright' --out '/r/{document}'"
