"""The files and folders that a document reads, and the same document where they lie elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.graph.blocks import layer_of
from engine.graph.document import Document, frozen
from engine.graph.modes import active
from engine.layers.params import File


@dataclass(frozen=True)
class Needed:
    """A file or a folder that a node's parameter names; ``path`` is absolute.

    ``node`` is empty for the weights that the training begins with.
    """

    node: str
    param: str
    path: Path


def needed_files(document: Document) -> tuple[Needed, ...]:
    """Return what must be there for the document to be trained, in the order of its nodes."""
    found = [
        Needed(node.id, param.name, _absolute(str(node.params[param.name])))
        for node in active(document).nodes.values()
        for param in layer_of(document, node.type).params
        if isinstance(param, File) and node.params.get(param.name)
    ]
    if document.training.weights:
        found.append(Needed("", "weights", _absolute(document.training.weights)))
    return tuple(found)


def with_files(document: Document, places: Mapping[Needed, str]) -> Document:
    """Return the document with other paths for what it needs."""
    nodes, training = dict(document.nodes), document.training
    for needed, path in places.items():
        if not needed.node:
            training = replace(training, weights=path)
            continue
        node = nodes[needed.node]
        nodes[needed.node] = replace(node, params=frozen({**node.params, needed.param: path}))
    return document.with_(nodes=frozen(nodes), training=training)


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
