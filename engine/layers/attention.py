"""Attention: each place of a sequence reads from all others."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Float, Int
from engine.layers.text import shown_shape


def check_heads(dim: int, heads: int) -> None:
    """Raise ValueError, with heads that would do, where heads cannot share a width."""
    if dim % heads:
        would = " or ".join(str(n) for n in (1, 2, 4, 8, 16) if dim % n == 0)
        raise ValueError(f"splits {dim} numbers among {heads} heads, which leaves a rest; {would} would do")


def check_mask(mask: tuple | None, queries: object, keys: object) -> None:
    """Raise ValueError where a mask does not stand for every query and key."""
    if mask is not None and tuple(mask) != (queries, keys):
        raise ValueError(f"expects a mask of {queries}×{keys}, {shown_shape(mask)} arrives")


def _attention_sizes(
    query: tuple, key: tuple, value: tuple, mask: tuple | None, num_heads: int
) -> dict[str, object]:
    dim = query[2]
    check_heads(dim, num_heads)
    if key[1] != value[1]:
        raise ValueError(f"expects a value for each key, {key[1]} keys and {value[1]} values arrive")
    check_mask(mask, query[1], key[1])
    return {
        "embed_dim": dim,
        "kdim": key[2] if key[2] != dim else None,
        "vdim": value[2] if value[2] != dim else None,
    }


def mask_port(name: str, keyword: str, doc: str) -> Port:
    """Return the optional input for numbers that are added to the scores of attention."""
    return Port(name, "L S", optional=f", {keyword}={{{name}}}", doc=doc)


_MASK_DOC = "Added to the scores: -inf hides. Causal mask makes one."

multihead_attention = Layer(
    "MultiheadAttention",
    category="Attention",
    doc="Each query gathers the values whose keys resemble it, in several heads side by side.",
    inputs=(
        Port("query", "N L D"),
        Port("key", "N L D", fallback="query", doc="The query itself when open: self-attention."),
        Port("value", "N L D", fallback="key", doc="The key itself when open."),
        mask_port("mask", "attn_mask", _MASK_DOC),
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
    fits=("num_heads",),
    restore=lambda kdim=None, vdim=None: {},
    init="nn.MultiheadAttention({embed_dim}, {num_heads}{rest}, batch_first=True)",
    call="{self}({query}, {key}, {value}{options})",
    summary=lambda p: f"{p['num_heads']} heads",
    title="Multi-head attention",
    prefix="attention",
    synonyms=("transformer", "self-attention", "mha"),
)


def _plain_sizes(query: tuple, key: tuple, value: tuple, mask: tuple | None) -> dict[str, object]:
    if query[-1] != key[-1]:
        raise ValueError(f"compares queries of {query[-1]} numbers with keys of {key[-1]}; they must agree")
    if key[-2] != value[-2]:
        raise ValueError(f"expects a value for each key, {key[-2]} keys and {value[-2]} values arrive")
    check_mask(mask, query[-2], key[-2])
    return {}


scaled_dot_product_attention = Layer(
    "ScaledDotProductAttention",
    category="Attention",
    doc="softmax(Q Kᵀ / √d) V: attention without weights of its own.",
    inputs=(
        Port("query", "N L D|N H L D"),
        Port("key", "N L D|N H L D", fallback="query", doc="The query itself when open."),
        Port("value", "N L D|N H L D", fallback="key", doc="The key itself when open."),
        mask_port("mask", "attn_mask", _MASK_DOC),
    ),
    params=(
        Bool(
            name="is_causal",
            default=False,
            label="Causal",
            doc="Each place reads only itself and those before.",
        ),
        Float(name="scale", default=None, optional=True, doc="Factor of the scores; 1 / √d when empty."),
    ),
    infer=_plain_sizes,
    call="F.scaled_dot_product_attention({query}, {key}, {value}{options}{rest})",
    summary=lambda p: "causal" if p["is_causal"] else "",
    title="Dot-product attention",
    prefix="attention",
    synonyms=("sdpa", "self-attention"),
)

causal_mask = Layer(
    "CausalMask",
    category="Attention",
    doc="A mask for attention that hides what comes later: -inf above the diagonal, else 0.",
    inputs=(Port("x", "N L ...", doc="The sequence; only its length counts."),),
    outputs=(Port("mask"),),
    call="{x}.new_full(({x}.size(1), {x}.size(1)), -torch.inf).triu(1)",
    title="Causal mask",
    prefix="mask",
    synonyms=("mask", "autoregressive", "look-ahead", "decoder", "gpt"),
)
