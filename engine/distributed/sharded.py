"""Moments of a run whose weights are shared out: every process writes its share, torch puts them together."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor
from torch.distributed.checkpoint import FileSystemReader, FileSystemWriter, Metadata
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from engine.compiler.module import compile_document
from engine.distributed.group import Group
from engine.distributed.shares import SUFFIX, shared_moments
from engine.errors import FileError
from engine.storage.failures import why_not_written
from engine.training.moment import load_moment, save_moment
from engine.training.setup import Setup

REST = "rest.safetensors"
"""The file in a moment's folder with what is small and the same in all processes."""

KEPT = 2
"""Moments that stay."""


class Shares:
    """Writes and reads moments in a run's folder, which every process has to see. All call alike."""

    def __init__(self, setup: Setup, folder: Path, group: Group):
        self._setup, self._folder, self._group = setup, folder, group
        self._saved = -1

    def save(self, processes: Sequence[Mapping[str, Tensor]]) -> None:
        """Write a moment, unless this one is written. Raises FileError if it cannot be."""
        step = self._setup.position.step
        if step == self._saved:
            return
        path = self._folder / f"{step:09d}{SUFFIX}"
        temporary = path.with_name(f".{path.name}.tmp")
        problem = ""
        try:
            if self._group.leads:
                shutil.rmtree(temporary, ignore_errors=True)
                temporary.mkdir(parents=True)
            self._group.wait()
            dcp.save(self._tensors(), storage_writer=FileSystemWriter(temporary), no_dist=False)
            if self._group.leads:
                save_moment(temporary / REST, self._rest() | {"processes": list(processes)})
                shutil.rmtree(path, ignore_errors=True)
                temporary.rename(path)  # the mark that it is whole
        except (OSError, FileError) as error:
            problem = error.message if isinstance(error, FileError) else why_not_written(path, error)
        if problem := next(filter(None, self._group.gather(problem)), ""):
            raise FileError(problem)
        self._saved = step
        if self._group.leads:
            for old in shared_moments(self._folder)[:-KEPT]:
                shutil.rmtree(old, ignore_errors=True)

    def load(self) -> Sequence[Mapping[str, Tensor]] | None:
        """Go on from the newest moment; return what each process drew from then, None without a moment.

        The number of processes may be another one.
        """
        newest = self._group.tell_all(str(next(reversed(shared_moments(self._folder)), "")))
        if not newest:
            return None
        reader = _Reader(newest)
        known = reader.read_metadata().state_dict_metadata
        tensors = self._tensors()
        for name, optimizer, parameter, key in self._places():
            for whole, about in known.items():
                if whole.startswith(f"{name}/") and isinstance(about, TensorStorageMetadata):
                    key = whole.removeprefix(f"{name}/")
                    alike = about.size == parameter.shape
                    value = torch.zeros_like(parameter) if alike else torch.zeros(about.size)
                    value = value.to(about.properties.dtype)
                    optimizer.state[parameter][key] = tensors[whole] = value
        dcp.load(tensors, storage_reader=reader)
        self._setup.model.load_state_dict(
            {
                name.removeprefix("model/"): value
                for name, value in tensors.items()
                if name.startswith("model/")
            }
        )
        rest = load_moment(Path(newest) / REST)
        for minimizer, each in zip(self._setup.minimizers, rest["minimizers"], strict=True):
            each["optimizers"] = [optimizer.state_dict() for optimizer in minimizer.optimizers]
        self._setup.load_state_dict(rest | {"model": self._setup.model.state_dict()})
        self._saved = self._setup.position.step
        return rest["processes"]

    def _tensors(self) -> dict[str, Tensor]:
        """Every tensor of the moment that is shared out, by name."""
        found = {f"model/{name}": value for name, value in self._setup.model.state_dict().items()}
        for name, optimizer, parameter, _ in self._places():
            for key, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    found[f"{name}/{key}"] = value
        return found

    def _places(self) -> Iterator[tuple[str, torch.optim.Optimizer, Tensor, str]]:
        """Each weight with the optimizer that moves it, and the name of what that remembers of it."""
        names = {id(value): name for name, value in self._setup.model.named_parameters()}
        for place, minimizer in enumerate(self._setup.minimizers):
            for number, optimizer in enumerate(minimizer.optimizers):
                for group in optimizer.param_groups:
                    for parameter in group["params"]:
                        yield f"optimizer{place}.{number}/{names[id(parameter)]}", optimizer, parameter, ""

    def _rest(self) -> dict[str, Any]:
        """The moment without the tensors that are shared out."""
        state = self._setup.state_dict()
        for each in state["minimizers"]:
            del each["optimizers"]
        del state["model"]
        return state


def whole_model(setup: Setup, leads: bool) -> torch.nn.Module:
    """Return the model in one piece, on the CPU, in the process that leads. All processes call alike."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    state = get_model_state_dict(setup.model, options=options)
    if not leads:
        return setup.model
    model = compile_document(setup.document).model
    model.load_state_dict(state)
    return model


class _Reader(FileSystemReader):
    """Reads a checkpoint without letting its index run anything: torch writes that as a pickle."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        with self.fs.create_stream(self._get_metadata_path(None), "rb") as file:
            metadata = _Unpickler(file).load()
        metadata.storage_meta = metadata.storage_meta or dcp.metadata.StorageMeta()
        metadata.storage_meta.load_id = self.load_id
        return metadata


_HARMLESS = {
    ("torch", "Size"),
    ("torch", "device"),
    ("torch.serialization", "_get_layout"),
    ("torch", "memory_format"),
    ("torch._utils", "_rebuild_memory_format"),
    ("pathlib", "PosixPath"),
    ("pathlib", "PurePosixPath"),
    ("collections", "OrderedDict"),
}


class _Unpickler(pickle.Unpickler):
    """Knows the classes of torch's index and no other."""

    def find_class(self, module: str, name: str) -> Any:
        found = None
        if module.startswith("torch.distributed.checkpoint.") or (module, name) in _HARMLESS:
            found = super().find_class(module, name)
        elif module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        if found is not None and (isinstance(found, type) or (module, name) in _HARMLESS):
            return found
        raise FileError(f"The index of a moment names {module}.{name}, which has no place in one.")
