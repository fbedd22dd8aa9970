"""Reading a table of text: what is a number, what is a word, what cannot be used, and why."""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.errors import DataError

LARGEST = 500_000_000
"""Bytes of a table that is read in one piece."""

WORDS = 50
"""Different words of a feature column that become one column each; more look like names or free text."""

CLASSES = 20
"""Different whole numbers of a target that still look like classes."""

REASONS = 100
"""Skipped rows that are listed one by one."""

_MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}


@dataclass(frozen=True)
class Table:
    """``features`` (n, d) floats; ``target`` (n,) class indices with their names, or (n, 1) floats."""

    features: np.ndarray
    target: np.ndarray
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    skipped: tuple[str, ...]


def file_stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file changes: full path, time of change, size.

    Raises DataError if there is no such file.
    """
    full, status = _status(path, "file")
    if not full.is_file():
        raise DataError(f"{path} is a folder; choose a file.")
    return str(full), status.st_mtime_ns, status.st_size


def folder_stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file in the folders of a folder does: path, newest change, sum of sizes.

    Raises DataError if there is no such folder.
    """
    full, status = _status(path, "folder")
    if not full.is_dir():
        raise DataError(f"{path} is a file; choose a folder.")
    found = [status, *(each.stat() for each in full.glob("*/*"))]
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


def read_table(path: str, target: str = "", header: str = "auto", task: str = "auto") -> Table:
    """Return the table in a file of comma, semicolon or tab separated values.

    Rows that do not fit are left out and listed in ``skipped``. Raises DataError that names the file, the row
    and what was expected where nothing useful is left.
    """
    return _read(file_stamp(path), target, header, task)


@lru_cache(maxsize=4)
def _read(stamp: tuple[str, int, int], target: str, header: str, task: str) -> Table:
    path = Path(stamp[0])
    if stamp[2] > LARGEST:
        raise DataError(f"{path.name} has {stamp[2]:,} bytes; at most {LARGEST:,} are read.")
    rows, comma = _rows(_text(path), path.name)
    names, rows = _header(rows, header)
    skipped: list[str] = []
    rows = _complete(rows, names, skipped)
    if not rows:
        raise DataError(f"{path.name} holds no row of {len(names)} values. {' '.join(skipped[:1])}".strip())
    if len(names) < 2:
        raise DataError(f"{path.name} has one column, {names[0]!r}; expected features and a target.")
    return _columns(path.name, names, rows, _place(path.name, names, target), task, comma, skipped)


def _text(path: Path) -> str:
    data = path.read_bytes()
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(f"{path.name} is not a text file; expected comma separated values in UTF-8.")


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
    named = header == "yes" or (header == "auto" and all(_number(cell) is None for cell in first))
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


def _place(name: str, names: list[str], target: str) -> int:
    if not target:
        return len(names) - 1
    if target in names:
        return names.index(target)
    near = difflib.get_close_matches(target, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" It has {', '.join(names[:12])}."
    raise DataError(f"{name} has no column {target!r}.{hint}")


def _number(cell: str, decimal: str = ".") -> float | None:
    """The finite number that a cell spells, or None."""
    if decimal == ",":
        cell = cell.replace(",", ".")
    if "_" in cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _columns(
    file: str, names: list[str], rows: list, target: int, task: str, decimal: str, skipped: list[str]
) -> Table:
    columns = list(zip(*(row for _, row in rows), strict=True))
    numbers = [[_number(cell, decimal) for cell in column] for column in columns]
    numeric = [_mostly_numbers(*pair) for pair in zip(columns, numbers, strict=True)]
    if task == "number" and not numeric[target]:
        raise DataError(
            f"{file}: the target {names[target]!r} holds words such as {columns[target][0]!r}, not numbers."
        )
    used = [place for place in range(len(names)) if place != target]
    for place in list(used):
        different = 0 if numeric[place] else len(set(columns[place]))
        if different > WORDS:
            used.remove(place)
            skipped.append(f"Column {names[place]!r} was left out: {different:,} different words.")
    kept = []
    for index, (line, row) in enumerate(rows):
        reason = next(
            (
                _refuse(names[at], row[at], numeric[at])
                for at in (*used, target)
                if _bad(row[at], numbers[at][index], numeric[at])
            ),
            None,
        )
        if reason is None:
            kept.append(index)
        else:
            skipped.append(f"Line {line}: {reason}")
    if not kept:
        raise DataError(f"{file} holds no usable row. {skipped[0]}")
    parts, titles = [], []
    for place in used:
        part, words = _feature(columns[place], numbers[place], numeric[place], kept)
        parts.append(part)
        titles += [f"{names[place]} = {word}" for word in words] or [names[place]]
    if not parts:
        raise DataError(f"{file} has no column that can be a feature. {skipped[0]}")
    answer, classes = _target(columns[target], numbers[target], numeric[target], kept, task)
    return Table(np.concatenate(parts, 1), answer, classes, tuple(titles), _shortened(skipped))


def _mostly_numbers(column: tuple[str, ...], numbers: list[float | None]) -> bool:
    """Nine of ten cells that hold something are numbers: the others are errors, not words."""
    filled = sum(cell.lower() not in _MISSING for cell in column)
    found = sum(number is not None for number in numbers)
    return found > 0 and found >= 0.9 * filled


def _bad(cell: str, number: float | None, numeric: bool) -> bool:
    return number is None if numeric else cell.lower() in _MISSING


def _refuse(name: str, cell: str, numeric: bool) -> str:
    came = f"{cell[:40]!r} came" if cell else "it is empty"
    return f"{name!r} expects {'a number' if numeric else 'a word'}, {came}."


def _feature(
    column: tuple[str, ...], numbers: list[float | None], numeric: bool, kept: list[int]
) -> tuple[np.ndarray, list[str]]:
    """One column of numbers, or one of zeros and ones for each word."""
    if numeric:
        return np.array([[numbers[index]] for index in kept], np.float32), []
    words, codes = np.unique([column[index] for index in kept], return_inverse=True)
    return np.eye(len(words), dtype=np.float32)[codes], words.tolist()


def _target(
    column: tuple[str, ...], numbers: list[float | None], numeric: bool, kept: list[int], task: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class indices with the classes' names, or numbers."""
    if not numeric:
        words, codes = np.unique([column[index] for index in kept], return_inverse=True)
        return codes.astype(np.int64), tuple(words.tolist())
    values = np.array([numbers[index] for index in kept], np.float64)
    levels, codes = np.unique(values, return_inverse=True)
    few = len(levels) <= min(CLASSES, max(2, len(values) // 2)) and bool((levels == levels.round()).all())
    if task == "classes" or (task == "auto" and few):
        return codes.astype(np.int64), tuple(f"{level:g}" for level in levels)
    return values.astype(np.float32)[:, None], ()


def _shortened(skipped: list[str]) -> tuple[str, ...]:
    more = len(skipped) - REASONS
    return (*skipped[:REASONS], f"And {more:,} more.") if more > 0 else tuple(skipped)
