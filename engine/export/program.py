"""The network as a program of torch.export: a graph of operators that runs without its Python."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.export import Weights
from engine.export.live import make_live
from engine.export.traced import compare, told, trace
from engine.graph.document import Document
from engine.storage.atomic import replacing

FORM = "a program of torch.export"


def write_program(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write a ``.pt2`` file for any batch size, once it has been loaded again and compared.

    Raises CompileError with the node that cannot be traced.
    """
    live = make_live(document, weights)
    program = trace(live, FORM)
    with replacing(path) as temporary:
        with told(live, FORM), temporary.open("wb") as file:
            torch.export.save(program, file)
        with told(live, FORM), temporary.open("rb") as file:
            loaded = torch.export.load(file).module()

        def run(rows: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
            with torch.no_grad():
                given = loaded(*rows)
            return [given] if isinstance(given, torch.Tensor) else list(given)

        agrees = compare(live, run, FORM)
    return f"{live.told}; loaded again, it {agrees}"
