"""What a network costs, as people read it: one line for each kind, and each node's share of the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from engine.compiler.analysis import Analysis, in_bytes
from engine.training.events import Timed
from gui.bench import Bench
from gui.panels.words import count
from gui.style import mix
from gui.theme import Theme

STRONGEST = 0.5
"""How much of the hue the costliest node takes."""


@dataclass(frozen=True)
class Cost:
    """One kind of cost: ``of`` gives its numbers by node from an analysis and the times of the last run."""

    key: str
    title: str
    caption: str
    tip: str
    of: Callable[[Analysis, Timed | None], Mapping[str, float]]
    text: Callable[[float], str]
    missing: str = ""
    """Why there may be none."""


def milliseconds(value: float) -> str:
    """Return a time in two or three digits: 0.034 ms, 1.2 ms, 340 ms."""
    return f"{value:.2g} ms" if value < 9.95 else f"{value:,.0f} ms"


def _kept(analysis: Analysis, times: Timed | None) -> Mapping[str, float]:
    return {id: each.kept for id, each in analysis.memory.items() if each.kept}


def _times(analysis: Analysis, times: Timed | None) -> Mapping[str, float]:
    """The times of the nodes that are still there."""
    nodes = analysis.document.nodes
    return {id: value for id, value in times.forward.items() if id in nodes} if times else {}


COSTS = (
    Cost(
        "parameters",
        "Parameters",
        "parameters",
        "How many numbers it learns",
        lambda a, t: a.parameters,
        count,
    ),
    Cost(
        "macs", "Multiply-adds", "multiply-adds", "Multiply-adds for one sample", lambda a, t: a.macs, count
    ),
    Cost(
        "memory",
        "Memory",
        "kept for a sample",
        "Kept of one sample until the gradients are computed",
        _kept,
        in_bytes,
    ),
    Cost(
        "time",
        "Time",
        "forward of a batch",
        "Forward of a batch, measured in the last run",
        _times,
        milliseconds,
        "Run to measure",
    ),
)
"""Every kind of cost, in the order of the menus."""


@dataclass(frozen=True)
class Heat:
    """How a node is tinted: a number with its share as ``text``, the share alone, a level from 0 to 1."""

    text: str
    share: str
    level: float


@lru_cache(maxsize=512)
def tint(theme: Theme, level: float) -> str:
    """Return the ground of a node of a level from 0 to 1."""
    return mix(theme.raised, theme.heat, 0.04 + (STRONGEST - 0.04) * level)


def cost(key: str) -> Cost | None:
    """Return a kind of cost by its key, or None."""
    return next((each for each in COSTS if each.key == key), None)


def share(part: float, whole: float) -> str:
    """Return a share in whole percent; what is there but small is ``<1 %``."""
    percent = 100 * part / whole
    return "<1 %" if percent < 0.5 else f"{percent:.0f} %"


def heats(bench: Bench) -> dict[str, Heat]:
    """Return how each node of the graph that is open is tinted by the cost that the user chose.

    The level grows with the root of the number, so that small ones are still told apart.
    """
    chosen = cost(bench.heat)
    numbers = {id: n for id, n in chosen.of(bench.analysis, times_of(bench)).items() if n} if chosen else {}
    if not numbers:
        return {}
    most, whole = max(numbers.values()), sum(numbers.values())
    parts = {id: share(number, whole) for id, number in numbers.items()}
    return {
        id: Heat(f"{chosen.text(number)} · {parts[id]}", parts[id], sqrt(number / most))
        for id, number in numbers.items()
    }


def costs_of(bench: Bench, node: str) -> list[str]:
    """Return what a node costs, a line for each kind that it has."""
    times = times_of(bench)
    numbers = ((each, each.of(bench.analysis, times).get(node)) for each in COSTS)
    return [f"{each.text(number)} {each.caption}" for each, number in numbers if number]


def times_of(bench: Bench) -> Timed | None:
    """Return the times of the last run in the graph that is open, or None."""
    return bench.times.get(bench.store.way)
