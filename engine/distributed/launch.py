"""Starting a run in processes of this machine: torchrun in a session of its own, ended as a whole."""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

import engine
from engine.distributed.control import NAME, append_line, forget_orders
from engine.errors import FileError, TrainingError
from engine.graph.document import Document
from engine.storage.document_file import save_document
from engine.storage.failures import why_not_written

GIVEN, LOG = "given.netwright", "launch.log"
"""What a launch puts beside the run: the document to begin with, and what the processes say."""

TOKEN = "NETWRIGHT_LAUNCH"
"""Environment variable that names a launch to all of its processes, wherever they hang in the tree."""

FRESH_STORE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
"""Environment variable that lets torchrun open a new store for every attempt.

In the one that it shares else, processes find the addresses of those that are dead, and attempts are lost.
"""

RESTARTS = 3
"""How often torchrun begins again from the last moment by itself."""

PATIENCE = 40.0
"""Seconds in which processes that were asked to end may do so: torchrun gives its workers 30."""

SAID = 1500
"""Characters of what the processes said last that a message shows, at most."""


class Launch(ABC):
    """A run somewhere: started, begun again, ended; its folder is here, or a copy of it.

    ``outlives`` says whether it goes on when nobody follows it any more. Methods may take seconds; none is
    called from two threads at once, but for ``order``.
    """

    title = ""
    outlives = False
    restarts = RESTARTS

    def __init__(self, folder: Path | str):
        self.folder = Path(folder).resolve()

    @abstractmethod
    def start(self, document: Document, paused: bool = False) -> None:
        """Begin the run of a document. Raises EngineError where that cannot be."""

    @abstractmethod
    def again(self) -> None:
        """Begin again from the run's last moment, after ``kill``. Raises EngineError where that cannot be."""

    @abstractmethod
    def code(self) -> int | None:
        """Return the exit code of what was started, None while it is there or nobody knows."""

    @abstractmethod
    def kill(self) -> None:
        """End every process of the run, at once and whatever it does."""

    def refresh(self) -> None:  # noqa: B027 - most run folders need nothing
        """Bring the folder up to date where the run writes another one. Raises FileError without success."""

    def fetch(self, name: str) -> None:  # noqa: B027 - it is there already, in most
        """Bring one file of the folder here, if it is there. Raises FileError without success."""

    def order(self, line: bytes) -> None:
        """Hand over an order. Raises FileError."""
        append_line(self.folder / NAME, line)

    def said(self) -> str:
        """Return the end of what the processes said."""
        try:
            text = (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return text.strip()[-SAID:]


def training_command(run: str, document: str = "", **options: object) -> list[str]:
    """Return the arguments of ``netwright``: train a document into a run's folder, or go on with that run.

    An option that is empty or False is left out, one that is True is a flag.
    """
    what = ["train", document, "--out", run] if document else ["train", run, "--resume"]
    for name, value in options.items():
        if value:
            what += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return what


def torchrun(processes: int | str, restarts: int = RESTARTS) -> list[str]:
    """Return the arguments of torchrun for one machine, without the program that it starts."""
    return ["--standalone", f"--nproc-per-node={processes}", f"--max-restarts={restarts}"]


class Spawned(Launch):
    """A command of this machine in a session of its own, with its output in a file of the run's folder."""

    def __init__(self, folder: Path | str):
        super().__init__(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._token = secrets.token_hex(8)

    def code(self) -> int | None:
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """End the command and all that came of it: torchrun's workers have sessions of their own."""
        processes = list(self.processes_now())
        if self._process is not None and self._process.poll() is None:
            with suppress(OSError):
                self._process.kill()
            self._process.wait()
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, 10)

    def end(self, wait: float = 0.0) -> None:
        """Ask the command to end, as a system does that shuts down; kill what does not in its time.

        One that is about to end by itself may ``wait`` so many seconds.
        """
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(wait)
        if self._process.poll() is not None:
            return
        with suppress(OSError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def processes_now(self) -> Iterator[psutil.Process]:
        """Give every process that carries this launch's token."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.environ().get(TOKEN) == self._token:
                    yield process

    def _give(self, document: Document) -> Path:
        """Put the document where the run can read it, and forget what an earlier run was told."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            forget_orders(self.folder)
            (self.folder / LOG).unlink(missing_ok=True)
        except OSError as error:
            raise FileError(why_not_written(self.folder, error)) from error
        save_document(document, self.folder / GIVEN)
        return self.folder / GIVEN

    def _run(self, command: Sequence[str] | str, environment: dict[str, str]) -> None:
        try:
            with (self.folder / LOG).open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    shell=isinstance(command, str),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **environment, TOKEN: self._token},
                    start_new_session=True,
                )
        except OSError as error:
            name = command if isinstance(command, str) else command[0]
            raise TrainingError(f"{name} could not be started: {error.strerror or error}.") from None


class Local(Spawned):
    """So many processes of this machine, by torchrun: one for each GPU, or several that share its cores."""

    def __init__(self, folder: Path | str, processes: int, parallel: str = "", trust: bool = False):
        super().__init__(folder)
        self.processes = processes
        self.title = f"{processes} process{'es' * (processes != 1)}"
        self._options = {"parallel": parallel, "trust": trust}

    def start(self, document: Document, paused: bool = False) -> None:
        given = self._give(document)
        if paused:
            append_line(self.folder / NAME, b'{"do":"pause"}\n')
        self._run(self.command(str(given)), self.environment())

    def again(self) -> None:
        self._run(self.command(), self.environment())

    def command(self, document: str = "") -> list[str]:
        """Return what starts the training of a document's file, or lets the folder's run go on."""
        what = ["-m", "main", *training_command(str(self.folder), document, **self._options)]
        if self.processes == 1:
            return [sys.executable, *what]
        return [sys.executable, "-m", "torch.distributed.run", *torchrun(self.processes), *what]

    def environment(self) -> dict[str, str]:
        """Return the variables that share the cores out and mean this very program, wherever it is called."""
        home = str(Path(engine.__file__).parent.parent)
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH", "")])]
        cores = max(1, (psutil.cpu_count(logical=False) or os.cpu_count() or 1) // self.processes)
        return {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONSAFEPATH": "1",
            FRESH_STORE: "1",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(cores)),
        }


class Own(Spawned):
    """A command of the user's own, which gets ``{document}`` and ``{run}`` and may return long before the run
    ends, as one that hands a job to a queue does."""

    title = "a command of your own"
    outlives = True
    restarts = 0

    def __init__(self, folder: Path | str, template: str):
        super().__init__(folder)
        self.template = template
        check_template(template)

    def start(self, document: Document, paused: bool = False) -> None:
        given = self._give(document)
        if paused:
            append_line(self.folder / NAME, b'{"do":"pause"}\n')
        self._run(filled(self.template, given, self.folder), {})

    def again(self) -> None:
        raise TrainingError("A command of your own is not begun again by itself.")

    def code(self) -> int | None:
        """Only a failure says something: a queue takes a job and returns at once."""
        return super().code() or None


def check_template(template: str) -> None:
    """Raise TrainingError if a command names neither the document nor the run."""
    missing = [name for name in ("{document}", "{run}") if name not in template]
    if missing:
        raise TrainingError(
            f"The command does not say {' and '.join(missing)}: these stand for the file to train and the "
            "folder of the run, as in `netwright train {document} --out {run}`."
        )


def filled(template: str, document: Path, run: Path) -> str:
    """Return a command with the paths that it asks for, quoted for the shell."""
    for name, path in (("{document}", document), ("{run}", run)):
        template = template.replace(name, _quoted(str(path)))
    return template


def _quoted(text: str) -> str:
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)
