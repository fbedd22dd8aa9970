"""Where a run stands, as its folder tells it: ``status.json``, written by the run, read by everybody."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from engine.training.lines import plain

DOCUMENT, ENVIRONMENT, RUN, STATUS = "document.netwright", "environment.json", "run.json", "status.json"
EVENTS, METRICS, SYSTEM = "events.jsonl", "metrics.csv", "system.csv"
WEIGHTS, MOMENTS, SAMPLES = "weights.safetensors", "moments", "samples.npz"
LIVE = "live.safetensors"
"""The weights of a moment ago, for who looks on from elsewhere."""

GOING = ("starting", "running", "paused")
"""States that a run writes while it is there; ``interrupted`` is what is left of one that was killed."""

SILENT = 60.0
"""Seconds without a heartbeat after which a run on another machine counts as interrupted."""

_LOWER = ("loss", "error", "perplexity", "mse", "mae", "rmse")


@dataclass(frozen=True)
class Status:
    """What a run last said.

    ``time`` is its heartbeat, ``told`` its last event, ``begun`` its first moment, in seconds since 1970;
    ``seconds`` is how long it has run, without the time between a kill and a resume.

    ``best`` holds of each metric its best value and the step of that. ``host``, ``pid`` and ``born`` name the
    process, so that a reader can tell whether it still lives.
    """

    state: str = "starting"
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    best: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    begun: float = 0.0
    time: float = 0.0
    told: float = 0.0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    device: str = ""
    parameters: int = 0
    message: str = ""
    node: str = ""
    host: str = ""
    pid: int = 0
    born: float = 0.0

    @property
    def now(self) -> str:
        """The state that holds: ``interrupted`` instead of one whose process is no more."""
        return "interrupted" if self.state in GOING and not self._alive() else self.state

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.step / self.steps, 1.0) if self.steps else 0.0

    def _alive(self) -> bool:
        fresh = abs(time.time() - self.time) < SILENT
        if self.host != platform.node():
            return fresh
        try:
            process = psutil.Process(self.pid)
            # A clock that is set moves the birth of every process; the heartbeat then is the better witness.
            same = fresh or abs(process.create_time() - self.born) < 1
            return same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError, OverflowError):
            return False

    def text(self) -> str:
        """Return it as the text of its file; what is no finite number is a text there."""
        return json.dumps(plain(asdict(self)), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


class Process(NamedTuple):
    """A process of a machine: its number and the moment of its birth name it for ever."""

    host: str
    pid: int
    born: float


def this_process() -> Process:
    """Return the process that asks."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> Process:
    return Process(platform.node(), pid, psutil.Process(pid).create_time())


def read_status(folder: Path) -> Status | None:
    """Return the status in a run's folder, None where there is none that can be read."""
    raw = read_object(folder / STATUS)
    if raw is None:
        return None
    status = Status()
    for each in fields(Status):
        if each.name in raw:
            with suppress(TypeError, ValueError, AttributeError):
                status = replace(status, **{each.name: _read(each.name, raw[each.name])})
    return status


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, None where there is none."""
    try:
        raw = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return raw if isinstance(raw, dict) else None


def lower_is_better(metric: str) -> bool:
    """Return whether the small values of a metric are the good ones."""
    return metric.lower().endswith(_LOWER)


def improved(
    best: Mapping[str, tuple[float, int]], metrics: Mapping[str, float], step: int
) -> dict[str, tuple[float, int]]:
    """Return the best values with those of one more evaluation."""
    result = dict(best)
    for name, value in metrics.items():
        known = result.get(name)
        sign = -1 if lower_is_better(name) else 1
        if value == value and (known is None or sign * value > sign * known[0]):
            result[name] = (value, step)
    return result


_TEXTS = ("state", "device", "message", "node", "host")
_WHOLE = ("step", "steps", "epoch", "epochs", "parameters", "pid")


def _read(name: str, value: Any) -> Any:
    if name == "metrics":
        return {str(key): float(each) for key, each in value.items()}
    if name == "best":
        return {str(key): (float(best), int(step)) for key, (best, step) in value.items()}
    if name == "loss" and value is None:
        return None
    return (str if name in _TEXTS else int if name in _WHOLE else float)(value)
