"""Netwright's front door: the window, and the same engine as commands."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from engine.errors import EngineError, FileError
from engine.runs.commands import runs

if TYPE_CHECKING:
    from engine.graph.document import Document

TARGET = "FILE|preset:NAME"
_SECONDS = 2.0
"""Between two lines that say how far a download is."""
_trust = click.option("--trust", is_flag=True, help="Let Python code in the file run: you know who wrote it.")


class _Commands(click.Group):
    """Opens the window where no command is named: ``netwright`` and ``netwright FILE``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] in ("--help", "--version"))
        return super().parse_args(ctx, args if named else ["open", *args])


@click.group(cls=_Commands, context_settings={"help_option_names": ["--help"]})
@click.version_option(package_name="netwright", prog_name="Netwright")
def commands() -> None:
    """Draw a neural network, press Run, and watch it learn on the graph itself.

    Without a command the window opens: netwright [FILE|preset:NAME].
    """


@commands.command("open")
@click.argument("target", required=False, metavar=f"[{TARGET}]")
def open_(target: str | None) -> int:
    """Open the window (what happens without a command)."""
    return _gui().run(target)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def presets(as_json: bool) -> None:
    """List the ready-made networks."""
    from engine.compiler.analyze import analyze
    from presets import presets as all_presets

    rows = [
        {
            "name": preset.name,
            "title": preset.title,
            "row": list(preset.rows),
            "parameters": analyze(preset.document()).total_parameters,
            "source": preset.source,
        }
        for preset in all_presets().values()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo(f"{','.join(row['row']):5} {row['name']:20} {row['parameters']:>12,}  {row['title']}")


@commands.command()
@click.argument("target", metavar=TARGET)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_trust
def check(target: str, as_json: bool, trust: bool) -> int:
    """Tell problems, shapes and parameters without training."""
    from engine.compiler.analysis import in_bytes
    from engine.compiler.analyze import analyze

    try:
        document = load(target, trust)
    except FileError as error:
        report: dict[str, Any] = {
            "problems": [_problem(text) for text in error.problems],
            "nodes": [],
            "parameters": 0,
            "macs": 0,
            "memory": None,
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else "\n".join(error.problems))
        raise
    analysis = analyze(document)
    from engine.catalogue import plugin_problems

    nodes = []
    for node in document.nodes.values():
        types = [tensor for slot, tensor in analysis.types.items() if slot.node == node.id]
        nodes.append(
            {
                "id": node.id,
                "name": node.title,
                "type": node.type,
                "shape": list(types[0].shape) if types else None,
                "parameters": analysis.parameters.get(node.id, 0),
                "macs": analysis.macs.get(node.id, 0),
                "memory": asdict(analysis.memory[node.id]) if node.id in analysis.memory else None,
            }
        )
    problems = [
        _problem(each.message, each.node, each.port, each.severity, each.fix.title if each.fix else "")
        for each in analysis.problems
    ]
    problems += [_problem(text, severity="warning") for text in plugin_problems()]
    if as_json:
        takes = analysis.footprint
        report = {
            "problems": problems,
            "nodes": nodes,
            "parameters": analysis.total_parameters,
            "macs": analysis.total_macs,
            "memory": asdict(takes) | {"activations": takes.activations, "total": takes.total},
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return 0
    for node in nodes:
        shape = "×".join(map(str, node["shape"])) if node["shape"] else ""
        click.echo(f"{node['name']:16} {node['type']:20} {shape:18} {node['parameters']:>12,}")
    click.echo(
        f"{analysis.total_parameters:,} parameters, {analysis.total_macs:,} multiply-adds for a sample, "
        f"about {in_bytes(analysis.footprint.total)} to train with batches of {analysis.footprint.batch_size}"
    )
    for problem in problems:
        fix = f" Mend: {problem['fix']}." if problem["fix"] else ""
        click.echo(f"{problem['severity']}: {problem['node'] or 'document'}: {problem['message']}{fix}")
    return 0


@commands.command()
@click.argument("target", metavar=TARGET)
@click.option("--epochs", type=click.IntRange(min=1), help="How often every sample is seen.")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed gives the same curve.")
@click.option("--device", help="auto, cpu, cuda or mps.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="optimizer.lr=0.01, conv1.bias=no ..."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run, instead of one among your runs.",
)
@click.option("--name", default="", help="What the run is called among your runs.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A word to find the run by.")
@click.option(
    "--parallel",
    type=click.Choice(["ddp", "fsdp"]),
    default="ddp",
    help="Under torchrun: every process holds all weights, or they are shared out.",
)
@click.option("--sync-batchnorm", is_flag=True, help="Under torchrun on GPUs: one batch norm over all rows.")
@click.option(
    "--track", "trackers", multiple=True, metavar="TRACKER", help="Tell tensorboard, wandb or mlflow too."
)
@click.option("--resume", is_flag=True, help="Go on with a run that broke off: its folder, id or name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON event per line.")
@_trust
def train(
    target: str,
    epochs: int | None,
    seed: int | None,
    device: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    name: str,
    tags: tuple[str, ...],
    trackers: tuple[str, ...],
    resume: bool,
    parallel: str,
    sync_batchnorm: bool,
    as_json: bool,
    trust: bool,
) -> int:
    """Train a document; the last line is a summary. What it leaves is among your runs: netwright runs.

    Under torchrun several processes train together, each on its share of every batch.
    """
    from engine.graph.settings import set_by_name
    from engine.runs.library import Library, about_run

    together = {"way": parallel, "synchronized": sync_batchnorm}
    if resume:
        if epochs or seed is not None or device or settings or out or name or tags:
            raise click.UsageError("A run goes on as it began: --resume takes no other settings.")
        entry = Library().find(target)
        document = load(str(entry.document), trust)
        return _train(document, entry.path, trackers, as_json, resumes=True, **together)
    named = [(name, str(value)) for name, value in (("epochs", epochs), ("seed", seed)) if value is not None]
    document = load(target, trust)
    for setting, value in (
        [_setting(text) for text in settings] + named + ([("device", device)] if device else [])
    ):
        document = set_by_name(document, setting, value)
    _fetch(document)
    about = about_run(document, target, name, tags)
    if out is None:
        if os.environ.get("WORLD_SIZE", "1") != "1":
            raise click.UsageError("Several processes need the folder of their run: add --out FOLDER.")
        out = Library().new(document.name, **about)
    return _train(document, out, trackers, as_json, about=about, **together)


def _train(document: Document, out: Path, trackers: tuple[str, ...], as_json: bool, **how: Any) -> int:
    """Train in the terminal, or go on with the run in ``out``; trackers hear of it."""
    from engine.distributed.terminal import train_in_terminal
    from engine.runs.trackers import Tracking
    from engine.training.events import Started

    tracking = Tracking(out, trackers)

    def hear(event: Any) -> None:
        if isinstance(event, Started) and trackers:
            tracking.start()

    try:
        return train_in_terminal(document, out, as_json, hear, **how)
    finally:
        tracking.close()
        for problem in tracking.problems:
            click.echo(f"warning: {problem}", err=True)


def _network_svg(document: Document) -> str:
    """Return the drawing of a network. Raises EngineError where Qt cannot be loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.svg"
        _gui(screen=False).network_picture(document, path, False)
        return path.read_text(encoding="utf-8")


runs.context_settings["obj"] = _network_svg  # the engine knows no window
commands.add_command(runs)


@commands.command("find-lr")
@click.argument("target", metavar=TARGET)
@click.option(
    "--objective", default=1, type=click.IntRange(min=1), help="Whose rate, where there are several."
)
@click.option("--steps", default=200, type=click.IntRange(min=20, max=2_000), help="Rates that are tried.")
@click.option("--device", default="", help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all that was tried.")
@_trust
def find_lr(target: str, objective: int, steps: int, device: str, as_json: bool, trust: bool) -> None:
    """Propose a learning rate: a short run whose rate rises at every step."""
    from engine.errors import TrainingError
    from engine.training.finder import find

    found = find(load(target, trust), objective - 1, device, steps)
    proposal = found.proposal
    if as_json:
        tried = {"rates": found.rates.tolist(), "losses": found.losses.tolist()}
        report = {"lr": proposal.rate, **asdict(proposal), **tried}
        del report["rate"]
        click.echo(json.dumps(report, ensure_ascii=False))
    elif proposal.rate is None:
        raise TrainingError(proposal.why)
    else:
        click.echo(f"{proposal.rate:g}")  # alone, for scripts
        click.echo(proposal.why, err=True)


class _Export(click.Command):
    """Its help lists what there is to export, from the table."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from engine.export import EXPORTERS

        rows = [(f"{each.name}  {each.suffix}", each.doc) for each in EXPORTERS.values()]
        with formatter.section("Exports"):
            formatter.write_dl(rows)


@commands.command(cls=_Export)
@click.argument("target", metavar=TARGET)
@click.option("--to", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--as", "name", default="", metavar="NAME", help="What to write, where the ending leaves a choice."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE.safetensors",
    help="Weights to write into it; without them it takes fresh ones.",
)
@_trust
def export(target: str, to: Path, name: str, weights: Path | None, trust: bool) -> None:
    """Take the network away: as code, as weights, for other programs."""
    from engine.export import Weights, exporter_for
    from engine.export import export as write

    exporter_for(to, name)  # a wrong ending is told before anything is loaded
    document = load(target, trust)
    given = None
    if weights is not None:
        from engine.training.checkpoint import read_weights

        given = Weights(read_weights(weights), f"weights of {weights.name}")
    click.echo(write(document, to, name, given))


@commands.command()
@click.argument("first", metavar=TARGET)
@click.argument("second", metavar=TARGET)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_trust
def compare(first: str, second: str, as_json: bool, trust: bool) -> None:
    """Tell what differs between two networks, and what each of them costs."""
    from engine.compiler.analyze import analyze
    from engine.graph.compare import compare as differences

    before, after = load(first, trust), load(second, trust)
    found = differences(before, after)
    costs = {}
    for key, of in (
        ("parameters", lambda analysis: analysis.total_parameters),
        ("macs", lambda analysis: analysis.total_macs),
        ("memory", lambda analysis: analysis.footprint.total),
    ):
        costs[key] = [of(analyze(document)) for document in (before, after)]
    if as_json:
        rows = [asdict(item) for item in found.items]
        click.echo(json.dumps({"differences": rows, "costs": costs}, ensure_ascii=False, indent=1))
        return
    for item in found.items:
        click.echo(f"{item.sign} {item.text}")
    if not found:
        click.echo("Both are the same network.")
    for key, (was, now) in costs.items():
        click.echo(f"{key:12} {was:>16,} {now:>16,} {now - was:>+16,}")


@commands.command("import")
@click.argument("file", metavar="FILE[:Class(...)]")
@click.option("--to", type=click.Path(path_type=Path), help="The document; its weights stand beside it.")
@click.option(
    "--input", "inputs", multiple=True, metavar="SHAPE", help="1,3,224,224 or int:1,16, one for each input."
)
@click.option("--trust", is_flag=True, help="Run a Python file, which importing it means.")
def import_(file: str, to: Path | None, inputs: tuple[str, ...], trust: bool) -> int:
    """Read a network with its weights from net.py, a torch.export program (.pt2) or ONNX."""
    from engine.importing.files import import_file, save_import

    imported = import_file(file, inputs, trust)
    if to is not None:
        save_import(imported, to if to.suffix else to.with_suffix(".netwright"))
    click.echo(imported.text())
    return 0 if imported.agrees else 1


@commands.command()
@click.argument("target", required=False, metavar=f"[{TARGET}]")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="x.png, x.svg or x.pdf.")
@click.option("--window", is_flag=True, help="The whole window instead of the network alone.")
@click.option("--dark", is_flag=True, help="Light on dark.")
@click.option("--size", default="1600x1000", help="Of the window, in pixels.", show_default=True)
@click.option(
    "--train-seconds", type=click.FloatRange(min=0, max=3600), default=0, help="Train before the picture."
)
def picture(target: str | None, to: Path, window: bool, dark: bool, size: str, train_seconds: float) -> int:
    """Draw the network, or the whole window, into a file."""
    document = load(target) if target else None
    if window:
        return _gui(screen=False).window_picture(target, to, dark, _size(size), train_seconds)
    if document is None:
        raise click.UsageError(f"Name what to draw: {TARGET}.")
    return _gui(screen=False).network_picture(document, to, dark)


def load(target: str, trust: bool | None = None) -> Document:
    """Return the document of a file or of ``preset:NAME``; ``trust`` lets Python code in it run.

    Where it is False the user is told about code that is off.

    Raises EngineError with the reason.
    """
    if target.startswith("preset:"):
        from presets import preset

        return preset(target.removeprefix("preset:")).document()
    from engine.storage.document_file import load_document

    document = load_document(Path(target))
    if document.customs and trust is not None:
        from engine.compiler.trust import trust_document, untrusted

        if trust:
            trust_document(document)
        elif untrusted(document):
            click.echo(f"{target} holds Python code; it is off unless you add --trust.", err=True)
    return document


def _fetch(document: Document) -> None:
    """Get the data onto this machine; on standard error it is told how far that is."""
    from engine.compiler.fetch import fetch, words

    told = {"": -_SECONDS}

    def tell(node: str, progress: Any) -> None:
        now = monotonic()
        if progress.stage not in told or now - told[""] >= _SECONDS:
            told.update({progress.stage: now, "": now})
            click.echo(f"{document.nodes[node].title}: {words(progress)}", err=True)

    fetch(document, tell)


def _problem(
    message: str, node: str = "", port: str = "", severity: str = "error", fix: str = ""
) -> dict[str, str]:
    return {"node": node, "port": port, "severity": severity, "message": message, "fix": fix}


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set takes NAME=VALUE, not {text!r}.")
    return name.strip(), value


def _size(text: str) -> tuple[int, int]:
    width, x, height = text.lower().partition("x")
    if not (
        x
        and width.isdecimal()
        and height.isdecimal()
        and 200 <= int(width) <= 8000
        and 200 <= int(height) <= 8000
    ):
        raise click.UsageError(f"--size takes WIDTHxHEIGHT such as 1600x1000, not {text!r}.")
    return int(width), int(height)


def _gui(screen: bool = True) -> Any:
    """Return the window's module.

    Raises EngineError that names what is missing where Qt cannot be loaded.
    """
    from gui.preflight import check_system

    check_system(screen)
    from gui import app

    return app


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, or 2 after one sentence on standard error."""
    run: Callable[..., Any] = commands.main
    try:
        return run(args=arguments, prog_name="netwright", standalone_mode=False) or 0
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
    except EngineError as error:
        where = f"{error.node}: " if error.node and error.node not in error.message else ""
        click.echo(f"{where}{error.message}", err=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
