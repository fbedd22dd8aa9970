"""Losses: one number that says how wrong the model is."""

from __future__ import annotations

from math import prod

from engine.layers.declaration import Layer, Port
from engine.layers.params import Choice, Float

_REDUCTION = Choice(
    name="reduction", default="mean", choices=("mean", "sum"), doc="Over the batch: the mean, or the sum."
)
_NUMBER = (Port("loss", doc="One number: less is better."),)


def _shape(shape: tuple) -> str:
    return "×".join(map(str, shape))


def _equal(input: tuple, target: tuple) -> dict[str, object]:
    if tuple(input) != tuple(target):
        raise ValueError(f"expects a target of the input's shape {_shape(input)}, {_shape(target)} arrives")
    return {}


def _same_number(input: tuple, target: tuple) -> dict[str, object]:
    if prod(input[1:]) != prod(target[1:]):
        raise ValueError(f"expects one target for each of {_shape(input)}, {_shape(target)} arrives")
    return {}


def _classes(logits: tuple, target: tuple) -> dict[str, object]:
    if len(logits) < 2 or (logits[0], *logits[2:]) != tuple(target):
        wanted = _shape((logits[0], *logits[2:])) if len(logits) >= 2 else "N×classes first, which"
        raise ValueError(
            f"expects a class index for each sample, {wanted}; {_shape(target)} comes with {_shape(logits)}"
        )
    return {}


mse_loss = Layer(
    "MSELoss",
    category="Loss",
    doc="Mean of the squared differences.",
    inputs=(Port("input", doc="What the model says."), Port("target", doc="What it should say.")),
    outputs=_NUMBER,
    params=(_REDUCTION,),
    infer=_equal,
    call="F.mse_loss({input}, {target}{rest})",
    title="Squared error",
    prefix="loss",
    synonyms=("mse", "l2", "regression", "mean squared error"),
    role="loss",
)

cross_entropy_loss = Layer(
    "CrossEntropyLoss",
    category="Loss",
    doc="How surprised the model is by the right class; takes scores, the softmax is inside.",
    inputs=(
        Port("logits", doc="A score for each class."),
        Port("target", dtype="int", indexes="logits", doc="The index of the right class."),
    ),
    outputs=_NUMBER,
    params=(
        Float(
            name="label_smoothing", default=0.0, min=0, max=1, doc="Share of belief spread over all classes."
        ),
        _REDUCTION,
    ),
    infer=_classes,
    call="F.cross_entropy({logits}, {target}{rest})",
    metrics={"accuracy": "({logits}.argmax(1) == {target}).float().mean()"},
    title="Cross-entropy",
    prefix="loss",
    synonyms=("softmax loss", "classification", "log loss"),
    role="loss",
)

bce_with_logits_loss = Layer(
    "BCEWithLogitsLoss",
    category="Loss",
    doc="Cross-entropy for yes-or-no answers; takes scores, the sigmoid is inside.",
    inputs=(
        Port("input", doc="A score, positive for yes."),
        Port("target", dtype="any", doc="0 or 1 for each score."),
    ),
    outputs=_NUMBER,
    params=(_REDUCTION,),
    infer=_same_number,
    call="F.binary_cross_entropy_with_logits({input}, {target}.to({input}.dtype).view_as({input}){rest})",
    metrics={"accuracy": "(({input} > 0) == ({target}.view_as({input}) > 0.5)).float().mean()"},
    title="Binary cross-entropy",
    prefix="loss",
    synonyms=("bce", "logistic", "yes no"),
    role="loss",
)
