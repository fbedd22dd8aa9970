"""Everything that can be told about a document before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from engine.compiler.analysis import ERROR, WARNING, Analysis, Fix, Problem, SourceText
from engine.compiler.classes import first_uses
from engine.compiler.fixes import remove, set_param
from engine.compiler.guard import check_source
from engine.compiler.memory import footprint, inside_of, memory_of
from engine.compiler.mends import mended, producer
from engine.compiler.plan import Plan, make_plan
from engine.compiler.resolve import Resolution, resolve
from engine.compiler.source import render
from engine.errors import EngineError
from engine.graph.blocks import ROLE, inside, layer_of
from engine.graph.document import Document, Slot, Way, frozen
from engine.graph.missing import ROLE as MISSING
from engine.graph.modes import active, stands_for
from engine.graph.settings import set_training
from engine.graph.view import ancestors_of, descendants_of
from engine.layers.declaration import TensorType


def analyze(document: Document, before: Analysis | None = None) -> Analysis:
    """Return shapes, cost, problems and source of a document; never raises for what a user can draw.

    After an edit, only what depends on it is inferred again where the analysis ``before`` is given. May run
    in any thread. What was told about a layer with the same texts and inputs before is remembered.
    """
    drawn, document = document, active(document)
    try:
        resolution = resolve(document, before.resolution if before else None)
    except EngineError as error:
        return Analysis(drawn, (Problem(error.message, error.node or ""),))
    problems = [mended(document, resolution, problem) for problem in resolution.problems]
    problems += _warnings(document, resolution)
    source: SourceText | None = None
    plan: Plan | None = None
    try:
        plan = make_plan(document, resolution)
        source = render(plan)
        check_source(source.text, plan.sources)
    except EngineError as error:
        known = {(problem.node, problem.message) for problem in problems}
        if document.nodes and (error.node or "", error.message) not in known:
            severity = ERROR if error.node else WARNING  # an empty canvas is no mistake
            problems.append(Problem(error.message, error.node or "", error.port or "", severity))
    uses = first_uses(resolution) | resolution.failed
    blocks = {name: _inside(drawn, name, use, source) for name, use in uses.items()}
    used = {step.node for step in plan.steps} if plan else None
    memory = memory_of(document, resolution, used)
    return Analysis(
        drawn,
        tuple(problems),
        frozen(_with_passed(drawn, resolution.types)),
        frozen(resolution.parameters),
        frozen(resolution.macs),
        source,
        frozen(blocks),
        frozen(memory),
        footprint(document, resolution, memory),
        resolution,
    )


def analysis_inside(whole: Analysis, scope: tuple[str, ...], way: Way) -> Analysis | None:
    """Return what was found in the block that a way leads into, or in the first use of it.

    ``scope`` names the block of each node on the way; None where nothing is known of the innermost.
    """
    use: Resolution | None = whole.resolution
    for node, place in way:
        row = use.blocks.get(node, ()) if use else ()
        use = row[min(place, len(row) - 1)] if row else None
    if use is None or scope[-1] not in whole.document.blocks:
        return whole.blocks.get(scope[-1])
    return _inside(whole.document, scope[-1], use, whole.source)


def _inside(document: Document, name: str, use: Resolution, source: SourceText | None) -> Analysis:
    """Return what was found in one use of a block, with the lines that its nodes wrote."""
    path = f"{name}/"
    if source:
        lines = {
            node.removeprefix(path): rows for node, rows in source.lines.items() if node.startswith(path)
        }
        source = SourceText(source.text, frozen(lines))
    inner = inside(document, name)
    return Analysis(
        inner,
        tuple(mended(active(inner), use, problem) for problem in use.problems),
        frozen(_with_passed(inner, use.types)),
        frozen(use.parameters),
        frozen(use.macs),
        source,
        memory=frozen(inside_of(active(document), use)),
        resolution=use,
    )


def _with_passed(drawn: Document, types: Mapping[Slot, TensorType]) -> dict[Slot, TensorType]:
    """Return the types of a drawn graph: what a bypassed node gives is what enters it."""
    passed = stands_for(drawn)
    return {**types, **{slot: types[source] for slot, source in passed.items() if source in types}}


def _warnings(document: Document, resolution: Resolution) -> Iterator[Problem]:
    roles = {id: layer_of(document, node.type).role for id, node in document.nodes.items()}
    ends = [id for id, role in roles.items() if role in ("loss", "output")]
    if "data" in roles.values() and len(set(roles.values())) > 1 and "loss" not in roles.values():
        yield Problem("There is no loss yet: add one after the last layer to train.", severity=WARNING)
    if list(roles.values()).count("data") > 1:
        second = [id for id, role in roles.items() if role == "data"][1]
        yield Problem("A document trains on one source of data; remove this one or the other.", second)
    if ends:
        losses = [id for id in ends if roles[id] == "loss"]
        missing = [id for id, role in roles.items() if role == MISSING]
        used = ancestors_of(document, [*ends, *missing]) | descendants_of(document, losses)
        broken = {problem.node for problem in resolution.problems}
        for id, role in roles.items():
            if role in ("layer", ROLE) and id not in used | broken and id in resolution.steps:
                yield Problem(
                    "Nothing reads its output, so it is left out of the model.", id, severity=WARNING
                )
    yield from _unread(document, resolution)
    yield from _too_few(document, resolution)
    yield from _applied_twice(document)
    yield from _classes(document, resolution)
    yield from _entries(document, resolution)


def _unread(document: Document, resolution: Resolution) -> Iterator[Problem]:
    """Report parts that nobody reads of a node whose other parts are read.

    Only where the user chose how many parts there are: what an LSTM tells beside its output may stay unread.
    """
    read: dict[str, set[str]] = {}
    for source in document.edges.values():
        read.setdefault(source.node, set()).add(source.port)
    for id, ports in read.items():
        layer = layer_of(document, document.nodes[id].type)
        step = resolution.steps.get(id)
        unread = [slot.port for slot in step.outputs if slot.port not in ports] if step else []
        if unread and layer.role == "layer" and callable(layer.outputs):
            what = f"its output {unread[0]}" if len(unread) == 1 else f"its outputs {', '.join(unread)}"
            yield Problem(f"Nothing reads {what}.", id, severity=WARNING)


def _too_few(document: Document, resolution: Resolution) -> Iterator[Problem]:
    """Report layers that learn from the differences within a batch, where it is one sample."""
    if document.training.batch_size > 1:
        return
    inner = first_uses(resolution)
    blocks = {name for name, use in inner.items() if any(step.layer.many for step in use.steps.values())}
    found = [step for step in resolution.steps.values() if step.layer.many or step.layer.type in blocks]
    if found:  # one mend helps them all
        message = (
            f"{found[0].layer.label} compares the samples of a batch, but a batch is one here: it learns "
            "little from images and fails on single numbers."
        )
        fix = Fix("Set batch size to 32", partial(set_training, batch_size=32))
        yield Problem(message, found[0].node, severity=WARNING, fix=fix)


def _applied_twice(document: Document) -> Iterator[Problem]:
    """Report layers before a node that applies them itself, such as a softmax before cross-entropy."""
    for target, source in document.edges.items():
        layer, before = (layer_of(document, document.nodes[slot.node].type) for slot in (target, source))
        port = layer.input(target.port)
        if port and before.type in port.inside:
            message = f"{layer.label} applies {before.label} itself: it should receive the scores before it."
            yield Problem(message, target.node, target.port, WARNING, remove(source.node, before.label))


def _entries(document: Document, resolution: Resolution) -> Iterator[Problem]:
    """Report tables with fewer entries than the data has different whole numbers."""
    for id, node in document.nodes.items():
        layer = layer_of(document, node.type)
        for port in layer.inputs:
            source = document.incoming(id).get(port.name) if port.entries else None
            tensor = resolution.types.get(source) if source else None
            param, there = layer.param(port.entries), layer.values(node.params).get(port.entries)
            if tensor and isinstance(there, int) and there < tensor.classes:
                has = f"The data has {tensor.classes:,} different numbers"
                fix = set_param(id, param.title.lower(), param.name, tensor.classes)
                yield Problem(f"{has}, {layer.label} room for {there:,}.", id, port.name, fix=fix)


def _classes(document: Document, resolution: Resolution) -> Iterator[Problem]:
    """Report inputs that choose among fewer scores than the data has classes."""
    for id, node in document.nodes.items():
        for port in layer_of(document, node.type).inputs:
            incoming = document.incoming(id) if port.indexes else {}
            if port.name not in incoming or port.indexes not in incoming:
                continue
            chosen = incoming[port.indexes]
            scores, target = resolution.types.get(chosen), resolution.types.get(incoming[port.name])
            if not scores or not target or len(scores.shape) < 2 or scores.shape[1] == target.classes:
                continue
            if isinstance(scores.shape[1], int) and scores.shape[1] < target.classes:
                found = producer(document, chosen)
                fix = (
                    set_param(found[0], found[1].title.lower(), found[1].name, target.classes)
                    if found
                    else None
                )
                message = f"The data has {target.classes} classes, but only {scores.shape[1]} scores arrive."
                yield Problem(message, id, port.indexes, fix=fix)
