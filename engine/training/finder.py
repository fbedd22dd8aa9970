"""The learning-rate finder: one short run whose rate rises at every step, and what its losses propose.

Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3: a good rate is one at which
the loss falls fast, well below the one at which it explodes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, count, islice
from math import isfinite, sqrt
from time import perf_counter

import numpy as np
import torch

from engine.errors import EngineError, TrainingError
from engine.graph.document import Document, frozen
from engine.training.batches import Fields
from engine.training.events import Failed
from engine.training.mailbox import Mailbox
from engine.training.minimizer import Minimizer, NotFiniteError
from engine.training.numerics import numerics
from engine.training.setup import Setup, prepare

LOWEST, HIGHEST = 1e-7, 10.0
"""The rates that are tried."""

STEPS = 200
"""Steps from the lowest to the highest."""

EXPLODED = 3.0
"""A loss has exploded when it is so many times its best value, or the way down to it, above that."""

FEWEST = 10
"""Steps that are taken however the loss behaves."""

WIDTH = 0.15
"""Decades over which losses are averaged: the standard deviation of a bell curve."""

PUBLISH = 0.05
"""Seconds between two events."""


@dataclass(frozen=True)
class Proposal:
    """What a curve of losses says: learning rates, None where it says nothing; ``why`` is a sentence.

    ``steepest`` is where the loss falls fastest, ``tenth`` a tenth of the rate of the lowest loss, and
    ``rate`` lies between them.
    """

    rate: float | None
    steepest: float | None
    tenth: float | None
    why: str


@dataclass(frozen=True)
class Tried:
    """Rates that were tried since the last event and the loss at each, as (n,) float64."""

    rates: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class Found:
    """Everything that was tried, with the losses smoothed, as (n,) float64, and what it proposes."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    proposal: Proposal


def smooth(rates: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return losses averaged with those at rates nearby, ``WIDTH`` decades to both sides."""
    return _bells(rates) @ _cut(losses)


def _cut(losses: np.ndarray) -> np.ndarray:
    """The losses without the height of an explosion, which would reach far back where they are averaged."""
    first = losses[:FEWEST].max()
    return np.minimum(losses, first + 0.5 * (first - losses.min()))


def _bells(rates: np.ndarray) -> np.ndarray:
    """How much each loss counts in each average, (n, n)."""
    x = np.log10(rates)
    weights = np.exp(-0.5 * ((x[:, None] - x[None]) / WIDTH) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


def propose(rates: np.ndarray, losses: np.ndarray) -> Proposal:
    """Return the learning rate that losses at rising rates, as (n,) each, speak for."""
    if len(rates) < FEWEST:
        return Proposal(None, None, None, "The loss exploded at once: begin with lower rates.")
    losses, smoothed = _cut(losses), smooth(rates, losses)
    lowest = int(smoothed.argmin())
    fell = smoothed[: lowest + 1].max() - smoothed[lowest]
    # The deviation of a loss, whatever the explosion, then that of an average; by chance alone averages
    # differ by some four of these.
    noise = 1.5 * float(np.median(np.abs(losses - smoothed)))
    noise *= float(np.median(np.sqrt((_bells(rates) ** 2).sum(axis=1))))
    if lowest < 2 or fell <= max(0.01 * abs(smoothed[0]), 6 * noise):
        return Proposal(
            None, None, None, "The loss fell at none of these rates: look for what keeps it from learning."
        )
    slopes = np.gradient(smoothed, np.log10(rates))
    steepest = float(rates[int(slopes[: lowest + 1].argmin())])
    tenth = float(rates[lowest]) / 10
    rate = rounded(sqrt(steepest * tenth))
    bounds = sorted(((steepest, "where the loss falls fastest"), (tenth, "a tenth of its lowest point")))
    (low, one), (high, other) = bounds
    why = f"Between {low:.2g}, {one}, and {high:.2g}, {other}."
    return Proposal(rate, steepest, tenth, why.replace("-", "−"))


def rounded(rate: float) -> float:
    """Return a rate with two digits, as people write it."""
    return float(f"{rate:.1e}")


def tries(
    document: Document,
    place: int = 0,
    device: str = "",
    steps: int = STEPS,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    seed: int | None = None,
) -> Generator[tuple[float, float], None, None]:
    """Give a rate and the loss before the step with it, from the lowest up, until the loss explodes.

    Trains a model of its own, from ``seed`` or the document's: nothing of the document or of a run changes.
    Other objectives step beside it as they always do. Raises EngineError where it cannot be trained.
    """
    document = _constant(document, place, seed)
    training = document.training
    with torch.random.fork_rng(devices=[]):
        setup = prepare(document, device, training.weights or None)
        mine, judge = setup.minimizers[place], _Judge()
        batches = chain.from_iterable(map(setup.batches.epoch, count(1)))
        setup.model.train()
        with numerics(training, setup.threads):
            for number, rate in enumerate(np.geomspace(lowest, highest, steps).tolist(), 1):
                mine.rebase(rate)
                try:
                    loss = _step(setup, mine, number, islice(batches, mine.objective.accumulate))
                except NotFiniteError:
                    return
                if judge.exploded(loss):
                    return
                yield rate, loss


def _step(setup: Setup, mine: Minimizer, number: int, batches: Iterable[Fields]) -> float:
    """Take one step of an objective's optimizer, beside the others; return its mean loss over the batches."""
    losses = []
    for batch in batches:
        for each in setup.minimizers:
            if each is mine or number % each.every == 0:
                each.step(setup.network, batch)
        losses.append(float(mine.last))
    if setup.built.follow:
        setup.built.follow(setup.model, number)
    return sum(losses) / len(losses)


def _constant(document: Document, place: int, seed: int | None) -> Document:
    """The document with an objective whose rate nothing else moves, and another seed if there is one."""
    training = document.training
    if not 0 <= place < len(training.objectives):
        raise TrainingError(f"There is no objective {place + 1}; there are {len(training.objectives)}.")
    objective = replace(training.objectives[place], schedule="", schedule_options=frozen(), warmup=0)
    objectives = (*training.objectives[:place], objective, *training.objectives[place + 1 :])
    seed = training.seed if seed is None else seed
    return document.with_(training=replace(training, objectives=objectives, seed=seed, compile=False))


class _Judge:
    """Knows when a loss has exploded: when its running mean is far above its best."""

    def __init__(self) -> None:
        self._count, self._mean = 0, 0.0
        self._first = self._best = 0.0

    def exploded(self, loss: float) -> bool:
        """Take one more loss."""
        if not isfinite(loss):
            return True
        self._count += 1
        self._mean = loss if self._count == 1 else 0.9 * self._mean + 0.1 * loss
        if self._count == 1:
            self._first = self._best = loss
        self._best = min(self._best, self._mean)
        room = EXPLODED * max(abs(self._best), self._first - self._best)
        return self._count > FEWEST and self._mean > self._best + room


def find(
    document: Document,
    place: int = 0,
    device: str = "",
    steps: int = STEPS,
    heard: Callable[[float, float], bool] = lambda rate, loss: True,
    seed: int | None = None,
) -> Found | None:
    """Return what a finder's run proposes; None if ``heard``, which takes every rate and loss, ended it.

    Raises EngineError where the document cannot be trained.
    """
    points = []
    with closing(tries(document, place, device, steps, seed=seed)) as tried:
        for rate, loss in tried:
            points.append((rate, loss))
            if not heard(rate, loss):
                return None
    rates, losses = np.array(points, float).reshape(-1, 2).T
    return Found(rates, losses, smooth(rates, losses), propose(rates, losses))


class Finder:
    """A finder in a thread of its own. ``events`` tells ``Tried``, then ``Found`` or ``Failed``."""

    def __init__(
        self,
        document: Document,
        place: int = 0,
        device: str = "",
        steps: int = STEPS,
        seed: int | None = None,
    ):
        self.events = Mailbox()
        self._what = {
            "document": document,
            "place": place,
            "device": device,
            "steps": steps,
            "seed": seed,
        }
        self._cancelled = threading.Event()
        self._points: list[tuple[float, float]] = []
        self._due = 0.0
        self._thread = threading.Thread(target=self._work, name="netwright finder")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """End after the present step, without a proposal."""
        self._cancelled.set()

    def close(self, patience: float | None = None) -> bool:
        """End it and wait for its thread, so many seconds at most; return whether it has ended."""
        self.cancel()
        if self._thread.ident is not None:
            self._thread.join(patience)
        return not self.alive

    @property
    def alive(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            found = find(**self._what, heard=self._hear)
        except EngineError as error:
            self.events.put(Failed(error.message, error.node or ""))
        except Exception as error:  # a network may fail in ways of its own
            self.events.put(Failed(f"{type(error).__name__}: {error}", ""))
        else:
            self._tell()
            if found is not None:
                self.events.put(found)

    def _hear(self, rate: float, loss: float) -> bool:
        self._points.append((rate, loss))
        if perf_counter() >= self._due:
            self._tell()
        return not self._cancelled.is_set()

    def _tell(self) -> None:
        points, self._points = self._points, []
        self._due = perf_counter() + PUBLISH
        if points:
            self.events.put(Tried(*np.array(points).T))
