"""The folder of a run: what is told is there at once, exactly, and survives a full disk and a kill."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import FileError
from engine.runs.log import Tail, losses, read_events
from engine.storage.document_file import load_document
from engine.training import appended, folder
from engine.training.events import (
    Changed,
    Evaluated,
    Failed,
    Finished,
    Progress,
    Resumed,
    Snapshot,
    Started,
    State,
    Timed,
)
from engine.training.folder import Folder
from engine.training.lines import KINDS, event_of, line_of
from engine.training.status import lower_is_better, read_status
from tests.training.documents import spirals


@pytest.fixture
def run(tmp_path):
    """Return a folder that has begun; it is closed at the end."""
    made = Folder(tmp_path / "run")
    made.begin(spirals(), name="First try", tags=["small"])
    yield made
    made.close()


def progress(first: int, values, epoch: int = 1) -> Progress:
    values = np.asarray(values, np.float64)
    return Progress(np.arange(first, first + len(values)), values, epoch, 0.01, 812.5, float("inf"))


def test_a_folder_says_what_is_trained_how_and_on_what(run):
    assert load_document(run.path / "document.netwright") == spirals()
    about = json.loads((run.path / "run.json").read_text())
    assert about["name"] == "First try"
    assert about["tags"] == ["small"]
    assert about["seed"] == 0
    assert about["network"] == "Spirals"
    on = json.loads((run.path / "environment.json").read_text())
    assert on["torch"] == torch.__version__
    assert on["python"] == platform.python_version()
    assert on["packages"]["numpy"] == np.__version__
    assert on["cpu"]


@pytest.mark.parametrize(
    "event",
    [
        Started(3, 60, 20, "cpu", 1, 903, run="here", loaded="2 of 2 loaded."),
        Evaluated(20, 1, {"loss": 0.25, "val_loss": float("nan"), "accuracy": float("inf")}),
        Timed(32, {"linear": 0.5}, (("block", 0), ("inner", 2))),
        State("paused"),
        Resumed(20),
        Changed(30, "lr", 0.01, 0.1 + 0.2),
        Changed(31, "conv1.frozen", False, True),
        Failed("It broke: “so”.\nTwice.", "linear", "x"),
        Finished("done", 60, 1.5, {"loss": 0.125}),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_is_a_line_and_comes_back_the_same(event):
    line = line_of(event, 12.5)
    assert line.count(b"\n") == 1
    json.loads(line, parse_constant=pytest.fail)
    back, time = event_of(line)
    assert time == 12.5
    assert repr(back) == repr(type(event)(**{**vars(event), **_frozen(event)}))


def _frozen(event):
    from engine.graph.document import frozen

    return {name: frozen(value) for name, value in vars(event).items() if isinstance(value, dict)}


def test_every_event_but_a_snapshot_is_written():
    assert Snapshot not in KINDS.values()
    assert {Started, Progress, Resumed, Finished} <= set(KINDS.values())


def test_losses_come_back_bit_for_bit(run):
    random = np.random.default_rng(0)
    singles = random.normal(size=500).astype(np.float32) * np.float32(1e-20)
    doubles = random.normal(size=500)
    odd = np.array([np.nan, np.inf, -np.inf, 1e-45, 3.4e38])
    run.tell(progress(1, singles))
    run.tell(progress(501, doubles))
    run.tell(progress(1001, odd))
    steps, values = losses(read_events(run.path))
    assert (steps == np.arange(1, 1006)).all()
    np.testing.assert_array_equal(values, np.concatenate([singles.astype(np.float64), doubles, odd]))


def test_steps_that_do_not_follow_each_other_come_back(run):
    run.tell(Progress(np.array([3, 5, 9]), np.array([1.0, 2.0, 3.0]), 1, 0.01, 1.0, 1.0))
    assert losses(read_events(run.path))[0].tolist() == [3, 5, 9]


def test_a_line_is_there_as_soon_as_it_is_told(run):
    tail = Tail(run.path)
    assert tail.read() == []
    run.tell(State("running"))
    assert tail.read() == [State("running")]
    assert tail.read() == []
    run.tell(State("paused"))
    again = Tail(run.path, tail.offset)
    assert again.read() == tail.read() == [State("paused")]
    assert abs(tail.time - read_status(run.path).told) < 0.01


def test_half_of_a_line_is_left_for_later(tmp_path):
    path = tmp_path / "events.jsonl"
    whole = line_of(State("running"), 1.0) + line_of(Changed(7, "lr", 1.0, 2.0), 2.0)
    tail = Tail(tmp_path)
    assert tail.read() == []
    path.write_bytes(whole[:-9])
    assert tail.read() == [State("running")]
    assert tail.read() == []
    path.write_bytes(whole)
    assert tail.read() == [Changed(7, "lr", 1.0, 2.0)]


def test_long_logs_come_in_pieces_and_what_is_damaged_or_unknown_is_passed_over(tmp_path):
    lines = [line_of(Changed(step, "lr", 1.0, 2.0), 1.0) for step in range(100)]
    lines[3] = b'{"event": "changed", "st\n'
    lines[4] = b'{"event": "of next year", "step": 4}\n'
    lines[5] = b'{"event": "changed", "time": 1.0}\n'
    (tmp_path / "events.jsonl").write_bytes(b"".join(lines))
    tail, found = Tail(tmp_path), []
    while new := tail.read(most=50):
        assert len(new) < 5
        found += new
    assert [event.step for event in found] == [0, 1, 2, *range(6, 100)]


def test_metrics_are_a_table_and_new_ones_get_a_column(run):
    run.tell(Evaluated(10, 1, {"accuracy": 0.5, "val_loss": 2.0, "loss": 1.0}))
    run.tell(Evaluated(20, 2, {"loss": 0.5, "val_loss": 3.0, "top5": 0.9}))
    assert (run.path / "metrics.csv").read_text().splitlines() == [
        "step,epoch,loss,val_loss,accuracy,top5",
        "10,1,1.0,2.0,0.5,",
        "20,2,0.5,3.0,,0.9",
    ]
    assert run.status.best == {
        "loss": (0.5, 20),
        "val_loss": (2.0, 10),
        "accuracy": (0.5, 10),
        "top5": (0.9, 20),
    }
    assert lower_is_better("val_loss")
    assert not lower_is_better("val_accuracy")


def test_the_status_follows_the_run(run):
    assert read_status(run.path).now == "starting"
    run.tell(Started(3, 60, 20, "cpu", 1, 903))
    run.tell(State("running"))
    run.tell(progress(1, [3.0, 2.0]))
    run.tell(Evaluated(20, 1, {"loss": 0.5}))
    run.finish("stopped", model=torch.nn.Linear(2, 1))
    status = read_status(run.path)
    assert (status.now, status.step, status.steps, status.parameters) == ("stopped", 20, 60, 903)
    assert status.metrics == {"loss": 0.5}
    assert status.loss == 2.0
    assert status.share == pytest.approx(1 / 3)
    assert status.begun <= status.told <= status.time
    assert (run.path / "weights.safetensors").exists()


def test_the_heart_beats_while_nothing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "BEAT", 0.01)
    run = Folder(tmp_path / "run")
    run.begin(spirals())
    before = read_status(run.path).time
    try:
        while (
            len((run.path / "system.csv").read_text().splitlines()) < 3
            or read_status(run.path).time <= before
        ):
            pass
    finally:
        run.close()
    rows = (run.path / "system.csv").read_text().splitlines()
    assert rows[0] == "time,cpu,process,memory,free,gpu,gpu_memory,gpu_reserved"
    assert float(rows[1].split(",")[3]) > 1e6


def test_a_killed_run_is_interrupted_and_can_be_resumed(tmp_path):
    code = f"""
import os, signal, numpy as np
from engine.training.events import *
from engine.training.folder import Folder
from tests.training.documents import spirals
run = Folder({str(tmp_path / "run")!r})
run.begin(spirals())
run.tell(State("running"))
for step in (10, 20, 30):
    run.tell(Progress(np.arange(step - 9, step + 1), np.full(10, float(step)), 1, 0.01, 1.0, 1.0))
    run.tell(Evaluated(step, step // 10, {{"loss": 100.0 - step}}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    path = tmp_path / "run"
    assert read_status(path).now == "interrupted"
    with (path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "progr')
    run, tail = Folder(path), Tail(path)
    tail.read()
    run.resume()
    try:
        assert read_status(path).now == "starting"
        assert run.status.best == {"loss": (70.0, 30)}
        run.tell(Resumed(15))
        assert run.status.best == {"loss": (90.0, 10)}
        assert run.status.step == 15
        run.tell(State("running"))
        run.tell(progress(16, np.full(5, -1.0)))
        run.tell(Evaluated(20, 2, {"loss": 50.0}))
        assert [type(event) for event in tail.read()] == [Resumed, State, Progress, Evaluated]
        run.finish("done")
    finally:
        run.close()
    steps, values = losses(read_events(path))
    assert steps.tolist() == list(range(1, 21))
    assert values.tolist() == [10.0] * 10 + [20.0] * 5 + [-1.0] * 5
    assert [e.step for e in read_events(path) if isinstance(e, Evaluated)] == [10, 20]
    assert (path / "metrics.csv").read_text().splitlines()[1:] == ["10,1,90.0", "20,2,50.0"]
    assert read_status(path).best == {"loss": (50.0, 20)}


def test_who_lives_is_told_by_its_process_here_and_by_its_heartbeat_elsewhere(run):
    here, now = read_status(run.path), time.time()
    assert here.now == "starting"
    assert replace(here, born=here.born + 3600).now == "starting"  # somebody has set the clock
    assert replace(here, born=here.born - 3600, time=now - 3600).now == "interrupted"  # its number was reused
    assert replace(here, pid=2**22 + 1).now == "interrupted"
    away = replace(here, host="elsewhere", pid=1)
    assert away.now == "starting"
    assert replace(away, time=now - 3600).now == "interrupted"
    assert replace(away, time=now - 3600, state="done").now == "done"


def test_a_folder_is_written_by_one_run_at_a_time(run):
    with pytest.raises(FileError, match="going on"):
        Folder(run.path).begin(spirals())
    with pytest.raises(FileError, match="going on"):
        Folder(run.path).resume()
    run.finish("done")
    other = Folder(run.path)
    other.resume()
    other.close()


def test_a_new_run_in_the_folder_of_an_old_one_leaves_nothing_of_it(run):
    run.tell(progress(1, [1.0] * 50))
    run.tell(Evaluated(1, 1, {"loss": 1.0}))
    run.moments.mkdir()
    tail = Tail(run.path)
    assert len(tail.read()) == 2
    run.finish("done")
    again = Folder(run.path)
    again.begin(spirals())
    again.tell(State("running"))
    again.close()
    assert tail.read() == [State("running")]
    assert not again.moments.exists()
    assert (run.path / "metrics.csv").read_text() == ""


def test_what_a_full_disk_refuses_is_written_when_there_is_room(run, monkeypatch):
    run.tell(State("running"))
    real, room = os.write, [30]

    def write(handle: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part, room[0] = bytes(data[: room[0]]), max(0, room[0] - len(data))
        return real(handle, part)

    monkeypatch.setattr(appended.os, "write", write)
    for event in (progress(1, [1.0, 2.0]), Evaluated(2, 1, {"loss": 1.5})):
        with pytest.raises(FileError, match=r"the disk is full.*Free some room"):
            run.tell(event)
        room[0] = 20
    assert read_events(run.path) == [State("running")]
    monkeypatch.setattr(appended.os, "write", real)
    run.tell(State("paused"))
    assert [type(event) for event in read_events(run.path)] == [State, Progress, Evaluated, State]
    assert (run.path / "metrics.csv").read_text() == "step,epoch,loss\n2,1,1.5\n"


def test_a_million_losses_are_small(run):
    random = np.random.default_rng(0)
    for first in range(1, 100_001, 300):
        run.tell(progress(first, random.random(300).astype(np.float32)))
        run.tell(Evaluated(first, 1, {"loss": 0.123456789, "val_loss": 0.123456789, "accuracy": 0.5}))
    size = sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())
    assert 10 * size < 40e6
