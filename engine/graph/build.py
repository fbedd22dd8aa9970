"""A short way to write a document down: for presets and tests."""

from __future__ import annotations

from typing import Any

from engine import catalogue
from engine.errors import EditError
from engine.graph import edits
from engine.graph.document import Document, Objective, Point, Slot, Training, frozen
from engine.graph.layout import layout
from engine.optimizers import check_optimizer


class Ref(Slot):
    """An output that ``Builder.add`` returned; ``ref["cell"]`` is another output of the same node."""

    def __getitem__(self, port: Any) -> Any:
        return Ref(self.node, port) if isinstance(port, str) else super().__getitem__(port)


class Builder:
    """Adds nodes and edges to a document, one call for each node."""

    def __init__(self, name: str = "Untitled", notes: str = ""):
        self._document = Document(name=name, notes=notes)
        self._placed: set[str] = set()

    def add(self, type_: str, *inputs: Slot, id: str = "", at: Point | None = None, **params: Any) -> Ref:
        """Add a node that reads ``inputs`` in the order of its ports, and return its first output."""
        self._document, id = edits.add_node(self._document, type_, params, at or (0.0, 0.0), id)
        if at is not None:
            self._placed.add(id)
        layer = catalogue.layer(type_)
        ports = layer.inputs
        names = [f"{ports[0].name}.{n}" for n in range(len(inputs))] if ports and ports[0].variadic else None
        names = names or [port.name for port in ports]
        if len(inputs) > len(names):
            raise EditError(f"{type_} has {len(names)} inputs, {len(inputs)} were given.", id)
        for name, source in zip(names, inputs, strict=False):
            self._document = edits.connect(self._document, Slot(*source), Slot(id, name))
        outputs = layer.outputs_of(self._document.nodes[id].params)
        return Ref(id, outputs[0].name if outputs else "")

    def train(
        self, optimizer: str = "Adam", *, epochs: int, batch_size: int, seed: int = 0, **options: Any
    ) -> None:
        """Set how the document is trained; ``options`` are the optimizer's."""
        objective = Objective(optimizer=optimizer, options=frozen(check_optimizer(optimizer, options)))
        self._document = self._document.with_(
            training=Training(epochs, batch_size, seed, "auto", (objective,))
        )

    def document(self) -> Document:
        """Return the document; nodes that were not placed by hand are laid out."""
        places = {id: at for id, at in layout(self._document).items() if id not in self._placed}
        return edits.move(self._document, places)
