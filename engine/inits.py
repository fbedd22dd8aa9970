"""How weights begin: one value each, named as in torch.nn.init, plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any

from engine.catalogue import did_you_mean
from engine.errors import ParameterError, shown
from engine.layers.params import Choice, Float, Param, Value, check_params

_GAIN = Float(name="gain", default=1.0, doc="Factor of what the sizes of the layer ask for.")
_STD = Float(name="std", default=0.02, min=1e-12, label="Deviation", doc="How far the numbers spread.")
_MEAN = Float(name="mean", default=0.0, doc="About which number they lie.")
_HE = (
    Choice(
        name="nonlinearity",
        default="relu",
        choices=("relu", "leaky_relu", "selu", "tanh", "sigmoid", "linear"),
        doc="What stands behind the layer.",
    ),
    Choice(
        name="mode",
        default="fan_in",
        choices=("fan_in", "fan_out"),
        doc="What keeps its variance: the values on their way up, or the gradients on their way down.",
    ),
    Float(name="a", default=0.0, min=0, label="Slope", doc="Of a leaky ReLU, below zero."),
)


@dataclass(frozen=True)
class Init:
    """One way in which weights begin; ``type`` with an underscore is its function in torch.nn.init.

    ``given`` returns the arguments of that function from the options, ``restore`` the options from all of its
    arguments; they are the same where it is not said.
    """

    type: str
    title: str
    doc: str
    params: tuple[Param, ...] = ()
    given: Callable[[Mapping[str, Value]], Mapping[str, Value]] = dict
    restore: Callable[[Mapping[str, Value]], Mapping[str, Value]] = dict

    def values(self, options: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every option, defaults filled in."""
        return {param.name: options.get(param.name, param.default) for param in self.params}

    def arguments(self, options: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return what its function takes beside the weights."""
        return self.given(self.values(options))


def _bounds(options: Mapping[str, Value]) -> Mapping[str, Value]:
    """The bounds as torch takes them: counted from zero, not in deviations from the mean."""
    mean, std, reach = options["mean"], options["std"], options["cut"] * options["std"]
    return {"mean": mean, "std": std, "a": _short(mean - reach), "b": _short(mean + reach)}


def _cut(given: Mapping[str, Value]) -> Mapping[str, Value]:
    mean, std, a, b = (given[name] for name in ("mean", "std", "a", "b"))
    if not std or not isclose(mean - a, b - mean, rel_tol=1e-6):
        raise ParameterError("The bounds of a truncated normal lie as far below its mean as above.")
    return {"mean": mean, "std": std, "cut": _short((b - mean) / std)}


def _short(value: float) -> float:
    """A number without the noise of its last bits."""
    return float(f"{value:.10g}")


INITS: Mapping[str, Init] = {
    init.type: init
    for init in (
        Init(
            "kaiming_normal",
            "He normal",
            "Normal numbers that keep the variance through layers with ReLU. He et al., 2015.",
            _HE,
        ),
        Init(
            "kaiming_uniform",
            "He uniform",
            "Even numbers that keep the variance through layers with ReLU. He et al., 2015.",
            _HE,
        ),
        Init(
            "xavier_normal",
            "Xavier normal",
            "Normal numbers that keep the variance both ways, for tanh and sigmoid. Glorot and Bengio, 2010.",
            (_GAIN,),
        ),
        Init(
            "xavier_uniform",
            "Xavier uniform",
            "Even numbers that keep the variance both ways, for tanh and sigmoid. Glorot and Bengio, 2010.",
            (_GAIN,),
        ),
        Init(
            "orthogonal",
            "Orthogonal",
            "A turn without stretching, which very deep and recurrent networks like. Saxe et al., 2013.",
            (_GAIN,),
        ),
        Init("normal", "Normal", "Normal numbers, whatever the layer's size.", (_STD, _MEAN)),
        Init(
            "trunc_normal",
            "Truncated normal",
            "Normal numbers without those far out, as transformers begin.",
            (
                _STD,
                _MEAN,
                Float(name="cut", default=2.0, min=0.01, doc="How many deviations from the mean are kept."),
            ),
            _bounds,
            _cut,
        ),
        Init(
            "uniform",
            "Uniform",
            "Numbers that are as likely everywhere between two bounds.",
            (
                Float(name="a", default=-0.05, label="From", doc="The lower bound."),
                Float(name="b", default=0.05, label="To", doc="The upper bound."),
            ),
        ),
        Init(
            "constant",
            "Constant",
            "One number everywhere: all units of a layer stay alike.",
            (Float(name="val", default=0.1, label="Value", doc="The number."),),
        ),
        Init("zeros", "Zeros", "All units of a layer stay alike, and nothing is learned behind a ReLU."),
    )
}
"""The ways beside torch's own, by type; the most useful first."""


def check_init(type_: str, options: Mapping[str, Any]) -> dict[str, Value]:
    """Return the options that differ from the defaults of a way to begin, checked.

    Raises ParameterError for an unknown way or a refused value.
    """
    if type_ not in INITS:
        near = did_you_mean(type_, INITS)
        raise ParameterError(
            f"There is no initialization {shown(type_)}; there are {', '.join(INITS)}.{near}"
        )
    init = INITS[type_]
    values = check_params(init.params, dict(options))
    if type_ == "uniform" and values["a"] > values["b"]:
        raise ParameterError(f"From ({values['a']:g}) should not be above To ({values['b']:g}).")
    return {param.name: values[param.name] for param in init.params if values[param.name] != param.default}
