"""The optimizers of an objective, made for the weights it moves, and their numbers by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from engine.errors import TrainingError
from engine.graph.document import Objective
from engine.optimizers import OPTIMIZERS, Optimizer

Group = Mapping[str, Any]
"""Weights with one learning rate: ``params``; ``rate`` multiplies the objective's (1 where it is missing)."""


def make_optimizers(
    objective: Objective, groups: Sequence[Group], device: torch.device
) -> list[torch.optim.Optimizer]:
    """Return torch's optimizers of an objective: one, or two where the first one moves matrices alone.

    Raises TrainingError if the groups do not fit it.
    """
    declared = OPTIMIZERS[objective.optimizer]
    options = declared.arguments(objective.options)
    groups = [
        {"lr": options["lr"] * group.get("rate", 1.0), **group, "params": params}
        for group in groups
        if (params := list(group["params"]))
    ]
    if not groups:
        return []
    if declared.single:
        return [_make(declared, options, [_joined(declared, groups)], device)]
    if not declared.rest:
        return [_make(declared, options, groups, device)]
    rest = OPTIMIZERS[declared.rest]
    shared = {param.name for param in rest.params} & {param.name for param in declared.params}
    given = {name: options[name] for name in shared}
    made = [
        _make(declared, options, _part(groups, matrices=True), device),
        _make(rest, rest.arguments(given), _part(groups, matrices=False), device),
    ]
    return [each for each in made if each is not None]


def _make(
    declared: Optimizer, options: Mapping[str, Any], groups: list[dict[str, Any]], device: torch.device
) -> torch.optim.Optimizer | None:
    if not groups:
        return None
    kind = getattr(torch.optim, declared.type)
    return kind(groups, **options, **declared.quick(device.type))


def _part(groups: Sequence[Group], matrices: bool) -> list[dict[str, Any]]:
    """The groups with their matrices alone, or with all that is none."""
    parts = [
        {**group, "params": [each for each in group["params"] if (each.ndim == 2) is matrices]}
        for group in groups
    ]
    return [part for part in parts if part["params"]]


def _joined(declared: Optimizer, groups: list[dict[str, Any]]) -> dict[str, Any]:
    if len({group["lr"] for group in groups}) > 1:
        raise TrainingError(
            f"{declared.type} moves all weights with one learning rate, but nodes here have multipliers of "
            "their own; set these to 1 or choose another optimizer."
        )
    return {**groups[0], "params": [each for group in groups for each in group["params"]]}


def option(optimizer: torch.optim.Optimizer, name: str) -> Any:
    """Return what an optimizer's first weights have of the option ``name``; None if it has no such option."""
    group, (whole, place) = optimizer.param_groups[0], _where(optimizer, name)
    value = group.get(whole)
    return value[place] if place is not None and value is not None else value


def set_option(optimizer: torch.optim.Optimizer, name: str, value: Any) -> None:
    """Give all weights of an optimizer another value of an option, as its declaration names it.

    The learning rate is not set here: groups have their own, and a schedule moves them.
    """
    whole, place = _where(optimizer, name)
    for group in optimizer.param_groups:
        if place is None:
            group[whole] = value
        else:
            group[whole] = (*group[whole][:place], value, *group[whole][place + 1 :])


def _where(optimizer: torch.optim.Optimizer, name: str) -> tuple[str, int | None]:
    """Where torch keeps an option: its name there, and its place in a tuple."""
    for whole, parts in OPTIMIZERS[type(optimizer).__name__].tuples.items():
        if name in parts:
            return whole, parts.index(name)
    return name, None
