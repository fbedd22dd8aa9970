"""The optimizers: one value each, named as in torch.optim, plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.catalogue import did_you_mean
from engine.errors import ParameterError, shown
from engine.layers.params import Bool, Float, Param, Value, check_params

_DECAY = Float(name="weight_decay", default=0.0, min=0, doc="Pulls every weight towards zero.")

_EPS = Float(name="eps", default=1e-8, min=0, doc="Keeps the division from zero.")
_MOMENTS = (
    Float(name="beta1", default=0.9, min=0, max=0.9999, doc="How long the mean gradient is remembered."),
    Float(name="beta2", default=0.999, min=0, max=0.99999, doc="How long its square is remembered."),
    _EPS,
)


def _lr(default: float) -> Float:
    return Float(name="lr", default=default, min=0, label="Learning rate", doc="How far each step goes.")


@dataclass(frozen=True)
class Optimizer:
    """One way to turn gradients into steps; ``type`` is its class in torch.optim.

    ``state`` tells from its options how many numbers it remembers for each weight.
    """

    type: str
    doc: str
    params: tuple[Param, ...]
    state: Callable[[Mapping[str, Value]], int]

    def values(self, options: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every option, defaults filled in."""
        return {param.name: options.get(param.name, param.default) for param in self.params}

    def kept(self, options: Mapping[str, Value]) -> int:
        """Return how many numbers it remembers for each weight."""
        return self.state(self.values(options))


OPTIMIZERS = {
    optimizer.type: optimizer
    for optimizer in (
        Optimizer(
            "SGD",
            "Follows the gradient, with momentum if you like.",
            (
                _lr(0.1),
                Float(name="momentum", default=0.0, min=0, max=1, doc="Share of the last step that is kept."),
                Bool(
                    name="nesterov",
                    default=False,
                    doc="Look ahead along the momentum; needs momentum above 0.",
                ),
                _DECAY,
            ),
            lambda o: int(o["momentum"] > 0),
        ),
        Optimizer(
            "Adam",
            "Scales each weight's step by its own recent gradients.",
            (_lr(0.001), *_MOMENTS, _DECAY),
            lambda o: 2,
        ),
        Optimizer(
            "AdamW",
            "Adam whose weight decay does not pass through the gradients.",
            (_lr(0.001), *_MOMENTS, replace(_DECAY, default=0.01)),
            lambda o: 2,
        ),
        Optimizer(
            "RMSprop",
            "Divides each weight's step by its recent gradients' size.",
            (
                _lr(0.01),
                Float(name="alpha", default=0.99, min=0, max=1, doc="How long the squares are remembered."),
                Float(name="momentum", default=0.0, min=0, max=1, doc="Share of the last step that is kept."),
                _EPS,
                _DECAY,
            ),
            lambda o: 1 + int(o["momentum"] > 0),
        ),
    )
}


def check_optimizer(type_: str, options: Mapping[str, Any]) -> dict[str, Value]:
    """Return the options that differ from the optimizer's defaults, checked.

    Raises ParameterError for an unknown optimizer or a refused value.
    """
    if type_ not in OPTIMIZERS:
        near = did_you_mean(type_, OPTIMIZERS)
        raise ParameterError(
            f"There is no optimizer {shown(type_)}; there are {', '.join(OPTIMIZERS)}.{near}"
        )
    optimizer = OPTIMIZERS[type_]
    values = check_params(optimizer.params, dict(options))
    if values.get("nesterov") and not values.get("momentum"):
        raise ParameterError("Nesterov's look ahead needs a momentum above 0.")
    return {
        param.name: values[param.name] for param in optimizer.params if values[param.name] != param.default
    }
