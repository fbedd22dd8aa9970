"""What a run leaves on disk: the document, metrics, weights, and a status that others can watch."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.atomic import write_text
from engine.training.checkpoint import save_weights

NAMES = ("loss", "val_loss", "accuracy", "val_accuracy")
"""Columns of metrics.csv that come first."""


class Folder:
    """A run's folder: ``document.netwright``, ``metrics.csv``, ``status.json``, ``weights.safetensors``.

    Raises FileError where it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._columns: list[str] = []

    def begin(self, document: Document) -> None:
        """Make the folder and write down what is trained."""
        from engine.storage.document_file import save_document

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / "metrics.csv").unlink(missing_ok=True)
        except OSError as error:
            raise FileError(f"{self.path} cannot be written: {error.strerror or error}.") from None
        save_document(document, self.path / "document.netwright")
        self._status("running", 0, {})

    def evaluated(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add a row of metrics."""
        row = {"step": step, "epoch": epoch, **metrics}
        first = not self._columns
        if first:
            known = [name for name in NAMES if name in metrics]
            self._columns = ["step", "epoch", *known, *(name for name in metrics if name not in known)]
        try:
            with (self.path / "metrics.csv").open("a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, self._columns, restval="", extrasaction="ignore")
                if first:
                    writer.writeheader()
                writer.writerow(row)
        except OSError as error:
            raise FileError(f"{self.path} cannot be written: {error.strerror or error}.") from None

    def finish(
        self,
        state: str,
        step: int,
        metrics: Mapping[str, float],
        message: str = "",
        model: nn.Module | None = None,
    ) -> None:
        """Write the weights, then say that the run is over: ``done``, ``stopped`` or ``failed``."""
        if model is not None:
            save_weights(model, self.path / "weights.safetensors")
        self._status(state, step, metrics, message)

    def _status(self, state: str, step: int, metrics: Mapping[str, float], message: str = "") -> None:
        status = {"state": state, "step": step, "metrics": dict(metrics), "time": time.time()}
        if message:
            status["message"] = message
        try:
            write_text(self.path / "status.json", json.dumps(status, indent=2) + "\n")
        except OSError as error:
            raise FileError(f"{self.path} cannot be written: {error.strerror or error}.") from None
