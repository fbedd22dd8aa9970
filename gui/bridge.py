"""Between the run's thread and the window: one timer, and a table from events to signals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import EngineError
from engine.training.events import (
    Changed,
    Evaluated,
    Event,
    Failed,
    Finished,
    Progress,
    Snapshot,
    Started,
    State,
    Timed,
    Watch,
)
from gui.analyst import Analyst
from gui.bench import Bench

if TYPE_CHECKING:
    from engine.training.runner import Runner

_PERIOD = 66
"""Milliseconds between two looks into the queue: smooth enough for a curve, cheap for a tiny network."""


class Bridge(QObject):
    """Starts, steers and ends runs; the run's events arrive as the bench's signals.

    ``lacking`` tells of a run that was asked for and does not fit into memory; ``run_anyway`` starts it.
    """

    lacking = Signal(object)

    def __init__(self, bench: Bench, analyst: Analyst, parent: QObject | None = None):
        super().__init__(parent)
        self._bench = bench
        self._analyst = analyst
        self.runner: Runner | None = None
        self._paused_start = self._anyway = False
        self._pace = 0.0
        self._weights: Path | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_PERIOD)
        self._timer.timeout.connect(self._empty)
        self._signals = {
            Started: bench.started,
            Progress: bench.progress,
            Evaluated: bench.evaluated,
            Snapshot: bench.snapshot_taken,
            Timed: bench.timed,
            Changed: bench.setting_changed,
            Finished: bench.finished,
            Failed: bench.failed,
        }
        bench.look_changed.connect(self._watch)
        bench.store.selection_changed.connect(self._watch)
        bench.analyzed.connect(self._watch)
        bench.store.scope_changed.connect(self._forget)
        bench.store.turned.connect(self._forget)
        bench.store.replaced.connect(self.reset)

    @property
    def busy(self) -> bool:
        """Whether a run is going on or held."""
        return self._bench.state in ("starting", "running", "paused")

    def run(self) -> None:
        """Start a run, or go on with the one that is held."""
        if self._bench.state == "paused" and self.runner:
            self.runner.resume()
        elif not self.busy:
            self._start(paused=False)

    def run_anyway(self) -> None:
        """Start the run that was asked for last, however much memory it needs."""
        if not self.busy:
            self._start(self._paused_start, anyway=True)

    def pause(self) -> None:
        """Hold the run after the step that it is taking."""
        if self.runner:
            self.runner.pause()

    def step(self) -> None:
        """Take one step and hold; begins a run if there is none."""
        if self._bench.state == "paused" and self.runner:
            self.runner.step()
        elif not self.busy:
            self._start(paused=True)

    def stop(self) -> None:
        """End the run; what was learned stays to be looked at and saved."""
        if self._bench.state == "starting" and self.runner is None:
            self._set_state("idle")
        elif self.runner:
            self.runner.stop()

    def change(self, name: str, value: object) -> None:
        """Change a setting of the optimizer while it runs."""
        if self.runner and self.busy:
            try:
                self.runner.set(name, value)
            except EngineError as error:
                self._bench.message.emit(f"{error.message} The next run takes it.")

    def set_pace(self, pace: float) -> None:
        """Take so many steps a second at most, now and in the next runs; 0 is as fast as it goes."""
        self._pace = pace
        if self.runner:
            self.runner.pace = pace

    def start_from(self, weights: Path) -> None:
        """Begin a run with the weights of a file instead of fresh ones."""
        if not self.busy:
            self._weights = weights
            self._start(paused=False)

    def reset(self) -> None:
        """Forget the run: another document is open."""
        self.close()
        self._bench.snapshot = None
        self._bench.times = {}
        self._bench.run_reset.emit()
        self._set_state("idle")

    def close(self) -> None:
        """End the run and its threads."""
        self._timer.stop()
        if self.runner:
            self.runner.close()
            self.runner = None

    def _start(self, paused: bool, anyway: bool = False) -> None:
        self.close()
        self._bench.snapshot = None
        self._bench.times = {}
        self._bench.run_reset.emit()
        self._set_state("starting")
        self._paused_start, self._anyway = paused, anyway
        if self._analyst.is_ready:
            self._go()
        else:
            self._bench.message.emit("PyTorch is loading; the run starts by itself.")
            self._analyst.ready.connect(self._go)

    def _go(self) -> None:
        if self._bench.state != "starting":
            return
        from engine.training.runner import Runner

        if not self._anyway and (short := self._analyst.shortage()) is not None:
            self._set_state("idle")
            self.lacking.emit(short)
            return
        try:
            self.runner = Runner(self._bench.store.whole, weights=self._weights)
            self.runner.pace, self._weights = self._pace, None
        except EngineError as error:
            self._dispatch(Failed(error.message, error.node or "", error.port or ""))
            return
        self._watch()
        self.runner.start(paused=self._paused_start)
        if self._paused_start:
            self.runner.step()
        self._timer.start()

    def _watch(self) -> None:
        if self.runner:
            bench = self._bench
            self.runner.watch = Watch(
                bench.visible_nodes,
                self._selected(),
                bench.sample,
                bench.wants_regions,
                bench.wants_samples,
                times=True,
                way=bench.store.way,
            )

    def _forget(self) -> None:
        """Let go of what was seen elsewhere: other nodes may have the same ids."""
        self._bench.snapshot = None
        self._watch()

    def _selected(self) -> str:
        """The node whose maps and filters are shown: the selected one, else the first that learns."""
        selection = self._bench.store.selection
        if len(selection) == 1:
            return next(iter(selection))
        return next((node for node, count in self._bench.analysis.parameters.items() if count), "")

    def _empty(self) -> None:
        for event in self.runner.events.drain() if self.runner else ():
            self._dispatch(event)

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, State):
            self._set_state(event.state)
            return
        if isinstance(event, Snapshot):
            if event.way != self._bench.store.way:
                return  # of a block that was left since
            self._bench.snapshot = event
        elif isinstance(event, Timed):
            self._bench.times[event.way] = event
        self._signals[type(event)].emit(event)
        if isinstance(event, Finished | Failed):
            self._set_state("finished" if isinstance(event, Finished) else "failed")
        elif isinstance(event, Started) and event.loaded:
            self._bench.message.emit(f"Weights: {event.loaded}")

    def _set_state(self, state: str) -> None:
        if state != self._bench.state:
            self._bench.state = state
            self._bench.state_changed.emit(state)
