"""The network as ONNX, which many other programs and devices run."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import torch

from engine.errors import CompileError, FileError
from engine.export import Weights
from engine.export.live import Live, make_live
from engine.export.operators import OTHERWISE
from engine.export.traced import compare, told, trace
from engine.graph.document import Document
from engine.storage.atomic import replacing

FORM = "ONNX"
NEEDED = ("onnx", "onnxscript", "onnxruntime")
LARGEST = 2**31 - 2**20
"""Bytes that one file can hold, because protobuf counts them in 31 bits; the graph takes some of them."""


def write_onnx(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write an ``.onnx`` file for any batch size, once onnxruntime has run it and agrees.

    Its inputs and outputs are called as those of the Python module. Raises FileError where a package is
    missing, CompileError with the node that ONNX cannot express.
    """
    _check_packages()
    live = make_live(document, weights)
    size = sum(value.nbytes for value in live.model.state_dict().values())
    if size > LARGEST:
        raise CompileError(
            f"An ONNX file holds at most 2 GB, these weights are {size / 1e9:.1f} GB: write a .pt2 instead."
        )
    program, plan = trace(live, FORM), live.built.plan
    with told(live, FORM):
        model = torch.onnx.export(
            program.run_decompositions(dict(OTHERWISE)),
            dynamo=True,
            verbose=False,
            input_names=list(plan.arguments.values()),
            output_names=list(plan.outputs.values()),
            dynamic_shapes=tuple({0: "batch"} for _ in plan.arguments),
        )
    with replacing(path) as temporary:
        with told(live, FORM):
            model.save(temporary)
        agrees = compare(live, _Session(live, temporary).run, FORM)
    return f"{live.told}; in onnxruntime it {agrees}"


class _Session:
    """The file in onnxruntime."""

    def __init__(self, live: Live, path: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        with told(live, FORM):
            # From memory, because Windows renames no file that is open.
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )

    def run(self, rows: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """Return the outputs for some rows."""
        names = [each.name for each in self._session.get_inputs()]
        given = self._session.run(None, {name: row.numpy() for name, row in zip(names, rows, strict=True)})
        return [torch.from_numpy(each) for each in given]


def _check_packages() -> None:
    missing = []
    for name in NEEDED:
        try:
            import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise FileError(f"ONNX needs {' and '.join(missing)}: pip install {' '.join(missing)}")
