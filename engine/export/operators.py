"""Operators of torch that its ONNX translator lacks, written with others that it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

_ATEN = torch.ops.aten


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Attention without heads is attention with one head."""
    if query.dim() != 3:
        return NotImplemented
    if attn_mask is not None and attn_mask.dim() == 3:
        attn_mask = attn_mask.unsqueeze(1)
    heads = (each.unsqueeze(1) for each in (query, key, value))
    options = {"scale": scale, "enable_gqa": enable_gqa}
    return _ATEN.scaled_dot_product_attention(*heads, attn_mask, dropout_p, is_causal, **options).squeeze(1)


def _rrelu(
    x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator=None
) -> Any:
    """Its slope is the mean of its bounds, except while training."""
    return NotImplemented if training else torch.where(x >= 0, x, x * ((lower + upper) / 2))


def _cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: int | None = None) -> Tensor:
    """Distances are the norms of all differences."""
    return torch.linalg.vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


OTHERWISE: Mapping[Any, Callable[..., Any]] = MappingProxyType(
    {
        _ATEN.scaled_dot_product_attention.default: _attention,
        _ATEN.rrelu.default: _rrelu,
        _ATEN.cdist.default: _cdist,
    }
)
"""How each is written instead."""
