"""With which numbers a run computes: precision, threads, determinism; and how it is left as it was before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch

from engine.graph.document import Training

HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(training: Training, device: torch.device) -> partial[AbstractContextManager] | None:
    """Return what makes the context in which layers compute with half as wide numbers, None for float32."""
    dtype = HALF.get(training.precision)
    return partial(torch.autocast, device.type, dtype) if dtype else None


@contextmanager
def numerics(training: Training, threads: int) -> Iterator[None]:
    """Compute inside with so many CPU threads (0 for no matter), and as the settings say; then as before.

    These switches of torch are one for the whole process.
    """
    before = torch.get_num_threads()
    precision = torch.get_float32_matmul_precision()
    tf32 = torch.backends.cudnn.allow_tf32
    strict = torch.are_deterministic_algorithms_enabled()
    benchmark = torch.backends.cudnn.benchmark
    if threads:
        torch.set_num_threads(threads)
    try:
        if training.precision == "tf32":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.allow_tf32 = True
        if training.deterministic:
            # What CUDA's matrix products need to be told before they are first used.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = False
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = tf32
        torch.use_deterministic_algorithms(strict)
        torch.backends.cudnn.benchmark = benchmark


def generators(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the states of the generators that a run on a device draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generators(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Let the generators go on from states that were taken before."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    elif "mps" in states and device.type == "mps":
        torch.mps.set_rng_state(states["mps"])


@contextmanager
def unseen(device: torch.device) -> Iterator[None]:
    """Leave the generators inside as they were: looking at a run must not change it."""
    states = generators(device)
    try:
        yield
    finally:
        set_generators(states, device)


def casting(cast: partial[AbstractContextManager] | None) -> AbstractContextManager:
    """Return the context of ``autocast``, or one that does nothing."""
    return cast() if cast else nullcontext()
