"""Which objective moves which node, as the canvas and the training page show it: one color each."""

from __future__ import annotations

from engine.graph import objectives
from gui.bench import Bench
from gui.style import mix
from gui.theme import OBJECTIVES, Theme

TINT = 0.16
"""How much of an objective's color the ground of a node takes."""


def color_of(place: int) -> str:
    """Return the color of an objective."""
    return OBJECTIVES[place % len(OBJECTIVES)]


def ground(theme: Theme, color: str) -> str:
    """Return the ground of a node that an objective moves."""
    return mix(theme.raised, color, TINT)


def shown(bench: Bench) -> tuple[int, ...]:
    """Return the places of the objectives whose nodes are shown now."""
    count = len(bench.store.whole.training.objectives)
    if bench.objective_lit is not None:
        return (bench.objective_lit,) if bench.objective_lit < count else ()
    return tuple(range(count)) if bench.objectives_shown else ()


def marks(bench: Bench) -> dict[str, tuple[str, ...]]:
    """Return the colors of the objectives that are shown now, for each node that they move."""
    found: dict[str, list[str]] = {}
    for place in shown(bench):
        for id in moved_here(bench, place):
            found.setdefault(id, []).append(color_of(place))
    return {id: tuple(colors) for id, colors in found.items()}


def moved_here(bench: Bench, place: int) -> frozenset[str]:
    """Return the nodes of the graph that is open whose weights an objective changes.

    In a block these are all that learn, if it moves the block's own node.
    """
    store, counts = bench.store, bench.analysis.parameters
    moved = objectives.moved_by(store.whole, place)
    if store.way:
        inner = store.document.nodes.items() if store.way[0][0] in moved else ()
        moved = frozenset(id for id, node in inner if not node.learning.frozen)
    return frozenset(id for id in moved if counts.get(id))


def legend(bench: Bench) -> list[tuple[str, int]]:
    """Return the title of each objective, and how many nodes it moves in the graph that is open."""
    document = bench.store.whole
    return [
        (objectives.title_of(document, place), len(moved_here(bench, place)))
        for place in range(len(document.training.objectives))
    ]
