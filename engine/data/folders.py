"""Folders of files: one folder for each class, or files beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from engine.data.columns import shortened
from engine.data.table import folder_stamp
from engine.errors import DataError, shown


def files_in(folder: Path, endings: Iterable[str]) -> list[Path]:
    """Return the files of a folder that have one of these endings, in the order of the alphabet."""
    endings = tuple(endings)
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in endings and each.is_file())


def class_files(folder: str, endings: Iterable[str], what: str, such_as: str) -> dict[str, list[Path]]:
    """Return the files of each class, both in the order of the alphabet.

    ``what`` are the files in words and ``such_as`` two classes. Raises DataError if there is no such folder.
    """
    top = Path(folder_stamp(folder)[0])
    found = {
        inner.name: files
        for inner in sorted(top.iterdir())
        if inner.is_dir() and not inner.name.startswith(".") and (files := files_in(inner, endings))
    }
    if not found:
        loose = len(files_in(top, endings))
        raise DataError(
            f"{shown(top.name)} should hold one folder of {what} for each class, such as {such_as};"
            f" it holds {f'{loose} {what} and no folder of {what}' if loose else 'none'}."
        )
    return found


def read_classes(
    files: dict[str, list[Path]], values: np.ndarray, read: Callable[[Path], np.ndarray], what: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Fill ``values`` with what each file holds; return those that are filled, their classes and the skipped.

    A file that cannot be read is skipped, with the reason. Raises DataError if none can.
    """
    labels: list[int] = []
    skipped: list[str] = []
    for number, paths in enumerate(files.values()):
        for path in paths:
            try:
                values[len(labels)] = read(path)
            except (OSError, ValueError, SyntaxError, DataError) as error:
                skipped.append(f"{path.parent.name}/{path.name}: {error}")
                continue
            labels.append(number)
    if not labels:
        top = next(iter(files.values()))[0].parent.parent.name
        raise DataError(f"{top}: none of {len(skipped)} {what} can be read; {skipped[0]}.")
    return values[: len(labels)], np.array(labels, np.int64), shortened(skipped)


def folder_name(path: object, none: str = "no folder chosen") -> str:
    """Return the last part of a path for a node's summary."""
    return str(path).replace("\\", "/").rstrip("/").rpartition("/")[2] or none
