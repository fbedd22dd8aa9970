"""The objectives of a run as lines of a script: what is made before the loop, and what happens in a step."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import nn

from engine.export.apart import Apart
from engine.export.wrapping import INDENT, indented
from engine.graph.objectives import title_of
from engine.optimizers import OPTIMIZERS
from engine.schedules import EPOCH, SCHEDULES, STEP
from engine.training.learning import Learner
from engine.training.schedules import WARMUP_START
from engine.training.setup import Setup
from engine.training.stopping import rising

_IMPORTS = (
    "from collections.abc import Callable",
    "from torch.optim.lr_scheduler import LRScheduler as Scheduler",
)
_SCHEDULERS = "torch.optim.lr_scheduler"


class _Code(str):
    """A text that is written without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


@dataclass
class Written:
    """One objective as lines.

    ``functions`` are definitions that need the ``imports``, ``before`` comes before the loop, ``step`` in it,
    for a ``batch``; the loss is then in ``last``. ``epoch`` comes after each epoch, ``checked`` where there
    is a ``report``. ``counts`` says that ``step`` reads the number of the step.
    """

    imports: list[str]
    functions: list[str]
    before: list[str]
    step: list[str]
    last: str
    epoch: list[str]
    checked: list[str]
    counts: bool


def write_objectives(setup: Setup, given: str, monitored: str) -> list[Written]:
    """Return every objective as lines.

    ``given`` is what the whole loss is called with, ``monitored`` the value that a plateau is judged by.
    """
    return [_Objective(setup, place, given, monitored).written() for place in range(len(setup.minimizers))]


def freezing(setup: Setup) -> list[str]:
    """Return the lines that keep weights as they are."""
    lines = []
    for node, own in groupby(setup.learners, lambda each: each.node):
        own = list(own)
        if all(each.frozen for each in own):
            lines.append(f"model.{node}.requires_grad_(False)")
        else:
            lines += [f"{_one(each)}.requires_grad_(False)" for each in own if each.frozen]
    return lines


def _one(learner: Learner) -> str:
    return f'model.get_parameter("{learner.name}")' if "." in learner.name else f"model.{learner.name}"


class _Objective:
    def __init__(self, setup: Setup, place: int, given: str, monitored: str):
        self._setup, self._given, self._monitored = setup, given, monitored
        self._place, self._minimizer = place, setup.minimizers[place]
        self._objective = self._minimizer.objective
        self._several = len(setup.minimizers) > 1
        self._end = f"_{place + 1}" if self._several else ""
        self._declared = OPTIMIZERS[self._objective.optimizer]
        self._schedule = SCHEDULES.get(self._objective.schedule)
        self._per = self._schedule.per(self._objective.schedule_options) if self._schedule else ""
        self._rises_apart = bool(self._objective.warmup) and self._per == EPOCH
        self._half = setup.training.precision == "float16"
        objective = self._objective
        self._clips = bool(objective.clip_norm or objective.clip_value)
        self._penalized = bool(objective.l1 or objective.l2)

    def _name(self, word: str) -> str:
        return f"{word}{self._end}"

    def written(self) -> Written:
        """Return it as lines."""
        self._optimizers = self._names()
        every = self._objective.every
        step, last = self._steps(), self._name("last")
        if every > 1:
            step = [f"if step % {every} == 0:", *indented(step)]
        return Written(
            list(_IMPORTS) if self._rises_apart else [],
            self._functions(),
            self._before(),
            step,
            last,
            [] if self._schedule is None or self._schedule.measures else self._advance(EPOCH),
            self._after_check() if self._schedule and self._schedule.measures else [],
            every > 1,
        )

    def _names(self) -> list[str]:
        if len(self._minimizer.optimizers) == 1:
            return [self._name("optimizer")]
        return [
            self._name("rest" if place else "optimizer") for place in range(len(self._minimizer.optimizers))
        ]

    # What comes before the loop.

    def _functions(self) -> list[str]:
        functions = []
        if not self._plain:
            functions.append(self._terms())
        if self._rises_apart:
            functions.append(inspect.getsource(Apart).rstrip())
        return functions

    def _terms(self) -> str:
        """The losses that it weighs as a function of their own, with the types that a reader wants to see."""
        head, _, body = self._setup.built.goal_text(self._place).strip().partition("\n")
        names = head.removeprefix("def losses(").removesuffix("):").split(", ")
        typed = ", ".join(f"{name}: {'nn.Module' if name == 'model' else 'Tensor'}" for name in names)
        doc = f'{INDENT}"""{self._word}: return these losses, each by itself."""'
        return f"def {self._name('terms')}({typed}) -> tuple[Tensor, ...]:\n{doc}\n{body}"

    @property
    def _word(self) -> str:
        title = title_of(self._setup.document, self._place)
        return "".join(each for each in title if each.isalnum() or each in " +-_")[:60]

    @property
    def _plain(self) -> bool:
        """Whether it minimizes the whole loss as it is."""
        goal = self._minimizer.goal
        return goal.whole and not self._objective.losses

    def _before(self) -> list[str]:
        lines = []
        if self._needs_weights:
            lines.append(f"{self._weights} = {self._learning(self._minimizer.learners)}")
        for name, optimizer in zip(self._optimizers, self._minimizer.optimizers, strict=True):
            lines.append(f"{name} = {self._made(optimizer)}")
        if self._half:
            lines.append(f"{self._name('scaler')} = torch.amp.GradScaler(torch.device(options.device).type)")
        for number, name in enumerate(self._optimizers):
            lines += self._scheduled(number, name)
        if self._objective.accumulate > 1 and not self._declared.closure:
            lines.append(f"{self._name('phase')} = 0")
        if self._several or self._objective.every > 1:
            lines.append(f"{self._name('last')} = 0.0")
        return lines

    @property
    def _weights(self) -> str:
        return self._name("weights")

    @property
    def _needs_weights(self) -> bool:
        return self._several or self._clips or self._penalized

    def _learning(self, learners: Sequence[Learner]) -> str:
        """The weights of an objective that are not frozen."""
        if len(learners) == len(self._setup.learners):
            return "[each for each in model.parameters() if each.requires_grad]"
        return self._listed([each for each in learners if not each.frozen])

    def _listed(self, learners: Iterable[Learner]) -> str:
        """Some weights as a list, by their nodes where these are whole."""
        parts = []
        for node, group in groupby(learners, lambda each: each.node):
            group = list(group)
            module = getattr(self._setup.model, node, None)
            whole = isinstance(module, nn.Module) and len(list(module.parameters())) == len(group)
            parts += [f"*model.{node}.parameters()"] if whole else map(_one, group)
        return f"[{', '.join(parts)}]"

    def _made(self, optimizer: torch.optim.Optimizer) -> str:
        kind = type(optimizer)
        usual = inspect.signature(kind).parameters
        options = {
            key: value
            for key, value in optimizer.defaults.items()
            if key in usual and (key == "lr" or value != usual[key].default)
        }
        return _call(f"torch.optim.{kind.__name__}", _Code(self._groups(optimizer)), options)

    def _groups(self, optimizer: torch.optim.Optimizer) -> str:
        by_weight = {id(each.parameter): each for each in self._minimizer.learners}
        lr, groups = optimizer.defaults["lr"], []
        for group in optimizer.param_groups:
            learners = [by_weight[id(each)] for each in group["params"]]
            if len(learners) == len(self._setup.learners):
                weights = "model.parameters()"
            else:
                weights = self._listed(learners)
            groups.append((weights, lr * group.get("rate", 1.0)))
        if len(groups) == 1 and groups[0][1] == lr:
            return groups[0][0]
        parts = [f'{{"params": {weights}, "lr": {rate!r}}}' for weights, rate in groups]
        return f"[{', '.join(parts)}]"

    def _scheduled(self, number: int, name: str) -> list[str]:
        """The schedulers of one of its optimizers."""
        warmup, schedule = self._objective.warmup, self._schedule
        own = self._schedule_name(number)
        if not warmup and schedule is None:
            return []
        rise = _call(
            f"{_SCHEDULERS}.LinearLR", _Code(name), {"start_factor": WARMUP_START, "total_iters": warmup}
        )
        if self._rises_apart:
            made = self._scheduler(number, f"{own}.main")
            rise = rise.replace(f"({name}, ", f"({own}.warm, ", 1)
            return [
                f"{own} = Apart({name}, {warmup})",
                f"after = {made}",
                f"{own}.begin(after, lambda: {rise})",
            ]
        main = self._scheduler(number, name) if schedule else f"{_SCHEDULERS}.ConstantLR({name}, factor=1.0)"
        if not warmup:
            return [f"{own} = {main}"]
        return [
            f"after = {main}",
            f"rise = {rise}",
            f"{own} = {_SCHEDULERS}.SequentialLR({name}, [rise, after], milestones=[{warmup}])",
        ]

    def _schedule_name(self, number: int) -> str:
        return self._name("rest_schedule" if number else "schedule")

    def _scheduler(self, number: int, name: str) -> str:
        objective, schedule = self._objective, self._schedule
        optimizer = self._minimizer.optimizers[number]
        lr = optimizer.defaults["lr"]
        rates = [lr * group.get("rate", 1.0) for group in optimizer.param_groups]
        arguments = schedule.arguments(objective.schedule_options, rates, 1)
        if schedule.length and not schedule.values(objective.schedule_options)[schedule.length]:
            arguments[schedule.length] = _Code(self._whole())
        if arguments.get("cycle_momentum"):
            arguments["cycle_momentum"] = any(key in optimizer.defaults for key in ("betas", "momentum"))
        if schedule.measures:
            arguments["mode"] = "max" if rising(self._setup.monitored) else "min"
        usual = inspect.signature(getattr(torch.optim.lr_scheduler, schedule.type)).parameters
        alike = [key for key in arguments if isinstance(arguments[key], list) and len(rates) == 1]
        arguments |= {key: arguments[key][0] for key in alike}
        options = {key: value for key, value in arguments.items() if value != usual[key].default}
        return _call(f"{_SCHEDULERS}.{schedule.type}", _Code(name), options)

    def _whole(self) -> str:
        """The length of the run in what the schedule counts."""
        if self._per == EPOCH:
            return "options.epochs"
        pace = self._objective.every * self._objective.accumulate
        steps = f"options.epochs * {self._setup.batches.steps}{f' // {pace}' if pace > 1 else ''}"
        warmup = f" - {self._objective.warmup}" if self._objective.warmup else ""
        return f"max(1, {steps}{warmup})" if warmup or pace > 1 else steps

    # What happens in a step.

    def _steps(self) -> list[str]:
        if self._declared.closure:
            return self._closed()
        accumulate, lines = self._objective.accumulate, []
        zero = [f"{name}.zero_grad()" for name in self._optimizers]
        lines += [f"if not {self._name('phase')}:", *indented(zero)] if accumulate > 1 else zero
        lines += self._loss()
        part = f"(value / {accumulate})" if accumulate > 1 else "value"
        if self._half:
            part = f"{self._name('scaler')}.scale({part.strip('()')})"
        lines.append(f"{part}.backward({self._inputs})")
        lines.append(f"{self._name('last')} = value.item()")
        moves = [*self._clipped(), *self._moves(), *self._advance(STEP)]
        if accumulate == 1:
            return [*lines, *moves]
        phase = self._name("phase")
        return [*lines, f"{phase} = ({phase} + 1) % {accumulate}", f"if not {phase}:", *indented(moves)]

    def _closed(self) -> list[str]:
        """A step of an optimizer that computes the loss again and again."""
        (name,) = self._optimizers
        body = [
            f"{name}.zero_grad()",
            *self._loss(),
            f"value.backward({self._inputs})",
            *self._clip_lines(),
            "seen.append(value.item())",
            "return value",
        ]
        return [
            "seen = []",
            "",
            "def closure() -> Tensor:",
            *indented(body),
            "",
            f"{name}.step(closure)",
            f"{self._name('last')} = seen[0]",
            *self._advance(STEP),
        ]

    @property
    def _inputs(self) -> str:
        return f"inputs={self._weights}" if self._several else ""

    def _loss(self) -> list[str]:
        goal, objective = self._minimizer.goal, self._objective
        if self._plain:
            lines = [f"value = loss({self._given})"]
        else:
            given = self._given
            if not goal.whole:
                plan = self._setup.built.plan
                names = {**plan.arguments, **plan.fields}.values()
                given = ", ".join(["model", *(f"batch[{name!r}]".replace("'", '"') for name in names)])
            terms = [
                f"parts[{place}]{f' * {weight!r}' if weight != 1 else ''}"
                for place, weight in enumerate(goal.weights.values())
            ]
            lines = [f"parts = {self._name('terms')}({given})", f"value = {' + '.join(terms)}"]
        if self._setup.cast:
            lines = [
                f"with torch.autocast(torch.device(options.device).type, {self._setup.cast.args[1]}):",
                *indented(lines),
            ]
        matrices = f"for each in {self._weights} if each.dim() > 1"
        if objective.l1:
            lines.append(f"value = value + {objective.l1!r} * sum(each.abs().sum() {matrices})")
        if objective.l2:
            lines.append(f"value = value + {objective.l2!r} * sum(each.square().sum() {matrices})")
        return lines

    def _clipped(self) -> list[str]:
        lines = self._clip_lines()
        if lines and self._half:
            lines = [f"{self._name('scaler')}.unscale_({name})" for name in self._optimizers] + lines
        return lines

    def _clip_lines(self) -> list[str]:
        lines, objective = [], self._objective
        if objective.clip_value:
            lines.append(f"nn.utils.clip_grad_value_({self._weights}, {objective.clip_value!r})")
        if objective.clip_norm:
            lines.append(f"nn.utils.clip_grad_norm_({self._weights}, {objective.clip_norm!r})")
        return lines

    def _moves(self) -> list[str]:
        if not self._half:
            return [f"{name}.step()" for name in self._optimizers]
        scaler = self._name("scaler")
        return [*(f"{scaler}.step({name})" for name in self._optimizers), f"{scaler}.update()"]

    def _advance(self, when: str) -> list[str]:
        """The lines that let the schedulers go on, after a step or an epoch."""
        names = [self._schedule_name(number) for number in range(len(self._optimizers))]
        if self._rises_apart:
            return [f"{name}.{when}()" for name in names]
        per = self._per or STEP
        if per != when or not (self._schedule or self._objective.warmup):
            return []
        lines = []
        for name in names:
            last = self._last_advance()
            lines += (
                [f"{name}.step()"]
                if last is None
                else [f"if {name}.last_epoch < {last}:", f"{INDENT}{name}.step()"]
            )
        return lines

    def _last_advance(self) -> int | None:
        """How often a scheduler of a length of its own may be stepped that refuses more."""
        schedule = self._schedule
        if schedule is None or not schedule.ends:
            return None
        length = schedule.values(self._objective.schedule_options)[schedule.length]
        return length - 1 + self._objective.warmup if length else None

    def _after_check(self) -> list[str]:
        step = "epoch" if self._rises_apart else "step"
        return [
            f"{self._schedule_name(number)}.{step}({self._monitored})"
            for number in range(len(self._optimizers))
        ]


def _call(name: str, first: _Code, options: dict[str, Any]) -> str:
    given = [f"{key}={_literal(value)}" for key, value in options.items()]
    return f"{name}({', '.join([first, *given])})"


def _literal(value: Any) -> str:
    return f'"{value}"' if type(value) is str else repr(value)
