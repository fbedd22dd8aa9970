"""Tracing a model for other programs: with any batch size, quietly, and with the node where it fails."""

from __future__ import annotations

import functools
import logging
import re
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest

import torch
from torch import Tensor, fx, nn

from engine.errors import CompileError, EngineError
from engine.export.live import Live

EXAMPLE = 3
"""Rows of the example that is traced; neither 0 nor 1, which torch takes for fixed sizes."""

TRIED = (1, 5)
"""Rows that are run through what was written, to compare."""

TOLERANCE = 1e-3
"""Share of the largest number by which what was written may differ: float32 added in another order."""

_LOGGERS = ("torch", "torch.onnx", "torch.export", "onnxscript", "onnx_ir")


def trace(live: Live, form: str) -> torch.export.ExportedProgram:
    """Return the model as a program of torch that takes any number of rows.

    Raises CompileError with the node that cannot be traced; ``form`` is what it was meant for.
    """
    example = live.rows(EXAMPLE)
    batch = torch.export.Dim("batch")
    if len(live.built.plan.outputs) > 1:
        _give_plain_tuple(type(live.model))
    with told(live, form):
        return torch.export.export(live.model, example, dynamic_shapes=tuple({0: batch} for _ in example))


def _give_plain_tuple(class_: type[nn.Module]) -> None:
    """Let a model, whose class is its own, return a tuple: a program cannot hold the class of a named one."""
    forward = class_.forward

    @functools.wraps(forward)
    def as_tuple(*arguments: object) -> tuple[Tensor, ...]:
        return tuple(forward(*arguments))

    class_.forward = as_tuple


@contextmanager
def told(live: Live, form: str) -> Iterator[None]:
    """Turn whatever a library raises inside into a sentence that names the node; its warnings are silent."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
    except (EngineError, OSError):
        raise
    except Exception as error:  # torch, onnxscript and onnxruntime each have their own
        node = _node(live, error)
        title = live.built.document.nodes[node].title if node in live.built.document.nodes else node
        who = title or "This network"
        raise CompileError(f"{who} cannot be written as {form}: {_reason(error)}", node) from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def compare(live: Live, run: Callable[[tuple[Tensor, ...]], Sequence[Tensor]], form: str) -> str:
    """Run what was written on rows that it has not seen and tell how far it is from the model.

    Raises CompileError, with the node behind the output, where it computes something else.
    """
    plan = live.built.plan
    largest = 0.0
    for count in TRIED:
        rows = live.rows(count)
        fields = dict(zip(plan.arguments.values(), rows, strict=True))
        with torch.no_grad():
            expected, again = (live.built.outputs(live.model, fields) for _ in range(2))
        if not all(map(torch.equal, expected, again)):
            return "not compared, because the network draws random numbers"
        with told(live, form):
            given = run(rows)
        for slot, theirs, ours in zip_longest(plan.outputs, given, expected):
            difference = _difference(theirs, ours)
            if not difference <= TOLERANCE * _size(ours):
                raise CompileError(
                    f"{form} computes something else than the network: {plan.outputs[slot]} differs by "
                    f"{difference:.2g}. Nothing was written.",
                    slot.node,
                )
            largest = max(largest, difference)
    return f"differs by {largest:.1e} at most" if largest else "gives the same numbers"


def _difference(theirs: Tensor, ours: Tensor) -> float:
    if theirs is None or ours is None or theirs.shape != ours.shape:
        return float("inf")
    if not ours.numel():
        return 0.0
    same = (theirs == ours) | (theirs.isnan() & ours.isnan())  # a causal mask is minus infinity
    return torch.where(same, 0.0, theirs.double() - ours.double()).abs().max().item()


def _size(values: Tensor) -> float:
    """The largest number, at least 1; without those that are infinite."""
    finite = values[values.isfinite()].double().abs()
    return max(1.0, finite.max().item()) if finite.numel() else 1.0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _node(live: Live, error: BaseException) -> str:
    """Return the node that an error is about: by its traceback, its text, or the operator at work."""
    for each in _chain(error):
        if found := live.built.locate(each) or _quoted(live, str(each)) or _quoted(live, _at_work(each)):
            return found
    return ""


def _at_work(error: BaseException) -> str:
    """Return where the operator comes from that a translator had in hand: it knows, and does not say."""
    hands = (frame.f_locals.get("node") for frame, _ in traceback.walk_tb(error.__traceback__))
    traces = [hand.meta.get("stack_trace") or "" for hand in hands if isinstance(hand, fx.Node)]
    return traces[-1] if traces else ""


def _quoted(live: Live, text: str) -> str:
    """Return the node of the last line of the rendered module that a text quotes."""
    lines = re.findall(rf'File "{re.escape(live.built.filename)}", line (\d+)', text)
    return next((node for line in reversed(lines) if (node := live.built.source.node_at(int(line)))), "")


_LACKS = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.]+)'")


def _reason(error: BaseException) -> str:
    """The first sentence of the innermost error that says something."""
    last = [each for each in _chain(error) if str(each).strip()]
    text = str(last[-1] if last else type(error).__name__).strip().partition("\n")[0]
    if lacking := _LACKS.search(text):
        return f"nothing there does what {lacking[1]} does."
    return text if len(text) <= 200 else f"{text[:197]}..."
