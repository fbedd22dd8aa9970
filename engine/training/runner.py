"""A run in a thread of its own: started, paused, stepped, steered, stopped from outside; it tells events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from torch import Tensor, nn

from engine.compiler.custom import line_of
from engine.compiler.module import Built
from engine.data import patience
from engine.errors import EngineError, FileError, ParameterError, TrainingError
from engine.graph.document import Document
from engine.layers.params import Value
from engine.training.checkpoint import save_weights
from engine.training.events import Changed, Failed, Finished, Resumed, Started, State
from engine.training.folder import DOCUMENT, Folder
from engine.training.handle import Handle
from engine.training.loop import train
from engine.training.mailbox import Mailbox
from engine.training.moment import newest_moment
from engine.training.numerics import numerics
from engine.training.saving import Saving
from engine.training.setup import Setup, prepare
from engine.training.status import LIVE
from engine.training.steering import Steer, named, steerable, steers
from engine.training.telling import Teller
from engine.training.trouble import failure_of


class Runner(Handle):
    """One run of a document, which it keeps as it was when the run began.

    It begins with fresh weights, or with what of a ``weights`` file fits. With ``out`` it leaves a folder
    from which it can go on (``Runner.resumed``); ``about`` is what the folder says of it beside. Every method
    may be called from any thread and returns at once. ``events`` tells what happens. After the end the model
    stays for export, and a new ``watch`` still gives a snapshot.
    """

    def __init__(
        self,
        document: Document,
        device: str | None = None,
        out: Path | str | None = None,
        weights: Path | str | None = None,
        about: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self._unwanted = threading.Event()
        self.document = document
        self.about = dict(about or {})
        self.events = Mailbox()
        self._weights = weights
        self._device = device or ""
        self._folder = Folder(Path(out)) if out is not None else None
        self._resumes = False
        self._setup: Setup | None = None
        self._steers: dict[str, Steer] = {}
        self._teller = Teller(self.events, self._folder)
        self._saving: Saving | None = None
        self._stepped_at = 0.0
        self._state = ""

    @classmethod
    def resumed(cls, folder: Path | str, device: str | None = None) -> Runner:
        """Return a run that goes on where the one of this folder was when it last saved itself.

        What it computes is what the uninterrupted run would have computed, bit for bit on a CPU. Raises
        FileError if the folder is not a run's.
        """
        from engine.storage.document_file import load_document

        runner = cls(load_document(Path(folder) / DOCUMENT), device, folder)
        runner._resumes = True
        return runner

    @property
    def folder(self) -> Path | None:
        """Where the run leaves what it is."""
        return self._folder.path if self._folder else None

    @property
    def built(self) -> Built | None:
        """The compiled document, once it is there."""
        return self._setup.built if self._setup else None

    @property
    def model(self) -> nn.Module | None:
        """The model with its present weights, once it is there."""
        return self._setup.model if self._setup else None

    def steerable(self) -> Mapping[str, Steer]:
        """Return what can be changed while it runs, by name; nothing before the model is there."""
        return self._steers

    def set(self, name: str, value: Value) -> None:
        """Change a number from the next step on: ``optimizer.lr``, ``batch_size``, ``conv1.frozen`` ...

        Raises ParameterError for a name or a value that the run does not take.
        """
        known = {each.name: each.param for each in self._steers.values()} or steerable(self.document)
        name = named(name, known)
        if name not in known:
            raise ParameterError(f"A run's {name!r} cannot be changed; {', '.join(known)} can.")
        value = known[name].check(value)
        with self._wake:
            self._changes.append((name, value))
            self._ask()

    def stop(self) -> None:
        """End after the present step, or soon where its rows do not come."""
        self._unwanted.set()
        super().stop()

    # What follows runs in the run's own thread.

    def _work(self) -> None:
        patience.heed(self._unwanted)
        try:
            self._run()
        except (Exception, SystemExit) as error:  # whatever torch and a layer raise must be told
            self._give_up(error)
        finally:
            if self._folder:
                self._folder.close()
        self._look_last()

    def _give_up(self, error: BaseException) -> None:
        """Tell what ended the run."""
        self._fail(failure_of(error, self.document, self._setup, line_of(error)))

    def _fail(self, failed: Failed) -> None:
        if self._setup:
            try:
                self._teller.publish(perf_counter())
            except EngineError as error:
                failed = Failed(error.message, error.node or "")
        if self._saving:
            with suppress(EngineError):
                self._saving.rescue()
        self._teller.emit(failed)
        if self._folder:
            with suppress(EngineError):
                self._folder.finish("failed", message=failed.message)

    def _run(self) -> None:
        training = self.document.training
        if self._folder and self._resumes:
            self._folder.resume()
        setup = self._prepare()
        if self._folder and not self._resumes:
            self._folder.begin(self.document, **self.about)
        if self._resumes:
            self._restore(setup)
        step = setup.position.step
        if self._resumes:
            self._teller.emit(Resumed(step))
        self._saving = self._make_saving(setup)
        self._steers = steers(setup)
        self._teller.begin(setup)
        self._setup = setup
        self._teller.emit(
            Started(
                epochs=training.epochs,
                steps=step + setup.steps_left,
                steps_per_epoch=setup.steps_per_epoch,
                device=str(setup.device),
                threads=setup.threads,
                parameters=sum(parameter.numel() for parameter in setup.model.parameters()),
                run=self._run_name,
                loaded=setup.loaded,
                step=step,
                notes=tuple(setup.notes),
            )
        )
        began = perf_counter()
        with numerics(training, setup.threads):
            ended = self._train(setup)
            setup.conclude()
            if ended != "stopped" or not self._closed:
                self._teller.look(self._watch)
                self._teller.finish_times(self._watch)
        reason = "stopped" if ended == "stopped" else "done"
        self._keep_weights(setup)
        self._teller.emit(
            Finished(
                reason,
                setup.position.step,
                perf_counter() - began,
                self._teller.metrics,
                self._run_name,
                self._note(ended),
            )
        )
        if self._folder:
            self._folder.finish(reason, setup.position.step, self._teller.metrics)

    def _keep_weights(self, setup: Setup) -> None:
        """Write what was learned; where it cannot be written wait for room, unless it is to stop."""
        while self._saving:
            try:
                self._saving.keep(setup.model)
                return
            except FileError as error:
                if self._stopped:
                    raise
                self._pause_for_trouble()
                self._tell("paused", error.message)
                with self._wake:
                    while self._paused and not self._stopped:
                        self._wake.wait()

    def _prepare(self) -> Setup:
        return prepare(self.document, self._device, self._weights or self.document.training.weights)

    def _restore(self, setup: Setup) -> None:
        """Go on from the newest moment, if there is one."""
        if moment := newest_moment(self._folder.moments):
            setup.load_state_dict(moment)
        elif any(self._folder.moments.glob("*.shares")):
            raise TrainingError(
                "The weights of this run are shared out over processes (FSDP): it goes on under torchrun."
            )

    def _make_saving(self, setup: Setup) -> Saving | None:
        return Saving(setup, self._folder) if self._folder else None

    def _train(self, setup: Setup) -> str:
        """Train, and save where it ended; return why it did."""
        if self._saving and not setup.position.step:
            self._save()
        if self._paused or self._changes:
            proceed = self._answer()
        else:
            self._tell("running")
            self._teller.look(self._watch)
            proceed = not self._stopped
        self._teller.warmed()
        try:
            ended = train(setup, self) if proceed else "stopped"
        except patience.Unwanted:
            ended = "stopped"
        self._teller.publish(perf_counter())
        if self._saving:
            with suppress(EngineError):
                self._saving.save()
        return ended

    def _note(self, ended: str) -> str:
        stopping = self._setup.stopping
        if ended == "early":
            return f"No progress for {stopping.waited} checks; the best was at step {stopping.step:,}."
        return f"The weights are those of step {stopping.step:,}, the best check." if stopping.weights else ""

    @property
    def _run_name(self) -> str:
        return str(self._folder.path) if self._folder else ""

    def stepped(self, loss: float | Tensor) -> bool:
        """Take a step's loss from the loop; return False to end the run."""
        if self._teller.stepped(loss, self._watch, self._pace > 0):
            if self._showing:
                self._show()
            if self._saving and self._saving.due:
                self._save()
            if self._teller.trouble:
                self._pause_for_trouble()
        if self._pace:
            self._keep_pace()
        return self._answer() if self._asked else True

    def _show(self) -> None:
        """Leave the present weights; those that look on can do without them."""
        self._showing = False
        if self._folder:
            position = self._setup.position
            about = {"step": str(position.step), "epoch": str(position.epoch)}
            with suppress(EngineError):
                save_weights(self._setup.model, self._folder.path / LIVE, about, durable=False)

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Take the metrics after an epoch from the loop."""
        self._teller.evaluated(metrics)

    def _save(self) -> None:
        """Save a moment; where it cannot be written the run waits, and says why."""
        try:
            self._saving.save()
        except EngineError as error:
            self._teller.trouble = error.message
            self._pause_for_trouble()

    def _pause_for_trouble(self) -> None:
        with self._wake:
            self._paused = True
            self._ask()

    def _keep_pace(self) -> None:
        """Wait until the next step is due, or until something is asked."""
        with self._wake:
            while self._pace and not self._asked:
                wait = self._stepped_at + 1 / self._pace - perf_counter()
                if wait <= 0:
                    break
                self._wake.wait(wait)
        self._stepped_at = perf_counter()

    def _answer(self) -> bool:
        """Do what was asked between two steps, wait while paused; return False to end the run."""
        while True:
            order = self._order()
            if isinstance(order, tuple):
                self._change(*order)
            elif order == "look":
                self._teller.hurry(self._watch)
            elif order == "wait":
                self._rest()
            else:
                return order == "go"

    def _order(self) -> str | tuple[str, Value]:
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
            if not self._teller.has_seen(self._watch):
                return "look"
            self._asked = False
            return "go"

    def _rest(self) -> None:
        """Tell where the run stands and wait until something is asked."""
        self._teller.publish(perf_counter())
        if not self._teller.fresh(self._watch):
            self._teller.look(self._watch)
        if self._state != "paused" or self._teller.trouble:
            reason, self._teller.trouble = self._teller.trouble, ""
            self._tell("paused", reason)
            if self._saving and not reason:
                with suppress(EngineError):  # the next one that is due says what is wrong
                    self._saving.save()
        with self._wake:
            while self._paused and not (self._stopped or self._singles or self._changes):
                if self._teller.has_seen(self._watch):
                    self._wake.wait()
                    continue
                self._wake.release()
                try:
                    self._teller.look(self._watch)
                finally:
                    self._wake.acquire()
            goes_on = not (self._paused or self._stopped)
        self._teller.rested()
        if goes_on:
            self._tell("running")

    def _tell(self, state: str, reason: str = "") -> None:
        self._state = state
        self._teller.emit(State(state, reason))
        if state == "paused" and not reason:
            self._teller.trouble = ""

    def _change(self, name: str, value: Value) -> None:
        """Change a number of the run, and tell it."""
        name = named(name, self._steers)
        steer = self._steers.get(name)
        if steer is None:
            return
        before = steer.get()
        if before == value:
            return
        try:
            steer.put(steer.param.check(value))
        except ParameterError as error:
            self._teller.emit(State(self._state or "running", error.message))
            return
        changes = self._setup.changes
        changes.pop(name, None)
        changes[name] = value
        self._teller.emit(Changed(self._setup.position.step, name, before, value))

    def _look_last(self) -> None:
        """Answer every watch that came after the last look; the next one starts a short-lived thread."""
        while True:
            with self._wake:
                if self._closed or self._setup is None or self._teller.has_seen(self._watch):
                    self._over = self._setup is not None
                    return
            try:
                with numerics(self.document.training, self._setup.threads):
                    self._teller.look(self._watch)
                    self._teller.finish_times(self._watch)
            except Exception:  # the run is over and has told how it ended; the old picture stays
                self._teller.give_up(self._watch)
