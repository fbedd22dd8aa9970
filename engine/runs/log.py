"""What a run told, read from its folder: of one that is over, or following one that goes on elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from engine.errors import FileError
from engine.training.events import Evaluated, Event, Progress, Resumed
from engine.training.lines import event_of
from engine.training.record import up_to
from engine.training.status import EVENTS, SYSTEM

AT_ONCE = 1 << 22
"""Bytes of a log that are read in one piece, so that a reader gets to breathe between two of them."""


class Tail:
    """Reads a log while another process writes it, also over a network: what is new since the last time.

    A last line without its end is left for later. A log that became shorter is that of a run which began
    anew, and is read from its beginning; it says so by ``Started``.
    """

    def __init__(self, folder: Path | str, offset: int = 0):
        self.path = Path(folder) / EVENTS
        self.offset = offset
        """Bytes that were read; another tail may go on from there."""
        self.time = 0.0
        """When the last event was told, in seconds since 1970."""

    def read(self, most: int = AT_ONCE) -> list[Event]:
        """Return the events that came since the last call, from at most so many bytes; none at its end.

        A damaged line and an event of a newer program are passed over. Raises FileError where there is a log
        that cannot be read.
        """
        events: list[Event] = []
        while not events and (lines := self._lines(most)):
            for line in lines:
                with suppress(ValueError):
                    if (told := event_of(line)) is not None:
                        event, self.time = told
                        events.append(event)
        return events

    def _lines(self, most: int) -> list[bytes]:
        """The next whole lines."""
        try:
            size = self.path.stat().st_size
            if size < self.offset:
                self.offset = 0
            if size == self.offset:
                return []
            with self.path.open("rb") as file:
                file.seek(self.offset)
                piece = file.read(most)
                while b"\n" not in piece and (more := file.read(most)):
                    piece += more
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileError(f"{self.path} could not be read: {error.strerror or error}.") from error
        whole = piece[: piece.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.split(b"\n")[:-1]


def read_events(folder: Path | str) -> list[Event]:
    """Return all that a run told and that still holds: what a resume took back is gone. Raises FileError."""
    tail, events = Tail(folder), []
    while new := tail.read():
        events += new
    return settled(events)


def settled(events: Iterable[Event]) -> list[Event]:
    """Return the events without those that a later ``Resumed`` takes back."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Resumed):
            kept = up_to(kept, event.step)
        kept.append(event)
    return kept


def losses(events: Iterable[Event]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and losses, (k,) each."""
    parts = [event for event in events if isinstance(event, Progress)]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0)
    return np.concatenate([part.step for part in parts]), np.concatenate([part.loss for part in parts])


def metrics(events: Iterable[Event]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the steps and values of each metric, (k,) each."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events:
        if isinstance(event, Evaluated):
            for name, value in event.metrics.items():
                found.setdefault(name, []).append((event.step, value))
    return {
        name: (np.array([step for step, _ in pairs]), np.array([value for _, value in pairs]))
        for name, pairs in found.items()
    }


def read_load(folder: Path | str) -> dict[str, np.ndarray]:
    """Return the columns of system.csv, NaN where something is not known; empty where there is none."""
    try:
        with (Path(folder) / SYSTEM).open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if None not in row.values()]
    except OSError:
        return {}
    return {
        name: np.array([float(row[name] or "nan") for row in rows])
        for name in (rows[0] if rows else ())
        if name
    }
