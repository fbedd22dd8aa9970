"""Tables that are looked up by index."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Int

embedding = Layer(
    "Embedding",
    category="Linear",
    doc="Looks up a learned vector for each index.",
    inputs=(Port("x", dtype="int"),),
    params=(
        Int(
            name="num_embeddings",
            default=1000,
            min=1,
            label="Entries",
            doc="How many different indices there are.",
        ),
        Int(name="embedding_dim", default=64, min=1, label="Dimensions", doc="Length of each vector."),
        Int(name="padding_idx", default=None, min=0, optional=True, doc="An index whose vector stays zero."),
    ),
    init="nn.Embedding({num_embeddings}, {embedding_dim}{rest})",
    call="{self}({x})",
    summary=lambda p: f"{p['num_embeddings']} × {p['embedding_dim']}",
    prefix="embedding",
    synonyms=("lookup", "token", "word vectors"),
)
