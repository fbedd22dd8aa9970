"""How fast Netwright trains beside a loop written by hand: ``python -m tests.benchmarks.training [--json]``.

Both train the same network on the same rows with Adam and evaluate the same rows after every epoch, in rounds
that alternate, so that a busy machine slows both. A ratio is Netwright's steps per second over the loop's.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.graph.build import Builder
from engine.graph.document import Document
from engine.training.events import Failed, Started
from engine.training.runner import Runner
from engine.training.setup import prepare
from tests.benchmarks.rows import Row, report

MNIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
"""Real digits of 28 × 28 pixels, used where they lie beside the checkout."""


def spirals(epochs: int) -> Document:
    """2-100-3, batches of 64."""
    b = Builder("Spirals")
    data = b.add("Spirals", samples=2000)
    x = b.add("ReLU", b.add("Linear", data, out_features=100))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=3), data["label"])
    b.train("Adam", lr=0.01, epochs=epochs, batch_size=64)
    return b.document()


def lenet(epochs: int, folder: Path) -> Document:
    """LeNet-5 on images of 28 × 28 pixels, batches of 128."""
    b = Builder("LeNet-5")
    if (MNIST / "t10k-images-idx3-ubyte.gz").exists():
        data = b.add("NPZ", path=str(_mnist(folder)), validation=0.4)
        label = data["target"]
    else:
        data = b.add("Digits", size=28)
        label = data["label"]
    x = b.add("Tanh", b.add("Conv2d", data, out_channels=6, kernel_size=5, padding=2))
    x = b.add("AvgPool2d", x, kernel_size=2)
    x = b.add("Tanh", b.add("Conv2d", x, out_channels=16, kernel_size=5))
    x = b.add("Flatten", b.add("AvgPool2d", x, kernel_size=2))
    x = b.add("Tanh", b.add("Linear", x, out_features=120))
    x = b.add("Tanh", b.add("Linear", x, out_features=84))
    b.add("CrossEntropyLoss", b.add("Linear", x, out_features=10), label)
    b.train("Adam", lr=0.002, epochs=epochs, batch_size=128)
    return b.document()


def _mnist(folder: Path) -> Path:
    import gzip

    path = folder / "mnist.npz"
    if not path.exists():
        images = np.frombuffer(gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8)
        labels = np.frombuffer(gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8)
        np.savez(path, x=images[16:].reshape(-1, 28, 28)[:4000], y=labels[8:][:4000])
    return path


class MLP(nn.Module):
    """2-100-3, as one writes it by hand."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 100)
        self.fc2 = nn.Linear(100, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.relu(self.fc1(x)))


class LeNet5(nn.Module):
    """LeNet-5, as one writes it by hand."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        x = torch.tanh(self.fc1(torch.flatten(x, 1)))
        return self.fc3(torch.tanh(self.fc2(x)))


def by_hand(make: Callable[[], nn.Module], document: Document) -> float:
    """Train as most people write it, with batches by index; return steps per second."""
    setup = prepare(document, "cpu")
    training = document.training
    (x, y), (held_x, held_y) = (list(fields.values()) for fields in (setup.train, setup.held))
    slice_x, slice_y = x[: len(held_x)], y[: len(held_x)]
    torch.manual_seed(training.seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=training.objectives[0].options["lr"])
    losses, steps = [], 0
    began = perf_counter()
    for _ in range(training.epochs):
        model.train()
        order = torch.randperm(len(x))
        for start in range(0, len(x), training.batch_size):
            rows = order[start : start + training.batch_size]
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            steps += 1
        model.eval()
        with torch.no_grad():
            scores = model(held_x)
            _ = F.cross_entropy(scores, held_y).item(), (scores.argmax(1) == held_y).float().mean().item()
            _ = (model(slice_x).argmax(1) == slice_y).float().mean().item()
    return steps / (perf_counter() - began)


def in_netwright(document: Document) -> float:
    """Train in a background thread while another empties the mailbox; return steps per second."""
    runner = Runner(document, "cpu")
    began = steps = 0
    over = threading.Event()
    runner.start()
    while True:
        alive = runner.alive
        for event in runner.events.drain():
            if isinstance(event, Started):
                # The steps are timed by the run itself, compiling left out as it is in the other loop.
                steps = event.steps
            elif isinstance(event, Failed):
                raise RuntimeError(event.message)
            elif hasattr(event, "seconds"):
                began = event.seconds
        if not alive:
            break
        over.wait(0.05)
    runner.close()
    return steps / began


Measure = Callable[[Document], float]


def compare(
    name: str, document: Document, make: Callable[[], nn.Module], rounds: int, bound: float, ours_: Measure
) -> Row:
    """Return the ratio of the best rounds and, as detail, the median of the rounds' ratios."""
    ours_(document)  # a first round that is not counted: caches fill
    by_hand(make, document)
    ours, theirs = [], []
    for turn in range(rounds):
        pair = [(ours, lambda: ours_(document)), (theirs, lambda: by_hand(make, document))]
        for results, measure in pair if turn % 2 else reversed(pair):
            results.append(measure())
    median = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    ratio = max(ours) / max(theirs)
    detail = f"{max(ours):,.0f} against {max(theirs):,.0f} steps/s, median of {rounds} ratios {median:.2f}"
    return Row(name, round(min(ratio, median), 3), bound, "higher", detail)


def headless(quick: bool = False) -> list[Row]:
    """Return the rows without a window."""
    rounds = 3 if quick else 7
    with tempfile.TemporaryDirectory() as folder:
        return [
            compare("spirals, headless", spirals(40), MLP, rounds, 0.97, in_netwright),
            compare("LeNet-5, headless", lenet(3, Path(folder)), LeNet5, rounds, 0.97, in_netwright),
        ]


def windowed(quick: bool = False) -> list[Row]:
    """Return the rows with the window open and its live views on, and how late its event loop gets."""
    from tests.benchmarks.window import WatchedWindow

    rounds = 3 if quick else 7
    rows = []
    with tempfile.TemporaryDirectory() as folder, WatchedWindow() as window:
        for name, document, make in (
            ("spirals", spirals(160), MLP),
            ("LeNet-5", lenet(8, Path(folder)), LeNet5),
        ):
            window.gaps.clear()
            rows.append(compare(f"{name}, window", document, make, rounds, 0.90, window.train))
            late = float(np.percentile(window.gaps, 99))
            detail = (
                f"99th percentile {late:.1f} ms of {len(window.gaps):,}, longest {max(window.gaps):.0f} ms"
            )
            rows.append(Row(f"{name}, gap / 50 ms", round(late / 50, 3), 1.0, "lower", detail))
    return rows


SUITES: tuple[Callable[[bool], list[Row]], ...] = (headless, windowed)
"""What is measured, in order; each returns its rows."""


if __name__ == "__main__":
    raise SystemExit(report(__doc__, SUITES))
