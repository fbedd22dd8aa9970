"""The same numbers in another shape."""

from __future__ import annotations

from math import prod

from engine.layers.declaration import Layer, Port
from engine.layers.params import Int, Ints

flatten = Layer(
    "Flatten",
    category="Shape",
    doc="Lays all numbers of a sample in one row.",
    inputs=(Port("x", dtype="any"),),
    params=(
        Int(
            name="start_dim", default=1, min=-8, max=7, doc="First dimension that is merged; 0 is the batch."
        ),
        Int(name="end_dim", default=-1, min=-8, max=7, doc="Last dimension that is merged."),
    ),
    call="torch.flatten({x}, {start_dim}{rest})",
    summary=lambda p: f"from dimension {p['start_dim']}",
    prefix="flatten",
    synonyms=("ravel",),
)


def _same_count(x: tuple, shape: tuple) -> dict[str, object]:
    if prod(x[1:]) != prod(shape):
        raise ValueError(
            f"expects {' × '.join(map(str, shape))} = {prod(shape)} numbers for each sample, "
            f"{' × '.join(map(str, x[1:]))} = {prod(x[1:])} arrive"
        )
    return {}


reshape = Layer(
    "Reshape",
    category="Shape",
    doc="Gives each sample a new shape with the same number of values.",
    inputs=(Port("x", "N ...", dtype="any"),),
    params=(
        Ints(name="shape", default=(1, 28, 28), min=1, doc="The shape of one sample, without the batch."),
    ),
    infer=_same_count,
    call="{x}.reshape(-1, {shape:, })",
    summary=lambda p: "to " + " × ".join(str(size) for size in p["shape"]),
    prefix="reshape",
    synonyms=("view", "unflatten"),
)


def _same_but(xs: tuple, dim: int) -> dict[str, object]:
    rank = len(xs[0])
    if not -rank <= dim < rank:
        raise ValueError(f"joins along dimension {dim}, but the inputs have {rank} dimensions")
    for other in xs[1:]:
        if len(other) != rank or any(
            a != b for i, (a, b) in enumerate(zip(xs[0], other, strict=True)) if i != dim % rank
        ):
            raise ValueError(
                f"expects inputs that differ only in dimension {dim}, "
                f"{' and '.join('×'.join(map(str, shape)) for shape in (xs[0], other))} arrive"
            )
    return {}


concatenate = Layer(
    "Concatenate",
    category="Shape",
    doc="Joins tensors along one dimension.",
    inputs=(Port("xs", dtype="any", variadic=True),),
    params=(
        Int(name="dim", default=1, min=-8, max=7, doc="The dimension that grows; 1 is channels or features."),
    ),
    infer=_same_but,
    call="torch.cat([{xs}], {dim})",
    summary=lambda p: f"along dimension {p['dim']}",
    prefix="cat",
    synonyms=("cat", "join", "merge", "stack"),
)
