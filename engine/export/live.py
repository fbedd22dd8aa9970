"""A model to be written down: compiled, with its weights, and with rows to try it on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.compiler.data import load_node
from engine.compiler.module import Built, compile_document
from engine.errors import CompileError
from engine.export import Weights
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from engine.layers.declaration import BATCH
from engine.training.checkpoint import fit_weights

_DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}


@dataclass(frozen=True)
class Live:
    """A compiled model in evaluation mode; ``told`` says whose weights it has."""

    built: Built
    model: nn.Module
    told: str

    def rows(self, count: int) -> tuple[Tensor, ...]:
        """Return so many samples for ``forward``: random numbers, whole ones as they occur in the data."""
        document, plan = self.built.document, self.built.plan
        generator = torch.Generator().manual_seed(0)
        given = []
        for slot in plan.arguments:
            type_ = plan.types[slot]
            shape = [count if size == BATCH else int(size) for size in type_.shape]
            if type_.dtype == "float":
                given.append(torch.randn(shape, generator=generator))
            elif (layer := layer_of(document, document.nodes[slot.node].type)).role == "data":
                data = load_node(document.nodes[slot.node], layer)
                values = data.fields[slot.port].values
                rows = torch.arange(count) % len(values)
                given.append(torch.from_numpy(values[rows.numpy()]).to(_DTYPES[type_.dtype]))
            else:
                # The largest whole number that an Input may take is nowhere written: 0 and 1 always fit.
                given.append(torch.randint(0, 2, shape, generator=generator).to(_DTYPES[type_.dtype]))
        return tuple(given)


def make_live(document: Document, weights: Weights | None = None) -> Live:
    """Compile a document and give it weights, or fresh ones by its seed, as a run begins with.

    Raises CompileError for a document that is no model, or for weights of another one.
    """
    seed = document.training.seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = compile_document(document)
    told = f"fresh weights from seed {seed}"
    if weights is not None:
        report = fit_weights(built.model, weights.tensors)
        if report.missing or report.mismatched or report.unexpected:
            raise CompileError(f"The {weights.title} are those of another network: {report}")
        told = weights.title
    return Live(built, built.model.eval(), told)
