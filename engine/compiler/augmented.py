"""What the layers of augmentation that follow the data make of some rows, without a model or a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from engine.compiler.meta import evaluate, flat
from engine.compiler.resolve import Resolution
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.graph.modes import active

CATEGORY = "Augmentation"
"""Of layers that act while training alone: the first output is what becomes of the first input, and so on."""


def augmentations(document: Document, data: str, until: str = "") -> dict[str, tuple[Slot, ...]]:
    """Return what the layers of augmentation give that follow each field of a data node, one after the other.

    Of several branches it is the one that leads to the node ``until``, else the longest. What is muted or
    bypassed is left out.
    """
    document = active(document)
    edges = document.edges.items()
    chains: dict[str, tuple[Slot, ...]] = {}
    waiting = [(target, source.port, ()) for target, source in edges if source.node == data]
    while waiting:
        target, port, before = waiting.pop()
        given = _given(document, target)
        if given is None:
            continue
        chain, best = (*before, given), chains.get(port, ())
        if _rank(chain, until) > _rank(best, until):
            chains[port] = chain
        if target.node != until:
            waiting += [(after, port, chain) for after, source in edges if source == given]
    return chains


def _rank(chain: tuple[Slot, ...], until: str) -> tuple[bool, int]:
    return any(slot.node == until for slot in chain), len(chain)


def _given(document: Document, target: Slot) -> Slot | None:
    """Return the output that tells what becomes of an input, None where that is no layer of augmentation."""
    node = document.nodes[target.node]
    layer = layer_of(document, node.type)
    outputs = layer.outputs_of(node.params)
    place = next((n for n, port in enumerate(layer.inputs) if port.name == target.port), len(outputs))
    known = layer.category == CATEGORY and place < len(outputs)
    return Slot(target.node, outputs[place].name) if known else None


def augmented(
    resolution: Resolution,
    data: str,
    chains: Mapping[str, tuple[Slot, ...]],
    rows: Mapping[str, np.ndarray],
    seed: int,
) -> dict[str, np.ndarray]:
    """Return the fields of a data node that have layers of augmentation as these leave them, while training.

    ``rows`` are samples by field. Layers that are not resolved end a chain. The random numbers come from a
    generator of their own: a run that goes on in another thread draws what it would have drawn.
    """
    values = {Slot(data, port): torch.from_numpy(np.array(rows[port])) for port in chains}
    wanted = {slot.node for chain in chains.values() for slot in chain}
    with torch.no_grad(), _OwnDraws(seed):
        for id in resolution.order:
            step = resolution.steps.get(id)
            if id not in wanted or step is None or not all(slot in values for slot in step.inputs):
                continue
            names = {f"a{place}": values[slot] for place, slot in enumerate(step.inputs)}
            call = step.call.format(*names, self="self.layer")
            held = _Held()
            held.layer = evaluate(step.init, {}, step.layer.source).train() if step.init else None
            result = flat(evaluate(call, {**names, "self": held}, step.layer.source))
            values.update(zip(step.outputs, result, strict=False))
    reached = {port: [slot for slot in chain if slot in values] for port, chain in chains.items()}
    return {port: values[slots[-1]].numpy() for port, slots in reached.items() if slots}


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
