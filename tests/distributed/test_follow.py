"""Following a run elsewhere: nothing is lost either way, and one that hangs begins again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.distributed.control import NAME
from engine.distributed.follow import Follower, Patience
from engine.distributed.launch import LOG, Launch
from engine.errors import FileError, TrainingError
from engine.graph.document import Document
from engine.training.events import Event, Failed, Finished, Progress, Resumed, Started, State
from engine.training.lines import line_of
from engine.training.status import STATUS, Status
from tests.training.documents import spirals

QUICK = Patience(period=0.01, late=30, lost=60, stuck=60, start=60)


class Elsewhere(Launch):
    """A run that does what a test says."""

    title = "elsewhere"
    restarts = 2

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.folder.mkdir(exist_ok=True)
        self.exit: int | None = None
        self.broken = ""
        self.calls: list[str] = []
        self.on_again: Callable[[], None] = lambda: None

    def start(self, document: Document, paused: bool = False) -> None:
        self.calls.append("start paused" if paused else "start")

    def again(self) -> None:
        self.calls.append("again")
        self.exit = None
        self.on_again()

    def code(self) -> int | None:
        return self.exit

    def kill(self) -> None:
        self.calls.append("kill")

    def refresh(self) -> None:
        if self.broken:
            raise FileError(self.broken)

    def order(self, line: bytes) -> None:
        if self.broken:
            raise FileError(self.broken)
        super().order(line)

    def tell(self, *events: Event) -> None:
        with (self.folder / "events.jsonl").open("ab") as file:
            for event in events:
                file.write(line_of(event, time.time()))

    def status(self, **values: object) -> None:
        (self.folder / STATUS).write_text(
            Status(**{"state": "running", "time": time.time(), **values}).text()
        )

    @property
    def asked(self) -> list[str]:
        try:
            lines = (self.folder / NAME).read_text().splitlines()
        except OSError:
            return []
        return [do for line in lines if (do := json.loads(line)["do"]) != "show"]  # for pictures


def started() -> Started:
    return Started(2, 100, 50, "cpu", 1, 603)


def steps(first: int, count: int) -> Progress:
    step = np.arange(first, first + count)
    return Progress(step, 1 / step, 1, 0.01, 100.0, 1.0)


@pytest.fixture
def run(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path / "run")


@pytest.fixture
def follow(run: Elsewhere) -> Iterator[Callable[..., Follower]]:
    made: list[Follower] = []

    def make(**patience: float) -> Follower:
        follower = Follower(spirals(), run, Patience(**{**vars(QUICK), **patience}))
        made.append(follower)
        follower.start()
        return follower

    yield make
    for follower in made:
        run.tell(Finished("stopped", 0, 0.0, {}))
        run.broken = ""
        follower.close()


def until(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


class Heard:
    """What a follower has told, as far as it was looked for."""

    def __init__(self, follower: Follower):
        self._follower = follower
        self.events: list[Event] = []

    def any(self, kind: type) -> Event | None:
        self.events += self._follower.events.drain()
        return next((event for event in self.events if isinstance(event, kind)), None)

    def steps(self) -> list[int]:
        self.any(Progress)
        return [int(step) for event in self.events if isinstance(event, Progress) for step in event.step]


def test_what_a_run_tells_arrives_while_it_goes_on(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow()
    heard = Heard(follower)
    until(lambda: "start" in run.calls)
    assert "Starting on elsewhere" in follower.notice
    run.tell(started(), State("running"), steps(1, 3))
    until(lambda: heard.steps() == [1, 2, 3])
    assert follower.alive
    assert follower.notice == ""
    assert heard.any(Started).run == str(run.folder)
    run.tell(steps(4, 2), Finished("done", 5, 1.0, {"loss": 0.2}, "/elsewhere"))
    assert follower.join(20)
    assert heard.steps() == [1, 2, 3, 4, 5]
    assert heard.any(Finished).run == str(run.folder)
    assert run.calls == ["start"]


def test_what_is_asked_arrives_there(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow()
    run.tell(started(), State("running"))
    follower.pause()
    follower.step()
    follower.set("lr", 0.5)
    follower.resume()
    follower.pace = 10
    follower.stop()
    until(lambda: len(run.asked) == 6)
    assert run.asked == ["pause", "step", "set", "resume", "pace", "stop"]


def test_a_lost_connection_costs_nothing_but_time(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow()
    heard = Heard(follower)
    run.tell(started(), steps(1, 3))
    until(lambda: heard.steps() == [1, 2, 3])
    run.broken = "gpu-box: Connection timed out"
    until(lambda: "Connection timed out" in follower.notice)
    follower.pause()
    run.tell(steps(4, 3))
    time.sleep(0.1)
    assert heard.steps() == [1, 2, 3]
    assert run.asked == []
    run.broken = ""
    until(lambda: heard.steps() == [1, 2, 3, 4, 5, 6])
    until(lambda: run.asked == ["pause"])
    until(lambda: follower.notice == "")
    assert run.calls == ["start"]


def test_a_late_heartbeat_is_told_and_forgiven(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow(late=0.05)
    run.tell(started())
    run.status()
    until(lambda: "No sign of life" in follower.notice)
    follower._patience = QUICK  # or the next look may find it late again
    run.status(step=1)
    until(lambda: follower.notice == "")


def test_a_run_without_a_heartbeat_begins_again(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    run.on_again = lambda: run.tell(Resumed(2), steps(3, 98), Finished("done", 100, 1.0, {}))
    follower = follow(lost=0.3)
    run.tell(started(), steps(1, 4))
    assert follower.join(20)
    assert run.calls == ["start", "kill", "again"]
    heard = Heard(follower)
    assert heard.steps()[-1] == 100
    assert heard.any(Resumed).step == 2
    assert heard.any(Failed) is None


def test_a_run_that_lives_and_takes_no_step_begins_again(
    run: Elsewhere, follow: Callable[..., Follower]
) -> None:
    run.on_again = lambda: run.tell(Resumed(2), Finished("done", 100, 1.0, {}))
    follower = follow(stuck=0.3)
    run.tell(started(), steps(1, 4))
    number = 0
    while follower.alive:  # its heart beats all the while
        number += 1
        run.status(step=4, seconds=float(number))
        time.sleep(0.01)
    assert run.calls == ["start", "kill", "again"]


def test_a_run_that_is_held_is_not_stuck(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow(stuck=0.1)
    run.tell(started(), State("paused"))
    for number in range(40):
        run.status(state="paused", step=4, seconds=float(number))
        time.sleep(0.01)
    assert run.calls == ["start"]
    assert follower.alive


def test_it_does_not_begin_again_for_ever(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    run.tell(started(), steps(1, 4))
    follower = follow(lost=0.1, start=0.5)
    assert follower.join(20)
    assert run.calls == ["start", "kill", "again", "kill", "again", "kill"]
    assert "gave no sign of life" in Heard(follower).any(Failed).message


def test_processes_that_never_began_say_why(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    (run.folder / LOG).write_text("Traceback\nModuleNotFoundError: No module named 'engine'\n")
    run.exit = 1
    follower = follow()
    assert follower.join(20)
    failed = Heard(follower).any(Failed)
    assert "exit code 1" in failed.message
    assert "No module named 'engine'" in failed.message
    assert run.calls == ["start"]


def test_processes_that_got_somewhere_begin_again(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    run.on_again = lambda: run.tell(Resumed(10), Finished("done", 100, 1.0, {}))
    follower = follow()
    run.tell(started(), steps(1, 20))
    run.status(step=20)
    until(lambda: Heard(follower).steps())
    time.sleep(0.05)
    run.exit = -9
    assert follower.join(20)
    assert run.calls == ["start", "kill", "again"]


def test_a_run_that_failed_is_over_and_says_why(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow()
    run.tell(started(), Failed("The loss became NaN.", "fc1"))
    run.exit = 1
    assert follower.join(20)
    failed = Heard(follower).any(Failed)
    assert (failed.message, failed.node) == ("The loss became NaN.", "fc1")
    assert run.calls == ["start"]


def test_a_run_that_has_not_begun_is_stopped_at_once(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    follower = follow()
    until(lambda: run.calls)
    follower.stop()
    assert follower.join(20)
    assert run.calls == ["start", "kill"]
    assert Heard(follower).any(Finished).reason == "stopped"


def test_what_cannot_be_started_is_told(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    def refuse(document: Document, paused: bool = False) -> None:
        raise TrainingError("gpu-box: Permission denied (publickey).")

    run.start = refuse
    follower = follow()
    assert follower.join(20)
    assert "Permission denied" in Heard(follower).any(Failed).message


def test_a_run_elsewhere_goes_on_when_nobody_follows(run: Elsewhere, follow: Callable[..., Follower]) -> None:
    run.outlives = True
    follower = follow()
    run.tell(started(), steps(1, 4))
    until(lambda: Heard(follower).steps())
    follower.close()
    assert not follower.alive
    assert run.asked == []
    assert "kill" not in run.calls
