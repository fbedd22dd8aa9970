"""The processes that train together: who each of them is, and what they tell one another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from engine.errors import TrainingError

TIMEOUT = timedelta(minutes=30)
"""How long one waits for another: some evaluate, write a moment or fetch data for long."""


def launched() -> bool:
    """Return whether torchrun started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


@dataclass(frozen=True)
class Place:
    """Where torchrun put this process: ``attempt`` counts how often it began again."""

    rank: int = 0
    size: int = 1
    local: int = 0
    local_size: int = 1
    attempt: int = 0

    @classmethod
    def of_environment(cls) -> Place:
        """Read it from the variables that torchrun sets. Raises TrainingError without them."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")
        try:
            return cls(*(int(os.environ[name]) for name in names))
        except (KeyError, ValueError) as error:
            raise TrainingError(f"torchrun did not say which of its processes this is: {error}.") from None

    def device(self, wanted: str) -> str:
        """Return the device of this process: a GPU of its own, or the CPU.

        Raises TrainingError where GPUs are wanted and there are not enough.
        """
        kind = wanted.partition(":")[0]
        count = torch.cuda.device_count()
        if kind in ("", "auto"):
            kind = "cuda" if count >= self.local_size else "cpu"
        if kind == "cuda":
            if count < self.local_size:
                raise TrainingError(
                    f"There are {self.local_size} processes on this machine and {count} GPUs: start one "
                    "process for each GPU, or choose the CPU."
                )
            return f"cuda:{self.local}"
        if kind != "cpu":
            raise TrainingError(f"Several processes train on GPUs of NVIDIA or on CPUs, not on {wanted!r}.")
        return kind


class Group:
    """All processes of the run, as long as it lasts. Whatever is called here, all of them have to call."""

    def __init__(self, place: Place, device: str):
        self.place = place
        self.rank, self.size = place.rank, place.size
        self.device = torch.device(device)
        # Orders and sums of a few numbers go over the CPU, so that a GPU is never waited for because of them.
        backend = "cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo"
        where = {"device_id": self.device} if self.device.type == "cuda" else {}
        store, rank, size = next(dist.rendezvous("env://", timeout=TIMEOUT))
        if place.size == place.local_size:
            # torchrun keeps one store for all attempts, in which the addresses of dead processes are left.
            # With several machines each counts attempts of its own; there its own switch helps (FRESH_STORE).
            store = dist.PrefixStore(f"attempt {place.attempt}", store)
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT, **where)

    @property
    def leads(self) -> bool:
        """Whether this is the process that speaks for all: it writes the folder and hears orders."""
        return self.rank == 0

    def tell_all(self, value: Any) -> Any:
        """Return what the first process gives."""
        box = [value]
        dist.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]

    def average(self, values: Tensor) -> Tensor:
        """Return the mean over the processes, on the device where the values are."""
        dist.all_reduce(values)
        return values / self.size

    def part(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], float | None]:
        """Return this process's rows of a batch and how much its mean counts; None where it takes all."""
        count = len(next(iter(batch.values())))
        rows, weight = share(count, self.rank, self.size)
        return {name: value[rows] for name, value in batch.items()}, weight

    def gather(self, value: Any) -> list[Any]:
        """Return what each process gives, in their order."""
        box: list[Any] = [None] * self.size
        dist.all_gather_object(box, value)
        return box

    def any(self, here: bool) -> bool:
        """Return whether it is so in any of the processes."""
        flag = torch.tensor(int(here))
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def wait(self) -> None:
        """Wait until all have come this far."""
        dist.all_reduce(torch.zeros(1))

    def close(self) -> None:
        """Leave the group."""
        if dist.is_initialized():
            dist.destroy_process_group()


def share(count: int, rank: int, size: int) -> tuple[slice, float | None]:
    """Return which rows of a batch a process takes, and how much its mean counts.

    The mean over the processes of what each computes, times that, is the mean over all rows. Where there are
    fewer than two rows for each process, all take the whole batch (None): a batch norm cannot take one row.
    """
    if count < 2 * size:
        return slice(0, count), None
    first, end = count * rank // size, count * (rank + 1) // size
    return slice(first, end), (end - first) * size / count
