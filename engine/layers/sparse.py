"""Tables that are looked up by index."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Choice, Int

_TABLE = (
    Int(
        name="num_embeddings",
        default=1000,
        min=1,
        label="Entries",
        doc="How many different indices there are.",
    ),
    Int(name="embedding_dim", default=64, min=1, label="Dimensions", doc="Length of each vector."),
)
_PADDING = Int(
    name="padding_idx", default=None, min=0, optional=True, doc="An index whose vector stays zero."
)

embedding = Layer(
    "Embedding",
    category="Linear",
    doc="Looks up a learned vector for each index.",
    inputs=(Port("x", dtype="int", entries="num_embeddings"),),
    params=(*_TABLE, _PADDING),
    init="nn.Embedding({num_embeddings}, {embedding_dim}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['num_embeddings']} × {p['embedding_dim']}",
    prefix="embedding",
    synonyms=("lookup", "token", "word vectors"),
)

embedding_bag = Layer(
    "EmbeddingBag",
    category="Linear",
    doc="Looks up a learned vector for each index of a sample and gives their mean, sum or maximum.",
    inputs=(Port("x", "N L", dtype="int", entries="num_embeddings"),),
    params=(
        *_TABLE,
        Choice(
            name="mode", default="mean", choices=("mean", "sum", "max"), doc="What becomes of the vectors."
        ),
        _PADDING,
    ),
    init="nn.EmbeddingBag({num_embeddings}, {embedding_dim}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['mode']} of {p['num_embeddings']} × {p['embedding_dim']}",
    prefix="bag",
    synonyms=("bag of words", "lookup"),
)

one_hot = Layer(
    "OneHot",
    category="Linear",
    doc="Turns each index into a row of zeros with a one at its place.",
    inputs=(Port("x", dtype="int", entries="num_classes"),),
    params=(
        Int(
            name="num_classes",
            default=10,
            min=1,
            label="Classes",
            doc="How many different indices there are.",
        ),
    ),
    call="F.one_hot({x}, {num_classes}).float()",
    summary=lambda p: f"{p['num_classes']} classes",
    title="One-hot",
    prefix="onehot",
    synonyms=("one-hot", "dummy variables", "categorical"),
)
