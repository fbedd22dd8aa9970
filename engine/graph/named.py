"""What objectives name by id, and what becomes of it where nodes go, come or are called otherwise."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace

from engine.graph.document import Objective, Training, frozen


def without_nodes(training: Training, gone: Container[str]) -> Training:
    """Return the settings after nodes were deleted.

    An objective that named only what is gone goes too: it must not begin to minimize everything.
    """
    kept = []
    for objective in training.objectives:
        losses = {id: weight for id, weight in objective.losses.items() if id not in gone}
        nodes = tuple(id for id in objective.nodes if id not in gone)
        if len(losses) == len(objective.losses) and len(nodes) == len(objective.nodes):
            kept.append(objective)
        elif bool(losses) == bool(objective.losses) and bool(nodes) == bool(objective.nodes):
            kept.append(replace(objective, losses=frozen(losses), nodes=nodes))
    if len(kept) == len(training.objectives) and all(
        a is b for a, b in zip(kept, training.objectives, strict=True)
    ):
        return training
    first = replace(training.objectives[0], losses=frozen(), nodes=())
    return replace(training, objectives=tuple(kept) or (first,))


def renamed(training: Training, name: Callable[[str], str]) -> Training:
    """Return the settings with the nodes that they name called otherwise; two may become one."""

    def losses(objective: Objective) -> Mapping[str, float]:
        return frozen({name(id): weight for id, weight in objective.losses.items()})

    return _each(training, losses, lambda nodes: map(name, nodes))


def nameless(training: Training) -> Training:
    """Return the settings as they are inside of a block, where the ids that objectives name mean nothing."""
    return _each(training, lambda objective: frozen(), lambda nodes: ())


def unpacked(training: Training, id: str, inside: Iterable[str]) -> Training:
    """Return the settings with what stood in a block in the block's place."""
    inside = tuple(inside)

    def nodes(named: tuple[str, ...]) -> Iterable[str]:
        return (each for one in named for each in (inside if one == id else (one,)))

    return _each(training, lambda objective: objective.losses, nodes)


def _each(
    training: Training,
    losses: Callable[[Objective], Mapping[str, float]],
    nodes: Callable[[tuple[str, ...]], Iterable[str]],
) -> Training:
    """Return the settings with other losses and nodes named; the same value where nothing differs."""
    objectives = tuple(
        replace(each, losses=losses(each), nodes=tuple(dict.fromkeys(nodes(each.nodes))))
        for each in training.objectives
    )
    return training if objectives == training.objectives else replace(training, objectives=objectives)
