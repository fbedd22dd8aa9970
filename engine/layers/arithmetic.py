"""Arithmetic, element by element."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port


def _broadcast(xs: tuple) -> dict[str, object]:
    widest = max(len(shape) for shape in xs)
    for sizes in zip(*((1,) * (widest - len(shape)) + tuple(shape) for shape in xs), strict=True):
        if len(set(sizes) - {1}) > 1:
            shapes = " and ".join("×".join(map(str, shape)) for shape in xs)
            raise ValueError(f"expects inputs of one shape, {shapes} arrive")
    return {}


add = Layer(
    "Add",
    category="Arithmetic",
    doc="Adds its inputs, element by element.",
    inputs=(Port("xs", dtype="any", variadic=True),),
    infer=_broadcast,
    call="{xs: + }",
    prefix="add",
    synonyms=("sum", "plus", "residual", "skip"),
)

multiply = Layer(
    "Multiply",
    category="Arithmetic",
    doc="Multiplies its inputs, element by element.",
    inputs=(Port("xs", dtype="any", variadic=True),),
    infer=_broadcast,
    call="{xs: * }",
    prefix="mul",
    synonyms=("times", "gate", "product"),
)
