"""Parquet files as row groups, one after the other, of one file or of several that are one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.table import file_stamp
from engine.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Stamp = tuple[str, int, int]

ENDINGS = (".parquet", ".pq")

BUFFER = 1 << 16
"""Bytes of a column that are read at once. A row group may be larger than memory: it is read page by page."""


@lru_cache(maxsize=64)
def _opened(stamp: Stamp) -> pq.FileMetaData:
    """What the end of a file says about it; raises DataError for what is no Parquet."""
    name = Path(stamp[0]).name
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(f"{name}: reading Parquet needs pyarrow; pip install 'netwright[parquet]'.") from None
    try:
        return pq.read_metadata(stamp[0])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name} is no Parquet file, or it is damaged: {_brief(error)}.") from None


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:200] if str(error) else type(error).__name__


def beside(path: str) -> list[str]:
    """Return the Parquet files in a file's folder, itself among them, in the order of the alphabet."""
    folder = Path(file_stamp(path)[0]).parent
    return sorted(str(each) for each in folder.iterdir() if each.suffix.lower() in ENDINGS and each.is_file())


@dataclass(frozen=True)
class Files:
    """Files that are one table together."""

    stamps: tuple[Stamp, ...]

    @property
    def name(self) -> str:
        """What messages call them."""
        more = len(self.stamps) - 1
        return Path(self.stamps[0][0]).name + (f" and {more} more" if more else "")

    @cached_property
    def _groups(self) -> list[tuple[Stamp, int, int, int]]:
        """Of each row group with rows its file, its number in it, its rows and its bytes."""
        found = []
        for stamp in self.stamps:
            metadata = _opened(stamp)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                if group.num_rows:
                    found.append((stamp, number, group.num_rows, group.total_byte_size))
        if not found:
            raise DataError(f"{self.name} holds no row.")
        return found

    @cached_property
    def sizes(self) -> list[int]:
        """The rows of each row group."""
        return [rows for _, _, rows, _ in self._groups]

    @property
    def bytes(self) -> int:
        """The bytes of everything without compression."""
        return sum(size for _, _, _, size in self._groups)

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns; raises DataError if two are alike, or if the files do not go together."""
        first, *others = (_opened(stamp).schema.to_arrow_schema() for stamp in self.stamps)
        file = Path(self.stamps[0][0]).name
        if len(first.names) != len(set(first.names)):
            double = next(name for name in first.names if first.names.count(name) > 1)
            raise DataError(f"{file} has two columns {double!r}; expected different names.")
        for stamp, schema in zip(self.stamps[1:], others, strict=True):
            if not schema.equals(first):
                odd = [each.name for each in first if each.name not in schema.names]
                odd += [each.name for each in schema if each.name not in first.names]
                odd += (
                    [each.name for each in first if schema.field(each.name).type != each.type]
                    if not odd
                    else []
                )
                other = Path(stamp[0]).name
                raise DataError(f"{other} and {file} differ in {', '.join(odd[:5])}; expected one table.")
        return first.names

    def batches(self, groups: Sequence[int], names: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Give the rows of row groups, exactly so many at a time but for the last.

        Raises DataError where a file cannot be read.
        """
        yield from tables_of((batch for group in groups for batch in self._read(group, names, rows)), rows)

    def _read(self, group: int, names: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        stamp, number, _, _ = self._groups[group]
        options = {"metadata": _opened(stamp), "buffer_size": BUFFER, "pre_buffer": False}
        try:
            with pq.ParquetFile(stamp[0], **options) as file:
                yield from file.iter_batches(
                    rows, row_groups=[number], columns=list(names), use_threads=False
                )
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{Path(stamp[0]).name} cannot be read: {_brief(error)}.") from None

    def where(self, block: int, row: int) -> str:
        """Return in words where a row of a row group stands."""
        stamp = self._groups[block][0]
        first = next(at for at, each in enumerate(self._groups) if each[0] == stamp)
        number = sum(self.sizes[first:block]) + row + 1
        return f"{Path(stamp[0]).name}, row {number:,}" if len(self.stamps) > 1 else f"Row {number:,}"


def tables_of(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Give the rows of batches, exactly so many at a time but for the last."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows)
            waiting, count = table.slice(rows).to_batches(), count - rows
    if count:
        yield pa.Table.from_batches(waiting)
