"""Importing a module of PyTorch: traced by torch.fx, by torch.export where fx cannot follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from engine.importing.calls import BATCHES, ImportingError, Trace
from engine.importing.examples import Example, examples_for, tensors
from engine.importing.export_trace import export_module, trace_program
from engine.importing.fx_trace import Untraceable, trace_module
from engine.importing.imported import Imported, build, flat_tensors
from engine.importing.opaque import module_source
from engine.importing.report import NOTICE, Note
from engine.importing.torch_file import load_module, parse_target

_MOST_WHOLE = 24
"""Parts of a module that may stay whole; with more of them there is not much to draw."""


def import_python(target: str, inputs: Sequence[str] = (), trusted: bool = False) -> Imported:
    """Return the import of a module in a Python file, named as ``net.py`` or ``net.py:Net(num_classes=5)``.

    ``inputs`` describe its inputs as ``1,3,224,224`` or ``int:1,16``. Raises ImportingError with the reason.
    """
    return import_module(load_module(parse_target(target), trusted), inputs)


def import_module(module: nn.Module, inputs: Sequence[str] = ()) -> Imported:
    """Return the import of a module; ``inputs`` as in ``import_python``.

    Raises ImportingError that names the module that cannot be followed, the line and the reason.
    """
    module.eval()
    _without_cache(module)
    examples = examples_for(module, inputs)
    notes = [] if inputs else [_guessed(examples)]

    def original(given: Mapping[str, Tensor]) -> list[Tensor]:
        return flat_tensors(module(**given))

    _check_same(module, examples)
    failures: list[Untraceable | ImportingError] = []
    for follow in (_by_fx, _by_export, _in_parts):
        try:
            trace, more = follow(module, examples, failures)
            imported = build(trace, examples, original, [*notes, *more])
        except (Untraceable, ImportingError) as error:
            failures.append(error)
            continue
        if imported.agrees or follow is _in_parts:
            return imported
        failures.append(ImportingError(f"the outputs differ by {imported.difference:.2g}"))
    raise ImportingError(_answer(module, failures))


def _by_fx(module: nn.Module, examples: Sequence[Example], failures: Sequence) -> tuple[Trace, list[Note]]:
    return trace_module(module, [each.name for each in examples]), []


def _by_export(
    module: nn.Module, examples: Sequence[Example], failures: Sequence
) -> tuple[Trace, list[Note]]:
    program = export_module(module, examples)
    trace = trace_program(program, type(module).__name__, module)
    count = sum(call.role == "call" for call in trace.calls)
    reason = getattr(failures[0], "reason", str(failures[0]))
    where = getattr(failures[0], "line", "")
    text = f"{count} operators, because torch.fx cannot follow: {reason.rstrip('.')}" + (
        f" ({where})" if where else ""
    )
    return trace, [Note(NOTICE, "Read from torch.export", text)]


def _in_parts(module: nn.Module, examples: Sequence[Example], failures: Sequence) -> tuple[Trace, list[Note]]:
    """Trace a module around those of its parts that stay whole. Raises Untraceable where one cannot."""
    whole: dict[str, Untraceable] = {}
    while True:
        try:
            trace = trace_module(module, [each.name for each in examples], list(whole))
            return trace, [_stays_whole(module, path, error) for path, error in whole.items()]
        except Untraceable as error:
            if not error.path or error.path in whole or len(whole) >= _MOST_WHOLE:
                raise
            try:
                module_source(module.get_submodule(error.path))
            except ImportingError as reason:
                text = f"{error.reason.rstrip('.')}; and {reason.message}"
                raise Untraceable(error.path, text, error.line) from None
            whole[error.path] = error


def _stays_whole(module: nn.Module, path: str, error: Untraceable) -> Note:
    kind = type(module.get_submodule(path)).__name__
    where = f" ({error.line})" if error.line else ""
    return Note(
        NOTICE, f"{path} stays whole", f"{kind} is a custom layer with its own source: {error.reason}{where}"
    )


def _answer(module: nn.Module, failures: Sequence[Untraceable | ImportingError]) -> str:
    """Return why a module cannot be imported: which part, the line, the reason, and what to do."""
    told = next((each for each in failures if isinstance(each, Untraceable) and each.line), failures[0])
    if not isinstance(told, Untraceable):
        return f"{type(module).__name__} cannot be drawn: {told.message}"
    name = type(module).__name__ + (f".{told.path}" if told.path else "")
    where = f" at {told.line}" if told.line else ""
    if "control flow" in told.reason or "data-dependent" in told.reason:
        return (
            f"{name} decides by the numbers in a tensor{where}. A drawn network computes the same for every "
            f"input: use torch.where to choose between two results, or import its parts one by one."
        )
    return f"{name} cannot be followed{where}: {told.reason.rstrip('.')}."


def _check_same(module: nn.Module, examples: Sequence[Example]) -> None:
    """Raise ImportingError for a module that gives other outputs each time, so that none can be compared."""
    given = tensors(examples, BATCHES[0])
    with torch.no_grad():
        a, b = flat_tensors(module(**given)), flat_tensors(module(**given))
    if not a:
        raise ImportingError(f"{type(module).__name__} returns no tensor.")
    if any(x.shape != y.shape or not torch.allclose(x, y, equal_nan=True) for x, y in zip(a, b, strict=True)):
        raise ImportingError(
            f"{type(module).__name__} gives other outputs for the same input in evaluation mode: it draws "
            f"random numbers or remembers, and its import could not be checked."
        )


def _guessed(examples: Sequence[Example]) -> Note:
    text = ", ".join(f"{each.name} {each}" for each in examples)
    return Note(
        NOTICE, "The shape of the input was guessed", f"taken as {text}; say another one if it has another"
    )


def _without_cache(module: nn.Module) -> None:
    """Keep models of transformers from returning what they remember for the next token."""
    config = getattr(module, "config", None)
    if config is not None and getattr(config, "use_cache", False):
        config.use_cache = False
