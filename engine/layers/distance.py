"""How near two things are."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int
from engine.layers.text import along, shown_shape

_PAIR = (Port("x1", doc="One of the two."), Port("x2", doc="The other."))
_POWER = Float(
    name="p", default=2.0, min=0, label="Power", doc="2 is Euclid's distance, 1 the sum of differences."
)

cosine_similarity = Layer(
    "CosineSimilarity",
    category="Arithmetic",
    doc="The cosine of the angle between two vectors: 1 the same way, 0 at right angles, -1 opposite.",
    inputs=_PAIR,
    params=(
        Int(name="dim", default=1, min=-8, max=7, doc="The dimension in which the vectors lie."),
        Float(name="eps", default=1e-8, min=0, doc="Keeps the division safe."),
    ),
    call="F.cosine_similarity({x1}, {x2}{rest})",
    summary=along(),
    prefix="cosine",
    synonyms=("angle", "similarity"),
)

pairwise_distance = Layer(
    "PairwiseDistance",
    category="Arithmetic",
    doc="The distance between two vectors, along the last dimension.",
    inputs=_PAIR,
    params=(
        _POWER,
        Float(
            name="eps", default=1e-6, min=0, doc="Added to each difference, so that the slope at 0 is finite."
        ),
        Bool(name="keepdim", default=False, doc="Keep the dimension, with size 1."),
    ),
    call="F.pairwise_distance({x1}, {x2}{rest})",
    summary=lambda p: f"power {p['p']:g}",
    prefix="distance",
    synonyms=("euclidean", "metric"),
)


def _same_width(x1: tuple, x2: tuple) -> dict[str, object]:
    if x1[-1] != x2[-1]:
        raise ValueError(f"expects vectors of one length, {shown_shape(x1)} and {shown_shape(x2)} arrive")
    return {}


distance_matrix = Layer(
    "DistanceMatrix",
    category="Arithmetic",
    doc="The distance of each vector of one set to each vector of another.",
    inputs=(Port("x1", "N L D|N D", doc="One set of vectors."), Port("x2", "N L D|N D", doc="The other.")),
    params=(_POWER,),
    infer=_same_width,
    call="torch.cdist({x1}, {x2}{rest})",
    summary=lambda p: f"power {p['p']:g}",
    title="Distance matrix",
    prefix="distances",
    synonyms=("cdist", "pairwise"),
)
