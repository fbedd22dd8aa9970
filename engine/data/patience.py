"""Waiting before something is tried again, which ends soon in a thread whose work nobody wants."""

from __future__ import annotations

import threading
from time import monotonic

from engine.errors import DataError

_of_thread = threading.local()
_STEP = 0.05


class Unwanted(DataError):
    """What was waited for is not wanted any more; nothing is wrong."""


def heed(*stops: threading.Event) -> None:
    """Let what waits in this thread end as soon as one of the events is set."""
    _of_thread.stops = stops


def heeded() -> tuple[threading.Event, ...]:
    """Return the events that this thread heeds, for threads that work for it."""
    return getattr(_of_thread, "stops", ())


def wait(seconds: float) -> None:
    """Wait before another attempt; raises Unwanted where this thread is to end."""
    stops = heeded() or (threading.Event(),)
    end = monotonic() + seconds
    while not any(stop.is_set() for stop in stops):
        left = end - monotonic()
        if left <= 0:
            return
        stops[0].wait(min(left, _STEP))
    raise Unwanted("It was ended while it waited for the network.")
