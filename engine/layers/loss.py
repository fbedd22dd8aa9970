"""Losses: one number that says how wrong the model is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from engine.layers.declaration import Layer, Port, Ports, TensorType
from engine.layers.params import Bool, Choice, Float, Floats, Int, Param
from engine.layers.text import shown_shape

_REDUCTION = Choice(
    name="reduction", default="mean", choices=("mean", "sum"), doc="Over the batch: the mean, or the sum."
)


def _one_number() -> tuple[TensorType, ...]:
    """The rule of losses that look at their numbers, which the meta device does not have."""
    return (TensorType(()),)


_NUMBER = (Port("loss", doc="One number: less is better."),)
_SAYS = Port("input", doc="What the model says.")
_SHOULD = Port("target", doc="What it should say.")


def _equal(input: tuple, target: tuple) -> dict[str, object]:
    if tuple(input) != tuple(target):
        raise ValueError(
            f"expects a target of the input's shape {shown_shape(input)}, {shown_shape(target)} arrives"
        )
    return {}


def _same_number(input: tuple, target: tuple) -> dict[str, object]:
    if prod(input[1:]) != prod(target[1:]):
        raise ValueError(
            f"expects one target for each of {shown_shape(input)}, {shown_shape(target)} arrives"
        )
    return {}


def _classes(logits: tuple, target: tuple) -> dict[str, object]:
    if len(logits) < 2 or (logits[0], *logits[2:]) != tuple(target):
        wanted = shown_shape((logits[0], *logits[2:])) if len(logits) >= 2 else "N×classes first, which"
        raise ValueError(
            f"expects a class index for each sample, {wanted}; "
            f"{shown_shape(target)} comes with {shown_shape(logits)}"
        )
    return {}


def _loss(
    type_: str,
    title: str,
    doc: str,
    call: str,
    *synonyms: str,
    inputs: Ports = (_SAYS, _SHOULD),
    params: tuple[Param, ...] = (),
    reduction: Param = _REDUCTION,
    infer: Callable[..., dict[str, object]] | None = _equal,
    **more: object,
) -> Layer:
    return Layer(
        type_,
        category="Loss",
        doc=doc,
        inputs=inputs,
        outputs=_NUMBER,
        params=(*params, reduction),
        infer=infer,
        call=call,
        title=title,
        prefix="loss",
        synonyms=synonyms,
        role="loss",
        **more,
    )


CLASS_WEIGHTS = Floats(
    name="class_weights",
    default=None,
    min=0,
    optional=True,
    unset="all equal",
    code=", weight={logits}.new_tensor({class_weights})",
    doc="How much each class counts, in the order of the classes: rare ones more.",
)


def _weighted_classes(logits: tuple, target: tuple, class_weights: tuple | None) -> dict[str, object]:
    if class_weights is not None and len(logits) > 1 and len(class_weights) != logits[1]:
        raise ValueError(
            f"expects {logits[1]} class weights, one for each class; it has {len(class_weights)}"
        )
    return _classes(logits, target)


_SCORES = (
    Port("logits", inside=("Softmax", "LogSoftmax"), doc="A score for each class."),
    Port("target", dtype="int", indexes="logits", doc="The index of the right class."),
)
_ACCURACY = {"accuracy": "({logits}.argmax(1) == {target}).float().mean()"}

cross_entropy_loss = _loss(
    "CrossEntropyLoss",
    "Cross-entropy",
    "How surprised the model is by the right class; takes scores, the softmax is inside.",
    "F.cross_entropy({logits}, {target}{options}{rest})",
    "softmax loss",
    "classification",
    "log loss",
    inputs=_SCORES,
    params=(
        Float(
            name="label_smoothing", default=0.0, min=0, max=1, doc="Share of belief spread over all classes."
        ),
        CLASS_WEIGHTS,
    ),
    infer=_weighted_classes,
    metrics=_ACCURACY,
)
mse_loss = _loss(
    "MSELoss",
    "Squared error",
    "Mean of the squared differences.",
    "F.mse_loss({input}, {target}{rest})",
    "mse",
    "l2",
    "regression",
    "mean squared error",
)
bce_with_logits_loss = _loss(
    "BCEWithLogitsLoss",
    "Binary cross-entropy",
    "Cross-entropy for yes-or-no answers; takes scores, the sigmoid is inside.",
    "F.binary_cross_entropy_with_logits({input}, {target}.to({input}.dtype).view_as({input}){rest})",
    "bce",
    "logistic",
    "yes no",
    inputs=(
        Port("input", inside=("Sigmoid",), doc="A score, positive for yes."),
        Port("target", dtype="any", doc="0 or 1 for each score."),
    ),
    infer=_same_number,
    metrics={"accuracy": "(({input} > 0) == ({target}.view_as({input}) > 0.5)).float().mean()"},
)
l1_loss = _loss(
    "L1Loss",
    "Absolute error",
    "Mean of the absolute differences: far off counts no more than it is off.",
    "F.l1_loss({input}, {target}{rest})",
    "mae",
    "l1",
    "regression",
    "mean absolute error",
)
huber_loss = _loss(
    "HuberLoss",
    "Huber loss",
    "Squared where the difference is small, straight where it is large.",
    "F.huber_loss({input}, {target}{rest})",
    "robust",
    "regression",
    params=(Float(name="delta", default=1.0, min=1e-9, doc="The difference at which it turns straight."),),
)
smooth_l1_loss = _loss(
    "SmoothL1Loss",
    "Smooth absolute error",
    "The absolute error with its tip rounded off; usual for boxes.",
    "F.smooth_l1_loss({input}, {target}{rest})",
    "robust",
    "boxes",
    "detection",
    params=(Float(name="beta", default=1.0, min=0, doc="The difference at which it turns straight."),),
)
nll_loss = _loss(
    "NLLLoss",
    "Negative log-likelihood",
    "Cross-entropy for what Log-softmax gives.",
    "F.nll_loss({logits}, {target}{rest})",
    "nll",
    "classification",
    inputs=(Port("logits", doc="The logarithm of each class's probability."), _SCORES[1]),
    infer=_classes,
    metrics=_ACCURACY,
)
bce_loss = _loss(
    "BCELoss",
    "Binary cross-entropy of probabilities",
    "Cross-entropy for yes-or-no answers; takes what a sigmoid gives, numbers between 0 and 1.",
    "F.binary_cross_entropy({input}, {target}.to({input}.dtype).view_as({input}){rest})",
    "bce",
    "yes no",
    inputs=(
        Port("input", doc="A probability, between 0 and 1."),
        Port("target", dtype="any", doc="0 or 1 for each of them."),
    ),
    infer=_same_number,
    metrics={"accuracy": "(({input} > 0.5) == ({target}.view_as({input}) > 0.5)).float().mean()"},
)
kl_div_loss = _loss(
    "KLDivLoss",
    "Kullback-Leibler divergence",
    "How far a distribution is from another; takes logarithms of probabilities.",
    "F.kl_div({input}, {target}, reduction={reduction}{rest})",
    "kl",
    "relative entropy",
    "distillation",
    inputs=(
        Port("input", doc="The logarithm of what the model believes."),
        Port("target", doc="The probabilities that it should believe."),
    ),
    params=(Bool(name="log_target", default=False, doc="The target holds logarithms too."),),
    reduction=replace(_REDUCTION, default="batchmean", choices=("batchmean", "sum")),
)
poisson_nll_loss = _loss(
    "PoissonNLLLoss",
    "Poisson loss",
    "For counts: how surprised a Poisson distribution is by them.",
    "F.poisson_nll_loss({input}, {target}{rest})",
    "counts",
    "regression",
    inputs=(Port("input", doc="The logarithm of the expected count."), Port("target", doc="The count.")),
    params=(
        Bool(name="log_input", default=True, doc="The input is the logarithm of the expected count."),
        Bool(name="full", default=False, doc="Add the part that does not depend on the model."),
        Float(name="eps", default=1e-8, min=0, doc="Keeps the logarithm safe."),
    ),
)


def _with_variance(input: tuple, target: tuple, variance: tuple) -> dict[str, object]:
    _equal(input, variance)
    return _equal(input, target)


gaussian_nll_loss = _loss(
    "GaussianNLLLoss",
    "Gaussian loss",
    "How surprised a normal distribution is, whose mean and variance the model tells.",
    "F.gaussian_nll_loss({input}, {target}, {variance}{rest})",
    "uncertainty",
    "heteroscedastic",
    "regression",
    inputs=(
        Port("input", doc="The mean that the model says."),
        _SHOULD,
        Port("variance", doc="The variance that it says, above 0."),
    ),
    params=(
        Bool(name="full", default=False, doc="Add the part that does not depend on the model."),
        Float(name="eps", default=1e-6, min=0, doc="The smallest variance that counts."),
    ),
    infer=_with_variance,
    types=_one_number,
    kept=lambda input: 3 * prod(input[1:]),  # the difference, its square and the variance
)
_MARGIN = Float(name="margin", default=1.0, doc="How clear the difference must be.")


multi_margin_loss = _loss(
    "MultiMarginLoss",
    "Multi-class hinge",
    "The right class must score higher than every other by a margin.",
    "F.multi_margin_loss({logits}, {target}{rest})",
    "hinge",
    "svm",
    "classification",
    inputs=(
        Port("logits", "N C", doc="A score for each class."),
        Port("target", "N", dtype="int", indexes="logits", doc="The index of the right class."),
    ),
    params=(
        Int(name="p", default=1, min=1, max=2, label="Power", doc="1, or 2 for the squared hinge."),
        _MARGIN,
    ),
    infer=_classes,
    metrics=_ACCURACY,
)
multi_label_margin_loss = _loss(
    "MultiLabelMarginLoss",
    "Multi-label hinge",
    "Every right class must score higher than every wrong one by 1.",
    "F.multilabel_margin_loss({input}, {target}{rest})",
    "hinge",
    "svm",
    "tags",
    inputs=(
        Port("input", "N C", doc="A score for each class."),
        Port("target", "N C", dtype="int", doc="The indices of the right classes, then -1 to fill up."),
    ),
)
multi_label_soft_margin_loss = _loss(
    "MultiLabelSoftMarginLoss",
    "Multi-label cross-entropy",
    "The mean over classes of yes-or-no cross-entropies; takes scores.",
    "F.multilabel_soft_margin_loss({input}, {target}{rest})",
    "tags",
    "yes no",
    inputs=(
        Port("input", "N C", doc="A score for each class, positive for yes."),
        Port("target", "N C", doc="0 or 1 for each class."),
    ),
)
_SIGNS = Port("target", dtype="any", doc="1 or -1.")


hinge_embedding_loss = _loss(
    "HingeEmbeddingLoss",
    "Hinge of distances",
    "Distances of like pairs become small, of unlike ones larger than a margin.",
    "F.hinge_embedding_loss({input}, {target}{rest})",
    "siamese",
    "contrastive",
    inputs=(
        Port("input", doc="A distance."),
        Port("target", dtype="any", doc="1 for a like pair, -1 for an unlike."),
    ),
    params=(_MARGIN,),
)
soft_margin_loss = _loss(
    "SoftMarginLoss",
    "Logistic loss",
    "Cross-entropy for answers 1 and -1; takes scores.",
    "F.soft_margin_loss({input}, {target}{rest})",
    "logistic",
    "yes no",
    inputs=(Port("input", doc="A score, positive for 1."), _SIGNS),
)


def _pair(x1: tuple, x2: tuple, target: tuple) -> dict[str, object]:
    _two_of_one_shape(x1, x2)
    return _equal(x1, target)


def _vectors(x1: tuple, x2: tuple, target: tuple) -> dict[str, object]:
    _two_of_one_shape(x1, x2)
    return _equal(x1[:1], target)


def _two_of_one_shape(x1: tuple, x2: tuple) -> None:
    if tuple(x1) != tuple(x2):
        raise ValueError(f"compares inputs of one shape, {shown_shape(x1)} and {shown_shape(x2)} arrive")


cosine_embedding_loss = _loss(
    "CosineEmbeddingLoss",
    "Cosine of pairs",
    "Like pairs of vectors point the same way, unlike ones do not.",
    "F.cosine_embedding_loss({x1}, {x2}, {target}{rest})",
    "siamese",
    "contrastive",
    "similarity",
    inputs=(
        Port("x1", "N D", doc="One vector of the pair."),
        Port("x2", "N D", doc="The other."),
        Port("target", "N", dtype="any", doc="1 for a like pair, -1 for an unlike one."),
    ),
    params=(Float(name="margin", default=0.0, min=-1, max=1, doc="How alike an unlike pair may be."),),
    infer=_vectors,
)
margin_ranking_loss = _loss(
    "MarginRankingLoss",
    "Ranking loss",
    "One of two scores must be higher by a margin.",
    "F.margin_ranking_loss({x1}, {x2}, {target}{rest})",
    "preference",
    "learning to rank",
    inputs=(
        Port("x1", doc="One score."),
        Port("x2", doc="The other."),
        Port("target", dtype="any", doc="1 where the first should be higher, -1 where the second."),
    ),
    params=(Float(name="margin", default=0.0, doc="By how much."),),
    infer=_pair,
)


def _three(anchor: tuple, positive: tuple, negative: tuple) -> dict[str, object]:
    _two_of_one_shape(anchor, positive)
    _two_of_one_shape(anchor, negative)
    return {}


triplet_margin_loss = _loss(
    "TripletMarginLoss",
    "Triplet loss",
    "An anchor must be nearer to its like than to its unlike, by a margin.",
    "F.triplet_margin_loss({anchor}, {positive}, {negative}{rest})",
    "siamese",
    "metric learning",
    "face recognition",
    inputs=(
        Port("anchor", "N D", doc="A vector."),
        Port("positive", "N D", doc="The vector of something like it."),
        Port("negative", "N D", doc="The vector of something unlike it."),
    ),
    params=(
        replace(_MARGIN, min=1e-9),
        Float(name="p", default=2.0, min=0, label="Power", doc="2 is Euclid's distance."),
        Float(
            name="eps", default=1e-6, min=0, doc="Added to each difference, so that the slope at 0 is finite."
        ),
        Bool(name="swap", default=False, doc="The like may take the place of the anchor."),
    ),
    infer=_three,
)


ctc_loss = _loss(
    "CTCLoss",
    "CTC loss",
    "Reads a text from a longer sequence without being told which step says which letter.",
    "F.ctc_loss({log_probs}.transpose(0, 1), {target}, {input_lengths}, {target_lengths}{rest})",
    "speech",
    "handwriting",
    "alignment",
    inputs=(
        Port("log_probs", "N L C", doc="The logarithm of each letter's probability at each step."),
        Port("target", "N S", dtype="int", doc="The letters of each text."),
        Port("input_lengths", "N", dtype="int", doc="How many steps of each sequence count."),
        Port("target_lengths", "N", dtype="int", doc="How many letters each text has."),
    ),
    params=(
        Int(name="blank", default=0, min=0, doc="The index that means no letter."),
        Bool(name="zero_infinity", default=False, doc="A text that cannot fit counts as 0."),
    ),
    infer=None,
    types=_one_number,
    # The chance of each place of the text, with a blank around each letter, at each step.
    kept=lambda log_probs, target: log_probs[1] * (2 * target[1] + 1) + 2 * target[1] + 2,
)
