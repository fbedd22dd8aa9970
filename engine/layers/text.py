"""How declarations word sizes: ``5 × 5`` and ``stride 2`` on a node, ``N×3×8×8`` in a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.layers.params import Value

Summary = Callable[[Mapping[str, Value]], str]


def by(value: Value, axes: int = 2) -> str:
    """Return ``5 × 5`` for one number that holds for all axes, or for one each."""
    return " × ".join(map(str, value if isinstance(value, tuple) else (value,) * axes))


def window(p: Mapping[str, Value], axes: int = 2) -> str:
    """Return ``5 × 5, stride 2``, the stride only where it says something."""
    text = by(p["kernel_size"], axes)
    stride = p.get("stride")
    return (
        text
        if stride in (None, 1)
        else f"{text}, stride {by(stride) if isinstance(stride, tuple) else stride}"
    )


def shown_shape(shape: tuple) -> str:
    """Return ``N×3×8×8``."""
    return "×".join(map(str, shape)) or "a number"


def along(name: str = "dim") -> Summary:
    """Return a summary that names the dimension which a parameter chooses."""
    return lambda p: f"along dimension {p[name]}"
