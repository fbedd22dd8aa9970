"""Running what was exported where nothing of Netwright can be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ALONE = """
import sys
class Alone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("engine", "presets", "gui", "main", "PySide6", "safetensors"):
            raise ImportError(name + " is not torch")
sys.meta_path.insert(0, Alone())
"""


def run_alone(folder: Path, code: str, *arguments: str) -> str:
    """Return what code prints that can import torch and what lies in a folder, and nothing else."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE + code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
