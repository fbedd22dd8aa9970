"""Importing a module of PyTorch: traced by torch.fx, by torch.export where fx cannot follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from engine.importing.calls import ImportingError, Trace
from engine.importing.examples import Example, examples_for
from engine.importing.fx_trace import Untraceable, trace_module
from engine.importing.imported import NOTICE, Imported, Note, build, flat_tensors
from engine.importing.torch_file import load_module, parse_target


def import_file(target: str, inputs: Sequence[str] = (), trusted: bool = False) -> Imported:
    """Return the import of a module in a Python file, named as ``net.py`` or ``net.py:Net(num_classes=5)``.

    ``inputs`` describe its inputs as ``1,3,224,224`` or ``int:1,16``. Raises ImportingError with the reason.
    """
    return import_module(load_module(parse_target(target), trusted), inputs)


def import_module(module: nn.Module, inputs: Sequence[str] = ()) -> Imported:
    """Return the import of a module; ``inputs`` as in ``import_file``.

    Raises ImportingError that names the module that cannot be followed, the line and the reason.
    """
    module.eval()
    _without_cache(module)
    examples = examples_for(module, inputs)
    notes = [] if inputs else [_guessed(examples)]

    def original(given: Mapping[str, Tensor]) -> list[Tensor]:
        return flat_tensors(module(**given))

    trace = trace_module(module, [each.name for each in examples])
    return build(trace, examples, original, notes)


def _guessed(examples: Sequence[Example]) -> Note:
    text = ", ".join(f"{each.name} {each}" for each in examples)
    return Note(NOTICE, "The shape of the input was guessed", f"{text}; say another one if it has another")


def _without_cache(module: nn.Module) -> None:
    """Keep models of transformers from returning what they remember for the next token."""
    config = getattr(module, "config", None)
    if config is not None and getattr(config, "use_cache", False):
        config.use_cache = False


_ = (ImportingError, Trace, Untraceable)
