"""Tables in Parquet, in memory or streamed; read by pyarrow, which is imported when the first is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.data.columns import Choices, Column, Recipe, make_recipe, widened
from engine.data.scan import READING, make_stream, streams
from engine.data.source import Dataset, Field, Source
from engine.data.stream import PIECE, Piece, Stream
from engine.data.table import Table, file_stamp
from engine.data.tabular import PORTS, TABLE, TARGET, encoded, load_whole, stem, types_of_recipe
from engine.errors import DataError
from engine.layers.declaration import TensorType
from engine.layers.params import File, Value

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SAMPLE = 32_000_000
"""Bytes of the rows, spread over the file, by which its columns are judged."""

EVERY = 50_000_000
"""Rows of a column that are looked at to find all of its words or classes."""

Stamp = tuple[str, int, int]


@lru_cache(maxsize=4)
def _opened(stamp: Stamp) -> pq.FileMetaData:
    """What the end of the file says about it; raises DataError for what is no Parquet."""
    name = Path(stamp[0]).name
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(f"{name}: reading Parquet needs pyarrow; pip install 'netwright[parquet]'.") from None
    try:
        metadata = pq.read_metadata(stamp[0])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name} is no Parquet file, or it is damaged: {_brief(error)}.") from None
    if not metadata.num_rows:
        raise DataError(f"{name} holds no row.")
    return metadata


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:200] if str(error) else type(error).__name__


def _file(stamp: Stamp) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    # A row group may be larger than memory: it is read through a small buffer, page after page.
    return pq.ParquetFile(stamp[0], metadata=_opened(stamp), buffer_size=1 << 16, pre_buffer=False)


def _batches(
    stamp: Stamp, groups: Sequence[int], names: Sequence[str], rows: int
) -> Iterator[pa.RecordBatch | pa.Table]:
    """Give the rows of row groups, exactly so many at a time but for the last."""
    import pyarrow as pa

    try:
        with _file(stamp) as file:
            waiting: list[pa.RecordBatch] = []
            count = 0
            for batch in file.iter_batches(
                rows, row_groups=list(groups), columns=list(names), use_threads=False
            ):
                if not waiting and batch.num_rows == rows:
                    yield batch
                    continue
                waiting.append(batch)
                count += batch.num_rows
                while count >= rows:
                    table = pa.Table.from_batches(waiting)
                    yield table.slice(0, rows)
                    waiting, count = table.slice(rows).to_batches(), count - rows
            if count:
                yield pa.Table.from_batches(waiting)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{Path(stamp[0]).name} cannot be read: {_brief(error)}.") from None


def column_of(name: str, values: pa.Array | pa.ChunkedArray, width: int = 0) -> Column:
    """Return a column of Arrow as numbers, words or vectors, of a width that is given or the usual one.

    Times become seconds.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return Column(name, words=values.fill_null("").to_numpy(zero_copy_only=False).astype(object))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _vectors(name, values, width)
    numbers = _numbers(values)
    if numbers is None:
        return Column(name, words=np.full(len(values), "", object), odd=f"it holds {kind}")
    return Column(name, numbers)


def _numbers(values: pa.Array) -> np.ndarray | None:
    """Numbers, NaN where there is none; None for what holds no numbers."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if pa.types.is_date(kind):
        values = values.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("us", kind.tz if pa.types.is_timestamp(kind) else None), safe=False)
        return np.asarray(values.cast(pa.int64()).to_numpy(zero_copy_only=False), np.float64) / 1e6
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    if pa.types.is_float32(kind):
        return values.to_numpy(zero_copy_only=False)
    return values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _vectors(name: str, values: pa.Array, width: int) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.list_value_length(values)
    if not width and len(known := lengths.drop_null()):
        width = int(pc.mode(known)[0].as_py()["mode"])
    flat = _numbers(pc.list_flatten(values)) if not pa.types.is_nested(values.type.value_type) else None
    if flat is None or not width:
        return Column(name, words=np.full(len(values), "", object), odd=f"it holds {values.type}")
    sizes = lengths.fill_null(0).to_numpy(zero_copy_only=False)
    found = np.full((len(values), width), np.inf)
    found[lengths.is_null().to_numpy(zero_copy_only=False)] = np.nan
    right = sizes == width
    starts = np.cumsum(sizes) - sizes
    found[right] = flat[starts[right][:, None] + np.arange(width)]
    return Column(name, found, shows=lambda row: str(values[row].as_py()))


def _columns(
    part: pa.RecordBatch | pa.Table, names: Sequence[str], widths: Mapping[str, int] | None = None
) -> dict[str, Column]:
    widths = widths or {}
    return {name: column_of(name, part.column(name), widths.get(name, 0)) for name in names}


def _names(stamp: Stamp) -> list[str]:
    names = _opened(stamp).schema.to_arrow_schema().names
    if len(names) != len(set(names)):
        double = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{Path(stamp[0]).name} has two columns {double!r}; expected different names.")
    return names


def _sizes(stamp: Stamp) -> list[int]:
    metadata = _opened(stamp)
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def _bytes(stamp: Stamp) -> int:
    """The bytes of the whole table without compression."""
    metadata = _opened(stamp)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))


def _read_all(stamp: Stamp) -> Table:
    import pyarrow as pa

    names = _names(stamp)
    parts = [_split(part) for part in _batches(stamp, range(len(_sizes(stamp))), names, 1 << 16)]
    whole = pa.Table.from_batches([batch for part in parts for batch in part])
    return Table(tuple(_columns(whole, names).values()), _Places())


class _Places(Sequence[str]):
    """Rows have no place in a file but their number."""

    def __getitem__(self, row: int) -> str:
        return f"Row {row + 1:,}"

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def recipe_of(stamp: Stamp, chosen: Choices) -> Recipe:
    """Return how a file's columns are used: judged by rows spread over it, with all words that occur."""
    import pyarrow as pa

    file, names, sizes = Path(stamp[0]).name, _names(stamp), _sizes(stamp)
    rows = max(SAMPLE // (8 * max(len(names), 1)), 1000)
    whole = sum(sizes) <= rows
    groups = range(len(sizes)) if whole else _spread(sizes, rows // 4)
    each = rows if whole else max(rows // len(groups), 1)
    parts = [next(_batches(stamp, [group], names, each)) for group in groups]
    sample = _columns(pa.Table.from_batches([b for part in parts for b in _split(part)]), names)
    recipe = make_recipe(file, tuple(sample.values()), chosen)
    if whole:
        return recipe
    return widened(recipe, lambda name: _every(stamp, sizes, name), chosen.task)


def _split(part: pa.RecordBatch | pa.Table) -> list[pa.RecordBatch]:
    import pyarrow as pa

    return part.to_batches() if isinstance(part, pa.Table) else [part]


def _spread(sizes: Sequence[int], rows: int) -> list[int]:
    """Row groups spread evenly, as many as have so many rows."""
    count = min(max(rows * len(sizes) // max(sum(sizes), 1), 1), len(sizes), 64)
    return np.unique(np.linspace(0, len(sizes) - 1, count).astype(int)).tolist()


def _every(stamp: Stamp, sizes: Sequence[int], name: str) -> Iterator[Column]:
    """A whole column in parts; of a very long file, row groups spread evenly."""
    groups = range(len(sizes)) if sum(sizes) <= EVERY else _spread(sizes, EVERY)
    for batch in _batches(stamp, groups, [name], 1 << 18):
        yield column_of(name, batch.column(0))


class ParquetBlocks:
    """The row groups of a file."""

    sure = False

    def __init__(self, stamp: Stamp, recipe: Recipe):
        self._stamp, self._recipe = stamp, recipe
        self.sizes = _sizes(stamp)
        self.piece = max(PIECE // (4 * len(recipe.columns)), 64)
        self._starts = np.cumsum([0, *self.sizes])

    def read(self, block: int, place: int, wanted: object = None) -> Iterator[Piece]:
        """Give the pieces of a row group from one on; those before have to be read too."""
        names = self._recipe.names
        widths = {part.name: part.width for part in (*self._recipe.features, self._recipe.target)}
        for number, batch in enumerate(_batches(self._stamp, [block], names, self.piece)):
            if number >= place:
                rows = self._recipe.encode(_columns(batch, names, widths))
                arrays = {"features": rows.features, "target": rows.target}
                yield Piece(arrays, rows.rows, rows.reasons, rows.by, rows.missing)

    def splitting(self) -> np.ndarray | None:
        """Return the split column."""
        if not self._recipe.by:
            return None
        parts = [
            column.words if column.numbers is None else column.numbers
            for column in _every(self._stamp, self.sizes, self._recipe.by)
        ]
        values = np.concatenate(parts)
        return values[values != ""] if values.dtype == object else values[~np.isnan(values)]

    def where(self, block: int, row: int) -> str:
        """Return the number of a row in the file."""
        return f"Row {int(self._starts[block]) + row + 1:,}"


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    return types_of_recipe(recipe_of(file_stamp(p["path"]), Choices.of(p)))


def _load(p: Mapping[str, Value]) -> Dataset | Stream:
    stamp = file_stamp(p["path"])
    recipe = recipe_of(stamp, Choices.of(p))
    if not streams(p, 3 * _bytes(stamp)):
        return load_whole(p, encoded(_read_all(stamp), recipe))
    classes = recipe.classes
    fields = {
        "features": Field(np.zeros((1, len(recipe.columns)), np.float32), columns=recipe.columns),
        "target": Field(
            np.zeros(1, np.int64) if classes else np.zeros((1, recipe.target.width), np.float32), classes
        ),
    }
    scaled = ("features", "target")
    return make_stream(p, ParquetBlocks(stamp, recipe), fields, recipe.left_out, scaled)


parquet = Source(
    "Parquet",
    doc="A table from a Parquet file: one column is the target, all others are features; one that is larger"
    " than memory is read again while it is used.",
    inputs=(),
    outputs=PORTS,
    params=(
        File(
            name="path",
            default="",
            patterns=("*.parquet", "*.pq"),
            label="File",
            doc="The table; lists of numbers are as many columns.",
        ),
        *TARGET,
        READING,
        *TABLE,
    ),
    types=_types,
    load=_load,
    summary=lambda p: stem(p["path"]),
    title="Parquet table",
    prefix="table",
    synonyms=("parquet", "arrow", "pandas", "spark", "columns", "large", "stream", "file", "own data"),
)
