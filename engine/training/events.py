"""What a run tells, as frozen values: the same for the window and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.graph.document import Way, frozen


@dataclass(frozen=True)
class Watch:
    """What somebody looks at; the run captures nothing else.

    ``nodes`` get a miniature, ``selected`` gets every feature map and its weights, ``sample`` is the row of
    the probe batch whose activations are shown, ``regions`` and ``samples`` switch the decision regions (or
    the curve of a model of one number) and predictions on, ``times`` how long each node takes.
    ``nodes`` and ``selected`` are those of the block that ``way`` leads into, or of the document.
    """

    nodes: frozenset[str] = frozenset()
    selected: str = ""
    sample: int = 0
    regions: bool = False
    samples: bool = False
    times: bool = False
    way: Way = ()


@dataclass(frozen=True)
class Started:
    """A run began; ``steps`` is how many it will take, ``threads`` is 0 on a GPU."""

    epochs: int
    steps: int
    steps_per_epoch: int
    device: str
    threads: int
    parameters: int
    run: str = ""
    loaded: str = ""
    """What of a weights file was loaded, as a sentence."""
    step: int = 0
    """Steps that were taken before, where a run goes on."""
    notes: tuple[str, ...] = ()
    """What is done otherwise than was asked for, and why."""


@dataclass(frozen=True)
class Progress:
    """The losses since the last event: two arrays of equal length; ``lr`` is the rate now."""

    step: np.ndarray
    loss: np.ndarray
    epoch: int
    lr: float
    steps_per_second: float
    seconds_left: float
    live_cost: float = 0.0
    """Share of the time that captures took, 0 to 1."""
    parts: np.ndarray | None = None
    """The losses of each objective (k, n), where there are several."""

    def at(self, chosen: np.ndarray) -> Progress:
        """Return it with some of its steps, by a mask or by indices."""
        parts = None if self.parts is None else self.parts[:, chosen]
        return replace(self, step=self.step[chosen], loss=self.loss[chosen], parts=parts)

    @staticmethod
    def joined(events: Sequence[Progress]) -> Progress:
        """Return the last one with the losses of all."""
        parts = [each.parts for each in events if each.parts is not None]
        return replace(
            events[-1],
            step=np.concatenate([each.step for each in events]),
            loss=np.concatenate([each.loss for each in events]),
            parts=np.concatenate(parts, 1) if len(parts) == len(events) else None,
        )


@dataclass(frozen=True)
class Evaluated:
    """Metrics after an epoch: ``loss``, ``accuracy``; of held-out rows ``val_loss``, ``val_accuracy``."""

    step: int
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Activation:
    """What a node gave for one sample.

    ``maps`` is (k, h, w) feature maps, or (k,) numbers of a vector; big tensors are thinned to at most 64
    maps of 64 x 64. ``shape`` is the full shape of the sample. ``low``, ``high``, ``mean``, ``deviation`` and
    ``dead`` (share of channels or units that are zero for every probe sample) are over the whole probe batch.
    ``labels`` names the entries of a vector of class scores.
    """

    shape: tuple[int, ...]
    maps: np.ndarray
    low: float
    high: float
    mean: float
    deviation: float
    dead: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weights:
    """A node's weight: ``values`` is (out, in, h, w) filters, thinned to at most 64 x 64 of them, or
    (out, in), thinned to 64 rows; a vector is one row.

    ``image`` is the (channels, height, width) that a row of (out, in) weights looks at, where it looks at an
    image. ``moved`` is |w - w0| / |w0| since the start.
    """

    name: str
    shape: tuple[int, ...]
    values: np.ndarray
    image: tuple[int, int, int] | None = None
    moved: float = 0.0


@dataclass(frozen=True)
class Regions:
    """A classifier's answer over the plane: (h, w) class indices and confidences; row 0 is the smallest y.

    ``extent`` is (x0, x1, y0, y1); ``points`` (n, 2) and ``labels`` (n,) are data drawn over it; ``held_out``
    marks the validation rows among them.
    """

    extent: tuple[float, float, float, float]
    classes: np.ndarray
    confidence: np.ndarray
    points: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curve:
    """What a model makes of one number: its answers ``y`` at the places ``x``, both (k,).

    ``points`` (n, 2) are data as (x, y); ``held_out`` marks the validation rows among them. ``closed`` is the
    slope and intercept of the line with the smallest squared error on the training rows, if the model
    minimizes that error.
    """

    x: np.ndarray
    y: np.ndarray
    points: np.ndarray
    held_out: np.ndarray
    closed: tuple[float, float] | None = None


@dataclass(frozen=True)
class Samples:
    """Rows of the probe batch: ``inputs`` as the first data field gives them, ``targets`` and
    ``predictions``.

    ``kind`` is ``class`` (indices into ``names``), ``number`` or ``image`` (the model rebuilds an image).
    """

    inputs: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray
    kind: str
    names: tuple[str, ...] = ()
    confidence: np.ndarray | None = None


@dataclass(frozen=True)
class Snapshot:
    """What the network looks like at a step; only what the watch asks for is there.

    The nodes are those of the block that ``way`` leads into, or of the document.
    """

    step: int
    epoch: int
    activations: Mapping[str, Activation] = field(default_factory=frozen)
    detail: Activation | None = None
    weights: Weights | None = None
    gradients: Mapping[str, float] = field(default_factory=frozen)
    """Norm of each node's gradient."""
    losses: Mapping[str, float] = field(default_factory=frozen)
    """Value of each loss node."""
    selected: str = ""
    sample: int = 0
    regions: Regions | None = None
    curve: Curve | None = None
    samples: Samples | None = None
    way: Way = ()


@dataclass(frozen=True)
class Timed:
    """How long the forward of each node takes: milliseconds for a batch of ``rows``, a block as a whole.

    The nodes are those of the block that ``way`` leads into, or of the document.
    """

    rows: int
    forward: Mapping[str, float]
    way: Way = ()

    @property
    def total(self) -> float:
        """Milliseconds of a whole forward pass."""
        return sum(self.forward.values())


@dataclass(frozen=True)
class State:
    """The run is ``running`` or ``paused``; ``reason`` is why, where nobody asked for it."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Resumed:
    """The run goes on from the state after ``step``; what was told of later steps is void."""

    step: int


@dataclass(frozen=True)
class Changed:
    """A setting was changed while it ran."""

    step: int
    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Finished:
    """The run ended: ``reason`` is ``done`` or ``stopped``; ``metrics`` are the last evaluation's."""

    reason: str
    steps: int
    seconds: float
    metrics: Mapping[str, float]
    run: str = ""
    note: str = ""
    """Why it ended early, or which weights it kept, as a sentence."""


MEMORY, NUMBERS = "memory", "numbers"
"""The kinds of a failure: there was too little memory; a loss was no number any more."""


@dataclass(frozen=True)
class Failed:
    """The run ended with an error; ``node`` is where it was born, if that is known.

    ``kind`` is ``memory`` where that ran out; then ``batch_size`` is one that takes half of it. It is
    ``numbers`` where a loss became NaN or infinite.
    """

    message: str
    node: str = ""
    port: str = ""
    kind: str = ""
    batch_size: int = 0


Event = Started | Progress | Evaluated | Snapshot | Timed | State | Resumed | Changed | Finished | Failed
