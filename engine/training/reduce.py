"""From whole tensors to the small arrays that a window shows; reduced on the device, then copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.training.events import Activation, Weights

MAPS, SIDE, NUMBERS = 64, 64, 4096
"""At most so many feature maps of so many pixels in height and width; at most so many numbers of a vector."""


def activations(
    values: dict[str, Tensor], sample: int, maps: int = MAPS, side: int = SIDE, numbers: int = NUMBERS
) -> dict[str, Activation]:
    """Return what each node gave for one row of the probe batch, with statistics over all rows.

    Their numbers are copied from the device in one piece.
    """
    values = {node: value for node, value in values.items() if value.dim() and value.numel()}
    if not values:
        return {}
    with _one_thread():
        numbers_of = torch.stack([_statistics(value.float()) for value in values.values()]).tolist()
    found = {}
    for (node, value), statistics in zip(values.items(), numbers_of, strict=True):
        row = value[min(sample, len(value) - 1)]
        shown = _thinned(row.float(), maps, side, numbers).cpu().numpy().copy()
        found[node] = Activation(tuple(row.shape), shown, *statistics)
    return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in this thread alone: sums over tensors of this size are over before others have begun."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _statistics(value: Tensor) -> Tensor:
    """Lowest, highest, mean, deviation, and the share of units that are zero everywhere."""
    # Units are channels, or the last dimension of a sequence (n, length, units).
    unit = {1: 0, 3: 2}.get(value.dim(), 1)
    others = [dim for dim in range(value.dim()) if dim != unit]
    lows, highs = (value.amin(others), value.amax(others)) if others else (value, value)
    dead = ((lows == 0) & (highs == 0)).float().mean() if others else torch.zeros_like(lows[0])
    mean = value.mean()
    # torch.var_mean() does the same in one call and takes five times as long.
    deviation = (value - mean).square_().mean().sqrt()
    return torch.stack((lows.min(), highs.max(), mean, deviation, dead))


def _thinned(row: Tensor, maps: int, side: int, numbers: int) -> Tensor:
    """Return (k,) of a vector or number, else (k, h, w): a matrix is one map, deeper ones are laid flat."""
    if row.dim() < 2:
        row = row.reshape(-1)
        return F.adaptive_avg_pool1d(row[None], numbers)[0] if len(row) > numbers else row
    row = row[None] if row.dim() == 2 else row.reshape(len(row), -1, row.shape[-1])
    row = row[:maps]
    if max(row.shape[1:]) > side:
        row = F.adaptive_avg_pool2d(row, (min(row.shape[1], side), min(row.shape[2], side)))
    return row


def weight_of(layer: nn.Module) -> tuple[str, nn.Parameter] | None:
    """Return the name and the parameter that a layer is known for: its ``weight``, or its largest one."""
    parameters = {name: value for name, value in layer.named_parameters() if value.dim()}
    if not parameters:
        return None
    name = "weight" if "weight" in parameters else max(parameters, key=lambda name: parameters[name].numel())
    return name, parameters[name]


def weights(name: str, weight: Tensor, moved: float, image: tuple[int, int, int] | None = None) -> Weights:
    """Return a weight, thinned to 64 × 64 filters, or to 64 rows."""
    value = weight.detach().float()
    shown = value.reshape(1, -1) if value.dim() == 1 else value[:MAPS]
    if shown.dim() == 2:
        if image is None:
            shown = shown[:, :NUMBERS]
    else:
        shown = shown[:, :MAPS].reshape(*shown[:, :MAPS].shape[:2], -1, shown.shape[-1])
        if max(shown.shape[2:]) > SIDE:
            shown = F.adaptive_avg_pool2d(shown, tuple(min(size, SIDE) for size in shown.shape[2:]))
    return Weights(name, tuple(value.shape), shown.cpu().numpy().copy(), image, moved)
