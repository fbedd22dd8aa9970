"""The blocks of a transformer, each as one node."""

from __future__ import annotations

from engine.layers.attention import check_heads, check_mask, mask_port
from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int

_PARAMS = (
    Int(name="nhead", default=4, min=1, label="Heads", doc="Must divide the width of the sequence."),
    Int(name="dim_feedforward", default=2048, min=1, label="Inner units", doc="Width of the dense part."),
    Float(name="dropout", default=0.1, min=0, max=1, doc="After attention and in the dense part."),
    Choice(name="activation", default="relu", choices=("relu", "gelu"), doc="In the dense part."),
    Bool(
        name="norm_first",
        default=False,
        label="Normalize first",
        doc="Before each part rather than after it.",
    ),
    Bool(name="bias", default=True, doc="In the sums and normalizations."),
)


def _encoder(x: tuple, mask: tuple | None, nhead: int) -> dict[str, object]:
    check_heads(x[2], nhead)
    check_mask(mask, x[1], x[1])
    return {"d_model": x[2]}


def _decoder(
    x: tuple, memory: tuple, mask: tuple | None, memory_mask: tuple | None, nhead: int
) -> dict[str, object]:
    if memory[2] != x[2]:
        raise ValueError(f"reads a memory of its own width {x[2]}, {memory[2]} arrives")
    check_mask(memory_mask, x[1], memory[1])
    return _encoder(x, mask, nhead)


def _block(
    type_: str, doc: str, inputs: tuple[Port, ...], arguments: str, infer: object, prefix: str
) -> Layer:
    return Layer(
        type_,
        category="Attention",
        doc=doc,
        inputs=inputs,
        params=_PARAMS,
        infer=infer,
        fits=("nhead",),
        init=f"nn.{type_}({{d_model}}, {{nhead}}{{rest}}, batch_first=True)",
        call=f"{{self}}({arguments}{{options}})",
        title=f"{prefix.capitalize()} layer",
        summary=lambda p: f"{p['nhead']} heads, {p['dim_feedforward']} inner units",
        prefix=prefix,
        synonyms=("transformer", "block", "bert" if prefix == "encoder" else "gpt"),
    )


transformer_encoder_layer = _block(
    "TransformerEncoderLayer",
    "Self-attention and a small dense network, each with a shortcut and a normalization.",
    (
        Port("x", "N L D"),
        mask_port("mask", "src_mask", "Added to the scores; a causal mask makes it a GPT block."),
    ),
    "{x}",
    _encoder,
    "encoder",
)
transformer_decoder_layer = _block(
    "TransformerDecoderLayer",
    "Like the encoder's, and between its two parts it reads what the encoder says.",
    (
        Port("x", "N L D"),
        Port("memory", "N L D", doc="What the encoder says."),
        mask_port("mask", "tgt_mask", "Added to the scores of self-attention; usually a causal mask."),
        mask_port("memory_mask", "memory_mask", "Added to the scores of reading the memory."),
    ),
    "{x}, {memory}",
    _decoder,
    "decoder",
)
