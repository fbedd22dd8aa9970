"""How fast a compiled document runs beside one written by hand: ``python -m tests.benchmarks.compiled``.

A ratio is the hand-written module's time for forward and backward over the compiled one's, with the same
weights and input, interleaved. The last rows count the graphs that ``torch.compile`` needs: one, if nothing
in the generated code breaks it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.compiler.module import compile_document
from presets import preset, presets
from tests.benchmarks.networks import MLP, LeNet5, resnet18
from tests.benchmarks.rows import Row, interleaved, report
from tests.benchmarks.training import lenet, spirals


def forward_backward(model: nn.Module, x: Tensor, times: int) -> Callable[[], None]:
    """Return a function that runs a model forward and backward so many times."""
    parameters = list(model.parameters())

    def run() -> None:
        for _ in range(times):
            for parameter in parameters:
                parameter.grad = None
            model(x).sum().backward()

    return run


def compared(name: str, ours: nn.Module, theirs: nn.Module, x: Tensor, times: int, rounds: int) -> Row:
    """Return how fast our module is beside theirs."""
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    if not torch.allclose(ours.eval()(x), theirs.eval()(x), rtol=1e-4, atol=1e-4):
        raise RuntimeError(f"{name}: the two networks differ.")
    ours.train(), theirs.train()
    best, median = interleaved(forward_backward(ours, x, times), forward_backward(theirs, x, times), rounds)
    detail = f"best rounds {best:.3f}, median of {rounds} rounds {median:.3f}"
    return Row(f"{name}, forward + backward", round(min(best, median), 3), 0.99, "higher", detail)


def speed(quick: bool = False) -> list[Row]:
    """Return a row for a perceptron, LeNet-5 and ResNet-18."""
    rounds = 5 if quick else 31
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # a second thread waits for whatever else the machine does
    try:
        from pathlib import Path
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            small = compile_document(lenet(1, Path(folder))).model
        mlp = compile_document(spirals(1)).model
        resnet = compile_document(preset("resnet18").document()).model
        return [
            compared("perceptron", mlp, MLP(), torch.randn(64, 2), 100, rounds),
            compared("LeNet-5", small, LeNet5(), torch.randn(64, 1, 28, 28), 5, rounds),
            compared("ResNet-18", resnet, resnet18(), torch.randn(2, 3, 64, 64), 1, rounds),
        ]
    finally:
        torch.set_num_threads(before)


def graphs(quick: bool = False) -> list[Row]:
    """Return for each convolutional preset how many graphs ``torch.compile`` makes of it."""
    names = [name for name, each in presets().items() if any(row.startswith("C") for row in each.rows)]
    return [graphs_of(name) for name in (names[:2] if quick else names)]


def graphs_of(name: str) -> Row:
    """Return how many graphs ``torch.compile`` makes of a preset's model."""
    with torch.device("meta"):
        built = compile_document(preset(name).document())
        shapes = [built.plan.types[slot].shape[1:] for slot in built.plan.arguments]
        inputs = [torch.empty((2, *shape)) for shape in shapes]
    torch._dynamo.reset()
    told = torch._dynamo.explain(built.model)(*inputs)
    return Row(f"graphs of {name}", told.graph_count, 1, "lower", f"{told.op_count} operations")


SUITES: tuple[Callable[[bool], list[Row]], ...] = (speed, graphs)
"""What is measured, in order; each returns its rows."""

if __name__ == "__main__":
    raise SystemExit(report(__doc__, SUITES))
