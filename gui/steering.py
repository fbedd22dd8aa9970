"""Edits of a document while it trains: what the run takes at once is told to it, however it was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QTimer

from engine.graph.changed import told_change
from engine.graph.settings import value_by_name
from engine.layers.params import Value
from engine.training.events import Changed
from gui.bench import Bench
from gui.bridge import Bridge

if TYPE_CHECKING:
    from engine.training.runner import Runner

GOING = ("running", "paused")
CALM_MS = 350
"""How long nothing is edited before the run is told: on its way to 0.05 a typed rate is 0 and 0.0."""


class Steering(QObject):
    """Follows every step of the document in front, undo and redo too, and hands on what the run takes.

    The parts of the window ask ``bench.steerable`` which settings these are.
    """

    def __init__(self, bench: Bench, bridge: Bridge, parent: QObject | None = None):
        super().__init__(parent)
        self._bench, self._bridge = bench, bridge
        self._told: WeakKeyDictionary[Runner, dict[str, Value | None]] = WeakKeyDictionary()
        for signal in (bench.state_changed, bench.started, bench.store.arrived):
            signal.connect(self._look)
        self._calm = QTimer(self, singleShot=True, interval=CALM_MS)
        self._calm.timeout.connect(self._follow)
        bench.store.edited.connect(self._calm.start)
        bench.setting_changed.connect(self._say)
        bridge.beginning.connect(self._prepare)
        bench.store.leaving.connect(self._follow)

    @property
    def _runner(self) -> Runner | None:
        return self._bridge.runner if self._bench.state in GOING else None

    def _prepare(self, runner: Runner) -> None:
        """Tell a run that goes on what was changed since it began, before its first step."""
        from engine.training.steering import steerable  # it needs torch, which a run has loaded

        began, now = runner.document, self._bench.store.whole
        known = {name: value_by_name(began, name) for name in steerable(began)}
        self._told[runner] = known
        for name, before in known.items():
            value = value_by_name(now, name)
            if value is not None and value != before:
                known[name] = value
                runner.set(name, value)

    def _look(self, *_: object) -> None:
        """Ask the run in front what it takes."""
        runner = self._runner
        names = frozenset(runner.steerable()) if runner is not None else None
        if runner is not None and names:
            began = runner.document  # what was edited while it started counts too
            known = self._told.setdefault(runner, {})
            known |= {name: value_by_name(began, name) for name in names - known.keys()}
        self._bench.set_steerable(names)
        self._follow()

    def _say(self, change: Changed) -> None:
        """Say what the run has taken, and from which step on."""
        if not self._bridge.retelling:
            words = told_change(self._bench.store.whole, change.name, change.before, change.after)
            self._bench.message.emit(f"From step {change.step + 1:,} on: {words}")

    def _follow(self) -> None:
        document = self._bench.store.whole
        known = self._told.get(self._runner, {}) if self._runner is not None else {}
        for name, before in known.items():
            value = value_by_name(document, name)
            if value is not None and value != before:
                known[name] = value
                self._bridge.change(name, value)
