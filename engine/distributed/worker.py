"""One of several processes that train a run together: the first speaks for all, and all do the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from engine.distributed.group import Group, Place
from engine.distributed.parallel import DDP, FSDP, spread
from engine.distributed.sharded import Shares, whole_model
from engine.errors import EngineError, TrainingError
from engine.graph.document import Document
from engine.layers.params import Value
from engine.training.loop import train
from engine.training.moment import newest_moment
from engine.training.numerics import generators, set_generators
from engine.training.runner import Runner
from engine.training.saving import Saving
from engine.training.setup import Setup
from engine.training.status import MOMENTS
from engine.training.telling import PUBLISH

MOST = 1000
"""Steps between two meetings, at most."""

HELD = 0.5
"""Seconds between two meetings of a run that is held, so that none waits for another without end."""

_LOST = ("gloo", "Connection closed by peer", "Connection reset by peer", "NCCL", "Broken pipe")


@dataclass(frozen=True)
class Orders:
    """What the first process wants all to do now, and after how many steps they meet again."""

    changes: tuple[tuple[str, Value], ...] = ()
    paused: bool = False
    single: bool = False
    stopped: bool = False
    save: bool = False
    steps: int = 1
    error: tuple[str, str] | None = None


class Worker(Runner):
    """A run of which several processes take their shares.

    The first one writes the folder, tells events and hears orders. About ten times a second all meet after
    the same step and do what it says: that is the only time at which anything but training happens. A process
    that loses the others ends without a word, so that torchrun begins again from the last moment.
    """

    def __init__(
        self,
        document: Document,
        place: Place,
        out: Path,
        way: str = DDP,
        synchronized: bool = False,
        about: Mapping[str, Any] | None = None,
        resumes: bool = False,
    ):
        device = place.device(document.training.device)
        super().__init__(document, device, out if place.rank == 0 else None, about=about)
        self._place, self._out, self._way, self._synchronized = place, Path(out), way, synchronized
        self._resumes = resumes
        self.lost: BaseException | None = None
        """Why the others are lost, if they are."""
        self._meeting = self._met_step = 0
        self._met = 0.0
        self._error: EngineError | None = None

    @property
    def leads(self) -> bool:
        """Whether this is the process that speaks for all."""
        return self._place.rank == 0

    def _run(self) -> None:
        if self._place.device(self._device).startswith("cuda"):
            torch.cuda.set_device(self._place.local)
        self._group = Group(self._place, self._device)
        super()._run()
        self._group.wait()
        self._group.close()

    def _prepare(self) -> Setup:
        setup = super()._prepare()
        spread(setup, self._group, self._way, self._synchronized)
        if self._way == FSDP:
            self._shares = Shares(setup, self._out / MOMENTS, self._group)
        return setup

    def _restore(self, setup: Setup) -> None:
        """Go on from the newest moment, which the first process reads for all, or each its share of."""
        if self._way == FSDP:
            self._draw(setup, self._shares.load())
            return
        moment = self._group.tell_all(newest_moment(self._out / MOMENTS) if self.leads else None)
        if not moment:
            return
        setup.load_state_dict(moment)
        self._draw(setup, moment.get("processes"))

    def _draw(self, setup: Setup, states: Sequence[Mapping[str, Tensor]] | None) -> None:
        """Let this process draw what it would have drawn next."""
        states = states or []
        if len(states) == self._group.size:
            set_generators(states[self._group.rank], setup.device)
        elif self._group.rank:  # begun by another number of processes
            torch.manual_seed(setup.training.seed + 7919 * self._group.rank + setup.position.step)

    def _make_saving(self, setup: Setup) -> Saving | None:
        if not self._folder:
            return None
        return _Clock(setup, self._folder) if self._way == FSDP else _Saving(setup, self._folder)

    def _give_up(self, error: BaseException) -> None:
        if _is_lost(error):
            self.lost = error
        else:
            super()._give_up(error)

    def _train(self, setup: Setup) -> str:
        if not setup.position.step:
            self._save()
        proceed = self._meet()
        self._teller.warmed()
        ended = train(setup, self) if proceed else "stopped"
        self._hold_error(lambda: self._teller.publish(perf_counter()))
        if (error := self._group.tell_all(_told(self._error))) is not None:
            raise TrainingError(*error)
        self._save()
        if self._way == FSDP:
            setup.model = whole_model(setup, self.leads)
        return ended

    def stepped(self, loss: float | Tensor) -> bool:
        """Take a step's loss, which is that of all processes; return False to end the run."""
        if self.leads:
            self._hold_error(lambda: self._teller.stepped(loss, self._watch))
            if self._showing and self._way == DDP:  # shares would have to be gathered
                self._show()
            if self._pace:
                self._keep_pace()
        return self._meet() if self._setup.position.step >= self._meeting else True

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Take the metrics after an epoch, which are those of all processes."""
        self._hold_error(lambda: self._teller.evaluated(metrics))

    def _hold_error(self, tell: Callable[[], object]) -> None:
        """Keep what the first process finds wrong for the next meeting: until then the others need it."""
        try:
            tell()
        except EngineError as error:
            self._error = self._error or error

    # -- meetings ----------------------------------------------------------------------------------------

    def _meet(self) -> bool:
        """Do what the first process says, in every process the same; return False to end the run."""
        while True:
            orders = self._group.tell_all(self._orders() if self.leads else None)
            if orders.error is not None:
                raise TrainingError(*orders.error)
            for name, value in orders.changes:
                self._change(name, value)
            if self._group.any(self._stopped):
                return False
            if orders.save:
                self._save()
            if not orders.paused or orders.single:
                break
            self._hold()
        if not orders.paused and self._state != "running":
            self._teller.rested()
            self._tell("running")
        self._meeting = self._setup.position.step + orders.steps
        return True

    def _orders(self) -> Orders:
        now, step = perf_counter(), self._setup.position.step
        rate = (step - self._met_step) / max(now - self._met, 1e-6)
        self._met, self._met_step = now, step
        with self._wake:
            if self._teller.trouble:
                self._paused = True
            changes, self._changes = tuple(self._changes), deque()
            single = self._singles > 0
            self._singles -= single
            paused, self._asked = self._paused, False
        slow = paused or 0 < self._pace < MOST
        return Orders(
            changes,
            paused,
            single,
            self._stopped,
            bool(self._saving and self._saving.due),
            1 if slow else int(min(max(rate * PUBLISH, 1), MOST)),
            _told(self._error),
        )

    def _hold(self) -> None:
        """Stand still for a moment; the first process says so once."""
        if self.leads:
            self._hold_error(lambda: self._teller.publish(perf_counter()))
        if self._state != "paused" or self._teller.trouble:
            reason, self._teller.trouble = self._teller.trouble, ""
            first = self._state != "paused"
            self._tell("paused", reason)
            if first:
                self._save()
        if self.leads:
            with self._wake:
                if self._paused and not (self._stopped or self._singles or self._changes):
                    self._wake.wait(HELD)

    def _save(self) -> None:
        """Save a moment, to which every process adds what it draws from."""
        states = self._group.gather(generators(self._setup.device))
        try:
            if self._way == FSDP:
                self._shares.save(states)
            if self._saving is not None:
                self._saving.processes = states
                self._saving.save()
        except EngineError as error:
            self._teller.trouble = error.message

    def _look_last(self) -> None:
        """Nobody looks at a process without a window."""


class _Saving(Saving):
    """Saves the moments of a run whose weights every process holds: the first one writes them."""

    processes: Sequence[Mapping[str, Tensor]] = ()

    def state(self) -> dict[str, Any]:
        """Return the moment, with the generators of every process."""
        return super().state() | {"processes": list(self.processes)}


class _Clock(_Saving):
    """Knows when it is time for a moment that all processes write."""

    def _write(self) -> None:
        """They have."""

    def rescue(self) -> None:
        """What a run leaves that failed is its newest moment."""


def _told(error: EngineError | None) -> tuple[str, str] | None:
    return (error.message, error.node or "") if error is not None else None


def _is_lost(error: BaseException) -> bool:
    """Return whether an exception says that another process is gone, and nothing about this one."""
    if isinstance(error, EngineError):
        return False
    if isinstance(error, dist.DistError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _LOST)
