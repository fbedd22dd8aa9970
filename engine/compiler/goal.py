"""What an objective minimizes: a weighted sum of losses as a function of the model and the data fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from engine.compiler.analysis import SourceText
from engine.compiler.guard import check_source
from engine.compiler.plan import Plan
from engine.compiler.resolve import Step
from engine.compiler.source import render_losses
from engine.errors import CompileError
from engine.graph.document import Objective, Slot

Fields = Mapping[str, Tensor]


@dataclass
class Goal:
    """A weighted sum of losses; ``weights`` are by loss node and may be changed between two calls.

    A ``whole`` one runs the model's own forward; else only the steps run that its losses depend on.
    """

    weights: dict[str, float]
    whole: bool
    parts: Callable[[nn.Module, Fields], Sequence[Tensor]]
    """The losses themselves, in the order of the weights."""

    def __call__(self, model: nn.Module, batch: Fields) -> Tensor:
        """Return the sum for a batch."""
        total = None
        for value, weight in zip(self.parts(model, batch), self.weights.values(), strict=True):
            if weight != 1:
                value = value * weight
            total = value if total is None else total + value
        return total


def make_goal(
    plan: Plan, objective: Objective, namespace: Mapping[str, Any], filename: str
) -> tuple[Goal, SourceText]:
    """Return what an objective minimizes, and the text of its function.

    Raises CompileError for a loss that is no part of the model.
    """
    slots = _slots(plan, objective)
    needed = _needed(plan.steps, slots)
    model = {step.node for step in plan.model}
    whole = model <= {step.node for step in needed}
    steps = [step for step in needed if not whole or step.node not in model]
    text = render_losses(plan, steps, slots, whole)
    check_source(text.text)
    names = dict(namespace)
    exec(compile(text.text, filename, "exec"), names)
    weights = {slot.node: objective.losses.get(slot.node, 1.0) for slot in slots}
    call = _whole if whole else _partial
    return Goal(weights, whole, call(plan, names["losses"])), text


def _slots(plan: Plan, objective: Objective) -> list[Slot]:
    if not objective.losses:
        return list(plan.totals)
    outputs = {step.node: step.outputs[0] for step in plan.loss}
    for id in objective.losses:
        if id not in outputs:
            raise CompileError(
                f"An objective minimizes {id}, which is no loss of the model: connect it, or choose another.",
                id,
            )
    return [slot for id, slot in outputs.items() if id in objective.losses]


def _needed(steps: Sequence[Step], slots: Sequence[Slot]) -> list[Step]:
    """The steps that some slots depend on, in order."""
    wanted, needed = set(slots), []
    for step in reversed(steps):
        if wanted.intersection(step.outputs):
            wanted.update(step.inputs)
            needed.append(step)
    return needed[::-1]


def _whole(plan: Plan, losses: Callable[..., Sequence[Tensor]]) -> Callable[..., Sequence[Tensor]]:
    arguments, fields = tuple(plan.arguments.values()), tuple(plan.fields.values())
    if len(plan.outputs) > 1:
        return lambda model, batch: losses(
            *model(*[batch[name] for name in arguments]), *[batch[name] for name in fields]
        )
    return lambda model, batch: losses(
        model(*[batch[name] for name in arguments]), *[batch[name] for name in fields]
    )


def _partial(plan: Plan, losses: Callable[..., Sequence[Tensor]]) -> Callable[..., Sequence[Tensor]]:
    names = tuple({**plan.arguments, **plan.fields}.values())
    return lambda model, batch: losses(model, *[batch[name] for name in names])
