"""From source back to a document: the graph follows an edited module where it can, else it says why not."""

from __future__ import annotations

from engine.compiler.analyze import analyze
from engine.compiler.drawing import Drawings
from engine.compiler.fresh import fresh_document
from engine.compiler.merge import follow
from engine.compiler.plan import make_plan
from engine.compiler.read_initialize import with_beginnings
from engine.compiler.resolve import resolve
from engine.compiler.source import render
from engine.compiler.text import parse_module
from engine.errors import EngineError, ReadError, shown
from engine.graph.blocks import layer_of
from engine.graph.document import Document


def read_source(text: str, before: Document | None = None) -> Document:
    """Return the document that a module's text stands for; the text is parsed, never executed.

    With the document that the text was made from, what the text leaves as it was stays as it was there:
    ids, titles, positions, data, training. Without it, arguments become Input nodes.

    Raises ReadError with the line and the reason for what no graph can say.
    """
    try:
        drawings = draw(text, before)
        if before is None:
            return with_beginnings(fresh_document(drawings), None, drawings.module)
        return _followed(text, before, drawings)
    except ReadError:
        raise
    except EngineError as error:
        raise ReadError(error.message) from None
    except RecursionError:
        raise ReadError("this is nested too deeply.") from None


def _followed(text: str, before: Document, new: Drawings) -> Document:
    resolution = resolve(before)
    plan = make_plan(before, resolution)
    source = render(plan)
    if text.strip() == source.text.strip():
        return before
    lines = {line: node for node, numbers in source.lines.items() for line in numbers}
    old = draw(source.text, before)
    document = with_beginnings(follow(before, plan, lines, old, new), old.module, new.module)
    _check(document, old, new)
    return document


def _check(document: Document, old: Drawings, new: Drawings) -> None:
    """Raise ReadError where the document cannot be written down again, or would say another size."""
    lines = {node.id: node.made or node.line for node in new.model.nodes.values()}
    analysis = analyze(document)
    if analysis.source is None:
        problem = analysis.errors[0] if analysis.errors else analysis.problems[0]
        where = lines.get(problem.node, 0)
        raise ReadError(f"{problem.node}: {problem.message}" if problem.node else problem.message, where)
    again = draw(analysis.source.text, document)
    for name, drawing in {**new.blocks, "": new.model}.items():
        then = again.blocks.get(name) if name else again.model
        was = old.blocks.get(name) if name else old.model
        for node in drawing.nodes.values() if then and was else ():
            before, after = was.nodes.get(node.id), then.nodes.get(node.id)
            if before is None or after is None or before.attribute != node.attribute:
                continue
            for size, value in node.inferred.items():
                follows = after.inferred.get(size)
                if before.inferred.get(size) != value and follows != value and follows is not None:
                    raise ReadError(
                        f"{size} of {node.id} is {follows}, because that many arrive; change what "
                        f"stands before it, not {shown(value)} here.",
                        node.made,
                    )


def draw(text: str, document: Document | None = None) -> Drawings:
    """Return what a text draws; the custom layers of a document may stand in it. Raises ReadError."""
    customs = document.customs if document else {}
    module = parse_module(text, {name: custom.source for name, custom in customs.items()})
    return Drawings(module, {name: layer_of(document, name) for name in customs})
