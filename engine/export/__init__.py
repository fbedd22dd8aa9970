"""Taking the network away: one declaration for each kind of file."""

from __future__ import annotations

import errno
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue import did_you_mean
from engine.errors import FileError, shown
from engine.graph.document import Document
from engine.storage.document_file import SUFFIX

if TYPE_CHECKING:  # the table is read by menus and --help, which need not wait for torch
    from torch import Tensor


@dataclass(frozen=True)
class Weights:
    """Numbers that were learned, by their names in the model, and what a message calls them."""

    tensors: Mapping[str, Tensor]
    title: str


@dataclass(frozen=True)
class Exporter:
    """One kind of file; ``group`` is the heading under which a window lists it.

    ``writer`` names ``module:function``, which is loaded when it is first used. It takes a Document, a Path
    and Weights or None, and returns what there is to tell beside the file's name. ``weighs`` says whether
    weights are written; without them it takes fresh ones, by the document's seed.
    """

    name: str
    title: str
    suffix: str
    doc: str
    group: str
    writer: str = ""
    weighs: bool = False

    def write(self, document: Document, path: Path, weights: Weights | None = None) -> str:
        """Write the file, whole or not at all, and return what there is to tell about it."""
        return pkgutil.resolve_name(self.writer)(document, path, weights)


EXPORTERS: Mapping[str, Exporter] = {
    exporter.name: exporter
    for exporter in (
        Exporter(
            "module",
            "Python module",
            ".py",
            "The network as a PyTorch class, to read and to use in code of your own.",
            "Code",
            "engine.export.plain:write_module",
        ),
        Exporter(
            "script",
            "Training script",
            ".py",
            "One file, its data beside it, that repeats the run with torch alone.",
            "Code",
            "engine.export.script:write_script",
        ),
        Exporter(
            "onnx",
            "ONNX",
            ".onnx",
            "For other programs and devices; run in onnxruntime and compared first.",
            "Model",
            "engine.export.onnx_model:write_onnx",
            weighs=True,
        ),
        Exporter(
            "program",
            "torch.export",
            ".pt2",
            "A graph that PyTorch runs without this Python; loaded and compared first.",
            "Model",
            "engine.export.program:write_program",
            weighs=True,
        ),
        Exporter(
            "weights",
            "Weights",
            ".safetensors",
            "Every learned number by its name, in a file that can run nothing.",
            "Model",
            "engine.export.plain:write_weights",
            weighs=True,
        ),
        Exporter(
            "document",
            "Netwright document",
            SUFFIX,
            "A copy of the drawing with all its settings.",
            "Drawing",
            "engine.export.plain:write_document",
        ),
        Exporter(
            "slurm",
            "SLURM job",
            ".sbatch",
            "A script for sbatch: torchrun on every machine, goes on after a restart.",
            "Cluster",
            "engine.export.jobs:write_slurm",
        ),
        Exporter(
            "kubernetes",
            "Kubernetes job",
            ".yaml",
            "One manifest for kubectl: the document, its storage and a job of torchrun.",
            "Cluster",
            "engine.export.jobs:write_kubernetes",
        ),
    )
}
"""Every kind by its name; where several share an ending, the first is meant unless another is named."""

DRAWINGS = (".png", ".svg", ".pdf")
"""Endings of pictures, which need a window's painter and are made elsewhere."""


def exporter_for(path: Path, name: str = "") -> Exporter:
    """Return the exporter of a name, or of the file's ending where none is named.

    Raises FileError for an unknown name, or for an ending that does not fit.
    """
    suffix = path.suffix.lower()
    if name and name not in EXPORTERS:
        near = did_you_mean(name, EXPORTERS)
        raise FileError(f"There is no export {shown(name)}; there are {', '.join(EXPORTERS)}.{near}")
    if name and suffix != EXPORTERS[name].suffix:
        raise FileError(f"{path.name} should end in {EXPORTERS[name].suffix}: that is what {name} writes.")
    found = next(
        (each for each in EXPORTERS.values() if name in ("", each.name) and each.suffix == suffix), None
    )
    if found is None:
        if suffix in DRAWINGS:
            raise FileError(f"{path.name} would be a picture of the drawing: netwright picture makes those.")
        suffixes = list(dict.fromkeys(each.suffix for each in EXPORTERS.values()))
        endings = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise FileError(f"{path.name} should end in {endings} to tell what to export.")
    return found


def export(document: Document, path: Path, name: str = "", weights: Weights | None = None) -> str:
    """Write a document in the form that ``name`` or the file's ending asks for; return what was done.

    Raises FileError for an unknown form or a file that cannot be written, CompileError for a document that is
    no model yet, EngineError with the node that this form cannot express. Nothing is left behind then.
    """
    exporter = exporter_for(path, name)
    if weights is not None and not exporter.weighs:
        raise FileError(f"{exporter.title}: no weights are written into it; leave them out.")
    try:
        told = exporter.write(document, path, weights)
    except OSError as error:
        raise FileError(f"{path} could not be written: {_reason(error)}.") from error
    return f"Wrote {path.name}: {told}." if told else f"Wrote {path.name}."


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    return error.strerror or str(error) or type(error).__name__
