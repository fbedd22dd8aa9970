"""``netwright runs``: the library of runs in a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.graph.document import Document
    from engine.runs.library import Entry, Library


class _Runs(click.Group):
    """Lists where no command is named: ``netwright runs`` and ``netwright runs WORDS``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group(cls=_Runs)
def runs() -> None:
    """List, name, tag, note, report and delete the runs that were.

    RUN is the folder of a run, its name, or the beginning of its folder's name.
    """


@runs.command("list", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.option("--deleted", is_flag=True, help="Those in the bin instead.")
def list_(words: tuple[str, ...], as_json: bool, deleted: bool) -> None:
    """List runs, the newest first (what happens without a command).

    WORDS choose: a word of the name, network, notes or state; #tag; state:done; val_accuracy>0.9; steps<1000;
    and -word for those without it.
    """
    from engine.runs.filter import filtered
    from engine.runs.library import Library
    from engine.training.lines import plain

    library = Library()
    entries = filtered(library.deleted() if deleted else library.entries(), " ".join(words))
    if as_json:
        rows = plain([entry.as_json() for entry in entries])
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    if not entries:
        click.echo(f"There are no {'such ' if words else ''}runs in {library.folder}.")
    for entry in entries:
        click.echo(_line(entry))


@runs.command()
@click.argument("run")
def show(run: str) -> None:
    """Tell everything about a run."""
    from engine.compiler.analysis import in_bytes
    from engine.runs.library import size_of
    from engine.runs.words import (
        duration_text,
        metrics_text,
        number_text,
        state_text,
        when_text,
    )

    entry = _library().find(run)
    status = entry.status
    rows = {
        "Run": entry.name,
        "Folder": str(entry.path),
        "On disk": in_bytes(size_of(entry.path)),
        "Network": entry.network,
        "State": state_text(entry.state) + (f": {status.message}" if status.message else ""),
        "Began": when_text(entry.begun),
        "Took": duration_text(status.seconds),
        "Steps": f"{status.step:,} of {status.steps:,}",
        "Device": status.device,
        "Seed": str(entry.seed),
        "Parameters": f"{status.parameters:,}",
        "Best": metrics_text(status, most=20),
        "Last": "  ".join(f"{name} {number_text(value)}" for name, value in status.metrics.items()),
        "Tags": " ".join(f"#{tag}" for tag in entry.tags),
        "Notes": entry.notes,
        "Command": entry.command,
        "Continues": entry.continues,
    }
    for title, text in rows.items():
        if text:
            click.echo(f"{title:11}{text}")


@runs.command()
@click.argument("run")
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Call a run something else."""
    library = _library()
    library.rename(library.find(run).path, name)


@runs.command(context_settings={"ignore_unknown_options": True})
@click.argument("run")
@click.argument("tags", nargs=-1)
def tag(run: str, tags: tuple[str, ...]) -> None:
    """Add tags to a run; -TAG takes one away."""
    library = _library()
    entry = library.find(run)
    gone = {each[1:].lstrip("#") for each in tags if each.startswith("-")}
    kept = [each for each in entry.tags if each not in gone]
    library.tag(entry.path, [*kept, *(each for each in tags if not each.startswith("-"))])


@runs.command()
@click.argument("run")
@click.argument("text")
def note(run: str, text: str) -> None:
    """Write down what is to be remembered of a run."""
    library = _library()
    library.note(library.find(run).path, text)


@runs.command()
@click.argument("run", nargs=-1, required=True)
def delete(run: tuple[str, ...]) -> None:
    """Move runs into the bin, from where `restore` brings them back for 30 days."""
    library = _library()
    for path in library.delete([library.find(each).path for each in run]):
        click.echo(f"{path.name} is in the bin; netwright runs restore {path.name} brings it back.")


@runs.command()
@click.argument("run", nargs=-1, required=True)
def restore(run: tuple[str, ...]) -> None:
    """Bring runs back from the bin."""
    from engine.runs.library import BIN, Library

    library = _library()
    lying = Library(library.folder / BIN)
    for path in library.restore([lying.find(each).path for each in run]):
        click.echo(str(path))


@runs.command()
@click.argument("run")
@click.option("--to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="x.html")
@click.pass_obj
def report(draw: Callable[[Document], str] | None, run: str, to: Path) -> None:
    """Write a page about a run that needs nothing else: curves, settings, metrics, environment."""
    from engine.runs.report import write_report
    from engine.storage.document_file import load_document

    entry, network = _library().find(run), ""
    if draw is not None:
        with suppress(EngineError):  # a page without the drawing is better than none
            network = draw(load_document(entry.document))
    write_report(entry.path, to, network)
    click.echo(f"{to} is written.")


@runs.command()
@click.argument("run")
@click.argument("tracker")
def track(run: str, tracker: str) -> None:
    """Tell a TRACKER all of a run that is over: tensorboard, wandb or mlflow."""
    from engine.runs.trackers import Tracking

    tracking = Tracking(_library().find(run).path, [tracker])
    tracking.send()
    for problem in tracking.problems:
        click.echo(f"warning: {problem}", err=True)


def _library() -> Library:
    from engine.runs.library import Library

    return Library()


def _line(entry: Entry) -> str:
    from engine.runs.words import duration_text, metrics_text, state_text, when_text

    tags = " ".join(f"#{tag}" for tag in entry.tags)
    where = f"{entry.id:36} {state_text(entry.state):12} {when_text(entry.begun):16}"
    return (
        f"{where} {entry.status.step:>9,} steps {duration_text(entry.status.seconds):>12}"
        f"  {metrics_text(entry.status)}"
        f"{'  ' + entry.name if entry.name != entry.network else ''}{'  ' + tags if tags else ''}"
    )
