"""What can be asked of a run, from any thread: it is taken note of here and done between two steps."""

from __future__ import annotations

import threading
from collections import deque
from time import perf_counter

from engine.errors import TrainingError
from engine.layers.params import Value
from engine.training.events import Watch


class Handle:
    """A run as it is held from outside. Every method may be called from any thread and returns at once.

    A subclass does the work in ``_work``, and answers a watch that comes after the end in ``_look_last``.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._glance: threading.Thread | None = None
        # What was asked; ``_asked`` is read without the lock after every step.
        self._wake = threading.Condition()
        self._asked = self._paused = self._stopped = self._closed = False
        self._singles = 0
        self._showing = False
        self._changes: deque[tuple[str, Value]] = deque()
        self._watch = Watch()
        self._pace = 0.0
        self._over = False
        """Whether the run has ended and every watch until then was answered."""

    @property
    def alive(self) -> bool:
        """Whether the run's thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stopped

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
            if self._over and not self._closed:
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

    def show(self) -> None:
        """Leave the weights as they are in the folder soon, for who looks on from elsewhere."""
        self._showing = True

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

    def _work(self) -> None:
        """Run, in a thread of its own."""
        raise NotImplementedError

    def _look_last(self) -> None:
        """Answer a watch after the end, in a short-lived thread."""
        raise NotImplementedError
