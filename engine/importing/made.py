"""Nodes to be: what calls become before they are grouped into blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from engine.importing.calls import Place
from engine.layers.params import Value


@dataclass(eq=False)
class Made:
    """A node to be: its layer, what enters it, and the weights that it brings by their names in it."""

    type: str
    params: Mapping[str, Value] = field(default_factory=dict)
    inputs: dict[str, Source] = field(default_factory=dict)
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    places: tuple[Place, ...] = ()
    path: str = ""
    id: str = ""
    share: Made | None = None
    custom: str = ""
    call: str = ""


@dataclass(frozen=True, eq=False)
class Source:
    """An output of a node to be."""

    made: Made
    port: str


Value_ = Source | tuple["Value_", ...]


@dataclass
class Lowered:
    """The nodes of a network in order, what it returns, and the sources of its custom layers."""

    nodes: list[Made] = field(default_factory=list)
    outputs: dict[str, Source] = field(default_factory=dict)
    customs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
