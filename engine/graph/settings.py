"""The training settings of a document: one parameter each, and how a script names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine import catalogue
from engine.errors import EditError, ParameterError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import Document, frozen
from engine.graph.edits import set_params
from engine.layers.params import Choice, File, Int, Param, Value
from engine.optimizers import OPTIMIZERS, check_optimizer

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
)
"""The settings beside the objectives, as a form shows them."""


def check_training(values: Mapping[str, Any]) -> dict[str, Value]:
    """Return checked settings by name.

    Raises ParameterError for an unknown name or a refused value.
    """
    known = {param.name: param for param in SETTINGS}
    for name in values:
        if name not in known:
            raise ParameterError(f"There is no setting {shown(name)}.{catalogue.did_you_mean(name, known)}")
    return {name: known[name].check(value) for name, value in values.items()}


def set_training(document: Document, **values: Any) -> Document:
    """Return the document with some settings changed.

    Raises ParameterError for an unknown name or a refused value.
    """
    return document.with_(training=replace(document.training, **check_training(values)))


def set_optimizer(document: Document, type_: str = "", place: int = 0, **options: Any) -> Document:
    """Return the document with an objective's optimizer, or some of its options, changed.

    Options that another optimizer does not have are dropped. Raises ParameterError for a refused value.
    """
    training = document.training
    objective = training.objectives[place]
    type_ = type_ or objective.optimizer
    kept = objective.options if type_ == objective.optimizer else {}
    checked = check_optimizer(type_, {**kept, **options})
    changed = replace(objective, optimizer=type_, options=frozen(checked))
    objectives = (*training.objectives[:place], changed, *training.objectives[place + 1 :])
    return document.with_(training=replace(training, objectives=objectives))


def set_by_name(document: Document, name: str, text: str) -> Document:
    """Return the document with what a script calls ``name`` set to a typed text.

    ``epochs``, ``optimizer``, ``optimizer.lr`` and ``conv1.out_channels`` are such names. Raises EngineError
    that says what there is.
    """
    known = {param.name: param for param in SETTINGS}
    head, _, tail = name.partition(".")
    if name in known:
        return set_training(document, **{name: known[name].parse(text)})
    if name == "optimizer":
        return set_optimizer(document, text)
    if head == "optimizer" and tail:
        optimizer = OPTIMIZERS[document.training.objectives[0].optimizer]
        param = next((each for each in optimizer.params if each.name == tail), None)
        if param is None:
            offer = ", ".join(each.name for each in optimizer.params)
            raise EditError(f"{optimizer.type} has no option {tail!r}; it has {offer}.")
        return set_optimizer(document, **{tail: param.parse(text)})
    if head in document.nodes and tail:
        layer = layer_of(document, document.nodes[head].type)
        param = layer.param(tail)
        if param is None:
            offer = ", ".join(each.name for each in layer.params) or "none"
            raise EditError(f"{head} ({layer.type}) has no parameter {tail!r}; it has {offer}.", head)
        return set_params(document, head, **{tail: param.parse(text)})
    words = [
        *known,
        "optimizer",
        *(f"{id}.{p.name}" for id, n in document.nodes.items() for p in layer_of(document, n.type).params),
    ]
    raise EditError(f"There is nothing called {shown(name)} to set.{catalogue.did_you_mean(name, words)}")
