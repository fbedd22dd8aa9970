"""Processes of a launch: started beside the run's folder, heard, and ended with all that came of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.distributed.control import NAME
from engine.distributed.launch import GIVEN, LOG, Local, Own, training_command
from engine.errors import TrainingError
from engine.storage.document_file import load_document
from tests.distributed.test_follow import until
from tests.training.documents import spirals

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Own]:
    """A command with a child in a session of its own, as torchrun's workers are."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    launch = Own(tmp_path / "run", f"{sys.executable} {script} {{document}} {{run}}")
    launch.start(spirals())
    until(launch.said)
    yield launch
    launch.kill()


def test_a_launch_is_ended_with_all_that_came_of_it(family: Own) -> None:
    child = psutil.Process(int(family.said()))
    assert child.is_running()
    assert family.code() is None
    family.kill()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert family.code() == -9


def test_children_of_a_killed_parent_are_found(family: Own) -> None:
    child = psutil.Process(int(family.said()))
    for each in psutil.Process().children(recursive=True):
        if "parent.py" in " ".join(each.cmdline()):  # the shell and what it started, as a system kills them
            each.kill()
    until(lambda: family.code() is not None)
    assert child.is_running()
    family.kill()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_document_lies_beside_the_run_and_old_orders_are_gone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / NAME).write_text('{"do":"stop"}\n')
    launch = Own(folder, "cp {document} {run}/copy; exit 3")
    launch.start(spirals(), paused=True)
    until(lambda: launch.code() == 3)
    assert load_document(folder / "copy") == load_document(folder / GIVEN) == spirals()
    assert (folder / NAME).read_text() == '{"do":"pause"}\n'


def test_a_command_that_returns_at_once_says_nothing_about_the_run(tmp_path: Path) -> None:
    launch = Own(tmp_path / "run", "echo queued; true {document} {run}")
    launch.start(spirals())
    until(lambda: launch.said() == "queued")
    assert launch._process.wait(20) == 0
    assert launch.code() is None
    with pytest.raises(TrainingError, match="not begun again"):
        launch.again()


def test_only_the_end_of_a_long_log_is_shown(tmp_path: Path) -> None:
    launch = Own(tmp_path / "run", "true {document} {run}")
    launch.folder.mkdir()
    (launch.folder / LOG).write_bytes(b"x" * 10_000 + "größer \xff".encode("latin-1"))
    assert launch.said().endswith("gr\ufffd\ufffder \ufffd")
    assert len(launch.said()) == 1500


def test_the_command_of_a_run_and_of_one_that_goes_on() -> None:
    assert training_command("/r", "/d", parallel="fsdp", trust=False) == [
        *("train", "/d", "--out", "/r", "--parallel", "fsdp")
    ]
    assert training_command("/r", trust=True) == ["train", "/r", "--resume", "--trust"]


def test_this_very_program_is_started_whatever_lies_in_the_present_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **more: started.append((command, more["env"])))
    Local(tmp_path / "run", 4).start(spirals())
    command, environment = started[0]
    assert command[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert "--nproc-per-node=4" in command
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "main", "--version"], env=environment, capture_output=True, text=True
    )
    assert "the wrong one" not in done.stderr
