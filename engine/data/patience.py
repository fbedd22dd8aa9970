"""Waiting before something is tried again, which ends at once in a thread whose work nobody wants."""

from __future__ import annotations

import threading

_of_thread = threading.local()


def heed(stop: threading.Event) -> None:
    """Let what waits in this thread end as soon as ``stop`` is set."""
    _of_thread.stop = stop


def wait(seconds: float) -> bool:
    """Wait, and return whether to go on; False at once when this thread is to end."""
    stop = getattr(_of_thread, "stop", None) or threading.Event()
    return not stop.wait(seconds)
