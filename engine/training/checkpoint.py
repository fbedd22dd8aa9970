"""Weights as safetensors: numbers and names, nothing that could run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from engine.errors import FileError
from engine.storage.atomic import write_bytes


@dataclass(frozen=True)
class Report:
    """The names that were loaded; that the file lacks; that the model lacks; whose shapes differ."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    def __str__(self) -> str:
        parts = [
            f"{len(self.loaded)} of {len(self.loaded) + len(self.missing) + len(self.mismatched)} loaded"
        ]
        for what, names in (
            ("not in the file", self.missing),
            ("not in the model", self.unexpected),
            ("of another shape", self.mismatched),
        ):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                parts.append(f"{what}: {', '.join(names[:3])}{more}")
        return f"{'; '.join(parts)}."


def save_weights(
    model: nn.Module, path: Path | str, about: Mapping[str, str] | None = None, durable: bool = True
) -> None:
    """Write a model's parameters and buffers; tied weights are written under each of their names.

    ``about`` is what the file says of them. What is not ``durable`` may be lost with the power. Raises
    FileError if the file cannot be written.
    """
    tensors = {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in model.state_dict().items()
    }
    try:
        write_bytes(path, save(tensors, {"format": "pt", **(about or {})}), durable)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from None


def load_weights(model: nn.Module, path: Path | str) -> Report:
    """Copy into the model what fits by name and shape, and report the rest.

    Raises FileError for a file that is not safetensors.
    """
    return fit_weights(model, read_weights(path))


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Return what a file holds, by name.

    Raises FileError for a file that is not safetensors.
    """
    path = Path(path)
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise FileError(f"{path.name} {_what(path)} ({error}).") from None


def fit_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> Report:
    """Copy into the model what fits by name and shape, and report the rest."""
    state = model.state_dict()
    shared = state.keys() & tensors.keys()
    fitting = [name for name in state if name in shared and state[name].shape == tensors[name].shape]
    with torch.no_grad():
        for name in fitting:
            state[name].copy_(tensors[name])
    return Report(
        tuple(fitting),
        tuple(name for name in state if name not in tensors),
        tuple(name for name in tensors if name not in state),
        tuple(name for name in state if name in shared and name not in fitting),
    )


def _what(path: Path) -> str:
    """What a file is instead, judged by its first bytes; it is never unpickled."""
    start = path.read_bytes()[:4]
    if start[:2] == b"PK" or start[:1] == b"\x80":
        return "is a pickle, which could run foreign code; save the weights as safetensors instead"
    return "is no safetensors file, or it is damaged"
