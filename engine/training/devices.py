"""Where a run may compute."""

from __future__ import annotations

import torch

from engine.errors import TrainingError


def devices() -> list[tuple[str, str]]:
    """Return the key and the label of every device, the best first."""
    found = [(f"cuda:{n}", torch.cuda.get_device_name(n)) for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(("mps", "Apple GPU"))
    return [*found, ("cpu", f"CPU · {torch.get_num_threads()} threads")]


def pick(name: str) -> torch.device:
    """Return the device of a name; ``auto`` and an empty text mean the best there is.

    Raises TrainingError if it is not there.
    """
    keys = [key for key, _ in devices()]
    if name in ("", "auto"):
        return torch.device(keys[0])
    if name == "cuda":
        name = "cuda:0"
    if name not in keys:
        raise TrainingError(f"There is no device {name!r} here; there are {', '.join(keys)}.")
    return torch.device(name)
