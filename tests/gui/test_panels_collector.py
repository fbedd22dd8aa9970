"""Garbage is collected by the window's thread, and by no other."""

from __future__ import annotations

import gc
from threading import Thread

from gui.collector import Collector


class Knot:
    """An object that only a collection frees."""

    freed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Knot.freed += 1


def _tie(count: int) -> None:
    for _ in range(count):
        Knot()


def test_a_busy_thread_does_not_collect_but_the_timer_does(qtbot):
    gc.collect()
    Knot.freed = 0
    collector = Collector()
    thread = Thread(target=_tie, args=(5_000,))
    thread.start()
    thread.join()
    assert Knot.freed == 0
    qtbot.waitUntil(lambda: Knot.freed == 5_000)
    collector.deleteLater()
