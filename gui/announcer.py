"""Says what happens, for who does not see it: edits, problems, and how the training goes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.graph.diff import Diff
from engine.graph.document import Slot
from engine.training.events import Evaluated, Failed, Finished, Started
from gui.bench import Bench
from gui.panels.words import duration, plural
from gui.views.text import number, percent

PAUSE_MS = 400
"""What happens within this time is said in one breath."""
RESULTS_MS = 5000
"""Results of a training are said at most so often, and once more at its end."""


class Announcer(QObject):
    """Puts what happens into sentences; ``said`` carries each, and a screen reader hears it politely."""

    said = Signal(str)

    def __init__(self, bench: Bench, speaker: QWidget):
        super().__init__(speaker)
        self._bench, self._speaker = bench, speaker
        self._sentences: dict[str, str] = {}
        self._epochs = 0
        self._results = QElapsedTimer()
        self._problems = len(bench.analysis.problems)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self.speak)
        bench.store.changed.connect(self._edited)
        bench.store.replaced.connect(self._opened)
        bench.analyzed.connect(self._analyzed)
        bench.message.connect(lambda text: self.say("message", text))
        bench.started.connect(self._started)
        bench.evaluated.connect(self._evaluated)
        bench.finished.connect(self._finished)
        bench.failed.connect(self._failed)

    def say(self, about: str, text: str) -> None:
        """Say a sentence soon; a newer one about the same takes its place."""
        self._sentences.pop(about, None)
        self._sentences[about] = text
        if not self._timer.isActive():
            self._timer.start()

    def speak(self) -> None:
        """Say what has gathered."""
        text = " ".join(each for each in self._sentences.values() if each)
        self._sentences.clear()
        if not text:
            return
        self.said.emit(text)
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._speaker, text))

    def _title(self, id: str) -> str:
        node = self._bench.store.document.nodes.get(id)
        return node.title if node is not None else id

    def _slot(self, slot: Slot) -> str:
        return f"{self._title(slot.node)} {slot.port}"

    def _edited(self, diff: Diff) -> None:
        document = self._bench.store.document
        told = []
        if diff.added:
            told.append(f"{self._listed(diff.added)} added.")
        if diff.removed:
            told.append(f"{plural(len(diff.removed), 'node')} deleted.")
        if len(diff.edges_added) == 1:
            target = next(iter(diff.edges_added))
            told.append(f"{self._slot(document.edges[target])} connected to {self._slot(target)}.")
        elif diff.edges_added:
            told.append(f"{plural(len(diff.edges_added), 'wire')} connected.")
        elif diff.edges_removed and not diff.removed:
            told.append(f"{plural(len(diff.edges_removed), 'wire')} disconnected.")
        if not told and diff.changed:
            word = "changed" if diff.meaning else "moved"
            told.append(f"{self._listed(diff.changed)} {word}.")
        self.say("edit", " ".join(told))

    def _listed(self, ids: frozenset[str]) -> str:
        return self._title(next(iter(ids))) if len(ids) == 1 else plural(len(ids), "node")

    def _opened(self) -> None:
        document = self._bench.store.document
        self._sentences.clear()
        self.say("edit", f"{document.name or 'Untitled'}: {plural(len(document.nodes), 'node')}.")

    def _analyzed(self, analysis: Analysis) -> None:
        count = len(analysis.problems)
        if count != self._problems:
            first = analysis.problems[0].message if count else ""
            self.say("problems", f"{plural(count, 'problem')}: {first}" if count else "No problems.")
        self._problems = count

    def _started(self, event: Started) -> None:
        self._epochs = event.epochs
        self._results.invalidate()
        self.say("run", f"Training for {plural(event.epochs, 'epoch')}.")

    def _evaluated(self, event: Evaluated) -> None:
        if not self._results.isValid() or self._results.elapsed() > RESULTS_MS:
            self._results.start()
            self.say("run", f"Epoch {event.epoch} of {self._epochs}: {_results(event.metrics)}.")

    def _finished(self, event: Finished) -> None:
        done = "Done" if event.reason == "done" else "Stopped"
        said = f"{done} after {plural(event.steps, 'step')} in {duration(event.seconds)}"
        results = _results(event.metrics)
        self.say("end", f"{said}: {results}." if results else f"{said}.")

    def _failed(self, event: Failed) -> None:
        self.say("end", f"Stopped by an error: {event.message}")


def _results(metrics: Mapping[str, float]) -> str:
    told = (
        ("loss", "loss", number),
        ("val_loss", "validation loss", number),
        ("val_accuracy", "accuracy", percent),
    )
    return ", ".join(f"{word} {form(float(metrics[name]))}" for name, word, form in told if name in metrics)
