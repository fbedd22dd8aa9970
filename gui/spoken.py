"""Words that are spoken: what a node is, for whoever does not see it."""

from __future__ import annotations

from engine.graph.blocks import layer_of
from engine.graph.document import Slot
from gui.bench import Bench
from gui.panels.words import plural


def node_words(bench: Bench, id: str, state: bool = True, problems: int | None = None) -> str:
    """Return what is said of a node: ``conv1, Conv2d, N 6 28 28, selected, 1 problem``.

    Where a list tells by itself what is selected, ``state`` is false; ``problems`` is their count, if known.
    """
    document = bench.store.document
    node = document.nodes[id]
    layer = layer_of(document, node.type)
    found = (bench.analysis.types.get(Slot(id, port.name)) for port in layer.outputs_of(node.params))
    parts = [node.title, layer.label]
    parts += [" ".join(str(size) for size in tensor.shape) for tensor in found if tensor is not None]
    if node.learning.frozen:
        parts.append("frozen")
    if state and id in bench.store.selection:
        parts.append("selected")
    count = len(bench.analysis.problems_of(id)) if problems is None else problems
    if count:
        parts.append(plural(count, "problem"))
    return ", ".join(parts)
