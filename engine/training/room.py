"""Whether a run fits into the memory of its device, told before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import psutil
import torch

from engine.compiler.analysis import WARNING, Analysis, Fix, Footprint, Problem, in_bytes
from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.settings import set_training
from engine.training.devices import pick

_MARGIN = 0.9
"""Share of what is free that a batch may fill: kernels need room to work in."""


@dataclass(frozen=True)
class Shortage:
    """A run needs more memory than its device has free, both in bytes."""

    needs: Footprint
    free: int
    device: str

    @property
    def batch_size(self) -> int:
        """The largest batch that would fit, in round numbers; 0 if none would."""
        room = int(_MARGIN * self.free) - self.needs.fixed
        rows = room // self.needs.sample if self.needs.sample else 0
        return 1 << rows.bit_length() - 1 if rows > 0 else 0

    @property
    def message(self) -> str:
        """What is needed for what, what is free, and what would fit."""
        needs = self.needs
        parts = [("weights", needs.weights), ("gradients", needs.gradients), ("optimizer", needs.optimizer)]
        each = ", ".join(f"{name} {in_bytes(size)}" for name, size in parts if size)
        batch = f"activations {in_bytes(needs.activations)} for a batch of {needs.batch_size}"
        text = (
            f"Training needs about {in_bytes(needs.total)} ({each}, {batch}); "
            f"{in_bytes(self.free)} are free{'' if self.device == 'cpu' else f' on {self.device}'}."
        )
        if self.batch_size:
            return f"{text} A batch of {self.batch_size} would fit."
        return f"{text} No batch would fit: the network has to become smaller."


def free_memory(device: torch.device) -> int:
    """Return the bytes that a device has free."""
    if device.type == "cuda":
        # What torch holds but does not use counts as free: it takes from there first.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + held
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return psutil.virtual_memory().available


def shortage(footprint: Footprint, device: str) -> Shortage | None:
    """Return what is missing for a run on a device (``auto``, ``cpu`` ...), or None if it fits.

    Raises TrainingError if there is no such device.
    """
    place = pick(device)
    free = free_memory(place)
    return Shortage(footprint, free, str(place)) if footprint.total > free else None


def problem_of(analysis: Analysis) -> Problem | None:
    """Return a warning where a document that can be trained will not fit, with the batch that would."""
    document = analysis.document
    if not any(layer_of(document, node.type).role == "loss" for node in document.nodes.values()):
        return None
    try:
        short = shortage(analysis.footprint, document.training.device)
    except EngineError:
        return None  # a device that is not here: the run tells
    if short is None:
        return None
    fix = None
    if short.batch_size:
        fix = Fix(f"Set batch size to {short.batch_size}", partial(set_training, batch_size=short.batch_size))
    return Problem(short.message, severity=WARNING, fix=fix)
