"""Tables in Parquet, in memory or streamed; read by pyarrow, which is imported when the first is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.data.columns import Column
from engine.data.parquet_files import Files, beside
from engine.data.recipe import Choices, Recipe, make_recipe, widened
from engine.data.scan import READING, make_stream, streams
from engine.data.source import Dataset, Field, Source
from engine.data.stream import PIECE, Piece, Stream
from engine.data.table import Table, file_stamp
from engine.data.tabular import PORTS, TABLE, TARGET, encoded, load_whole, stem, types_of_recipe
from engine.layers.declaration import TensorType
from engine.layers.params import Bool, File, Value

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 32_000_000
"""Bytes of the rows, spread over the table, by which its columns are judged."""

EVERY = 50_000_000
"""Rows of a column that are looked at to find all of its words or classes."""


def column_of(name: str, values: pa.Array | pa.ChunkedArray, width: int = 0) -> Column:
    """Return a column of Arrow as numbers, words or vectors, of a width that is given or the usual one.

    Times become seconds.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
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
    part: pa.Table, names: Sequence[str], widths: Mapping[str, int] | None = None
) -> dict[str, Column]:
    widths = widths or {}
    return {name: column_of(name, part.column(name), widths.get(name, 0)) for name in names}


def _read_all(files: Files) -> Table:
    import pyarrow as pa

    whole = pa.concat_tables(files.batches(range(len(files.sizes)), files.names, 1 << 16))
    return Table(tuple(_columns(whole, files.names).values()), _Places())


class _Places(Sequence[str]):
    """Rows have no place in a file but their number."""

    def __getitem__(self, row: int) -> str:
        return f"Row {row + 1:,}"

    def __len__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def recipe_of(files: Files, chosen: Choices) -> Recipe:
    """Return how a table's columns are used: judged by rows spread over it, with all words that occur."""
    import pyarrow as pa

    names, sizes = files.names, files.sizes
    rows = max(SAMPLE // (8 * max(len(names), 1)), 1000)
    whole = sum(sizes) <= rows
    groups = range(len(sizes)) if whole else _spread(sizes, rows // 4)
    each = rows if whole else max(rows // len(groups), 1)
    sample = pa.concat_tables(next(files.batches([group], names, each)) for group in groups)
    recipe = make_recipe(files.name, tuple(_columns(sample, names).values()), chosen)
    return recipe if whole else widened(recipe, lambda name: _every(files, name), chosen.task)


def _spread(sizes: Sequence[int], rows: int) -> list[int]:
    """Row groups spread evenly, as many as have so many rows."""
    count = min(max(rows * len(sizes) // max(sum(sizes), 1), 1), len(sizes), 64)
    return np.unique(np.linspace(0, len(sizes) - 1, count).astype(int)).tolist()


def _every(files: Files, name: str) -> Iterator[Column]:
    """A whole column in parts; of a very long one, row groups spread evenly."""
    groups = range(len(files.sizes)) if sum(files.sizes) <= EVERY else _spread(files.sizes, EVERY)
    for batch in files.batches(groups, [name], 1 << 18):
        yield column_of(name, batch.column(0))


class ParquetBlocks:
    """The row groups of files."""

    sure = False

    def __init__(self, files: Files, recipe: Recipe):
        self._files, self._recipe = files, recipe
        self.sizes = files.sizes
        self.piece = max(PIECE // (4 * len(recipe.columns)), 64)

    def read(self, block: int, place: int, wanted: object = None) -> Iterator[Piece]:
        """Give the pieces of a row group from one on; those before have to be read too."""
        names = self._recipe.names
        widths = {part.name: part.width for part in (*self._recipe.features, self._recipe.target)}
        for number, batch in enumerate(self._files.batches([block], names, self.piece)):
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
            for column in _every(self._files, self._recipe.by)
        ]
        values = np.concatenate(parts)
        return values[values != ""] if values.dtype == object else values[~np.isnan(values)]

    def where(self, block: int, row: int) -> str:
        """Return the number of a row in its file."""
        return self._files.where(block, row)


def _beside(p: Mapping[str, Value]) -> list[str]:
    return beside(p["path"]) if p["together"] else []


def _files(p: Mapping[str, Value]) -> Files:
    return Files(tuple(map(file_stamp, _beside(p) or [p["path"]])))


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    return types_of_recipe(recipe_of(_files(p), Choices.of(p)))


def _load(p: Mapping[str, Value]) -> Dataset | Stream:
    files = _files(p)
    recipe = recipe_of(files, Choices.of(p))
    if not streams(p, 3 * files.bytes):
        return load_whole(p, encoded(_read_all(files), recipe))
    classes = recipe.classes
    fields = {
        "features": Field(np.zeros((1, len(recipe.columns)), np.float32), columns=recipe.columns),
        "target": Field(
            np.zeros(1, np.int64) if classes else np.zeros((1, recipe.target.width), np.float32), classes
        ),
    }
    scaled = ("features", "target")
    return make_stream(p, ParquetBlocks(files, recipe), fields, recipe.left_out, scaled)


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
        Bool(
            name="together",
            default=False,
            label="All in its folder",
            doc="Read all Parquet files of the folder, in the order of their names, as one table.",
        ),
        *TARGET,
        READING,
        *TABLE,
    ),
    types=_types,
    load=_load,
    also=_beside,
    summary=lambda p: stem(p["path"]),
    title="Parquet table",
    prefix="table",
    synonyms=("parquet", "arrow", "pandas", "spark", "columns", "large", "stream", "file", "own data"),
)
