"""From the data nodes of a document to the batches of a run: which field feeds which input, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.compiler.data import load_node
from engine.compiler.module import Built
from engine.data.memory_blocks import stream_of
from engine.data.source import Dataset
from engine.data.stream import Stream
from engine.errors import TrainingError
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot, Training
from engine.training.batches import Batches, Fields
from engine.training.streaming import Streamed

SHARE = 0.4
"""Of a device's memory that data may fill: the network needs the rest."""

SHOWN = 1024
"""Rows of data that is streamed which are held on the device, to be looked at."""


def load_data(document: Document, built: Built) -> tuple[Dataset | Stream, dict[str, str]]:
    """Return the data of a model, and which of its fields each name is that the model and its losses read.

    Several data nodes are read row by row together, split as the first one says. Raises TrainingError with
    the node where nothing feeds an input, or where the nodes do not go together.
    """
    slots: Mapping[Slot, str] = {**built.plan.arguments, **built.plan.fields}
    roles = {slot.node: layer_of(document, document.nodes[slot.node].type) for slot in slots}
    for id, layer in roles.items():
        if layer.role != "data":
            raise TrainingError(
                "Nothing feeds this input while the network learns: connect the data instead.", id
            )
    first = built.data if built.data in roles else next(iter(roles))
    found = {id: load_node(document.nodes[id], roles[id]) for id in dict.fromkeys([first, *roles])}
    if len(found) == 1:
        return found[first], {name: slot.port for slot, name in slots.items()}
    return _joined(document, found), {name: f"{slot.node}.{slot.port}" for slot, name in slots.items()}


def _joined(document: Document, found: Mapping[str, Dataset | Stream]) -> Dataset:
    """Several sets side by side, their fields named ``node.port``."""
    (first, whole), *others = found.items()
    for id, each in found.items():
        if isinstance(each, Stream):
            raise TrainingError(
                f"{document.nodes[id].title} is too large for memory and is streamed; data that is streamed"
                " cannot be read beside other data.",
                id,
            )
    for id, each in others:
        if len(each) != len(whole):
            raise TrainingError(
                f"{document.nodes[id].title} has {len(each):,} samples, {document.nodes[first].title} has"
                f" {len(whole):,}; several data nodes are read row by row together and need as many.",
                id,
            )
    fields = {f"{id}.{port}": field for id, each in found.items() for port, field in each.fields.items()}
    skipped = tuple(line for each in found.values() for line in each.skipped)
    return Dataset(fields, whole.train, whole.validation, skipped)


def fitting(dataset: Dataset | Stream, device: torch.device) -> Dataset | Stream:
    """Return data as it can be held by a device: streamed from memory where it would fill the device's."""
    if device.type == "cpu" or isinstance(dataset, Stream):
        return dataset
    size = sum(each.values.nbytes for each in dataset.fields.values())
    return stream_of(dataset) if size > SHARE * memory_of(device) else dataset


def memory_of(device: torch.device) -> int:
    """Return the bytes that a device has, be they free or not: the same run has to come out again."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return torch.mps.recommended_max_memory()


def fields_of(
    dataset: Dataset | Stream, held: bool, ports: Mapping[str, str], device: torch.device
) -> Fields:
    """Return all training or held-out rows on the device; of a stream the first ones."""
    count = (dataset.held if held else dataset.rows) if isinstance(dataset, Dataset) else SHOWN
    rows = dataset.first(count, held)
    return {name: torch.from_numpy(rows[port]).to(device) for name, port in ports.items()}


def make_batches(
    training: Training,
    dataset: Dataset | Stream,
    ports: Mapping[str, str],
    train: Fields,
    layout: Callable[[Tensor], Tensor] | None,
) -> Batches | Streamed:
    """Return the batches of a run, its rows in memory or read ahead.

    Raises TrainingError where classes are to come equally often and there are none.
    """
    size, seed = training.batch_size, training.seed
    label = _label(dataset, ports) if training.balance == "sampling" else ""
    if isinstance(dataset, Stream):
        device = next(iter(train.values())).device
        return Streamed(dataset, ports, size, seed, device, ports.get(label, ""), layout)
    return Batches(train, size, seed, train.get(label), layout)


def _label(dataset: Dataset | Stream, ports: Mapping[str, str]) -> str:
    """The name of the training rows' classes (n,), the first field that has some."""
    for name, port in ports.items():
        field = dataset.fields[port]
        if field.classes and field.values.ndim == 1:
            return name
    raise TrainingError("Balanced sampling needs data with one class for each sample; set balance to none.")
