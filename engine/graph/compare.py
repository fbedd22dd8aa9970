"""Two documents beside each other: which node of one is which of the other, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher

from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.changes import value_changes
from engine.graph.document import Block, Document, Node, Objective, Slot, Training, frozen
from engine.graph.settings import OBJECTIVE
from engine.graph.view import order_of

ADDED, REMOVED, CHANGED = "+", "-", "~"
_LABELS = {"": "on", "muted": "muted", "bypassed": "bypassed"}


@dataclass(frozen=True)
class Item:
    """One difference: its sign, what it is in words, and the node that it is about in each document.

    ``before`` and ``after`` are ids, empty where there is none; ``block`` is the block that it is inside of.
    """

    sign: str
    text: str
    before: str = ""
    after: str = ""
    block: str = ""


@dataclass(frozen=True)
class Comparison:
    """What turns one document into another.

    ``pairs`` maps the nodes of the first to those of the second that they are; ``signs_before`` and
    ``signs_after`` hold the sign of every node that differs; ``links_removed`` and ``links_added`` are the
    slots whose links are only in the first or only in the second.
    """

    pairs: Mapping[str, str] = field(default_factory=frozen)
    items: tuple[Item, ...] = ()
    signs_before: Mapping[str, str] = field(default_factory=frozen)
    signs_after: Mapping[str, str] = field(default_factory=frozen)
    links_removed: frozenset[Slot] = frozenset()
    links_added: frozenset[Slot] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.items)


def pairs_of(before: Document, after: Document) -> dict[str, str]:
    """Return which node is which: by id and type, else by likeness in the order of the data's way.

    Of nodes with other ids those are taken first that have the same type, settings and name, then those of
    the same type between the same neighbors in that order; what is left may be the same id of another type.
    """
    pairs = {id: id for id, node in before.nodes.items() if _type(after, id) == node.type}
    for key in (_content, lambda node: (node.type,)):
        pairs |= _aligned(before, after, pairs, key)
    taken = set(pairs.values())
    left = (id for id in before.nodes if id in after.nodes and id not in pairs and id not in taken)
    return pairs | {id: id for id in left}


def compare(before: Document, after: Document) -> Comparison:
    """Return what differs between two documents, in the order in which the data goes through the second."""
    pairs = pairs_of(before, after)
    back = {new: old for old, new in pairs.items()}
    items: list[Item] = []
    if before.name != after.name:
        items.append(Item(CHANGED, f"called “{after.name}” instead of “{before.name}”"))
    signs_before: dict[str, str] = {}
    signs_after: dict[str, str] = {}
    links_removed, links_added = _links(before.edges, after.edges, pairs, back)
    for id in _order(after):
        node = after.nodes[id]
        old = before.nodes.get(back.get(id, ""))
        if old is None:
            items.append(Item(ADDED, f"{_named(after, node)}", after=id))
            signs_after[id] = ADDED
            continue
        words = [*_node_words(before, after, old, node)]
        words += _wired(before, after, old.id, id, links_removed, links_added, pairs, back)
        if words:
            items.append(Item(CHANGED, f"{node.title}: {'; '.join(words)}", old.id, id))
            signs_before[old.id] = signs_after[id] = CHANGED
    for id in _order(before):
        if id not in pairs:
            items.append(Item(REMOVED, f"{_named(before, before.nodes[id])}", before=id))
            signs_before[id] = REMOVED
    items += _blocks(before, after, pairs)
    items += [Item(CHANGED, text) for text in _training(before.training, after.training)]
    return Comparison(
        frozen(pairs), tuple(items), frozen(signs_before), frozen(signs_after), links_removed, links_added
    )


# -- which is which -------------------------------------------------------------------------------------


def _type(document: Document, id: str) -> str:
    return document.nodes[id].type if id in document.nodes else ""


def _content(node: Node) -> tuple:
    return node.type, tuple(sorted(node.params.items(), key=str)), node.name


def _order(graph: Document) -> Sequence[str]:
    try:
        return order_of(graph)
    except EngineError:  # a cycle: the order in which they were added
        return list(graph.nodes)


def _aligned(before: Document, after: Document, pairs: Mapping[str, str], key: object) -> dict[str, str]:
    """Return pairs among the nodes that have none, found by laying both orders over each other."""
    numbers = {new: n for n, new in enumerate(pairs.values())}
    first, second = _order(before), _order(after)
    ours = [numbers[pairs[id]] if id in pairs else key(before.nodes[id]) for id in first]
    theirs = [numbers[id] if id in numbers else key(after.nodes[id]) for id in second]
    matcher = SequenceMatcher(None, [str(each) for each in ours], [str(each) for each in theirs], False)
    return {
        first[a + n]: second[b + n]
        for a, b, size in matcher.get_matching_blocks()
        for n in range(size)
        if first[a + n] not in pairs and second[b + n] not in numbers
    }


# -- in words -------------------------------------------------------------------------------------------


def _named(document: Document, node: Node) -> str:
    label = layer_of(document, node.type).label
    return node.title if node.title == label else f"{node.title} ({label})"


def _node_words(before: Document, after: Document, old: Node, node: Node) -> Iterator[str]:
    if old.title != node.title:
        yield f"called {old.title} before"
    if old.type != node.type:
        yield f"{layer_of(before, old.type).label} → {layer_of(after, node.type).label}"
    else:
        yield from value_changes(before, after, old, node)
    if old.share != node.share:
        yield f"shares the weights of {node.share.node}" if node.share else "has weights of its own"
    if old.mode != node.mode:
        yield f"{_LABELS.get(old.mode, old.mode)} → {_LABELS.get(node.mode, node.mode)}"


def _links(
    was: Mapping[Slot, Slot], now: Mapping[Slot, Slot], pairs: Mapping[str, str], back: Mapping[str, str]
) -> tuple[frozenset[Slot], frozenset[Slot]]:
    """Return the slots of links that are only before, and only after."""

    def only(ours: Mapping[Slot, Slot], theirs: Mapping[Slot, Slot], there: Mapping[str, str]) -> frozenset:
        return frozenset(
            target
            for target, source in ours.items()
            if target.node not in there
            or source.node not in there
            or theirs.get(Slot(there[target.node], target.port)) != Slot(there[source.node], source.port)
        )

    return only(was, now, pairs), only(now, was, back)


def _wired(
    before: Document,
    after: Document,
    old: str,
    new: str,
    removed: frozenset[Slot],
    added: frozenset[Slot],
    pairs: Mapping[str, str],
    back: Mapping[str, str],
) -> Iterator[str]:
    """Tell of links into a node that is in both."""
    ports = dict.fromkeys(
        [target.port for target in before.edges if target.node == old and target in removed]
        + [target.port for target in after.edges if target.node == new and target in added]
    )
    for port in ports:
        was, now = before.edges.get(Slot(old, port)), after.edges.get(Slot(new, port))
        names = [
            graph.nodes[source.node].title if source else "nothing"
            for graph, source in ((before, was), (after, now))
        ]
        if names[0] == names[1] and was and now:  # another output of a node that has the same name
            names = [f"{name}.{source.port}" for name, source in zip(names, (was, now), strict=True)]
        yield f"{port} from {names[1]} instead of {names[0]}" if was else f"{port} from {names[1]}"


def _blocks(before: Document, after: Document, pairs: Mapping[str, str]) -> Iterator[Item]:
    """Tell what differs inside of blocks that both have, at the first node of each."""
    for name, block in after.blocks.items():
        old = before.blocks.get(name)
        if old is None or old == block:
            continue
        uses = {
            graph: next((n.id for n in g.nodes.values() if n.type == name), "")
            for graph, g in (("before", before), ("after", after))
        }
        inner = compare(_as_document(before, old), _as_document(after, block))
        for item in inner.items:
            yield Item(item.sign, f"in {name}: {item.text}", uses["before"], uses["after"], name)
        if old.params != block.params:
            yield Item(CHANGED, f"in {name}: other parameters", uses["before"], uses["after"], name)


def _as_document(document: Document, block: Block) -> Document:
    """Return a block's graph as a document, without going into blocks once more."""
    return Document(
        nodes=block.nodes,
        edges=block.edges,
        blocks=frozen({}),
        customs=document.customs,
        missing=document.missing,
    )


def _training(before: Training, after: Training) -> Iterator[str]:
    for each in fields(Training):
        was, now = getattr(before, each.name), getattr(after, each.name)
        if each.name != "objectives" and was != now:
            yield f"{each.name.replace('_', ' ')} {was or 'none'} → {now or 'none'}"
    for n, (was, now) in enumerate(zip(before.objectives, after.objectives, strict=False)):
        which = f"objective {n + 1}: " if len(after.objectives) > 1 else ""
        if was.optimizer != now.optimizer:
            yield f"{which}optimizer {was.optimizer} → {now.optimizer}"
        for name in dict.fromkeys([*was.options, *now.options]):
            if was.options.get(name) != now.options.get(name) and was.optimizer == now.optimizer:
                left, right = (o.options.get(name, "default") for o in (was, now))
                yield f"{which}{name.replace('_', ' ')} {left} → {right}"
        if was.losses != now.losses:
            yield f"{which}minimizes {_sum(now.losses)} instead of {_sum(was.losses)}"
        if was.nodes != now.nodes:
            yield f"{which}moves {', '.join(now.nodes) or 'all'} instead of {', '.join(was.nodes) or 'all'}"
        if (was.schedule, was.schedule_options) != (now.schedule, now.schedule_options):
            yield f"{which}schedule {_call(was)} → {_call(now)}"
        for rule in OBJECTIVE:
            left, right = getattr(was, rule.name), getattr(now, rule.name)
            if left != right:
                yield f"{which}{rule.title.lower()} {left} → {right}"
    if len(before.objectives) != len(after.objectives):
        yield f"{len(before.objectives)} → {len(after.objectives)} objectives"


def _sum(losses: Mapping[str, float]) -> str:
    return (
        " + ".join(id if weight == 1 else f"{weight:g} × {id}" for id, weight in losses.items())
        or "every loss"
    )


def _call(objective: Objective) -> str:
    options = ", ".join(f"{name}={value}" for name, value in objective.schedule_options.items())
    return f"{objective.schedule}({options})" if objective.schedule else "none"
