"""What the layers of augmentation that follow the data make of some rows, without a model or a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from engine.compiler.meta import evaluate
from engine.compiler.resolve import Resolution
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.graph.modes import active

CATEGORY = "Augmentation"
"""Of layers that act while training alone, have one input and one output, and keep its shape."""


def augmentations(document: Document, data: str, until: str = "") -> dict[str, tuple[str, ...]]:
    """Return the layers of augmentation that follow each field of a data node, one after the other.

    Of several branches it is the one that leads to the node ``until``, else the longest. What is muted or
    bypassed is left out.
    """
    document = active(document)
    chains: dict[str, tuple[str, ...]] = {}

    def longer(port: str, chain: tuple[str, ...]) -> None:
        best = chains.get(port, ())
        if (until in chain, len(chain)) > (until in best, len(best)):
            chains[port] = chain

    edges = document.edges.items()
    waiting = [(target.node, source.port, ()) for target, source in edges if source.node == data]
    while waiting:
        id, port, before = waiting.pop()
        if not _augments(document, id):
            continue
        chain = (*before, id)
        longer(port, chain)
        if id != until:
            waiting += [(target.node, port, chain) for target, source in edges if source.node == id]
    return chains


def _augments(document: Document, id: str) -> bool:
    node = document.nodes[id]
    layer = layer_of(document, node.type)
    single = len(layer.inputs) == 1 and len(layer.outputs_of(node.params)) == 1
    return layer.category == CATEGORY and single


def augmented(
    resolution: Resolution, chains: Mapping[str, tuple[str, ...]], rows: Mapping[str, np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    """Return the fields that have layers of augmentation as these leave them, while training.

    ``rows`` are samples by field. Layers that are not resolved end a chain. The random numbers come from a
    generator of their own: a run that goes on in another thread draws what it would have drawn.
    """
    found: dict[str, np.ndarray] = {}
    with torch.no_grad(), _OwnDraws(seed):
        for port, chain in chains.items():
            value = torch.from_numpy(np.array(rows[port]))
            for id in chain:
                step = resolution.steps.get(id)
                if step is None:
                    break
                names = {"a0": value, "self": _Held()}
                if step.init:
                    names["self"].layer = evaluate(step.init, {}, step.layer.source).train()
                value = evaluate(step.call.format("a0", self="self.layer"), names, step.layer.source)
            found[port] = value.numpy()
    return found


class _Held:
    """What holds a layer as a module does, while training."""

    training = True
    layer: Any = None


class _OwnDraws(TorchFunctionMode):
    """Lets what is drawn in this thread come from a generator of its own and not from torch's one for all."""

    def __init__(self, seed: int):
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function in (torch.rand, torch.randn, torch.randint, torch.randperm):
            kwargs = {"generator": self._generator, **kwargs}
        elif function in (torch.rand_like, torch.randn_like):
            draw = torch.rand if function is torch.rand_like else torch.randn
            return draw(args[0].shape, generator=self._generator, dtype=args[0].dtype)
        return function(*args, **kwargs)
