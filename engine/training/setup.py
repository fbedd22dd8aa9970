"""Everything that a run needs before its first step: model, data on the device, optimizers, threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, prod

import torch
from torch import Tensor, nn

from engine.compiler.data import load_node
from engine.compiler.module import Built, check_trainable, compile_document
from engine.data.source import Dataset
from engine.errors import TrainingError
from engine.graph.document import Document, Objective, Slot
from engine.graph.modes import active
from engine.optimizers import OPTIMIZERS
from engine.training.devices import pick

Fields = dict[str, Tensor]

CHUNK = 32
"""Batches that are gathered at once, if they are small: one call for many."""

AT_ONCE = 2**24
"""Numbers of one tensor that are computed or copied at once, where there is a choice: 64 MB."""

THREAD = 20_000_000
"""Multiply-adds of a step that are worth one more thread.

Below, a second one brings at most a third on an idle machine, and costs a multiple where the window or
another program needs the core, because threads wait for the slowest at every operation.
"""

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass
class Setup:
    """A run that can start. ``train`` and ``held`` are whole data sets on the device, by field name."""

    document: Document
    built: Built
    model: nn.Module
    dataset: Dataset
    device: torch.device
    train: Fields
    held: Fields
    optimizers: list[torch.optim.Optimizer]
    threads: int
    channels_last: bool
    deferred: bool = False
    """Whether losses stay on the device until they are published, because reading one would wait for it."""

    @property
    def batch_size(self) -> int:
        """Rows of a step; never more than there are."""
        return min(self.document.training.batch_size, self.rows)

    @property
    def rows(self) -> int:
        """Training rows."""
        return len(self.dataset.train)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, the last one perhaps smaller."""
        return ceil(self.used / self.batch_size)

    @property
    def used(self) -> int:
        """Rows of an epoch: a last batch of one row is left out, because a batch norm could not take it."""
        alone = self.rows % self.batch_size == 1 and self.rows > 1 and self.batch_size > 1
        return self.rows - alone

    def rows_at_once(self, most: int) -> int:
        """Return how many rows to run without gradients: at most so many, fewer of a wide network."""
        sizes = [type_.shape[1:] for type_ in self.built.plan.types.values()]
        widest = max(prod(size for size in shape if isinstance(size, int)) for shape in sizes)
        return max(1, min(most, AT_ONCE // max(widest, 1)))

    def first_rows(self, count: int) -> Fields:
        """Return the first training rows as a batch."""
        rows = {name: value[:count] for name, value in self.train.items()}
        return {name: _channels_last(value) for name, value in rows.items()} if self.channels_last else rows

    def batches(self, generator: torch.Generator) -> Iterator[Fields]:
        """Give every training row once, in an order that the generator draws."""
        order = torch.randperm(self.rows, generator=generator)[: self.used].to(self.device)
        numbers = self.batch_size * max(value[0].numel() for value in self.train.values())
        chunk_size = max(1, min(CHUNK, AT_ONCE // numbers))
        for rows in order.split(self.batch_size * chunk_size):
            chunk = [value.index_select(0, rows) for value in self.train.values()]
            if self.channels_last:
                chunk = [_channels_last(value) for value in chunk]
            for batch in zip(*(value.split(self.batch_size) for value in chunk), strict=True):
                yield dict(zip(self.train, batch, strict=True))


def prepare(document: Document, device: str = "") -> Setup:
    """Compile and load what the document says; its seed decides the initial weights.

    Raises EngineError with the node where something is missing.
    """
    document = active(document)
    check_trainable(document)
    place = pick(device or document.training.device)
    torch.manual_seed(document.training.seed)
    built = compile_document(document)
    dataset = load_node(document.nodes[built.data])
    train, held = (_fields(built, dataset, rows, place) for rows in (dataset.train, dataset.validation))
    model = built.model.to(place)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TrainingError("There is nothing to learn: no layer of this model has weights.")
    channels_last = any(isinstance(module, CONVOLUTIONS) for module in model.modules())
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizers = [make_optimizer(model, objective, place) for objective in document.training.objectives]
    threads = 0
    if place.type == "cpu":
        rows = min(document.training.batch_size, len(dataset.train))
        # By the model's cost and not by trying, so that the same seed gives the same curve.
        threads = min(1 + built.plan.macs * rows // THREAD, torch.get_num_threads())
    return Setup(
        document,
        built,
        model,
        dataset,
        place,
        train,
        held,
        optimizers,
        threads,
        channels_last,
        deferred=place.type != "cpu",
    )


def _fields(built: Built, dataset: Dataset, rows: object, device: torch.device) -> Fields:
    """Return the fields that the model and its losses read, by the names under which they read them."""
    names: Mapping[Slot, str] = {**built.plan.arguments, **built.plan.fields}
    fields: Fields = {}
    for slot, name in names.items():
        if slot.node != built.data:
            raise TrainingError(
                "Nothing feeds this input while the network learns: connect the data instead.", slot.node
            )
        fields[name] = torch.tensor(dataset.fields[slot.port].values[rows], device=device)
    return fields


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def make_optimizer(model: nn.Module, objective: Objective, device: torch.device) -> torch.optim.Optimizer:
    """Return the optimizer of an objective, in torch's fused form where there is one."""
    options = OPTIMIZERS[objective.optimizer].values(objective.options)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    kind = getattr(torch.optim, objective.optimizer)
    if objective.optimizer in ("SGD", "Adam", "AdamW") and device.type in ("cpu", "cuda", "mps"):
        options["fused"] = True
    return kind([p for p in model.parameters() if p.requires_grad], **options)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many CPU threads inside, 0 for no matter; as before afterwards."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
