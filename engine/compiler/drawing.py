"""What a text draws: for each class the nodes and edges that its constructor and its forward stand for."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import catalogue
from engine.compiler.recognize import Result, class_name_of, recognize_init, result_of
from engine.compiler.signatures import Argument, bind
from engine.compiler.text import ClassText, ModuleText, brief, cannot
from engine.errors import EngineError, ReadError
from engine.graph.document import Share, Slot
from engine.graph.names import is_id
from engine.layers.declaration import Layer
from engine.layers.formula import Formula
from engine.layers.params import Value


@dataclass(frozen=True)
class Made:
    """One layer or block that a constructor makes; ``copy`` is set where it copies another attribute.

    ``inferred`` are the sizes in its text which follow from what arrives.
    """

    type: str
    params: Mapping[str, Value]
    inferred: Mapping[str, Any]
    line: int
    copy: Share | None = None


@dataclass(frozen=True)
class DrawnNode:
    """A node that a text stands for, with the line of its call."""

    id: str
    type: str
    params: Mapping[str, Value]
    line: int
    attribute: str = ""
    share: Share | None = None
    inferred: Mapping[str, Any] = field(default_factory=dict)
    made: int = 0


@dataclass
class Drawing:
    """One class: nodes in the order of their calls, what enters them, the arguments and the results."""

    name: str
    notes: str = ""
    params: dict[str, int | None] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    nodes: dict[str, DrawnNode] = field(default_factory=dict)
    edges: dict[Slot, Slot] = field(default_factory=dict)
    arguments: dict[str, Slot] = field(default_factory=dict)
    outputs: list[tuple[str, Slot]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    """Arguments that only the loss reads."""
    losses: set[str] = field(default_factory=set)


class Drawings:
    """Every class of a module, drawn: blocks by name, those that others use first."""

    def __init__(self, module: ModuleText, customs: Mapping[str, Layer] | None = None):
        self.module = module
        self.customs = customs or {}
        self.blocks: dict[str, Drawing] = {}
        self._open: list[str] = []
        self.model = self._draw(module.classes[module.model])
        for name in module.classes:
            if name != module.model:
                self.block(name, 0)
        self.blocks = {name: self.blocks[name] for name in module.classes if name in self.blocks}

    def block(self, name: str, line: int) -> Drawing:
        """Return what a class draws. Raises ReadError if it contains itself."""
        if name in self._open:
            raise ReadError(f"{name} contains itself.", line)
        if name not in self.blocks:
            self._open.append(name)
            drawing = self._draw(self.module.classes[name])
            self._open.pop()
            self.blocks[name] = drawing
        return self.blocks[name]

    def layer(self, type_: str) -> Layer:
        """Return the layer of a type that is no block."""
        return self.customs.get(type_) or catalogue.layer(type_)

    def inputs_of(self, type_: str) -> list[str]:
        """Return the input ports of a type."""
        if type_ in self.blocks:
            return list(self.blocks[type_].arguments)
        return [port.name for port in self.layer(type_).inputs]

    def result_of(self, type_: str, params: Mapping[str, Value]) -> Result:
        """Return how the outputs of a type come."""
        if type_ not in self.blocks:
            return result_of(self.layer(type_), params)
        names = tuple(name for name, _ in self.blocks[type_].outputs)
        return names if len(names) > 1 else names[0]

    def _draw(self, text: ClassText) -> Drawing:
        from engine.compiler.walk import Walk

        maker = Maker(self, text)
        drawing = Drawing(text.name, text.notes)
        walk = Walk(self, drawing, maker)
        walk.forward(text)
        if text.name == self.module.model and self.module.loss is not None:
            walk.loss(self.module.loss)
        real = {n for node in drawing.nodes.values() for v in node.params.values() for n in _names(v)}
        sizes = {n for node in drawing.nodes.values() for v in node.inferred.values() for n in _names(v)}
        for name, default in text.params.items():
            if default is None and name in sizes and name not in real:
                drawing.extras += (name,)
            else:
                drawing.params[name] = default
        for node in drawing.nodes.values():
            for name in (name for value in node.params.values() for name in _names(value)):
                if name not in text.params:
                    raise ReadError(f"`{name}` is no parameter of {text.name}.", node.made or node.line)
        return drawing


def _names(value: Any) -> set[str]:
    """Return the parameters that a value depends on."""
    if isinstance(value, tuple):
        return {name for each in value for name in _names(each)}
    if not isinstance(value, Formula):
        return set()
    return {node.id for node in ast.walk(ast.parse(value.text)) if isinstance(node, ast.Name)}


class Maker:
    """Reads a constructor: what each attribute holds, in a row where it is an ``nn.Sequential``."""

    def __init__(self, drawings: Drawings, text: ClassText):
        self.drawings = drawings
        self.text = text
        self.made: dict[str, tuple[Made, ...]] = {}
        self.stored: dict[str, str] = {}
        for statement in text.init:
            try:
                self._statement(statement)
            except EngineError as error:
                raise at_line(error, statement) from None

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return
        if isinstance(statement, ast.Expr) and brief(statement).startswith("super("):
            return
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target = statement.target
        if target is None or not is_self(target):
            raise cannot(statement, "__init__")
        value = statement.value
        if isinstance(value, ast.Name) and value.id in self.text.params:
            self.stored[target.attr] = value.id
            return
        if not is_id(target.attr):
            raise ReadError(f"self.{target.attr} cannot name a layer: a module has another use for it.")
        if target.attr in self.made:
            raise ReadError(f"self.{target.attr} is made twice.")
        self.made[target.attr] = self._row(value)

    def _row(self, value: ast.expr) -> tuple[Made, ...]:
        """Return what one expression makes: usually one layer."""
        if not isinstance(value, ast.Call):
            raise ReadError(f"`{brief(value)}` makes no layer that Netwright knows.")
        if class_name_of(value) != "nn.Sequential":
            return (self._one(value),)
        row: list[Made] = []
        for element in value.args:
            for made in self._times(element) if isinstance(element, ast.Starred) else self._row(element):
                last = row[-1] if row else None
                if last and self._is_block(made) and last.type == made.type and _same(last, made):
                    repeat = _sum(last.params.get("repeat", 1), made.params.get("repeat", 1))
                    row[-1] = _with(last, repeat=repeat)
                else:
                    row.append(made)
        if value.keywords or not row:
            raise ReadError("nn.Sequential takes layers one after the other.")
        return tuple(row)

    def _times(self, element: ast.Starred) -> list[Made]:
        """Return what ``*(Block(8) for _ in range(3))`` makes."""
        comprehension = element.value
        loop = getattr(comprehension, "generators", [None])[0]
        plain = isinstance(loop, ast.comprehension) and not loop.ifs and len(comprehension.generators) == 1
        ranged = plain and isinstance(loop.iter, ast.Call) and class_name_of(loop.iter) == "range"
        if not ranged or len(loop.iter.args) != 1:
            raise ReadError(f"`{brief(element)}` is no row: write *(Block(8) for _ in range(3)).")
        row = self._row(comprehension.elt)
        count = number(loop.iter.args[0])
        if len(row) == 1 and self._is_block(row[0]):
            return [_with(row[0], repeat=count)]
        if not isinstance(count, int):
            raise ReadError("only a block can stand in a row whose length is a parameter.")
        return [made for _ in range(count) for made in row]

    def _is_block(self, made: Made) -> bool:
        return made.type in self.drawings.blocks

    def _one(self, call: ast.Call) -> Made:
        name = class_name_of(call)
        if name == "Copy":
            return self._copy(call)
        if name in self.drawings.module.classes:
            return self._use(name, call)
        found = recognize_init(call, tuple(self.drawings.customs.values()))
        if found is None:
            raise ReadError(f"`{brief(call)}` makes no layer that Netwright knows.")
        return Made(found.type, found.params, found.inferred, call.lineno)

    def _use(self, name: str, call: ast.Call) -> Made:
        """Return a use of a block: what its constructor gets is split into parameters and sizes."""
        block = self.drawings.block(name, call.lineno)
        signature = tuple(Argument(each) for each in self.drawings.module.classes[name].params)
        given = bind(signature, call.args, call.keywords)
        if given is None:
            raise ReadError(f"{name} takes {', '.join(a.name for a in signature) or 'nothing'}.")
        values = {each: number(expression) for each, expression in given.items()}
        missing = [each for each, default in block.params.items() if default is None and each not in values]
        if missing:
            raise ReadError(f"{name} needs a value for {missing[0]}.")
        params = {each: value for each, value in values.items() if each in block.params}
        sizes = {each: value for each, value in values.items() if each not in block.params}
        return Made(name, params, sizes, call.lineno)

    def _copy(self, call: ast.Call) -> Made:
        """Return a copy of another attribute: ``Copy(self.q, average=0.005)``."""
        names = ("layer", "average", "every")
        given = bind(tuple(map(Argument, names)), call.args, call.keywords) or {}
        source = given.get("layer")
        if source is None or not is_self(source) or len(self.made.get(source.attr, ())) != 1:
            raise ReadError("Copy takes a layer that was made before: Copy(self.q, average=0.005).")
        share = Share(source.attr, "frozen")
        for argument, follow in (("average", "average"), ("every", "copy")):
            if argument in given:
                share = Share(source.attr, follow, float(ast.literal_eval(given[argument])))
        of = self.made[source.attr][0]
        return Made(of.type, of.params, of.inferred, call.lineno, share)


def number(expression: ast.expr) -> Value:
    """Return the number or tuple that an expression spells, or the formula. Raises ReadError."""
    try:
        return ast.literal_eval(expression)
    except ValueError:
        return Formula(ast.unparse(expression))


def is_self(node: ast.AST) -> bool:
    """Return whether a node is ``self.something``."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def at_line(error: EngineError, node: ast.AST) -> ReadError:
    """Return an error with the line that it is about."""
    if isinstance(error, ReadError) and error.line:
        return error
    return ReadError(getattr(error, "reason", error.message), getattr(node, "lineno", 0))


def _with(made: Made, **params: Value) -> Made:
    return Made(made.type, {**made.params, **params}, made.inferred, made.line, made.copy)


def _same(a: Made, b: Made) -> bool:
    """Whether two uses of a block differ at most in how often, and in sizes that follow from what arrives."""
    return {**a.params, "repeat": 1} == {**b.params, "repeat": 1}


def _sum(a: Value, b: Value) -> Value:
    """The sum of two counts: 1 and ``depth - 1`` are ``depth``."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if isinstance(b, Formula) and a == 1:
        tree = ast.parse(b.text, mode="eval").body
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Sub) and ast.unparse(tree.right) == "1":
            return Formula(ast.unparse(tree.left))
    return Formula(f"{a} + {b}")
