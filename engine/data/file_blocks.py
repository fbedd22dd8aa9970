"""Samples that are a file each, such as images: decoded while they are used, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path

import numpy as np

from engine.data.columns import shortened
from engine.data.hold_out import HELD, TRAINS
from engine.data.scan import make_stream
from engine.data.source import Field
from engine.data.split import hold_out
from engine.data.stream import PIECE, THREADS, Piece, Stream
from engine.errors import DataError
from engine.layers.params import Value

UNREADABLE = (OSError, ValueError, SyntaxError, DataError)
"""What is raised by a file that is not what it should be."""


class FileBlocks:
    """Files with a class each, in handfuls; a file that turns out to be damaged gives way to its neighbor."""

    sure = True

    def __init__(
        self,
        paths: Sequence[Path],
        labels: np.ndarray,
        names: tuple[str, str],
        read: Callable[[Path], np.ndarray],
        shape: tuple[int, ...],
    ):
        self._paths, self._labels, self._names, self._read = paths, labels, names, read
        self._shape = shape
        self.piece = min(max(PIECE // (4 * prod(shape)), 1), 256)
        full, rest = divmod(len(paths), self.piece)
        self.sizes = [self.piece] * full + [rest] * bool(rest)

    def read(self, block: int, place: int, wanted: Sequence[np.ndarray] | None) -> Iterator[Piece]:
        """Give the one piece that a block has; files that are not wanted are not opened."""
        rows = np.arange(self.sizes[block])
        if wanted is not None:
            rows = rows[wanted[0]]
        numbers = rows + block * self.piece
        values: list[np.ndarray | None] = []
        reason = ""
        for number in numbers.tolist():
            try:
                values.append(self._read(self._paths[number]))
            except UNREADABLE as error:
                reason = f"{_name(self._paths[number])}: {error}"
                values.append(None)
        good = np.array([at for at, value in enumerate(values) if value is not None], int)
        if not len(good) and len(rows):
            raise DataError(f"None of {len(rows)} files that stand together can be read; {reason}.")
        if len(good) < len(rows):
            nearest = np.abs(np.arange(len(rows))[:, None] - good).argmin(1)
            values, numbers = [values[good[at]] for at in nearest], numbers[good[nearest]]
        stacked = np.stack(values) if values else np.empty((0, *self._shape), np.float32)
        yield Piece({self._names[0]: stacked, self._names[1]: self._labels[numbers]}, rows)

    def splitting(self) -> None:
        """There is no split column."""

    def where(self, block: int, row: int) -> str:
        """Return the name of a file with its folder."""
        return _name(self._paths[block * self.piece + row])


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def stream_files(
    p: Mapping[str, Value],
    files: Mapping[str, Sequence[Path]],
    names: tuple[str, str],
    read: Callable[[Path], np.ndarray],
    check: Callable[[Path], object],
) -> Stream:
    """Return files by class as a stream of two fields; ``check`` looks at a file and raises if it is no use.

    The split is the one that they would have in memory. Raises DataError if no file is of use.
    """
    paths = [path for each in files.values() for path in each]
    labels = np.repeat(np.arange(len(files)), [len(each) for each in files.values()])
    with ThreadPoolExecutor(THREADS, "check") as threads:
        reasons = list(threads.map(lambda path: _why_not(path, check), paths))
    good = np.array([not reason for reason in reasons])
    skipped = shortened([f"{_name(path)}: {why}" for path, why in zip(paths, reasons, strict=True) if why])
    if not good.any():
        raise DataError(f"None of {len(paths)} files can be read; {skipped[0]}.")
    labels = labels[good]
    _, held = hold_out(p, len(labels), labels)
    given = np.full(len(labels), TRAINS, np.int8)
    given[held] = HELD
    # Files of one class stand together: they are mixed once, so that those of a handful are not alike.
    mixed = np.random.default_rng((p["seed"], 1)).permutation(len(labels))
    chosen = np.flatnonzero(good)[mixed]
    sample = _first(paths, chosen, read)
    blocks = FileBlocks([paths[at] for at in chosen], labels[mixed], names, read, sample.shape)
    fields = {names[0]: Field(sample[None]), names[1]: Field(labels[:1], tuple(files))}
    return make_stream(p, blocks, fields, skipped, names[:1], given[mixed])


def _why_not(path: Path, check: Callable[[Path], object]) -> str:
    try:
        check(path)
    except UNREADABLE as error:
        return str(error) or type(error).__name__
    return ""


def _first(paths: Sequence[Path], chosen: np.ndarray, read: Callable[[Path], np.ndarray]) -> np.ndarray:
    for at in chosen.tolist():
        try:
            return read(paths[at])
        except UNREADABLE:
            continue
    raise DataError("None of the files can be read.")
