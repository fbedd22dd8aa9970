"""Activations: the bends between the weighted sums."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int


def _activation(type_: str, doc: str, call: str, **more: object) -> Layer:
    more.setdefault("summary", lambda p: "activation")
    more.setdefault("prefix", type_.lower())
    return Layer(type_, category="Activation", doc=doc, call=call, **more)


def _over(doc: str) -> Int:
    return Int(name="dim", default=-1, min=-8, max=7, doc=doc)


relu = _activation("ReLU", "Passes positive numbers, turns the others into zero.", "F.relu({x})")
sigmoid = _activation(
    "Sigmoid", "Squeezes every number between 0 and 1.", "torch.sigmoid({x})", synonyms=("logistic",)
)
tanh = _activation("Tanh", "Squeezes every number between -1 and 1.", "torch.tanh({x})")
softmax = _activation(
    "Softmax",
    "Turns scores into probabilities that sum to 1.",
    "F.softmax({x}, dim={dim})",
    params=(_over("The dimension that sums to 1."),),
    summary=lambda p: f"over dimension {p['dim']}",
    synonyms=("probabilities", "Softmax2d"),
)
leaky_relu = _activation(
    "LeakyReLU",
    "Like ReLU, but negative numbers keep a small slope.",
    "F.leaky_relu({x}{rest})",
    params=(Float(name="negative_slope", default=0.01, min=0, doc="Slope below zero."),),
    prefix="leaky",
)
gelu = _activation(
    "GELU",
    "Weighs each number by the chance that a normal one is smaller; usual in transformers.",
    "F.gelu({x}{rest})",
    params=(
        Choice(
            name="approximate", default="none", choices=("none", "tanh"), doc="Exact, or the faster formula."
        ),
    ),
)
silu = _activation("SiLU", "x times its own sigmoid.", "F.silu({x})", synonyms=("swish",))
elu = _activation(
    "ELU",
    "Smooth below zero, where it ends at -alpha.",
    "F.elu({x}{rest})",
    params=(Float(name="alpha", default=1.0, min=0, doc="How far below zero it goes."),),
)
prelu = _activation(
    "PReLU",
    "Like ReLU, but the slope below zero is learned.",
    "{self}({x})",
    params=(
        Bool(name="per_channel", default=False, doc="Learn a slope for each channel instead of one for all."),
        Float(name="init", default=0.25, label="Slope at first", doc="The slope before training."),
    ),
    infer=lambda x, per_channel: {"num_parameters": x[1] if per_channel else 1},
    restore=lambda num_parameters: {"per_channel": num_parameters != 1},
    init="nn.PReLU({num_parameters}{rest})",
)
softplus = _activation(
    "Softplus",
    "log(1 + exp x): a smooth ReLU.",
    "F.softplus({x}{rest})",
    params=(
        Float(name="beta", default=1.0, min=1e-6, doc="How sharp the bend is."),
        Float(name="threshold", default=20.0, doc="Above it, beta times x is passed as it is."),
    ),
)
log_softmax = _activation(
    "LogSoftmax",
    "The logarithm of softmax, computed safely; goes with the negative log-likelihood.",
    "F.log_softmax({x}, dim={dim})",
    params=(_over("The dimension whose probabilities sum to 1."),),
    summary=lambda p: f"over dimension {p['dim']}",
    synonyms=("log probabilities",),
)
maxout = _activation(
    "Maxout",
    "The largest of a few weighted sums: an activation that learns its own shape.",
    "{self}({x})",
    inputs=(Port("x", "N D|N L D"),),
    params=(
        Int(name="out_features", default=64, min=1, label="Units", doc="How many numbers come out."),
        Int(name="pieces", default=2, min=1, doc="Weighted sums for each unit; the largest one counts."),
        Bool(name="bias", default=True, doc="Adds a learned number to each sum."),
    ),
    infer=lambda x: {"in_features": x[-1]},
    init="Maxout({in_features}, {out_features}{rest})",
    module="maxout",
    summary=lambda p: f"{p['out_features']} units of {p['pieces']} pieces",
)
hard_step = _activation(
    "HardStep",
    "1 from zero on, else 0, as in the first perceptron; learns through the slope of a ramp.",
    "{self}({x})",
    params=(
        Float(name="width", default=1.0, min=1e-6, doc="The ramp of the gradient goes from -width to width."),
    ),
    init="HardStep({width})",
    module="hard_step",
    prefix="step",
    synonyms=("heaviside", "threshold", "perceptron", "straight-through"),
)
sign = _activation(
    "Sign",
    "-1 below zero, 1 above; learns through the slope of a ramp.",
    "{self}({x})",
    params=(
        Float(name="width", default=1.0, min=1e-6, doc="The ramp of the gradient goes from -width to width."),
    ),
    init="Sign({width})",
    module="sign",
    synonyms=("binary", "straight-through"),
)
mish = _activation("Mish", "x times tanh of softplus: smooth, with a small dip below zero.", "F.mish({x})")
relu6 = _activation("ReLU6", "ReLU that ends at 6; usual in networks for phones.", "F.relu6({x})")
hardswish = _activation(
    "Hardswish", "Swish made of straight pieces, cheap to compute.", "F.hardswish({x})", synonyms=("h-swish",)
)
hardsigmoid = _activation("Hardsigmoid", "A sigmoid made of three straight pieces.", "F.hardsigmoid({x})")
hardtanh = _activation(
    "Hardtanh",
    "Passes numbers between two bounds and cuts off the rest.",
    "F.hardtanh({x}{rest})",
    params=(
        Float(name="min_val", default=-1.0, label="Minimum", doc="The lower bound."),
        Float(name="max_val", default=1.0, label="Maximum", doc="The upper bound."),
    ),
    synonyms=("clip",),
)
selu = _activation("SELU", "An ELU scaled so that mean 0 and variance 1 stay.", "F.selu({x})")
celu = _activation(
    "CELU",
    "An ELU whose slope has no jump whatever alpha is.",
    "F.celu({x}{rest})",
    params=(Float(name="alpha", default=1.0, min=1e-6, doc="How far below zero it goes."),),
)


def _halves(x: tuple, dim: int) -> dict[str, object]:
    if -len(x) <= dim < len(x) and isinstance(x[dim], int) and x[dim] % 2:
        raise ValueError(f"halves dimension {dim}, whose size {x[dim]} is odd")
    return {}


glu = _activation(
    "GLU",
    "One half of the numbers is let through by the sigmoid of the other half.",
    "F.glu({x}, {dim})",
    params=(_over("The dimension that is halved."),),
    infer=_halves,
    summary=lambda p: f"halves dimension {p['dim']}",
    synonyms=("gate", "gated linear unit"),
)
softsign = _activation("Softsign", "x / (1 + |x|): like tanh, but slower to saturate.", "F.softsign({x})")
log_sigmoid = _activation(
    "LogSigmoid", "The logarithm of the sigmoid, computed safely.", "F.logsigmoid({x})", prefix="logsigmoid"
)
rrelu = _activation(
    "RReLU",
    "Like leaky ReLU with a random slope while training, the mean slope when evaluating.",
    "{self}({x})",
    params=(
        Float(name="lower", default=1 / 8, min=0, max=1, doc="Smallest slope below zero."),
        Float(name="upper", default=1 / 3, min=0, max=1, doc="Largest slope below zero."),
    ),
    init="nn.RReLU({lower}, {upper})",
)
hardshrink = _activation(
    "Hardshrink",
    "Turns numbers near zero into zero and passes the rest.",
    "F.hardshrink({x}{rest})",
    params=(Float(name="lambd", default=0.5, min=0, label="Lambda", doc="What counts as near."),),
)
softshrink = _activation(
    "Softshrink",
    "Moves every number toward zero by a fixed step, near ones to zero.",
    "F.softshrink({x}{rest})",
    params=(Float(name="lambd", default=0.5, min=0, label="Lambda", doc="The step."),),
    synonyms=("soft thresholding", "lasso"),
)
tanhshrink = _activation("Tanhshrink", "x - tanh x: flat around zero.", "F.tanhshrink({x})")
threshold = _activation(
    "Threshold",
    "Passes numbers above a bound and replaces the others by a value.",
    "F.threshold({x}, {threshold}, {value})",
    params=(
        Float(name="threshold", default=0.0, label="Bound", doc="Numbers above it pass."),
        Float(name="value", default=0.0, doc="What stands in for the others."),
    ),
)
softmin = _activation(
    "Softmin",
    "Softmax of the negative scores: the smallest becomes the most probable.",
    "F.softmin({x}, dim={dim})",
    params=(_over("The dimension that sums to 1."),),
    summary=lambda p: f"over dimension {p['dim']}",
)
