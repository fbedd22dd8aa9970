"""Attention."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int


def _attention_sizes(query: tuple, key: tuple, value: tuple, num_heads: int) -> dict[str, object]:
    dim = query[2]
    if dim % num_heads:
        raise ValueError(
            f"splits {dim} numbers among {num_heads} heads, which leaves a rest; {_heads(dim)} would do"
        )
    if key[1] != value[1]:
        raise ValueError(f"expects a value for each key, {key[1]} keys and {value[1]} values arrive")
    return {
        "embed_dim": dim,
        "kdim": key[2] if key[2] != dim else None,
        "vdim": value[2] if value[2] != dim else None,
    }


def _heads(dim: int) -> str:
    return " or ".join(str(n) for n in (1, 2, 4, 8, 16) if dim % n == 0)


multihead_attention = Layer(
    "MultiheadAttention",
    category="Attention",
    doc="Each query gathers the values whose keys resemble it, in several heads side by side.",
    inputs=(
        Port("query", "N L D"),
        Port("key", "N L D", fallback="query", doc="The query itself when open: self-attention."),
        Port("value", "N L D", fallback="key", doc="The key itself when open."),
    ),
    outputs=(
        Port("output", "N L D"),
        Port("weights", "N L S", doc="How much each query reads from each key, mean over heads."),
    ),
    params=(
        Int(name="num_heads", default=4, min=1, label="Heads", doc="Must divide the width of the query."),
        Float(name="dropout", default=0.0, min=0, max=1, doc="On the attention weights."),
        Bool(name="bias", default=True, doc="In the projections."),
    ),
    infer=_attention_sizes,
    init="nn.MultiheadAttention({embed_dim}, {num_heads}{rest}, batch_first=True)",
    call="{self}({query}, {key}, {value})",
    summary=lambda p: f"{p['num_heads']} heads",
    title="Multi-head attention",
    prefix="attention",
    synonyms=("transformer", "self-attention", "mha"),
)
