"""Files of tables: their stamps, and the columns of a text with separators."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.data.columns import Column, from_cells, number_in
from engine.errors import DataError

LARGEST = 500_000_000
"""Bytes of a table that is read in one piece."""


@dataclass(frozen=True)
class Table:
    """The columns of a file and, in words, where each row stands; ``skipped`` are lines that are no rows."""

    columns: tuple[Column, ...]
    places: Sequence[str]
    skipped: tuple[str, ...] = ()


def file_stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file changes: full path, time of change, size.

    Raises DataError if there is no such file.
    """
    full, status = _status(path, "file")
    if not full.is_file():
        raise DataError(f"{path} is a folder; choose a file.")
    return str(full), status.st_mtime_ns, status.st_size


def folder_stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file in a folder or in its folders does: path, newest change, sum of sizes.

    Raises DataError if there is no such folder.
    """
    full, status = _status(path, "folder")
    if not full.is_dir():
        raise DataError(f"{path} is a file; choose a folder.")
    found = [status, *(each.stat() for pattern in ("*", "*/*") for each in full.glob(pattern))]
    return str(full), max(each.st_mtime_ns for each in found), sum(each.st_size + 1 for each in found)


def _status(path: str, kind: str) -> tuple[Path, os.stat_result]:
    if not path:
        raise DataError(f"Choose a {kind}.")
    try:
        full = Path(path).expanduser().resolve()
        return full, full.stat()
    except (OSError, ValueError, RuntimeError) as error:
        reason = f"there is no such {kind}" if isinstance(error, FileNotFoundError) else str(error)
        raise DataError(f"{path} cannot be read: {reason}.") from None


def read_separated(path: str, header: str = "auto") -> Table:
    """Return the columns of a file of comma, semicolon or tab separated values.

    Rows that do not have a value for each column are left out and listed in ``skipped``. Raises DataError
    that names the file and what was expected where nothing useful is left.
    """
    return _read(file_stamp(path), header)


@lru_cache(maxsize=1)
def _read(stamp: tuple[str, int, int], header: str) -> Table:
    path = Path(stamp[0])
    check_size(stamp)
    rows, comma = _rows(text_of(path), path.name)
    names, rows = _header(rows, header)
    skipped: list[str] = []
    rows = _complete(rows, names, skipped)
    if not rows:
        raise DataError(f"{path.name} holds no row of {len(names)} values. {' '.join(skipped[:1])}".strip())
    cells = zip(*(row for _, row in rows), strict=True)
    columns = tuple(
        from_cells(name, column, comma) for name, column in zip(unlike(names), cells, strict=True)
    )
    return Table(columns, [f"Line {line}" for line, _ in rows], tuple(skipped))


def check_size(stamp: tuple[str, int, int]) -> None:
    """Raise DataError for a file that is too large to be read in one piece."""
    if stamp[2] > LARGEST:
        raise DataError(
            f"{Path(stamp[0]).name} has {stamp[2]:,} bytes; at most {LARGEST:,} are read as text."
            " As Parquet a table may be larger than memory."
        )


def unlike(names: Sequence[str]) -> list[str]:
    """Return names, each once: the second of equal ones gets a number."""
    found: dict[str, None] = {}
    for name in names:
        number, other = 2, name
        while other in found:
            number, other = number + 1, f"{name} {number}"
        found[other] = None
    return list(found)


def text_of(path: Path, expected: str = "comma separated values") -> str:
    """Return a text file in UTF-8, UTF-16 or Windows-1252; raises DataError for what is no text."""
    data = path.read_bytes()
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(f"{path.name} is not a text file; expected {expected} in UTF-8.")


def _rows(text: str, name: str) -> tuple[list[tuple[int, list[str]]], str]:
    """The rows with the number of the line on which each ends, and the decimal sign."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [
            (reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: not a table ({error}).") from None
    if not rows:
        raise DataError(f"{name} is empty; expected a row of column names and rows of values.")
    return rows, "," if delimiter == ";" else "."


def _header(rows: list, header: str) -> tuple[list[str], list]:
    first = rows[0][1]
    named = header == "yes" or (header == "auto" and all(number_in(cell) is None for cell in first))
    names = [cell if named and cell else f"column {place}" for place, cell in enumerate(first, 1)]
    return names, rows[1:] if named else rows


def _complete(rows: list, names: list[str], skipped: list[str]) -> list:
    kept = []
    for line, row in rows:
        if len(row) == len(names):
            kept.append((line, row))
        else:
            skipped.append(f"Line {line}: expected {len(names)} values, {len(row)} came.")
    return kept
