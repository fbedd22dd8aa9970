"""From a column of Arrow rows to a field: images, classes, numbers, lists of numbers, text, sound.

A column says what it is as the library ``datasets`` writes it: ``{"_type": "ClassLabel", "names": [...]}``.
"""

from __future__ import annotations

import io
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.hub_cache import cache_folder
from engine.data.images import MODES, read_image
from engine.data.sound import read_sound, sound_shape
from engine.data.tokens import PADDING, UNKNOWN, make_vocabulary, padded
from engine.errors import DataError
from engine.layers.declaration import BATCH, TensorType
from engine.layers.params import Value

if TYPE_CHECKING:
    import pyarrow as pa

WORDS, CLASSES = 50, 20
"""Different words, and different whole numbers, of a column that still look like classes."""

READ = 50_000_000
"""Letters of a column from which a vocabulary is made."""

_STEP, _LOOKED_AT, _SURE = 10_000, 1_000, 5_000_000
Bad = dict[int, str]
Read = Callable[["pa.ChunkedArray"], tuple[np.ndarray, Bad]]


@dataclass(frozen=True)
class Reader:
    """How a column is read: the type of its field, the classes' names, and what turns rows into values.

    ``read`` returns values for every row of a slice and says of which rows nothing could be made, and why.
    """

    type: TensorType
    classes: tuple[str, ...]
    read: Read
    sure: bool = False
    """Whether something can be made of every row."""


@dataclass(frozen=True)
class Kind:
    """A kind of column: how its feature is told in words, and how a reader is made for all its rows."""

    says: Callable[[Mapping[str, Any]], str]
    reader: Callable[[Mapping[str, Any], Any, Mapping[str, Value], str], Reader]


def port_name(column: str) -> str:
    """Return a column's name as that of a port, which becomes an argument in code."""
    name = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_") or "column"
    if name[0].isdigit():
        return f"column_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name == "self" else name


def says(feature: Any) -> str:
    """Return what a column holds, in a few words; empty if nothing can be made of it."""
    kind = _kind(feature)
    return kind.says(feature) if kind else ""


def reader_of(column: str, feature: Any, rows: pa.ChunkedArray, p: Mapping[str, Value]) -> Reader:
    """Return the reader of a column. Raises DataError that names it."""
    kind = _kind(feature)
    if kind is None:
        raise DataError(f"The column {column!r} is {_raw(feature)}; no field can be made of it.")
    return kind.reader(feature, rows, p, f"The column {column!r}")


def _kind(feature: Any) -> Kind | None:
    if not isinstance(feature, Mapping):
        return None
    type_ = feature.get("_type")
    if type_ == "Value":
        return next((kind for start, kind in _VALUES.items() if feature["dtype"].startswith(start)), None)
    if type_ in ("List", "LargeList", "Sequence"):
        inner = feature.get("feature")
        return _LIST if _is_number(inner) else None
    return _KINDS.get(type_)


def _is_number(feature: Any) -> bool:
    while isinstance(feature, Mapping) and feature.get("_type") in ("List", "LargeList", "Sequence"):
        feature = feature.get("feature")
    return isinstance(feature, Mapping) and feature.get("dtype", "").startswith(("int", "uint", "float"))


def _raw(feature: Any) -> str:
    if isinstance(feature, Mapping):
        return str(feature.get("dtype") or feature.get("_type") or "a group of columns")
    return "a group of columns"


def _each(read: Callable[[Any], np.ndarray], shape: tuple[int, ...]) -> Read:
    """Read row by row; what a row raises is the reason why it cannot be used."""

    def rows(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        values, bad = np.zeros((len(column), *shape), np.float32), {}
        for place, cell in enumerate(column):
            try:
                values[place] = read(cell.as_py())
            except (OSError, ValueError, SyntaxError, TypeError, DataError) as error:
                bad[place] = str(error) or type(error).__name__
        return values, bad

    return rows


def _file(cell: Any, what: str) -> io.BytesIO | Path:
    """The bytes of a cell, or its file in the library's cache, and no other file of this machine."""
    if not isinstance(cell, Mapping):
        raise DataError(f"there is no {what}")
    if cell.get("bytes"):
        return io.BytesIO(cell["bytes"])
    path = Path(cell.get("path") or "")
    if not cell.get("path") or cache_folder().parent.resolve() not in path.resolve().parents:
        raise DataError(f"there is no {what}")
    return path


def _image(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    mode, channels = MODES[p["colors"]]
    shape = (channels, p["size"], p["size"])

    def read(cell: Any) -> np.ndarray:
        return read_image(_file(cell, "image"), mode, p["size"], p["fit"])

    return Reader(TensorType((BATCH, *shape)), (), _each(read, shape))


def _audio(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    shape = sound_shape(p)

    def read(cell: Any) -> np.ndarray:
        return read_sound(_file(cell, "sound"), p)

    return Reader(TensorType((BATCH, *shape)), (), _each(read, shape))


def _label(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    names = tuple(map(str, feature["names"]))

    def read(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        values = column.fill_null(-1).to_numpy().astype(np.int64)
        outside = np.flatnonzero((values < 0) | (values >= len(names)))
        return np.clip(values, 0, None), {int(row): "it has no class" for row in outside}

    sure = len(rows) <= _SURE and not read(rows)[1]
    return Reader(TensorType((BATCH,), "int", len(names)), names, read, sure=sure)


def _levels(rows: Any, most: int) -> list[Any] | None:
    """The different values of a column in order, or None if there are more than so many."""
    found: set[Any] = set()
    for start in range(0, len(rows), _STEP):
        found.update(rows.slice(start, _STEP).unique().to_pylist())
        if len(found - {None}) > most:
            return None
    return sorted(found - {None})


def _classed(names: tuple[str, ...], levels: list[Any]) -> Reader:
    place = {level: number for number, level in enumerate(levels)}

    def read(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        numbers = [place.get(value, -1) for value in column.to_pylist()]
        bad = {row: "it has no class" for row, number in enumerate(numbers) if number < 0}
        return np.maximum(np.array(numbers, np.int64), 0), bad

    return Reader(TensorType((BATCH,), "int", len(names)), names, read)


def _whole(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    """Few different whole numbers are classes; others are numbers."""
    levels = _levels(rows, CLASSES)
    if not levels or len(levels) > max(2, len(rows) // 2):
        return _number(feature, rows, p, where)
    return _classed(tuple(map(str, levels)), levels)


def _bool(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    return _classed(("no", "yes"), [False, True])


def _number(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    def read(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        values = column.cast("float64").fill_null(np.nan).to_numpy().astype(np.float32)[:, None]
        return values, {int(row): "it is no number" for row in np.flatnonzero(~np.isfinite(values[:, 0]))}

    sure = len(rows) <= _SURE and not read(rows)[1]
    return Reader(TensorType((BATCH, 1)), (), read, sure=sure)


def _string(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    """Few different words are classes; others are texts, cut into tokens."""
    levels = _levels(rows, WORDS)
    if levels and len(levels) <= max(2, len(rows) // 2):
        return _classed(tuple(levels), levels)

    def clean(text: str | None) -> str:
        return (text or "").lower() if p["lowercase"] else (text or "")

    specials = (PADDING, UNKNOWN)
    words = make_vocabulary(list(map(clean, _some(rows))), p["tokens"], p["vocabulary"], specials, where)

    def read(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        texts = column.to_pylist()
        values = padded((words.encode(clean(text)) for text in texts), p["length"])
        return values, {
            row: "its text is empty" for row, text in enumerate(texts) if not (text or "").strip()
        }

    type_ = TensorType((BATCH, p["length"]), "int", len(words.names))
    return Reader(type_, words.names, read)


def _some(rows: Any) -> Iterator[str]:
    """The first texts of a column, so many that a vocabulary can be made."""
    letters = 0
    for start in range(0, len(rows), _STEP):
        for text in rows.slice(start, _STEP).to_pylist():
            yield text or ""
            letters += len(text or "")
            if letters > READ:
                return


def _list(feature: Mapping[str, Any], rows: Any, p: Mapping[str, Value], where: str) -> Reader:
    """Lists of one shape are arrays; whole numbers in lists of different lengths are filled up with 0."""
    whole = "float" not in str(feature)
    cells = [cell for cell in rows.slice(0, _LOOKED_AT).to_pylist() if cell]
    if not cells:
        raise DataError(f"{where} begins with empty rows; no shape can be told from them.")
    tokens = whole and not isinstance(cells[0][0], list) and len({len(cell) for cell in cells}) > 1
    try:
        first = np.asarray(cells[0], np.float64)
    except (ValueError, TypeError):
        raise DataError(f"{where} holds lists of different lengths within a row; expected arrays.") from None
    shape = (p["length"],) if tokens else first.shape
    dtype = np.int64 if whole and first.ndim == 1 else np.float32

    def read(column: pa.ChunkedArray) -> tuple[np.ndarray, Bad]:
        if not tokens and (values := _regular(column, shape)) is not None:
            return values.astype(dtype), {}
        values, bad = np.zeros((len(column), *shape), dtype), {}
        for place, cell in enumerate(column):
            given = cell.as_py()
            row = np.asarray(given or (), dtype if tokens else None)
            if given is None:
                bad[place] = "there is no list"
            elif tokens:
                values[place, : len(row)] = row[: shape[0]]
            elif row.shape == shape:
                values[place] = row
            else:
                bad[place] = f"its shape is {'×'.join(map(str, row.shape))}, not {'×'.join(map(str, shape))}"
        return values, bad

    kind = "int" if dtype is np.int64 else "float"
    return Reader(TensorType((BATCH, *shape), kind), (), read)


def _regular(column: pa.ChunkedArray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Lists that all have one shape as an array at once, or None where one has another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = column.combine_chunks()
    values = values.storage if isinstance(values, pa.ExtensionArray) else values
    for size in shape:
        if (
            values.null_count
            or not len(values)
            or not pc.all(pc.equal(pc.list_value_length(values), size)).as_py()
        ):
            return None
        values = values.flatten()
    return None if values.null_count else values.to_numpy(zero_copy_only=False).reshape(-1, *shape)


def _lengths(feature: Mapping[str, Any]) -> str:
    return "lists of whole numbers" if "float" not in str(feature) else "lists of numbers"


_KINDS = {
    "Image": Kind(lambda f: "images", _image),
    "Audio": Kind(lambda f: "sound", _audio),
    "ClassLabel": Kind(lambda f: f"{len(f['names'])} classes", _label),
} | {
    f"Array{axes}D": Kind(lambda f: f"arrays of {'×'.join(map(str, f['shape']))}", _list)
    for axes in (2, 3, 4, 5)
}
_VALUES = {
    "string": Kind(lambda f: "text", _string),
    "large_string": Kind(lambda f: "text", _string),
    "bool": Kind(lambda f: "yes or no", _bool),
    "int": Kind(lambda f: "whole numbers", _whole),
    "uint": Kind(lambda f: "whole numbers", _whole),
    "float": Kind(lambda f: "numbers", _number),
}
_LIST = Kind(_lengths, _list)
