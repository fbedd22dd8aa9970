"""A module as the text of its constructor's call, read from its attributes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

import engine.modules
from engine.compiler import signatures
from engine.compiler.recognize import Recognized, recognize_init
from engine.compiler.template import literal
from engine.errors import EngineError

_SKIPPED = {
    "device",
    "dtype",
    "inplace",
    "_weight",
    "_freeze",
    "_weight_",
    "args",
    "kwargs",
    "sparse",
    "scale_grad_by_freq",
}

_READ: Mapping[str, Callable[[nn.Module], Any]] = {
    "TransformerEncoderLayer.d_model": lambda m: m.self_attn.embed_dim,
    "TransformerEncoderLayer.nhead": lambda m: m.self_attn.num_heads,
    "TransformerEncoderLayer.dim_feedforward": lambda m: m.linear1.out_features,
    "TransformerEncoderLayer.dropout": lambda m: m.dropout1.p,
    "TransformerEncoderLayer.activation": lambda m: getattr(m.activation, "__name__", "?"),
    "TransformerEncoderLayer.layer_norm_eps": lambda m: m.norm1.eps,
    "TransformerEncoderLayer.batch_first": lambda m: m.self_attn.batch_first,
    "TransformerEncoderLayer.bias": lambda m: m.linear1.bias is not None,
    "MultiheadAttention.bias": lambda m: m.in_proj_bias is not None,
    "MultiheadAttention.add_bias_kv": lambda m: m.bias_k is not None,
    "MultiheadAttention.kdim": lambda m: None if m.kdim == m.embed_dim else m.kdim,
    "MultiheadAttention.vdim": lambda m: None if m.vdim == m.embed_dim else m.vdim,
    "PReLU.init": lambda m: 0.25,
    "LayerNorm.bias": lambda m: m.bias is not None or not m.elementwise_affine,
}
"""Arguments that a module keeps elsewhere than under their own name."""
_READ = {
    **_READ,
    **{
        key.replace("Encoder", "Decoder"): read
        for key, read in _READ.items()
        if key.startswith("TransformerEncoderLayer")
    },
}


def constructor(module: nn.Module) -> ast.expr | None:
    """Return the call that makes a module of torch or of Netwright, or None if it cannot be told."""
    kind = type(module)
    ours = kind.__module__.startswith(engine.modules.__name__ + ".")
    if not ours and signatures.class_of(f"nn.{kind.__name__}") is not kind:
        return None
    texts = []
    for argument in signatures.of_class(kind):
        if argument.name in _SKIPPED:
            continue
        try:
            value = _value(module, argument.name)
        except AttributeError:
            if argument.default is signatures.EMPTY:
                return None
            continue
        if argument.default is signatures.EMPTY or value != argument.default:
            text = _text(value)
            if text is None:
                return None
            texts.append(f"{argument.name}={text}")
    name = kind.__name__ if ours else f"nn.{kind.__name__}"
    return ast.parse(f"{name}({', '.join(texts)})", mode="eval").body


def layer_of_module(module: nn.Module) -> Recognized | None:
    """Return the catalogue's layer of a module, or None where it has none that does the same."""
    expression = constructor(module)
    if expression is None:
        return None
    try:
        return recognize_init(expression)
    except EngineError:
        return None


def _value(module: nn.Module, name: str) -> Any:
    read = _READ.get(f"{type(module).__name__}.{name}")
    if read:
        return read(module)
    if name == "args":
        raise AttributeError
    value = getattr(module, name)
    return value is not None if name == "bias" and (value is None or isinstance(value, Tensor)) else value


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        value = tuple(value)
    plain = value is None or isinstance(value, bool | int | float | str)
    if plain or (
        isinstance(value, tuple) and all(isinstance(each, bool | int | float | str) for each in value)
    ):
        return literal(value)
    return None
