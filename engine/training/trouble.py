"""What a run says when it cannot go on: which node, why, and what would help."""

from __future__ import annotations

import gc

import torch

from engine.compiler.analyze import analyze
from engine.errors import EngineError
from engine.graph.document import Document
from engine.training.events import MEMORY, NUMBERS, Failed
from engine.training.loop import RanAwayError
from engine.training.setup import Setup

HEAVIEST = 3
"""Nodes that are named where memory ran out."""


def failure_of(error: BaseException, document: Document, setup: Setup | None, line: int | None) -> Failed:
    """Return what to tell of an exception that ended a run; ``line`` is that of a custom layer's code."""
    if isinstance(error, EngineError):
        kind = NUMBERS if isinstance(error, RanAwayError) else ""
        return Failed(error.message, error.node or "", error.port or "", kind)
    if is_out_of_memory(error):
        _release(setup)
        return _out_of_memory(document)
    node = setup.built.locate(error) if setup else ""
    what = str(error).strip().partition("\n")[0] or type(error).__name__
    title = document.nodes[node].title if node in document.nodes else "The run"
    return Failed(f"{title} failed{f' in line {line} of its code' if line else ''}: {what}", node)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory ran out, on a GPU or in the machine."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _release(setup: Setup | None) -> None:
    """Give back what the step that failed held: the gradients, and what torch keeps for later."""
    if setup:
        for each in setup.learners:
            each.parameter.grad = None
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _out_of_memory(document: Document) -> Failed:
    training = document.training
    memory = analyze(document).memory
    heavy = sorted(memory, key=lambda id: memory[id].kept or 0, reverse=True)[:HEAVIEST]
    names = ", ".join(document.nodes[id].title for id in heavy if id in document.nodes)
    smaller = training.batch_size // 2
    text = f"Memory ran out with batches of {training.batch_size}."
    if names:
        text += f" Most is kept by {names}."
    if smaller:
        text += f" Batches of {smaller}, with the gradients of two averaged, learn the same with half of it."
    return Failed(text, heavy[0] if heavy else "", kind=MEMORY, batch_size=smaller)
