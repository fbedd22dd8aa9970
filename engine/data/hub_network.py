"""The rows of a set of the hub as blocks that are read over the network, a row group of Parquet each.

Nothing of it is kept: a range of bytes is asked for when it is needed, and of the columns that are chosen
only. Which rows are of no use is known no sooner than they are read, and reading all of them first would be a
download; so in the place of such a row the one before it is given again.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine.data import patience
from engine.data.features import Reader
from engine.data.hub_cache import MISSING, Record, RemoteFile
from engine.data.hub_client import INDEX, PATIENCE, Request
from engine.data.hub_stream import read_rows, row_bytes
from engine.data.parquet_files import tables_of
from engine.data.stream import PIECE, Piece
from engine.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between the attempts to read a range."""

BUFFER = 4 << 20
"""Bytes of a column that are asked for at once."""

WRONG = 20
"""One row of so many in a piece may be of no use, or two of a small one."""

_BUSY = (408, 429, 500, 502, 503, 504)


class RemoteRange(io.RawIOBase):
    """A file of the hub that is read by ranges of bytes; ``origin`` is owner/name@commit."""

    def __init__(self, origin: str, path: str, size: int):
        self._origin, self._path, self._size = origin, path, size
        self._at = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any place of it can be."""
        return True

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place and return it."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: bytearray) -> int:
        """Fill a buffer from the present place on and return the bytes read. Raises DataError."""
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self._size)
        if self._at >= end:
            return 0
        data = self._read(self._at, end)
        view[: len(data)] = data
        self._at = end
        return len(data)

    def _read(self, start: int, end: int) -> bytes:
        for pause in (*PAUSES, None):
            try:
                return self._ask(start, end)
            except ImportError:
                raise DataError(MISSING) from None
            except Exception as error:  # the client for HTTP is another library from one version to the next
                kind, again = _kind(error)
                if not again or pause is None:
                    text = str(error).strip().partition("\n")[0] or type(error).__name__
                    name = self._origin.partition("@")[0]
                    raise DataError(Request(INDEX, name).reason(kind, text)) from None
            patience.wait(pause)
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, start: int, end: int) -> bytes:
        from huggingface_hub import constants, get_session, hf_hub_url
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        name, _, commit = self._origin.partition("@")
        endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
        url = hf_hub_url(name, self._path, repo_type="dataset", revision=commit, endpoint=endpoint)
        asked = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        answer = get_session().get(url, headers=build_hf_headers() | asked, timeout=PATIENCE)
        hf_raise_for_status(answer)
        data = answer.content if answer.status_code == 206 else answer.content[start:end]
        if len(data) != end - start:
            raise ConnectionResetError(f"{len(data):,} bytes came instead of {end - start:,}")
        return data


def _kind(error: Exception) -> tuple[str, bool]:
    """What kind of failure it is, and whether another attempt may help."""
    from huggingface_hub import errors

    if any(base.__name__ == "TransportError" for base in type(error).__mro__):
        return "network", True
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "network", False
    if isinstance(error, ConnectionError):
        return "network", True
    if isinstance(error, errors.GatedRepoError):
        return "gated", False
    if isinstance(error, errors.RepositoryNotFoundError):
        return "missing", False
    if isinstance(error, errors.HfHubHTTPError):
        return "hub", error.response.status_code in _BUSY
    return "other", False


@lru_cache(maxsize=4096)
def footer(origin: str, path: str, size: int) -> pq.FileMetaData:
    """Return what the end of a Parquet file says about it, asked for once. Raises DataError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(RemoteRange(origin, path, size))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} of {origin} is no Parquet file, or it is damaged: {error}.") from None


def read_group(
    origin: str, file: RemoteFile, group: int, columns: Sequence[str], rows: int
) -> Iterator[pa.Table]:
    """Give the rows of a row group, exactly so many at a time but for the last. Raises DataError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    options = {"metadata": footer(origin, file.path, file.size), "buffer_size": BUFFER, "pre_buffer": False}
    try:
        with pq.ParquetFile(RemoteRange(origin, file.path, file.size), **options) as source:
            batches = source.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False)
            yield from tables_of(batches, rows)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file.path} of {origin} cannot be read: {error}.") from None


class NetworkBlocks:
    """Parts of a set, one behind the other; ``readers`` are by the names of the fields."""

    sure = True
    far = True
    """Reading all of it takes long, so it is done for training alone."""

    def __init__(
        self,
        record: Record,
        parts: Mapping[str, str],
        most: int | None,
        columns: Mapping[str, str],
        readers: Mapping[str, Reader],
    ):
        """``parts`` says of each part whether it is ``train`` or ``validation``, ``columns`` are by field."""
        self._record, self._parts, self._columns, self._readers = record, parts, columns, readers
        self.piece = max(PIECE // row_bytes(readers), 16)
        self._blocks: list[tuple[str, RemoteFile, int, int]] = []
        self.sizes: list[int] = []
        for part in parts:
            start, rows = 0, record.parts[part].rows if most is None else most
            for file in record.parts[part].remote:
                for group, count in enumerate(file.groups):
                    if size := min(count, rows - start):
                        self._blocks.append((part, file, group, start))
                        self.sizes.append(size)
                        start += size

    def read(self, block: int, place: int = 0, wanted: Sequence[np.ndarray] | None = None) -> Iterator[Piece]:
        """Give the pieces of a row group from one on; those before have to be read too."""
        _, file, group, _ = self._blocks[block]
        names = list(dict.fromkeys(self._columns.values()))
        tables = read_group(self._record.origin, file, group, names, self.piece)
        pieces = -(-self.sizes[block] // self.piece)
        for number, table in enumerate(islice(tables, pieces)):
            if number >= place:
                rows = table.slice(0, self.sizes[block] - number * self.piece)
                where = f"{self._record.name}, {self.where(block, number * self.piece)}"
                yield Piece(self._values(rows, where), np.arange(len(rows)))

    def _values(self, rows: pa.Table, where: str) -> dict[str, np.ndarray]:
        good, values, reasons = read_rows(self._readers, self._columns, rows)
        usable, bad = np.flatnonzero(good), np.flatnonzero(~good)
        if not len(bad):
            return values
        if not len(usable) or len(bad) > max(len(good) // WRONG, 2):
            raise DataError(
                f"{where}: {len(bad):,} of the next {len(good):,} rows cannot be used, such as"
                f" {reasons[int(bad[0])]}. Set the reading to stream: it is downloaded then, and such"
                " rows are left out."
            )
        source = np.arange(len(good))
        source[bad] = usable[np.maximum(np.searchsorted(usable, bad) - 1, 0)]
        return {name: each[source] for name, each in values.items()}

    def given(self) -> np.ndarray | None:
        """Return what each row is for, where a part is held out."""
        if len(self._parts) == 1:
            return None
        held = [self._parts[part] != "train" for part, *_ in self._blocks]
        return np.repeat(np.array(held, np.int8), self.sizes)

    def splitting(self) -> None:
        """Return that no column says it."""

    def where(self, block: int, row: int) -> str:
        """Return the part and the number of a row in it."""
        part, _, _, start = self._blocks[block]
        return f"{part}, row {start + row + 1:,}"
