"""Where a run can be: one declaration for each kind of place, with what has to be said about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError, TrainingError
from engine.layers.params import Bool, Choice, Int, Param, Text, Value

if TYPE_CHECKING:
    from engine.distributed.launch import Launch

SMALL_STEP = 100_000_000
"""Multiply-adds of a step below which several processes cost more than they bring.

They exchange every gradient at every step. Measured: a perceptron of 600 weights took a quarter as many steps
a second in two processes as in one.
"""

PARALLEL = Choice(
    name="parallel",
    default="ddp",
    choices=("ddp", "fsdp"),
    label="Strategy",
    doc="ddp: every process holds all weights. fsdp: they are shared out, for networks larger than one GPU.",
)

Values = Mapping[str, Value]


@dataclass(frozen=True)
class Place:
    """One kind of place; its ``params`` are the form, ``make`` gives the launch into a folder.

    ``words`` says where that is in a word or two, ``several`` how many processes it means (0: nobody knows).
    """

    key: str
    title: str
    doc: str
    params: tuple[Param, ...]
    make: Callable[[Path, Values, bool], Launch]
    words: Callable[[Values], str]
    several: Callable[[Values], int] = lambda values: 0

    def values(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """Return a value for every parameter: what is given where it is right, else the default."""
        values = {}
        for param in self.params:
            try:
                values[param.name] = param.check(given.get(param.name, param.default))
            except EngineError:
                values[param.name] = param.default
        return values

    def problem(self, values: Values) -> str:
        """Return why a run cannot be started with these values, empty where it can."""
        try:
            self.make(Path("run"), values, False)
        except EngineError as error:
            return error.message
        return ""


def _local(folder: Path, values: Values, trust: bool) -> Launch:
    from engine.distributed.launch import Local

    return Local(folder, int(values["processes"]), _sharing(values), trust)


def _ssh(folder: Path, values: Values, trust: bool) -> Launch:
    from engine.distributed.ssh import Machine, Ssh

    host, before = (str(values[name] or "").strip() for name in ("host", "before"))
    if not host:
        raise TrainingError("Name the machine as ssh knows it, such as me@gpu-box.")
    machine = Machine(
        host,
        str(values["folder"]).strip() or "netwright-runs",
        before,
        int(values["processes"]),
        bool(values["copy_data"]),
    )
    return Ssh(folder, machine, _sharing(values), trust)


def _own(folder: Path, values: Values, trust: bool) -> Launch:
    from engine.distributed.launch import Own

    return Own(folder, str(values["command"]).strip())


def _sharing(values: Values) -> str:
    """The default is left unsaid."""
    return "" if values["parallel"] == PARALLEL.default else str(values["parallel"])


def _processes(values: Values) -> str:
    count = int(values["processes"])
    return f"{count} process{'es' * (count != 1)}"


PLACES: Mapping[str, Place] = {
    place.key: place
    for place in (
        Place(
            "local",
            "Several processes of this machine",
            "torchrun starts them, one for each GPU. Each takes its share of every batch, so the curve stays "
            "the same.",
            (
                Int(
                    name="processes",
                    default=2,
                    min=1,
                    max=256,
                    doc="As many as there are GPUs. Without any they share the cores.",
                ),
                PARALLEL,
            ),
            _local,
            _processes,
            lambda values: int(values["processes"]),
        ),
        Place(
            "ssh",
            "A machine over SSH",
            "The document is copied there and the run's folder is followed from here. The run goes on when "
            "this window is closed or the connection ends.",
            (
                Text(
                    name="host",
                    default=None,
                    optional=True,
                    unset="me@gpu-box",
                    label="Machine",
                    doc="As ssh takes it: user@host, or a name of its configuration.",
                ),
                Text(
                    name="folder",
                    default="netwright-runs",
                    label="Folder for runs",
                    doc="On that machine; from the home folder unless it begins with a slash.",
                ),
                Text(
                    name="before",
                    default=None,
                    optional=True,
                    unset="source venv/bin/activate",
                    label="First do",
                    doc="What makes netwright a command there, such as: source venv/bin/activate",
                ),
                Int(
                    name="processes",
                    default=1,
                    min=0,
                    max=256,
                    doc="1 needs no torchrun; 0 are as many as that machine has GPUs.",
                ),
                PARALLEL,
                Bool(
                    name="copy_data",
                    default=False,
                    label="Copy the data",
                    doc="Files and folders that the document reads are copied too; else they have to be "
                    "there, under the same paths.",
                ),
            ),
            _ssh,
            lambda values: str(values["host"] or "").rpartition("@")[2] or "a machine",
            lambda values: int(values["processes"]),
        ),
        Place(
            "own",
            "A command of your own",
            "Whatever starts netwright train: a queue, a container, a cloud. {document} stands for the file, "
            "{run} for the run's folder, which has to be seen from here.",
            (
                Text(
                    name="command",
                    default="netwright train {document} --out {run}",
                    label="Command",
                    doc="{document} and {run} become paths, quoted for the shell.",
                ),
            ),
            _own,
            lambda values: str(values["command"]).split(" ")[0].rpartition(os.sep)[2] or "a command",
        ),
    )
}
"""Every kind of place but the window itself, in the order of the menu."""


def warning(place: Place, values: Values, step_macs: int, batch_size: int) -> str:
    """Return what speaks against a place for a network, in a sentence; empty where nothing does.

    ``step_macs`` are the multiply-adds of a step with the whole batch.
    """
    several = place.several(values)
    if several > batch_size:
        return (
            f"A batch has {batch_size:,} rows, fewer than there are processes; the others would do the same."
        )
    if several > 1 and step_macs < SMALL_STEP:
        return (
            "This network is so small that several processes are slower than one: they wait for each other."
        )
    return ""
