"""Which moments of a run stay: the newest and the best to go on from, others thinly to walk back in time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import sqrt

NEWEST = 2
"""Moments that always stay, so that a damaged last one costs little."""

BUDGET = 96 * 2**20
"""Bytes that the others may take together."""

MOST = 200
"""Others that stay at most, however small they are."""


def surplus(
    moments: Mapping[int, int],
    best: Collection[int] = (),
    budget: int = BUDGET,
    most: int = MOST,
    newest: int = NEWEST,
) -> tuple[int, ...]:
    """Return the steps of the moments that may go, given the bytes of each by its step.

    The newest and the ``best`` always stay. Of the others, that one goes first whose neighbors are closest
    to each other, so that what stays is spread over the whole run; it is denser where the run was young and
    learned fast, because distances are those of the steps' square roots. The first moment stays longest.
    """
    steps = sorted(moments)
    firm = {*steps[-newest:], *best} if newest else set(best)
    others = [step for step in steps if step not in firm]
    size = sum(moments[step] for step in others)
    gone: list[int] = []
    while others and (size > budget or len(others) > most):
        stays = [step for step in steps if step not in gone]
        inner = [step for step in others if step != stays[0]] or others
        step = min(inner, key=lambda step: _gap(stays, step))
        others.remove(step)
        gone.append(step)
        size -= moments[step]
    return tuple(gone)


def _gap(steps: list[int], step: int) -> float:
    """How far apart the neighbors of a step would be without it."""
    place = steps.index(step)
    after = steps[min(place + 1, len(steps) - 1)]
    return sqrt(after) - sqrt(steps[max(place - 1, 0)])
