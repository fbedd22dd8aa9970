"""The optimizers: one value each, named as in torch.optim, plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.catalogue import did_you_mean
from engine.errors import ParameterError, shown
from engine.layers.params import Bool, Choice, Float, Int, Param, Value, check_params

NONE = "none"
"""The word of a choice that stands for Python's None."""

Values = Mapping[str, Value]


def _real(name: str, default: float, low: float, high: float, doc: str, label: str = "") -> Float:
    return Float(name=name, default=default, min=low, max=high, doc=doc, label=label)


def _whole(name: str, default: int, low: int, high: int, doc: str, label: str = "") -> Int:
    return Int(name=name, default=default, min=low, max=high, doc=doc, label=label)


_DECAY = Float(name="weight_decay", default=0.0, min=0, doc="Pulls every weight towards zero.")
_DECOUPLED = Bool(
    name="decoupled_weight_decay",
    default=False,
    label="Decoupled decay",
    doc="Pull the weights directly, as AdamW does, and not through the gradients.",
)
_EPS = _real("eps", 1e-8, 0, 1, "Keeps the division from zero.")
_BETAS = (
    _real("beta1", 0.9, 0, 0.9999, "How long the mean gradient is remembered."),
    _real("beta2", 0.999, 0, 0.99999, "How long its square is remembered."),
)
_MOMENTS = (*_BETAS, _EPS)
_MOMENTUM = _real("momentum", 0.0, 0, 1, "Share of the last step that is kept.")
_AMSGRAD = Bool(name="amsgrad", default=False, label="AMSGrad", doc="Divide by the largest square so far.")

_FUSED = ("cpu", "cuda", "mps")


def _lr(default: float) -> Float:
    return Float(name="lr", default=default, min=0, label="Learning rate", doc="How far each step goes.")


@dataclass(frozen=True)
class Optimizer:
    """One way to turn gradients into steps; ``type`` is its class in torch.optim.

    ``state`` tells from its options how many numbers it remembers for each weight; ``tuples`` which of its
    options torch takes as one tuple, None for a part that is no option. ``rules`` are what its options must
    hold, with what to say otherwise. ``fused`` are the devices where torch has one kernel for a whole step;
    where it has none, ``foreach`` says whether moving all weights at once is faster on a CPU: measured there,
    because elsewhere torch knows best. ``closure`` says that a step computes the loss again and again,
    ``single`` that all weights have one learning rate. One with a ``rest`` moves matrices alone, and that
    optimizer moves what is none.
    """

    type: str
    doc: str
    params: tuple[Param, ...]
    state: Callable[[Values], int]
    tuples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[tuple[Callable[[Values], bool], str], ...] = ()
    fused: tuple[str, ...] = ()
    foreach: bool = False
    closure: bool = False
    single: bool = False
    rest: str = ""

    def values(self, options: Values) -> dict[str, Value]:
        """Return the value of every option, defaults filled in."""
        return {param.name: options.get(param.name, param.default) for param in self.params}

    def kept(self, options: Values) -> int:
        """Return how many numbers it remembers for each weight."""
        return self.state(self.values(options))

    def arguments(self, options: Values) -> dict[str, Any]:
        """Return what torch's class is called with, beside the weights."""
        values = {name: None if value == NONE else value for name, value in self.values(options).items()}
        for name, parts in self.tuples.items():
            values[name] = tuple(values.pop(part, None) for part in parts)
        return values

    def quick(self, device: str) -> dict[str, bool]:
        """Return the switches that make it fast on a kind of device."""
        if device in self.fused:
            return {"fused": True}
        return {"foreach": True} if self.foreach and device == "cpu" else {}


_PAIR = {"betas": ("beta1", "beta2")}


OPTIMIZERS = {
    optimizer.type: optimizer
    for optimizer in (
        Optimizer(
            "SGD",
            "Follows the gradient, with momentum if you like.",
            (
                _lr(0.1),
                _MOMENTUM,
                Bool(
                    name="nesterov",
                    default=False,
                    doc="Look ahead along the momentum; needs momentum above 0.",
                ),
                _real("dampening", 0.0, 0, 1, "Share of the gradient that does not enter the momentum."),
                _DECAY,
            ),
            lambda o: int(o["momentum"] > 0),
            rules=(
                (
                    lambda o: not o["nesterov"] or o["momentum"] > 0,
                    "Nesterov's look ahead needs a momentum above 0.",
                ),
                (
                    lambda o: not o["nesterov"] or o["dampening"] == 0,
                    "Nesterov's look ahead and dampening exclude each other; set dampening to 0.",
                ),
            ),
            fused=_FUSED,
        ),
        Optimizer(
            "Adam",
            "Scales each weight's step by its own recent gradients.",
            (_lr(0.001), *_MOMENTS, _DECAY, _AMSGRAD),
            lambda o: 2 + int(o["amsgrad"]),
            _PAIR,
            fused=_FUSED,
        ),
        Optimizer(
            "AdamW",
            "Adam whose weight decay does not pass through the gradients.",
            (_lr(0.001), *_MOMENTS, replace(_DECAY, default=0.01), _AMSGRAD),
            lambda o: 2 + int(o["amsgrad"]),
            _PAIR,
            fused=_FUSED,
        ),
        Optimizer(
            "RMSprop",
            "Divides each weight's step by its recent gradients' size.",
            (
                _lr(0.01),
                _real("alpha", 0.99, 0, 1, "How long the squares are remembered."),
                _MOMENTUM,
                Bool(name="centered", default=False, doc="Divide by the deviation from the mean gradient."),
                _EPS,
                _DECAY,
            ),
            lambda o: 1 + int(o["momentum"] > 0) + int(o["centered"]),
            foreach=True,
        ),
        Optimizer(
            "Muon",
            "Makes the momentum of each matrix orthogonal; AdamW moves all that is no matrix.",
            (
                _lr(0.001),
                _real("momentum", 0.95, 0, 0.9999, "Share of the last step that is kept."),
                Bool(name="nesterov", default=True, doc="Look ahead along the momentum."),
                replace(_DECAY, default=0.1),
                _whole("ns_steps", 5, 1, 20, "How exactly a step is made orthogonal.", "Newton-Schulz steps"),
                Choice(
                    name="adjust_lr_fn",
                    default="match_rms_adamw",
                    choices=("match_rms_adamw", "original"),
                    label="Step size",
                    doc="As large as AdamW's, so that one learning rate suits both, or as first published.",
                ),
            ),
            lambda o: 1,
            rest="AdamW",
        ),
        Optimizer(
            "NAdam",
            "Adam with Nesterov's look ahead.",
            (
                _lr(0.002),
                *_MOMENTS,
                _real("momentum_decay", 0.004, 0, 1, "How fast the momentum settles."),
                _DECAY,
                _DECOUPLED,
            ),
            lambda o: 2,
            _PAIR,
            foreach=True,
        ),
        Optimizer(
            "RAdam",
            "Adam whose first steps are small until its memory can be trusted.",
            (_lr(0.001), *_MOMENTS, _DECAY, _DECOUPLED),
            lambda o: 2,
            _PAIR,
            foreach=True,
        ),
        Optimizer(
            "Adamax",
            "Adam that divides by the largest recent gradient.",
            (_lr(0.002), *_MOMENTS, _DECAY),
            lambda o: 2,
            _PAIR,
            foreach=True,
        ),
        Optimizer(
            "Adagrad",
            "Divides each weight's step by all of its gradients so far; rare features keep large steps.",
            (
                _lr(0.01),
                _real("lr_decay", 0.0, 0, 1, "How fast the learning rate falls besides.", "Rate decay"),
                _real(
                    "initial_accumulator_value",
                    0.0,
                    0,
                    1e6,
                    "The sum of squares that it begins with.",
                    "First sum",
                ),
                replace(_EPS, default=1e-10),
                _DECAY,
            ),
            lambda o: 1,
            fused=("cpu", "cuda"),
        ),
        Optimizer(
            "Adadelta",
            "Finds each step's size from the recent steps and gradients; its rate is a plain factor.",
            (
                _lr(1.0),
                _real("rho", 0.9, 0, 1, "How long the squares are remembered."),
                replace(_EPS, default=1e-6),
                _DECAY,
            ),
            lambda o: 2,
            foreach=True,
        ),
        Optimizer(
            "Adafactor",
            "Remembers a row and a column of each matrix instead of the whole: hardly any memory.",
            (
                _lr(0.01),
                _real(
                    "beta2_decay",
                    -0.8,
                    -10,
                    0,
                    "The power of the step's number with which old squares are forgotten.",
                    "Forgetting",
                ),
                _real("eps2", 1e-3, 0, 1, "Of a weight, when a step is measured by it.", "Smallest size"),
                _real("d", 1.0, 1, 1000, "Size at which a step is cut.", "Clip"),
                _DECAY,
            ),
            lambda o: 0,
            {"eps": ("eps1", "eps2")},
        ),
        Optimizer(
            "ASGD",
            "Follows the gradient with falling steps, and keeps the average of the weights beside them.",
            (
                _lr(0.01),
                _real("lambd", 1e-4, 0, 1, "How fast steps fall.", "Decay term"),
                _real("alpha", 0.75, 0, 10, "The power by which steps fall."),
                _real("t0", 1e6, 0, 1e12, "Step from which weights are averaged.", "Average from"),
                _DECAY,
            ),
            lambda o: 1,
        ),
        Optimizer(
            "Rprop",
            "Looks at the signs of the gradients alone; for batches of all samples.",
            (
                _lr(0.01),
                _real("eta_minus", 0.5, 0.01, 0.99, "Factor of a step whose sign turned.", "Shrink by"),
                _real("eta_plus", 1.2, 1.01, 10, "Factor of a step whose sign stayed.", "Grow by"),
                _real("step_min", 1e-6, 0, 1, "Of a weight.", "Smallest step"),
                _real("step_max", 50.0, 1e-6, 1e6, "Of a weight.", "Largest step"),
            ),
            lambda o: 2,
            {"etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")},
            rules=(
                (
                    lambda o: o["step_min"] <= o["step_max"],
                    "Rprop's smallest step is larger than its largest; exchange them.",
                ),
            ),
        ),
        Optimizer(
            "LBFGS",
            "Approximates the curvature from its last steps; for small models and batches of all samples.",
            (
                _lr(1.0),
                _whole(
                    "max_iter", 20, 1, 10_000, "Times that one step moves the weights, at most.", "Iterations"
                ),
                Int(
                    name="max_eval",
                    default=None,
                    min=1,
                    max=1_000_000,
                    optional=True,
                    unset="5/4 of them",
                    label="Evaluations",
                    doc="Times that one step computes the loss, at most.",
                ),
                _real("tolerance_grad", 1e-7, 0, 1, "Below it a step is done.", "Smallest gradient"),
                _real("tolerance_change", 1e-9, 0, 1, "Below it a step is done.", "Smallest change"),
                _whole(
                    "history_size",
                    100,
                    1,
                    10_000,
                    "Steps that are remembered; each takes twice the memory of the weights.",
                    "History",
                ),
                Choice(
                    name="line_search_fn",
                    default=NONE,
                    choices=(NONE, "strong_wolfe"),
                    label="Line search",
                    doc="How far to go in a direction: the learning rate, or what is found by trying.",
                ),
            ),
            lambda o: 2 * o["history_size"] + 3,
            closure=True,
            single=True,
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
    for holds, words in optimizer.rules:
        if not holds(values):
            raise ParameterError(words)
    return {
        param.name: values[param.name] for param in optimizer.params if values[param.name] != param.default
    }
