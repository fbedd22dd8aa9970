"""Everything that a run needs before its first step: model, data on the device, minimizers, threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint

from engine.compiler.module import Built, check_trainable, compile_document, in_a_row
from engine.data.source import Dataset
from engine.data.stream import Stream
from engine.errors import ParameterError, TrainingError
from engine.graph.document import Document, Training
from engine.graph.modes import active
from engine.training.batches import AT_ONCE, Batches, Fields, in_parts
from engine.training.checkpoint import load_weights
from engine.training.devices import pick
from engine.training.feeding import fields_of, fitting, load_data, make_batches
from engine.training.learning import Learner, learners, moved
from engine.training.minimizer import Minimizer
from engine.training.moment import copied
from engine.training.numerics import autocast, casting, generators, set_generators, unseen
from engine.training.stopping import Stopping, rising
from engine.training.streaming import Streamed

THREAD = 20_000_000
"""Multiply-adds of a step that are worth one more thread.

Below, a second one brings at most a third on an idle machine, and costs a multiple where the window or
another program needs the core, because threads wait for the slowest at every operation.
"""

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass
class Position:
    """Where a run is: in an epoch after so many of its rows, after so many steps in all.

    ``total`` and ``count`` are of the losses since the last check.
    """

    epoch: int = 1
    row: int = 0
    step: int = 0
    total: float | Tensor = 0.0
    count: int = 0


@dataclass
class Setup:
    """A run that can start. ``train`` and ``held`` are whole data sets on the device, by field name.

    Of data that is streamed they are the first rows.

    ``network`` is what the minimizers call: the model, or what torch.compile made of it. ``average`` follows
    the model if the settings ask for it.
    """

    document: Document
    built: Built
    model: nn.Module
    network: nn.Module
    dataset: Dataset | Stream
    ports: Mapping[str, str]
    """Which field of the data set is each that the model and its losses read."""
    device: torch.device
    train: Fields
    held: Fields
    batches: Batches | Streamed
    learners: list[Learner]
    minimizers: list[Minimizer]
    stopping: Stopping
    threads: int
    channels_last: bool
    cast: partial[AbstractContextManager] | None = None
    average: AveragedModel | None = None
    position: Position = field(default_factory=Position)
    changes: dict[str, Any] = field(default_factory=dict)
    """What was changed by hand, by name, in the order of the last changes."""
    loaded: str = ""
    """What of a weights file was loaded, as a sentence."""
    judge: Callable[[nn.Module, Fields], dict[str, Tensor]] | None = None
    """Gives loss and metrics of a batch where several processes share it; None where one does all."""
    notes: list[str] = field(default_factory=list)
    """What is done otherwise than was asked for, and why."""

    @property
    def deferred(self) -> bool:
        """Whether losses stay on the device until they are published: reading one would wait for it."""
        return self.device.type != "cpu"

    @property
    def training(self) -> Training:
        """The settings."""
        return self.document.training

    @property
    def checked(self) -> nn.Module:
        """The model that is checked and kept: the average if there is one."""
        return self.average.module if self.average else self.model

    @property
    def monitored(self) -> str:
        """The metric that tells progress: what the settings name if checks of this run measure it."""
        held = bool(self.dataset.held)
        measured = {"loss", *(name for step in self.built.plan.loss for name in step.metrics)}
        measured |= {f"val_{name}" for name in measured} if held else set()
        usual = "val_loss" if held else "loss"
        return self.training.monitor if self.training.monitor in measured else usual

    @property
    def batch_size(self) -> int:
        """Rows of a step; never more than there are."""
        return self.batches.size

    @property
    def rows(self) -> int:
        """Training rows."""
        return self.dataset.rows

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, the last one perhaps smaller."""
        return self.batches.steps

    @property
    def steps_left(self) -> int:
        """Steps that the run still has to take."""
        rest = self.training.epochs - self.position.epoch
        return self.batches.steps_after(self.position.row) + rest * self.batches.steps

    def rows_at_once(self, most: int) -> int:
        """Return how many rows to run without gradients: at most so many, fewer of a wide network."""
        sizes = [type_.shape[1:] for type_ in self.built.plan.types.values()]
        widest = max(prod(size for size in shape if isinstance(size, int)) for shape in sizes)
        return max(1, min(most, AT_ONCE // max(widest, 1)))

    def held_rows(self, rows: int) -> Iterator[Fields]:
        """Give all rows that are held out, so many at a time."""
        if isinstance(self.batches, Streamed):
            return self.batches.held(rows)
        return in_parts(self.held, self.dataset.held, rows)

    def first_rows(self, count: int) -> Fields:
        """Return the first training rows as a batch."""
        rows = {name: value[:count] for name, value in self.train.items()}
        return {name: channels_last(value) for name, value in rows.items()} if self.channels_last else rows

    def casting(self) -> AbstractContextManager:
        """Return the context in which layers compute with the numbers that were asked for."""
        return casting(self.cast)

    def resized(self) -> None:
        """Tell the schedules how many steps are left, after the batch size was changed."""
        for minimizer in self.minimizers:
            minimizer.resized(self.steps_left)

    def freeze(self, chosen: Iterable[Learner], frozen: bool) -> None:
        """Freeze weights or let them learn again. Raises ParameterError if none were left that learn."""
        chosen = list(chosen)
        for minimizer in self.minimizers:
            if frozen and all(each.frozen or each in chosen for each in minimizer.learners):
                raise ParameterError("These are the last weights that learn; they cannot be frozen.")
        for each in chosen:
            each.frozen = frozen
            each.parameter.requires_grad_(not frozen)
            each.parameter.grad = None
        for minimizer in self.minimizers:
            minimizer.refresh()

    def set_rate(self, chosen: Iterable[Learner], rate: float) -> None:
        """Give weights another multiplier of the learning rate."""
        for each in chosen:
            each.rate = rate
        for minimizer in self.minimizers:
            minimizer.regroup()

    def conclude(self) -> None:
        """Give the model the weights that the run ends with: the best ones, or the average, or its own."""
        if self.stopping.weights is not None:
            self.model.load_state_dict(self.stopping.weights)
        elif self.average:
            self.model.load_state_dict(self.average.module.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return all that the rest of the run depends on: a moment."""
        position = asdict(self.position) | {"total": float(self.position.total)}
        return {
            "position": position,
            "changes": self.changes,
            "model": self.model.state_dict(),
            "minimizers": [each.state_dict() for each in self.minimizers],
            "average": self.average.state_dict() if self.average else None,
            "stopping": self.stopping.state_dict(),
            "generators": generators(self.device),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a moment. Raises TrainingError if it is of another model."""
        from engine.training.steering import steers

        self.position = Position(**state["position"])
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise TrainingError(f"This moment is of another network: {str(error).splitlines()[-1]}") from None
        self.changes = dict(state["changes"])
        known = steers(self)
        for name, value in self.changes.items():
            if name in known:
                known[name].put(value)
        for minimizer, each in zip(self.minimizers, state["minimizers"], strict=True):
            minimizer.load_state_dict(each)
        if self.average and state["average"]:
            self.average.load_state_dict(state["average"])
        self.stopping.load_state_dict(state["stopping"])
        set_generators(state["generators"], self.device)


def prepare(document: Document, device: str = "", weights: Path | str | None = None) -> Setup:
    """Compile and load what the document says; its seed decides the initial weights.

    Raises EngineError with the node where something is missing.
    """
    document = active(document)
    training = document.training
    check_trainable(document)
    place = pick(device or training.device)
    torch.manual_seed(training.seed)
    built = compile_document(document)
    dataset, ports = load_data(document, built)
    dataset = fitting(dataset, place)
    train, held = (fields_of(dataset, part, ports, place) for part in (False, True))
    model = built.model.to(place)
    loaded = str(load_weights(model, weights)) if weights else ""
    found = learners(document, model)
    if not found:
        raise TrainingError("There is nothing to learn: no layer of this model has weights.")
    for each in found:
        each.parameter.requires_grad_(not each.frozen)
    if all(each.frozen for each in found):
        raise TrainingError("There is nothing to learn: every layer with weights is frozen.")
    convolves = any(isinstance(module, CONVOLUTIONS) for module in model.modules())
    last = training.layout == "channels_last" or (training.layout == "auto" and convolves)
    if last:
        model = model.to(memory_format=torch.channels_last)
    _save_memory(document, model)
    batches = make_batches(training, dataset, ports, train, channels_last if last else None)
    setup = Setup(
        document,
        built,
        model,
        model,
        dataset,
        ports,
        place,
        train,
        held,
        batches,
        found,
        [],
        Stopping(training),
        _threads(built, place, batches.size),
        last,
        autocast(training, place),
        loaded=loaded,
    )
    setup.minimizers = make_minimizers(setup)
    if training.average:
        decay = get_ema_multi_avg_fn(training.average)
        setup.average = AveragedModel(model, multi_avg_fn=decay)
    if training.compile:
        _translate(setup)
    return setup


def make_minimizers(setup: Setup) -> list[Minimizer]:
    """Return what moves the weights of a run, one for each objective."""
    training, document = setup.training, setup.document
    upward, steps, made = rising(setup.monitored), setup.batches.steps, []
    for objective, goal in zip(training.objectives, setup.built.objectives, strict=True):
        mine = moved(document, objective.nodes, setup.learners)
        made.append(
            Minimizer(
                objective,
                goal,
                mine,
                setup.device,
                steps,
                training.epochs * steps,
                alone=len(training.objectives) == 1 and len(mine) == len(setup.learners),
                cast=setup.cast,
                scaled=training.precision == "float16",
                rising=upward,
            )
        )
    return made


def _threads(built: Built, device: torch.device, batch_size: int) -> int:
    # By the model's cost and not by trying, so that the same seed gives the same curve.
    if device.type != "cpu":
        return 0
    return min(1 + built.plan.macs * batch_size // THREAD, torch.get_num_threads())


def channels_last(value: Tensor) -> Tensor:
    """Return images with their channels last in memory; anything else as it is."""
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def _save_memory(document: Document, model: nn.Module) -> None:
    """Let blocks that ask for it compute their inside again in the backward pass."""
    for id, node in document.nodes.items():
        layer = getattr(model, node.attribute, None) if node.learning.checkpoint else None
        if isinstance(layer, nn.Module) and node.type in document.blocks and id == node.attribute:
            for block in in_a_row(layer):
                block.forward = _again(block.forward)


def _again(forward: Callable[..., Any]) -> Callable[..., Any]:
    def twice(*inputs: Tensor) -> Any:
        if torch.is_grad_enabled():
            return checkpoint(forward, *inputs, use_reentrant=False)
        return forward(*inputs)

    return twice


def _translate(setup: Setup) -> None:
    """Let torch.compile translate the model; where it cannot, the model stays, and a note says so."""
    small = setup.device.type == "cuda" and setup.built.plan.macs * setup.batch_size < THREAD
    before, gradients = copied(setup.model.state_dict()), [each.parameter for each in setup.learners]
    batch = setup.first_rows(setup.batch_size)
    try:
        # Of small networks on a GPU the launches take the time: then CUDA graphs replay them.
        network = torch.compile(setup.model, mode="reduce-overhead" if small else None)
        with unseen(setup.device), setup.casting():
            for goal in setup.built.objectives:
                goal(network, batch).backward()
    except Exception as error:  # whatever a compiler raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        setup.notes.append(f"torch.compile cannot translate this model here, so it runs as it is: {reason}")
    else:
        setup.network = network
    setup.model.load_state_dict(before)
    for parameter in gradients:
        parameter.grad = None
