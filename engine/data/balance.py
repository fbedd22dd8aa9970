"""Classes of unequal size: rows drawn so that each occurs equally often, or weights for the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def balanced(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return as many rows as there are labels (n,), in random order, with every class equally often.

    The rows of a class are taken in turns: none a second time before all of its class were taken, so a small
    class repeats its rows and of a large one only a part is seen. An epoch's rows are
    ``balanced(labels, np.random.default_rng((seed, epoch)))``.
    """
    codes, counts = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    by_class = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    share, more = divmod(len(labels), len(counts))
    # Which classes have one row more is drawn too.
    wanted = share + (rng.permutation(len(counts)) < more)
    drawn = [_in_turns(rows, int(count), rng) for rows, count in zip(by_class, wanted, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def _in_turns(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    turns = -(-count // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(turns)])[:count] if count else rows[:0]


def class_weights(counts: Sequence[int]) -> tuple[float, ...]:
    """Return n / (k · count) for each of k classes: every class then weighs as much as any other.

    A class that never occurs gets 0. As scikit-learn's ``balanced``.
    """
    present = sum(count > 0 for count in counts)
    return tuple(sum(counts) / (present * count) if count else 0.0 for count in counts)
