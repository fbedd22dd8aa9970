"""How fast shapes are inferred: ``python -m tests.benchmarks.inference [--json]``.

ResNet-152, drawn with blocks, beside one forward of the hand-written model on the meta device; and the same
document after one edit near its end. Nothing is remembered from round to round where all of it is inferred.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from itertools import count

import torch

import engine.compiler
import engine.compiler.resolve as resolve_module
from engine.compiler.analyze import analyze
from engine.compiler.resolve import resolve
from engine.graph.document import Document
from engine.graph.edits import set_params
from presets import preset
from tests.benchmarks.networks import resnet152
from tests.benchmarks.rows import Row, interleaved, report


def forget() -> None:
    """Empty every cache of the compiler, so that the next document is as the first one after a start."""
    for info in pkgutil.iter_modules(engine.compiler.__path__, "engine.compiler."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if getattr(value, "__module__", "") == info.name and hasattr(value, "cache_clear"):
                value.cache_clear()
    resolve_module._latest.clear()


def row(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int, bound: float, what: str
) -> Row:
    """Return how many times as long ours takes: the worse of the best rounds and the median of the rounds."""
    best, median = interleaved(ours, theirs, rounds)
    detail = f"{what}: best rounds {1 / best:.3f}, median of {rounds} ratios {1 / median:.3f}"
    return Row(name, round(max(1 / best, 1 / median), 4), bound, "lower", detail)


def everything(document: Document, model: torch.nn.Module, rounds: int) -> Row:
    """Return the row of a document that is seen for the first time beside its model's forward on meta."""
    image = torch.empty(32, 3, 224, 224, device="meta")

    def ours() -> None:
        forget()
        analyze(document)

    def theirs() -> None:
        with torch.no_grad():
            model(image)

    what = "shapes, cost, memory, problems and code against one forward on the meta device"
    return row(f"{document.name}, first look", ours, theirs, rounds, 2.0, what)


def after_an_edit(document: Document, node: str, rounds: int) -> Row:
    """Return the row of a node near the end that gets another width, each time a new one."""
    before = resolve(document)
    widths = count(11)

    def ours() -> None:
        resolve(set_params(document, node, out_features=next(widths)), before)

    def theirs() -> None:
        forget()
        resolve(document)

    what = "one edit against all of it, each from its document to every shape"
    return row(f"{document.name}, one edit", ours, theirs, rounds, 0.05, what)


def inference(quick: bool = False) -> list[Row]:
    """Return both rows."""
    rounds = 5 if quick else 15
    document = preset("resnet152").document()
    with torch.device("meta"):
        model = resnet152()
    return [everything(document, model, rounds), after_an_edit(document, "fc", rounds)]


SUITES: tuple[Callable[[bool], list[Row]], ...] = (inference,)
"""What is measured, in order; each returns its rows."""


if __name__ == "__main__":
    raise SystemExit(report(__doc__, SUITES))
