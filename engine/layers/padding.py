"""Padding: a border around an image, a sequence or a volume."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Float, Ints, Param
from engine.layers.text import by


def _border(x: tuple, padding: object) -> dict[str, object]:
    """One number holds for every border; else two for each axis, the last axis first, as in torch."""
    axes = len(x) - 2
    if not isinstance(padding, tuple):
        return {"border": (padding,) * 2 * axes}
    if len(padding) != 2 * axes:
        raise ValueError(
            f"expects one number for all borders or {2 * axes}, two for each axis, not {len(padding)}"
        )
    return {"border": padding}


def _narrowest(border: object) -> dict[str, object]:
    """One number where every border is the same."""
    alike = isinstance(border, tuple | list) and len(set(border)) == 1
    return {"padding": border[0] if alike else border}


def _pad(type_: str, doc: str, arguments: str, *params: Param, synonyms: tuple[str, ...] = ()) -> Layer:
    padding = Ints(
        name="padding",
        default=1,
        min=0,
        alone=True,
        lengths=(1, 2, 4, 6),
        doc="One number for all borders, or left, right, top, bottom, front, back.",
    )
    return Layer(
        type_,
        category="Convolution",
        doc=doc,
        inputs=(Port("x", "N C H W|N C L|N C D H W"),),
        params=(padding, *params),
        infer=_border,
        restore=_narrowest,
        call=f"F.pad({{x}}, {{border}}{arguments})",
        summary=lambda p: f"border {by(p['padding'], 1)}",
        prefix="pad",
        synonyms=(*(f"{type_}{axes}d" for axes in (1, 2, 3)), "padding", "border", *synonyms),
    )


zero_pad = _pad("ZeroPad", "Surrounds the input with zeros.", "")
reflection_pad = _pad("ReflectionPad", "Continues the input with its mirror image.", ', mode="reflect"')
replication_pad = _pad("ReplicationPad", "Repeats the numbers at the border outward.", ', mode="replicate"')
circular_pad = _pad(
    "CircularPad", "Continues the input with its other end.", ', mode="circular"', synonyms=("wrap",)
)
constant_pad = _pad(
    "ConstantPad",
    "Surrounds the input with one number.",
    ", value={value}",
    Float(name="value", default=1.0, doc="The number around it."),
)
