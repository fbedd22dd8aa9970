"""Following a run in other processes, or on another machine, as if it were a thread of this one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from torch import nn

from engine.compiler.module import Built
from engine.distributed.control import order_line
from engine.distributed.launch import Launch, Spawned
from engine.distributed.looking import Looker, looker_or_none
from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.layers.params import Param
from engine.runs.log import Tail
from engine.training.events import Event, Failed, Finished, Progress, Started, State, Watch
from engine.training.mailbox import Mailbox
from engine.training.status import LIVE, WEIGHTS, Status, read_status
from engine.training.steering import named, steerable


@dataclass(frozen=True)
class Patience:
    """Seconds: between two looks into the folder; without a heartbeat before that is told; without one before
    the processes are ended and begin again from the last moment; without a step before the same happens."""

    period: float = 0.1
    late: float = 15.0
    lost: float = 60.0
    stuck: float = 600.0
    start: float = 300.0
    """In which a run has to begin."""


ENDED = ("done", "stopped", "failed")
"""States of a run that will not go on by itself."""

LOOK = 1.0
"""Seconds between two pictures at least."""

LAST_WORDS = 10.0
"""Seconds in which processes end by themselves after the run has told its end."""


class Follower:
    """A run elsewhere, with the methods of a Runner.

    It starts the ``launch``, reads what the run tells into its folder and puts it into ``events``; what is
    asked of it becomes orders. A connection that is lost is tried again until it is there. A run whose
    heartbeat ends, or that takes no step any more, is ended and begins again from its last moment, a few
    times. ``notice`` says in a sentence what is not as it should be, and is empty else.
    """

    def __init__(self, document: Document, launch: Launch, patience: Patience | None = None):
        self.document = document
        self.launch = launch
        self.events = Mailbox()
        self.notice = ""
        self._watch = Watch()
        self._patience = patience or Patience()
        self._pace = 0.0
        self._tail = Tail(launch.folder)
        self._thread: threading.Thread | None = None
        self._wake = threading.Condition()
        self._closed = self._over = self._begun = self._stopping = False
        self._orders: list[bytes] = []
        self._looker: Looker | None = None
        self._cannot_look = False
        self._glance: threading.Thread | None = None
        # What the watch over the run knows; touched by the thread alone.
        self._heard = self._stepped = 0.0
        self._beat: tuple[float, int] = (0.0, 0)
        self._step = self._begun_at = -1
        self._restarts = 0
        self._coming = True
        self._seen = Watch()
        self._look_due = 0.0

    @property
    def folder(self) -> Path:
        """Where the run's folder lies here."""
        return self.launch.folder

    @property
    def built(self) -> Built | None:
        """The compiled document, once it was looked at or is over."""
        return self._looker.built if self._looker else None

    @property
    def model(self) -> nn.Module | None:
        """The model with the weights that were brought last."""
        return self._looker.model if self._looker else None

    @property
    def watch(self) -> Watch:
        """What pictures show; the run leaves its weights for them every now and then."""
        return self._watch

    @watch.setter
    def watch(self, watch: Watch) -> None:
        with self._wake:
            if watch == self._watch:
                return
            self._watch = watch
            if (
                self._over
                and self._looker
                and not self._closed
                and not (self._glance and self._glance.is_alive())
            ):
                self._glance = threading.Thread(target=self._picture, name="netwright look")
                self._glance.start()

    @property
    def alive(self) -> bool:
        """Whether it follows."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def pace(self) -> float:
        """Steps a second at most; 0 is as fast as it goes."""
        return self._pace

    @pace.setter
    def pace(self, pace: float) -> None:
        if pace != self._pace:
            self._pace = pace
            self._ask("pace", value=pace)

    def start(self, paused: bool = False) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._work, args=(paused,), name="netwright follower")
        self._thread.start()

    def pause(self) -> None:
        """Wait after the present step."""
        self._ask("pause")

    def resume(self) -> None:
        """Go on after a pause."""
        self._ask("resume")

    def step(self) -> None:
        """Take one step, then pause."""
        self._ask("step")

    def stop(self) -> None:
        """End after the present step; a run that has not begun yet is ended at once."""
        with self._wake:
            self._stopping = True
        self._ask("stop")

    def set(self, name: str, value: Any) -> None:
        """Change a number from the next step on. Raises ParameterError for what the run does not take."""
        known = steerable(self.document)
        name = named(name, known)
        if name in known:  # of dropouts inside of blocks the run alone knows
            value = known[name].check(value)
        self._ask("set", name=name, value=value)

    def steerable(self) -> Mapping[str, Param]:
        """Return what can be changed while it runs, by name; nothing before it has begun."""
        return steerable(self.document) if self._begun and not self._over else {}

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the run is over; return whether it is."""
        for thread in (self._thread, self._glance):
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout)
        return not self.alive

    def close(self) -> None:
        """Follow no more. A run of this machine is stopped; one elsewhere goes on."""
        if not self.launch.outlives and self.alive:
            self.stop()
            self.join(self._patience.lost)
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self.join()

    def _ask(self, do: str, **more: Any) -> None:
        with self._wake:
            self._orders.append(order_line(do, **more))
            self._wake.notify_all()

    # What follows runs in the follower's own thread.

    def _work(self, paused: bool) -> None:
        try:
            self.notice = f"Starting on {self.launch.title}"
            self.launch.start(self.document, paused)
            self._begin_to_wait()
            while not self._over and not self._closed:
                self._look()
                with self._wake:
                    if not self._orders and not self._closed and not self._over:
                        self._wake.wait(self._patience.period)
        except EngineError as error:
            self._put(Failed(error.message, error.node or "", error.port or ""))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self.notice = ""
        if isinstance(self.launch, Spawned) and not self.launch.outlives:
            self.launch.end(LAST_WORDS if self._over else 0.0)
        close: Callable[[], None] = getattr(self.launch, "close", lambda: None)
        close()

    def _look(self) -> None:
        """Hand over what is asked, bring what is new, and see whether the run is well."""
        code = self.launch.code()
        try:
            self._hand_over()
            self.launch.refresh()
            while events := self._tail.read():
                for event in events:
                    self._put(event)
        except FileError as error:
            self.notice = f"No connection: {error.message}"
            with self._wake:  # as often as a machine that is not there wants to be asked
                if not self._closed:
                    self._wake.wait(min(5.0, 20 * self._patience.period))
            self._heard = self._stepped = monotonic()  # its silence says nothing about the run
            return
        if not self._over:
            self._take_status(read_status(self.folder), code)
        if self._begun and not self._over:
            self._peek()

    def _hand_over(self) -> None:
        with self._wake:
            orders = list(self._orders)
        if orders:
            self.launch.order(b"".join(orders))
            with self._wake:
                del self._orders[: len(orders)]
        if self._stopping and not self._begun:
            self.launch.kill()
            self._put(Finished("stopped", 0, 0.0, {}, str(self.folder)))

    def _take_status(self, status: Status | None, code: int | None) -> None:
        now = monotonic()
        if status is not None:
            beat = (status.time, self._tail.offset)
            if beat != self._beat:
                self._beat, self._heard = beat, now
                self._coming = False
            if status.step != self._step or status.state != "running":
                self._step, self._stepped = status.step, now
            if status.state in ENDED and (self._begun or code is not None):
                # Its last word did not come into the log: the disk was full, say.
                self._end_by(status)
                return
        if code is not None:
            self._processes_gone(code)
        elif now - self._heard > (self._patience.start if self._coming else self._patience.lost):
            self._begin_again(f"gave no sign of life for {now - self._heard:.0f} seconds")
        elif not self._coming and now - self._stepped > self._patience.stuck:
            self._begin_again(f"took no step for {now - self._stepped:.0f} seconds")
        elif self._coming:
            return  # it says that it starts, or starts again
        elif now - self._heard > self._patience.late:
            self.notice = f"No sign of life for {now - self._heard:.0f} seconds"
        elif self._begun:
            self.notice = ""

    def _end_by(self, status: Status) -> None:
        if status.state == "failed":
            self._put(Failed(status.message, status.node))
        else:
            self._put(Finished(status.state, status.step, status.seconds, status.metrics, str(self.folder)))

    def _processes_gone(self, code: int) -> None:
        """They ended without a last word: once more from the last moment, if they got anywhere."""
        if code == 0 and not self._begun:
            self._put(Failed(f"It ended without having trained. It said: {self.launch.said()}"))
        elif self._begun and self._step > self._begun_at:
            self._begin_again(f"ended with exit code {code}")
        else:
            said = self.launch.said()
            self._put(Failed(f"It ended with exit code {code}.{f' It said: {said}' if said else ''}"))

    def _begin_again(self, why: str) -> None:
        if self._restarts >= self.launch.restarts:
            if self.launch.restarts:
                self.launch.kill()
            # Somebody else's command: nothing here may end it, and it may come back.
            if self.launch.restarts or not self.launch.outlives:
                self._put(Failed(f"The run {why}; it has begun again {self._restarts} times already."))
            else:
                self.notice = f"The run {why}"
            return
        self._restarts += 1
        self.notice = f"The run {why}; it begins again from its last moment"
        self.launch.kill()
        if self._begun:
            self.launch.again()
        else:
            self.launch.start(self.document)
        self._begin_to_wait()

    def _begin_to_wait(self) -> None:
        self._heard = self._stepped = monotonic()
        self._begun_at, self._coming = self._step, True

    def _put(self, event: Event) -> None:
        self._coming, self._heard = False, monotonic()
        if isinstance(event, Started | Finished):
            event = replace(event, run=str(self.folder))
        if isinstance(event, Started):
            self._begun = True
            self.notice = ""
        elif isinstance(event, Progress | State):
            self._stepped = monotonic()
        elif isinstance(event, Finished | Failed):
            self._over = True
            if isinstance(event, Finished):
                self._learn(event)
        self.events.put(event)

    # -- pictures ----------------------------------------------------------------------------------------

    def _peek(self) -> None:
        """Make a picture of the weights that the run has left, and ask it to leave newer ones."""
        watch = self._watch
        if monotonic() < self._look_due or not (
            watch.nodes or watch.selected or watch.regions or watch.samples
        ):
            return
        if (looker := self._looker_here()) is None:
            return
        began = monotonic()
        with suppress(FileError):
            self.launch.fetch(LIVE)
        if looker.read(self.folder / LIVE) or (watch != self._seen and looker.step > 0):
            self._picture()
        if self._step != looker.step:
            self._ask("show")
        self._look_due = monotonic() + max(LOOK, 10 * (monotonic() - began))

    def _picture(self) -> None:
        while self._looker is not None:
            self._seen = self._watch
            if (snapshot := self._looker.look(self._seen)) is not None:
                self.events.put(snapshot)
            if self._seen == self._watch:
                return

    def _looker_here(self) -> Looker | None:
        if self._looker is None and not self._cannot_look:
            self._looker = looker_or_none(self.document)
            self._cannot_look = self._looker is None
        return self._looker

    def _learn(self, ended: Finished) -> None:
        """Take the weights that the run left, so that they can be looked at and exported."""
        if (self.folder / WEIGHTS).exists() and (looker := self._looker_here()) is not None:
            looker.read(self.folder / WEIGHTS)
            looker.step = ended.steps
            self._picture()
