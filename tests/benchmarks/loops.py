"""The loops that are raced: Netwright's own, one written by hand, one with a DataLoader, and Lightning's.

Each trains a document's network on the document's rows and evaluates the held-out rows, and as many of those
that are learned from, after every epoch. It returns how fast it was and the loss of every step.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.graph.document import Document
from engine.training.events import Failed, Progress, Started
from engine.training.runner import Runner
from engine.training.setup import Setup, prepare

LIGHTNING = find_spec("lightning") is not None
"""Whether Lightning is installed: ``pip install netwright[bench]``."""


class Run(NamedTuple):
    """What a loop tells: its speed, compiling and loading left out, and its losses."""

    steps_per_second: float
    losses: np.ndarray


Loop = Callable[[Document], Run]
Batches = Callable[[Setup, int], Iterable[tuple[Tensor, Tensor]]]
"""The inputs and right answers of an epoch's batches."""


def netwright(document: Document, out: Path | None = None) -> Run:
    """Train in a background thread while this one empties the mailbox."""
    runner = Runner(document, "cpu", out)
    over = threading.Event()
    losses: list[np.ndarray] = []
    steps, seconds = 0, 0.0
    runner.start()
    while True:
        alive = runner.alive
        for event in runner.events.drain():
            if isinstance(event, Started):
                steps = event.steps
            elif isinstance(event, Progress):
                losses.append(event.loss)
            elif isinstance(event, Failed):
                raise RuntimeError(event.message)
            elif hasattr(event, "seconds"):
                seconds = event.seconds
        if not alive:
            break
        over.wait(0.05)
    runner.close()
    return Run(steps / seconds, np.concatenate(losses))


def apart(loop: Loop) -> Loop:
    """Return a loop that runs in a thread of its own, as Netwright's does.

    The helpers of OpenMP that a thread keeps end with it. Where another thread of the process has some,
    even idle ones, there are more than cores, and GNU's OpenMP lets all of them sleep between two pieces of
    work: a step of many small pieces, as an LSTM's, then takes twice as long.
    """

    def run(document: Document) -> Run:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(loop, document).result()

    return run


def kept(document: Document) -> Run:
    """Train and keep a folder of the run, as the window does."""
    with TemporaryDirectory() as folder:
        return netwright(document, Path(folder) / "run")


def rows(setup: Setup) -> tuple[Tensor, Tensor]:
    """Return the inputs and the right answers of all training rows."""
    x, y = setup.train.values()
    return x, y


def shuffled(setup: Setup, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Take batches by index, in an order of their own, as most people write it."""
    x, y = rows(setup)
    order = torch.randperm(len(x))
    for start in range(0, len(x), setup.batch_size):
        taken = order[start : start + setup.batch_size]
        yield x[taken], y[taken]


def as_netwright(setup: Setup, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Take batches by index, in the order in which Netwright takes them."""
    x, y = rows(setup)
    for taken in setup.batches.order(epoch)[: setup.batches.rows].split(setup.batch_size):
        yield x[taken], y[taken]


def by_hand(make: Callable[[], nn.Module], batches: Batches = shuffled) -> Loop:
    """Return the loop that most people write, with a plain Adam and torch's own number of threads."""

    def loop(document: Document) -> Run:
        setup, model, optimizer = _begin(document, make)
        held_x, held_y = setup.held.values()
        x, y = (value[: len(held_x)] for value in rows(setup))
        losses = []
        began = perf_counter()
        for epoch in range(1, document.training.epochs + 1):
            model.train()
            for batch_x, batch_y in batches(setup, epoch):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(batch_x), batch_y)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            model.eval()
            with torch.no_grad():
                scores = model(held_x)
                _ = F.cross_entropy(scores, held_y).item(), (scores.argmax(1) == held_y).float().mean().item()
                _ = (model(x).argmax(1) == y).float().mean().item()
        seconds = perf_counter() - began
        return Run(len(losses) / seconds, torch.stack(losses).numpy())

    return loop


def with_loader(make: Callable[[], nn.Module]) -> Loop:
    """Return the same loop with torch's DataLoader, as the tutorials write it."""
    return by_hand(make, lambda setup, epoch: _loader(setup, *rows(setup), shuffle=True))


def _loader(setup: Setup, *fields: Tensor, shuffle: bool = False) -> torch.utils.data.DataLoader:
    data = torch.utils.data.TensorDataset(*fields)
    return torch.utils.data.DataLoader(data, setup.batch_size, shuffle=shuffle)


def _begin(
    document: Document, make: Callable[[], nn.Module]
) -> tuple[Setup, nn.Module, torch.optim.Optimizer]:
    """Return the data, and a network written by hand with the weights that Netwright begins with."""
    setup = prepare(document, "cpu")
    torch.manual_seed(document.training.seed)
    model = make()
    weights = setup.model.state_dict().values()
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    lr = document.training.objectives[0].options["lr"]
    return setup, model, torch.optim.Adam(model.parameters(), lr=lr)


def in_lightning(make: Callable[[], nn.Module]) -> Loop:
    """Return Lightning's Trainer with everything switched off that prints or writes."""
    import lightning

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(lightning.LightningModule):
        """A network, its loss and its optimizer."""

        def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer):
            super().__init__()
            self.model, self.optimizer = model, optimizer
            self.losses: list[Tensor] = []
            self.seconds = 0.0

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            x, y = batch
            loss = F.cross_entropy(self.model(x), y)
            self.losses.append(loss.detach())
            return loss

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            x, y = batch
            scores = self.model(x)
            self.log("val_loss", F.cross_entropy(scores, y))
            self.log("val_accuracy", (scores.argmax(1) == y).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return self.optimizer

        def on_train_start(self) -> None:
            self.seconds = -perf_counter()

        def on_train_end(self) -> None:
            self.seconds += perf_counter()

    def loop(document: Document) -> Run:
        setup, model, optimizer = _begin(document, make)
        module = Module(model, optimizer)
        held = tuple(setup.held.values())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it advises workers, which make data that lies in memory slower
            trainer = lightning.Trainer(
                accelerator="cpu",
                devices=1,
                max_epochs=document.training.epochs,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
            )
            checked = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*held), len(held[0]))
            trainer.fit(module, _loader(setup, *rows(setup), shuffle=True), checked)
        return Run(len(module.losses) / module.seconds, torch.stack(module.losses).numpy())

    return loop
