"""What every layer is put through: a small document around it, with default and with other parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine import catalogue
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int, Ints, Param

SHAPES = {
    "N C H W": (4, 9, 9),
    "N C": (12,),
    "N D": (12,),
    "N L D": (5, 12),
    "N ...": (3, 8),
    "N": (),
    "": (6, 12),
}
"""A sample's shape for every wording of dimensions in the catalogue."""

FITTING = {
    "Reshape": {"shape": (4, 6)},
    "MultiheadAttention": {"num_heads": 3},
    "Conv2d": {"out_channels": 6, "groups": 2},
    "MaxPool2d": {"padding": (0, 1)},
    "AvgPool2d": {"padding": (0, 1)},
}
"""Parameters that fit the shapes above, where the next value would not."""


def other(layer: Layer, param: Param) -> Any:
    """Return a value that is not the default."""
    if param.name in FITTING.get(layer.type, {}):
        return FITTING[layer.type][param.name]
    if isinstance(param, Bool):
        return not param.default
    if isinstance(param, Choice):
        return param.choices[-1] if param.choices[-1] != param.default else param.choices[0]
    if isinstance(param, Float):
        return param.default * 0.5 or 0.25
    if isinstance(param, Int):
        value = 1 if param.default is None else param.default + 1
        return value if param.max is None or value <= param.max else param.default - 1
    if isinstance(param, Ints):
        return (1, 2) if param.default is None else (param.default + 1, param.default + 2)
    raise AssertionError(f"say what another value of {param} is")


def variants(layer: Layer) -> Iterator[dict[str, Any]]:
    """Yield the default parameters, then each one changed alone, with what it needs to fit."""
    base = {"Reshape": {"shape": (24,)}, "MultiheadAttention": {"num_heads": 4}}.get(layer.type, {})
    yield base
    for param in layer.params:
        change = {**base, param.name: other(layer, param)}
        if param.name == "groups":
            change["out_channels"] = 6
        if layer.type == "LSTM" and param.name == "dropout":
            change["num_layers"] = 2
        if layer.type == "Flatten" and param.name == "end_dim":
            change["end_dim"] = 2
        yield change


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every layer of the catalogue that is a call, with every variant of its parameters."""
    for layer in catalogue.layers().values():
        if layer.role in ("layer", "loss"):
            for params in variants(layer):
                yield layer.type, params


def _shape(layer: Layer, port: Port) -> tuple[int, ...]:
    if port.indexes:
        return ()
    return SHAPES[port.dims.split("|")[0]]


def around(type_: str, params: dict[str, Any]) -> Document:
    """Return a document with one node of a layer between Input nodes and an Output."""
    layer = catalogue.layer(type_)
    g = Builder(f"Around {type_}")
    sources = []
    for port in layer.inputs:
        for _ in range(2 if port.variadic else 1):
            dtype = "int" if port.dtype == "int" else "float"
            sources.append(g.add("Input", shape=_shape(layer, port), dtype=dtype))
    if layer.role == "loss":  # a loss needs a model before it
        sources[0] = g.add(
            "Linear", g.add("Input", shape=(12,)), out_features=12 if layer.inputs[1].indexes else 72
        )
        if not layer.inputs[1].indexes:
            sources[0] = g.add("Reshape", sources[0], shape=(6, 12))
    result = g.add(type_, *sources, id="tested", **params)
    if layer.role == "layer":
        g.add("Output", result)
    return g.document()
