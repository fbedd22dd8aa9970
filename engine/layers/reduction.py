"""Reductions: one number in place of a whole dimension."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int, Ints, Param

_DIMS = Ints(
    name="dim",
    default=-1,
    min=-8,
    max=7,
    alone=True,
    label="Dimensions",
    doc="What is reduced: one dimension or several; 0 is the batch, -1 the last.",
)
_DIM = Int(name="dim", default=-1, min=-8, max=7, doc="The dimension that is reduced; -1 is the last.")
_KEEP = Bool(name="keepdim", default=False, label="Keep dimension", doc="Keep it, with size 1.")


def _over(p: dict) -> str:
    dims = p["dim"] if isinstance(p["dim"], tuple) else (p["dim"],)
    return f"over dimension{'s' * (len(dims) > 1)} {', '.join(map(str, dims))}"


def _reduction(
    type_: str,
    doc: str,
    call: str,
    *synonyms: str,
    dim: Param = _DIMS,
    more: tuple[Param, ...] = (),
    **ports: object,
) -> Layer:
    return Layer(
        type_,
        category="Arithmetic",
        doc=doc,
        params=(dim, *more, _KEEP),
        call=call,
        summary=_over,
        prefix=f"{type_.lower()}_",
        synonyms=synonyms,
        **ports,
    )


mean = _reduction("Mean", "The mean over some dimensions.", "torch.mean({x}, {dim}{rest})", "average")
sum_ = _reduction("Sum", "The sum over some dimensions.", "torch.sum({x}, {dim}{rest})", "total", "reduce")
max_ = _reduction(
    "Max", "The largest number over some dimensions.", "torch.amax({x}, {dim}{rest})", "largest"
)
min_ = _reduction(
    "Min", "The smallest number over some dimensions.", "torch.amin({x}, {dim}{rest})", "smallest"
)
arg_max = _reduction(
    "ArgMax",
    "The place of the largest number in a dimension: the index of the best class.",
    "torch.argmax({x}, {dim}{rest})",
    "index",
    "best",
    "predict",
    dim=_DIM,
    outputs=(Port("y", dtype="int"),),
)
norm = _reduction(
    "Norm",
    "The length of vectors that lie in some dimensions.",
    "{x}.norm({p}, {dim}{rest})",
    "length",
    "l2",
    "l1",
    more=(
        Float(
            name="p", default=2.0, min=0, label="Power", doc="2 is Euclid's length, 1 sums absolute numbers."
        ),
    ),
)
_CORRECTION = Int(
    name="correction", default=1, min=0, doc="Taken off the count: 1 estimates from a sample, 0 describes it."
)
variance = _reduction(
    "Variance",
    "The mean squared distance from the mean over some dimensions.",
    "torch.var({x}, {dim}{rest})",
    "var",
    "spread",
    more=(_CORRECTION,),
)
standard_deviation = _reduction(
    "StandardDeviation",
    "The square root of the variance over some dimensions.",
    "torch.std({x}, {dim}{rest})",
    "std",
    "spread",
    title="Standard deviation",
    more=(_CORRECTION,),
)
log_sum_exp = _reduction(
    "LogSumExp",
    "The logarithm of a sum of exponentials, computed safely: a soft maximum.",
    "torch.logsumexp({x}, {dim}{rest})",
    "soft maximum",
)
