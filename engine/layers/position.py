"""Positions: attention itself does not see the order."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Int


def _width(x: tuple, max_len: int) -> dict[str, object]:
    if isinstance(x[1], int) and x[1] > max_len:
        raise ValueError(f"knows {max_len} places, a sequence of {x[1]} arrives; raise its longest sequence")
    return {"width": x[2]}


def _position(type_: str, title: str, doc: str, module: str, longest: int, *synonyms: str) -> Layer:
    return Layer(
        type_,
        category="Attention",
        doc=doc,
        inputs=(Port("x", "N L D"),),
        params=(
            Int(
                name="max_len",
                default=longest,
                min=1,
                label="Longest sequence",
                doc="How many places it knows.",
            ),
        ),
        infer=_width,
        init=f"{type_}({{width}}, {{max_len}})",
        module=module,
        call="{self}({x})",
        summary=lambda p: f"up to {p['max_len']} places",
        title=title,
        prefix="position",
        synonyms=("transformer", "order", *synonyms),
    )


positional_encoding = _position(
    "PositionalEncoding",
    "Positional encoding",
    "Adds waves of many lengths, so that every place of a sequence looks different.",
    "positional_encoding",
    5000,
    "sinusoidal",
    "sine",
)
position_embedding = _position(
    "PositionEmbedding",
    "Position embedding",
    "Adds a learned vector for each place of a sequence.",
    "position_embedding",
    512,
    "learned positions",
    "gpt",
)
