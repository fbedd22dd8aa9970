"""Running one layer's own code on the meta device: shapes, parameters and cost without a number computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engine import catalogue
from engine.compiler.custom import MEASURING, namespace_of, running
from engine.layers.declaration import BATCH, TensorType
from engine.modules import load, names_of


def _classes() -> dict[str, Any]:
    """Return the classes of layers that torch lacks; a broken file of an installed package is left out."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(layer.module for layer in catalogue.layers().values() if layer.module):
        try:
            module = load(name)
        except Exception as error:
            if "." not in name:
                raise
            catalogue.report(f"{name} could not be loaded: {type(error).__name__}: {error}.")
        else:
            found |= {each: getattr(module, each) for each in names_of(name)}
    return found


NAMESPACE = {"torch": torch, "nn": nn, "F": F} | _classes()
"""The names that generated code may use."""

BATCH_SIZE = 7919
"""A batch size that no layer has by chance (a prime), so that it can be told apart in what comes out."""

_DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}


@dataclass(frozen=True)
class Measured:
    """What one layer gives for given input types; ``macs`` are multiply-adds for one sample."""

    types: tuple[TensorType, ...]
    parameters: int
    macs: int


@lru_cache(maxsize=4096)
def build(init: str, source: str = "") -> nn.Module:
    """Return the layer of an ``init`` text on the meta device; the text has passed the guard.

    ``source`` is the text of a custom layer that it calls, and so are those below.
    """
    with torch.device("meta"):
        return evaluate(init, {}, source)


def evaluate(code: str, values: Mapping[str, Any], source: str = "") -> Any:
    """Return the value of a text that has passed the guard, with these variables beside the usual names."""
    if not source:
        return eval(code, NAMESPACE | values)
    names = NAMESPACE | namespace_of(source) | values
    with running(source, MEASURING):
        return eval(code, names)


@lru_cache(maxsize=4096)
def parameters(init: str, source: str = "") -> int:
    """Return how many numbers the layer of an ``init`` text learns."""
    return sum(parameter.numel() for parameter in build(init, source).parameters()) if init else 0


@lru_cache(maxsize=4096)
def measure(init: str, call: str, inputs: tuple[TensorType, ...], source: str = "") -> Measured:
    """Return what a layer's own texts give for these input types.

    Raises whatever torch raises for them.
    """
    names = [f"a{place}" for place in range(len(inputs))]
    values: dict[str, Any] = {name: empty(tensor) for name, tensor in zip(names, inputs, strict=True)}
    self_ = SimpleNamespace(layer=build(init, source) if init else None, training=True)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        code = call.format(*names, self="self.layer")
        result = evaluate(code, {"self": self_} | values, source)
    tensors = flat(result)
    if others := [each for each in tensors if not isinstance(each, torch.Tensor)]:
        raise TypeError(f"it returns {type(others[0]).__name__}, not a tensor.")
    types = tuple(_type(tensor) for tensor in tensors)
    return Measured(types, parameters(init, source), counter.get_total_flops() // 2 // BATCH_SIZE)


def empty(tensor: TensorType) -> torch.Tensor:
    """Return a tensor of a type on the meta device, with ``BATCH_SIZE`` samples."""
    shape = [size if isinstance(size, int) else int(size[:-1] or 1) * BATCH_SIZE for size in tensor.shape]
    return torch.empty(shape, dtype=_DTYPES[tensor.dtype], device="meta")


def _type(tensor: torch.Tensor) -> TensorType:
    shape = tuple(_size(size) for size in tensor.shape)
    kind = "float" if tensor.is_floating_point() else "bool" if tensor.dtype == torch.bool else "int"
    return TensorType(shape, kind)


def _size(size: int) -> int | str:
    times, left = divmod(size, BATCH_SIZE)
    return size if left or not times else BATCH if times == 1 else f"{times}{BATCH}"


def flat(result: Any) -> list[torch.Tensor]:
    """Return the tensors of a call's result in a row, however they are nested."""
    if isinstance(result, tuple | list):
        return [tensor for each in result for tensor in flat(each)]
    return [result]
