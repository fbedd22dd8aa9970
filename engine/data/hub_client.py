"""Asking the Hugging Face hub: which sets there are, what is in one, and getting it onto this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.data.hub_cache import MISSING, Record, is_whole, read_record
from engine.errors import DataError, shown

MOST = 50
"""Sets that one search lists."""

PATIENCE = 15.0
"""Seconds that a search waits for the hub."""

INDEX = "index"
"""The command that looks at the files of a set, so that it can be read over the network."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_PLACES = {"HF_HOME", "HF_DATASETS_CACHE", "HF_HUB_CACHE", "XDG_CACHE_HOME"}
_WORD = re.compile(r"[\w./+ -]*")

_REASONS = {
    "network": "The Hugging Face hub cannot be reached ({text}). Is there a network? What was downloaded"
    " before works without one.",
    "offline": "The Hugging Face hub cannot be reached ({text}), and {name} is read over the network. Is"
    " there one? Once it is downloaded, set its reading to memory or stream, which need none.",
    "parquet": "{name} has no Parquet files to read over the network, nor does the hub keep a copy in"
    " Parquet. Set its reading to memory or stream: it is downloaded then.",
    "missing": "The hub has no set {name}, or it is private. Check the spelling: owner/name.",
    "gated": "{name} is gated: its owners want to be asked. Open https://huggingface.co/datasets/{name},"
    " accept the conditions, and log in on this machine with `hf auth login`.",
    "script": "{name} is made by a Python script, and scripts of others are never run. The hub keeps a copy"
    " of many such sets that needs none: set the revision to refs/convert/parquet.",
    "config": "{name} has several configurations; choose one of {text}.",
    "revision": "{name} has no revision {revision}; leave it empty for the newest.",
    "empty": "{name} holds no files of data that can be read: expected Parquet, CSV, JSON, text, images or"
    " audio.",
    "disk": "The disk is full: there is no room for {name}. Make room, or set the environment variable"
    " HF_HOME to a folder on another disk.",
    "hub": "The hub refused: {text}. Try again later.",
    "install": MISSING,
    "other": "{name} cannot be read: {text}.",
}


@dataclass(frozen=True)
class Found:
    """A set that a search has found."""

    name: str
    description: str
    downloads: int
    likes: int
    gated: bool
    tags: tuple[str, ...]

    def tagged(self, kind: str) -> tuple[str, ...]:
        """Return what the tags say about something: ``modality``, ``license``, ``size_categories`` …"""
        return tuple(tag.partition(":")[2] for tag in self.tags if tag.startswith(f"{kind}:"))


@dataclass(frozen=True)
class Description:
    """One configuration of a set: its parts with their rows (None: not told), columns, first rows, bytes."""

    configs: tuple[str, ...]
    config: str
    parts: Mapping[str, int | None]
    part: str
    features: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    size: int | None
    description: str
    license: str
    revision: str
    """The one that was meant, or that of the hub's own copy where a set would need a script."""


@dataclass(frozen=True)
class Progress:
    """How far a download is: the stage ``download`` counts bytes, ``prepare`` rows; total 0 is unknown.

    Of a set that is read over the network there is the stage ``look``, which counts its files.
    """

    stage: str
    done: int
    total: int


def check_name(name: str) -> str:
    """Return a set's name; raises DataError unless it is one, such as ``ylecun/mnist``."""
    if not name:
        raise DataError("Choose a set of the hub, such as ylecun/mnist.")
    if not _NAME.fullmatch(name) or ".." in name or len(name) > 200:
        raise DataError(f"{shown(name)} is no name of a set; expected owner/name, such as ylecun/mnist.")
    return name


def search(text: str, most: int = MOST) -> list[Found]:
    """Return the sets that a search finds, the most downloaded first. Raises DataError where it cannot."""
    try:
        from huggingface_hub import constants, get_session
        from huggingface_hub.utils import build_hf_headers
    except ImportError:
        raise DataError(MISSING) from None
    asked = {
        "sort": "downloads",
        "limit": most,
        "expand": ["description", "downloads", "likes", "gated", "tags"],
    }
    if text.strip():
        asked["search"] = text.strip()
    url = f"{os.environ.get('HF_ENDPOINT') or constants.ENDPOINT}/api/datasets"
    try:
        # One page, asked once: the library's own list tries for half a minute where there is no network.
        answer = get_session().get(url, params=asked, headers=build_hf_headers(), timeout=PATIENCE)
        answer.raise_for_status()
        return [_found(each) for each in answer.json()]
    except Exception as error:  # the client for HTTP is another library from one version to the next
        unreached = any(base.__name__ == "TransportError" for base in type(error).__mro__)
        kind = "network" if unreached or isinstance(error, ConnectionError) else "hub"
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DataError(_REASONS[kind].format(name="", text=said.rstrip("."), revision="")) from None


def _found(info: Mapping[str, Any]) -> Found:
    return Found(
        str(info["id"]),
        " ".join(str(info.get("description") or "").split()),
        int(info.get("downloads") or 0),
        int(info.get("likes") or 0),
        bool(info.get("gated")),
        tuple(map(str, info.get("tags") or ())),
    )


@dataclass
class Request:
    """One request to the hub, in a process of its own; ``run`` waits for it, ``cancel`` ends it at once."""

    command: str
    name: str
    config: str = ""
    revision: str = ""
    part: str = ""
    cancelled: bool = False
    _process: subprocess.Popen | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, tell: Callable[[Progress], None] = lambda progress: None) -> dict[str, Any]:
        """Return the answer. Raises DataError with what is wrong and how to mend it, Cancelled if it was."""
        check_name(self.name)
        if not _WORD.fullmatch(f"{self.config}{self.revision}{self.part}"):
            raise DataError(f"{shown(self.config or self.revision or self.part)} is no name on the hub.")
        with tempfile.TemporaryDirectory() as empty:  # so that a name never means a folder of this machine
            process = self._start(empty)
            said: deque[str] = deque(maxlen=20)
            reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
            reader.start()
            try:
                return self._listen(process, tell, said)
            finally:
                process.kill()
                process.wait()
                reader.join()
                for stream in (process.stdin, process.stdout, process.stderr):
                    stream.close()

    def cancel(self) -> None:
        """End it; what was downloaded stays, and the next attempt goes on from there."""
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                self._process.kill()

    def _start(self, folder: str) -> subprocess.Popen:
        arguments = (self.command, self.name, self.config, self.revision, self.part)
        places = {
            name: os.path.abspath(os.path.expanduser(os.environ[name]))
            for name in _PLACES
            if os.environ.get(name)
        }
        environment = (
            os.environ
            | places
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path))),
                "PYTHONIOENCODING": "utf-8",
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "USE_TORCH": "0",  # it would be imported to no end
                "USE_TF": "0",
                "USE_JAX": "0",
            }
        )
        with self._lock:
            if self.cancelled:
                raise Cancelled(f"{self.name}: cancelled.")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.data.hub_fetch", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=folder,
                encoding="utf-8",
                errors="replace",
            )
            return self._process

    def _listen(
        self, process: subprocess.Popen, tell: Callable[[Progress], None], said: deque[str]
    ) -> dict[str, Any]:
        for message in _messages(process.stdout):
            stage = message.pop("stage", "")
            if stage == "done":
                return message
            if stage == "failed":
                raise DataError(self.reason(message["kind"], message["text"]))
            tell(Progress(stage, message["done"], message["total"]))
        if self.cancelled:
            raise Cancelled(f"{self.name}: cancelled.")
        process.wait()
        last = next((line.strip() for line in reversed(said) if line.strip()), f"exit {process.returncode}")
        raise DataError(f"The process that asks the hub ended early: {last}")

    def reason(self, kind: str, text: str) -> str:
        """Return the sentence for a kind of failure."""
        kind = "offline" if (self.command, kind) == (INDEX, "network") else kind
        words = {"name": self.name, "text": text.strip().rstrip("."), "revision": self.revision}
        return _REASONS.get(kind, _REASONS["other"]).format(**words)


class Cancelled(DataError):
    """The user ended a request; nothing is wrong."""


def _messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message


def description_of(answer: Mapping[str, Any]) -> Description:
    """Return the answer to ``describe`` as a value."""
    return Description(
        tuple(answer["configs"]),
        answer["config"],
        answer["parts"],
        answer["part"],
        answer["features"],
        tuple(answer["rows"]),
        answer["size"],
        answer["description"],
        answer["license"],
        answer["revision"],
    )


def describe(name: str, config: str = "", revision: str = "", part: str = "") -> Description:
    """Return what a set holds, with its first rows, without downloading it. Raises DataError."""
    return description_of(Request("describe", name, config, revision, part).run())


def download_request(
    name: str, config: str = "", revision: str = "", network: bool = False
) -> Request | None:
    """Return the request that gets a set onto this machine, or None where all of it is here.

    ``network``: only what is needed to read it over the network.
    """
    if network:
        known = read_record(name, config, revision, network)
        return None if known else Request(INDEX, name, config, revision)
    record = read_record(name, config, revision)
    if record is not None and is_whole(record):
        return None
    return Request("download" if record is None else "again", name, config, revision)


def download(
    name: str,
    config: str = "",
    revision: str = "",
    tell: Callable[[Progress], None] = lambda progress: None,
    network: bool = False,
) -> Record:
    """Get a set onto this machine, unless it is here already, and return its record. Raises DataError.

    ``network``: only its columns, some rows, and where the others are.
    """
    request = download_request(name, config, revision, network)
    if request is not None:
        request.run(tell)
    record = read_record(name, config, revision, network)
    if record is None:
        raise DataError(f"{name} was downloaded, but its rows are not there; is its cache being deleted?")
    return record
