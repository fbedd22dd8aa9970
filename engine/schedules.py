"""The schedules of a learning rate: one value each, named as in torch.optim.lr_scheduler, plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.catalogue import did_you_mean
from engine.errors import ParameterError, shown
from engine.layers.params import Bool, Choice, Float, Int, Ints, Param, Value, check_params

STEP, EPOCH = "step", "epoch"

_MOST = 1_000_000_000
"""Steps or epochs that anybody could mean."""

Rates = Sequence[float]
"""The learning rate of each group of weights, as the optimizer declares it."""


def _real(name: str, default: float, low: float, high: float, doc: str, label: str = "") -> Float:
    return Float(name=name, default=default, min=low, max=high, doc=doc, label=label)


def _whole(name: str, default: int, low: int, high: int, doc: str, label: str = "") -> Int:
    return Int(name=name, default=default, min=low, max=high, doc=doc, label=label)


def _per(default: str) -> Choice:
    return Choice(
        name="per",
        default=default,
        choices=(EPOCH, STEP),
        label="Counts",
        doc="What it is advanced after, and what its lengths are counted in.",
    )


def _length(name: str) -> Int:
    return Int(
        name=name,
        default=0,
        min=0,
        max=_MOST,
        label="Length",
        doc="Epochs or steps until it has come to its end; 0 is the whole run.",
    )


_GAMMA = _real("gamma", 0.1, 0, 1, "What the rate is multiplied by.", "Factor")
_LOWEST = _real("eta_min", 0.0, 0, 1000, "Where it ends.", "Lowest rate")


def _cycled(low: float, high: float, default: bool) -> tuple[Param, ...]:
    return (
        Bool(
            name="cycle_momentum",
            default=default,
            doc="Move the momentum (or beta1) against the rate, whatever it is set to.",
        ),
        _real("base_momentum", low, 0, 0.9999, "The momentum at the highest rate.", "Lowest momentum"),
        _real("max_momentum", high, 0, 0.9999, "The momentum at the lowest rate.", "Highest momentum"),
    )


@dataclass(frozen=True)
class Schedule:
    """One way in which a learning rate changes while a network learns; ``type`` is torch's class.

    ``length`` names the parameter in which 0 means the whole run. ``rates`` makes, of an optimizer's learning
    rates and the values, those arguments of torch's class that are rates themselves; ``own`` are parameters
    that only it reads. ``measures`` says that it is advanced with a metric, after an evaluation. ``ends``
    says that torch's class must not be advanced beyond its length.
    """

    type: str
    title: str
    doc: str
    params: tuple[Param, ...]
    length: str = ""
    rates: Callable[[Rates, Mapping[str, Value]], dict[str, Any]] | None = None
    own: tuple[str, ...] = ()
    measures: bool = False
    ends: bool = False

    def values(self, options: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every option, defaults filled in."""
        return {param.name: options.get(param.name, param.default) for param in self.params}

    def per(self, options: Mapping[str, Value]) -> str:
        """Return what it is advanced after: a step or an epoch."""
        return self.values(options).get("per", EPOCH)

    @property
    def cycles_momentum(self) -> bool:
        """Whether it can move the momentum too."""
        return any(param.name == "cycle_momentum" for param in self.params)

    def arguments(self, options: Mapping[str, Value], rates: Rates, whole: int) -> dict[str, Any]:
        """Return what torch's class is called with, beside the optimizer.

        ``rates`` are those of the optimizer's groups; ``whole`` is the length of the run, in what it counts.
        """
        values = self.values(options)
        made = self.rates(rates, values) if self.rates else {}
        if self.length and not values[self.length]:
            values[self.length] = max(1, whole)
        for name in ("per", *self.own):
            values.pop(name, None)
        return values | made


SCHEDULES = {
    schedule.type: schedule
    for schedule in (
        Schedule(
            "StepLR",
            "Step",
            "Multiplies the rate by a factor every few epochs.",
            (
                _whole("step_size", 10, 1, _MOST, "Epochs or steps between two drops.", "Every"),
                _GAMMA,
                _per(EPOCH),
            ),
        ),
        Schedule(
            "MultiStepLR",
            "Multi-step",
            "Multiplies the rate by a factor at the epochs that you name.",
            (
                Ints(name="milestones", default=(5, 8), min=1, max=_MOST, doc="When it drops, ascending."),
                _GAMMA,
                _per(EPOCH),
            ),
        ),
        Schedule(
            "ExponentialLR",
            "Exponential",
            "Multiplies the rate by the same factor after every epoch.",
            (
                _real("gamma", 0.95, 0, 1, _GAMMA.doc, "Factor"),
                _per(EPOCH),
            ),
        ),
        Schedule(
            "LinearLR",
            "Linear",
            "Changes the rate in a straight line from one factor to another, and stays there.",
            (
                _real(
                    "start_factor", 1.0, 1e-6, 1, "What the rate is multiplied by at first.", "First factor"
                ),
                _real("end_factor", 0.0, 0, 1, "What it is multiplied by at the end.", "Last factor"),
                _length("total_iters"),
                _per(STEP),
            ),
            length="total_iters",
        ),
        Schedule(
            "PolynomialLR",
            "Polynomial",
            "Falls to zero as a power of what is left: a line with power 1, a bow above it.",
            (
                _real("power", 1.0, 0.01, 10, "1 is a line, 2 a parabola."),
                _length("total_iters"),
                _per(STEP),
            ),
            length="total_iters",
        ),
        Schedule(
            "CosineAnnealingLR",
            "Cosine",
            "Falls along half a cosine: slowly, fast, slowly.",
            (_LOWEST, _length("T_max"), _per(STEP)),
            length="T_max",
        ),
        Schedule(
            "CosineAnnealingWarmRestarts",
            "Warm restarts",
            "Falls along a cosine and jumps back up, again and again.",
            (
                _whole("T_0", 10, 1, _MOST, "Epochs or steps until the first restart.", "First length"),
                _whole("T_mult", 1, 1, 100, "How many times longer each next round is.", "Grows by"),
                _LOWEST,
                _per(EPOCH),
            ),
        ),
        Schedule(
            "OneCycleLR",
            "One cycle",
            "Rises from a fraction of the rate to the rate itself, then falls to almost nothing.",
            (
                _real(
                    "pct_start",
                    0.3,
                    0.01,
                    0.99,
                    "The share of its length in which the rate rises.",
                    "Rising share",
                ),
                Choice(
                    name="anneal_strategy",
                    default="cos",
                    choices=("cos", "linear"),
                    label="Form",
                    doc="Along a cosine or a line.",
                ),
                _real(
                    "div_factor",
                    25.0,
                    1,
                    1e6,
                    "It begins with the learning rate divided by this.",
                    "Start divisor",
                ),
                _real(
                    "final_div_factor",
                    1e4,
                    1,
                    1e9,
                    "It ends with the first rate divided by this.",
                    "End divisor",
                ),
                Bool(
                    name="three_phase",
                    default=False,
                    doc="Fall to the first rate as long as it rose, and only then to the last one.",
                ),
                *_cycled(0.85, 0.95, True),
                _length("total_steps"),
                _per(STEP),
            ),
            length="total_steps",
            rates=lambda rates, values: {"max_lr": list(rates)},
            ends=True,
        ),
        Schedule(
            "CyclicLR",
            "Cyclic",
            "Rises and falls between a fraction of the rate and the rate itself.",
            (
                _real(
                    "div_factor",
                    10.0,
                    1,
                    1e6,
                    "The low rate is the learning rate divided by this.",
                    "Low divisor",
                ),
                _whole("step_size_up", 2000, 1, _MOST, "Steps from low to high.", "Rises for"),
                Int(
                    name="step_size_down",
                    default=None,
                    min=1,
                    max=_MOST,
                    optional=True,
                    unset="as long",
                    label="Falls for",
                    doc="Steps from high to low; as many as up where empty.",
                ),
                Choice(
                    name="mode",
                    default="triangular",
                    choices=("triangular", "triangular2", "exp_range"),
                    label="Heights",
                    doc="The same, half as high each time, or lower by the factor at each step.",
                ),
                _real("gamma", 1.0, 0, 1, "Of the heights, for exp_range.", "Factor"),
                *_cycled(0.8, 0.9, False),
                _per(STEP),
            ),
            rates=lambda rates, values: {
                "base_lr": [rate / values["div_factor"] for rate in rates],
                "max_lr": list(rates),
            },
            own=("div_factor",),
        ),
        Schedule(
            "ReduceLROnPlateau",
            "Reduce on plateau",
            "Multiplies the rate by a factor when the metric has stopped getting better.",
            (
                _real("factor", 0.1, 0, 0.999, _GAMMA.doc),
                _whole("patience", 10, 0, _MOST, "Evaluations without progress before it drops."),
                _real("threshold", 1e-4, 0, 1000, "How much better counts as progress."),
                Choice(
                    name="threshold_mode",
                    default="rel",
                    choices=("rel", "abs"),
                    label="Progress is",
                    doc="A share of the best value, or a difference from it.",
                ),
                _whole("cooldown", 0, 0, _MOST, "Evaluations after a drop that are not judged."),
                _real("min_lr", 0.0, 0, 1000, "It never falls below.", "Lowest rate"),
            ),
            measures=True,
        ),
    )
}


def check_schedule(type_: str, options: Mapping[str, Any]) -> dict[str, Value]:
    """Return the options that differ from the schedule's defaults, checked; an empty type is a constant rate.

    Raises ParameterError for an unknown schedule or a refused value.
    """
    if not type_:
        if options:
            raise ParameterError(
                f"A constant learning rate has no option {shown(next(iter(options)))}; "
                "choose a schedule first."
            )
        return {}
    if type_ not in SCHEDULES:
        near = did_you_mean(type_, SCHEDULES)
        raise ParameterError(
            f"There is no schedule {shown(type_)}; there are {', '.join(SCHEDULES)}, "
            f"or none for a constant rate.{near}"
        )
    schedule = SCHEDULES[type_]
    values = check_params(schedule.params, dict(options))
    milestones = values.get("milestones", ())
    if list(milestones) != sorted(set(milestones)):
        raise ParameterError(
            f"Milestones ascend, each once: {', '.join(map(str, sorted(set(milestones))))} instead of "
            f"{', '.join(map(str, milestones))}."
        )
    if schedule.cycles_momentum and values["base_momentum"] > values["max_momentum"]:
        raise ParameterError(
            f"The lowest momentum, {values['base_momentum']:g}, is above the highest, "
            f"{values['max_momentum']:g}."
        )
    return {
        param.name: values[param.name] for param in schedule.params if values[param.name] != param.default
    }
