"""Run folders for tests, made by the writer that real runs use."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from engine.graph.document import Document
from engine.training.events import Evaluated, Finished, Progress, Started, State
from engine.training.folder import Folder
from engine.training.status import RUN, STATUS
from tests.training.documents import spirals


def made(
    path: Path,
    document: Document | None = None,
    epochs: int = 4,
    per_epoch: int = 10,
    best: float = 0.9,
    state: str = "done",
    **about,
) -> Path:
    """Write the folder of a run whose loss falls and whose accuracy grows to ``best``; return it."""
    run = Folder(path)
    run.begin(document or spirals(), **about)
    steps = epochs * per_epoch
    try:
        run.tell(Started(epochs, steps, per_epoch, "cpu", 1, 903))
        run.tell(State("running"))
        for epoch in range(1, epochs + 1):
            step = np.arange((epoch - 1) * per_epoch, epoch * per_epoch) + 1
            loss = 2.0 / (1 + step.astype(np.float64) / per_epoch)
            run.tell(Progress(step, loss, epoch, 0.01, 1000.0, 0.1))
            losses = {"loss": float(loss[-1]), "val_loss": float(loss[-1]) * 1.1}
            metrics = {**losses, "accuracy": best, "val_accuracy": best * epoch / epochs}
            run.tell(Evaluated(int(step[-1]), epoch, metrics))
        run.tell(Finished(state, steps, 1.5, run.status.metrics))
        run.finish(state)
    finally:
        run.close()
    return path


def aged(path: Path, seconds: float) -> Path:
    """Let a run have begun so many seconds earlier."""
    for name in (RUN, STATUS):
        content = json.loads((path / name).read_text())
        content["begun"] = time.time() - seconds
        (path / name).write_text(json.dumps(content))
    return path
