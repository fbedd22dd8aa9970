"""A run as one page of HTML that needs nothing else: no script, no file beside it, no network."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path

import numpy as np

from engine.errors import EngineError, FileError
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.graph.view import order_of
from engine.runs.curves import Curves, Points, quantities, smoothed
from engine.runs.drawing import Drawn, chart
from engine.runs.library import Entry, read_entry
from engine.runs.log import read_load
from engine.runs.page import page, section, table
from engine.runs.settings import settings_of
from engine.runs.words import changed_text, duration_text, main_metric, number_text, state_text
from engine.storage.atomic import write_text
from engine.storage.document_file import load_document
from engine.storage.failures import why_not_written
from engine.training.events import Evaluated
from engine.training.status import ENVIRONMENT, SAMPLES, read_object

MOST_ROWS = 200
"""Evaluations that are listed: of more, every so many."""


def write_report(folder: Path | str, to: Path | str, network: str = "") -> None:
    """Write the page about a run; ``network`` is a drawing of its network as SVG, where there is one.

    Raises FileError.
    """
    try:
        write_text(to, report(folder, network))
    except OSError as error:
        raise FileError(why_not_written(Path(to), error)) from error


def report(folder: Path | str, network: str = "") -> str:
    """Return the page about a run. Raises FileError for a folder that is none."""
    folder = Path(folder)
    entry = read_entry(folder)
    if entry is None:
        raise FileError(f"{folder} is not the folder of a run: it holds no status.")
    curves = Curves(folder)
    curves.read()
    document: Document | None = None
    with suppress(EngineError):
        document = load_document(entry.document)
    parts = [_head(entry), _tiles(entry, curves), _curves(curves, document), _network(document, network)]
    parts += [_samples(folder), _settings(document, entry), _changes(curves, document)]
    parts += [_metrics(entry, curves)]
    parts += [_load(folder), _environment(folder)]
    return page(entry.name, parts)


def _head(entry: Entry) -> str:
    began = time.strftime("%d %B %Y, %H:%M", time.localtime(entry.begun))
    state = f'<span class="state {escape(entry.state)}">{escape(state_text(entry.state))}</span>'
    parts = [
        f"<h1>{escape(entry.name)}</h1>",
        f'<p class="muted">{escape(entry.network)} · began {began} · {state}</p>',
    ]
    if entry.status.message:
        parts.append(f"<p>{escape(entry.status.message)}</p>")
    if entry.tags:
        parts.append(f"<p>{''.join(f'<span class=tag>{escape(tag)}</span>' for tag in entry.tags)}</p>")
    if entry.notes:
        parts.append(f'<div class="notes">{escape(entry.notes)}</div>')
    return "\n".join(parts)


def _tiles(entry: Entry, curves: Curves) -> str:
    status = entry.status
    tiles = []
    if name := main_metric(status):
        tiles.append((f"best {name}", number_text(status.best[name][0])))
    tiles += [
        ("steps", f"{status.step:,}"),
        ("took", duration_text(status.seconds)),
        ("parameters", f"{status.parameters:,}"),
        ("device", status.device or "–"),
    ]
    inner = "".join(f'<div class="tile"><b>{escape(text)}</b>{escape(name)}</div>' for name, text in tiles)
    return f'<div class="tiles">{inner}</div>'


def _curves(curves: Curves, document: Document | None) -> str:
    lines = curves.lines()
    marks = [(change.step, changed_text(change, document)) for change in curves.changes[:24]]
    figures = []
    for name in quantities(lines):
        drawn = []
        if name == "loss" and "steps" in lines:
            drawn = [Drawn("every step", lines["steps"], "raw"), Drawn("training", smoothed(lines["steps"]))]
        elif name in lines:
            drawn = [Drawn("training", lines[name])]
        if f"val_{name}" in lines:
            drawn.append(Drawn("held out", lines[f"val_{name}"], "held"))
        if picture := chart(name, drawn, marks):
            figures.append(
                f"<figure><figcaption>{escape(name)} over steps</figcaption>\n{picture}\n</figure>"
            )
    return section("Curves", "\n".join(figures))


def _network(document: Document | None, drawing: str) -> str:
    if drawing:
        # As a picture of its own: names of one drawing cannot touch the page, and nothing in it can run.
        drawing = re.sub(r'font-family="([^",]+)"', r'font-family="\1, system-ui, sans-serif"', drawing)
        data = base64.b64encode(drawing.encode()).decode()
        inner = f'<div class="network"><img alt="The network" src="data:image/svg+xml;base64,{data}"></div>'
    else:
        inner = ""
    if document is None:
        return section("Network", inner)
    rows = []
    for id in order_of(document):
        node = document.nodes[id]
        with suppress(EngineError):
            layer = layer_of(document, node.type)
            given = ", ".join(f"{name} {value}" for name, value in node.params.items())
            rows.append((node.title, layer.label, given))
    listed = table(("Node", "Layer", "Settings"), rows)
    notes = f'<p class="notes">{escape(document.notes)}</p>' if document.notes else ""
    details = f"<details{'' if inner else ' open'}><summary>{len(rows)} nodes</summary>{listed}</details>"
    return section("Network", f"{notes}{inner}{details}")


def _samples(folder: Path) -> str:
    """What the network made of some rows at the end, where images or words can show it."""
    try:
        with np.load(folder / SAMPLES, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError):
        return ""
    inputs, targets, given = (found.get(name) for name in ("inputs", "targets", "predictions"))
    if inputs is None or targets is None or given is None:
        return ""
    kind = str(found.get("kind", ""))
    names = [str(name) for name in found.get("names", ())]
    cells = []
    for shown, target, answer in list(zip(inputs, targets, given, strict=False))[:24]:
        picture = _image(shown)
        if kind == "image":
            cells.append(f"<div>{picture}{_image(answer)}</div>")
            continue
        words = [_said(value, kind, names) for value in (target, answer)]
        right = kind != "class" or words[0] == words[1]
        told = escape(words[1]) if right and kind == "class" else f"{escape(words[1])}, is {escape(words[0])}"
        cells.append(f'<div class="{"right" if right else "wrong"}">{picture}{told}</div>')
    return section("Samples at the end", f'<div class="samples">{"".join(cells)}</div>')


def _said(value: np.ndarray, kind: str, names: Sequence[str]) -> str:
    if kind == "class":
        index = int(value)
        return names[index] if 0 <= index < len(names) else str(index)
    return ", ".join(number_text(float(each)) for each in np.ravel(value)[:4])


def _image(values: np.ndarray) -> str:
    """An image of (channels, h, w) or (h, w) numbers as a PNG within the page; nothing of other shapes."""
    values = np.asarray(values, np.float64)
    if values.ndim == 3 and values.shape[0] in (1, 3):
        values = values[0] if values.shape[0] == 1 else values.transpose(1, 2, 0)
    elif values.ndim != 2:
        return ""
    if not values.size or not np.isfinite(values).all():
        return ""
    from PIL import Image

    low, high = values.min(), values.max()
    pixels = ((values - low) / ((high - low) or 1) * 255).round().astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}">'


def _settings(document: Document | None, entry: Entry) -> str:
    rows = list(settings_of(document).items()) if document is not None else []
    rows += [("Command", entry.command)] if entry.command else []
    rows += [("File", entry.file)] if entry.file else []
    rows += [("Continues", entry.continues)] if entry.continues else []
    return section("Settings", table((), rows))


def _changes(curves: Curves, document: Document | None) -> str:
    rows = [(f"{each.step:,}", changed_text(each, document)) for each in curves.changes]
    return section("Changed by hand while it ran", table(("Step", "Change"), rows)) if rows else ""


def _metrics(entry: Entry, curves: Curves) -> str:
    status = entry.status
    rows = [
        (name, number_text(value), number_text(best[0]), f"{best[1]:,}")
        for name, value in status.metrics.items()
        if (best := status.best.get(name)) is not None
    ]
    told = [event for event in curves.events if isinstance(event, Evaluated)]
    names = list(dict.fromkeys(name for event in told for name in event.metrics))
    every = -(-len(told) // MOST_ROWS) or 1
    chosen = told[::-1][::every][::-1]
    listed = [
        (
            f"{event.epoch:,}",
            f"{event.step:,}",
            *(number_text(event.metrics[name]) if name in event.metrics else "" for name in names),
        )
        for event in chosen
    ]
    whole = table(("Epoch", "Step", *names), listed, numbers=True)
    of = f"{len(chosen)} of {len(told):,}" if every > 1 else f"{len(told):,}"
    details = f"<details><summary>{of} evaluations</summary>{whole}</details>" if told else ""
    best = table(("Metric", "Last", "Best", "At step"), rows)
    return section("Metrics", f"{best}{details}" if rows or told else "")


def _load(folder: Path) -> str:
    load = read_load(folder)
    if len(load.get("time", ())) < 2:
        return ""
    minutes = (load["time"] - load["time"][0]) / 60
    curves = [
        Drawn("processor, %", Points(minutes, load["cpu"])),
        Drawn("GPU, %", Points(minutes, load["gpu"]), "held"),
    ]
    memory = np.nanmax(load["memory"]) / 2**20 if np.isfinite(load["memory"]).any() else 0.0
    words = f'<p class="muted">At most {memory:,.0f} MB of memory, minutes from left to right.</p>'
    return section("Load of the machine", chart("Load of the machine", curves, unit="minute") + words)


def _environment(folder: Path) -> str:
    found = read_object(folder / ENVIRONMENT)
    if not found:
        return ""
    gpus = ", ".join(str(each.get("name", "")) for each in found.get("gpus", ()) if isinstance(each, Mapping))
    memory = found.get("memory")
    rows = [
        ("Netwright", found.get("netwright")),
        ("Python", found.get("python")),
        ("PyTorch", found.get("torch")),
        ("CUDA", found.get("cuda")),
        ("System", found.get("system")),
        ("Processor", f"{found.get('cpu')}, {found.get('cores')} cores" if found.get("cpu") else ""),
        ("Memory", f"{memory / 2**30:.0f} GB" if isinstance(memory, int) else ""),
        ("GPU", gpus),
    ]
    packages = found.get("packages") if isinstance(found.get("packages"), dict) else {}
    listed = table((), packages.items())
    inner = table((), [(name, value) for name, value in rows if value])
    return section(
        "Environment", f"{inner}<details><summary>{len(packages)} packages</summary>{listed}</details>"
    )
