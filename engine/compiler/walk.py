"""Following a forward line by line: a call becomes a node, a variable is the port that its tensor leaves."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.compiler.drawing import Drawing, Drawings, DrawnNode, Made, Maker, at_line, is_self
from engine.compiler.recognize import Recognized, recognize_call, recognize_use
from engine.compiler.signatures import Argument, bind
from engine.compiler.text import ClassText, brief, cannot, line_of, told_shapes
from engine.errors import EngineError, ReadError
from engine.graph.document import Share, Slot
from engine.graph.names import is_id

Value = Slot | tuple["Value", ...]

_PASSING = ("x", "h", "out", "hidden_", "out_")
"""Variables that generated code lets run down a chain: no node is called by them."""


class Walk:
    """Follows the functions of one class and writes what they do into a drawing."""

    def __init__(self, drawings: Drawings, drawing: Drawing, maker: Maker):
        self.drawings = drawings
        self.drawing = drawing
        self.made = maker.made
        self.stored = maker.stored
        self.names: dict[str, Value] = {}
        self.counts: Counter[str] = Counter()
        self.called: dict[str, tuple[str, ...]] = {}
        self.returned: Value | None = None
        self.labels: tuple[str, ...] = ()
        self.adds = False

    def forward(self, text: ClassText) -> None:
        """Follow the model's or a block's forward: its arguments, its calls, its results."""
        for argument in self._arguments(text.forward)[1:]:
            self._argument(argument)
        self._body(text.forward)
        if self.returned is None:
            raise ReadError(f"the forward of {text.name} returns nothing.", text.forward.lineno)
        given = (self.returned,) if isinstance(self.returned, Slot) else self.returned
        if not all(isinstance(each, Slot) for each in given):
            raise ReadError("a result is one tensor, or several in a row.", text.forward.lineno)
        labels = self.labels or tuple(told_shapes(text.docstring)[1])
        if len(labels) != len(given) or len(set(labels)) != len(given):
            labels = ("",) * len(given)
        if text.name != self.drawings.module.model:  # the ports of a block have no names in its text
            labels = ("output",) if len(given) == 1 else tuple(f"output{n + 1}" for n in range(len(given)))
        self.drawing.outputs = list(zip(labels, given, strict=True))

    def loss(self, function: ast.FunctionDef) -> None:
        """Follow the loss: it reads what the model returns, by name or in the same order, and other data."""
        outputs = self.drawing.outputs
        names = self._arguments(function)
        before = set(self.drawing.nodes)
        self.names = dict(self.drawing.arguments)
        for place, name in enumerate(names):
            labels = [label for label, _ in outputs]
            if name in labels:
                self.names[name] = outputs[labels.index(name)][1]
            elif name in self.drawing.arguments:
                continue
            elif place < len(outputs) and labels[place] not in names:
                outputs[place] = (name, outputs[place][1])
                self.names[name] = outputs[place][1]
            else:
                self._argument(name)
                self.drawing.fields.append(name)
        self.adds = True
        self._body(function)
        self.drawing.losses = set(self.drawing.nodes) - before

    def _arguments(self, function: ast.FunctionDef) -> list[str]:
        given = function.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs or given.defaults:
            raise ReadError(f"{function.name} takes tensors by name, no * and no defaults.", function.lineno)
        return [each.arg for each in given.args]

    def _argument(self, name: str) -> None:
        id = f"{name}_input" if name in self.made else name
        if not is_id(id):
            raise ReadError(f"{name} cannot name an input.")
        self.drawing.arguments[name] = self.names[name] = Slot(id, "y")

    # --- statements ---------------------------------------------------------------------------------------

    def _body(self, function: ast.FunctionDef) -> None:
        stored = (
            n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        )
        self.counts = Counter(stored)
        for statement in function.body:
            try:
                self._statement(statement)
            except EngineError as error:
                raise at_line(error, statement) from None

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return
        if isinstance(statement, ast.Return) and statement.value is not None:
            self._return(statement.value)
        elif isinstance(statement, ast.Assign):
            value = self.value(statement.value, statement.targets[0])
            for target in statement.targets:
                self._assign(target, value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, self.value(statement.value, statement.target))
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            name = ast.Name(statement.target.id, ast.Load())
            both = ast.copy_location(ast.BinOp(name, statement.op, statement.value), statement)
            self._assign(statement.target, self.value(both, statement.target))
        else:
            raise cannot(statement, "a forward")

    def _return(self, expression: ast.expr) -> None:
        called = ast.unparse(expression.func) if isinstance(expression, ast.Call) else ""
        if called in self.drawings.module.tuples:
            self.labels = self.drawings.module.tuples[called]
            signature = tuple(map(Argument, self.labels))
            given = bind(signature, expression.args, expression.keywords)
            if given is None or len(given) != len(self.labels):
                raise ReadError(f"{called} takes {', '.join(self.labels)}.")
            self.returned = tuple(self.value(given[label]) for label in self.labels)
        elif self.adds and isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
            self._return(expression.left)  # losses are added up by themselves
            self._return(expression.right)
        else:
            self.returned = self.value(expression)

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List) and not isinstance(value, Slot):
            if len(target.elts) != len(value) and len(target.elts) != 1:
                raise ReadError(f"{len(value)} tensors arrive, {len(target.elts)} names stand for them.")
            for each, part in zip(target.elts, value, strict=False):
                self._assign(each, part)
        else:
            raise ReadError(f"one tensor arrives for `{brief(target)}`.")

    # --- expressions --------------------------------------------------------------------------------------

    def value(self, expression: ast.expr, target: ast.expr | None = None) -> Value:
        """Return the place that an expression's tensor leaves; its calls become nodes on the way.

        ``target`` is the variable that it is assigned to, whose name the node may take. Raises ReadError.
        """
        if isinstance(expression, ast.Name):
            if expression.id not in self.names:
                raise ReadError(f"there is no tensor `{expression.id}` here.", line_of(expression))
            return self.names[expression.id]
        if isinstance(expression, ast.Tuple | ast.List):
            return tuple(self.value(each) for each in expression.elts)
        if isinstance(expression, ast.Constant) and _is_number(expression):
            return self._node(Recognized("Constant", {"value": expression.value}), expression, target)
        function = expression.func if isinstance(expression, ast.Call) else None
        if function is not None and is_self(function):
            return self._attribute(function.attr, expression, target)
        if isinstance(expression, ast.Subscript) and (part := self._part(expression)) is not None:
            return part
        return self._call(expression, target)

    def _part(self, expression: ast.Subscript) -> Value | None:
        """Return one of several results: ``self.lstm(x)[0]``; None where a single tensor is indexed."""
        place = expression.slice.value if isinstance(expression.slice, ast.Constant) else None
        if not isinstance(place, int):
            return None
        if isinstance(expression.value, ast.Name):
            value = self.names.get(expression.value.id)
        elif recognize_call(expression, self.customs) is None and isinstance(expression.value, ast.Call):
            value = self.value(expression.value)
        else:
            return None
        if value is None or isinstance(value, Slot):
            return None
        if place >= len(value):
            raise ReadError(f"`{brief(expression)}` asks for more than there is.", line_of(expression))
        return value[place]

    @property
    def customs(self) -> tuple[Any, ...]:
        """The layers that the document brings along."""
        return tuple(self.drawings.customs.values())

    def _call(self, expression: ast.expr, target: ast.expr | None) -> Value:
        expression = _Stored(self.stored).visit(expression)
        found = recognize_call(expression, self.customs)
        if found is None and isinstance(expression, ast.BinOp | ast.Compare):
            found = recognize_call(_numbers_as_names(expression), self.customs)
        if found is None:
            if isinstance(expression, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute | ast.Compare):
                raise ReadError(
                    f"`{brief(expression)}` is no layer that Netwright knows.",
                    line_of(expression),
                )
            raise cannot(expression, "a forward")
        return self._node(found, expression, target)

    def _attribute(self, name: str, call: ast.Call, target: ast.expr | None) -> Value:
        """Call what the constructor made; a second call shares its weights."""
        if name not in self.made:
            known = ", ".join(f"self.{each}" for each in list(self.made)[:5]) or "nothing yet"
            raise ReadError(f"self.{name} is not made in __init__, which makes {known}.", line_of(call))
        row = self.made[name]
        again = name in self.called
        value: Value | None = None
        ids: list[str] = []
        for place, made in enumerate(row):
            own = name if len(row) == 1 else f"{name}_{place + 1}"
            id = self._named(target, made.type) if again else self._free(own)
            id = self._free(f"{own}_2") if again and not id else id
            if value is None:
                inputs = self._entering(made, call)
            elif isinstance(value, Slot):
                inputs = {self._first(made): value}
            else:
                raise ReadError(f"{row[place - 1].type} in self.{name} gives several tensors.", line_of(call))
            share = made.copy
            if again and self._has_weights(made):
                share = Share(self.called[name][place])
            elif share is not None:
                share = Share(self.called.get(share.node, (share.node,))[0], share.follow, share.amount)
            ids.append(id)
            node = DrawnNode(
                id,
                made.type,
                made.params,
                line_of(call),
                "" if again else own,
                share,
                made.inferred,
                made.line,
            )
            value = self._add(node, inputs)
        self.called.setdefault(name, tuple(ids))
        return value

    def _has_weights(self, made: Made) -> bool:
        return made.type in self.drawings.blocks or bool(self.drawings.layer(made.type).init)

    def _first(self, made: Made) -> str:
        names = self.drawings.inputs_of(made.type)
        if not names:
            raise ReadError(f"{made.type} takes no tensor.", made.line)
        variadic = made.type not in self.drawings.blocks and self.drawings.layer(made.type).inputs[0].variadic
        return f"{names[0]}.0" if variadic else names[0]

    def _entering(self, made: Made, call: ast.Call) -> dict[str, Value]:
        """Return what enters the ports of an attribute that is called."""
        if made.type in self.drawings.blocks:
            names = self.drawings.inputs_of(made.type)
            given = bind(tuple(map(Argument, names)), call.args, call.keywords)
            if given is None or len(given) != len(names):
                raise ReadError(f"{made.type} takes {', '.join(names)}.", line_of(call))
        else:
            given = recognize_use(self.drawings.layer(made.type), call).inputs
        return {port: self.value(expression) for port, expression in given.items()}

    # --- nodes --------------------------------------------------------------------------------------------

    def _node(self, found: Recognized, expression: ast.expr, target: ast.expr | None) -> Value:
        inputs = {port: self.value(each) for port, each in found.inputs.items()}
        layer = self.drawings.layer(found.type)
        id = self._named(target, found.type)
        if not id:
            prefix, count = layer.prefix or layer.type.lower(), 1
            while self._is_taken(f"{prefix}{count}"):
                count += 1
            id = f"{prefix}{count}"
        line = line_of(expression)
        return self._add(DrawnNode(id, found.type, found.params, line, inferred=found.inferred), inputs)

    def _add(self, node: DrawnNode, inputs: Mapping[str, Value]) -> Value:
        self.drawing.nodes[node.id] = node
        if node.type not in self.drawings.blocks:
            for port in self.drawings.layer(node.type).inputs:  # what falls back to the same stays open
                if port.fallback and inputs.get(port.name) == inputs.get(port.fallback):
                    inputs = {name: value for name, value in inputs.items() if name != port.name}
        for port, value in inputs.items():
            if not isinstance(value, Slot):
                raise ReadError(f"{node.type} takes one tensor for {port}, several arrive.", node.line)
            self.drawing.edges[Slot(node.id, port)] = value

        def place(result: Any) -> Value:
            return Slot(node.id, result) if isinstance(result, str) else tuple(map(place, result))

        return place(self.drawings.result_of(node.type, node.params))

    def _named(self, target: ast.expr | None, type_: str) -> str:
        """Return the id that a variable lends to the node whose tensor it holds, or an empty text."""
        if isinstance(target, ast.Tuple):
            names = [each.id for each in ast.walk(target) if isinstance(each, ast.Name) and each.id != "_"]
            stems = {name.rpartition("_")[0] for name in names if name not in _PASSING}
            name = names[0] if len(names) == 1 else stems.pop() if len(stems) == 1 else ""
        else:
            name = target.id if isinstance(target, ast.Name) else ""
            if self.counts[name] != 1:
                return ""
        return "" if name in _PASSING or self._is_taken(name) or not is_id(name) else name

    def _is_taken(self, id: str) -> bool:
        taken = {slot.node for slot in self.drawing.arguments.values()}
        return id in self.drawing.nodes or id in taken or id in self.made

    def _free(self, id: str) -> str:
        count = 2
        wanted = id
        while wanted in self.drawing.nodes:
            wanted, count = f"{id}_{count}", count + 1
        return wanted


class _Stored(ast.NodeTransformer):
    """Writes a parameter for the attribute that keeps it: ``self.kernel`` is ``kernel``."""

    def __init__(self, stored: Mapping[str, str]):
        self.stored = stored

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if is_self(node) and node.attr in self.stored:
            return ast.copy_location(ast.Name(self.stored[node.attr], ast.Load()), node)
        return self.generic_visit(node)


def _is_number(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


class _Wrapped(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        text = f"torch.tensor({float(node.value)!r})" if _is_number(node) else ""
        return ast.copy_location(ast.parse(text, mode="eval").body, node) if text else node


def _numbers_as_names(expression: ast.expr) -> ast.expr:
    """Return ``x - torch.tensor(1.0)`` for ``x - 1``: a number beside a tensor is a node of its own."""
    parts = {
        name: _Wrapped().visit(value) if isinstance(value, ast.Constant) else value
        for name, value in ast.iter_fields(expression)
    }
    if "comparators" in parts:
        parts["comparators"] = [
            _Wrapped().visit(each) if isinstance(each, ast.Constant) else each
            for each in parts["comparators"]
        ]
    return ast.copy_location(type(expression)(**parts), expression)
