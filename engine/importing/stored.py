"""Functions that read stored tensors, as the layers that hold them: ``F.linear(x, weight)`` is a Linear."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor | None]
Built = tuple[str, Mapping[str, Tensor | None]] | None


@dataclass(frozen=True)
class Rule:
    """The layer of one function: its arguments in order, which of them are inputs and which stored tensors.

    ``build`` receives the tensors and the plain values that are given, by name, and returns the text of a
    constructor and the weights by their names in the layer, or None where no layer does this.
    """

    names: tuple[str, ...]
    arguments: tuple[str, ...]
    tensors: tuple[str, ...]
    build: Callable[[Tensors, Mapping[str, Any]], Built]
    inputs: tuple[str, ...] = ("input",)

    def match(self, expression: ast.expr) -> Mapping[str, ast.expr] | None:
        """Return the arguments by name if the expression calls this function."""
        if (
            isinstance(expression, ast.BinOp)
            and isinstance(expression.op, ast.MatMult)
            and "matmul" in self.names
        ):
            return {"input": expression.left, "weight": expression.right}
        if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Attribute):
            return None
        if expression.func.attr not in self.names:
            return None
        method = not (
            isinstance(expression.func.value, ast.Name) and expression.func.value.id in ("F", "torch")
        )
        args = [expression.func.value, *expression.args] if method else expression.args
        given = dict(zip(self.arguments, args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in expression.keywords if keyword.arg}
        return given if all(name in given for name in self.inputs) else None


def _text(name: str, *args: Any, **options: Any) -> str:
    words = [repr(arg) for arg in args] + [
        f"{key}={value!r}" for key, value in options.items() if value is not None
    ]
    return f"nn.{name}({', '.join(words)})"


def _linear(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight, bias = t["weight"], t.get("bias")
    if weight is None or weight.dim() != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        return None
    text = _text("Linear", weight.shape[1], weight.shape[0], bias=None if bias is not None else False)
    return text, {"weight": weight, "bias": bias}


def _product(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight = t["weight"]
    if weight is None or weight.dim() != 2 or p.get("beta", 1) != 1 or p.get("alpha", 1) != 1:
        return None
    return _linear({"weight": weight.T.contiguous(), "bias": t.get("bias")}, p)


def _convolution(t: Tensors, p: Mapping[str, Any], transposed: bool = False) -> Built:
    weight, bias = t["weight"], t.get("bias")
    if weight is None or not 3 <= weight.dim() <= 5:
        return None
    groups, axes = p.get("groups") or 1, weight.dim() - 2
    a, b = weight.shape[0], weight.shape[1] * groups
    options = {name: _all(p.get(name), axes) for name in ("stride", "padding", "dilation")}
    if transposed:
        options["output_padding"] = _all(p.get("output_padding"), axes)
    else:
        a, b = b, a
    text = _text(
        f"Conv{'Transpose' if transposed else ''}{axes}d",
        a,
        b,
        tuple(weight.shape[2:]),
        **options,
        groups=None if groups == 1 else groups,
        bias=None if bias is not None else False,
    )
    return text, {"weight": weight, "bias": bias}


def _any_convolution(t: Tensors, p: Mapping[str, Any]) -> Built:
    return _convolution(t, p, bool(p.get("transposed")))


def _all(value: Any, axes: int) -> Any:
    if isinstance(value, list | tuple):
        value = tuple(value) if len(value) == axes else tuple(value) * axes
        return value[0] if len(set(value)) == 1 else value
    return value


def _batch_norm(t: Tensors, p: Mapping[str, Any]) -> Built:
    mean, var, weight = t["running_mean"], t["running_var"], t.get("weight")
    if mean is None or var is None or p.get("training"):
        return None
    text = _text(
        "BatchNorm2d",
        len(mean),
        eps=p.get("eps"),
        momentum=p.get("momentum"),
        affine=None if weight is not None else False,
    )
    text = text.replace("BatchNorm2d", f"BatchNorm{p.get('axes') or 2}d")
    weights = {"weight": weight, "bias": t.get("bias"), "running_mean": mean, "running_var": var}
    return text, {**weights, "num_batches_tracked": torch.tensor(0)}


def _layer_norm(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight, bias = t.get("weight"), t.get("bias")
    shape = tuple(p["normalized_shape"])
    if weight is None and bias is not None:
        return None
    text = _text(
        "LayerNorm",
        shape[0] if len(shape) == 1 else shape,
        eps=p.get("eps"),
        elementwise_affine=None if weight is not None else False,
        bias=False if weight is not None and bias is None else None,
    )
    return text, {"weight": weight, "bias": bias}


def _group_norm(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight = t.get("weight")
    if weight is None:
        return None
    return _text("GroupNorm", p["num_groups"], len(weight), eps=p.get("eps")), {
        "weight": weight,
        "bias": t.get("bias"),
    }


def _rms_norm(t: Tensors, p: Mapping[str, Any]) -> Built:
    shape = tuple(p["normalized_shape"])
    text = _text("RMSNorm", shape[0] if len(shape) == 1 else shape, eps=p.get("eps"))
    return (text, {"weight": t["weight"]}) if t.get("weight") is not None else None


def _embedding(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight, padding = t["weight"], p.get("padding_idx")
    if weight is None or p.get("max_norm") is not None:
        return None
    padding = None if padding is None or padding < 0 else padding
    return _text("Embedding", *weight.shape, padding_idx=padding), {"weight": weight}


def _prelu(t: Tensors, p: Mapping[str, Any]) -> Built:
    weight = t["weight"]
    return None if weight is None else (_text("PReLU", weight.numel()), {"weight": weight.reshape(-1)})


def _recurrent(kind: str) -> Callable[[Tensors, Mapping[str, Any]], Built]:
    """The layer of ``torch.lstm(input, hx, params, ...)``, whose tensors come in one list."""

    def build(t: Tensors, p: Mapping[str, Any]) -> Built:
        params = [value for name, value in t.items() if name.startswith("params.")]
        state = [value for name, value in t.items() if name.startswith("hx")]
        if any(value is None or value.any() for value in state) or None in params or not p["batch_first"]:
            return None
        bias, both = bool(p["has_biases"]), bool(p["bidirectional"])
        kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
        ends = ["", "_reverse"] if both else [""]
        names = [f"{w}_l{layer}{end}" for layer in range(p["num_layers"]) for end in ends for w in kinds]
        if len(names) != len(params):
            return None
        options = {
            "bias": None if bias else False,
            "dropout": p["dropout"] or None,
            "bidirectional": both or None,
        }
        sizes = (params[0].shape[1], params[1].shape[1], p["num_layers"])
        text = _text(kind.partition("_")[0].upper(), *sizes, batch_first=True, **options)
        if kind == "rnn_relu":
            text = text.replace("batch_first", "nonlinearity='relu', batch_first")
        return text, dict(zip(names, params, strict=True))

    return build


_RECURRENT = (
    "input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first",
)  # fmt: skip
_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")

STORED: tuple[Rule, ...] = (
    Rule(("linear",), ("input", "weight", "bias"), ("weight", "bias"), _linear),
    Rule(("addmm",), ("bias", "input", "weight", "beta", "alpha"), ("weight", "bias"), _product),
    Rule(("matmul", "mm"), ("input", "weight"), ("weight",), _product),
    Rule(("conv1d", "conv2d", "conv3d"), _CONV, ("weight", "bias"), _convolution),
    Rule(
        ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
        _TRANSPOSED,
        ("weight", "bias"),
        lambda t, p: _convolution(t, p, True),
    ),
    Rule(
        ("convolution",),
        (*_CONV[:6], "transposed", "output_padding", "groups"),
        ("weight", "bias"),
        _any_convolution,
    ),
    Rule(
        ("batch_norm",),
        ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
        ("running_mean", "running_var", "weight", "bias"),
        _batch_norm,
    ),
    Rule(
        ("layer_norm",),
        ("input", "normalized_shape", "weight", "bias", "eps"),
        ("weight", "bias"),
        _layer_norm,
    ),
    Rule(("group_norm",), ("input", "num_groups", "weight", "bias", "eps"), ("weight", "bias"), _group_norm),
    Rule(("rms_norm",), ("input", "normalized_shape", "weight", "eps"), ("weight",), _rms_norm),
    Rule(("embedding",), ("input", "weight", "padding_idx", "max_norm"), ("weight",), _embedding),
    Rule(("prelu",), ("input", "weight"), ("weight",), _prelu),
    *(
        Rule((kind,), _RECURRENT, ("hx", "params"), _recurrent(kind))
        for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")
    ),
)
"""Every function that is a layer once its tensors are stored."""
