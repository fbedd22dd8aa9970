"""Looking at a run elsewhere: its weights as they are now, in a model of this process."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from engine.compiler.module import Built
from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.training.checkpoint import fit_weights
from engine.training.events import Snapshot, Watch
from engine.training.numerics import unseen
from engine.training.probes import Probe
from engine.training.setup import prepare


class Looker:
    """Makes pictures of a run from weights that it left in a file, with the data of this machine.

    Raises EngineError where the document cannot be prepared here: without its data there are no pictures.
    """

    def __init__(self, document: Document):
        with unseen(torch.device("cpu")):
            self._setup = prepare(document, "cpu")
        self._probe = Probe(self._setup)
        self.step = self.epoch = 0

    @property
    def built(self) -> Built:
        """The compiled document."""
        return self._setup.built

    @property
    def model(self) -> nn.Module:
        """The model with the weights that were read last."""
        return self._setup.model

    def read(self, path: Path) -> bool:
        """Take the weights of a file; return whether it was there, whole, and of another step than before."""
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                step = int(about.get("step", -1))
                if step == self.step and step > 0:
                    return False
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError):
            return False
        fit_weights(self._setup.model, tensors)
        self.step, self.epoch = step, int(about.get("epoch", 0))
        return True

    def look(self, watch: Watch) -> Snapshot | None:
        """Return what a watch asks for."""
        return self._probe.snapshot(watch, max(self.step, 0), self.epoch)


def looker_or_none(document: Document) -> Looker | None:
    """Return a looker, None where the document cannot be prepared on this machine."""
    try:
        return Looker(document)
    except (EngineError, FileError):
        return None
