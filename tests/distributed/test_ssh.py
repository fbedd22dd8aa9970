"""A run on another machine: started there, followed live, steered; a lost connection is survived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.distributed.follow import Follower, Patience
from engine.distributed.launch import GIVEN
from engine.distributed.ssh import Machine as There
from engine.distributed.ssh import Ssh
from engine.errors import FileError, TrainingError
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.files import needed_files, with_files
from engine.storage.document_file import load_document
from engine.training.checkpoint import read_weights
from engine.training.events import Failed, Finished, Progress, Snapshot, Started, Watch
from engine.training.status import WEIGHTS
from tests.distributed.stand_ins import Machine
from tests.distributed.test_follow import Heard, until
from tests.training.documents import spirals


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "elsewhere")
    monkeypatch.setenv("PATH", machine.environment_path())
    return machine


@pytest.fixture
def launch(tmp_path: Path, machine: Machine) -> Iterator[Ssh]:
    launch = Ssh(tmp_path / "runs" / "spirals-1", There("me@gpu-box"))
    yield launch
    if launch.there:
        launch.kill()


def table(path: Path) -> Document:
    builder = Builder("Table")
    data = builder.add("CSV", path=str(path), target="label")
    scores = builder.add("Linear", data, out_features=2)
    builder.add("CrossEntropyLoss", scores, data["target"])
    builder.train("Adam", lr=0.01, epochs=1, batch_size=8)
    return builder.document()


def test_a_run_elsewhere_is_followed_live(machine: Machine, launch: Ssh) -> None:
    document = spirals(epochs=100_000)
    follower = Follower(document, launch, Patience(period=0.05))
    heard = Heard(follower)
    follower.start()
    try:
        until(lambda: len(heard.steps()) > 20, 60)
        assert heard.any(Started).steps > 1_000_000
        assert launch.there == str(machine.home / "netwright-runs" / "spirals-1")
        follower.watch = Watch(nodes=frozenset({"scores"}))
        until(lambda: heard.any(Snapshot) is not None, 30)
        picture = heard.any(Snapshot)
        assert picture.step > 0
        assert picture.activations["scores"].shape == (3,)
        machine.unplugged = True
        until(lambda: "Connection refused" in follower.notice)
        before = len(heard.steps())
        machine.unplugged = False
        until(lambda: len(heard.steps()) > before and not follower.notice)
        follower.set("lr", 0.002)
        until(lambda: heard.any(Progress) and heard.events[-1:] and _rate(heard) == 0.002)
        follower.stop()
        assert follower.join(60)
    finally:
        follower.close()
    assert heard.any(Failed) is None
    assert heard.any(Finished).reason == "stopped"
    told = heard.steps()
    assert told == list(range(1, len(told) + 1))  # nothing is lost, nothing comes twice
    learned = read_weights(launch.folder / WEIGHTS)
    assert all(follower.model.state_dict()[name].equal(value) for name, value in learned.items())


def _rate(heard: Heard) -> float:
    return next(event.lr for event in reversed(heard.events) if isinstance(event, Progress))


def test_what_the_document_reads_is_copied_when_asked(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / "some table.csv").write_text("x,label\n1,a\n2,b\n")
    document = table(tmp_path / "some table.csv")
    launch = Ssh(tmp_path / "runs" / "r", There("me@gpu-box", folder="~/my/runs", copy_data=True))
    launch.start(document)
    there = machine.home / "my" / "runs" / "r"
    (needed,) = needed_files(load_document(there / GIVEN))
    assert needed.path == there / "data" / "0" / "some table.csv"
    assert needed.path.read_text() == "x,label\n1,a\n2,b\n"
    assert needed_files(document)[0].path == tmp_path / "some table.csv"
    launch.kill()


def test_what_is_not_there_cannot_be_copied(tmp_path: Path, machine: Machine) -> None:
    launch = Ssh(tmp_path / "runs" / "r", There("me@gpu-box", copy_data=True))
    with pytest.raises(FileError, match=r"lost\.csv is not there"):
        launch.start(table(tmp_path / "lost.csv"))


def test_a_machine_that_is_not_there_says_so_at_once(tmp_path: Path, machine: Machine) -> None:
    follower = Follower(spirals(), Ssh(tmp_path / "r", There("me@nowhere")))
    follower.start()
    assert follower.join(20)
    assert "Could not resolve hostname me@nowhere" in Heard(follower).any(Failed).message


def test_a_program_that_is_not_there_says_so(tmp_path: Path, machine: Machine) -> None:
    (machine.home / "bin" / "netwright").unlink()
    launch = Ssh(tmp_path / "r", There("me@gpu-box", before="PATH=/usr/bin:/bin"))
    follower = Follower(spirals(), launch, Patience(period=0.05))
    follower.start()
    assert follower.join(20)
    failed = Heard(follower).any(Failed)
    assert "exit code 127" in failed.message
    assert "netwright" in failed.message


@pytest.mark.parametrize("host", ["-oProxyCommand=reboot", "", "a b", "host;reboot", "$(reboot)"])
def test_a_host_cannot_be_an_option_or_a_command(host: str) -> None:
    with pytest.raises(TrainingError, match="no machine that ssh could reach"):
        There(host)


def test_folders_that_a_shell_would_misread_are_refused(tmp_path: Path, machine: Machine) -> None:
    launch = Ssh(tmp_path / "r", There("me@gpu-box", folder="my runs; touch harm"))
    with pytest.raises(TrainingError, match="letters, digits"):
        launch.start(spirals())
    assert not (machine.home / "harm").exists()


def test_the_workers_of_several_gpus_are_started_by_torchrun(tmp_path: Path, machine: Machine) -> None:
    torchrun = machine.home / "bin" / "torchrun"
    torchrun.write_text('#!/bin/bash\necho "$@"\n')
    torchrun.chmod(0o755)
    launch = Ssh(tmp_path / "r", There("me@gpu-box", processes=0), parallel="fsdp", trust=True)
    launch.start(spirals())

    def said() -> str:
        launch.refresh()
        return launch.said()

    until(lambda: "--no-python netwright train" in said())
    assert "--standalone --nproc-per-node=gpu --max-restarts=3" in said()
    assert said().endswith(f"{launch.there}/given.netwright --out {launch.there} --parallel fsdp --trust")
    launch.again()
    until(lambda: f"train {launch.there} --resume --parallel fsdp --trust" in said())


def test_what_was_started_there_is_ended_with_its_children(tmp_path: Path, machine: Machine) -> None:
    program = machine.home / "bin" / "netwright"
    program.write_text("#!/bin/sh\nsleep 600 &\necho $!\nwait\n")
    launch = Ssh(tmp_path / "r", There("me@gpu-box"))
    launch.start(spirals())

    def said() -> str:
        launch.refresh()
        return launch.said()

    until(said)
    child = psutil.Process(int(said()))
    launch.kill()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_paths_of_a_document_are_named_anew(tmp_path: Path) -> None:
    document = table(tmp_path / "t.csv")
    document = document.with_(training=replace(document.training, weights="/w.safetensors"))
    needed = needed_files(document)
    moved = with_files(document, {each: f"/there/{each.path.name}" for each in needed})
    assert [str(each.path) for each in needed_files(moved)] == ["/there/t.csv", "/there/w.safetensors"]
    assert with_files(
        moved, dict(zip(needed_files(moved), map(str, (e.path for e in needed)), strict=True))
    ) == (document)
