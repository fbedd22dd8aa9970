"""Every optimizer and every schedule against a loop in plain torch: the same bits for twenty steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from engine.errors import TrainingError
from engine.graph.build import Builder
from engine.graph.document import Document, Objective
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training.loop import train
from engine.training.optimizing import make_optimizers, option, set_option
from engine.training.schedules import WARMUP_START, Rates
from engine.training.setup import Setup, prepare

CPU = torch.device("cpu")
STEPS, PER_EPOCH = 20, 5

SHORT = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": (1, 3)},
    "CosineAnnealingWarmRestarts": {"T_0": 2, "T_mult": 2},
    "CyclicLR": {"step_size_up": 3, "step_size_down": 5, "mode": "triangular2"},
    "ReduceLROnPlateau": {"patience": 0},
}
"""Options with which a schedule does something within twenty steps of four epochs."""

GENTLE = {"LBFGS": {"lr": 0.05, "max_iter": 5}}
"""Options with which an optimizer does not run away from this little data."""

METRICS = (1.0, 2.0, 0.5, 0.7)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks take one thread, as in a run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(18, 8), nn.Tanh(), nn.Linear(8, 3))


def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(STEPS):
        yield (
            torch.randn(16, 1, 5, 5, generator=generator),
            torch.randint(3, (16,), generator=generator),
        )


def walk(
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    stepped: Callable[[], None],
    epoch_ended: Callable[[float], None],
) -> tuple[list[list[torch.Tensor]], list[list[float]]]:
    """Return the weights after each step, and the learning rates that it was made with."""
    weights, rates = [], []
    for number, (x, y) in enumerate(batches(), 1):

        def loss(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
            for optimizer in optimizers:
                optimizer.zero_grad()
            value = nn.functional.cross_entropy(model(x), y)
            value.backward()
            return value

        rates.append([group["lr"] for optimizer in optimizers for group in optimizer.param_groups])
        loss()
        for optimizer in optimizers:
            optimizer.step(loss) if isinstance(optimizer, torch.optim.LBFGS) else optimizer.step()
        stepped()
        if number % PER_EPOCH == 0:
            epoch_ended(METRICS[number // PER_EPOCH - 1])
        weights.append([each.detach().clone() for each in model.parameters()])
    return weights, rates


def ours(objective: Objective, multipliers: bool = False):
    model = network()
    groups = [{"params": model.parameters()}]
    if multipliers:
        groups = [{"params": model[0].parameters(), "rate": 0.1}, {"params": list(model[1:].parameters())}]
    optimizers = make_optimizers(objective, groups, CPU)
    rates = Rates(optimizers, objective, PER_EPOCH, STEPS)
    return walk(model, optimizers, rates.stepped, rates.epoch_ended)


def plain(objective: Objective, multipliers: bool = False):
    """The same in plain torch, as people write it."""
    model = network()
    declared = OPTIMIZERS[objective.optimizer]
    options = declared.arguments(objective.options)
    kind = getattr(torch.optim, objective.optimizer)
    if declared.rest:
        matrices = [each for each in model.parameters() if each.ndim == 2]
        others = [each for each in model.parameters() if each.ndim != 2]
        rest = OPTIMIZERS[declared.rest]
        shared = {"lr": options["lr"], "weight_decay": options["weight_decay"]}
        optimizers = [
            kind(matrices, **options),
            getattr(torch.optim, rest.type)(others, **shared, **rest.quick("cpu")),
        ]
    else:
        params = model.parameters()
        if multipliers:
            lr = options["lr"]
            params = [
                {"params": model[0].parameters(), "lr": lr * 0.1},
                {"params": model[1:].parameters(), "lr": lr},
            ]
        optimizers = [kind(params, **options, **declared.quick("cpu"))]
    if not objective.schedule:
        return walk(model, optimizers, lambda: None, lambda metric: None)
    schedule = SCHEDULES[objective.schedule]
    per = schedule.per(objective.schedule_options)
    whole = (STEPS - objective.warmup) if per == "step" else STEPS // PER_EPOCH
    bases = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]

    def begin(optimizer: torch.optim.Optimizer, lrs: list[float]) -> lr_scheduler.LRScheduler:
        arguments = schedule.arguments(objective.schedule_options, lrs, whole)
        return getattr(lr_scheduler, schedule.type)(optimizer, **arguments)

    def rise(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        return lr_scheduler.LinearLR(optimizer, WARMUP_START, total_iters=objective.warmup)

    warmups, mains = [], []
    if not objective.warmup:
        mains = list(map(begin, optimizers, bases))
    elif per == "epoch":
        warmups = list(map(rise, optimizers))
    else:
        for optimizer, lrs in zip(optimizers, bases, strict=True):
            main = begin(optimizer, lrs)
            mains.append(lr_scheduler.SequentialLR(optimizer, [rise(optimizer), main], [objective.warmup]))

    def stepped() -> None:
        for each in (*warmups, *(mains if per == "step" else ())):
            each.step()
        if warmups and warmups[0].last_epoch == objective.warmup:
            warmups.clear()
            for optimizer, lrs in zip(optimizers, bases, strict=True):
                for group, lr in zip(optimizer.param_groups, lrs, strict=True):
                    group["lr"] = lr
            mains.extend(map(begin, optimizers, bases))

    def epoch_ended(metric: float) -> None:
        for each in mains if per == "epoch" else ():
            each.step(metric) if schedule.measures else each.step()

    return walk(model, optimizers, stepped, epoch_ended)


def agree(objective: Objective, multipliers: bool = False) -> None:
    (weights, rates), (their_weights, their_rates) = (
        ours(objective, multipliers),
        plain(objective, multipliers),
    )
    assert rates == their_rates
    for mine, theirs in zip(weights, their_weights, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert not torch.equal(weights[0][-1], weights[-1][-1])  # it moved at all


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_every_optimizer_takes_torchs_steps(type_):
    agree(Objective(optimizer=type_, options=GENTLE.get(type_, {})))


OTHERWISE = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.01, "beta1": 0.8}),
    ("AdamW", {"amsgrad": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    ("Rprop", {"eta_minus": 0.4, "step_max": 1.0}),
    ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 5}),
    ("Muon", {"adjust_lr_fn": "original", "lr": 0.02}),
    ("Adafactor", {"eps2": 0.01, "d": 2.0}),
]


@pytest.mark.parametrize(("type_", "options"), OTHERWISE)
def test_options_mean_what_they_mean_in_torch(type_, options):
    agree(Objective(optimizer=type_, options=options))


@pytest.mark.parametrize("type_", SCHEDULES)
def test_every_schedule_gives_torchs_rates(type_):
    agree(Objective(schedule=type_, schedule_options=SHORT.get(type_, {})))


@pytest.mark.parametrize("type_", SCHEDULES)
def test_groups_keep_their_proportions(type_):
    objective = Objective(optimizer="SGD", schedule=type_, schedule_options=SHORT.get(type_, {}))
    agree(objective, multipliers=True)


@pytest.mark.parametrize("type_", SCHEDULES)
@pytest.mark.parametrize("optimizer", ["AdamW", "Muon"])
def test_a_warmup_comes_before_any_schedule(type_, optimizer):
    objective = Objective(
        optimizer=optimizer, schedule=type_, schedule_options=SHORT.get(type_, {}), warmup=4
    )
    agree(objective)


@pytest.mark.parametrize("type_", [each.type for each in SCHEDULES.values() if not each.measures])
@pytest.mark.parametrize("per", ["epoch", "step"])
def test_both_ways_to_count(type_, per):
    agree(Objective(schedule=type_, schedule_options={**SHORT.get(type_, {}), "per": per}))


def test_optimizers_for_matrices_leave_the_rest_to_another():
    model = network()
    objective = Objective(optimizer="Muon", options={"lr": 0.02, "weight_decay": 0.3})
    muon, adam = make_optimizers(objective, [{"params": model.parameters()}], CPU)
    assert [type(muon), type(adam)] == [torch.optim.Muon, torch.optim.AdamW]
    assert {each.ndim for each in muon.param_groups[0]["params"]} == {2}
    assert len(adam.param_groups[0]["params"]) == 4
    assert (adam.param_groups[0]["lr"], adam.param_groups[0]["weight_decay"]) == (0.02, 0.3)
    only = make_optimizers(objective, [{"params": [model[0].weight]}], CPU)
    assert [type(each) for each in only] == [torch.optim.AdamW]


def test_lbfgs_refuses_multipliers_with_words():
    model = network()
    groups = [{"params": model[0].parameters(), "rate": 0.1}, {"params": model[2].parameters()}]
    with pytest.raises(TrainingError, match="LBFGS moves all weights with one learning rate"):
        make_optimizers(Objective(optimizer="LBFGS"), groups, CPU)


def test_an_option_is_set_by_its_declared_name():
    optimizer = make_optimizers(Objective(), [{"params": network().parameters()}], CPU)[0]
    set_option(optimizer, "beta1", 0.5)
    set_option(optimizer, "weight_decay", 0.1)
    assert (option(optimizer, "beta1"), option(optimizer, "beta2")) == (0.5, 0.999)
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)
    assert option(optimizer, "weight_decay") == 0.1
    assert option(optimizer, "momentum") is None


def test_every_declared_option_is_torchs():
    for declared in OPTIMIZERS.values():
        given = {name: value for name, value in declared.arguments({}).items() if value is not None}
        kind = getattr(torch.optim, declared.type)
        defaults = kind([nn.Parameter(torch.ones(2, 2))], **given).defaults
        assert given.items() <= defaults.items()


class Steps:
    """Hears of a run: the rates of each step, the weights after it, what was measured."""

    def __init__(self, setup: Setup):
        self.setup = setup
        self.weights: list[list[torch.Tensor]] = []
        self.rates: list[list[float]] = []
        self.metrics: list[float | None] = []
        (minimizer,) = setup.minimizers
        self.optimizers = minimizer.optimizers
        self.optimizers[0].register_step_pre_hook(self._begins)

    def _begins(self, *_: object) -> None:
        self.rates.append([group["lr"] for each in self.optimizers for group in each.param_groups])

    def stepped(self, loss: float) -> bool:
        self.weights.append([each.detach().clone() for each in self.setup.model.parameters()])
        return True

    def evaluated(self, metrics: dict[str, float]) -> None:
        self.metrics.append(self.setup.stopping.value(metrics))


EPOCHS = 3


def document(objective: Objective) -> Document:
    """2-8-3 on points, ten steps an epoch."""
    b = Builder("Small")
    data = b.add("Spirals", samples=600, id="points")
    x = b.add("Tanh", b.add("Linear", data, out_features=8))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=3), data["label"])
    b.train("SGD", epochs=EPOCHS, batch_size=48)
    drawn = b.document()
    return drawn.with_(training=replace(drawn.training, objectives=(objective,)))


def run_agrees(objective: Objective) -> None:
    """A run of the document against a loop in plain torch over the same batches."""
    setup = prepare(document(objective), "cpu")
    per_epoch = setup.batches.steps
    heard = Steps(setup)
    assert train(setup, heard) == "done"

    other = prepare(document(objective), "cpu")
    model, batches = other.model, other.batches
    declared = OPTIMIZERS[objective.optimizer]
    options = declared.arguments(objective.options)
    kind, switches = getattr(torch.optim, objective.optimizer), declared.quick("cpu")
    if declared.rest:
        optimizers = [
            kind([each for each in model.parameters() if each.ndim == 2], **options),
            torch.optim.AdamW(
                [each for each in model.parameters() if each.ndim != 2],
                lr=options["lr"],
                weight_decay=options["weight_decay"],
                fused=True,
            ),
        ]
    else:
        optimizers = [kind(model.parameters(), **options, **switches)]
    schedule = SCHEDULES.get(objective.schedule)
    schedulers = []
    for optimizer in optimizers if schedule else ():
        whole = EPOCHS * per_epoch if schedule.per(objective.schedule_options) == "step" else EPOCHS
        lrs = [group["lr"] for group in optimizer.param_groups]
        arguments = schedule.arguments(objective.schedule_options, lrs, whole)
        schedulers.append(getattr(lr_scheduler, schedule.type)(optimizer, **arguments))
    step = 0
    for epoch in range(1, EPOCHS + 1):
        for batch in batches.epoch(epoch):
            assert heard.rates[step] == [g["lr"] for each in optimizers for g in each.param_groups]

            def loss(batch: dict[str, torch.Tensor] = batch) -> torch.Tensor:
                for optimizer in optimizers:
                    optimizer.zero_grad()
                x, y = batch.values()
                value = nn.functional.cross_entropy(model(x), y)
                value.backward()
                return value

            if declared.closure:
                optimizers[0].step(loss)
            else:
                loss()
                for optimizer in optimizers:
                    optimizer.step()
            for scheduler in schedulers:
                if schedule.per(objective.schedule_options) == "step":
                    scheduler.step()
            theirs = list(model.parameters())
            assert all(torch.equal(a, b) for a, b in zip(heard.weights[step], theirs, strict=True)), step
            step += 1
        for scheduler in schedulers:
            if schedule.measures:
                scheduler.step(heard.metrics[epoch - 1])
            elif schedule.per(objective.schedule_options) == "epoch":
                scheduler.step()
    assert step >= STEPS
    assert step == len(heard.weights)


@pytest.mark.parametrize("type_", OPTIMIZERS)
def test_a_run_is_torchs_own_with_every_optimizer(type_):
    run_agrees(Objective(optimizer=type_, options=GENTLE.get(type_, {})))


@pytest.mark.parametrize("type_", SCHEDULES)
def test_a_run_is_torchs_own_with_every_schedule(type_):
    options = SHORT.get(type_, {})
    run_agrees(Objective(options={"lr": 0.05}, schedule=type_, schedule_options=options))
