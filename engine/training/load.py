"""What the machine is busy with while a run runs: processor, memory, GPU."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import psutil
import torch

COLUMNS = ("time", "cpu", "process", "memory", "free", "gpu", "gpu_memory", "gpu_reserved")
"""Columns of system.csv.

Seconds since 1970; percent of all processors together; percent of one that this process takes; bytes that it
holds and that are free; percent of the GPU that is busy; bytes on it that torch uses and that it holds.
"""


class Load:
    """Asks the system how busy it is; the first answer is about the time since it was made."""

    def __init__(self, device: str = "cpu"):
        self._process = psutil.Process()
        self._device = device if device.startswith("cuda") and torch.cuda.is_available() else ""
        self._knows_busy = bool(self._device)
        psutil.cpu_percent()
        self._process.cpu_percent()

    def sample(self, time: float) -> Mapping[str, float | int | str]:
        """Return a row of system.csv; what is not known is empty. Costs a fraction of a millisecond."""
        row: dict[str, float | int | str] = dict.fromkeys(COLUMNS, "")
        row["time"] = round(time, 1)
        row["cpu"] = psutil.cpu_percent()
        with suppress(psutil.Error):
            row["process"] = self._process.cpu_percent()
            row["memory"] = self._process.memory_info().rss
        row["free"] = psutil.virtual_memory().available
        if self._device:
            row["gpu_memory"] = torch.cuda.memory_allocated(self._device)
            row["gpu_reserved"] = torch.cuda.memory_reserved(self._device)
            row["gpu"] = self._busy()
        return row

    def _busy(self) -> float | str:
        """How busy the GPU is, where the driver's library for that is installed."""
        if self._knows_busy:
            try:
                return torch.cuda.utilization(self._device)
            except Exception:  # without the library, or without the right; asking again would cost each time
                self._knows_busy = False
        return ""
