"""The objectives of a document: added, removed, what they minimize and which nodes they move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.errors import EditError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Objective, frozen
from engine.graph.view import ancestors_of


def loss_nodes(document: Document) -> tuple[str, ...]:
    """Return the loss nodes in the order of the document."""
    return tuple(id for id, node in document.nodes.items() if layer_of(document, node.type).role == "loss")


def title_of(document: Document, place: int) -> str:
    """Return what an objective is called: its name, or what it minimizes."""
    objective = document.training.objectives[place]
    if objective.name:
        return objective.name
    losses = [document.nodes[id].title for id in objective.losses if id in document.nodes]
    return f"Minimize {' + '.join(losses) or 'every loss'}"


def moved_by(document: Document, place: int) -> frozenset[str]:
    """Return the nodes whose weights an objective changes: those it names, else all that its losses need.

    Frozen nodes are left out.
    """
    objective = document.training.objectives[place]
    losses = [id for id in objective.losses or loss_nodes(document) if id in document.nodes]
    nodes = objective.nodes or ancestors_of(document, losses)
    return frozenset(id for id in nodes if id in document.nodes and not document.nodes[id].learning.frozen)


def add_objective(document: Document, objective: Objective | None = None) -> Document:
    """Return the document with one more objective."""
    objectives = (*document.training.objectives, objective or Objective())
    return document.with_(training=replace(document.training, objectives=objectives))


def remove_objective(document: Document, place: int) -> Document:
    """Return the document without an objective. Raises EditError for the last one."""
    objectives = document.training.objectives
    if len(objectives) == 1:
        raise EditError("The last objective cannot be removed: without one there is nothing to minimize.")
    objectives = (*objectives[:place], *objectives[place + 1 :])
    return document.with_(training=replace(document.training, objectives=objectives))


def set_losses(document: Document, place: int, losses: Mapping[str, float]) -> Document:
    """Return the document with an objective that minimizes these losses, each with its weight; none: all.

    Raises EditError for what is no loss.
    """
    there = loss_nodes(document)
    for id in losses:
        if id not in there:
            raise EditError(f"{shown(id)} is no loss; there are {', '.join(there) or 'none'}.")
    return _with(document, place, losses=frozen({id: float(weight) for id, weight in losses.items()}))


def set_moved(document: Document, place: int, nodes: Iterable[str]) -> Document:
    """Return the document with an objective that changes the weights of these nodes; none: of all.

    Raises EditError for a node that is not there.
    """
    chosen = set(nodes)
    for id in chosen - document.nodes.keys():
        raise EditError(f"There is no node {shown(id)}.")
    return _with(document, place, nodes=tuple(id for id in document.nodes if id in chosen))


def name_objective(document: Document, place: int, name: str) -> Document:
    """Return the document with an objective called otherwise; an empty name tells what it minimizes."""
    return _with(document, place, name=name.strip()[:200])


def _with(document: Document, place: int, **changes: object) -> Document:
    objectives = document.training.objectives
    changed = replace(objectives[place], **changes)
    objectives = (*objectives[:place], changed, *objectives[place + 1 :])
    return document.with_(training=replace(document.training, objectives=objectives))
