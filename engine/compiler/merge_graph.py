"""One graph of a document and its class in the old and the new text: what differs is done to the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from engine.compiler.drawing import Drawing, DrawnNode
from engine.compiler.plan import Plan
from engine.errors import EngineError, ReadError
from engine.graph import edits
from engine.graph.blocks import ends_of, layer_of
from engine.graph.document import Block, Document, Node, Point, Slot
from engine.graph.layout import COLUMN, LANE
from engine.graph.links import inherited
from engine.graph.named import renamed
from engine.graph.rules import check_ports

Lines = Mapping[int, str]
"""Which node wrote a line of the old text: ``conv1``, in a block ``Bottleneck/conv1``."""


@dataclass
class GraphMerge:
    """One graph of the document, and what its class drew before and draws now."""

    graph: Document
    old: Drawing
    new: Drawing
    lines: Lines
    path: str
    ports: Mapping[str, tuple[dict[str, str], dict[str, str]]]
    ids: dict[str, str] = field(default_factory=dict)
    """The document's ids of the nodes that the new text draws."""
    was: dict[str, str] = field(default_factory=dict)
    """The document's ids of the nodes that the old text drew."""
    added: list[str] = field(default_factory=list)
    new_ports: dict[str, str] = field(default_factory=dict)
    old_ports: dict[str, str] = field(default_factory=dict)

    # --- who is who -----------------------------------------------------------------------------------------

    def _identify(self) -> dict[str, str]:
        """Find the document's node for each that was drawn; return the old drawing's for the new one's."""
        for id, drawn in self.old.nodes.items():
            path = self.lines.get(drawn.line, "")
            found = path.removeprefix(self.path) if path.startswith(self.path) else ""
            self.was[id] = found if found in self.graph.nodes else id
        before, after = list(self.old.nodes.values()), list(self.new.nodes.values())
        matches = SequenceMatcher(None, [*map(_key, before)], [*map(_key, after)], autojunk=False)
        same: dict[str, str] = {}
        renamed: dict[str, str] = {}
        for kind, a, b, c, d in matches.get_opcodes():
            if kind == "equal":
                same.update((y.id, x.id) for x, y in zip(before[a:b], after[c:d], strict=True))
            elif kind == "replace":  # another type or another name at the same place
                gone = [x for x in before[a:b] if not any(_owns(y, x) for y in after)]
                came = [y for y in after[c:d] if not any(_owns(y, x) for x in before)]
                for x, y in _pairs(gone, came):
                    renamed[y.id] = x.id
        for y in after:  # the same attribute elsewhere, or of another type
            found = next((x.id for x in before if _owns(y, x)), "")
            if found:
                same[y.id] = found
                renamed.pop(y.id, None)
        for y, x in renamed.items():
            if self._rename(self.was[x], y):  # else another has that name: one goes, another comes
                self.was[x] = y
                same[y] = x
        return same

    def _rename(self, id: str, wanted: str) -> bool:
        """Give a node another id; return whether it has it, because it may be another's."""
        if id == wanted or wanted in self.graph.nodes or id not in self.graph.nodes:
            return id == wanted

        def slot(each: Slot) -> Slot:
            return Slot(wanted, each.port) if each.node == id else each

        nodes = {}
        for each, node in self.graph.nodes.items():
            share = node.share and replace(
                node.share, node=wanted if node.share.node == id else node.share.node
            )
            key = wanted if each == id else each
            nodes[key] = replace(node, id=key, share=share)
        edges = {slot(target): slot(source) for target, source in self.graph.edges.items()}
        training = renamed(self.graph.training, lambda each: wanted if each == id else each)
        self.graph = self.graph.with_(nodes=nodes, edges=edges, training=training)
        return True

    # --- nodes ----------------------------------------------------------------------------------------------

    def _nodes(self) -> None:
        same = self._identify()
        graph = self.graph
        gone = {self.was[id] for id in self.old.nodes} - {self.was[id] for id in same.values()}
        kept = {id: node for id, node in graph.nodes.items() if id not in gone}
        taken = set(kept)
        for id in self.new.nodes:
            if id in same:
                self.ids[id] = self.was[same[id]]
        for id, drawn in self.new.nodes.items():
            if id not in self.ids:
                if id in taken and drawn.attribute:
                    raise ReadError(f"{id} is the name of another node: choose another one.", drawn.made)
                prefix = layer_of(graph, drawn.type).prefix or drawn.type.lower()
                self.ids[id] = id if id not in taken else _free(taken, prefix)
                taken.add(self.ids[id])
        self.graph = graph.with_(nodes=inherited(graph.nodes, kept))
        made: dict[str, Node] = {}
        for id, drawn in self.new.nodes.items():
            own = self.ids[id]
            old = self.old.nodes[same[id]] if id in same else None
            made[own] = self._node(own, drawn, old, self.graph.nodes.get(own))
        order = list(self.graph.nodes)
        place = len(order)
        for own in made:
            if own in order:
                place = order.index(own) + 1
            else:
                order.insert(place, own)
                place += 1
        every = {**self.graph.nodes, **made}
        self.graph = self.graph.with_(nodes={id: every[id] for id in order})
        self.added = [own for own in made if own not in kept]

    def _node(self, id: str, drawn: DrawnNode, old: DrawnNode | None, node: Node | None) -> Node:
        layer = layer_of(self.graph, drawn.type)
        try:
            if old is None or node is None or old.type != drawn.type:
                made = edits.checked_node(layer, id, drawn.params)
                if node:
                    made = replace(made, name=node.name, position=node.position, collapsed=node.collapsed)
            elif layer.values(old.params) != layer.values(drawn.params):
                was, now = layer.values(old.params), layer.values(drawn.params)
                changed = {name: now[name] for name in now if now[name] != was[name]}
                made = replace(node, params=edits.checked_node(layer, id, {**node.params, **changed}).params)
            else:
                made = node
        except EngineError as error:
            raise ReadError(error.message, drawn.made or drawn.line) from None
        if old is None or old.share != drawn.share:
            share = drawn.share and replace(
                drawn.share, node=self.ids.get(drawn.share.node, drawn.share.node)
            )
            made = replace(made, share=share)
        return made

    # --- edges ----------------------------------------------------------------------------------------------

    def _slot(
        self, drawing: Drawing, ids: Mapping[str, str], arguments: Mapping[str, Slot], slot: Slot
    ) -> Slot:
        """Return the document's slot for one of a drawing."""
        if slot in arguments:
            return arguments[slot]
        node = drawing.nodes[slot.node]
        names = self.ports.get(node.type, ({}, {}))[0 if drawing is self.new else 1]
        return Slot(ids[slot.node], names.get(slot.port, slot.port))

    def _edges(self, old: Mapping[Slot, Slot], new: Mapping[Slot, Slot]) -> None:
        """Do to the edges what happened between the drawings; ``old`` and ``new`` are their arguments."""
        before = {
            self._slot(self.old, self.was, old, t): self._slot(self.old, self.was, old, s)
            for t, s in self.old.edges.items()
        }
        after = {
            self._slot(self.new, self.ids, new, t): self._slot(self.new, self.ids, new, s)
            for t, s in self.new.edges.items()
        }
        nodes = self.graph.nodes
        edges = {t: s for t, s in self.graph.edges.items() if t.node in nodes and s.node in nodes}
        for target, source in before.items():
            if after.get(target) != source and edges.get(target) == source:
                del edges[target]
        for target, source in after.items():
            if before.get(target) != source or target.node in self.added:
                check_ports(self.graph, source, target)
                edges[target] = source
        self.graph = self.graph.with_(edges=edges)

    # --- the model ------------------------------------------------------------------------------------------

    def model(self, plan: Plan) -> Document:
        """Return the whole document as the new text says."""
        self._nodes()
        known = {name: slot for slot, name in {**plan.fields, **plan.arguments}.items()}
        old = {slot: known[name] for name, slot in self.old.arguments.items() if name in known}
        new = self._arguments(known)
        self._edges(old, new)
        self._outputs(old, new)
        self._place()
        return self.graph

    def _arguments(self, known: Mapping[str, Slot]) -> dict[Slot, Slot]:
        """Return the document's source for each argument of the new text; new ones become Input nodes."""
        graph = self.graph
        data = {
            port.name: Slot(id, port.name)
            for id, node in graph.nodes.items()
            if layer_of(graph, node.type).role == "data"
            for port in layer_of(graph, node.type).outputs_of(node.params)
        }
        gone = [n for n in self.old.arguments if n not in self.new.arguments and n in known and n not in data]
        found: dict[Slot, Slot] = {}
        for name, slot in self.new.arguments.items():
            source = known.get(name) or data.get(name)
            if source is None and data:
                raise ReadError(f"{name} is no field of the data: there are {', '.join(data)}.")
            if (
                source is None
                and gone
                and layer_of(graph, graph.nodes[known[gone[0]].node].type).role == "input"
            ):
                self._rename(known[gone.pop(0)].node, name)
                source = Slot(name, "y")
                graph = self.graph
            elif source is None:
                node = graph.nodes.get(name)
                if node is None:
                    graph, _ = edits.add_node(graph, "Input", id=name)
                    self.added.append(name)
                source = Slot(name, "y")
            found[slot] = source
        for name in gone:
            id = known[name].node
            if id in graph.nodes and graph.nodes[id].type == "Input":
                graph = edits.delete(graph, [id])
        self.graph = graph
        return found

    def _outputs(self, old: Mapping[Slot, Slot], new: Mapping[Slot, Slot]) -> None:
        """Move the Output nodes to what the new text returns."""
        was = [(label, self._slot(self.old, self.was, old, slot)) for label, slot in self.old.outputs]
        now = [(label, self._slot(self.new, self.ids, new, slot)) for label, slot in self.new.outputs]
        marks = [t.node for t in self.graph.edges if self.graph.nodes[t.node].type == "Output"]
        marked = {slot: [t.node for t, s in self._marks() if s == slot] for _, slot in was}
        lost = {id for id, node in self.graph.nodes.items() if node.type == "Output"} - set(marks)
        matched = _matched([label for label, _ in was], [label for label, _ in now])
        read = {s for t, s in self.graph.edges.items() if t.node in {self.ids[n] for n in self.new.losses}}
        was_read = {
            self._slot(self.old, self.was, old, s)
            for t, s in self.old.edges.items()
            if t.node in self.old.losses
        }
        for place, (label, slot) in enumerate(now):
            before = matched.get(place)
            source = was[before][1] if before is not None else None
            if source == slot:
                if slot in was_read and slot not in read and not marked.get(slot):
                    self._mark(label, slot)  # the loss that read it is gone, but it is returned still
                continue
            ids = marked.get(source, []) if source is not None else []
            if not ids and source is not None and source.node not in self.graph.nodes:
                ids = sorted(lost)[:1]  # what it read is gone
            edges = dict(self.graph.edges)
            for id in ids:
                lost.discard(id)
                edges[Slot(id, "x")] = slot
            self.graph = self.graph.with_(edges=edges)
            if not ids and slot not in read and slot.node not in old.values():
                self._mark(label, slot)
        for place in set(range(len(was))) - set(matched.values()):
            gone = [id for id in marked[was[place][1]] if id in self.graph.nodes]
            self.graph = edits.delete(self.graph, gone) if gone else self.graph

    def _marks(self) -> list[tuple[Slot, Slot]]:
        return [(t, s) for t, s in self.graph.edges.items() if self.graph.nodes[t.node].type == "Output"]

    def _mark(self, label: str, slot: Slot) -> None:
        """Add an Output node where the document needs one to return a tensor."""
        ends = {t.node for t, _ in self._marks()} | {self.ids[n] for n in self.new.losses}
        read = slot in self.graph.edges.values()
        if not ends and not read and len(self.new.outputs) == 1:
            return
        named = label and label not in self.graph.nodes and label != slot.node
        graph, id = edits.add_node(
            self.graph, "Output", id=label if named else edits.free_id(self.graph, "output")
        )
        self.graph = edits.connect(graph, slot, Slot(id, "x"))
        self.added.append(id)

    # --- a block --------------------------------------------------------------------------------------------

    def block(self, block: Block) -> Document:
        """Return the inside of a block as the new text says; its ports may have changed."""
        ends = list(dict.fromkeys(ends_of(block).values()))
        exits = [next(port for port, s in ends_of(block).items() if s == end) for end in ends]
        self.old_ports = dict(zip([label for label, _ in self.old.outputs], exits, strict=False))
        self._nodes()
        entries = dict(zip(self.old.arguments, self.new.arguments, strict=False))
        old = {slot: Slot(slot.node, "y") for slot in self.old.arguments.values()}
        if len(self.old.arguments) == len(self.new.arguments):
            for was, now in entries.items():
                if was not in self.new.arguments and self._rename(was, now):
                    old[self.old.arguments[was]] = Slot(now, "y")
        for name in self.new.arguments:
            if name not in self.graph.nodes:
                self.graph, _ = edits.add_node(self.graph, "Input", id=name)
                self.added.append(name)
        new = {slot: Slot(slot.node, "y") for slot in self.new.arguments.values()}
        self._edges(old, new)
        gone = [s.node for s in old.values() if s not in new.values() and s.node in self.graph.nodes]
        self.graph = edits.delete(self.graph, gone)
        edges = dict(self.graph.edges)
        for place, (label, slot) in enumerate(self.new.outputs):
            if place < len(exits):
                id = exits[place]
            else:
                self.graph, id = edits.add_node(self.graph, "Output", id=edits.free_id(self.graph, "output"))
                self.added.append(id)
            self.new_ports[label] = id
            was = self.old.outputs[place][1] if place < len(self.old.outputs) else None
            source = self._slot(self.new, self.ids, new, slot)
            if was is None or self._slot(self.old, self.was, old, was) != source:
                edges[Slot(id, "x")] = source
        self.graph = self.graph.with_(edges=edges)
        surplus = [id for id in exits[len(self.new.outputs) :] if id in self.graph.nodes]
        self.graph = edits.delete(self.graph, surplus) if surplus else self.graph
        self._place()
        return self.graph

    # --- places ---------------------------------------------------------------------------------------------

    def _place(self) -> None:
        """Put new nodes between their neighbors, where nobody stands."""
        waiting = [id for id in self.added if id in self.graph.nodes]
        placed = {id: node.position for id, node in self.graph.nodes.items() if id not in waiting}
        for id in waiting:
            left = [placed[s.node] for t, s in self.graph.edges.items() if t.node == id and s.node in placed]
            right = [placed[t.node] for t, s in self.graph.edges.items() if s.node == id and t.node in placed]
            placed[id] = _spot(left, right, placed)
        self.graph = edits.move(self.graph, {id: placed[id] for id in waiting})


def _key(node: DrawnNode) -> tuple[str, str]:
    return node.attribute or (node.share.node if node.share else ""), node.type


def _owns(a: DrawnNode, b: DrawnNode) -> bool:
    return bool(a.attribute) and a.attribute == b.attribute


def _pairs(gone: list[DrawnNode], came: list[DrawnNode]) -> list[tuple[DrawnNode, DrawnNode]]:
    """Pair what went with what came: those of one type first, then the rest if as many are left."""
    pairs = []
    for x in gone:
        y = next((y for y in came if y.type == x.type and bool(y.attribute) == bool(x.attribute)), None)
        if y is not None:
            came = [each for each in came if each is not y]
            pairs.append((x, y))
    left = [x for x in gone if x not in [pair[0] for pair in pairs]]
    return pairs + (list(zip(left, came, strict=True)) if len(left) == len(came) else [])


def _matched(was: list[str], now: list[str]) -> dict[int, int]:
    """Return the place that each result had: by its name, and by its place if there are as many."""
    if len(was) == len(now):
        return {place: place for place in range(len(now))}
    return {place: was.index(label) for place, label in enumerate(now) if label in was}


def _free(taken: set[str], prefix: str) -> str:
    count = 1
    while f"{prefix}{count}" in taken:
        count += 1
    return f"{prefix}{count}"


def _spot(left: list[Point], right: list[Point], placed: Mapping[str, Point]) -> Point:
    """Return a free place near the middle of a node's neighbors: there, or below, or above."""
    near = [*left, *right] or list(placed.values())[-1:]
    if not near:
        return (0.0, 0.0)
    x = sum(p[0] for p in near) / len(near)
    y = sum(p[1] for p in near) / len(near)
    if not right:
        x += COLUMN
    elif not left:
        x -= COLUMN
    shifts = sorted(
        ((dx, dy) for dx in (0, 1, -1, 2) for dy in range(-6, 7)),
        key=lambda s: abs(s[0]) * 2 + abs(s[1]) - (s[1] > 0) * 0.5,
    )
    for dx, dy in shifts:
        spot = (x + dx * COLUMN / 2, y + dy * LANE)
        if all(
            abs(spot[0] - p[0]) >= COLUMN * 0.9 or abs(spot[1] - p[1]) >= LANE * 0.8 for p in placed.values()
        ):
            return spot
    return (x, max(p[1] for p in placed.values()) + LANE)
