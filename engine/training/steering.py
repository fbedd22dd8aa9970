"""What can be changed while a run goes on: one value for each number, by the name that scripts use too."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from torch import nn

from engine.graph.blocks import ROLE as BLOCK
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.graph.modes import active
from engine.graph.objectives import loss_nodes
from engine.graph.settings import LEARNING, SETTINGS
from engine.layers.params import Float, Param, Value
from engine.optimizers import OPTIMIZERS
from engine.training.minimizer import Minimizer
from engine.training.optimizing import option, set_option
from engine.training.schedules import cycled
from engine.training.setup import Setup

_DROPOUT = Float(name="p", default=0.5, min=0, max=1, label="Dropout", doc="Share that is set to zero.")
_WEIGHT = Float(name="weight", default=1.0, label="Weight", doc="How much this loss counts.")


@dataclass(frozen=True)
class Steer:
    """A number of a run that can be changed between two steps; ``node`` is the node that it is about."""

    name: str
    param: Param
    get: Callable[[], Value]
    put: Callable[[Value], None]
    node: str = ""


def steers(setup: Setup) -> dict[str, Steer]:
    """Return everything that can be changed in a run, by name.

    ``optimizer.lr``, ``batch_size``, ``loss.NODE``, ``NODE.frozen``, ``NODE.rate`` and ``NODE.p`` are such
    names; those of the second objective begin with ``objective2.``.
    """
    found = [_batch_size(setup), *_layers(setup), *_dropouts(setup)]
    for place, minimizer in enumerate(setup.minimizers):
        before = f"objective{place + 1}." if place else ""
        found += [*_options(minimizer, before), *_losses(minimizer, before)]
    return {each.name: each for each in found}


def steerable(document: Document) -> dict[str, Param]:
    """Return what can be changed in a run of a document, by name, before there is one.

    The dropouts inside blocks are known to the run alone.
    """
    document = active(document)
    found: dict[str, Param] = {"batch_size": _setting("batch_size")}
    for place, objective in enumerate(document.training.objectives):
        before = f"objective{place + 1}." if place else ""
        params, moved = OPTIMIZERS[objective.optimizer].params, cycled(objective)
        numbers = [each for each in params if isinstance(each, Float) and each.name != moved]
        found |= {f"{before}optimizer.{each.name}": each for each in numbers}
        found |= {f"{before}loss.{id}": _WEIGHT for id in objective.losses or loss_nodes(document)}
    for id, node in document.nodes.items():
        layer = layer_of(document, node.type)
        if layer.role in ("layer", BLOCK):
            found |= {f"{id}.{each.name}": each for each in LEARNING if each.name != "checkpoint"}
        if "Dropout" in node.type and layer.param("p"):
            found[f"{id}.p"] = _DROPOUT
    return found


def _setting(name: str) -> Param:
    return next(each for each in SETTINGS if each.name == name)


def _batch_size(setup: Setup) -> Steer:
    def put(value: Value) -> None:
        setup.batches.size = int(value)
        setup.resized()

    return Steer("batch_size", _setting("batch_size"), lambda: setup.batches.size, put)


def _options(minimizer: Minimizer, before: str) -> Iterator[Steer]:
    first, moved = minimizer.optimizers[0], cycled(minimizer.objective)
    for param in OPTIMIZERS[minimizer.objective.optimizer].params:
        if not isinstance(param, Float) or option(first, param.name) is None or param.name == moved:
            continue
        if param.name == "lr":
            get, put = (lambda: minimizer.rates.base), minimizer.rebase
        else:
            get, put = _option_of(minimizer, param.name)
        yield Steer(f"{before}optimizer.{param.name}", param, get, put)


def _option_of(minimizer: Minimizer, name: str) -> tuple[Callable[[], Value], Callable[[Value], None]]:
    def put(value: Value) -> None:
        for optimizer in minimizer.optimizers:
            if option(optimizer, name) is not None:
                set_option(optimizer, name, value)

    return lambda: option(minimizer.optimizers[0], name), put


def _losses(minimizer: Minimizer, before: str) -> Iterator[Steer]:
    weights = minimizer.goal.weights
    for node in weights:
        yield Steer(
            f"{before}loss.{node}",
            _WEIGHT,
            lambda node=node: weights[node],
            lambda value, node=node: weights.__setitem__(node, float(value)),
            node,
        )


def _layers(setup: Setup) -> Iterator[Steer]:
    params = {param.name: param for param in LEARNING}
    for node in dict.fromkeys(each.node for each in setup.learners):
        own = [each for each in setup.learners if each.node == node]
        yield Steer(
            f"{node}.frozen",
            params["frozen"],
            lambda own=own: all(each.frozen for each in own),
            lambda value, own=own: setup.freeze(own, bool(value)),
            node,
        )
        yield Steer(
            f"{node}.rate",
            params["rate"],
            lambda own=own: own[0].rate,
            lambda value, own=own: setup.set_rate(own, float(value)),
            node,
        )


def _dropouts(setup: Setup) -> Iterator[Steer]:
    for path, module in setup.model.named_modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            yield Steer(
                f"{path}.p",
                _DROPOUT,
                lambda module=module: module.p,
                lambda value, module=module: setattr(module, "p", float(value)),
                path.partition(".")[0],
            )


def named(name: str, known: Container[str]) -> str:
    """Return the full name of what a short one means: ``lr`` is the first objective's."""
    return name if name in known or f"optimizer.{name}" not in known else f"optimizer.{name}"
