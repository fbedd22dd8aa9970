"""The whole state of a run between two steps, as one file: from it the run goes on bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import FileError
from engine.storage.atomic import replacing
from engine.storage.failures import why_not_written

FORMAT = 1
"""Raised when what a moment holds means something else."""

SUFFIX = ".safetensors"


def pack(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """Return nested values as JSON can hold them, and the tensors among them by the names it refers to."""
    tensors: dict[str, Tensor] = {}

    def packed(value: Any, name: str) -> Any:
        if isinstance(value, Tensor):
            tensors[name] = value
            return {"tensor": name}
        if isinstance(value, Mapping):
            return {"items": [[key, packed(each, f"{name}/{key}")] for key, each in value.items()]}
        if isinstance(value, tuple | list):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {kind: [packed(each, f"{name}/{place}") for place, each in enumerate(value)]}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(f"{name} holds {type(value).__name__}, which a moment cannot keep.")

    return packed(value, ""), tensors


def unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Return the nested values that ``pack`` made these of."""
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "tensor":
        return tensors[inner]
    if kind == "items":
        return {key: unpack(each, tensors) for key, each in inner}
    return {"tuple": tuple, "list": list}[kind](unpack(each, tensors) for each in inner)


def save_moment(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state as one file, whole or not at all.

    Raises FileError if it cannot be written; what was there before stays.
    """
    packed, tensors = pack(state)
    # A tensor is written once however many names it has, and by itself where it is part of another one.
    flat = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    about = {"moment": str(FORMAT), "state": json.dumps(packed)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file(flat, temporary, about)
    except (OSError, SafetensorError) as error:
        if isinstance(error, SafetensorError) and "os error" not in str(error).lower():
            raise
        raise FileError(_why(path, error)) from error


def _why(path: Path, error: Exception) -> str:
    """The reason in words; safetensors tells the system's error as a text."""
    if isinstance(error, SafetensorError):
        number = str(error).partition("os error ")[2].partition(")")[0]
        error = OSError(int(number) if number.isdecimal() else 5, str(error))
    return why_not_written(path, error)


def load_moment(path: Path) -> dict[str, Any]:
    """Return the state that a file holds.

    Raises FileError for a file that is none, or of a newer format.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            # Cloned, because the last bits of a product depend on where in memory its tensors begin.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise FileError(f"{path.name} cannot be read: {error}.") from None
    if about.get("moment") != str(FORMAT):
        raise FileError(f"{path.name} is no moment of a run that this version of Netwright can go on from.")
    return unpack(json.loads(about["state"]), tensors)


def moments(folder: Path) -> list[tuple[int, Path]]:
    """Return the step and the file of every moment in a folder, oldest first."""
    found = [(int(each.stem), each) for each in folder.glob(f"*{SUFFIX}") if each.stem.isdecimal()]
    return sorted(found)


def moment_path(folder: Path, step: int) -> Path:
    """Return where the moment after so many steps is kept."""
    return folder / f"{step:09d}{SUFFIX}"


def newest_moment(folder: Path) -> dict[str, Any] | None:
    """Return the newest state that can be read, or None where there is none.

    A damaged file is passed over: the one before it is whole.
    """
    for _, path in reversed(moments(folder)):
        try:
            return load_moment(path)
        except (FileError, KeyError, ValueError):
            continue
    return None


def copied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as they are now, on the CPU."""
    return {name: torch.as_tensor(value).detach().to("cpu", copy=True) for name, value in state.items()}
