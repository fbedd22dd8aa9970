"""Activations: the bends between the weighted sums."""

from __future__ import annotations

from engine.layers.declaration import Layer
from engine.layers.params import Choice, Float, Int


def _activation(type_: str, doc: str, call: str, **more: object) -> Layer:
    more.setdefault("summary", lambda p: "activation")
    return Layer(type_, category="Activation", doc=doc, call=call, **more)


relu = _activation(
    "ReLU", "Passes positive numbers, turns the others into zero.", "F.relu({x})", prefix="relu"
)
leaky_relu = _activation(
    "LeakyReLU",
    "Like ReLU, but negative numbers keep a small slope.",
    "F.leaky_relu({x}{rest})",
    params=(Float(name="negative_slope", default=0.01, min=0, doc="Slope below zero."),),
    prefix="leaky",
)
elu = _activation(
    "ELU",
    "Smooth below zero, where it ends at -alpha.",
    "F.elu({x}{rest})",
    params=(Float(name="alpha", default=1.0, min=0, doc="How far below zero it goes."),),
    prefix="elu",
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
    prefix="gelu",
)
silu = _activation("SiLU", "x times its own sigmoid.", "F.silu({x})", prefix="silu", synonyms=("swish",))
softplus = _activation("Softplus", "log(1 + exp x): a smooth ReLU.", "F.softplus({x})", prefix="softplus")
sigmoid = _activation(
    "Sigmoid",
    "Squeezes every number between 0 and 1.",
    "torch.sigmoid({x})",
    prefix="sigmoid",
    synonyms=("logistic",),
)
tanh = _activation("Tanh", "Squeezes every number between -1 and 1.", "torch.tanh({x})", prefix="tanh")
softmax = _activation(
    "Softmax",
    "Turns scores into probabilities that sum to 1.",
    "F.softmax({x}, dim={dim})",
    params=(Int(name="dim", default=-1, min=-8, max=7, doc="The dimension that sums to 1."),),
    prefix="softmax",
    summary=lambda p: f"over dimension {p['dim']}",
    synonyms=("probabilities",),
)
