"""The plan as Python that a person would sign, with the lines that each node wrote."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.compiler.analysis import SourceText
from engine.compiler.classes import BlockClass
from engine.compiler.plan import Plan
from engine.compiler.resolve import Step
from engine.errors import CompileError
from engine.graph.document import Share, Slot, frozen
from engine.graph.pieces import GIVEN_IMPORTS, pieces
from engine.layers.declaration import TensorType
from engine.modules import definitions

_INDENT = "    "
_COPIES = "copies"
"""The file of ``engine.modules`` that defines copies of layers."""

_BEGINNINGS = "initialization"
"""The file that defines how the weights of a module begin."""

_WIDTH = 110


@dataclass(frozen=True)
class _Line:
    text: str = ""
    node: str = ""
    written: bool = False
    """Whether it was written by hand and stays as it is."""


def render(plan: Plan) -> SourceText:
    """Return the module's file: imports, classes that torch lacks, the model's, its loss and start."""
    body = [*_definitions(plan), *(line for each in plan.classes for line in _block(each)), *_model(plan)]
    if plan.loss:
        body += [_Line(), _Line(), *_loss(plan)]
    if plan.beginnings:
        body += [_Line(), _Line(), *_initialize(plan)]
    return _text([*_imports(body, plan.sources), *body])


def _text(lines: Sequence[_Line]) -> SourceText:
    found: dict[str, list[int]] = {}
    lines = [part for line in lines for part in _wrapped(line)]
    for number, line in enumerate(lines, start=1):
        if line.node:
            found.setdefault(line.node, []).append(number)
    return SourceText(
        "\n".join(line.text for line in lines) + "\n",
        frozen({node: tuple(numbers) for node, numbers in found.items()}),
    )


def _wrapped(line: _Line) -> list[_Line]:
    """Break a long line at its outermost parentheses."""
    if line.written:
        return [line]
    start, end = line.text.find("(") + 1, line.text.rfind(")")
    if len(line.text) <= _WIDTH or not 0 < start < end:
        return [line]
    indent = line.text[: len(line.text) - len(line.text.lstrip())]
    texts = (line.text[:start], indent + _INDENT + line.text[start:end], indent + line.text[end:])
    return [_Line(text, line.node) for text in texts]


def _imports(body: Sequence[_Line], sources: Sequence[str]) -> list[_Line]:
    code = "\n".join(line.text for line in body)
    uses = {"deepcopy": r"\bdeepcopy\(", "NamedTuple": "NamedTuple", "torch": r"\btorch\.", "F": r"\bF\."}
    wanted = {"nn", *(name for name, pattern in uses.items() if re.search(pattern, code))}
    wanted.update(name for source in sources for name in pieces(source).given)
    given = {name: line for name, line in GIVEN_IMPORTS.items() if name in wanted}
    own = sorted({line for source in sources for line in pieces(source).imports})
    future = [line for line in own if line.startswith("from __future__ ")]
    library = [line for name, line in given.items() if name in ("deepcopy", "NamedTuple")]
    library += [line for line in own if line not in future]
    torch = [line for line in given.values() if line not in library]
    groups = [future, library, torch]
    return [*(line for each in groups if each for line in [*map(_Line, each), _Line()]), _Line()]


def _definitions(plan: Plan) -> list[_Line]:
    """The classes that layers bring along, each file's once."""
    lines: list[_Line] = []
    steps = [*plan.steps, *(step for each in plan.classes for step in each.steps)]
    names = dict.fromkeys(step.module for step in steps if step.module)
    if any(step.copies for step in steps):
        names[_COPIES] = None
    if plan.beginnings:
        names[_BEGINNINGS] = None
    for name in names:
        lines += [*map(_Line, definitions(name).splitlines()), _Line(), _Line()]
    return lines + _written(plan.sources)


def _written(sources: Sequence[str]) -> list[_Line]:
    """What custom layers define, as it was written; what several of them define alike once."""
    lines: list[_Line] = []
    done: set[str] = set()
    for source in sources:
        own: list[str] = []
        for piece in pieces(source).body:
            if not done.issuperset(piece.dumps):
                own += piece.text.split("\n")
        done |= {dump for piece in pieces(source).body for dump in piece.dumps}
        while own and not own[0].strip():
            own.pop(0)
        lines += [*(_Line(line, written=True) for line in own), _Line(), _Line()] if own else []
    return lines


def _model(plan: Plan) -> list[_Line]:
    lines: list[_Line] = []
    several = len(plan.outputs) > 1
    if several:
        lines += [_Line("class Outputs(NamedTuple):"), *_named_tuple(plan), _Line(), _Line()]
    lines += [_Line(f"class {plan.name}(nn.Module):"), *_docstring(plan)]
    lines += _init(plan.model, "self")
    arguments = "".join(f", {name}: Tensor" for name in plan.arguments.values())
    returns = "Outputs" if several else "Tensor"
    lines.append(_Line(f"{_INDENT}def forward(self{arguments}) -> {returns}:"))
    pack = "Outputs({})" if several else "{}"
    return lines + _body(plan.model, plan.arguments, plan.outputs, plan.types, pack, _INDENT * 2)


def _init(
    steps: Sequence[Step], parameters: str, path: str = "", kept: Mapping[str, str] | None = None
) -> list[_Line]:
    """The constructor; a class with neither layers nor parameters needs none."""
    layers = [step for step in steps if step.init]
    if not layers and parameters == "self":
        return []
    lines = [
        _Line(f"{_INDENT}def __init__({parameters}) -> None:"),
        _Line(f"{_INDENT * 2}super().__init__()"),
    ]
    own: dict[str, str] = {}
    for step in layers:
        if not step.copies and own.setdefault(step.attribute, step.init) != step.init:
            raise CompileError(
                f"It shares the weights of {step.attribute}, which is {own[step.attribute]}, "
                f"not {step.init}.",
                step.node,
            )
    copies = {step.attribute: step.copies for step in layers if step.copies}
    while copies:  # each after what it is a copy of, which may be a copy itself
        name = next((name for name, share in copies.items() if share.node in own), "")
        if not name:
            name, share = next(iter(copies.items()))
            raise CompileError(
                f"It follows {share.node}, which is no part of the model: connect that too.", name
            )
        own[name] = _copied(copies.pop(name))
    lines += [_Line(f"{_INDENT * 2}self.{name} = {value}") for name, value in (kept or {}).items()]
    lines += [_Line(f"{_INDENT * 2}self.{name} = {init}", path + name) for name, init in own.items()]
    return [*lines, _Line()]


def _copied(share: Share) -> str:
    """The constructor of a copy."""
    option = {"average": f", average={share.amount!r}", "copy": f", every={int(share.amount)}"}
    return f"Copy(self.{share.node}{option.get(share.follow, '')})"


def _block(block: BlockClass) -> list[_Line]:
    """The class of a block; its lines belong to nodes such as ``Bottleneck/conv1``."""
    path = f"{block.name}/"
    words = [
        f"{name}: int" + ("" if default is None else f" = {default}")
        for name, default in block.parameters.items()
    ]
    notes = block.notes.strip().partition("\n")[0]
    lines = [_Line(f"class {block.name}(nn.Module):")]
    if notes:
        lines += [_Line(f'{_INDENT}"""{_plain(notes).rstrip(".")}."""'), _Line()]
    lines += _init(block.steps, ", ".join(["self", *words]), path, block.kept)
    arguments = "".join(f", {name}: Tensor" for name in block.arguments.values())
    several = len(block.outputs) > 1
    returns = f"tuple[{', '.join('Tensor' for _ in block.outputs)}]" if several else "Tensor"
    lines.append(_Line(f"{_INDENT}def forward(self{arguments}) -> {returns}:"))
    lines += _body(block.steps, block.arguments, block.outputs, block.types, "{}", _INDENT * 2, path=path)
    return [*lines, _Line(), _Line()]


def _plain(text: str) -> str:
    """A text that cannot leave its docstring: quotes and what cannot be seen are replaced."""
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return textwrap.shorten(re.sub(r'[\\"]', "'", seen), 100, placeholder=" …")


def _named_tuple(plan: Plan) -> Iterable[_Line]:
    return (_Line(f"{_INDENT}{name}: Tensor  # {plan.types[slot]}") for slot, name in plan.outputs.items())


def _docstring(plan: Plan) -> list[_Line]:
    first = plan.notes.strip().splitlines()[0] if plan.notes.strip() else ""
    first = _plain(first) if first else plan.name
    shapes = ", ".join(f"{name} {plan.types[slot]}" for slot, name in plan.arguments.items())
    gives = ", ".join(f"{name} {plan.types[slot]}" for slot, name in plan.outputs.items())
    text = textwrap.wrap(f"{shapes} → {gives}", 100) if plan.arguments and plan.outputs else []
    lines = [f'"""{first.rstrip(".")}.', "", *text, '"""'] if text else [f'"""{first.rstrip(".")}."""']
    return [_Line(f"{_INDENT}{line}" if line else "") for line in [*lines, ""]]


def _loss(plan: Plan) -> list[_Line]:
    """The loss as a function of what the model returns and of the data fields."""
    names = {**plan.outputs, **plan.fields}
    arguments = ", ".join(f"{name}: Tensor" for name in names.values())
    totals = {slot: slot.node for slot in plan.totals}
    return [
        _Line(f"def loss({arguments}) -> Tensor:"),
        *_body(plan.loss, names, totals, plan.types, "{}", _INDENT, join=" + "),
    ]


def _initialize(plan: Plan) -> list[_Line]:
    """How weights begin, as a function to be called with a new model."""
    return [
        _Line("def initialize(model: nn.Module) -> None:"),
        _Line(f'{_INDENT}"""Let the weights of a new model begin as its drawing says."""'),
        *(_Line(f"{_INDENT}{each.text}", each.node) for each in plan.beginnings),
    ]


def render_losses(plan: Plan, steps: Sequence[Step], slots: Sequence[Slot], whole: bool) -> SourceText:
    """Return a function ``losses`` that gives the losses of some slots as a tuple, by running some steps.

    Of a ``whole`` model it takes what the model returns and the fields that losses read; else the model
    itself, whose layers it calls one by one, and every field that the steps read.
    """
    given = {**plan.outputs, **plan.fields} if whole else {**plan.arguments, **plan.fields}
    first = [] if whole else ["model"]
    arguments = ", ".join([*first, *given.values()])
    values = {slot: slot.node for slot in slots}
    body = _body(steps, given, values, plan.types, "({},)", _INDENT, owner="model")
    return _text([_Line(f"def losses({arguments}):"), *body])


def render_metrics(plan: Plan) -> str:
    """Return a function of the same arguments as the loss that gives every metric by name."""
    names = {**plan.outputs, **plan.fields}
    found: dict[str, str] = {}
    for step in plan.loss:
        if all(slot in names for slot in step.inputs):
            for name, text in step.metrics.items():
                key = name if name not in found else f"{step.node}_{name}"
                found[key] = text.format(*(names[slot] for slot in step.inputs), self="")
    pairs = ", ".join(f"{name!r}: {text}" for name, text in found.items())
    return f"def metrics({', '.join(names.values())}):\n    return {{{pairs}}}\n"


def _body(
    steps: Sequence[Step],
    arguments: Mapping[Slot, str],
    returned: Mapping[Slot, str],
    types: Mapping[Slot, TensorType],
    pack: str,
    indent: str,
    join: str = ", ",
    path: str = "",
    owner: str = "self",
) -> list[_Line]:
    """Return a function's lines.

    ``x`` runs down the chain; a tensor that is needed later than by the next step carries its node's name.
    """
    names = _names(steps, arguments, returned)
    lines: list[_Line] = []
    for place, step in enumerate(steps):
        call = step.call.format(*(names[slot] for slot in step.inputs), self=f"{owner}.{step.attribute}")
        if place == len(steps) - 1 and list(returned) == list(step.outputs) and pack == "{}":
            return [*lines, _Line(f"{indent}return {call}", path + step.node)]
        assigned = step.assign.format(**{slot.port: names.get(slot, "_") for slot in step.outputs})
        assigned = assigned.replace("(_, _)", "_")
        shape = types.get(step.outputs[0])
        comment = f"  # {shape}" if shape and join == ", " else ""
        lines.append(_Line(f"{indent}{assigned} = {call}{comment}", path + step.node))
    values = join.join(names[slot] for slot in returned)
    return [*lines, _Line(f"{indent}return {pack.format(values)}")]


def _names(
    steps: Sequence[Step], arguments: Mapping[Slot, str], returned: Mapping[Slot, str]
) -> dict[Slot, str]:
    """Return the variable that holds each tensor which somebody reads."""
    readers: dict[Slot, list[int]] = {}
    for place, step in enumerate(steps):
        for slot in step.inputs:
            readers.setdefault(slot, []).append(place)
    for slot in returned:
        readers.setdefault(slot, []).append(len(steps))
    called = {name for step in steps if step.layer.source for name in pieces(step.layer.source).bound}
    names = dict(arguments)
    chained: list[Slot] = []
    for place, step in enumerate(steps):
        passed = [slot for slot in step.outputs if readers.get(slot) == [place + 1]]
        last = place + 1 == len(steps) and len(returned) > 1
        for slot in step.outputs:
            if passed == [slot] and not last:
                chained.append(slot)
            elif slot in readers:
                unique = sum(each in readers for each in step.outputs) == 1
                name = slot.node if unique else f"{slot.node}_{slot.port}"
                names[slot] = f"{name}_" if name in called or name in arguments.values() else name
    taken = set(names.values()) | called
    fresh = {names[slot] for slot, places in readers.items() if slot in arguments and places == [0]}
    free = next(name for name in ("x", "h", "out", "hidden_", "out_") if name not in taken or name in fresh)
    return names | {slot: free for slot in chained}
