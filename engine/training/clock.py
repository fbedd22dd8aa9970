"""How long each node takes: the plan's own calls, one at a time, on a batch of training rows."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import torch

from engine.graph.blocks import layer_of
from engine.graph.document import Way
from engine.training.events import Timed
from engine.training.loop import evaluating
from engine.training.setup import Setup

PASSES = 5
"""Passes whose median counts; one more before them fills the caches."""

FEWEST = 3
"""Passes that are enough where a run ends early."""

PATIENCE = 0.5
"""Seconds that a run which is over may still be timed."""


class Clock:
    """Times one run's network, pass by pass; call it only from the thread that uses the model.

    Forward passes only, without gradients and in evaluation mode, so that nothing of the run changes. Each
    method is about the graph that a ``way`` leads into: the document itself, or a block in it.
    """

    def __init__(self, setup: Setup):
        self._setup = setup
        self._rows = min(setup.batch_size, setup.rows_at_once(setup.batch_size))
        self._passes: dict[Way, list[dict[str, float]]] = {}

    def done(self, way: Way = ()) -> bool:
        """Return whether there is nothing left to measure."""
        return len(self._passes.get(way, ())) > PASSES

    def measure(self, way: Way = ()) -> None:
        """Take one pass."""
        setup = self._setup
        fields, calls = setup.first_rows(self._rows), self._calls(way)
        took: dict[str, float] = {}
        state = torch.get_rng_state()
        try:
            with torch.no_grad(), evaluating(setup.model):
                began = self._now()
                for here, node, _ in setup.built.look(setup.model, fields, way):
                    now = self._now()
                    if here == way and node in calls:
                        took[node] = 1000 * (now - began)
                    began = now
        finally:
            torch.set_rng_state(state)
        self._passes.setdefault(way, []).append(took)

    def finish(self, way: Way = ()) -> bool:
        """Take the passes that a short run left, while they are quick; return whether any was missing."""
        began, missing = perf_counter(), not self.done(way)
        while not self.done(way) and perf_counter() - began < PATIENCE:
            self.measure(way)
        return missing

    def timed(self, way: Way = ()) -> Timed | None:
        """Return the medians, or None while there are too few passes."""
        counted = self._passes.get(way, [])[1:]
        if len(counted) < FEWEST:
            return None
        return Timed(self._rows, {node: median(each[node] for each in counted) for node in counted[0]}, way)

    def _calls(self, way: Way) -> set[str]:
        """The nodes of a graph that are calls: inputs take no time of their own."""
        document = self._setup.document
        nodes = document.nodes
        for node, _ in way:
            block = document.blocks.get(nodes[node].type) if node in nodes else None
            nodes = block.nodes if block else {}
        return {
            id for id, node in nodes.items() if layer_of(document, node.type).role not in ("data", "input")
        }

    def _now(self) -> float:
        """The time when everything that was asked of the device is done."""
        if self._setup.device.type == "cuda":
            torch.cuda.synchronize(self._setup.device)
        elif self._setup.device.type == "mps":
            torch.mps.synchronize()
        return perf_counter()
