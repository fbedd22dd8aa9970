"""Other ways in which people write a layer than its own template does.

A function of ``torch``, the same of ``torch.nn.functional`` and the tensor's method of that name are one
function already, arguments may be given by position or by name, and a tuple may stand for a list; none of
this needs a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from engine.layers.params import Value


class Spelling(NamedTuple):
    """A template over a layer's inputs and parameters, and the parameters that it fixes."""

    type: str
    template: str
    fixed: Mapping[str, Value] = {}


def _indexing(axis: int) -> list[Spelling]:
    """Brackets that choose in one dimension: ``x[:, 1]``, ``x[:, 1:3]``, ``x[:, None]``."""
    before = ":, " * axis
    ranges = ("{start}:{stop}", "{start}:", ":{stop}")
    return [
        Spelling("Unsqueeze", f"{{x}}[{before}None]", {"dim": axis}),
        Spelling("Select", f"{{x}}[{before}{{index}}]", {"dim": axis}),
        *(Spelling("Slice", f"{{x}}[{before}{text}]", {"dim": axis}) for text in ranges),
    ]


CALLS: tuple[Spelling, ...] = (
    *(spelling for axis in range(1, 5) for spelling in _indexing(axis)),
    Spelling("Select", "{x}[..., {index}]", {"dim": -1}),
    Spelling("Slice", "{x}[..., {start}:{stop}]", {"dim": -1}),
    Spelling("Slice", "{x}[..., {start}:]", {"dim": -1}),
    Spelling("Slice", "{x}[..., :{stop}]", {"dim": -1}),
    Spelling("Unsqueeze", "{x}[..., None]", {"dim": -1}),
    *(
        Spelling(type_, f"{{x}}.{method}({batch}, {rest})")
        for method in ("reshape", "view")
        for batch in ("{x}.shape[0]", "{x}.size(0)", "len({x})", "-1")
        for type_, rest in (("Flatten", "-1"), ("Reshape", "{shape:, }"))
        if (type_, batch) != ("Flatten", "-1")
    ),
    Spelling("Transpose", "{x}.mT", {"dim0": -2, "dim1": -1}),
    Spelling("Transpose", "{x}.swapaxes({dim0}, {dim1})"),
    Spelling("Concatenate", "torch.concat([{xs}], {dim})"),
    Spelling("Concatenate", "torch.hstack([{xs}])", {"dim": 1}),
    Spelling("ArgMax", "{x}.max({dim})[1]"),
    Spelling("MatMul", "torch.matmul({a}, {b})"),
    Spelling("MatMul", "torch.bmm({a}, {b})"),
    Spelling("Add", "torch.add({xs.0}, {xs.1})"),
    Spelling("Subtract", "torch.sub({a}, {b})"),
    Spelling("Subtract", "torch.subtract({a}, {b})"),
    Spelling("Multiply", "torch.mul({xs.0}, {xs.1})"),
    Spelling("Multiply", "torch.multiply({xs.0}, {xs.1})"),
    Spelling("Divide", "torch.div({a}, {b})"),
    Spelling("Scale", "{x} * {scale}"),
    Spelling("Scale", "{scale} * {x}"),
    Spelling("Scale", "{x} + {shift}"),
    Spelling("Scale", "{shift} + {x}"),
    Spelling("Scale", "{scale} * {x} + {shift}"),
    Spelling("Power", "torch.pow({x}, {exponent})"),
    Spelling("Power", "torch.square({x})", {"exponent": 2.0}),
    Spelling("Negative", "torch.neg({x})"),
    Spelling("Greater", "torch.gt({a}, {b})"),
    Spelling("Greater", "{b} < {a}"),
    Spelling("Equal", "torch.eq({a}, {b})"),
    Spelling("Where", "torch.where({condition}, {a}, {b})"),
    Spelling("Clamp", "torch.clip({x}, {min}, {max})"),
    Spelling("ToFloat", "{x}.to(torch.float32)"),
    Spelling("ToInteger", "{x}.to(torch.int64)"),
    Spelling("OneHot", "F.one_hot({x}, {num_classes})"),
    Spelling("Dropout", "F.dropout({x}, {p}, self.training)"),
    Spelling("BCEWithLogitsLoss", "F.binary_cross_entropy_with_logits({input}, {target}{rest})"),
    Spelling("BCELoss", "F.binary_cross_entropy({input}, {target}{rest})"),
    Spelling("MultiheadAttention", "{self}({query}, {key}, {value}, need_weights=False{options})"),
)
"""Calls that mean what a layer's ``call`` means."""

INITS: tuple[Spelling, ...] = (
    *(
        Spelling(f"{kind}Pad", f"nn.{kind}Pad{axes}d({{border}})")
        for kind in ("Zero", "Reflection", "Replication", "Circular")
        for axes in (1, 2, 3)
    ),
    *(Spelling("ConstantPad", f"nn.ConstantPad{axes}d({{border}}, {{value}})") for axes in (1, 2, 3)),
    Spelling("Softmax", "nn.Softmax2d()", {"dim": 1}),
    Spelling("Unflatten", "nn.Unflatten({dim}, {sizes})"),
    Spelling("Resize", "nn.Upsample({size}{rest})"),
    Spelling("Upsample", "nn.UpsamplingNearest2d(scale_factor={scale_factor})"),
    Spelling("Upsample", "nn.UpsamplingBilinear2d(scale_factor={scale_factor})",
             {"mode": "bilinear", "align_corners": True}),
)  # fmt: skip
"""Modules that mean what a layer means."""
