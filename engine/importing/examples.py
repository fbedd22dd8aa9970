"""Example inputs: what the user says about them, and what a model's first layers tell."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.errors import shown
from engine.importing.calls import BATCHES, ImportingError

_INPUT = re.compile(r"(?:([A-Za-z_]\w*)=)?(?:(int|float):)?\s*(\d+(?:\s*[,x×]\s*\d+)*)\s*")
_LARGEST = 2**26


@dataclass(frozen=True)
class Example:
    """One input: its name, its shape with the batch in front, ``float`` or ``int``, and for whole numbers how
    many different ones there are."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float"
    classes: int = 2

    def tensor(self, batch: int) -> Tensor:
        """Return random numbers of this shape, the same each time, for another batch size."""
        generator = torch.Generator().manual_seed(batch)
        shape = (batch, *self.shape[1:])
        if self.dtype == "int":
            return torch.randint(0, self.classes, shape, generator=generator)
        return torch.randn(shape, generator=generator)

    def __str__(self) -> str:
        """As it is typed: ``int:1,16``."""
        return ("int:" if self.dtype == "int" else "") + ",".join(map(str, self.shape))


def parse_example(text: str, name: str = "") -> Example:
    """Return the example that a text such as ``1,3,224,224``, ``int:1,16`` or ``mask=1,16`` describes.

    Raises ImportingError that shows how to write one.
    """
    match = _INPUT.fullmatch(text.strip())
    if not match:
        raise ImportingError(
            f"An input is written as its shape with the batch in front, such as 1,3,224,224, or int:1,16 for "
            f"token ids; not {shown(text)}."
        )
    shape = tuple(int(size) for size in re.findall(r"\d+", match[3]))
    if len(shape) > 8 or not all(shape) or torch.Size(shape).numel() > _LARGEST:
        raise ImportingError(f"An input has 1 to 8 sizes of at least 1, and not {shown(text)}.")
    return Example(match[1] or name, shape, match[2] or "float")


def examples_for(module: nn.Module, texts: Sequence[str] = ()) -> tuple[Example, ...]:
    """Return an example for each input of a module: those that were typed, else what its layers tell.

    Raises ImportingError that says which inputs it takes and how to describe them.
    """
    parameters = _parameters(module)
    given = [parse_example(text) for text in texts]
    classes = min((m.num_embeddings for m in module.modules() if isinstance(m, nn.Embedding)), default=2)
    if given:
        if len(given) > len(parameters):
            raise ImportingError(
                f"{type(module).__name__} takes {_names(parameters)}; {len(given)} inputs were described."
            )
        taken = [each.name for each in given]
        free = [name for name in parameters if name not in taken]
        for each in taken:
            if each and each not in parameters:
                raise ImportingError(
                    f"{type(module).__name__} has no input {each!r}; it takes {_names(parameters)}."
                )
        examples = tuple(Example(each.name or free.pop(0), each.shape, each.dtype, classes) for each in given)
        _check(module, examples)
        return examples
    required = [name for name, needed in parameters.items() if needed] or list(parameters)[:1]
    if len(required) == 1:
        for candidate in _guesses(module, required[0], classes):
            if _runs(module, (candidate,)) is None:
                return (candidate,)
    raise ImportingError(
        f"{type(module).__name__} takes {_names(parameters)}: say the shape of each with the batch in front, "
        f"such as --input 1,3,224,224 or --input int:1,16."
    )


def tensors(examples: Sequence[Example], batch: int) -> dict[str, Tensor]:
    """Return random tensors by name for a batch size."""
    return {each.name: each.tensor(batch) for each in examples}


def _parameters(module: nn.Module) -> dict[str, bool]:
    """The arguments of ``forward`` and whether each must be given."""
    found = {}
    for each in inspect.signature(module.forward).parameters.values():
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            found[each.name] = each.default is each.empty
        elif each.kind is each.VAR_POSITIONAL and not found:
            found["input"] = True
    return found


def _names(parameters: dict[str, bool]) -> str:
    needed = [name for name, must in parameters.items() if must] or list(parameters)
    return ", ".join(needed[:8]) or "no inputs"


def _guesses(module: nn.Module, name: str, classes: int) -> Iterator[Example]:
    """Shapes that the first layers of a module could take, the likely ones first."""
    for layer in module.modules():
        if isinstance(layer, nn.Embedding):
            yield from (Example(name, (1, length), "int", classes) for length in (16, 8, 1))
            return
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            channels = layer.in_channels
            sizes = (32, 28, 224, 64, 128, 16, 96, 227, 256, 299, 8, 4, 1)
            yield from (Example(name, (1, channels, size, size)) for size in sizes)
            return
        if isinstance(layer, nn.Conv1d):
            yield from (Example(name, (1, layer.in_channels, size)) for size in (32, 64, 128, 256, 1024))
            return
        if isinstance(layer, nn.Conv3d):
            yield from (Example(name, (1, layer.in_channels, size, size, size)) for size in (16, 32, 8))
            return
        if isinstance(layer, nn.LSTM | nn.GRU | nn.RNN):
            yield Example(name, (1, 16, layer.input_size))
            return
        if isinstance(layer, nn.Linear):
            yield Example(name, (1, layer.in_features))
            yield Example(name, (1, 16, layer.in_features))
            return


def _check(module: nn.Module, examples: Sequence[Example]) -> None:
    reason = _runs(module, examples)
    if reason is not None:
        given = ", ".join(f"{each.name} {each}" for each in examples)
        raise ImportingError(f"{type(module).__name__} does not run with {given}: {reason}")


def _runs(module: nn.Module, examples: Sequence[Example]) -> str | None:
    """Return why the module does not run with these inputs, or None if it does."""
    try:
        with torch.no_grad():
            module(**tensors(examples, BATCHES[0]))
    except Exception as error:  # whatever the user's own code raises
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return None
