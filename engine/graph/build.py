"""A short way to write a document down: for presets and tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.errors import EditError
from engine.graph import edits, marks
from engine.graph.blocks import inside, layer_of, outside, with_block
from engine.graph.document import Block, Document, Objective, Point, Slot, frozen
from engine.graph.layout import SIZE, layout
from engine.graph.settings import set_init, set_schedule
from engine.layers.formula import Formula
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
        self._notes: list[tuple[str, Point | None, float, str]] = []
        self._frames: list[tuple[str, list[str], str, str]] = []

    def again(
        self, owner: Slot, *inputs: Slot, id: str = "", follow: str = "", amount: float | None = None
    ) -> Ref:
        """Call a node's layer once more with other ``inputs``, or a copy that follows it; see ``Share``."""
        made = self.add(self._document.nodes[owner.node].type, *inputs, id=id)
        self._document = edits.share(self._document, made.node, owner.node, follow, amount)
        return made

    def add(self, type_: str, *inputs: Slot, id: str = "", at: Point | None = None, **params: Any) -> Ref:
        """Add a node that reads ``inputs`` in the order of its ports, and return its first output."""
        self._document, id = edits.add_node(self._document, type_, params, at or (0.0, 0.0), id)
        if at is not None:
            self._placed.add(id)
        layer = layer_of(self._document, type_)
        ports = layer.inputs
        names = [f"{ports[0].name}.{n}" for n in range(len(inputs))] if ports and ports[0].variadic else None
        names = names or [port.name for port in ports]
        if len(inputs) > len(names):
            raise EditError(f"{type_} has {len(names)} inputs, {len(inputs)} were given.", id)
        for name, source in zip(names, inputs, strict=False):
            self._document = edits.connect(self._document, Slot(*source), Slot(id, name))
        outputs = layer.outputs_of(self._document.nodes[id].params)
        return Ref(id, outputs[0].name if outputs else "")

    def block(self, name: str, notes: str = "", **params: int | None) -> BlockBuilder:
        """Begin a block with its parameters and their defaults (None where a value must be given).

        It becomes a type of this document at the end of ``with g.block(...) as b:``.
        """
        return BlockBuilder(self, Block(name, frozen(params), notes))

    def note(self, text: str, at: Point | None = None, width: float = 340.0, color: str = "gray") -> None:
        """Put a note in Markdown on the canvas; without a place it stands above the network."""
        self._notes.append((text, at, width, color))

    def frame(self, title: str, *members: Slot, text: str = "", color: str = "blue") -> None:
        """Put a frame with a title around nodes, and perhaps a line of text below the title."""
        self._frames.append((title, [each.node for each in members], text, color))

    def train(
        self, optimizer: str = "Adam", *, epochs: int, batch_size: int, seed: int = 0, **options: Any
    ) -> None:
        """Set how the document is trained; ``options`` are the optimizer's."""
        objective = Objective(optimizer=optimizer, options=frozen(check_optimizer(optimizer, options)))
        training = replace(
            self._document.training,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            objectives=(objective,),
        )
        self._document = self._document.with_(training=training)

    def schedule(self, type_: str, **options: Any) -> None:
        """Let a schedule change the learning rate; see ``SCHEDULES``. Comes after ``train``."""
        self._document = set_schedule(self._document, type_, **options)

    def begin(self, type_: str, *nodes: Slot, **options: Any) -> None:
        """Let the weights of some nodes begin otherwise, or of all where none is named; see ``INITS``."""
        ids = [each.node for each in nodes] or None
        self._document = set_init(self._document, ids, type_, **options)

    def document(self) -> Document:
        """Return the document; nodes that were not placed by hand are laid out."""
        places = {id: at for id, at in layout(self._document).items() if id not in self._placed}
        return self._commented(edits.move(self._document, places))

    def _commented(self, document: Document) -> Document:
        """Return the document with the notes and frames, now that the nodes stand where they stay."""
        boxes = {id: (*node.position, *SIZE) for id, node in document.nodes.items()}
        for title, members, text, color in self._frames:
            box = marks.around((boxes[id] for id in members or boxes), text)
            document, _ = marks.add_comment(document, "frame", box, title, text, color)
        taken = [*boxes.values(), *(each.box for each in document.comments.values())]
        left, top = (min((box[axis] for box in taken), default=0.0) for axis in (0, 1))
        heights = [marks.height_of(text, width) for text, _, width, _ in self._notes]
        in_row = (height for height, (_, at, _, _) in zip(heights, self._notes, strict=True) if not at)
        top -= max(in_row, default=0.0) + 2 * marks.PAD  # twice: the heights are only about right
        for height, (text, at, width, color) in zip(heights, self._notes, strict=True):
            x, y = at or (left, top)
            document, _ = marks.add_comment(document, "note", (x, y, width, height), "", text, color)
            left += 0.0 if at else width + marks.PAD
        return document


class BlockBuilder(Builder):
    """Adds nodes and edges to a block; ``b["channels"]`` is a parameter to compute with."""

    def __init__(self, outer: Builder, block: Block):
        super().__init__()
        self._outer = outer
        self._name = block.name
        self._params = block.params
        self._document = inside(with_block(outer._document, block), block.name)

    def __enter__(self) -> BlockBuilder:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._outer._document = outside(self._outer._document, self._name, self.document())

    def __getitem__(self, param: str) -> Formula:
        if param not in self._params:
            raise EditError(f"{self._name} has no parameter {param!r}.")
        return Formula(param)

    def input(self, id: str = "input") -> Ref:
        """Add an input port and return it."""
        return self.add("Input", id=id)

    def output(self, source: Slot, id: str = "output") -> None:
        """Add an output port."""
        self.add("Output", source, id=id)
