"""On what a run ran, exactly: programs with their versions, and the machine."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

import psutil
import torch


@cache
def environment() -> dict[str, Any]:
    """Return Netwright's, Python's, torch's and every package's version, the system and what it computes on.

    It is read once in a process; memory is in bytes.
    """
    return {
        "netwright": netwright_version(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "",
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "memory": psutil.virtual_memory().total,
        "gpus": gpus(),
        "packages": packages(),
    }


def netwright_version() -> str:
    """Return the version of this program, empty where it was never installed."""
    with suppress(PackageNotFoundError):
        return version("netwright")
    return ""


def packages() -> dict[str, str]:
    """Return every installed package with its version, by name."""
    found = {}
    for each in distributions():
        with suppress(Exception):  # the folder of a package may be damaged; what it was named says nothing
            found.setdefault(each.metadata["Name"], each.version)
    return dict(sorted(found.items(), key=lambda pair: str(pair[0]).lower()))


def gpus() -> list[dict[str, Any]]:
    """Return the name, memory in bytes and capability of every GPU."""
    found: list[dict[str, Any]] = []
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        found.append(
            {
                "name": about.name,
                "memory": about.total_memory,
                "capability": f"{about.major}.{about.minor}",
            }
        )
    if torch.backends.mps.is_available():
        found.append({"name": "Apple GPU", "memory": 0, "capability": ""})
    return found


def cpu_name() -> str:
    """Return the processor's name as people know it."""
    if sys.platform == "linux":
        with suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    return platform.processor() or platform.machine()
