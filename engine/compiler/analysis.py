"""All that can be said about a document without running it; plain values that a window can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.graph.document import Document, Edge, Slot, frozen
from engine.layers.declaration import TensorType

if TYPE_CHECKING:
    from engine.compiler.resolve import Resolution

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Fix:
    """A mechanical mend: what its button says, and the edit that it makes."""

    title: str
    edit: Callable[[Document], Document]


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and how to mend it. An empty ``node`` means the whole document."""

    message: str
    node: str = ""
    port: str = ""
    severity: str = ERROR
    fix: Fix | None = None


@dataclass(frozen=True)
class SourceText:
    """The generated code and which lines each node wrote; lines count from 1."""

    text: str
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=frozen)

    def node_at(self, line: int) -> str | None:
        """Return the node that wrote a line, or None."""
        return next((node for node, lines in self.lines.items() if line in lines), None)


@dataclass(frozen=True)
class Memory:
    """Bytes for one sample: ``forward`` of the tensors that a node makes, ``kept`` of those for which it is
    the first to need them when the gradients are computed; None where that is not known.
    """

    forward: int = 0
    kept: int | None = 0


@dataclass(frozen=True)
class Footprint:
    """About how many bytes training takes: weights, gradients, what the optimizer remembers of them, and what
    is kept of each sample; ``unknown`` are the nodes whose share of that is not known.
    """

    weights: int = 0
    gradients: int = 0
    optimizer: int = 0
    sample: int = 0
    batch_size: int = 1
    unknown: tuple[str, ...] = ()

    @property
    def fixed(self) -> int:
        """What is needed however small the batch is."""
        return self.weights + self.gradients + self.optimizer

    @property
    def activations(self) -> int:
        """What is kept of a whole batch."""
        return self.sample * self.batch_size

    @property
    def total(self) -> int:
        """Everything together."""
        return self.fixed + self.activations


@dataclass(frozen=True)
class Analysis:
    """What ``analyze`` found out about one document.

    ``types`` holds the tensor type of every output slot that could be inferred; ``parameters``, ``macs``
    (multiply-adds for one sample) and ``memory`` are per node; ``footprint`` is what training takes;
    ``source`` is None while errors keep the model from being written down.
    """

    document: Document
    problems: tuple[Problem, ...] = ()
    types: Mapping[Slot, TensorType] = field(default_factory=frozen)
    parameters: Mapping[str, int] = field(default_factory=frozen)
    macs: Mapping[str, int] = field(default_factory=frozen)
    source: SourceText | None = None
    blocks: Mapping[str, Analysis] = field(default_factory=frozen)
    """For each block the analysis of its graph as it is first used, with the same source."""
    memory: Mapping[str, Memory] = field(default_factory=frozen)
    footprint: Footprint = Footprint()
    resolution: Resolution | None = field(default=None, compare=False, repr=False)
    """What the next analysis takes over, as far as nothing has changed."""

    def type_of(self, edge: Edge) -> TensorType | None:
        """Return the tensor type on an edge, or None where it is not known."""
        return self.types.get(edge.source)

    def problems_of(self, node: str) -> list[Problem]:
        """Return a node's problems, errors first."""
        return sorted((p for p in self.problems if p.node == node), key=lambda p: p.severity != ERROR)

    def fails(self, input: Slot) -> bool:
        """Return whether an error is about what arrives at an input."""
        return input in self._failing

    @cached_property
    def _failing(self) -> frozenset[Slot]:
        return frozenset(
            Slot(each.node, each.port) for each in self.problems if each.severity == ERROR and each.port
        )

    def differing(self, other: Analysis) -> set[str]:
        """Return the nodes of which something else is known here than there."""
        found = {slot.node for slot, _ in self.types.items() ^ other.types.items()}
        found.update(id for id, _ in self.parameters.items() ^ other.parameters.items())
        ours, theirs = _by_node(self.problems), _by_node(other.problems)
        found.update(id for id in ours.keys() | theirs.keys() if ours.get(id) != theirs.get(id))
        return found

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the model from running."""
        return [problem for problem in self.problems if problem.severity == ERROR]

    @property
    def total_parameters(self) -> int:
        """How many numbers the whole model learns."""
        return sum(self.parameters.values())

    @property
    def total_macs(self) -> int:
        """The multiply-adds of the whole model for one sample."""
        return sum(self.macs.values())


def _by_node(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for each in problems:
        found.setdefault(each.node, []).append(each)
    return found


def in_bytes(size: float) -> str:
    """Return a size as people read it: 240 bytes, 12 kB, 1.5 GB."""
    if size < 1000:
        return f"{size:.0f} bytes"
    for unit, factor in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if size < 999.5 * factor:
            value = size / factor
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{size / 1e12:,.1f} TB"
