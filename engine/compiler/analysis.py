"""All that can be said about a document without running it; plain values that a window can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.graph.document import Document, Edge, Slot, frozen
from engine.layers.declaration import TensorType

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
class Analysis:
    """What ``analyze`` found out about one document.

    ``types`` holds the tensor type of every output slot that could be inferred; ``parameters`` and ``macs``
    (multiply- adds for one sample) are per node; ``source`` is None while errors keep the model from being
    written down.
    """

    document: Document
    problems: tuple[Problem, ...] = ()
    types: Mapping[Slot, TensorType] = field(default_factory=frozen)
    parameters: Mapping[str, int] = field(default_factory=frozen)
    macs: Mapping[str, int] = field(default_factory=frozen)
    source: SourceText | None = None
    blocks: Mapping[str, Analysis] = field(default_factory=frozen)
    """For each block the analysis of its graph as it is first used, with the same source."""

    def type_of(self, edge: Edge) -> TensorType | None:
        """Return the tensor type on an edge, or None where it is not known."""
        return self.types.get(edge.source)

    def problems_of(self, node: str) -> list[Problem]:
        """Return a node's problems, errors first."""
        return sorted((p for p in self.problems if p.node == node), key=lambda p: p.severity != ERROR)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the model from running."""
        return [problem for problem in self.problems if problem.severity == ERROR]

    @property
    def total_parameters(self) -> int:
        """How many numbers the whole model learns."""
        return sum(self.parameters.values())
