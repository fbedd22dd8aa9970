"""Which objective moves which node, as the canvas and the training page show it: one color each."""

from __future__ import annotations

from engine.graph import objectives
from engine.graph.document import Document
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
    """Return the colors of the objectives that move each node of the graph that is open.

    In a block all nodes have those of the block's own node. Only what has weights is moved.
    """
    places = shown(bench)
    if not places:
        return {}
    store = bench.store
    found: dict[str, list[str]] = {}
    for place in places:
        for id in _moved(store.whole, place, store.way[0][0] if store.way else ""):
            found.setdefault(id, []).append(color_of(place))
    if store.way:
        colors = tuple(found.get(store.way[0][0], ()))
        found = {id: colors for id, node in store.document.nodes.items() if not node.learning.frozen}
    counts = bench.analysis.parameters
    return {id: tuple(colors) for id, colors in found.items() if colors and counts.get(id, 0)}


def _moved(document: Document, place: int, outermost: str) -> frozenset[str]:
    moved = objectives.moved_by(document, place)
    return moved & {outermost} if outermost else moved


def legend(bench: Bench) -> list[tuple[str, str, int]]:
    """Return color and title of each objective that is shown, and how many nodes it moves here."""
    counts: dict[str, int] = {}
    for colors in marks(bench).values():
        for each in colors:
            counts[each] = counts.get(each, 0) + 1
    document = bench.store.whole
    return [
        (color_of(place), objectives.title_of(document, place), counts.get(color_of(place), 0))
        for place in shown(bench)
    ]
