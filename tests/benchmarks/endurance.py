"""A long run of a tiny network: what it leaves in memory and on disk.

``python -m tests.benchmarks.endurance --json`` takes a million steps, some minutes of one core; ``--quick`` a
tenth of them. The run tells its folder, its mailbox is emptied as the window does, and what it told is
remembered as the window remembers it.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import sleep

import psutil

from engine.graph.build import Builder
from engine.graph.document import Document
from engine.training.events import Failed, Progress
from engine.training.record import Record
from engine.training.runner import Runner
from tests.benchmarks.rows import Row, report

STEPS, FIRST = 1_000_000, 1000
"""Steps of the run, and those after which the memory is compared with that at the end."""
GROWTH, FOLDER = 20e6, 200e6
"""Bytes that memory may grow by, and that the run's folder may have."""


def tiny(steps: int) -> Document:
    """One neuron, twenty steps to an epoch."""
    b = Builder("One neuron")
    data = b.add("Line", samples=400, validation=0.2)
    b.add("MSELoss", b.add("Linear", data, out_features=1), data["y"])
    b.train("SGD", lr=0.001, epochs=max(1, steps // 20), batch_size=16)
    return b.document()


def train(
    document: Document, folder: Path, after: Callable[[int], object], record: Record | None = None
) -> None:
    """Train beside a reader that calls ``after`` with the newest step, and remembers what is told."""
    runner, step = Runner(document, "cpu", folder), 0
    runner.start()
    while True:
        alive = runner.alive
        for event in runner.events.drain():
            if record is not None:
                record.add(event)
            if isinstance(event, Progress):
                step = int(event.step[-1])
            elif isinstance(event, Failed):
                raise RuntimeError(event.message)
        after(step)
        if not alive:
            runner.close()
            return
        sleep(0.1)


def held() -> int:
    """Return the bytes that this process alone holds."""
    gc.collect()
    return psutil.Process().memory_full_info().uss


def measure(steps: int = STEPS) -> list[Row]:
    """Return how much memory a run of so many steps takes, and how large its folder gets."""
    before: list[int] = []

    def look(step: int) -> None:
        if step >= FIRST and not before:
            before.append(held())

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        record = Record()  # it lives until the memory is looked at
        train(tiny(steps), folder, look, record)
        more = max(held() - before[0], 0)
        size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    told = f"{before[0] / 1e6:.0f} MB after {FIRST:,} steps, {more / 1e6:.1f} MB more after {steps:,}"
    kept = f"{size / 1e6:.1f} MB after {steps:,} steps, {len(record.events):,} events remembered"
    return [
        Row("memory of a long run / 20 MB", round(more / GROWTH, 3), 1.0, "lower", told),
        Row("its folder / 200 MB", round(size / FOLDER, 3), 1.0, "lower", kept),
    ]


if __name__ == "__main__":
    sys.exit(report(__doc__, [lambda quick: measure(STEPS // 10 if quick else STEPS)]))
