"""Events as lines of a log, and back: one JSON object a line, exact, without anything that could run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from math import isfinite
from typing import Any, get_args

import numpy as np

from engine.graph.document import frozen
from engine.training.events import Event, Progress, Snapshot

_ROUGH = {"steps_per_second", "seconds_left", "live_cost"}
"""Estimates of a moment, in six digits: a step that has a line of its own must not cost much room."""

UNWRITTEN = (Snapshot,)
"""Events that live for the eye of the moment."""

KINDS: Mapping[str, type] = {kind.__name__.lower(): kind for kind in get_args(Event) if kind not in UNWRITTEN}
"""Every event that a log holds, by the name that its lines begin with."""


def line_of(event: Event, time: float) -> bytes:
    """Return an event as a line with its end; ``time`` is in seconds since 1970.

    The losses of a progress are written as short as their float allows and read back as the same number;
    what is no finite number becomes a text, because JSON has none.
    """
    told: dict[str, Any] = {"event": type(event).__name__.lower(), "time": round(time, 3)}
    losses = ""
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(event, Progress) and field.name == "step":
            told |= _steps(value)
        elif isinstance(event, Progress) and field.name == "loss":
            losses = _losses(value)
        elif field.name in _ROUGH:
            told[field.name] = plain(float(f"{value:.6g}"))
        elif isinstance(value, np.ndarray) or field.default is MISSING or value != field.default:
            told[field.name] = plain(value)
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{text[:-1]}{losses}}}\n".encode()


def event_of(line: bytes | str) -> tuple[Event, float] | None:
    """Return the event of a line and when it was told; None for a kind that only a newer program knows.

    Raises ValueError for a line that is none.
    """
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError("A line of a log is a JSON object.")
    kind = KINDS.get(told.get("event", ""))
    if kind is None:
        return None
    if told.get("parts") is not None:
        told["parts"] = np.array(told["parts"], dtype=np.float64)
    if kind is Progress:
        losses = np.array(told["loss"], dtype=np.float64)
        told["loss"] = losses if told.get("bits") == 64 else losses.astype(np.float32).astype(np.float64)
        first = told.pop("first", None)
        told["step"] = (
            np.array(told["step"], dtype=np.int64)
            if first is None
            else np.arange(first, first + len(told["loss"]))
        )
    readers = _readers(kind)
    try:
        event = kind(**{name: readers[name](value) for name, value in told.items() if name in readers})
    except (TypeError, KeyError) as error:
        raise ValueError(f"A line of a log lacks something: {error}.") from None
    return event, float(told.get("time", 0.0))


def _steps(steps: np.ndarray) -> dict[str, Any]:
    """The first step alone, where one follows the other."""
    if not len(steps) or int(steps[-1]) - int(steps[0]) == len(steps) - 1:
        return {"first": int(steps[0]) if len(steps) else 0}
    return {"step": steps.tolist()}


def _losses(values: np.ndarray) -> str:
    """The losses as the end of a line, formatted at once: a call for each would cost three times that."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        single = np.array_equal(values.astype(np.float32), values, equal_nan=True)
    if not np.isfinite(values).all():
        numbers = ",".join(json.dumps(plain(value)) for value in values.tolist())
    elif single:  # nine digits tell every float32 from its neighbors
        numbers = ("%.9g," * len(values) % tuple(values.tolist()))[:-1]
    else:
        numbers = ",".join(map(repr, values.tolist()))
    return f',"loss":[{numbers}]' if single else f',"bits":64,"loss":[{numbers}]'


def plain(value: Any) -> Any:
    """Return a value as JSON has it: what is no finite number becomes a text."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return value


@cache
def _readers(kind: type) -> dict[str, Any]:
    """How each field of an event is read back, by what it is annotated as."""
    return {field.name: _reader(str(field.type)) for field in fields(kind)}


def _reader(annotation: str) -> Any:
    if annotation == "float":
        return _number
    if annotation == "Way":
        return lambda value: tuple((str(node), int(index)) for node, index in value)
    if annotation.startswith("tuple"):
        return lambda value: _tuples(value)
    if annotation == "Mapping[str, float]":
        return lambda value: frozen({name: float(each) for name, each in value.items()})
    if annotation.startswith("Mapping"):
        return frozen
    return lambda value: value


def _number(value: Any) -> Any:
    """A number, also one that JSON has no word for; what was changed by hand may be a word or a switch."""
    if isinstance(value, str):
        return float(value) if value in ("nan", "inf", "-inf") else value
    return value if isinstance(value, bool) else float(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value
