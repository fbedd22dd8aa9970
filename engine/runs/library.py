"""The user's runs: a folder of run folders that can be listed, found, tagged, and deleted with a way back."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import FileError
from engine.graph.document import Document, frozen
from engine.storage.atomic import write_text
from engine.storage.failures import why_not_written
from engine.training.status import DOCUMENT, GOING, RUN, STATUS, Status, read_object, read_status

FOLDER = "NETWRIGHT_RUNS"
"""Environment variable that names another folder, such as one on a large disk."""

BIN = ".bin"
"""The folder inside of it where deleted runs wait."""

WAIT = 30 * 24 * 3600.0
"""Seconds that a deleted run waits in the bin."""


def runs_folder() -> Path:
    """Return the folder of the user's runs; it need not be there yet."""
    if named := os.environ.get(FOLDER):
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local") / "Netwright" / "runs"
    if sys.platform == "darwin":
        return home / "Library/Application Support/Netwright/runs"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "Netwright" / "runs"


@dataclass(frozen=True)
class Entry:
    """A run in the library: what people call it, and where it stands.

    ``network`` is the name of its document, ``file`` that document's file, where it had one; ``begun`` is in
    seconds since 1970; ``continues`` is the run whose weights it began with.
    """

    path: Path
    status: Status = field(default_factory=Status)
    name: str = ""
    network: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    begun: float = 0.0
    seed: int = 0
    file: str = ""
    command: str = ""
    continues: str = ""
    state: str = ""

    @property
    def id(self) -> str:
        """The name of its folder, which never changes."""
        return self.path.name

    @property
    def going(self) -> bool:
        """Whether it goes on at this moment."""
        return self.state in GOING

    @property
    def document(self) -> Path:
        """The file of what it trained."""
        return self.path / DOCUMENT

    @property
    def best(self) -> Mapping[str, float]:
        """The best value of each metric."""
        return frozen({name: value for name, (value, _) in self.status.best.items()})

    def number(self, name: str) -> float | None:
        """Return a number of the run by its name: a metric's best, ``steps``, ``seconds``, ``loss`` ..."""
        if name in self.status.best:
            return self.status.best[name][0]
        known = {
            "step": self.status.step,
            "steps": self.status.step,
            "epoch": self.status.epoch,
            "epochs": self.status.epoch,
            "seconds": self.status.seconds,
            "parameters": self.status.parameters,
            "loss": self.status.loss,
            "seed": self.seed,
        }
        value = known.get(name)
        return None if value is None else float(value)

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know about it."""
        status = self.status
        return {
            "id": self.id,
            "path": str(self.path),
            "name": self.name,
            "network": self.network,
            "state": self.state,
            "tags": list(self.tags),
            "notes": self.notes,
            "begun": self.begun,
            "seconds": status.seconds,
            "step": status.step,
            "steps": status.steps,
            "epoch": status.epoch,
            "metrics": dict(status.metrics),
            "best": {name: {"value": value, "step": step} for name, (value, step) in status.best.items()},
            "device": status.device,
            "parameters": status.parameters,
            "seed": self.seed,
            "file": self.file,
            "continues": self.continues,
            "message": status.message,
        }


class Library:
    """The runs in a folder. What was read is remembered until its files change.

    Raises FileError where something cannot be written.
    """

    def __init__(self, folder: Path | str | None = None):
        self.folder = Path(folder) if folder is not None else runs_folder()
        self._known: dict[Path, tuple[tuple[int, ...], Entry]] = {}

    def new(self, network: str, /, **about: Any) -> Path:
        """Make a folder for a run of a network of this name, and return it.

        ``about`` is what its run.json is to say beside what every run says: ``name``, ``tags``, ``file`` ...
        """
        self.empty_bin()
        self._sweep()
        stem = f"{_slug(network)}-{time.strftime('%Y%m%d-%H%M%S')}"
        for number in range(1, 1000):
            path = self.folder / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise FileError(why_not_written(path, error)) from error
            if about:
                self._edit(path, **about)
            return path
        raise FileError(f"{self.folder} holds too many runs that began in this second; try again.")

    def entries(self) -> list[Entry]:
        """Return every run, the newest first."""
        try:
            paths = [Path(each.path) for each in os.scandir(self.folder) if not each.name.startswith(".")]
        except OSError:
            return []
        found = [entry for path in paths if (entry := self._entry(path)) is not None]
        self._known = {entry.path: self._known[entry.path] for entry in found}
        return sorted(found, key=lambda entry: (entry.begun, entry.id), reverse=True)

    def find(self, name: str) -> Entry:
        """Return a run by its folder, by the beginning of its folder's name, or by its name: the newest.

        Raises FileError that names what there is.
        """
        path = Path(name)
        if (path / STATUS).exists() and (entry := read_entry(path)) is not None:
            return entry
        entries = self.entries()
        ways = (
            lambda entry: entry.id == name,
            lambda entry: entry.name.lower() == name.lower(),
            lambda entry: entry.id.startswith(name),
        )
        for way in ways:
            if name and (found := next(filter(way, entries), None)):
                return found
        newest = ", ".join(entry.id for entry in entries[:3]) or "none yet"
        raise FileError(f"There is no run {name!r} in {self.folder}; the newest are {newest}.")

    def of_document(self, name: str = "", file: Path | str = "") -> list[Entry]:
        """Return the runs of a document, by its file where it has one, else by its name; newest first."""
        entries = self.entries()
        if file:
            place = str(Path(file).resolve())
            return [entry for entry in entries if entry.file in (str(file), place)]
        return [entry for entry in entries if entry.network == name]

    # -- what people say about a run -----------------------------------------------------------------------

    def rename(self, run: Path, name: str) -> None:
        """Call a run something else; its folder keeps its name."""
        self._edit(run, name=name.strip())

    def tag(self, run: Path, tags: Iterable[str]) -> None:
        """Give a run these tags and no others."""
        self._edit(run, tags=tags_of(tags))

    def note(self, run: Path, notes: str) -> None:
        """Write down what is to be remembered of a run."""
        self._edit(run, notes=notes)

    def _edit(self, run: Path, **changes: Any) -> None:
        about = read_object(run / RUN) or {}
        try:
            write_text(run / RUN, json.dumps(about | changes, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            raise FileError(why_not_written(run / RUN, error)) from error

    # -- deleting ------------------------------------------------------------------------------------------

    def delete(self, runs: Iterable[Path]) -> list[Path]:
        """Move runs into the bin and return where they lie there, for ``restore``.

        A run that goes on is refused before anything is moved.
        """
        runs = list(runs)
        for run in runs:
            status = read_status(run)
            if status is not None and status.now in GOING:
                raise FileError(f"{run.name} is going on; stop it before you delete it.")
        return [self._move(run, self.folder / BIN) for run in runs]

    def restore(self, deleted: Iterable[Path]) -> list[Path]:
        """Bring runs back from the bin and return where they are."""
        return [self._move(run, self.folder) for run in deleted]

    def deleted(self) -> list[Entry]:
        """Return the runs in the bin, the newest first."""
        return Library(self.folder / BIN).entries()

    def empty_bin(self, wait: float = WAIT) -> None:
        """Remove for good what has waited in the bin for so many seconds."""
        before = time.time() - wait
        with suppress(OSError):
            for each in os.scandir(self.folder / BIN):
                if each.stat().st_mtime <= before:
                    shutil.rmtree(each.path, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove folders that were made for runs which never began."""
        before = time.time() - 3600
        with suppress(OSError):
            for each in os.scandir(self.folder):
                if not each.name.startswith(".") and each.stat().st_mtime < before:
                    with suppress(OSError):
                        if set(os.listdir(each.path)) <= {RUN}:
                            shutil.rmtree(each.path, ignore_errors=True)

    def _move(self, run: Path, where: Path) -> Path:
        target, number = where / run.name, 1
        while target.exists():
            number += 1
            target = where / f"{run.name}-{number}"
        try:
            where.mkdir(parents=True, exist_ok=True)
            os.utime(run)  # the bin counts from this moment
            shutil.move(run, target)
        except OSError as error:
            raise FileError(why_not_written(target, error)) from error
        self._known.pop(run, None)
        return target

    def _entry(self, path: Path) -> Entry | None:
        """A run as it was read last, or read again because its files have changed."""
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp or known[1].going:
            entry = read_entry(path)
            if entry is None:
                return None
            self._known[path] = known = (stamp, entry)
        return known[1]


def about_run(
    document: Document, target: str = "", name: str = "", tags: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what a run of a document is to say of itself; ``target`` is its file or ``preset:NAME``."""
    file = str(Path(target).resolve()) if target and not target.startswith("preset:") else target
    return {"name": name or document.name, "tags": tags_of(tags), "file": file}


def read_entry(path: Path) -> Entry | None:
    """Return what a run's folder says, None for a folder that is none."""
    status, about = read_status(path), read_object(path / RUN)
    if status is None:
        return None
    about = about or {}

    def text(key: str, default: str = "") -> str:
        return str(about.get(key) or default)

    tags = about.get("tags")
    return Entry(
        path=path,
        status=status,
        name=text("name", path.name),
        network=text("network"),
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        notes=text("notes"),
        begun=status.begun or _number(about.get("begun")),
        seed=int(_number(about.get("seed"))),
        file=text("file"),
        command=text("command"),
        continues=text("continues"),
        state=status.now,
    )


def size_of(run: Path) -> int:
    """Return how many bytes the files of a run take."""
    size = 0
    for folder, _, names in os.walk(run):
        for name in names:
            with suppress(OSError):
                size += os.stat(os.path.join(folder, name)).st_size
    return size


def tags_of(tags: Iterable[str]) -> list[str]:
    """Return tags as they are kept: words without ``#`` and commas, each once, in their order."""
    words = [word.strip().lstrip("#").strip() for tag in tags for word in str(tag).split(",")]
    return list(dict.fromkeys(word for word in words if word))


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when the files do."""
    stamp: list[int] = []
    for name in (RUN, STATUS):
        with suppress(OSError):
            found = (path / name).stat()
            stamp += (found.st_mtime_ns, found.st_size, found.st_ino)
    return tuple(stamp)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _slug(name: str) -> str:
    """A name that every file system takes."""
    letters = [letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower()]
    return "-".join(filter(None, "".join(letters).split("-")))[:40].strip("-") or "run"
