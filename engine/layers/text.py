"""How declarations word sizes on a node: ``5 × 5``, ``stride 2``."""

from __future__ import annotations

from collections.abc import Mapping

from engine.layers.params import Value


def by(value: Value) -> str:
    """Return ``5 × 5`` for one number or a pair."""
    first, second = value if isinstance(value, tuple) else (value, value)
    return f"{first} × {second}"


def window(p: Mapping[str, Value]) -> str:
    """Return ``5 × 5, stride 2``, the stride only where it says something."""
    text = by(p["kernel_size"])
    stride = p.get("stride")
    return (
        text
        if stride in (None, 1)
        else f"{text}, stride {by(stride) if isinstance(stride, tuple) else stride}"
    )
