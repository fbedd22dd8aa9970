"""Operators of ONNX in the words that people write: one line for each.

``{0}`` is an input by its place. Where an operator needs more than the names of its inputs, a function of the
node writes the text; attributes that a file leaves out have the default of the standard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch


class Node(Protocol):
    """What a function of this table may ask: inputs as text, constants, shapes, attributes."""

    inputs: list[str]
    outputs: int

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""

    def constant(self, place: int) -> Any:
        """Return the value of an input that is known, as numbers; None where the input is absent."""

    def rank(self, place: int = 0) -> int:
        """Return how many dimensions an input has."""

    def is_known(self, place: int) -> bool:
        """Return whether an input is the same for all inputs of the network."""

    def is_stored(self, place: int) -> bool:
        """Return whether an input stands in the file as numbers."""

    def batched(self, sizes: list[int]) -> str:
        """Return the text of a shape, with the batch size where the file has a fixed one."""


Rule = str | Callable[[Node], str]


def _axes(node: Node, place: int = 1) -> list[int]:
    axes = node.attribute("axes")
    if axes is None and len(node.inputs) > place:
        axes = node.constant(place)
    return [int(each) for each in axes] if axes is not None else []


def _reduce(function: str) -> Callable[[Node], str]:
    def rule(node: Node) -> str:
        axes = _axes(node) or list(range(node.rank()))
        dims = axes if len(axes) > 1 else axes[0]
        return f"torch.{function}({node.inputs[0]}, {dims}, keepdim={_keep(node)})"

    return rule


def _shape(node: Node) -> str:
    start, end = node.attribute("start", 0), node.attribute("end", "")
    return f"torch.tensor({node.inputs[0]}.shape[{start}:{end}])"


def _keep(node: Node) -> bool:
    return bool(node.attribute("keepdims", 1))


def _batch_norm(node: Node) -> str:
    x, weight, bias, mean, var = node.inputs[:5]
    return (
        f"F.batch_norm({x}, {mean}, {var}, {weight}, {bias}, False, 0.1, {node.attribute('epsilon', 1e-5)})"
    )


def _instance_norm(node: Node) -> str:
    x, weight, bias = node.inputs[:3]
    return f"F.instance_norm({x}, None, None, {weight}, {bias}, eps={node.attribute('epsilon', 1e-5)})"


def _pads(node: Node, axes: int) -> tuple[list[int], list[int]]:
    pads = node.attribute("pads") or [0] * (2 * axes)
    automatic = node.attribute("auto_pad", "NOTSET")
    if automatic not in ("NOTSET", "VALID"):
        raise ValueError(f"auto_pad={automatic}, which newer files do not use")
    return list(pads[:axes]), list(pads[axes:])


def _padded(node: Node, axes: int, fill: str = "0.0") -> tuple[str, list[int]]:
    """Return the input, padded by hand where both sides differ, and the padding that is left."""
    before, after = _pads(node, axes)
    if before == after:
        return node.inputs[0], before
    sides = [size for pair in zip(reversed(before), reversed(after), strict=True) for size in pair]
    return f"F.pad({node.inputs[0]}, {sides}, value={fill})", [0] * axes


def _conv(node: Node) -> str:
    axes = node.rank(1) - 2
    x, padding = _padded(node, axes)
    strides, dilations = (node.attribute(name) or [1] * axes for name in ("strides", "dilations"))
    bias = node.inputs[2] if len(node.inputs) > 2 else "None"
    groups = node.attribute("group", 1)
    return f"F.conv{axes}d({x}, {node.inputs[1]}, {bias}, {strides}, {padding}, {dilations}, {groups})"


def _conv_transpose(node: Node) -> str:
    axes = node.rank(1) - 2
    before, after = _pads(node, axes)
    if before != after or node.attribute("output_shape"):
        raise ValueError("padding that differs from side to side")
    strides, dilations = (node.attribute(name) or [1] * axes for name in ("strides", "dilations"))
    extra = node.attribute("output_padding") or [0] * axes
    bias = node.inputs[2] if len(node.inputs) > 2 else "None"
    groups = node.attribute("group", 1)
    given = f"{node.inputs[0]}, {node.inputs[1]}, {bias}, {strides}, {before}, {extra}, {groups}, {dilations}"
    return f"F.conv_transpose{axes}d({given})"


def _pool(kind: str) -> Callable[[Node], str]:
    def rule(node: Node) -> str:
        size = node.attribute("kernel_shape")
        axes = len(size)
        x, padding = _padded(node, axes, "-math.inf" if kind == "max" else "0.0")
        strides = node.attribute("strides") or [1] * axes
        more = f", ceil_mode={bool(node.attribute('ceil_mode', 0))}"
        if kind == "avg":
            more += f", count_include_pad={bool(node.attribute('count_include_pad', 0))}"
        elif node.attribute("dilations"):
            more += f", dilation={tuple(node.attribute('dilations'))}"
        more = f"stride={tuple(strides)}, padding={tuple(padding)}{more}"
        return f"F.{kind}_pool{axes}d({x}, {tuple(size)}, {more})"

    return rule


def _global(kind: str) -> Callable[[Node], str]:
    return lambda node: f"F.adaptive_{kind}_pool{node.rank() - 2}d({node.inputs[0]}, 1)"


def _gemm(node: Node) -> str:
    if node.attribute("alpha", 1.0) != 1 or node.attribute("beta", 1.0) != 1 or node.attribute("transA", 0):
        raise ValueError("factors or a transposed input")
    bias = node.inputs[2] if len(node.inputs) > 2 else "None"
    if node.attribute("transB", 0):
        return f"F.linear({node.inputs[0]}, {node.inputs[1]}, {bias})"
    if bias == "None":
        return f"torch.matmul({node.inputs[0]}, {node.inputs[1]})"
    return f"torch.addmm({bias}, {node.inputs[0]}, {node.inputs[1]})"


def _reshape(node: Node) -> str:
    sizes = [int(size) for size in node.constant(1)]
    if node.attribute("allowzero", 0) == 0 and 0 in sizes:
        sizes = [f"{node.inputs[0]}.size({n})" if size == 0 else size for n, size in enumerate(sizes)]
    if not node.is_stored(1):  # computed from the shapes of inputs, and the same for no two batch sizes
        return f"{node.inputs[0]}.reshape({node.inputs[1]}.tolist())"
    return f"{node.inputs[0]}.reshape({node.batched(sizes)})"


def _expand(node: Node) -> str:
    x, sizes = node.inputs[:2]
    if node.is_stored(1):
        sizes = f"torch.tensor({node.batched([int(size) for size in node.constant(1)])})"
    return f"torch.broadcast_to({x}, torch.broadcast_shapes({x}.shape, tuple({sizes}.tolist())))"


def _squeeze(node: Node) -> str:
    text = node.inputs[0]
    for axis in sorted((axis % node.rank() for axis in _axes(node)), reverse=True):
        text += f".squeeze({axis})"
    return text if _axes(node) else f"{text}.squeeze()"


def _unsqueeze(node: Node) -> str:
    axes = _axes(node)
    text = node.inputs[0]
    for axis in sorted(axis % (node.rank() + len(axes)) for axis in axes):
        text += f".unsqueeze({axis})"
    return text


def _slice(node: Node) -> str:
    starts, ends = (
        node.attribute(name) if node.attribute(name) is not None else node.constant(place)
        for place, name in ((1, "starts"), (2, "ends"))
    )
    axes = _axes(node, 3) or list(range(len(starts)))
    steps = node.constant(4) if len(node.inputs) > 4 else [1] * len(starts)
    parts = [":"] * node.rank()
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = "" if int(end) >= 2**31 - 1 else str(int(end))
        begin = "" if int(start) == 0 or int(start) < -(2**31) else str(int(start))
        parts[int(axis) % node.rank()] = f"{begin}:{stop}" + (f":{int(step)}" if int(step) != 1 else "")
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return f"{node.inputs[0]}[{', '.join(parts)}]"


def _gather(node: Node) -> str:
    axis = node.attribute("axis", 0)
    if node.is_known(1) and node.rank(1) == 0:
        return f"torch.select({node.inputs[0]}, {axis}, {int(node.constant(1))})"
    if axis == 0 and node.rank() == 2:
        return f"F.embedding({node.inputs[1]}, {node.inputs[0]})"
    if axis % node.rank() == 0:
        return f"{node.inputs[0]}[{node.inputs[1]}]"
    if node.rank(1) == 1:
        return f"torch.index_select({node.inputs[0]}, {axis}, {node.inputs[1]})"
    raise ValueError("indices of several dimensions")


def _gather_nd(node: Node) -> str:
    if node.attribute("batch_dims", 0):
        raise ValueError("batch_dims")
    return f"{node.inputs[0]}[tuple({node.inputs[1]}.unbind(-1))]"


def _split(node: Node) -> str:
    axis = node.attribute("axis", 0)
    sizes = node.attribute("split") or (node.constant(1) if len(node.inputs) > 1 else None)
    if sizes is None:
        return f"torch.chunk({node.inputs[0]}, {node.outputs}, {axis})"
    return f"torch.split({node.inputs[0]}, {[int(size) for size in sizes]}, {axis})"


def _cast(node: Node) -> str:
    kinds = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64", 16: "bfloat16"}
    kind = kinds.get(node.attribute("to"))
    if kind is None:
        raise ValueError("a kind of number that torch lacks")
    return f"{node.inputs[0]}.to(torch.{kind})"


def _clip(node: Node) -> str:
    given = [*node.inputs, "None", "None"]
    low, high = (
        float(node.constant(place)) if given[place] != "None" else node.attribute(name)
        for place, name in ((1, "min"), (2, "max"))
    )
    if (low, high) == (0.0, 6.0):
        return f"F.relu6({node.inputs[0]})"
    return f"torch.clamp({node.inputs[0]}, {low}, {high})"


def _pad(node: Node) -> str:
    pads = node.attribute("pads") or node.constant(1)
    half = len(pads) // 2
    sides = [int(s) for pair in zip(reversed(pads[:half]), reversed(pads[half:]), strict=True) for s in pair]
    while len(sides) > 2 and sides[-2:] == [0, 0]:
        sides = sides[:-2]
    mode = node.attribute("mode", "constant").replace("edge", "replicate")
    value = node.constant(2) if len(node.inputs) > 2 and node.inputs[2] != "None" else 0.0
    more = f", value={float(value)}" if mode == "constant" and value is not None and float(value) else ""
    return f"F.pad({node.inputs[0]}, {sides}, mode={mode!r}{more})"


def _resize(node: Node) -> str:
    mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}[node.attribute("mode", "nearest")]
    mode = "linear" if mode == "bilinear" and node.rank() == 3 else mode
    how = node.attribute("coordinate_transformation_mode", "half_pixel")
    corners = "" if mode == "nearest" else f", align_corners={how == 'align_corners'}"
    if len(node.inputs) > 3 and node.inputs[3] != "None":
        size = [int(each) for each in node.constant(3)][2:]
        return f"F.interpolate({node.inputs[0]}, size={size}, mode={mode!r}{corners})"
    scales = [float(each) for each in node.constant(2)][2:]
    scales = [int(each) if each == int(each) else each for each in scales]
    scale = scales[0] if len(set(scales)) == 1 else tuple(scales)
    return f"F.interpolate({node.inputs[0]}, scale_factor={scale}, mode={mode!r}{corners})"


def _layer_norm(node: Node) -> str:
    axis, rank = node.attribute("axis", -1), node.rank()
    shape = f"tuple({node.inputs[1]}.shape)"
    bias = node.inputs[2] if len(node.inputs) > 2 else "None"
    if rank - axis % rank != node.rank(1):
        raise ValueError("a scale of another shape")
    epsilon = node.attribute("epsilon", 1e-5)
    return f"F.layer_norm({node.inputs[0]}, {shape}, {node.inputs[1]}, {bias}, {epsilon})"


def _constant(node: Node) -> str:
    raise ValueError("a kind of constant that torch lacks")


def _constant_of_shape(node: Node) -> str:
    value = node.attribute("value")
    number = torch.as_tensor(value).reshape(-1)[0].item() if value is not None else 0.0
    return f"torch.full(tuple({node.inputs[0]}.tolist()), {number!r})"


def _flatten(node: Node) -> str:
    axis = node.attribute("axis", 1) % (node.rank() + 1)
    if axis == 0:
        return f"{node.inputs[0]}.reshape(1, -1)"
    first = node.inputs[0] if axis == 1 else f"torch.flatten({node.inputs[0]}, 0, {axis - 1})"
    return f"torch.flatten({first}, 1)"


def _many(symbol: str) -> Callable[[Node], str]:
    return lambda node: symbol.join(node.inputs)


def _pair(function: str) -> Callable[[Node], str]:
    def rule(node: Node) -> str:
        text = node.inputs[0]
        for other in node.inputs[1:]:
            text = f"torch.{function}({text}, {other})"
        return text

    return rule


RULES: Mapping[str, Rule] = {
    "Abs": "torch.abs({0})", "Add": "{0} + {1}", "And": "{0} & {1}",
    "ArgMax": lambda n: f"torch.argmax({n.inputs[0]}, {n.attribute('axis', 0)}, keepdim={_keep(n)})",
    "AveragePool": _pool("avg"),
    "BatchNormalization": _batch_norm,
    "Cast": _cast, "Ceil": "torch.ceil({0})", "Clip": _clip,
    "Concat": lambda n: f"torch.cat([{', '.join(n.inputs)}], {n.attribute('axis')})",
    "Constant": _constant, "ConstantOfShape": _constant_of_shape, "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Cos": "torch.cos({0})", "CumSum": lambda n: f"torch.cumsum({n.inputs[0]}, {int(n.constant(1))})",
    "Div": "{0} / {1}", "Dropout": lambda n: n.inputs[0],
    "Einsum": lambda n: f"torch.einsum({n.attribute('equation')!r}, {', '.join(n.inputs)})",
    "Elu": lambda n: f"F.elu({n.inputs[0]}, {n.attribute('alpha', 1.0)})", "Equal": "{0} == {1}",
    "Erf": "torch.erf({0})", "Exp": "torch.exp({0})", "Expand": _expand, "Flatten": _flatten,
    "Floor": "torch.floor({0})", "Gather": _gather,
    "GatherElements": lambda n: f"torch.gather({n.inputs[0]}, {n.attribute('axis', 0)}, {n.inputs[1]})",
    "GatherND": _gather_nd,
    "Gelu": lambda n: f"F.gelu({n.inputs[0]}, approximate={n.attribute('approximate', 'none')!r})",
    "Gemm": _gemm, "GlobalAveragePool": _global("avg"), "GlobalMaxPool": _global("max"),
    "Greater": "{0} > {1}", "GreaterOrEqual": "{0} >= {1}",
    "HardSwish": "F.hardswish({0})", "Identity": "{0}",
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": lambda n: f"F.leaky_relu({n.inputs[0]}, {n.attribute('alpha', 0.01)})",
    "Less": "{0} < {1}", "LessOrEqual": "{0} <= {1}", "Log": "torch.log({0})",
    "LogSoftmax": lambda n: f"F.log_softmax({n.inputs[0]}, dim={n.attribute('axis', -1)})",
    "MatMul": "torch.matmul({0}, {1})", "Max": _pair("maximum"), "MaxPool": _pool("max"),
    "Min": _pair("minimum"),
    "Mish": "F.mish({0})", "Mod": "{0} % {1}", "Mul": "{0} * {1}", "Neg": "-{0}", "Not": "~{0}",
    "Or": "{0} | {1}",
    "PRelu": lambda n: f"F.prelu({n.inputs[0]}, {n.inputs[1]}.reshape(-1))", "Pad": _pad,
    "Pow": "{0} ** {1}",
    "Range": "torch.arange({0}, {1}, {2})", "Reciprocal": "1 / {0}",
    "ReduceL2": lambda n: f"torch.norm({n.inputs[0]}, 2, {_axes(n)}, keepdim={_keep(n)})",
    "ReduceMax": _reduce("amax"), "ReduceMean": _reduce("mean"), "ReduceMin": _reduce("amin"),
    "ReduceSum": _reduce("sum"), "Relu": "F.relu({0})", "Reshape": _reshape, "Resize": _resize,
    "Shape": _shape, "Sigmoid": "torch.sigmoid({0})", "Sign": "torch.sign({0})",
    "Sin": "torch.sin({0})", "Slice": _slice,
    "Softmax": lambda n: f"F.softmax({n.inputs[0]}, dim={n.attribute('axis', -1)})",
    "Softplus": "F.softplus({0})", "Split": _split, "Sqrt": "torch.sqrt({0})", "Squeeze": _squeeze,
    "Sub": "{0} - {1}", "Sum": _many(" + "), "Tanh": "torch.tanh({0})",
    "Tile": lambda n: f"{n.inputs[0]}.repeat({[int(each) for each in n.constant(1)]})",
    "Transpose": lambda n: f"{n.inputs[0]}.permute({n.attribute('perm') or list(range(n.rank()))[::-1]})",
    "Trilu": lambda n: f"torch.{'triu' if n.attribute('upper', 1) else 'tril'}({n.inputs[0]}, "
                       f"{int(n.constant(1)) if len(n.inputs) > 1 else 0})",
    "Unsqueeze": _unsqueeze, "Where": "torch.where({0}, {1}, {2})",
}  # fmt: skip
"""Every operator that can be imported, by its name in the standard."""
