"""Reading arrays from an NPZ file; nothing in it is ever executed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sized
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np

from engine.data.table import file_stamp
from engine.errors import DataError
from engine.layers.declaration import BATCH, TensorType

LARGEST = 4_000_000_000
"""Bytes of one array that is read in one piece."""

_CHANNELS = (1, 3, 4)


def array_types(path: str, input: str, target: str) -> tuple[TensorType, ...]:
    """Return the types that ``read_arrays`` will give, without reading the inputs."""
    stamp = file_stamp(path)
    headers = _headers(stamp)
    name = Path(path).name
    types = [input_type(*_find(headers, input, name))]
    if target:
        type_ = target_type(*_find(headers, target, name))
        # Labels are small, and how many classes there are is worth their reading.
        classes = _classes(stamp, target) if len(type_.shape) == 1 else 0
        types.append(type_._replace(classes=classes))
    return tuple(types)


@lru_cache(maxsize=8)
def _classes(stamp: tuple[str, int, int], target: str) -> int:
    name = Path(stamp[0]).name
    return len(target_of(_read(stamp, target), f"{name}: array {target!r}")[1])


def _read(stamp: tuple[str, int, int], name: str) -> np.ndarray:
    try:
        with np.load(stamp[0], allow_pickle=False) as archive:
            return archive[name]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise DataError(f"{Path(stamp[0]).name} cannot be read: {error}.") from None


def input_type(shape: tuple[int, ...], dtype: np.dtype) -> TensorType:
    """Return the type that ``input_of`` gives."""
    if dtype == np.uint8 and len(shape) in (3, 4):
        channels, height, width = _image(shape)
        return TensorType((BATCH, channels, height, width))
    return TensorType((BATCH, *shape[1:]), "int" if dtype.kind in "iu" else "float")


def target_type(shape: tuple[int, ...], dtype: np.dtype) -> TensorType:
    """Return the type that ``target_of`` gives, without its classes."""
    if dtype == np.uint8 and len(shape) == 4:
        return input_type(shape, dtype)
    sample = () if dtype.kind not in "fb" and shape[1:] == (1,) else shape[1:]
    if dtype.kind == "f":
        return TensorType((BATCH, *(sample or (1,))))
    return TensorType((BATCH, *sample), "int")


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of images (n, h, w), (n, h, w, c) or (n, c, h, w)."""
    if len(shape) == 3:
        return 1, *shape[1:]
    if shape[3] in _CHANNELS and shape[1] not in _CHANNELS:
        return shape[3], shape[1], shape[2]
    return shape[1:]


def _find(headers: dict, name: str, file: str) -> tuple[tuple[int, ...], np.dtype]:
    if name not in headers:
        raise DataError(f"{file} has no array {name!r}; it has {', '.join(headers) or 'none'}.")
    shape, dtype = headers[name]
    if dtype.kind not in "fiubUS":
        raise DataError(f"{file}: array {name!r} holds {dtype}; expected numbers or class names.")
    if not shape or not prod(shape):
        raise DataError(
            f"{file}: array {name!r} has the shape {shape}; expected samples first, at least one."
        )
    return shape, dtype


@lru_cache(maxsize=8)
def _headers(stamp: tuple[str, int, int]) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """The shape and dtype of every array in a file, by name."""
    path = Path(stamp[0])
    found: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as member:
                        found[info.filename[:-4]] = _header(member, info, path.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise DataError(
            f"{path.name} is no NPZ file, or it is damaged; expected what numpy.savez writes."
        ) from None
    return found


def _header(member: zipfile.ZipExtFile, info: zipfile.ZipInfo, file: str) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    # A header may lie about the size: numpy would reserve what it claims before reading a single value.
    size = prod(shape) * dtype.itemsize
    if not dtype.hasobject and (size != info.file_size - member.tell() or size > LARGEST):
        raise DataError(f"{file}: {info.filename} claims {size:,} bytes; it is damaged or too large.")
    return shape, dtype


def read_arrays(
    path: str, input: str, target: str
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """Return inputs, targets or None, the classes' names, and which samples were left out.

    Images of bytes become (n, c, h, w) floats from 0 to 1; whole numbers stay class or token indices. Raises
    DataError for a missing array, unequal lengths, pickled objects and damaged files.
    """
    stamp = file_stamp(path)
    name = Path(path).name
    headers = _headers(stamp)
    for each in (input, target) if target else (input,):
        _find(headers, each, name)
    x = _read(stamp, input)
    y = _read(stamp, target) if target else None
    return usable(name, x, y, (f"array {input!r}", f"array {target!r}"))


def usable(
    name: str, x: np.ndarray, y: np.ndarray | None, called: tuple[str, str]
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """Return inputs, targets or None, classes and what was left out; ``called`` are their names in messages.

    Raises DataError as ``read_arrays`` does.
    """
    check_lengths(name, x, y, called)
    x = input_of(x, f"{name}: {called[0]}")
    y, classes = (None, ()) if y is None else target_of(y, f"{name}: {called[1]}")
    good = finite(x) if y is None else finite(x) & finite(y)
    if good.all():
        return x, y, classes, ()
    if not good.any():
        raise DataError(f"{name}: every sample holds a number that is not finite.")
    bad = np.flatnonzero(~good)
    listed = ", ".join(map(str, bad[:10])) + (" ..." if len(bad) > 10 else "")
    skipped = f"{len(bad):,} samples hold numbers that are not finite: {listed}."
    return x[good], None if y is None else y[good], classes, (skipped,)


def check_lengths(name: str, x: Sized, y: Sized | None, called: tuple[str, str]) -> None:
    """Raise DataError if there are not as many targets as inputs."""
    if y is not None and len(x) != len(y):
        raise DataError(
            f"{name}: {called[0]} has {len(x):,} samples, {called[1]} has {len(y):,}; expected as many."
        )


def finite(values: np.ndarray) -> np.ndarray:
    """Return which samples (n,) hold finite numbers alone."""
    return np.isfinite(values).reshape(len(values), -1).all(1)


def input_of(x: np.ndarray, where: str) -> np.ndarray:
    """Return inputs as floats, images of bytes from 0 to 1 with their channels first, or as whole numbers."""
    if x.dtype.kind in "US":
        raise DataError(f"{where} holds words; expected numbers.")
    if x.dtype == np.uint8 and x.ndim in (3, 4):
        shape = (len(x), *_image(x.shape))
        if x.ndim == 4 and x.shape != shape:
            x = x.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(x.reshape(shape)).astype(np.float32) / np.float32(255)
    return x.astype(np.int64 if x.dtype.kind in "iu" else np.float32)


def target_of(y: np.ndarray, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return targets, and the classes' names where they are one class index for each sample."""
    if y.dtype == np.uint8 and y.ndim == 4:
        return input_of(y, where), ()
    if y.dtype.kind == "f":
        y = y.astype(np.float32)
        return (y[:, None] if y.ndim == 1 else y), ()
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim > 1:
        if y.dtype.kind in "US":
            raise DataError(f"{where} holds words in {y.ndim} dimensions; expected one for each sample.")
        return y.astype(np.int64), ()
    levels, codes = np.unique(y, return_inverse=True)
    if y.dtype.kind in "iub" and levels[0] >= 0 and levels[-1] < max(2 * len(levels), 16):
        return y.astype(np.int64), tuple(str(n) for n in range(int(levels[-1]) + 1))
    names = [
        each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in levels.tolist()
    ]
    return codes.astype(np.int64), tuple(names)
