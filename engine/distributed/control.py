"""Steering a run from outside its process: orders as lines of a file in the run's folder.

Whoever steers appends, the run reads; neither waits for the other, nothing has a port, and whatever carries
files to another machine carries orders too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from engine.errors import EngineError, FileError
from engine.storage.failures import why_not_written

NAME = "control.jsonl"


class Steered(Protocol):
    """What can be steered: a Runner."""

    pace: float

    def pause(self) -> None:
        """Wait after the present step."""

    def resume(self) -> None:
        """Go on after a pause."""

    def step(self) -> None:
        """Take one step, then pause."""

    def stop(self) -> None:
        """End after the present step."""

    def show(self) -> None:
        """Leave the present weights in the folder."""

    def set(self, name: str, value: Any) -> None:
        """Change a setting from the next step on."""


def _pace(run: Steered, order: Mapping[str, Any]) -> None:
    run.pace = max(0.0, float(order["value"]))


ORDERS: Mapping[str, Callable[[Steered, Mapping[str, Any]], None]] = {
    "pause": lambda run, order: run.pause(),
    "resume": lambda run, order: run.resume(),
    "step": lambda run, order: run.step(),
    "stop": lambda run, order: run.stop(),
    "show": lambda run, order: run.show(),
    "set": lambda run, order: run.set(str(order["name"]), order["value"]),
    "pace": _pace,
}
"""What can be asked of a run, by the word that its line holds."""

MOMENTARY = ("step", "show")
"""Orders that are not given again to a process that takes the place of a killed one."""


def order_line(do: str, **more: Any) -> bytes:
    """Return an order as a line with its end, such as ``order_line("set", name="lr", value=0.01)``."""
    if do not in ORDERS:
        raise ValueError(f"There is no order {do!r}; there are {', '.join(ORDERS)}.")
    return json.dumps({"do": do, **more}, separators=(",", ":")).encode() + b"\n"


def give_order(folder: Path, do: str, **more: Any) -> None:
    """Append an order for the run of a folder. Raises FileError where that cannot be written."""
    append_line(folder / NAME, order_line(do, **more))


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file in one piece, so that several may steer at once. Raises FileError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        raise FileError(why_not_written(path, error)) from error


def forget_orders(folder: Path) -> None:
    """Remove what was asked of an earlier run of a folder."""
    with suppress(OSError):
        (folder / NAME).unlink(missing_ok=True)


class Control:
    """The orders that a folder holds, each given once.

    A process that takes the place of a killed one hears all of them again from the beginning, but for those
    of the moment: so a run that was paused, or whose learning rate was changed, is so again.
    """

    def __init__(self, folder: Path, again: bool = False):
        self._path = folder / NAME
        self._place = 0
        self._again = again

    def __call__(self, run: Steered) -> None:
        """Give the run what was asked since the last time; what it refuses is left out."""
        again, self._again = self._again, False
        for order in self._new():
            act = ORDERS.get(str(order.get("do")))
            if act is None or (again and order["do"] in MOMENTARY):
                continue
            # Whoever steers has checked it against what he knew; a run that knows better goes on as it was.
            with suppress(EngineError, KeyError, TypeError, ValueError):
                act(run, order)

    def _new(self) -> list[Mapping[str, Any]]:
        """The whole lines that have come."""
        try:
            if self._path.stat().st_size <= self._place:
                return []
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._place += len(whole)
        orders = []
        for line in whole.splitlines():
            with suppress(ValueError):
                order = json.loads(line)
                if isinstance(order, dict):
                    orders.append(order)
        return orders
