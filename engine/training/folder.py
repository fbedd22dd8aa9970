"""What a run leaves on disk, so that everything about it can be known without the process that ran it."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.atomic import write_bytes, write_text
from engine.storage.document_file import save_document
from engine.storage.failures import why_not_written
from engine.training import status as statuses
from engine.training.appended import Appended, cut_half_line
from engine.training.checkpoint import save_weights
from engine.training.environment import environment
from engine.training.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Progress,
    Resumed,
    Samples,
    Snapshot,
    Started,
    State,
)
from engine.training.lines import line_of
from engine.training.load import COLUMNS, Load
from engine.training.status import (
    DOCUMENT,
    ENVIRONMENT,
    EVENTS,
    METRICS,
    MOMENTS,
    RUN,
    SAMPLES,
    SYSTEM,
    WEIGHTS,
    Status,
    improved,
    read_status,
)

FIRST = ("loss", "val_loss", "accuracy", "val_accuracy")
"""Columns of metrics.csv that come first."""

EVERY = 1.0
"""Seconds between two times that the status is brought up to date while events come."""

SHOWN = 32
"""Rows of the last samples that are kept."""

BEAT = 5.0
"""Seconds between two heartbeats, each with a row of system.csv."""


class Folder:
    """A run's folder.

    ``document.netwright`` is what is trained, ``run.json`` what people call it and how it was begun,
    ``environment.json`` on what it runs, ``events.jsonl`` all that it told, ``metrics.csv`` its evaluations,
    ``system.csv`` the load of the machine, ``status.json`` where it stands, with a heartbeat,
    ``weights.safetensors`` what it learned, ``moments`` states that it can go on from.

    ``begin`` or ``resume`` comes first, ``finish`` or ``close`` last; between them a thread keeps the
    heartbeat. Every method raises FileError where something cannot be written. A ``tell`` that did is not
    lost: what it held is written with the next one, so a run may pause, wait for room and go on.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path).resolve()
        self._files: dict[str, Appended] = {}
        self._columns: list[str] = []
        self._status = Status()
        self._since = self._before = self._saved = 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._pulse: threading.Thread | None = None
        self._samples: Samples | None = None

    @property
    def status(self) -> Status:
        """Where the run stands."""
        return self._status

    @property
    def moments(self) -> Path:
        """The folder of states that the run can go on from."""
        return self.path / MOMENTS

    @property
    def is_open(self) -> bool:
        """Whether it takes what is told: between its beginning and its end."""
        return bool(self._files)

    def begin(self, document: Document, **about: Any) -> None:
        """Make the folder, empty of an earlier run, and write down what is trained, how and on what.

        ``about`` goes into run.json: ``name``, ``tags``, ``notes``, ``file`` (of the document), ``device``,
        ``continues`` (the run whose weights it began with) and whatever else is to be known. What a run.json
        says in a folder where no run began yet is kept.
        """
        self._claim()
        if not (self.path / statuses.STATUS).exists():
            about = {**(statuses.read_object(self.path / RUN) or {}), **about}
        now = time.time()
        run = {
            "name": document.name,
            "tags": [],
            "notes": "",
            "network": document.name,
            "begun": now,
            "seed": document.training.seed,
            "device": document.training.device,
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "continues": "",
            **about,
        }
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if (self.path / RUN).exists():
                shutil.rmtree(self.moments, ignore_errors=True)
            for name in (EVENTS, METRICS, SYSTEM, SAMPLES):
                (self.path / name).unlink(missing_ok=True)
            for name, content in ((RUN, run), (ENVIRONMENT, environment())):
                text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
                write_text(self.path / name, f"{text}\n", durable=False)
        except OSError as error:
            raise FileError(why_not_written(self.path, error)) from error
        save_document(document, self.path / DOCUMENT)
        self._status = Status(begun=now)
        self._columns = []
        self._open()

    def resume(self) -> None:
        """Go on in the folder of a run that ended or was killed; its log goes on too.

        The next event is to be ``Resumed``, which takes back what came after the state that it goes on from.
        """
        self._claim()
        before = read_status(self.path)
        if before is None or not (self.path / DOCUMENT).exists():
            raise FileError(f"{self.path} is not the folder of a run: it holds no status and document.")
        try:
            for name in (EVENTS, METRICS, SYSTEM):
                cut_half_line(self.path / name)
        except OSError as error:
            raise FileError(why_not_written(self.path, error)) from error
        self._status = replace(before, state="starting", message="", node="")
        self._before = before.seconds
        rows = self._rows()
        self._columns = list(rows[0]) if rows else []
        self._recount(rows)
        self._open()

    def tell(self, event: Event) -> None:
        """Take an event of the run; a few microseconds, and a seventh of one for each loss."""
        if isinstance(event, Snapshot):
            self._samples = event.samples or self._samples
            return
        now = time.time()
        self._files[EVENTS].put(line_of(event, now))
        self._take(event, now)
        if isinstance(event, Evaluated):
            self._row(event)
        for file in (EVENTS, METRICS):
            self._files[file].flush()
        if isinstance(event, Resumed):
            self._take_back(event.step)
        if isinstance(event, State | Resumed | Failed | Finished | Started) or now > self._saved + EVERY:
            self._save(durable=False)

    def finish(
        self,
        state: str,
        step: int | None = None,
        metrics: Mapping[str, float] | None = None,
        message: str = "",
        model: nn.Module | None = None,
    ) -> None:
        """Write the weights, then say that the run is over: ``done``, ``stopped`` or ``failed``."""
        if not self._files:
            return  # it never began, and the folder may be another run's
        try:
            if model is not None:
                save_weights(model, self.path / WEIGHTS)
            self._keep_samples()
            status = replace(self._status, state=state, message=message or self._status.message)
            if step is not None:
                status = replace(status, step=step)
            if metrics:
                status = replace(status, metrics=dict(metrics))
            self._status = status
            self._save()
        finally:
            self.close()

    def close(self) -> None:
        """End the heartbeat and let go of the files; what the folder says stays."""
        self._over.set()
        if self._pulse is not None and self._pulse is not threading.current_thread():
            self._pulse.join()
        self._pulse = None
        for file in self._files.values():
            file.close()
        self._files = {}
        _held.discard(self.path)

    # -- beginning ---------------------------------------------------------------------------------------

    def _claim(self) -> None:
        """Refuse a folder that another run writes to at this moment."""
        status = read_status(self.path)
        mine = status is not None and status.pid == statuses.this_process().pid and self.path not in _held
        if status is not None and status.now in statuses.GOING and not mine:
            raise FileError(
                f"{self.path} belongs to a run that is going on; end it first, or take another folder."
            )

    def _open(self) -> None:
        process = statuses.this_process()
        self._status = replace(self._status, host=process.host, pid=process.pid, born=process.born)
        self._since = time.time()
        try:
            for leftover in self.path.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)
            self._files = {name: Appended(self.path / name) for name in (EVENTS, METRICS, SYSTEM)}
        except OSError as error:
            raise FileError(why_not_written(self.path, error)) from error
        if not (self.path / SYSTEM).stat().st_size:
            self._files[SYSTEM].put(_line(COLUMNS))
            self._files[SYSTEM].flush()
        _held.add(self.path)
        self._save()
        self._over.clear()
        self._pulse = threading.Thread(target=self._beat, name="netwright heartbeat", daemon=True)
        self._pulse.start()

    # -- while it runs -----------------------------------------------------------------------------------

    def _take(self, event: Event, now: float) -> None:
        """Keep in mind where the run stands."""
        status = self._status
        if isinstance(event, Progress):
            if not len(event.step):
                return
            changes = {
                "step": int(event.step[-1]),
                "epoch": min(event.epoch, status.epochs or event.epoch),  # the next one, after the last
                "loss": float(event.loss[-1]),
                "steps_per_second": event.steps_per_second,
            }
        elif isinstance(event, Evaluated):
            changes = {
                "step": event.step,
                "epoch": event.epoch,
                "metrics": dict(event.metrics),
                "best": improved(status.best, event.metrics, event.step),
            }
        elif isinstance(event, Started):
            changes = {
                "steps": event.steps,
                "epochs": event.epochs,
                "device": event.device,
                "parameters": event.parameters,
            }
        elif isinstance(event, State):
            changes = {"state": event.state}
        elif isinstance(event, Failed):
            changes = {"message": event.message, "node": event.node}
        else:
            changes = {}
        self._status = replace(status, told=now, **changes)

    def _row(self, event: Evaluated) -> None:
        """Add a row of metrics; a metric that was never there before makes a column for all rows."""
        row = {"step": event.step, "epoch": event.epoch, **event.metrics}
        if not self._columns:
            known = [name for name in FIRST if name in row]
            self._columns = [*known, *(name for name in event.metrics if name not in known)]
            self._columns = ["step", "epoch", *self._columns]
            self._files[METRICS].put(_line(self._columns))
        elif new := [name for name in row if name not in self._columns]:
            rows = self._rows()
            self._columns += new
            self._rewrite(rows)
        self._files[METRICS].put(_line([row.get(name, "") for name in self._columns]))

    def _rows(self) -> list[dict[str, str]]:
        """The rows of metrics that are on disk."""
        try:
            with (self.path / METRICS).open(newline="", encoding="utf-8") as file:
                return [row for row in csv.DictReader(file) if None not in row.values()]
        except OSError:
            return []

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        lines = [self._columns, *([row.get(name, "") for name in self._columns] for row in rows)]
        self._files[METRICS].flush()
        self._files[METRICS].close()
        try:
            write_text(self.path / METRICS, b"".join(map(_line, lines)).decode())
            self._files[METRICS] = Appended(self.path / METRICS)
        except OSError as error:
            raise FileError(why_not_written(self.path / METRICS, error)) from error

    def _take_back(self, step: int) -> None:
        """Forget what came later than the step that the run goes on from."""
        rows = self._rows()
        kept = [row for row in rows if int(row["step"]) <= step]
        if len(kept) < len(rows):
            self._rewrite(kept)
        self._recount(kept)
        self._status = replace(self._status, step=step)

    def _recount(self, rows: list[dict[str, str]]) -> None:
        """Take the last and the best metrics from the table: the status may be older than it."""
        best: dict[str, tuple[float, int]] = {}
        metrics: dict[str, float] = {}
        for row in rows:
            metrics = {name: float(row[name]) for name in self._columns[2:] if row[name]}
            best = improved(best, metrics, int(row["step"]))
        self._status = replace(self._status, metrics=metrics, best=best)

    def _keep_samples(self) -> None:
        """Write what the network made of some rows when it was looked at last."""
        samples = self._samples
        if samples is None:
            return
        shown = {name: getattr(samples, name)[:SHOWN] for name in ("inputs", "targets", "predictions")}
        data = io.BytesIO()
        np.savez_compressed(data, **shown, kind=samples.kind, names=np.array(samples.names, dtype=str))
        try:
            write_bytes(self.path / SAMPLES, data.getvalue())
        except OSError as error:
            raise FileError(why_not_written(self.path / SAMPLES, error)) from error

    def _beat(self) -> None:
        """Say every few seconds that the run is there, and how busy the machine is."""
        load: Load | None = None
        while not self._over.wait(BEAT):
            with suppress(FileError, OSError):  # the run itself tells of a disk that is full
                load = load or Load(self._status.device)
                row = load.sample(time.time())
                self._files[SYSTEM].put(_line([row[name] for name in COLUMNS]))
                self._files[SYSTEM].flush()
                self._save(durable=False)

    def _save(self, durable: bool = True) -> None:
        now = self._saved = time.time()
        with self._lock:
            # Read under the lock and never put back: the run's thread alone says where the run stands.
            status = replace(self._status, time=now, seconds=round(self._before + now - self._since, 3))
            try:
                write_text(self.path / statuses.STATUS, status.text(), durable)
            except OSError as error:
                raise FileError(why_not_written(self.path / statuses.STATUS, error)) from error


_held: set[Path] = set()
"""Folders that this process writes to."""


def _line(values: Any) -> bytes:
    """Values as a line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()
