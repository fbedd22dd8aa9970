"""The training settings of a document: one parameter each, and how a script names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine import catalogue
from engine.errors import EditError, ParameterError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Learning, Objective, frozen
from engine.graph.edits import set_params
from engine.inits import INITS, check_init
from engine.layers.params import Bool, Choice, File, Float, Int, Param, Value
from engine.optimizers import OPTIMIZERS, check_optimizer
from engine.schedules import SCHEDULES, check_schedule

SETTINGS: tuple[Param, ...] = (
    Int(name="epochs", default=10, min=1, max=1_000_000, doc="How often every training sample is seen."),
    Int(
        name="batch_size", default=32, min=1, max=1_000_000, doc="Samples between two steps of the optimizer."
    ),
    Int(
        name="seed",
        default=0,
        min=0,
        max=2**31 - 1,
        doc="Initial weights and order; the same gives the same curve.",
    ),
    Choice(
        name="device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        doc="Where it computes; auto takes a GPU if there is one.",
    ),
    File(
        name="weights",
        default="",
        label="Begin with",
        patterns=("*.safetensors",),
        doc="Weights that a run begins with; fresh ones when empty.",
    ),
    Choice(
        name="balance",
        default="none",
        choices=("none", "sampling"),
        doc="Sampling draws every class equally often, however many samples it has.",
    ),
    Float(
        name="average",
        default=0.0,
        min=0,
        max=0.999999,
        label="Average the weights",
        doc="Decay of an exponential average of the weights, which is what is checked and kept; 0 is off.",
    ),
    Int(
        name="patience",
        default=0,
        min=0,
        max=1_000_000,
        label="Stop early after",
        doc="Checks without progress after which the run ends; 0 never does.",
    ),
    Choice(
        name="monitor",
        default="auto",
        choices=("auto", "val_loss", "val_accuracy", "loss", "accuracy"),
        doc="What tells progress; auto takes the held-out loss where there is one.",
    ),
    Bool(name="keep_best", default=False, doc="End with the weights of the best check, not the last."),
    Choice(
        name="precision",
        default="float32",
        choices=("float32", "tf32", "bfloat16", "float16"),
        doc="Numbers that layers compute with; half as wide ones are faster where the device has them.",
    ),
    Bool(
        name="compile",
        default=False,
        doc="Let torch.compile translate the model; slow to begin, faster for long runs on a GPU.",
    ),
    Choice(
        name="layout",
        default="auto",
        choices=("auto", "channels_last", "contiguous"),
        label="Memory layout",
        doc="How images lie in memory; auto puts channels last for convolutions.",
    ),
    Bool(
        name="deterministic",
        default=False,
        doc="Only operations that give the same numbers in every run, on a GPU too.",
    ),
    Float(
        name="save_every",
        default=1.0,
        min=0,
        max=1440,
        label="Save every",
        doc="Minutes between two moments from which the run can go on; 0 saves only the last.",
    ),
)
"""The settings beside the objectives, as a form shows them."""

OBJECTIVE: tuple[Param, ...] = (
    Int(
        name="warmup",
        default=0,
        min=0,
        max=10_000_000,
        label="Warm up",
        doc="Steps over which the learning rate rises to its value.",
    ),
    Int(
        name="every", default=1, min=1, max=1_000_000, label="Step every", doc="Steps between two of its own."
    ),
    Int(
        name="accumulate",
        default=1,
        min=1,
        max=100_000,
        doc="Batches whose gradients are averaged for one step of the optimizer.",
    ),
    Float(
        name="clip_norm",
        default=0.0,
        min=0,
        label="Clip the norm",
        doc="Longest gradient of all weights together; 0 does not clip.",
    ),
    Float(
        name="clip_value",
        default=0.0,
        min=0,
        label="Clip values",
        doc="Largest gradient of a single weight; 0 does not clip.",
    ),
    Float(
        name="l1", default=0.0, min=0, label="L1 penalty", doc="Times the sum of the weights' sizes (lasso)."
    ),
    Float(
        name="l2",
        default=0.0,
        min=0,
        label="L2 penalty",
        doc="Times the sum of the weights' squares (ridge).",
    ),
)
"""The rules of an objective beside its optimizer and schedule, as a form shows them."""

LEARNING: tuple[Param, ...] = (
    Bool(name="frozen", default=False, doc="Its weights stay as they are."),
    Float(
        name="rate",
        default=1.0,
        min=0,
        max=10_000,
        label="Rate multiplier",
        doc="Times the learning rate, for this node's weights.",
    ),
    Bool(
        name="checkpoint",
        default=False,
        label="Save memory",
        doc="Compute the inside of this block again in the backward pass instead of keeping it.",
    ),
)
"""How a node's weights are trained, as a form shows it."""


def check_training(values: Mapping[str, Any]) -> dict[str, Value]:
    """Return checked settings by name.

    Raises ParameterError for an unknown name or a refused value.
    """
    return _checked(SETTINGS, values, "setting")


def _checked(params: Iterable[Param], values: Mapping[str, Any], what: str) -> dict[str, Value]:
    known = {param.name: param for param in params}
    for name in values:
        if name not in known:
            raise ParameterError(f"There is no {what} {shown(name)}.{catalogue.did_you_mean(name, known)}")
    return {name: known[name].check(value) for name, value in values.items()}


def check_rules(values: Mapping[str, Any]) -> dict[str, Value]:
    """Return checked rules of an objective by name; the same errors as ``check_training``."""
    return _checked(OBJECTIVE, values, "rule of an objective")


def check_learning(values: Mapping[str, Any]) -> dict[str, Value]:
    """Return how a node learns, checked, by name; the same errors as ``check_training``."""
    return _checked(LEARNING, values, "way to learn")


def set_training(document: Document, **values: Any) -> Document:
    """Return the document with some settings changed.

    Raises ParameterError for an unknown name or a refused value.
    """
    return document.with_(training=replace(document.training, **check_training(values)))


def set_optimizer(document: Document, type_: str = "", place: int = 0, **options: Any) -> Document:
    """Return the document with an objective's optimizer, or some of its options, changed.

    Options that another optimizer does not have are dropped. Raises ParameterError for a refused value.
    """
    objective = document.training.objectives[place]
    type_ = type_ or objective.optimizer
    kept = objective.options if type_ == objective.optimizer else {}
    checked = check_optimizer(type_, {**kept, **options})
    return with_objective(document, place, replace(objective, optimizer=type_, options=frozen(checked)))


def set_schedule(document: Document, type_: str | None = None, place: int = 0, **options: Any) -> Document:
    """Return the document with an objective's schedule, or some of its options, changed.

    An empty type leaves the learning rate as it is. Options that another schedule does not have are dropped.
    Raises ParameterError for a refused value.
    """
    objective = document.training.objectives[place]
    type_ = objective.schedule if type_ is None else type_
    kept = objective.schedule_options if type_ == objective.schedule else {}
    checked = check_schedule(type_, {**kept, **options}) if type_ else {}
    changed = replace(objective, schedule=type_, schedule_options=frozen(checked))
    return with_objective(document, place, changed)


def set_rule(document: Document, place: int = 0, **values: Any) -> Document:
    """Return the document with some rules of an objective changed.

    Raises ParameterError for an unknown name or a refused value.
    """
    changed = replace(document.training.objectives[place], **check_rules(values))
    return with_objective(document, place, changed)


def with_objective(document: Document, place: int, objective: Objective) -> Document:
    """Return the document with another objective in a place."""
    objectives = document.training.objectives
    objectives = (*objectives[:place], objective, *objectives[place + 1 :])
    return document.with_(training=replace(document.training, objectives=objectives))


def set_learning(document: Document, ids: Iterable[str], **values: Any) -> Document:
    """Return the document with some nodes learning otherwise: ``frozen``, ``rate``, ``checkpoint``.

    Raises ParameterError for an unknown name or a refused value, EditError for a node that is not there.
    """
    checked = check_learning(values)
    return _with_learning(document, ids, lambda learning: replace(learning, **checked))


def set_init(document: Document, ids: Iterable[str] | None, type_: str = "", **options: Any) -> Document:
    """Return the document with some nodes, or with ``None`` all of it, beginning otherwise; "" as usual.

    Raises ParameterError for a refused value.
    """
    checked = frozen(check_init(type_, options) if type_ else {})
    if ids is None:
        return document.with_(training=replace(document.training, init=type_, init_options=checked))
    return _with_learning(document, ids, lambda each: replace(each, init=type_, init_options=checked))


def _with_learning(
    document: Document, ids: Iterable[str], change: Callable[[Learning], Learning]
) -> Document:
    nodes = dict(document.nodes)
    for id in ids:
        if id not in nodes:
            raise EditError(f"There is no node {shown(id)}.")
        nodes[id] = replace(nodes[id], learning=change(nodes[id].learning))
    return document.with_(nodes=nodes)


def set_by_name(document: Document, name: str, text: str) -> Document:
    """Return the document with what a script calls ``name`` set to a typed text.

    ``epochs``, ``optimizer``, ``optimizer.lr``, ``schedule.step_size``, ``clip_norm``, ``init.gain``,
    ``conv1.out_channels``, ``conv1.frozen`` and ``conv1.rate`` are such names; ``objective2.`` before one is
    about the second objective. Raises EngineError that says what there is.
    """
    place, own = 0, name
    if found := re.fullmatch(r"objective(\d+)\.(.+)", name):
        place, own = int(found[1]) - 1, found[2]
        count = len(document.training.objectives)
        if not 0 <= place < count:
            raise EditError(f"There is no objective {place + 1}; this document has {count}.")
    known = {param.name: param for param in SETTINGS} if own == name else {}
    rules = {param.name: param for param in OBJECTIVE}
    objective = document.training.objectives[place]
    head, _, tail = own.partition(".")
    if own in known:
        return set_training(document, **{own: known[own].parse(text)})
    if own in rules:
        return set_rule(document, place, **{own: rules[own].parse(text)})
    if head == "optimizer":
        if not tail:
            return set_optimizer(document, text, place)
        options = OPTIMIZERS[objective.optimizer].params
        return set_optimizer(document, "", place, **_option(options, objective.optimizer, tail, text))
    if head == "schedule":
        return _schedule_by_name(document, place, tail, text)
    if head == "init":
        return _init_by_name(document, "", tail, text)
    if head in document.nodes and tail:
        return _node_by_name(document, head, tail, text)
    words = [
        *known,
        *rules,
        "optimizer",
        "schedule",
        "init",
        *(f"{id}.{p.name}" for id, n in document.nodes.items() for p in layer_of(document, n.type).params),
    ]
    raise EditError(f"There is nothing called {shown(name)} to set.{catalogue.did_you_mean(name, words)}")


def value_by_name(document: Document, name: str) -> Value | None:
    """Return what is set under a name that ``set_by_name`` knows, or None where there is no such thing.

    ``loss.NODE`` is the weight of a loss in an objective; 0 where it is not minimized.
    """
    found = re.fullmatch(r"objective(\d+)\.(.+)", name)
    place, own = (int(found[1]) - 1, found[2]) if found else (0, name)
    training = document.training
    if not 0 <= place < len(training.objectives):
        return None
    objective = training.objectives[place]
    head, _, tail = own.partition(".")
    if own in {param.name for param in SETTINGS} and own == name:
        return getattr(training, own)
    if own in {param.name for param in OBJECTIVE}:
        return getattr(objective, own)
    if head == "optimizer":
        return OPTIMIZERS[objective.optimizer].values(objective.options).get(tail)
    if head == "schedule" and objective.schedule:
        return SCHEDULES[objective.schedule].values(objective.schedule_options).get(tail)
    if head == "loss":
        return objective.losses.get(tail, 0.0) if objective.losses else 1.0
    if head not in document.nodes:
        return None
    node = document.nodes[head]
    if tail in {param.name for param in LEARNING}:
        return getattr(node.learning, tail)
    return layer_of(document, node.type).values(node.params).get(tail)


def _schedule_by_name(document: Document, place: int, option: str, text: str) -> Document:
    if not option:
        return set_schedule(document, "" if text == "none" else text, place)
    schedule = document.training.objectives[place].schedule
    if not schedule:
        raise EditError(f"There is no schedule that has {option!r}; set schedule first.")
    return set_schedule(document, None, place, **_option(SCHEDULES[schedule].params, schedule, option, text))


def _init_by_name(document: Document, id: str, option: str, text: str) -> Document:
    """Set how a node begins, or the whole document where ``id`` is empty."""
    ids, where = ([id], document.nodes[id].learning) if id else (None, document.training)
    if not option:
        return set_init(document, ids, "" if text == "none" else text)
    if not where.init:
        raise EditError(f"There is no initialization that has {option!r}; set init first.", id)
    changed = _option(INITS[where.init].params, where.init, option, text)
    return set_init(document, ids, where.init, **{**where.init_options, **changed})


def _node_by_name(document: Document, id: str, name: str, text: str) -> Document:
    layer = layer_of(document, document.nodes[id].type)
    if (param := layer.param(name)) is not None:
        return set_params(document, id, **{name: param.parse(text)})
    learning = {param.name: param for param in LEARNING}
    if name in learning:
        return set_learning(document, [id], **{name: learning[name].parse(text)})
    head, _, option = name.partition(".")
    if head == "init":
        return _init_by_name(document, id, option, text)
    offer = ", ".join(each.name for each in layer.params) or "none"
    raise EditError(
        f"{id} ({layer.type}) has no parameter {name!r}; it has {offer}; and frozen, rate, init.", id
    )


def _option(params: Iterable[Param], owner: str, name: str, text: str) -> dict[str, Value]:
    params = list(params)
    param = next((each for each in params if each.name == name), None)
    if param is None:
        raise EditError(f"{owner} has no option {name!r}; it has {', '.join(each.name for each in params)}.")
    return {name: param.parse(text)}
