"""Why an image has the size that it has: the arithmetic of convolution and pooling in one line."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

from engine.layers.declaration import TensorType
from engine.layers.params import Value


def _axis(value: Value, axis: int) -> int | None:
    part = value[axis] if isinstance(value, tuple) and len(value) == 2 else value
    return part if isinstance(part, int) and not isinstance(part, bool) else None


def window_formula(values: Mapping[str, Value], before: TensorType, after: TensorType) -> str:
    """Return ``(14 − 5 + 0) / 1 + 1 = 10`` for a layer that slides a window, else an empty text.

    floor((size - dilation (kernel - 1) - 1 + 2 padding) / stride) + 1, as in torch.nn.Conv2d; of the height,
    and of the width where it differs.
    """
    if "kernel_size" not in values or len(before.shape) < 3 or len(before.shape) != len(after.shape):
        return ""
    first = 2 if len(before.shape) > 3 else len(before.shape) - 1
    axes = range(first, len(before.shape))
    lines = [_line(values, axis - first, before.shape[axis], after.shape[axis]) for axis in axes]
    return "\n".join(dict.fromkeys(lines)) if all(lines) else ""


def _line(values: Mapping[str, Value], axis: int, before: int | str, after: int | str) -> str:
    kernel, padding = _axis(values["kernel_size"], axis), _axis(values.get("padding", 0), axis)
    stride = values.get("stride")
    stride = kernel if stride is None else _axis(stride, axis)
    dilation = _axis(values.get("dilation", 1), axis)
    sizes = (kernel, padding, stride, dilation, before, after)
    if not all(isinstance(size, int) for size in sizes) or not stride:
        return ""
    span = dilation * (kernel - 1) + 1
    exact = (before - span + 2 * padding) / stride
    fraction = f"({before} − {span} + {2 * padding}) / {stride}"
    for result, text in (
        (exact, fraction),
        (floor(exact), f"⌊{fraction}⌋"),
        (ceil(exact), f"⌈{fraction}⌉"),
    ):
        if result + 1 == after:
            return f"{text} + 1 = {after}"
    return ""  # another arithmetic, such as that of a transposed convolution
