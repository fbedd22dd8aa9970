"""Between the run's thread and the window: one timer, and a table from events to signals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.errors import EngineError
from engine.graph.document import Document
from engine.graph.settings import set_training
from engine.training.events import (
    Changed,
    Evaluated,
    Event,
    Failed,
    Finished,
    Progress,
    Resumed,
    Snapshot,
    Started,
    State,
    Timed,
    Watch,
)
from engine.training.mailbox import merged
from gui.analyst import Analyst
from gui.bench import Bench, Offer
from gui.own_runs import new_runner, resumed_runner
from gui.runs import BUSY, Run
from gui.session import Session

if TYPE_CHECKING:
    from engine.distributed.follow import Follower
    from engine.training.runner import Runner


class Bridge(QObject):
    """Starts, steers and ends runs; the events of the document in front arrive as the bench's signals.

    A run belongs to its document and goes on behind another one; what it has told by then is told again when
    its document comes to the front. One trains at a time, because torch's threads and random numbers are the
    whole process's, and the same seed must give the same curve.

    ``lacking`` tells of a run that was asked for and does not fit into memory; ``run_anyway`` starts it.
    """

    lacking = Signal(object)
    _pressed = Signal()
    """Rung from a run's thread: something came that should be told at once."""
    beginning = Signal(object)
    """A run is about to start: what is set in it now counts from its first step on."""

    def __init__(self, bench: Bench, analyst: Analyst, parent: QObject | None = None):
        super().__init__(parent)
        self._bench = bench
        self._analyst = analyst
        self.retelling = False
        """Whether what arrives was told before, when another document was in front."""
        self._paused_start = self._closed = False
        self._pace = 0.0
        self._weights: Path | None = None
        self.elsewhere: Callable[[Document], Follower | None] = lambda document: None
        """Gives what follows a new run in another place; None where it is to be in this window."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._poll)
        self._pressed.connect(self._poll, Qt.ConnectionType.QueuedConnection)
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
        for signal in (bench.look_changed, bench.store.selection_changed):
            signal.connect(self._hurry)
        bench.look_changed.connect(self._watch)
        bench.store.selection_changed.connect(self._watch)
        bench.analyzed.connect(self._watch)
        bench.store.scope_changed.connect(self._forget)
        bench.store.turned.connect(self._forget)
        bench.store.leaving.connect(self._look_away)
        bench.store.replaced.connect(self._turn)
        bench.store.arrived.connect(self._retell)
        bench.store.closed.connect(self._forget_session)
        analyst.ready.connect(self._begin_waiting)

    @property
    def runner(self) -> Runner | None:
        """The one that trains the document in front, or trained it last."""
        run = self._bench.store.session.run
        return run.runner if run else None

    @property
    def busy(self) -> bool:
        """Whether a run of the document in front is going on or held."""
        return self._bench.state in BUSY

    @property
    def active(self) -> Session | None:
        """The document whose run is going on or held, wherever it stands."""
        return self._bench.active

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
        self._hurry()
        active = self.active
        if active and active.run.runner:
            active.run.runner.pause()

    def step(self) -> None:
        """Take one step and hold; begins a run if there is none."""
        self._hurry()
        if self._bench.state == "paused" and self.runner:
            self.runner.step()
        elif not self.busy:
            self._start(paused=True)

    def stop(self) -> None:
        """End the run; what was learned stays to be looked at and saved."""
        self._hurry()
        session = self.active or self._bench.store.session
        run = session.run
        if run and run.runner:
            run.runner.stop()
        elif run and run.state == "starting":
            self._set_state(session, "idle")

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
        for session in self._bench.store.sessions:
            if session.run and session.run.runner:
                session.run.runner.pace = pace

    def start_from(self, weights: Path) -> None:
        """Begin a run with the weights of a file instead of fresh ones."""
        if not self.busy:
            self._weights = weights
            self._start(paused=False)

    def resume_run(self, folder: Path) -> None:
        """Go on with the run of a folder; what it trains is the document in front."""
        if not self.busy:
            self._start(paused=False, resumes=folder)

    def close(self) -> None:
        """End every run and its threads."""
        self._closed = True
        self._timer.stop()
        for session in self._bench.store.sessions:
            self._end(session)

    def _end(self, session: Session) -> None:
        if session.run:
            session.run.close()
            session.run = None

    def _start(self, paused: bool, anyway: bool = False, resumes: Path | None = None) -> None:
        session, active = self._bench.store.session, self.active
        if active is not None and active is not session:
            self._offer_to_stop(active, lambda: self._start(paused, anyway, resumes))
            return
        self._end(session)
        self._clear()
        self._paused_start = paused
        session.run = Run(paused, anyway, resumes=resumes)
        self._set_state(session, "starting")
        if self._analyst.is_ready:
            self._go(session)
        else:
            self._bench.message.emit("PyTorch is loading; the run starts by itself.")

    def _offer_to_stop(self, active: Session, start: Callable[[], None]) -> None:
        def instead() -> None:
            active.run.close()
            self._empty()
            start()

        store, held = self._bench.store, active.run.state == "paused"
        text = f"{active.name} {'is held' if held else 'is training'} in another tab; one trains at a time."
        self._bench.offered.emit(
            Offer(text, (("Stop it and run this", instead), ("Show it", lambda: store.show(active))))
        )

    def _begin_waiting(self) -> None:
        for session in self._bench.store.sessions:
            if session.run and session.run.state == "starting" and session.run.runner is None:
                self._go(session)

    def _go(self, session: Session) -> None:
        run, front = session.run, session is self._bench.store.session
        document = set_training(session.whole, weights=str(self._weights)) if self._weights else session.whole
        try:
            run.runner = None if run.resumes else self.elsewhere(document)
            here = run.runner is None
            if here and front and not run.anyway and (short := self._analyst.shortage()) is not None:
                self._set_state(session, "idle")
                self.lacking.emit(short)
                return
            if run.resumes:
                run.runner = resumed_runner(self._bench, run, run.resumes)
            elif here:
                run.runner = new_runner(self._bench, session, self._weights)
            run.runner.pace, self._weights = self._pace, None
        except EngineError as error:
            self._dispatch(session, Failed(error.message, error.node or "", error.port or ""))
            return
        run.runner.events.bell = self._pressed.emit
        if front:
            self._watch()
        self.beginning.emit(run.runner)
        run.runner.start(paused=run.paused_start)
        if run.paused_start:
            run.runner.step()
        self._timer.start()

    # -- which document is in front ----------------------------------------------------------------------

    def _look_away(self) -> None:
        if self.runner:
            self.runner.watch = Watch()

    def _turn(self) -> None:
        """Empty the views for the document that is in front now."""
        self._clear()
        session = self._bench.store.session
        self._set_state(session, session.run.state if session.run else "idle")

    def _retell(self) -> None:
        run = self._bench.store.session.run
        self.retelling = True
        for event in run.record.events if run else ():
            self._tell(event)
        self.retelling = False
        self._watch()
        self._bench.runs_changed.emit()

    def _forget_session(self, session: Session) -> None:
        self._end(session)
        self._bench.runs_changed.emit()

    def _clear(self) -> None:
        self._bench.snapshot = None
        self._bench.times = {}
        self._bench.run_reset.emit()

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

    def _poll(self) -> None:
        """Show a picture if it is time for one; what changes more than numbers and pictures never waits."""
        if self._closed:
            return
        beat, boxes = self._bench.beat, [runner.events for _, runner in self._runners()]
        self._bench.set_notice(getattr(self.runner, "notice", ""))
        # A run that is slowed down for eyes to follow has time to spare.
        training = not self._pace and self.active is not None and self.active.run.state == "running"
        if any(box.pressing for box in boxes) or (beat.due(training) and (beat.moving or any(boxes))):
            beat.show(self._empty)
            QTimer.singleShot(0, beat.settle)  # after all that it paints
        # Waking up takes Python's lock: it is done when a picture is due, and not to ask whether one is.
        self._timer.start(round(1000 * beat.wait(training)))

    def _hurry(self, *_: object) -> None:
        """The user asked for something: what comes of it is shown soon."""
        self._bench.beat.hurry()
        if self._timer.isActive():
            self._timer.start(round(1000 * self._bench.beat.pace.least))

    def _runners(self) -> list[tuple[Session, Runner]]:
        sessions = self._bench.store.sessions
        return [(each, each.run.runner) for each in sessions if each.run and each.run.runner]

    def _empty(self) -> None:
        moved = False
        for session, runner in self._runners():
            for event in merged(runner.events.drain()):
                self._dispatch(session, event)
                moved = True
        if moved:
            self._bench.runs_moved.emit()

    def _dispatch(self, session: Session, event: Event) -> None:
        run, front = session.run, session is self._bench.store.session
        run.take(event)
        if front:
            self._tell(event)
        if isinstance(event, State):
            self._set_state(session, event.state)
            if front:
                self._bench.state_told.emit(event)
        elif isinstance(event, Finished | Failed):
            self._set_state(session, "finished" if isinstance(event, Finished) else "failed")
            if not front:
                self._tell_end(session, event)
        elif isinstance(event, Started) and event.loaded and front:
            self._bench.message.emit(f"Weights: {event.loaded}")

    def _tell(self, event: Event) -> None:
        if isinstance(event, State):
            return
        if isinstance(event, Resumed):
            if not self.retelling:  # what came later is void: the views begin anew with what is left
                self._clear()
                self._retell()
            return
        if isinstance(event, Snapshot):
            if event.way != self._bench.store.way:
                return  # of a block that was left since
            self._bench.snapshot = event
        elif isinstance(event, Timed):
            self._bench.times[event.way] = event
        self._signals[type(event)].emit(event)

    def _tell_end(self, session: Session, event: Finished | Failed) -> None:
        """Say that a run behind the document in front has ended."""
        if isinstance(event, Failed):
            text = f"{session.name} stopped: {event.message}"
        else:
            how = "has finished" if event.reason == "done" else "was stopped"
            text = f"{session.name} {how} after {event.steps:,} steps."
        self._bench.offered.emit(Offer(text, (("Show it", lambda: self._show(session)),)))

    def _show(self, session: Session) -> None:
        if session in self._bench.store.sessions:
            self._bench.store.show(session)

    def _set_state(self, session: Session, state: str) -> None:
        if session.run:
            session.run.state = state
        if session is self._bench.store.session and state != self._bench.state:
            self._bench.state = state
            self._bench.state_changed.emit(state)
        self._bench.runs_changed.emit()
