"""Trackers that people know: TensorBoard, Weights & Biases, MLflow, each through its own library.

A tracker is told what a run told to its folder, by a thread that follows the folder: it never holds a step
up, and a run that is over, or that goes on elsewhere, can be handed over too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from engine.errors import EngineError, TrainingError
from engine.runs.library import Entry, read_entry
from engine.runs.log import Tail, settled
from engine.runs.settings import settings_of
from engine.runs.words import changed_text
from engine.storage.document_file import load_document
from engine.training.events import Changed, Evaluated, Event, Failed, Finished, Progress, Resumed

PERIOD = 1.0
"""Seconds between two looks at the folder."""


class Listener(Protocol):
    """What a tracker does with numbers by their names, with words, and at the end."""

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Take numbers at a step."""

    def words(self, step: int, name: str, text: str) -> None:
        """Take a sentence at a step."""

    def end(self, state: str) -> None:
        """Take how it ended, ``done``, ``stopped`` or ``failed``, and let go."""


@dataclass(frozen=True)
class Tracker:
    """A tracker: ``package`` is what has to be installed, by ``install``; ``make`` begins a run in it.

    ``make`` takes the run and its settings as words.
    """

    name: str
    title: str
    package: str
    install: str
    make: Callable[[Entry, Mapping[str, str]], Listener]
    doc: str

    @property
    def installed(self) -> bool:
        """Whether its library is here."""
        return find_spec(self.package) is not None


class _TensorBoard:
    """Event files in the run's own folder, so that ``tensorboard --logdir`` finds every run by its name."""

    def __init__(self, entry: Entry, settings: Mapping[str, str]):
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(entry.path / "tensorboard"))
        rows = "\n".join(f"| {name} | {text} |" for name, text in settings.items())
        self._writer.add_text("settings", f"| setting | value |\n| --- | --- |\n{rows}", 0)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def words(self, step: int, name: str, text: str) -> None:
        self._writer.add_text(name, text, step)

    def end(self, state: str) -> None:
        self._writer.add_text("state", state, 0)
        self._writer.close()


class _WandB:
    """A run of Weights & Biases; its steps are a number of their own, because a resume goes back."""

    def __init__(self, entry: Entry, settings: Mapping[str, str]):
        import wandb

        self._run = wandb.init(
            project="netwright",
            name=entry.name,
            config=dict(settings),
            tags=list(entry.tags),
            notes=entry.notes,
            dir=str(entry.path),
        )
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({"step": step, **values})

    def words(self, step: int, name: str, text: str) -> None:
        self._run.log({"step": step, name: text})

    def end(self, state: str) -> None:
        self._run.finish(exit_code=1 if state == "failed" else 0)


class _MLflow:
    """A run of MLflow in an experiment that is called as the network."""

    _ENDS: Mapping[str, str] = MappingProxyType({"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"})

    def __init__(self, entry: Entry, settings: Mapping[str, str]):
        import mlflow

        self._mlflow = mlflow
        mlflow.set_experiment(entry.network or "netwright")
        tags = {"netwright.run": entry.id, **dict.fromkeys(entry.tags, "yes")}
        mlflow.start_run(run_name=entry.name, tags=tags)
        mlflow.log_params({_plain(name): text[:500] for name, text in settings.items()})

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        self._mlflow.log_metrics({_plain(name): value for name, value in values.items()}, step=step)

    def words(self, step: int, name: str, text: str) -> None:
        self._mlflow.set_tag(f"{_plain(name)}.{step}", text)

    def end(self, state: str) -> None:
        self._mlflow.end_run(status=self._ENDS.get(state, "FINISHED"))


TRACKERS: Mapping[str, Tracker] = MappingProxyType(
    {
        each.name: each
        for each in (
            Tracker(
                "tensorboard",
                "TensorBoard",
                "tensorboard",
                "pip install netwright[tensorboard]",
                _TensorBoard,
                "event files in the folder of the run",
            ),
            Tracker("wandb", "Weights & Biases", "wandb", "pip install wandb", _WandB, "a run in its cloud"),
            Tracker("mlflow", "MLflow", "mlflow", "pip install mlflow", _MLflow, "a run on its server"),
        )
    }
)
"""Every tracker, by its name."""


def tracker(name: str) -> Tracker:
    """Return a tracker whose library is here. Raises TrainingError with what to do otherwise."""
    found = TRACKERS.get(name)
    if found is None:
        raise TrainingError(f"There is no tracker {name!r}; there are {', '.join(TRACKERS)}.")
    if not found.installed:
        raise TrainingError(f"{found.title} is not installed here; {found.install} brings it.")
    return found


class Tracking:
    """Tells trackers about one run until it ends; ``close`` tells the rest and leaves no thread.

    Raises TrainingError for a tracker that is not there. One that fails later is left out: ``problems`` says
    why, and ``report`` is told at once, in the thread that follows; the run itself goes on.
    """

    def __init__(
        self,
        folder: Path | str,
        names: Sequence[str],
        report: Callable[[str], object] = lambda problem: None,
    ):
        self._folder, self._report = Path(folder), report
        self._trackers = [tracker(name) for name in dict.fromkeys(names)]
        self.problems: list[str] = []
        self._listeners: dict[str, Listener] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow the run in the folder, which has begun; one that goes on is told from there on."""
        self._thread = threading.Thread(target=self._work, name="netwright trackers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell what is left and wait until that is done."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def send(self) -> None:
        """Tell all of a run that is over, here and now; what a resume took back is left out."""
        tail, events = Tail(self._folder), []
        while new := tail.read():
            events += new
        for event in settled(events):
            self._tell(event)
        entry = read_entry(self._folder)
        self._end(entry.state if entry else "stopped")

    def _work(self) -> None:
        tail = Tail(self._folder)
        while True:
            last = self._over.is_set()
            try:
                while new := tail.read():
                    for event in _from_resumption(new):
                        self._tell(event)
                        if isinstance(event, Finished | Failed):
                            self._end("failed" if isinstance(event, Failed) else event.reason)
                            return
            except EngineError as error:
                self._fail(error.message)
                last = True
            if last:
                self._end("stopped")
                return
            self._over.wait(PERIOD)

    def _tell(self, event: Event) -> None:
        told = _numbers(event)
        if told is not None:
            self._each(lambda listener: listener.numbers(*told))
        elif isinstance(event, Changed):
            self._each(lambda listener: listener.words(event.step, "changed", changed_text(event)))

    def _each(self, tell: Callable[[Listener], None]) -> None:
        """Tell every tracker; it is begun with the first thing that there is to tell."""
        for each in list(self._trackers):
            try:
                if each.name not in self._listeners:
                    self._listeners[each.name] = self._begin(each)
                tell(self._listeners[each.name])
            except Exception as error:  # whatever another library raises: the run has nothing to do with it
                self._trackers.remove(each)
                self._listeners.pop(each.name, None)
                self._fail(f"{each.title} is left out: {str(error).strip() or type(error).__name__}")

    def _fail(self, problem: str) -> None:
        self.problems.append(problem)
        self._report(problem)

    def _begin(self, each: Tracker) -> Listener:
        entry = read_entry(self._folder) or Entry(self._folder, name=self._folder.name)
        try:
            settings = settings_of(load_document(entry.document), whole=True)
        except EngineError:
            settings = {}
        return each.make(entry, settings)

    def _end(self, state: str) -> None:
        if self._listeners:
            self._each(lambda listener: listener.end(state))
        self._listeners = {}


def _from_resumption(events: Sequence[Event]) -> Sequence[Event]:
    """The events after the last that says where the run went on; those before were told when they came."""
    last = max((n for n, event in enumerate(events) if isinstance(event, Resumed)), default=-1)
    return events[last + 1 :]


def _numbers(event: Event) -> tuple[int, dict[str, float]] | None:
    """The numbers of an event by the names that trackers group by, and their step.

    Of the losses between two events their mean: a tracker takes longer for a number than a step takes.
    """
    if isinstance(event, Progress) and len(event.step):
        values = {"train/step_loss": float(np.mean(event.loss)), "lr": event.lr}
        return int(event.step[-1]), values
    if isinstance(event, Evaluated):
        return event.step, {_grouped(name): value for name, value in event.metrics.items()}
    return None


def _grouped(name: str) -> str:
    return f"val/{name.removeprefix('val_')}" if name.startswith("val_") else f"train/{name}"


def _plain(name: str) -> str:
    """A name of the letters that MLflow takes."""
    return "".join(letter if letter.isalnum() or letter in "_-. /" else "-" for letter in name)
