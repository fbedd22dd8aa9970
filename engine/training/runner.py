"""A run in a thread of its own: started, paused, stepped and stopped from outside, telling events."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from engine.compiler.custom import line_of
from engine.compiler.module import Built
from engine.errors import EngineError, ParameterError, TrainingError
from engine.graph.document import Document, Way
from engine.layers.params import Float
from engine.optimizers import OPTIMIZERS
from engine.training.checkpoint import load_weights
from engine.training.clock import Clock
from engine.training.events import Changed, Evaluated, Failed, Finished, Progress, Started, State, Watch
from engine.training.folder import Folder
from engine.training.loop import not_finite, train
from engine.training.mailbox import Mailbox
from engine.training.probes import Probe
from engine.training.setup import Setup, prepare, threads

PUBLISH = 0.1
"""Seconds between two progress events, and between two snapshots at least."""

SHARE = 0.04
"""Of the time that snapshots may take; where they cost more they come less often."""


class Runner:
    """One run of a document, which it keeps as it was when the run began.

    It begins with fresh weights, or with what of a ``weights`` file fits. Every method may be called from any
    thread and returns at once. ``events`` tells what happens. After the end the model stays for export, and a
    new ``watch`` still gives a snapshot.
    """

    def __init__(
        self,
        document: Document,
        device: str | None = None,
        out: Path | str | None = None,
        weights: Path | str | None = None,
    ):
        self.document = document
        self._weights = weights
        self.events = Mailbox()
        self._device = device or ""
        self._folder = Folder(Path(out)) if out is not None else None
        self._setup: Setup | None = None
        self._probe: Probe | None = None
        self._clock: Clock | None = None
        self._thread: threading.Thread | None = None
        self._glance: threading.Thread | None = None
        # What was asked from outside; ``_asked`` is read without the lock after every step.
        self._wake = threading.Condition()
        self._asked = self._paused = self._stopped = self._closed = self._over = False
        self._singles = 0
        self._changes: deque[tuple[str, float]] = deque()
        self._watch = Watch()
        self._seen: Watch | None = None
        self._pace = 0.0
        self._stepped_at = 0.0
        # Where the run is; touched by its thread only.
        self._state = ""
        self._step = self._epoch = 0
        self._losses: list[float | Tensor] = []
        self._metrics: Mapping[str, float] = {}
        self._published = self._due = self._look_due = self._looked = 0.0
        self._looked_step = -1
        self._rate = self._cost = self._looking = self._live_cost = 0.0

    @property
    def built(self) -> Built | None:
        """The compiled document, once it is there."""
        return self._setup.built if self._setup else None

    @property
    def model(self) -> nn.Module | None:
        """The model with its present weights, once it is there."""
        return self._setup.model if self._setup else None

    @property
    def alive(self) -> bool:
        """Whether the run's thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def watch(self) -> Watch:
        """What snapshots show; a new value is answered soon, also while paused and after the end."""
        return self._watch

    @watch.setter
    def watch(self, watch: Watch) -> None:
        with self._wake:
            if watch == self._watch:
                return
            self._watch = watch
            self._ask()
            if self._over and self._probe and not self._closed:
                self._over = False
                self._glance = threading.Thread(target=self._look_last, name="netwright look")
                self._glance.start()

    @property
    def pace(self) -> float:
        """Steps a second at most, so that eyes can follow; 0 is as fast as it goes."""
        return self._pace

    @pace.setter
    def pace(self, pace: float) -> None:
        with self._wake:
            self._pace = pace
            self._wake.notify_all()

    def start(self, paused: bool = False) -> None:
        """Begin; ``paused`` waits before the first step. A run begins once."""
        if self._thread is not None:
            raise TrainingError("This run has already begun; make a new one.")
        self._paused = self._asked = paused
        self._thread = threading.Thread(target=self._work, name="netwright run")
        self._thread.start()

    def pause(self) -> None:
        """Wait after the present step."""
        with self._wake:
            self._paused = True
            self._ask()

    def resume(self) -> None:
        """Go on after a pause."""
        with self._wake:
            self._paused, self._singles = False, 0
            self._ask()

    def step(self) -> None:
        """Take one optimizer step, then pause."""
        with self._wake:
            self._singles += 1
            self._paused = True
            self._ask()

    def stop(self) -> None:
        """End after the present step."""
        with self._wake:
            self._stopped = True
            self._ask()

    def set(self, name: str, value: float) -> None:
        """Change a number of the optimizer from the next step on, such as ``lr``.

        Raises ParameterError for a name or a value that none of the run's optimizers takes.
        """
        numbers = {
            param.name: param
            for objective in self.document.training.objectives
            for param in OPTIMIZERS[objective.optimizer].params
            if isinstance(param, Float)
        }
        if name not in numbers:
            raise ParameterError(f"A run's {name!r} cannot be changed; {', '.join(numbers)} can.")
        value = numbers[name].check(value)
        with self._wake:
            self._changes.append((name, value))
            self._ask()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        end = None if timeout is None else perf_counter() + timeout
        for thread in (self._thread, self._glance):
            if thread is not None and thread is not threading.current_thread():
                thread.join(None if end is None else max(0.0, end - perf_counter()))
                if thread.is_alive():
                    return False
        return True

    def close(self) -> None:
        """Stop and wait; afterwards no thread is left."""
        with self._wake:
            self._closed = True
        self.stop()
        self.join()

    def _ask(self) -> None:
        self._asked = True
        self._wake.notify_all()

    # What follows runs in the run's own thread.

    def _work(self) -> None:
        try:
            self._run()
        except EngineError as error:
            self._fail(error.message, error.node or "", error.port or "")
        except (Exception, SystemExit) as error:  # whatever torch and a layer raise must be told
            node = self.built.locate(error) if self.built else ""
            what = str(error).strip().partition("\n")[0] or type(error).__name__
            title = self.document.nodes[node].title if node in self.document.nodes else "The run"
            line = line_of(error)
            self._fail(f"{title} failed{f' in line {line} of its code' if line else ''}: {what}", node)
        self._look_last()

    def _fail(self, message: str, node: str = "", port: str = "") -> None:
        try:
            self._publish(perf_counter())
        except EngineError as error:
            message, node = error.message, error.node or ""
        if self._folder:
            with suppress(EngineError):
                self._folder.finish("failed", self._step, self._metrics, message)
        self.events.put(Failed(message, node, port))

    def _run(self) -> None:
        setup = prepare(self.document, self._device)
        training = self.document.training
        if self._folder:
            self._folder.begin(self.document)
        weights = self._weights or training.weights
        loaded = str(load_weights(setup.model, weights)) if weights else ""
        self._probe, self._clock = Probe(setup), Clock(setup)
        self._setup = setup
        self.events.put(
            Started(
                epochs=training.epochs,
                steps=training.epochs * setup.steps_per_epoch,
                steps_per_epoch=setup.steps_per_epoch,
                device=str(setup.device),
                threads=setup.threads,
                parameters=sum(parameter.numel() for parameter in setup.model.parameters()),
                run=self._run_name,
                loaded=loaded,
            )
        )
        began = perf_counter()
        with threads(setup.threads):
            if self._paused:
                proceed = self._answer()
            else:
                self._tell("running")
                self._look()
                proceed = not self._stopped
            # The first picture, with every cache cold, says nothing about those to come.
            self._cost = self._looking = 0.0
            self._published = perf_counter()
            self._look_due = self._published + PUBLISH
            done = proceed and train(setup, self)
            self._publish(perf_counter())
            self._look()
            self._finish_times()
        if self._folder:
            self._folder.finish("done" if done else "stopped", self._step, self._metrics, model=setup.model)
        self.events.put(
            Finished(
                "done" if done else "stopped",
                self._step,
                perf_counter() - began,
                self._metrics,
                self._run_name,
            )
        )

    @property
    def _run_name(self) -> str:
        return str(self._folder.path) if self._folder else ""

    def stepped(self, epoch: int, loss: float | Tensor) -> bool:
        """Take a step's loss from the loop; return False to end the run."""
        self._step += 1
        self._epoch = epoch
        self._losses.append(loss)
        now = perf_counter()
        if now >= self._due:
            self._publish(now)
            if now >= self._look_due:
                self._look()
        if self._pace:
            self._keep_pace()
        return self._answer() if self._asked else True

    def _keep_pace(self) -> None:
        """Wait until the next step is due, or until something is asked."""
        with self._wake:
            while self._pace and not self._asked:
                wait = self._stepped_at + 1 / self._pace - perf_counter()
                if wait <= 0:
                    break
                self._wake.wait(wait)
        self._stepped_at = perf_counter()

    def evaluated(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics after an epoch from the loop."""
        self._metrics = metrics
        self.events.put(Evaluated(self._step, epoch, metrics))
        if self._folder:
            self._folder.evaluated(self._step, epoch, metrics)

    def _publish(self, now: float) -> None:
        """Tell the losses since the last time, and how fast it goes."""
        losses, self._losses = self._losses, []
        passed, self._published = now - self._published, now
        self._due = now + PUBLISH
        if not losses:
            return
        if isinstance(losses[0], Tensor):
            values = torch.stack(losses).cpu().numpy().astype(np.float64)
        else:
            values = np.array(losses)
        rate, share = len(losses) / max(passed, 1e-9), self._looking / max(passed, 1e-9)
        self._looking = 0.0
        # Smoothed, so that the time left does not jump.
        self._rate = rate if not self._rate else 0.8 * self._rate + 0.2 * rate
        if passed >= PUBLISH / 2:  # the short rest of a run says nothing about the share
            self._live_cost = 0.8 * self._live_cost + 0.2 * min(share, 1.0)
        left = self.document.training.epochs * self._setup.steps_per_epoch - self._step
        steps = np.arange(self._step - len(values) + 1, self._step + 1)
        lr = float(self._setup.optimizers[0].param_groups[0]["lr"])
        self.events.put(
            Progress(steps, values, self._epoch, lr, self._rate, left / self._rate, self._live_cost)
        )
        if not np.isfinite(values).all():
            raise not_finite(self._setup, self._probe.fields, float(values[~np.isfinite(values)][0]))

    def _look(self) -> None:
        """Take a snapshot, and put the next one off until its cost is a small share of the time."""
        began = perf_counter()
        self._seen = watch = self._watch
        snapshot = self._probe.snapshot(watch, self._step, self._epoch)
        timed = watch.times and self._time(watch.way)
        now = perf_counter()
        if snapshot is not None:
            self.events.put(snapshot)
        if snapshot is not None or timed:
            took = now - began
            # One slow look on a busy machine must not freeze the pictures for seconds.
            self._cost = 0.7 * self._cost + 0.3 * min(took, 2 * self._cost) if self._cost else took
            self._looking += took
        self._looked, self._looked_step = now, self._step
        self._look_due = now + max(PUBLISH, self._cost / SHARE)

    def _time(self, way: Way) -> bool:
        """Time one more pass, tell when there are enough; return whether one was needed."""
        if self._clock.done(way):
            return False
        self._clock.measure(way)
        if self._clock.done(way):
            self.events.put(self._clock.timed(way))
        return True

    def _finish_times(self) -> None:
        """Take the passes that are missing, where nothing is waiting for the next step."""
        way = self._watch.way
        if self._watch.times and self._clock.finish(way) and (timed := self._clock.timed(way)):
            self.events.put(timed)

    def _answer(self) -> bool:
        """Do what was asked between two steps, wait while paused; return False to end the run."""
        while True:
            order = self._order()
            if isinstance(order, tuple):
                self._change(*order)
            elif order == "look":
                self._look_due = min(self._look_due, self._looked + PUBLISH)
                self._seen = self._watch
            elif order == "wait":
                self._rest()
            else:
                return order == "go"

    def _order(self) -> str | tuple[str, float]:
        """Return what was asked: a change, ``look``, ``wait``, ``go`` or ``end``."""
        with self._wake:
            if self._stopped:
                return "end"
            if self._changes:
                return self._changes.popleft()
            if self._singles:
                self._singles -= 1
                return "go"
            if self._paused:
                return "wait"
            if self._watch != self._seen:
                return "look"
            self._asked = False
            return "go"

    def _rest(self) -> None:
        """Tell where the run stands and wait until something is asked."""
        self._publish(perf_counter())
        if self._looked_step != self._step or self._watch != self._seen:
            self._look()
        if self._state != "paused":
            self._tell("paused")
        with self._wake:
            while self._paused and not (self._stopped or self._singles or self._changes):
                if self._watch == self._seen:
                    self._wake.wait()
                    continue
                self._wake.release()
                try:
                    self._look()
                finally:
                    self._wake.acquire()
            goes_on = not (self._paused or self._stopped)
        self._published, self._looking = perf_counter(), 0.0
        if goes_on:
            self._tell("running")

    def _tell(self, state: str) -> None:
        self._state = state
        self.events.put(State(state))

    def _change(self, name: str, value: float) -> None:
        """Set a number in every optimizer that has it."""
        for optimizer in self._setup.optimizers:
            for group in optimizer.param_groups:
                before = _option(group, name)
                if before is None or before == value:
                    continue
                if name in _BETAS:
                    betas = list(group["betas"])
                    betas[_BETAS.index(name)] = value
                    group["betas"] = tuple(betas)
                else:
                    group[name] = value
                self.events.put(Changed(self._step, name, before, value))

    def _look_last(self) -> None:
        """Answer every watch that came after the last look; the next one starts a short-lived thread."""
        while True:
            with self._wake:
                if self._watch == self._seen or self._closed or self._probe is None:
                    self._over = True
                    return
            try:
                with threads(self._setup.threads):
                    self._look()
                    self._finish_times()
            except Exception:  # the run is over and has told how it ended; the old picture stays
                self._seen = self._watch


_BETAS = ("beta1", "beta2")


def _option(group: dict, name: str) -> float | None:
    return group["betas"][_BETAS.index(name)] if name in _BETAS and "betas" in group else group.get(name)
