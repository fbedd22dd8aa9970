"""A run on another machine, through this system's own ``ssh`` and ``rsync``: no port, no service.

The document is copied there, torchrun or ``netwright`` is started in a session of its own, and what is new in
the run's folder is brought here again and again. A connection that is lost costs nothing but time.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.distributed.control import NAME, order_line
from engine.distributed.launch import FRESH_STORE, GIVEN, LOG, TOKEN, Launch, torchrun, training_command
from engine.errors import FileError, TrainingError
from engine.graph.document import Document
from engine.graph.files import needed_files, with_files
from engine.storage.atomic import write_bytes
from engine.storage.document_file import save_document
from engine.storage.failures import why_not_written
from engine.training.appended import cut_half_line
from engine.training.status import EVENTS, GOING, METRICS, STATUS, SYSTEM, WEIGHTS, read_status

CONNECT = 10
"""Seconds to wait for an answer of the other machine."""

LONGEST = 120
"""Seconds that a command there may take; copying data may take as long as it takes."""

EXIT, PID = "exit-code", "pid"

SMALL = (STATUS, EXIT)
"""Files that say where the run stands: brought whole, and before the others, which then tell no less."""

GROWING = (EVENTS, METRICS, SYSTEM, LOG)
"""Files to which lines are added: what is new of them is brought."""

WHOLE = ("run.json", "environment.json", "document.netwright", WEIGHTS)
"""Files that are copied when the run begins and when it ends."""

AT_ONCE = 1 << 22
"""Bytes of a growing file that one look brings, at most."""


@dataclass(frozen=True)
class Machine:
    """Another machine: ``host`` as ssh takes it (a name of its configuration, or ``user@host``).

    Runs lie in ``folder`` there. ``before`` is done first, such as ``source venv/bin/activate``; afterwards
    ``netwright`` has to be a command. ``processes`` of 0 are as many as there are GPUs.
    """

    host: str
    folder: str = "netwright-runs"
    before: str = ""
    processes: int = 1
    copy_data: bool = False

    def __post_init__(self) -> None:
        # What begins with a hyphen would be an option of ssh, and options can run commands here.
        if not re.fullmatch(r"[A-Za-z0-9_][\w.@:%\[\]-]*", self.host):
            raise TrainingError(f"{self.host!r} is no machine that ssh could reach; write user@host.")


class Ssh(Launch):
    """A run on another machine; its folder here is a copy that follows it."""

    outlives = True

    def __init__(self, folder: Path | str, machine: Machine, parallel: str = "", trust: bool = False):
        super().__init__(folder)
        self.machine = machine
        self.title = machine.host
        self._options = {"parallel": parallel, "trust": trust}
        self._there = ""
        self._sockets = self._state = ""

    @property
    def there(self) -> str:
        """The run's folder on the other machine, once it has begun."""
        return self._there

    def start(self, document: Document, paused: bool = False) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(why_not_written(self.folder, error)) from error
        wanted = f"{self.machine.folder}/{self.folder.name}"
        home = '"$HOME"/' if not wanted.startswith(("/", "~")) else ""
        path = f"~/{shlex.quote(wanted[2:])}" if wanted.startswith("~/") else f"{home}{shlex.quote(wanted)}"
        self._there = self._say(f"mkdir -p {path} && cd {path} && pwd -P").strip()
        if not re.fullmatch(r"/[\w@%+=:,./-]+", self._there):
            raise TrainingError(
                f"{self.machine.host} answered {self._there[:80]!r}: the path of a folder for runs may have "
                "letters, digits and . _ - in it."
            )
        if self.machine.copy_data:
            document = self._with_data(document)
        save_document(document, self.folder / GIVEN)
        self._copy([str(self.folder / GIVEN)], self._remote(""))
        if paused:
            self.order(order_line("pause"))
        self._begin(self._command(f"{self._there}/{GIVEN}"))

    def again(self) -> None:
        self._begin(self._command())

    def code(self) -> int | None:
        with suppress(OSError, ValueError):
            return int((self.folder / EXIT).read_text())
        return None

    def kill(self) -> None:
        # The workers of a torchrun that is no more end by themselves.
        group = 'kill -s KILL -- "-$p" 2>/dev/null || kill -s KILL "$p" 2>/dev/null'
        self._say(f"p=$(cat {PID}) && {{ {group}; }}; true")

    def refresh(self) -> None:
        """Bring here what is new there. Raises FileError where the machine does not answer."""
        while self._look() >= AT_ONCE:
            pass
        status = read_status(self.folder)
        if status is not None and status.state != self._state:
            if not self._state or status.state not in GOING:
                self._fetch(WHOLE)
            self._state = status.state

    def fetch(self, name: str) -> None:
        self._fetch([name])

    def order(self, line: bytes) -> None:
        self._say(f"cat >> {NAME}", line)

    def close(self) -> None:
        """Let go of the connection."""
        if self._sockets:
            with suppress(OSError, subprocess.SubprocessError):
                stop = ["ssh", *self._options_of_ssh(), "-O", "exit", self.machine.host]
                subprocess.run(stop, capture_output=True, timeout=5)
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = ""

    # -- what is done there ------------------------------------------------------------------------------

    def _command(self, document: str = "") -> str:
        """The shell's words that train there."""
        train = ["netwright", *training_command(self._there, document, **self._options)]
        if self.machine.processes != 1:
            processes = self.machine.processes or "gpu"
            train = ["env", f"{FRESH_STORE}=1", "torchrun", *torchrun(processes), "--no-python", *train]
        before = f"{self.machine.before} && " if self.machine.before else ""
        return f"{before}{shlex.join(train)}"

    def _begin(self, command: str) -> None:
        """Start a command that goes on when the connection ends, and leaves its exit code in a file."""
        with suppress(OSError):
            (self.folder / EXIT).unlink(missing_ok=True)
        named = f"export {TOKEN}={shlex.quote(self.folder.name)}"
        inside = f"{named}\n{command}\necho $? > .{EXIT} && mv .{EXIT} {EXIT}"
        self._say(
            f"rm -f {EXIT}; own=$(command -v setsid || true); "
            f"nohup $own sh -c {shlex.quote(inside)} > {LOG} 2>&1 < /dev/null & echo $! > {PID}"
        )

    def _say(self, script: str, given: bytes = b"") -> str:
        """Run a script in the run's folder there and return what it prints. Raises FileError."""
        return self._run(script, given).decode(errors="replace")

    def _run(self, script: str, given: bytes = b"") -> bytes:
        where = f"cd {shlex.quote(self._there)} && " if self._there else ""
        words = f"exec sh -c {shlex.quote(where + script)}"
        return self._do(["ssh", *self._options_of_ssh(), self.machine.host, words], given, LONGEST)

    def _with_data(self, document: Document) -> Document:
        """Copy the files and folders that the document reads, and name them where they lie there."""
        places = {}
        for number, needed in enumerate(needed_files(document)):
            if not needed.path.exists():
                raise FileError(f"{needed.path} is not there, and so it cannot be copied.")
            self._say(f"mkdir -p data/{number}")
            self._copy([str(needed.path)], self._remote(f"data/{number}"), longest=None)
            places[needed] = f"{self._there}/data/{number}/{needed.path.name}"
        return with_files(document, places)

    def _remote(self, name: str) -> str:
        return f"{self.machine.host}:{self._there}/{name}"

    # -- copying -----------------------------------------------------------------------------------------

    def _look(self) -> int:
        """Bring the small files, and what was added to the others; return how much that was.

        Here the others end with a whole line: a half one there may be cut by a run that goes on after a kill.
        """
        parts = [f'[ -f {name} ] && echo "{name} 0 $(wc -c < {name})" && cat {name}' for name in SMALL]
        for name in GROWING:
            have = _cut(self.folder / name)
            parts.append(
                f"[ -f {name} ] && n=$(wc -c < {name}) && h={have} && {{ [ $n -ge $h ] || h=0; }} && "
                f"n=$((n - h)) && {{ [ $n -le {AT_ONCE} ] || n={AT_ONCE}; }} && [ $n -gt 0 ] && "
                f'echo "{name} $h $n" && tail -c +$((h + 1)) {name} | head -c $n'
            )
        brought = self._run(f"{'; '.join(parts)}; true")
        most = 0
        while brought:
            head, _, rest = brought.partition(b"\n")
            name, have, size = head.decode(errors="replace").split()
            if name not in SMALL + GROWING or len(rest) < int(size):
                raise FileError(f"{self.machine.host} answered something that is no part of a run.")
            self._take(name, int(have), rest[: int(size)])
            most, brought = max(most, int(size)), rest[int(size) :]
        return most

    def _take(self, name: str, have: int, piece: bytes) -> None:
        path = self.folder / name
        try:
            if name in SMALL:
                write_bytes(path, piece)
                return
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.truncate(have)
                file.seek(have)
                file.write(piece)
        except OSError as error:
            raise FileError(why_not_written(path, error)) from error

    def _fetch(self, names: Sequence[str]) -> None:
        """Copy files of the run's folder here; those that are not there are left out."""
        there = self._say(f"ls -1 {' '.join(names)} 2>/dev/null; true").split()
        if there:
            self._copy([self._remote(name) for name in names if name in there], f"{self.folder}/")

    def _copy(self, sources: list[str], target: str, longest: int | None = LONGEST) -> None:
        if shutil.which("rsync"):
            shell = shlex.join(["ssh", *self._options_of_ssh()])
            command = ["rsync", "-a", "-e", shell, *sources, target]
        else:
            command = ["scp", "-rpq", *self._options_of_ssh(), *sources, target]
        self._do(command, b"", longest)

    def _do(self, command: list[str], given: bytes, longest: int | None) -> bytes:
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=longest)
        except subprocess.TimeoutExpired:
            raise FileError(f"{self.machine.host} did not answer within {longest} seconds.") from None
        except OSError as error:
            raise FileError(f"{command[0]} could not be started: {error.strerror or error}.") from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            why = said[-1] if said else f"{command[0]} ended with {done.returncode}"
            raise FileError(f"{self.machine.host}: {why}")
        return done.stdout

    def _options_of_ssh(self) -> list[str]:
        """Never ask for a password in a window without a terminal; one connection for all that is said."""
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT}", "-o", "ServerAliveInterval=15"]
        if sys.platform != "win32":
            self._sockets = self._sockets or tempfile.mkdtemp(prefix="nw-")
            shared = [f"ControlPath={self._sockets}/%C", "ControlMaster=auto", "ControlPersist=60"]
            options += [part for each in shared for part in ("-o", each)]
        return options


def _cut(path: Path) -> int:
    """Take a half last line from a file that was brought, and return how long it is; 0 for none."""
    try:
        cut_half_line(path)
        return path.stat().st_size
    except OSError:
        return 0
