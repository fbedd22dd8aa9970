"""What an import gives: a document, its weights, and a report of what became what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.utils._pytree as pytree
from torch import Tensor

from engine.compiler.analyze import analyze
from engine.compiler.module import Built, compile_document
from engine.graph.document import Document
from engine.importing.assemble import Assembled, assemble
from engine.importing.calls import BATCHES, ImportingError, Trace, run
from engine.importing.examples import Example, tensors
from engine.importing.lower import lower
from engine.importing.made import Lowered
from engine.importing.report import BAD, GOOD, NOTICE, Note
from engine.importing.simplify import simplify

_TOLERANCE = 1e-4
_ROUNDS = 16


@dataclass(frozen=True)
class Imported:
    """An imported network: the document, the weights of its compiled model by state-dict key, the report.

    ``difference`` is the largest difference between its outputs and those of the original.
    """

    document: Document
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    report: tuple[Note, ...] = ()
    difference: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the outputs are those of the original."""
        return self.difference <= _TOLERANCE

    def text(self) -> str:
        """The report as lines for a terminal."""
        marks = {GOOD: "✓", NOTICE: "•", BAD: "✗"}
        return "\n".join(f"{marks[n.kind]} {n.title}{': ' + n.text if n.text else ''}" for n in self.report)


Original = Callable[[Mapping[str, Tensor]], Sequence[Tensor]]


def build(
    trace: Trace,
    examples: Sequence[Example],
    original: Original,
    notes: Sequence[Note] = (),
    batches: Sequence[int] = BATCHES,
) -> Imported:
    """Return the import of a trace: its document, its weights, and how its outputs compare.

    ``batches`` are the batch sizes that the original can compute.
    Raises ImportingError for what cannot be drawn.
    """
    run(trace, tuple(tensors(examples, batch) for batch in BATCHES))
    simplify(trace)
    lowered, assembled, refused = _settled(trace)
    built = compile_document(assembled.document)
    weights = _loaded(built, assembled.weights)
    difference = _compare(built, examples, original, batches)
    report = [
        _agreement(difference, len(batches)),
        _counts(assembled),
        *notes,
        *_details(trace, lowered, assembled, refused),
    ]
    return Imported(assembled.document, weights, tuple(report), difference)


def _settled(trace: Trace) -> tuple[Lowered, Assembled, dict[str, str]]:
    """Lower and assemble, until no layer refuses what arrives; what one refuses becomes a custom layer."""
    refused: dict[str, str] = {}
    for _ in range(_ROUNDS):
        lowered = lower(trace, refused)
        flat = assemble(lowered, trace.name, blocks=False)
        problems = {p.node: p.message for p in analyze(flat.document).errors}
        new = {flat.calls[node]: text for node, text in problems.items() if flat.calls.get(node)}
        if not problems or not new.keys() - refused.keys():
            break
        refused |= new
    if problems:
        node, text = next(iter(problems.items()))
        raise ImportingError(f"{node} cannot be drawn: {text}")
    return lowered, assemble(lowered, trace.name), refused


def _loaded(built: Built, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy the weights into the compiled model and return its whole state. Raises ImportingError."""
    state = built.model.state_dict()
    for name, value in state.items():
        if name not in weights:
            raise ImportingError(f"The import lost the weights {name}.")
        if value.shape != weights[name].shape:
            raise ImportingError(
                f"{name} should have the shape {tuple(value.shape)}, {tuple(weights[name].shape)} came."
            )
        with torch.no_grad():
            value.copy_(weights[name])
    extra = weights.keys() - state.keys()
    if extra:
        raise ImportingError(f"The import has no place for the weights {sorted(extra)[0]}.")
    return {name: value.detach().clone().contiguous() for name, value in state.items()}


def _compare(built: Built, examples: Sequence[Example], original: Original, batches: Sequence[int]) -> float:
    """Return the largest difference of outputs, relative to the largest number in them."""
    built.model.eval()
    worst = 0.0
    for batch in batches:
        given = tensors(examples, batch)
        with torch.no_grad():
            wanted = list(original(given))
            found = list(built.outputs(built.model, given))
        if len(wanted) != len(found):
            return float("inf")
        for a, b in zip(wanted, found, strict=True):
            if a.shape != b.shape:
                return float("inf")
            scale = (
                max(1.0, float(a.double().abs().nan_to_num(posinf=1.0, neginf=1.0).max()))
                if a.numel()
                else 1.0
            )
            gap = (a.double() - b.double()).abs().nan_to_num(0.0, posinf=float("inf"))
            worst = max(worst, float(gap.max()) / scale) if a.numel() else worst
    return worst


def flat_tensors(result: object) -> list[Tensor]:
    """Return the tensors that a model gives, in order."""
    return [value for value in pytree.tree_leaves(result) if isinstance(value, Tensor)]


def _agreement(difference: float, sizes: int) -> Note:
    if difference <= _TOLERANCE:
        exact = "exactly" if difference == 0 else f"to {difference:.0e}"
        return Note(
            GOOD, "The outputs agree", f"{exact}, for random inputs of {sizes} batch size{'s' * (sizes > 1)}"
        )
    return Note(BAD, "THE OUTPUTS DIFFER", f"by {difference:.2g}: do not rely on this import")


def _counts(assembled: Assembled) -> Note:
    layers = sum(node.type not in ("Input", "Output") for node in assembled.document.nodes.values())
    blocks = ", ".join(f"{name} × {count}" for name, count in assembled.uses.items())
    count = sum(value.numel() for value in assembled.weights.values())
    text = f"{layers} nodes, {count:,} weights" + (f"; blocks {blocks}" if blocks else "")
    return Note(GOOD, assembled.document.name, text)


def _details(trace: Trace, lowered: Lowered, assembled: Assembled, refused: Mapping[str, str]) -> list[Note]:
    notes = [Note(NOTICE, text) for text in lowered.notes]
    used = Counter(made.type for made in lowered.nodes if made.custom)
    for type_, count in used.items():
        code = lowered.customs[type_].strip().splitlines()[-1].strip().removeprefix("return ")
        places = sorted({_where(made.places) for made in lowered.nodes if made.type == type_})
        where = ", ".join(places[:3]) + (" …" if len(places) > 3 else "")
        notes.append(Note(NOTICE, f"{type_} is a custom layer", f"{count} × in {where}: {code[:80]}"))
    notes += [Note(NOTICE, text) for text in assembled.open]
    return notes


def _where(places: Sequence) -> str:
    return places[-1].path if places else "the model"
