"""How a document is trained, as words beside names; and what differs between several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.graph.document import Document, Objective
from engine.graph.settings import OBJECTIVE, SETTINGS
from engine.layers.params import Param
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES


def settings_of(document: Document, whole: bool = False) -> dict[str, str]:
    """Return the settings of a document's training by their names, as people read them.

    Those that are as usual are left out, but for the first few, unless the ``whole`` is asked for.
    """
    training = document.training
    found: dict[str, str] = {}
    for param in SETTINGS:
        value = getattr(training, param.name)
        if whole or param.name in ("epochs", "batch_size", "seed") or value != param.default:
            found[param.title] = text(param, value)
    if training.init:
        found["Initialization"] = _with_options(training.init, training.init_options)
    several = len(training.objectives) > 1
    for place, objective in enumerate(training.objectives, 1):
        before = f"{objective.name or f'Objective {place}'}: " if several else ""
        found |= {f"{before}{name}": words for name, words in _objective(objective, whole)}
    return found


def different(documents: Sequence[Document]) -> dict[str, tuple[str, ...]]:
    """Return the settings in which several documents differ, with the words of each; "" where it has none.

    What some of them do not have, such as the options of another optimizer, is left out where it is as usual.
    """
    each = [settings_of(document, whole=True) for document in documents]
    chosen = {name for document in documents for name in settings_of(document)}
    names = dict.fromkeys(name for settings in each for name in settings)
    rows = {name: tuple(settings.get(name, "") for settings in each) for name in names}
    return {
        name: row for name, row in rows.items() if len(set(row)) > 1 and (name in chosen or "" not in row)
    }


def text(param: Param, value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return param.text(value) or "–"


def _objective(objective: Objective, whole: bool) -> list[tuple[str, str]]:
    rows = [("Optimizer", objective.optimizer)]
    if objective.losses:
        losses = (
            f"{name} × {weight:g}" if weight != 1 else name for name, weight in objective.losses.items()
        )
        rows.append(("Minimizes", " + ".join(losses)))
    if objective.nodes:
        rows.append(("Moves", ", ".join(objective.nodes)))
    declared = OPTIMIZERS.get(objective.optimizer)
    if declared is not None:
        values = declared.values(objective.options)
        rows += [
            (param.title, text(param, values[param.name]))
            for param in declared.params
            if whole or param.name == "lr" or values[param.name] != param.default
        ]
    if objective.schedule:
        declared = SCHEDULES.get(objective.schedule)
        label = getattr(declared, "label", "") or objective.schedule
        rows.append(("Schedule", _with_options(label, objective.schedule_options)))
    rows += [
        (param.title, text(param, getattr(objective, param.name)))
        for param in OBJECTIVE
        if whole or getattr(objective, param.name) != param.default
    ]
    return rows


def _with_options(name: str, options: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"{name} ({inside})" if inside else name
