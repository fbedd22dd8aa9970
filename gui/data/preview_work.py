"""Questions that take a while, answered in a thread: the newest one counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import EngineError

POLL_MS = 40


@dataclass(frozen=True)
class Failure:
    """Why there is no answer, as a sentence for people."""

    message: str


class _Work(Thread):
    """Finds an answer; touches nothing of Qt, so that whoever asked may be gone when it ends."""

    def __init__(self, question: Callable[[], object]):
        super().__init__(daemon=True, name="preview")
        self._question = question
        self.answer: object = None

    def run(self) -> None:
        try:
            self.answer = self._question()
        except EngineError as error:
            self.answer = Failure(error.message)
        except Exception as error:  # a reader's surprise must not end the window
            self.answer = Failure(f"This data cannot be shown: {error or type(error).__name__}.")


class Newest(QObject):
    """Answers one question at a time, and then the newest that was asked meanwhile.

    ``answered`` carries what the question returned, or a Failure; never for one that a newer one replaced.
    """

    answered = Signal(object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._work: _Work | None = None
        self._next: Callable[[], object] | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._work is not None

    def ask(self, question: Callable[[], object]) -> None:
        """Ask in the background, in place of what was asked before."""
        self._next = question
        if self._work is None:
            self._begin()

    def _begin(self) -> None:
        self._work, self._next = _Work(self._next), None
        self._work.start()
        self._timer.start()

    def _look(self) -> None:
        if self._work.is_alive():
            return
        done, self._work = self._work, None
        if self._next is not None:
            self._begin()
            return
        self._timer.stop()
        self.answered.emit(done.answer)
