"""From calls to nodes: each call is read by the catalogue's own templates, with its weights beside it."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from engine import catalogue
from engine.compiler.recognize import (
    Recognized,
    recognize_call,
    recognize_init,
    recognize_use,
    result_of,
)
from engine.compiler.trust import trust_source
from engine.errors import EngineError
from engine.graph.signature import read_signature
from engine.importing.calls import (
    BATCHES,
    NAMESPACE,
    About,
    Call,
    ImportingError,
    Place,
    Trace,
    all_names,
    names_read,
    parsed,
)
from engine.importing.constructors import layer_of_module
from engine.importing.custom_code import custom_source
from engine.importing.literals import Substitute, same
from engine.importing.made import Lowered, Made, Source, Value_
from engine.importing.normalize import BATCH_NAME, normalize
from engine.importing.opaque import module_source
from engine.importing.stored import STORED
from engine.layers.declaration import Layer


def lower(trace: Trace, refused: Mapping[str, str] | None = None) -> Lowered:
    """Return the nodes of a trace that has run; ``refused`` are calls, by name, that become custom layers.

    Raises ImportingError that names the module for what cannot become a node at all.
    """
    return _Lowering(trace, refused or {}).lowered()


class _Lowering:
    def __init__(self, trace: Trace, refused: Mapping[str, str]):
        self.trace = trace
        self.refused = refused
        self.calls = trace.by_name()
        self.values: dict[str, Value_] = {}
        self.result = Lowered()
        self.modules: dict[int, Made] = {}
        self.tensors: dict[tuple, Made] = {}
        self.batch = next((c.name for c in trace.calls if c.role == "input" and _batched(c)), "")
        """An input that tells the batch size."""

    def lowered(self) -> Lowered:
        for call in self.trace.calls:
            if call.role == "input":
                self._input(call)
            elif "input" in call.depends and call.role == "call" and _has_tensor(call.shapes[0]):
                self._value(call.name)
        for name, text in self.trace.outputs.items():
            self.result.outputs[name] = self._source(parsed(text), ())
        self._drop_unread()
        self._tell_tied()
        return self.result

    def _tell_tied(self) -> None:
        """Note which layers of other kinds hold the same stored tensor: each has a copy of it from now on."""
        holders: dict[int, list[Made]] = {}
        for made in self.result.nodes:
            for value in made.weights.values():
                if value.numel() > 1 and value.min() != value.max():
                    holders.setdefault(value.data_ptr(), []).append(made)
        for several in holders.values():
            names = list(dict.fromkeys(made.path or made.type for made in several))
            if len(names) > 1:
                self.result.notes.append(
                    f"{' and '.join(names)} shared one tensor; each has a copy of it now"
                )

    def _drop_unread(self) -> None:
        """Leave away what nothing reads: numbers that only asked for shapes."""
        read: set[int] = set()
        stack = [source.made for source in self.result.outputs.values()]
        while stack:
            made = stack.pop()
            if id(made) not in read:
                read.add(id(made))
                stack += [source.made for source in made.inputs.values()]
                stack += [made.share] if made.share else []
        self.result.nodes = [made for made in self.result.nodes if id(made) in read or made.type == "Input"]

    def _input(self, call: Call) -> None:
        about = call.shapes[0]
        dtype = "float" if about.dtype.is_floating_point else "int"
        params = {"shape": tuple(about.shape[1:]), "dtype": dtype}
        self.values[call.name] = self._add(Made("Input", params, id=call.name))

    def _add(self, made: Made) -> Value_:
        self.result.nodes.append(made)
        if made.type == "Input":
            return Source(made, "y")
        layer = read_signature(made.custom, made.type) if made.custom else catalogue.layer(made.type)
        return _tree(made, result_of(layer, made.params))

    def _value(self, name: str) -> Value_:
        """Return the outputs that stand for a call, made where they are not yet."""
        if name not in self.values:
            call = self.calls[name]
            self.values[name] = (
                self._tensor_node(call) if call.role == "tensor" or call.known else self._call(call)
            )
        return self.values[name]

    def _tensor_node(self, call: Call) -> Value_:
        """Return the node of a tensor that no input enters: learned, or fixed."""
        value = call.tensor if call.role == "tensor" else call.values[0]
        if call.known and call.role != "tensor" and not same(*call.values):
            value = _one_sample(call)
        return self._stored(value, call.depends >= {"learned"}, call)

    def _stored(self, value: Any, learned: bool, call: Call) -> Value_:
        if not isinstance(value, Tensor):
            value = torch.tensor(value)
        key = (
            (id(value), learned)
            if learned
            else (value.dtype, tuple(value.shape), value.cpu().numpy().tobytes())
        )
        if key not in self.tensors:
            if learned:
                made = Made("LearnedTensor", {"shape": tuple(value.shape)}, weights={"value": value})
            elif not value.shape and value.is_floating_point() and bool(torch.isfinite(value)):
                made = Made("Constant", {"value": float(value)})
            else:
                dtype = (
                    "float" if value.is_floating_point() else "bool" if value.dtype == torch.bool else "int"
                )
                if not value.is_floating_point() and value.dtype != torch.bool:
                    value = value.long()
                made = Made(
                    "FixedTensor", {"shape": tuple(value.shape), "dtype": dtype}, weights={"value": value}
                )
            made.places, made.path = call.places, call.path
            self.tensors[key] = made
            self._add(made)
        return Source(self.tensors[key], "y")

    def _call(self, call: Call) -> Value_:
        expression = self._substituted(call.expression)
        if call.module is not None:
            return self._module(call, expression)
        if isinstance(expression, ast.Tuple):
            return tuple(self._lowered(call, each) for each in expression.elts)
        if isinstance(expression, ast.Subscript):
            chosen = self._chosen(expression)
            if chosen is not None:
                return chosen
        expression = normalize(expression, call, self.calls, self.batch)
        return self._lowered(call, expression)

    def _lowered(self, call: Call, expression: ast.expr) -> Value_:
        if isinstance(expression, ast.Name):
            return self._source(expression, call.places)
        if call.name not in self.refused:
            stored = self._with_weights(call, expression)
            if stored is not None:
                return stored
            found = self._recognized(lambda: recognize_call(expression))
            if found is not None:
                return self._made(call, found)
        return self._custom(call, expression)

    def _recognized(self, read: Callable[[], Recognized | None]) -> Recognized | None:
        try:
            return read()
        except EngineError:
            return None

    def _chosen(self, expression: ast.Subscript) -> Value_ | None:
        """Return one of several outputs: ``lstm(x)[1][0]``."""
        if not (isinstance(expression.value, ast.Name) and isinstance(expression.slice, ast.Constant)):
            return None
        value = self._value(expression.value.id)
        return value[expression.slice.value] if isinstance(value, tuple) else None

    # --- layers with weights

    def _module(self, call: Call, expression: ast.Call) -> Value_:
        found = layer_of_module(call.module)
        if found is None:
            return self._opaque(call, expression)
        layer = catalogue.layer(found.type)
        use = self._recognized(lambda: recognize_use(layer, expression))
        if use is None:
            return self._custom(call, expression)
        owner = self.modules.get(id(call.module)) if layer.init else None
        weights = {} if owner else dict(call.module.state_dict())
        merged = Recognized(found.type, {**found.params, **use.params}, {}, use.inputs)
        value = self._made(call, merged, weights, owner)
        self.modules.setdefault(id(call.module), _first(value).made)
        return value

    def _opaque(self, call: Call, expression: ast.Call) -> Value_:
        """Return a custom layer that is the whole module. Raises ImportingError."""
        type_, source, params = module_source(call.module)
        if self.result.customs.setdefault(type_, source) != source:
            raise ImportingError(f"there are two classes called {type_}")
        trust_source(source)  # a part of the file that the user trusted
        layer = read_signature(source, type_)
        given = inspect.signature(call.module.forward).bind(
            *expression.args, **{keyword.arg: keyword.value for keyword in expression.keywords}
        )
        params = {name: value for name, value in params.items() if value != layer.param(name).default}
        made = Made(type_, params, {}, dict(call.module.state_dict()), call.places, call.path, custom=source)
        for name, node in given.arguments.items():
            if layer.input(name) is None:
                raise ImportingError(f"{type_} is called with {name}, which is no tensor")
            made.inputs[name] = self._source(node, call.places)
        return self._add(made)

    def _with_weights(self, call: Call, expression: ast.expr) -> Value_ | None:
        """Return the layer of a function that reads stored tensors: ``F.linear(x, weight)`` is a Linear."""
        for rule in STORED:
            given = rule.match(expression)
            if given is None:
                continue
            try:
                tensors = dict(self._stored_values(rule.tensors, given))
            except LookupError:
                continue
            plain = {
                name: _literal(node)
                for name, node in given.items()
                if name not in (*rule.tensors, *rule.inputs)
            }
            built = rule.build(tensors, plain)
            if built is None:
                continue
            text, weights = built
            found = self._recognized(lambda text=text: recognize_init(parsed(text)))
            if found is None:
                continue
            layer = catalogue.layer(found.type)
            use = ast.Call(
                ast.Name("self", ast.Load()), [given[name] for name in rule.inputs if name in given], []
            )
            inputs = self._recognized(lambda use=use, layer=layer: recognize_use(layer, use))
            if inputs is None:
                continue
            merged = Recognized(found.type, found.params, {}, inputs.inputs)
            key = tuple(id(self._owner(given.get(name))) for name in rule.tensors)
            return self._made(call, merged, {k: v for k, v in weights.items() if v is not None}, None, key)
        return None

    def _owner(self, node: ast.expr | None) -> object:
        return self.calls[node.id] if isinstance(node, ast.Name) else None

    def _stored_values(
        self, names: Sequence[str], given: Mapping[str, ast.expr]
    ) -> Iterator[tuple[str, Tensor | None]]:
        """Yield the tensors that arguments stand for, those of a list as ``params.0`` ..."""
        for name in names:
            node = given.get(name)
            if isinstance(node, ast.List | ast.Tuple):
                yield from ((f"{name}.{n}", self._stored_value(each)) for n, each in enumerate(node.elts))
            else:
                yield name, self._stored_value(node)

    def _stored_value(self, node: ast.expr | None) -> Tensor | None:
        """Return the tensor that an argument stands for. Raises LookupError if an input enters it."""
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return None
        if not isinstance(node, ast.Name) or "input" in self.calls[node.id].depends:
            raise LookupError
        call = self.calls[node.id]
        value = call.tensor if call.role == "tensor" else call.values[0]
        if not isinstance(value, Tensor):
            raise LookupError
        return value

    def _made(
        self,
        call: Call,
        found: Recognized,
        weights: Mapping[str, Tensor] | None = None,
        owner: Made | None = None,
        key: tuple = (),
    ) -> Value_:
        layer = catalogue.layer(found.type)
        params = {
            name: value
            for name, value in found.params.items()
            if (param := layer.param(name)) is not None and value != param.default
        }
        made = Made(
            found.type, params, {}, weights or {}, call.places, call.path, share=owner, call=call.name
        )
        for port, node in found.inputs.items():
            made.inputs[port] = self._port_source(layer, port, node, call)
        _fold_fallbacks(layer, made)
        return self._add(made)

    def _port_source(self, layer: Layer, port: str, node: ast.expr, call: Call) -> Source:
        declared = layer.input(port)
        if declared is not None and declared.dims == "L S" and isinstance(node, ast.Name):
            known = self.calls[node.id]
            if known.known and isinstance(
                value := known.values[0], Tensor
            ):  # a mask that is the same for all
                value = value if same(*known.values) else _one_sample(known)
                if value.shape[-2:].numel() == value.numel():
                    return _first(self._stored(value.reshape(value.shape[-2:]), False, known))
        return self._source(node, call.places)

    def _source(self, node: ast.expr, places: tuple[Place, ...]) -> Source:
        """Return the output that an expression in the place of a tensor stands for."""
        if isinstance(node, ast.Name) and node.id in self.calls:
            return _first(self._value(node.id))
        if isinstance(node, ast.Subscript) and (value := self._chosen(node)) is not None:
            return _first(value)
        call = Call("inner", ast.unparse(node), places=places)
        if not set(names_read(node)) & self.calls.keys():
            value = eval(
                compile(ast.fix_missing_locations(ast.Expression(node)), "<constant>", "eval"),
                dict(NAMESPACE),
            )
            return _first(self._stored(value, False, call))
        return _first(self._lowered(call, node))

    # --- what the catalogue has no layer for

    def _custom(self, call: Call, expression: ast.expr) -> Value_:
        names = [name for name in dict.fromkeys(_in_order(expression)) if name in self.calls]
        sources = [self._source(ast.Name(name, ast.Load()), call.places) for name in names]
        like = next((n for n in names if _batched(self.calls[n])), None)
        if like is None and BATCH_NAME in all_names(expression):
            like = self.batch
            names.append(like)
            sources.append(self._source(ast.Name(like, ast.Load()), call.places))
        type_, source, ports = custom_source(call, expression, names, like, self.result.customs)
        self.result.customs[type_] = source
        trust_source(source)  # one call of torch, written by the lines above
        made = Made(
            type_, {}, dict(zip(ports, sources, strict=True)), {}, call.places, call.path, custom=source
        )
        return self._add(made)

    # --- texts

    def _substituted(self, expression: ast.expr) -> ast.expr:
        """Return an expression with numbers in the place of names that stand for known numbers."""
        return Substitute(self.calls).visit(copy.deepcopy(expression))


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _has_tensor(about: Any) -> bool:
    return isinstance(about, About) or (isinstance(about, tuple) and any(map(_has_tensor, about)))


def _batched(call: Call) -> bool:
    a, b = call.shapes if len(call.shapes) == 2 else (None, None)
    return isinstance(a, About) and bool(a.shape) and (a.shape[0], b.shape[0]) == BATCHES


def _one_sample(call: Call) -> Tensor:
    """Return what a fixed tensor holds for one sample, where it repeats it for each."""
    a, b = call.values
    if (
        isinstance(a, Tensor)
        and a.dim()
        and (a.shape[0], b.shape[0]) == BATCHES
        and a.shape[1:] == b.shape[1:]
    ):
        rows = torch.cat([a, b])
        if all(same(row, rows[0]) for row in rows):
            return a[:1]
    raise ImportingError(f"{call.text} gives other numbers for another batch size, which no node can.")


def _tree(made: Made, ports: Any) -> Value_:
    return tuple(_tree(made, port) for port in ports) if isinstance(ports, tuple) else Source(made, ports)


def _first(value: Value_) -> Source:
    while isinstance(value, tuple):
        value = value[0]
    return value


def _in_order(expression: ast.AST) -> Iterator[str]:
    if isinstance(expression, ast.Name):
        yield expression.id
    for child in ast.iter_child_nodes(expression):
        yield from _in_order(child)


def _fold_fallbacks(layer: Layer, made: Made) -> None:
    """Leave a port open that reads what its fallback reads: attention of a sequence to itself."""
    for port in reversed(layer.inputs):
        here, there = made.inputs.get(port.name), made.inputs.get(port.fallback)
        if port.fallback and here and there and (here.made, here.port) == (there.made, there.port):
            del made.inputs[port.name]
