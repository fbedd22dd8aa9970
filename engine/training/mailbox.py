"""Between the thread that trains and the one that watches: nothing blocks, nothing grows without need."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.training.events import Evaluated, Event, Progress, Snapshot

PENDING = 256
"""Events that wait before the progress among them is merged."""


class Mailbox:
    """Events in order. Of snapshots only the newest waits; many waiting progress events become one."""

    def __init__(self, pending: int = PENDING):
        self._pending = self._limit = pending
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self.bell: Callable[[], object] | None = None
        """Called from the writer's thread when something comes that presses."""
        self.pressing = False
        """Whether something waits that is more than numbers and pictures, and should be told at once."""
        self.unseen = False
        """Whether a snapshot waits: another one would only take its place."""

    def put(self, event: Event) -> None:
        """Add an event; never waits for a reader."""
        ring = False
        with self._lock:
            if isinstance(event, Snapshot):
                self.unseen = True
                self._events = [each for each in self._events if not isinstance(each, Snapshot)]
            elif not isinstance(event, Progress | Evaluated):
                self.pressing = ring = True
            self._events.append(event)
            if len(self._events) > self._limit:
                self._events = merged(self._events)
                # What cannot be merged stays; the next merge waits for as many again.
                self._limit = max(self._pending, 2 * len(self._events))
        if ring and self.bell is not None:
            self.bell()

    def drain(self) -> list[Event]:
        """Return what has come since the last call, and forget it."""
        with self._lock:
            events, self._events = self._events, []
            self.pressing = self.unseen = False
            self._limit = self._pending
            return events

    def __len__(self) -> int:
        with self._lock:
            return len(self._events)


def merged(events: list[Event]) -> list[Event]:
    """Return the events with all progress in the place of its last part."""
    parts = [each for each in events if isinstance(each, Progress)]
    if len(parts) < 2:
        return events
    whole = Progress.joined(parts)
    # By identity, because arrays make the equality of events ambiguous.
    gone = {id(part) for part in parts[:-1]}
    return [whole if each is parts[-1] else each for each in events if id(each) not in gone]
