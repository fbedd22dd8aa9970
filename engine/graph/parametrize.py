"""Numbers in a block that may vary: offered as its parameters, with formulas for their multiples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.errors import EditError, shown
from engine.graph.blocks import ROLE, layer_of, with_block
from engine.graph.document import Block, Document, Node, frozen
from engine.graph.names import is_param_name
from engine.layers.declaration import Layer
from engine.layers.formula import Formula
from engine.layers.params import Param

_WIDTHS = frozenset({"channels", "features", "hidden", "embedding", "feedforward", "width"})
"""What counts features: these numbers follow each other through a network, and their multiples with them."""


class Place(NamedTuple):
    """A parameter of a node in which a number stands; it is ``times`` the number of the candidate."""

    node: str
    param: str
    times: int = 1


@dataclass(frozen=True)
class Candidate:
    """A number that may vary, a free ``name`` for it, the places where it stands, and its multiples."""

    number: int
    name: str
    places: tuple[Place, ...]
    multiples: tuple[Place, ...] = ()


def candidates(document: Document, block: str) -> list[Candidate]:
    """Return the numbers in a block that can become its parameters, those of many places first.

    These are sizes that somebody chose: whole numbers above zero that differ from a default of torch, or have
    none.
    """
    found: dict[tuple[str, int], list[Place]] = {}
    for node in document.blocks[block].nodes.values():
        for param, number in numbers_of(layer_of(document, node.type), node).items():
            found.setdefault((family(param), number), []).append(Place(node.id, param))
    taken = document.blocks[block].params
    made = [
        Candidate(number, free_name(places[0].param, taken), tuple(places), _multiples(kind, number, found))
        for (kind, number), places in found.items()
    ]
    return sorted(made, key=lambda each: (stem(each.places[0].param) not in _WIDTHS, -len(each.places)))


def numbers_of(layer: Layer, node: Node) -> dict[str, int]:
    """Return the sizes that were chosen for a node, by parameter."""
    texts = layer.init + layer.call
    values = layer.values(node.params)
    return {
        param.name: values[param.name]
        for param in layer.params
        if is_size(layer, param, values[param.name])
        and (param.name in node.params or f"{{{param.name}}}" in texts)
        and values[param.name] > 0
    }


def is_size(layer: Layer, param: Param, value: object) -> bool:
    """Return whether a value is a whole number that counts something, not an index or an axis."""
    if not param.formulas or type(value) is not int:
        return False
    return layer.role == ROLE or (param.min is not None and param.min >= 0)


def stem(param: str) -> str:
    """Return what a parameter counts: ``out_channels`` are channels, ``kernel_size`` that of a kernel."""
    name = param.removeprefix("out_").removeprefix("num_").removeprefix("dim_")
    return name.removesuffix("_size").removesuffix("_dim") or param


def family(param: str) -> str:
    """Return the name that parameters share whose equal numbers are probably one and the same."""
    return "width" if stem(param) in _WIDTHS else stem(param)


def free_name(param: str, taken: Iterable[str]) -> str:
    """Return a name for a block's parameter that stands for one of a node."""
    wanted = {"repeat": "depth", "nhead": "heads"}.get(param, stem(param))
    wanted = wanted if is_param_name(wanted) else param
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def _multiples(kind: str, number: int, found: Mapping[tuple[str, int], list[Place]]) -> tuple[Place, ...]:
    if kind != "width" or number < 2:
        return ()
    return tuple(
        place._replace(times=other // number)
        for (each, other), places in found.items()
        if each == kind and other > number and other % number == 0
        for place in places
    )


def make_parameter(
    document: Document, block: str, candidate: Candidate, name: str = "", multiples: bool = True
) -> Document:
    """Return the document with a number of a block as its parameter, and formulas where it stood.

    The number is the default, so that every use stays as it is. With ``multiples`` their places become
    formulas too, such as ``channels * 4``. Raises EditError for a name that is taken or no identifier, and
    where the number does not stand any more.
    """
    name = name or candidate.name
    before = document.blocks[block]
    if not is_param_name(name):
        raise EditError(f"{shown(name)} cannot name a parameter: use letters, digits and _.")
    if name in before.params:
        raise EditError(f"{block} has a parameter {name} already.")
    nodes = dict(before.nodes)
    for place in candidate.places + (candidate.multiples if multiples else ()):
        node = nodes.get(place.node)
        wanted = candidate.number * place.times
        if node is None or layer_of(document, node.type).values(node.params).get(place.param) != wanted:
            raise EditError(f"{place.node} in {block} has not {wanted} any more.", place.node)
        formula = Formula(name) if place.times == 1 else Formula(name) * place.times
        nodes[node.id] = replace(node, params=frozen({**node.params, place.param: formula}))
    params = frozen({**before.params, name: candidate.number})
    return with_block(document, replace(before, params=params, nodes=frozen(nodes)))


def places_in_words(document: Document, block: Block, places: Iterable[Place]) -> str:
    """Return where a number stands: ``conv1, conv2 filters; pool stride``."""
    by_title: dict[str, list[str]] = {}
    for place in places:
        node = block.nodes[place.node]
        param = layer_of(document, node.type).param(place.param)
        title = param.title.lower() if param else place.param
        by_title.setdefault(title, []).append(node.title)
    return "; ".join(f"{', '.join(nodes)} {title}" for title, nodes in by_title.items())
