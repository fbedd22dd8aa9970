"""A run spread over processes: each takes its share of every batch, and all learn the same."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from engine.compiler.goal import Fields, Goal
from engine.distributed.group import Group
from engine.errors import TrainingError
from engine.training.learning import learners
from engine.training.minimizer import Minimizer
from engine.training.setup import Setup, make_minimizers

DDP, FSDP = "ddp", "fsdp"
WAYS = (DDP, FSDP)
"""Every process holds all weights, or they are shared out."""


class Losses(nn.Module):
    """The network with the losses of an objective as one module, so that DDP sees the whole forward."""

    def __init__(self, network: nn.Module, goal: Goal):
        super().__init__()
        self.network = network
        self._parts = goal.parts

    def forward(self, batch: Fields) -> tuple[Tensor, ...]:
        """Return each loss for a batch."""
        return tuple(self._parts(self.network, batch))


class SharedGoal:
    """What an objective minimizes, of which this process computes its share.

    Its value is that of the whole batch, in every process the same; its gradient is this process's part, of
    which DDP or FSDP takes the mean. ``sums`` are the losses that add up over the rows instead of averaging.
    """

    def __init__(
        self, goal: Goal, minimizer: Minimizer, group: Group, sums: frozenset[str], way: str, alone: bool
    ):
        self.weights, self.whole, self.parts = goal.weights, goal.whole, goal.parts
        self._goal, self._minimizer, self._group, self._way = goal, minimizer, group, way
        # Whether the losses need everything that the objective moves.
        self._full = alone and goal.whole
        self._scales = [node in sums for node in goal.weights]
        self._module: nn.Module | None = None
        self._moved: list[nn.Parameter] = []

    def __call__(self, network: nn.Module, batch: Fields) -> Tensor:
        """Return the sum of the losses for a batch of which every process has all rows."""
        if self._module is None or self._moved is not self._minimizer.parameters:
            self._module, self._moved = self._spread(network), self._minimizer.parameters
        mine, weight = self._group.part(batch)
        whole = weight is None
        total: Tensor | None = None
        for value, loss_weight, adds in zip(
            self._module(mine), self.weights.values(), self._scales, strict=True
        ):
            scale = loss_weight * (1.0 if whole else self._group.size if adds else weight)
            value = value * scale if scale != 1 else value
            total = value if total is None else total + value
        return _Valued.apply(total, self._group.average(total.detach().clone()))

    def _spread(self, network: nn.Module) -> nn.Module:
        """Return the module whose gradients are averaged over the processes: those of what it moves."""
        module = Losses(network, self._goal)
        if self._way == FSDP:
            return module
        moved = {id(each) for each in self._minimizer.parameters}
        others = [name for name, each in module.named_parameters() if id(each) not in moved]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(module, others)
        return DistributedDataParallel(module, find_unused_parameters=not self._full)


class _Valued(torch.autograd.Function):
    """A loss with the value of all processes and the gradient of this one."""

    @staticmethod
    def forward(ctx: object, mine: Tensor, of_all: Tensor) -> Tensor:
        return of_all.clone()

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def spread(setup: Setup, group: Group, way: str = DDP, synchronized: bool = False) -> None:
    """Let a run that can start take its part in a group; ``synchronized`` is for batch norms, on GPUs.

    Raises TrainingError where what the document asks for cannot be had in several processes.
    """
    if synchronized and setup.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(setup.model)
    elif _normalizes(setup.model):
        why = "torch synchronizes it on GPUs only" if synchronized else "--sync-batchnorm changes that"
        setup.notes.append(f"Batch norm is over the rows of each process, not of the whole batch; {why}.")
    if way == FSDP:
        _shard(setup)
    sums = frozenset(id for id, node in setup.document.nodes.items() if node.params.get("reduction") == "sum")
    for minimizer in setup.minimizers:
        minimizer.goal = SharedGoal(minimizer.goal, minimizer, group, sums, way, len(setup.minimizers) == 1)
    # The rows of a sum cannot be told from those of a mean in a total: then each process computes all of it.
    if not sums:
        setup.judge = lambda model, batch: judge(setup, group, model, batch)
    setup.notes.append(f"{group.size} processes train together ({way.upper()}).")
    if group.rank:  # dropout and noise of its own; the weights are drawn already and are the same
        torch.manual_seed(setup.training.seed + 7919 * group.rank)


def judge(setup: Setup, group: Group, model: nn.Module, batch: Fields) -> dict[str, Tensor]:
    """Return loss and metrics of a batch of which every process computes its part."""
    mine, weight = group.part(batch)
    values = setup.built.evaluate(model, mine)
    means = torch.stack([value.detach().float() for value in values.values()])
    means = group.average(means * (1.0 if weight is None else weight))
    return dict(zip(values, means.unbind(), strict=True))


def _normalizes(model: nn.Module) -> bool:
    return any(isinstance(each, nn.modules.batchnorm._BatchNorm) for each in model.modules())


def _shard(setup: Setup) -> None:
    """Share the weights out: those of each block, and the rest together."""
    training = setup.training
    for asked, what in (
        (any(not each.goal.whole for each in setup.minimizers), "objectives that run parts of the model"),
        (setup.average is not None, "the average of the weights"),
        (training.compile, "torch.compile"),
        (training.keep_best, "keeping the best weights"),
        (setup.built.follow is not None, "copies of layers"),
        (any(each.l1 or each.l2 for each in training.objectives), "L1 and L2 penalties"),
    ):
        if asked:
            raise TrainingError(
                f"FSDP cannot be had together with {what}; train with --parallel ddp instead."
            )
    mesh = init_device_mesh(setup.device.type, (torch.distributed.get_world_size(),))
    for module in _blocks(setup):
        fully_shard(module, mesh=mesh)
    fully_shard(setup.model, mesh=mesh)
    frozen = {each.name: each.frozen for each in setup.learners}
    # The weights are other objects now, so everything that holds them is made anew.
    setup.learners = learners(setup.document, setup.model)
    for each in setup.learners:
        each.frozen = frozen.get(each.name, each.frozen)
    setup.minimizers = make_minimizers(setup)


def _blocks(setup: Setup) -> list[nn.Module]:
    """The modules that are worth a share of their own: blocks, unless they have weights in common."""
    counted: dict[int, int] = {}
    for module in setup.model.children():
        for each in module.parameters():
            counted[id(each)] = counted.get(id(each), 0) + 1
    found = []
    for id_, node in setup.document.nodes.items():
        module = getattr(setup.model, node.attribute, None) if node.type in setup.document.blocks else None
        if not isinstance(module, nn.Module) or id_ != node.attribute:
            continue
        parts = list(module) if isinstance(module, nn.Sequential) else [module]
        found += [
            part
            for part in parts
            if (own := list(part.parameters())) and all(counted[id(each)] == 1 for each in own)
        ]
    return found
