"""The bar on top: what is open, Run, how far it is, where it runs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from engine.training.events import Failed, Finished, Progress, Started
from gui.bench import Bench
from gui.panels.words import duration
from gui.session import Session
from gui.widgets.basic import Elided, IconButton, Panel, column, label, row
from gui.widgets.menu_button import MenuButton

HEIGHT = 48
_PROGRESS = 300
"""How wide the progress of a run is, where there is room."""
BUSY = ("starting", "running", "paused")

_RUN = {
    "idle": ("play", "Run", "Train the network"),
    "starting": ("pause", "Starting", "The run is being prepared"),
    "running": ("pause", "Pause", "Hold the run after this step"),
    "paused": ("play", "Resume", "Go on training"),
    "finished": ("play", "Run", "Train again from the start"),
    "failed": ("play", "Run", "Train again from the start"),
}


PACES = (
    ("0", "Full speed"),
    ("1000", "1,000 steps/s"),
    ("100", "100 steps/s"),
    ("10", "10 steps/s"),
    ("1", "1 step/s"),
)
"""Steps a second at most, from fast to slow; 0 is as fast as it goes."""


class TopBar(Panel):
    """Says what the user wants; whoever listens runs it.

    ``device_chosen`` carries the key of a device, ``pace_chosen`` steps a second (0: as fast as it goes).
    """

    run_requested = Signal()
    pause_requested = Signal()
    step_requested = Signal()
    stop_requested = Signal()
    device_chosen = Signal(str)
    pace_chosen = Signal(float)

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("top", parent)
        self.setFixedHeight(HEIGHT)
        self._bench = bench
        self._plan: Started | None = None
        self._elsewhere: Session | None = None
        self._name = Elided("", weight=500)
        self._name.setMaximumWidth(260)
        self.run_button = IconButton(bench, "play", "Run", "primary")
        self.run_button.setMinimumWidth(96)
        self.run_on_button = MenuButton("Run on", "Where Run trains")
        self.step_button = IconButton(bench, "step", tip="Take one training step")
        self.stop_button = IconButton(bench, "stop", tip="End the run")
        self._progress = _Progress()
        self.device_button = MenuButton("Device", "Where the network is trained")
        self.set_devices([("auto", "Automatic")])
        self.pace_button = MenuButton(
            "Speed", "How fast it trains: slow enough to watch, or as fast as it goes"
        )
        self.pace_button.set_choices(PACES, PACES[0][0])
        self._right = row()
        self._lay_out()
        self.run_button.clicked.connect(self._run_or_pause)
        self.step_button.clicked.connect(self.step_requested)
        self.stop_button.clicked.connect(self.stop_requested)
        self.device_button.chosen.connect(self.device_chosen)
        self.pace_button.chosen.connect(lambda key: self.pace_chosen.emit(float(key)))
        bench.state_changed.connect(self._show_state)
        self._told = {
            Started: self._start,
            Progress: self._show_progress,
            Finished: self._finish,
            Failed: lambda event: self._progress.show_text("Stopped by an error", ""),
        }
        for signal, take in zip(
            (bench.started, bench.progress, bench.finished, bench.failed), self._told.values(), strict=True
        ):
            signal.connect(take)
        bench.run_reset.connect(self._reset)
        bench.noticed.connect(self._show_notice)
        for signal in (
            bench.runs_changed,
            bench.runs_moved,
            bench.store.sessions_changed,
            bench.store.arrived,
        ):
            signal.connect(self._show_elsewhere)
        self._show_state(bench.state)

    def _lay_out(self) -> None:
        product = label("Netwright", px=14, weight=600)
        layout = row(self, 8)
        layout.setContentsMargins(14, 0, 14, 0)
        left = row(spacing=18)
        left.addWidget(product)
        left.addWidget(self._name)
        left.addStretch(1)
        middle = row(spacing=6)
        for widget in (self.run_button, self.run_on_button, self.step_button, self.stop_button):
            middle.addWidget(widget)
        middle.addSpacing(14)
        middle.addWidget(self._progress)
        self._right.addWidget(self.pace_button)
        self._right.addWidget(self.device_button)
        right = row()
        right.addStretch(1)
        right.addLayout(self._right)
        layout.addLayout(left, 1)
        layout.addLayout(middle)
        layout.addLayout(right, 1)

    def set_title(self, name: str, dirty: bool) -> None:
        """Show the document's name, with a dot while it holds changes that are not saved."""
        self._name.set_text(f"{name} •" if dirty else name, f"{name}, not saved" if dirty else name)

    def set_place(self, words: str, tip: str) -> None:
        """Show where Run trains, in a word or two and in a sentence."""
        self.run_on_button.show_text(words)
        self.run_on_button.setToolTip(tip)

    @property
    def progress_text(self) -> str:
        """What is said about the run."""
        return self._progress.text

    def set_devices(self, devices: Sequence[tuple[str, str]], chosen: str = "auto") -> None:
        """Offer devices as ``(key, label)``; the chosen one is on the button."""
        self.device_button.set_choices(devices, chosen)

    def _run_or_pause(self) -> None:
        pause = self._bench.state == "running"
        (self.pause_requested if pause else self.run_requested).emit()

    def _show_state(self, state: str) -> None:
        icon, text, tip = _RUN[state]
        self.run_button.set_icon(icon)
        self.run_button.setText(text)
        self.run_button.setAccessibleName(text)
        self.run_button.setToolTip(tip)
        self.run_button.setEnabled(state != "starting")
        self.step_button.setEnabled(state not in ("starting", "running"))
        self.stop_button.setEnabled(self._bench.active is not None or state in BUSY)
        if state == "starting":
            self._progress.show_text("Starting", "")

    def _show_elsewhere(self) -> None:
        """Tell of a run that goes on behind the document in front: how far it is, and that Stop means it."""
        active, before = self._bench.active, self._elsewhere
        self._elsewhere = active if active is not self._bench.store.session else None
        self._name.setVisible(len(self._bench.store.sessions) == 1)  # else the tabs tell it
        if self._elsewhere is not None:
            words, left = active.run.words
            self._progress.show_text(f"{active.name} · {words}", left)
            self._progress.show_share(active.run.share)
        elif before is not None:
            self._reset()
            for event in self._bench.store.session.run.record.events if self._bench.store.session.run else ():
                if type(event) in self._told:
                    self._told[type(event)](event)
        whose = f"the run of {active.name}" if self._elsewhere else "the run"
        self.stop_button.setToolTip(f"End {whose}")
        self.stop_button.setEnabled(active is not None)

    def _show_notice(self, notice: str) -> None:
        """Say what is wrong in place of how far it is, and how far it is when that is over."""
        run = self._bench.store.session.run
        if notice:
            self._progress.show_text(notice, "")
        elif run is not None and run.busy:
            self._progress.show_text(*run.words)

    def _reset(self) -> None:
        self._plan = None
        self._progress.show_text("", "")
        self._progress.show_share(0.0)

    def _start(self, event: Started) -> None:
        self._plan = event
        self._progress.show_text(f"Epoch 1 of {event.epochs}", "")
        self._progress.show_share(0.0)
        threads = f" · {event.threads} thread{'s' * (event.threads != 1)}" if event.threads else ""
        self.device_button.show_text(f"{event.device.upper()}{threads}")

    def _show_progress(self, event: Progress) -> None:
        if self._plan is None or not len(event.step) or self._bench.notice:
            return
        step = int(event.step[-1])
        epoch = min(max(event.epoch, 1), self._plan.epochs)
        left = duration(event.seconds_left)
        self._progress.show_text(f"Epoch {epoch} of {self._plan.epochs} · step {step:,}", f"{left} left")
        self._progress.show_share(step / max(self._plan.steps, 1))

    def _finish(self, event: Finished) -> None:
        done = event.reason == "done"
        self._progress.show_text(
            f"{'Done' if done else 'Stopped'} after {event.steps:,} steps", f"in {duration(event.seconds)}"
        )
        if done:
            self._progress.show_share(1.0)


class _Progress(QWidget):
    """Two short texts over a thin bar; empty until there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumWidth(_PROGRESS)
        self._what = Elided(px=12)
        self._left = label("", "muted", 12)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the run")
        keep = self._bar.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(keep)
        texts = row()
        texts.addWidget(self._what, 1)
        texts.addWidget(self._left)
        layout = column(self, 4)
        layout.addStretch(1)
        layout.addLayout(texts)
        layout.addWidget(self._bar)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.show_text("", "")

    def sizeHint(self) -> QSize:
        return QSize(_PROGRESS, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # a narrow window must not grow when a run begins
        return QSize(_PROGRESS // 2, super().minimumSizeHint().height())

    @property
    def text(self) -> str:
        return self._what.full_text()

    def show_text(self, what: str, left: str) -> None:
        self._what.set_text(what)
        self._left.setText(left)
        self._bar.setVisible(bool(what))

    def show_share(self, share: float) -> None:
        self._bar.setUpdatesEnabled(False)  # it would repaint at once, apart from all that changes with it
        self._bar.setValue(round(1000 * min(max(share, 0.0), 1.0)))
        self._bar.setUpdatesEnabled(True)
