"""How fast Netwright trains beside loops written by hand: ``python -m tests.benchmarks.training [--json]``.

All sides train the same network from the same weights on the same rows with Adam, and evaluate the same rows
after every epoch, in rounds that alternate, so that a busy machine slows all of them. A ratio is Netwright's
steps per second over the other's; before any is told, the losses of both, given the same batches, must agree.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from engine.graph.build import Builder
from engine.graph.document import Document
from presets import preset
from tests.benchmarks.loops import (
    LIGHTNING,
    Loop,
    apart,
    as_netwright,
    by_hand,
    in_lightning,
    kept,
    netwright,
    with_loader,
)
from tests.benchmarks.networks import MLP, CharLSTM, LeNet5, small_resnet18
from tests.benchmarks.rows import Row, report

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Real digits of 28 × 28 pixels and real text, used where they lie beside the checkout."""

AGREE = 10
"""Steps whose losses have to agree; rounding drives later ones apart, those of a deep network fast."""


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
    if (SHARED / "mnist" / "t10k-images-idx3-ubyte.gz").exists():
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


def resnet(epochs: int) -> Document:
    """ResNet-18 at an eighth of its width, batches of 32."""
    document = preset("resnet18-small").document()
    return document.with_(training=replace(document.training, epochs=epochs))


def char_lstm(epochs: int, folder: Path) -> Document:
    """An LSTM of 128 units that says the next character of a text, batches of 32 lines of 64."""
    b = Builder("Character LSTM")
    data = b.add("NPZ", path=str(_characters(folder)), validation=0.1)
    x = b.add("LSTM", b.add("Embedding", data, num_embeddings=65, embedding_dim=64), hidden_size=128)
    x = b.add("Transpose", b.add("Linear", x, out_features=65), dim0=1, dim1=2)
    b.add("CrossEntropyLoss", x, data["target"])
    b.train("Adam", lr=0.003, epochs=epochs, batch_size=32)
    return b.document()


def _mnist(folder: Path) -> Path:
    import gzip

    path, mnist = folder / "mnist.npz", SHARED / "mnist"
    if not path.exists():
        images = np.frombuffer(gzip.decompress((mnist / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8)
        labels = np.frombuffer(gzip.decompress((mnist / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8)
        np.savez(path, x=images[16:].reshape(-1, 28, 28)[:4000], y=labels[8:][:4000])
    return path


def _characters(folder: Path, lines: int = 1000, length: int = 64) -> Path:
    """Write lines of a text as numbers below 65, and each shifted by one character."""
    path, text = folder / "text.npz", SHARED / "text" / "tinyshakespeare.txt"
    if not path.exists():
        found = text if text.exists() else Path(statistics.__file__)
        letters = np.frombuffer(found.read_bytes()[: lines * length + 1], np.uint8)
        _, numbers = np.unique(letters, return_inverse=True)
        numbers = np.minimum(numbers, 64).astype(np.int64)
        lines = (len(numbers) - 1) // length
        x, y = (numbers[at : at + lines * length].reshape(lines, length) for at in (0, 1))
        np.savez(path, x=x, y=y)
    return path


def compare(
    name: str,
    document: Document,
    ours: Loop,
    others: Mapping[str, tuple[Loop, float]],
    rounds: int,
) -> list[Row]:
    """Return a row for each of the others: the worse of the ratio of the best rounds and their median."""
    loops = [ours, *(loop for loop, _ in others.values())]
    speeds: list[list[float]] = [[] for _ in loops]
    for turn in range(rounds + 1):
        order = range(len(loops)) if turn % 2 else reversed(range(len(loops)))
        for place in order:
            speed = loops[place](document).steps_per_second
            if turn:  # a first round is not counted: caches fill
                speeds[place].append(speed)
    rows = []
    for (other, (_, bound)), theirs in zip(others.items(), speeds[1:], strict=True):
        median = statistics.median(a / b for a, b in zip(speeds[0], theirs, strict=True))
        best = max(speeds[0]) / max(theirs)
        detail = (
            f"{max(speeds[0]):,.0f} against {max(theirs):,.0f} steps/s, best rounds {best:.2f}, "
            f"median of {rounds} ratios {median:.2f}"
        )
        rows.append(Row(f"{name} / {other}", round(min(best, median), 3), bound, "higher", detail))
    return rows


def same_losses(name: str, document: Document, make: Callable[[], nn.Module]) -> Row:
    """Return how far the losses are from those of the loop by hand that is given the same batches.

    Both with images in the same order in memory: another one rounds otherwise, and one activation that
    changes its sign thereby changes a whole gradient.
    """
    document = document.with_(training=replace(document.training, layout="contiguous"))
    ours = netwright(document).losses[:AGREE]
    theirs = apart(by_hand(make, as_netwright))(document).losses[:AGREE]
    off = float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-3)))
    detail = f"the largest relative difference of the first {len(ours)} losses is {off:.1e}"
    return Row(f"{name}: losses apart / 0.1 %", round(off / 1e-3, 4), 1.0, "lower", detail)


def headless(quick: bool = False) -> list[Row]:
    """Return the rows without a window."""
    rounds = 3 if quick else 9
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for name, document, make, bound in (
            ("spirals MLP", spirals(40), MLP, 1.2),
            ("LeNet-5", lenet(3, folder), LeNet5, 1.0),
            ("ResNet-18 small", resnet(1), small_resnet18, 1.0),
            ("character LSTM", char_lstm(2, folder), CharLSTM, 1.0),
        ):
            rows.append(same_losses(name, document, make))
            others = {"loop by hand": (apart(by_hand(make)), bound)}
            if make is MLP:
                others["DataLoader"] = (apart(with_loader(make)), 1.4)
                if LIGHTNING:
                    others["Lightning"] = (apart(in_lightning(make)), 3.0)
                else:
                    print("spirals MLP / Lightning: not measured, Lightning is not installed (.[bench])")
            rows += compare(name, document, netwright, others, rounds)
    return rows


def windowed(quick: bool = False) -> list[Row]:
    """Return the rows with the window open and its live views on, and how late its event loop gets."""
    from tests.benchmarks.window import WatchedWindow

    rounds = 3 if quick else 5  # of long runs: how one begins and ends is not what is asked
    rows = []
    with tempfile.TemporaryDirectory() as folder, WatchedWindow() as window:
        for name, document in (("spirals MLP", spirals(800)), ("LeNet-5", lenet(16, Path(folder)))):
            rows += compare(f"{name}, window", document, window.train, {"headless": (kept, 0.95)}, rounds)
            rows += window.smoothness(name, document)
    return rows


SUITES: tuple[Callable[[bool], list[Row]], ...] = (headless, windowed)
"""What is measured, in order; each returns its rows."""


if __name__ == "__main__":
    raise SystemExit(report(__doc__, SUITES))
