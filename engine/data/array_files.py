"""Arrays in files of their own, NPY and IDX: read in one piece, or bit by bit where they are too large."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from engine.data.arrays import check_lengths, finite, input_of, input_type, target_of, target_type, usable
from engine.data.scan import READING, make_stream, streams
from engine.data.source import SCALING, SPLIT, Dataset, Field, Source, dataset
from engine.data.stream import PIECE, Piece, Stream
from engine.data.table import file_stamp
from engine.data.tabular import stem
from engine.errors import DataError
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import File, Value

Stamp = tuple[str, int, int]

_IDX = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Types of numbers by the third byte of an IDX file."""

_LABELS = 1 << 27
"""Bytes of labels that are read to see which classes there are."""


@dataclass(frozen=True)
class FileArray:
    """Numbers in a file, samples first; a slice of them is read when it is taken.

    ``start`` is where they begin. ``whole`` holds them where the file is packed.
    """

    path: Path
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype
    whole: np.ndarray | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """The bytes of all of them."""
        return prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, end, _ = rows.indices(len(self))
        if self.whole is not None:
            return self.whole[start:end]
        sample = self.shape[1:]
        count, at = prod(sample), self.start + start * prod(sample) * self.dtype.itemsize
        # Not mapped into memory: pages of a mapped file count as memory that is used.
        values = np.fromfile(self.path, self.dtype, (end - start) * count, offset=at)
        if len(values) < (end - start) * count:
            raise DataError(f"{self.path.name} has become shorter while it was read.")
        values = values.reshape(end - start, *sample)
        return values if self.dtype.isnative else values.astype(self.dtype.newbyteorder("="))


def _checked(array: FileArray, size: int) -> FileArray:
    name = array.path.name
    if array.dtype.kind not in "fiubUS":
        raise DataError(f"{name} holds {array.dtype}; expected numbers or class names.")
    if not array.shape or not prod(array.shape):
        raise DataError(f"{name} has the shape {array.shape}; expected samples first, at least one.")
    if array.nbytes != size:
        raise DataError(f"{name} claims {array.nbytes:,} bytes and has {size:,}; it is damaged.")
    return array


@lru_cache(maxsize=8)
def read_npy(stamp: Stamp) -> FileArray:
    """Return the array in an NPY file; raises DataError for anything else, pickled objects included."""
    path = Path(stamp[0])
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            form = np.lib.format
            read = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
            shape, fortran, dtype = read(file)
            start = file.tell()
    except (ValueError, EOFError, OSError):
        raise DataError(
            f"{path.name} is no NPY file, or it is damaged; expected what numpy.save writes."
        ) from None
    array = _checked(FileArray(path, start, shape, dtype), stamp[2] - start)
    if not fortran or len(shape) == 1:
        return array
    if array.nbytes > _LABELS * 32:
        raise DataError(f"{path.name} has its samples last in memory; save numpy.ascontiguousarray of it.")
    values = np.fromfile(path, dtype, offset=start).reshape(shape[::-1]).T
    return FileArray(path, start, shape, dtype, np.ascontiguousarray(values))


@lru_cache(maxsize=4)
def read_idx(stamp: Stamp) -> FileArray:
    """Return the array in an IDX file, packed with gzip or not; raises DataError for anything else."""
    path = Path(stamp[0])
    expected = "expected the IDX format of MNIST"
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX or not 1 <= head[3] <= 8:
                raise DataError(f"{path.name} is no IDX file; {expected}.")
            dtype, start = np.dtype(_IDX[head[2]]), 4 + 4 * head[3]
            sizes = file.read(4 * head[3])
            shape = tuple(np.frombuffer(sizes, ">i4").tolist()) if len(sizes) == 4 * head[3] else (-1,)
            if min(shape) < 0:
                raise DataError(f"{path.name} is damaged; {expected}.")
            if not packed:
                return _checked(FileArray(path, start, shape, dtype), stamp[2] - start)
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} cannot be unpacked: {error}.") from None
    whole = np.frombuffer(content, dtype)
    if len(whole) * dtype.itemsize != len(content) or len(whole) != prod(shape):
        raise DataError(
            f"{path.name} claims the shape {shape} and has {len(content):,} bytes; it is damaged."
        )
    whole = whole.reshape(shape).astype(dtype.newbyteorder("="))
    return _checked(FileArray(path, start, shape, dtype, whole), len(content))


@lru_cache(maxsize=4)
def _labels(array: FileArray, stamp: Stamp) -> tuple[np.ndarray, tuple[str, ...]]:
    return target_of(array[:], array.path.name)


class ArrayBlocks:
    """Arrays of equal length as pieces of a few megabytes."""

    def __init__(self, x: FileArray, y: FileArray | None, labels: np.ndarray | None, names: Sequence[str]):
        self._x, self._y, self._labels, self._names = x, y, labels, names
        row = (x.nbytes + (y.nbytes if y is not None else 0)) // len(x)
        # Samples that stand together are often alike: small pieces mix better.
        self.piece = max(min(PIECE // (4 * max(row, 1)), 1024), 1)
        full, rest = divmod(len(x), self.piece)
        self.sizes = [self.piece] * full + [rest] * bool(rest)
        self.sure = all(each is None or each.dtype.kind != "f" for each in (x, y))

    def read(self, block: int, place: int, wanted: Sequence[np.ndarray] | None) -> Iterator[Piece]:
        """Give the one piece that a block has."""
        start = block * self.piece
        part = slice(start, start + self.sizes[block])
        rows = np.arange(self.sizes[block])
        arrays = {self._names[0]: input_of(self._x[part], self._x.path.name)}
        if self._labels is not None:
            arrays[self._names[1]] = self._labels[part]
        elif self._y is not None:
            arrays[self._names[1]] = target_of(self._y[part], self._y.path.name)[0]
        good = np.ones(len(rows), bool)
        for values in arrays.values():
            if values.dtype.kind == "f":
                good &= finite(values)
        reasons = {row: "it holds a number that is not finite." for row in np.flatnonzero(~good).tolist()}
        if wanted is not None:
            good &= wanted[0]
        yield Piece({name: values[good] for name, values in arrays.items()}, rows[good], reasons)

    def splitting(self) -> None:
        """There is no split column."""

    def where(self, block: int, row: int) -> str:
        """Return the number of a sample."""
        return f"Sample {block * self.piece + row:,}"


def _has_labels(y: FileArray | None) -> bool:
    if y is None or y.dtype.kind == "f":
        return False
    return len(y.shape) == 1 or (len(y.shape) == 2 and y.shape[1] == 1)


def array_types(x: FileArray, y: FileArray | None) -> tuple[TensorType, ...]:
    """Return the types of inputs and targets."""
    if x.dtype.kind in "US":
        raise DataError(f"{x.path.name} holds words; expected numbers.")
    types = [input_type(x.shape, x.dtype)]
    if y is not None:
        type_ = target_type(y.shape, y.dtype)
        if _has_labels(y):
            type_ = TensorType((BATCH,), "int", len(_labels(y, file_stamp(str(y.path)))[1]))
        types.append(type_)
    return tuple(types)


def load_arrays(
    p: Mapping[str, Value], x: FileArray, y: FileArray | None, names: Sequence[str]
) -> Dataset | Stream:
    """Return inputs and targets as a data set of two fields, streamed if they are too large for memory."""
    called = (x.path.name, y.path.name if y is not None else "")
    check_lengths("The arrays", x, y, called)
    grows = 4 if x.dtype.kind == "u" and x.dtype.itemsize == 1 else 1
    if not streams(p, 2 * grows * x.nbytes + (y.nbytes if y is not None else 0)):
        xs, ys, classes, skipped = usable("The arrays", x[:], y[:] if y is not None else None, called)
        fields = {names[0]: Field(xs)}
        if ys is not None:
            fields[names[1]] = Field(ys, classes)
        return dataset(p, fields, skipped, scaled=names[:1])
    labels, classes = _labels(y, file_stamp(str(y.path))) if _has_labels(y) else (None, ())
    blocks = ArrayBlocks(x, y, labels, names)
    # Kinds and shapes are those of any row, be it unusable.
    fields = {names[0]: Field(input_of(x[:1], called[0]))}
    if y is not None:
        one = labels[:1] if labels is not None else target_of(y[:1], called[1])[0]
        fields[names[1]] = Field(one, classes)
    return make_stream(p, blocks, fields, scaled=names[:1])


def _npy(p: Mapping[str, Value]) -> tuple[FileArray, FileArray | None]:
    y = read_npy(file_stamp(p["target"])) if p["target"] else None
    return read_npy(file_stamp(p["path"])), y


def _npy_ports(p: Mapping[str, Value]) -> tuple[Port, ...]:
    x = Port("x", dtype="any")
    return (x, Port("target", dtype="any")) if p["target"] else (x,)


npy = Source(
    "NPY",
    doc="An array in a NumPy file, and the right answers in a second one; larger than memory if need be.",
    inputs=(),
    outputs=_npy_ports,
    params=(
        File(name="path", default="", patterns=("*.npy",), label="File", doc="The inputs, samples first."),
        File(
            name="target",
            default="",
            patterns=("*.npy",),
            label="Target file",
            doc="The right answers, as many; empty: there are none.",
        ),
        READING,
        SCALING,
        *SPLIT,
    ),
    types=lambda p: array_types(*_npy(p)),
    load=lambda p: load_arrays(p, *_npy(p), ("x", "target")),
    summary=lambda p: stem(p["path"]),
    title="Array file",
    prefix="array",
    synonyms=("npy", "numpy", "memory-mapped", "large", "stream", "file", "own data"),
)


def _idx(p: Mapping[str, Value]) -> tuple[FileArray, FileArray]:
    images = file_stamp(p["path"])
    return read_idx(images), read_idx(file_stamp(p["labels"] or str(_beside(Path(images[0])))))


def _beside(images: Path) -> Path:
    """The file of labels that MNIST and its followers put beside the images."""
    dot = images.name.replace("images", "labels").replace("idx3", "idx1")
    names = [dot, dot.removesuffix(".gz"), f"{dot}.gz"]
    found = next(
        (each for name in names if name != images.name and (each := images.with_name(name)).exists()), None
    )
    if found is None:
        raise DataError(f"Choose the file of labels: there is no {dot} beside {images.name}.")
    return found


_UBYTE = ("*-ubyte", "*-ubyte.gz", "*.idx", "*.idx.gz")

idx = Source(
    "IDX",
    doc="Images and labels in the format of MNIST and its followers: Fashion-MNIST, KMNIST, EMNIST.",
    inputs=(),
    outputs=(Port("image", dtype="any"), Port("label", dtype="any")),
    params=(
        File(
            name="path",
            default="",
            patterns=_UBYTE,
            label="Images",
            doc="Such as train-images-idx3-ubyte, packed with gzip or not.",
        ),
        File(
            name="labels",
            default="",
            patterns=_UBYTE,
            doc="Such as train-labels-idx1-ubyte; empty: the file of that name beside the images.",
        ),
        READING,
        SCALING,
        *SPLIT,
    ),
    types=lambda p: array_types(*_idx(p)),
    load=lambda p: load_arrays(p, *_idx(p), ("image", "label")),
    also=lambda p: [] if p["labels"] else [str(_beside(Path(file_stamp(p["path"])[0])))],
    looks=lambda path: "label" not in path.name,
    summary=lambda p: stem(p["path"]),
    title="IDX images",
    prefix="images",
    synonyms=("mnist", "fashion-mnist", "kmnist", "emnist", "ubyte", "idx", "handwritten", "own data"),
)
