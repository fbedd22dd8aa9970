"""The face of a layer written in Python: ports and parameters read from its signature, nothing executed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from typing import Any

from engine.data.source import SPLIT, Source
from engine.errors import EditError, ParameterError, shown
from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int, Ints, Param, Plain, Text, Value

CATEGORY = "Custom"
LONGEST = 20_000
"""Letters that a source may have."""

_SIZES = {
    "in_channels": 1, "channels": 1, "num_channels": 1, "num_features": 1,
    "in_features": -1, "features": -1, "in_dim": -1, "dim": -1, "embed_dim": -1, "d_model": -1,
}  # fmt: skip
"""Whole numbers that may be left open: the dimension of the first input that they are filled with."""

_NAMED: Mapping[str, type[Param]] = {"int": Int, "float": Float, "bool": Bool, "str": Text}
_LISTS = ("tuple", "Tuple", "list", "List", "Sequence")
_ANY = ("Any", "Number", "tuple", "list")
_MODULES = ("Module", "Sequential")
_TEMPLATE = ("rest", "options", "self")
"""Words of the templates: an argument takes another name."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class SourceError(EditError):
    """Source that cannot become a layer; ``line`` counts from 1, 0 where it is about the whole."""

    def __init__(self, message: str, line: int = 0):
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


@lru_cache(maxsize=256)
def parse(source: str) -> ast.Module:
    """Return the parsed source; nothing is executed. Raises SourceError with the line."""
    if len(source) > LONGEST:
        raise SourceError(f"The source has {len(source):,} letters; a layer has at most {LONGEST:,}.")
    try:
        tree = ast.parse(source)
        compile(source, "<layer>", "exec", dont_inherit=True)
        ast.dump(tree)
    except SyntaxError as error:
        raise SourceError(f"This is not Python: {error.msg}.", error.lineno or 0) from None
    except (ValueError, OverflowError, UnicodeError) as error:
        raise SourceError(f"This is not Python: {error}.") from None
    except (RecursionError, MemoryError):
        raise SourceError("This is nested too deeply.") from None
    return tree


@lru_cache(maxsize=256)
def read_signature(source: str, name: str = "") -> Layer:
    """Return the layer that a source defines: the class or function ``name``, else its last module.

    Without a module in it the last function is meant. Raises SourceError that names the line.
    """
    found = _definitions(parse(source))
    classes = [each for each in found.values() if isinstance(each, ast.ClassDef)]
    modules = [each for each in classes if _is_module(each, found)]
    functions = [e for e in found.values() if isinstance(e, ast.FunctionDef) and not e.name.startswith("_")]
    if name:
        chosen = next((each for each in [*modules, *functions] if each.name == name), None)
        if chosen is None:
            raise SourceError(f"It defines no layer {shown(name)}.")
    elif not modules and not functions:
        raise SourceError("Define a class of nn.Module with a forward, or a function of tensors.")
    else:
        chosen = (modules or functions)[-1]
    return _Face(source, chosen, found).layer()


def _definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def _family(class_: ast.ClassDef, found: Mapping[str, ast.stmt]) -> tuple[list[ast.ClassDef], list[str]]:
    """Return a class with those of the source that it derives from, and the names of bases from elsewhere."""
    inner, outer, seen = [], [], {class_.name}
    waiting = [class_]
    while waiting:
        each = waiting.pop(0)
        inner.append(each)
        for name in map(_dotted, each.bases):
            base = found.get(name)
            if not isinstance(base, ast.ClassDef):
                outer.append(name)
            elif name not in seen:
                seen.add(name)
                waiting.append(base)
    return inner, [name for name in outer if name]


def _is_module(class_: ast.ClassDef, found: Mapping[str, ast.stmt]) -> bool:
    """Return whether a class derives from a module, as far as its source tells; raises SourceError."""
    outer = {name.rpartition(".")[2] for name in _family(class_, found)[1]}
    forward = _method(class_, "forward", found)
    if "Module" in outer and forward is None:
        raise SourceError(f"{class_.name} has no forward: say what it makes of its inputs.", class_.lineno)
    return bool(outer) and "Function" not in outer and (forward is not None or "Sequential" in outer)


def _method(class_: ast.ClassDef, name: str, found: Mapping[str, ast.stmt]) -> Function | None:
    nodes = (node for each in _family(class_, found)[0] for node in each.body)
    return next((node for node in nodes if isinstance(node, Function) and node.name == name), None)


@dataclass(frozen=True)
class _Argument:
    """One argument; with neither ``port`` nor ``param`` it is left at its default."""

    name: str
    place: str
    """``before`` what a star gathers, ``named``, ``keyword`` only, or ``star``."""
    required: bool
    port: Port | None = None
    param: Param | None = None


class _Face:
    """Reads one class or function."""

    def __init__(self, source: str, chosen: ast.stmt, found: Mapping[str, ast.stmt]):
        self.source, self.chosen, self.found = source, chosen, found

    def layer(self) -> Layer:
        """Return the layer. Raises SourceError."""
        chosen = self.chosen
        if isinstance(chosen, ast.FunctionDef) and _makes_data(chosen):
            return self._source(chosen)
        made: list[_Argument] = []
        if isinstance(chosen, ast.FunctionDef):
            called, init, call = list(self._arguments(chosen, True)), "", chosen.name
            ends: ast.stmt | None = chosen
        else:
            made, init, call = self._made(), chosen.name, "{self}"
            ends = _method(chosen, "forward", self.found)
            port = Port("x", dtype="any")
            called = list(self._arguments(ends, True)) if ends else [_Argument("x", "before", True, port)]
        params = [each.param for each in (*made, *called) if each.param]
        for name in {param.name for param in params if [p.name for p in params].count(param.name) > 1}:
            raise SourceError(f"{name} is an argument of __init__ and of forward; rename one.", chosen.lineno)
        ports = tuple(each.port for each in called if each.port)
        needed = {each.name for each in (*made, *called) if each.param and each.required}
        outputs, assign = _outputs(ends)
        return Layer(
            chosen.name,
            category=CATEGORY,
            doc=_doc(chosen) or "A layer of this document, written in Python.",
            inputs=ports,
            outputs=tuple(Port(name) for name in outputs),
            params=tuple(params),
            init=_text(init, made, "{rest}") if init else "",
            call=_text(call, called, "" if init else "{rest}"),
            assign=assign,
            infer=_filled(ports, params, needed),
            summary=lambda values: _summary(params, values),
            prefix=chosen.name.lower().rstrip("0123456789"),
            source=self.source,
        )

    def _source(self, chosen: ast.FunctionDef) -> Source:
        """Return a source of data: the arguments are its parameters, what the dict names its outputs."""
        arguments = list(self._arguments(chosen, False))
        params = [each.param for each in arguments if each.param]
        taken = {param.name for param in params}
        return Source(
            chosen.name,
            doc=_doc(chosen) or "Data of this document, made in Python.",
            inputs=(),
            outputs=tuple(Port(name, dtype="any") for name in _fields(chosen)),
            params=(*params, *(param for param in SPLIT if param.name not in taken)),
            summary=lambda values: _summary(params, values),
            prefix=chosen.name.lower().rstrip("0123456789"),
            source=self.source,
        )

    def _made(self) -> list[_Argument]:
        made = _method(self.chosen, "__init__", self.found)
        if made is not None:
            return list(self._arguments(made, False))
        outer = _family(self.chosen, self.found)[1]
        if not {name.rpartition(".")[2] for name in outer} & set(_MODULES):
            raise SourceError(
                f"{self.chosen.name} takes over the constructor of {outer[0]}, whose arguments are not in "
                "this source: give it an __init__ of its own.",
                self.chosen.lineno,
            )
        return []

    def _arguments(self, function: Function, ports: bool) -> Iterator[_Argument]:
        """Give the arguments of a function; ``ports`` says whether it takes tensors."""
        if isinstance(function, ast.AsyncFunctionDef):
            raise SourceError("a layer cannot be async.", function.lineno)
        args = function.args
        listed = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(listed) - len(args.defaults)) + args.defaults
        for place, (arg, default) in enumerate(zip(listed, defaults, strict=True)):
            if place == 0 and function is not self.chosen:
                continue  # self
            before = place < len(args.posonlyargs) or (args.vararg is not None and ports)
            yield self._argument(arg, default, "before" if before else "named", ports)
        if args.vararg and ports:
            if _kind(args.vararg.annotation) not in ("", "Tensor"):
                raise SourceError(
                    f"*{args.vararg.arg} can only gather tensors; take a tuple[int, ...] for numbers.",
                    args.vararg.lineno,
                )
            name = self._name(args.vararg)
            yield _Argument(name, "star", True, Port(name, dtype="any", variadic=True))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            yield self._argument(arg, default, "keyword", ports)

    def _name(self, arg: ast.arg) -> str:
        if arg.arg in _TEMPLATE or arg.arg.startswith("_"):
            raise SourceError(f"{arg.arg} cannot name an argument here; take another word.", arg.lineno)
        return arg.arg

    def _argument(self, arg: ast.arg, default: ast.expr | None, place: str, ports: bool) -> _Argument:
        kind = _kind(arg.annotation)
        none = isinstance(default, ast.Constant) and default.value is None
        if ports and (kind == "Tensor" or (not kind and (default is None or none))):
            name = self._name(arg)
            if none and place == "before":
                raise SourceError(f"{name} cannot stay open before what a star gathers.", arg.lineno)
            if default is not None and not none:
                raise SourceError(f"a tensor such as {name} can only have the default None.", arg.lineno)
            optional = f", {name}={{{name}}}" if none else ""
            return _Argument(name, place, default is None, Port(name, dtype="any", optional=optional))
        known, value = _literal(default)
        param = self._param(arg, value, default is None) if known else None
        if param is None and default is None:
            what = ast.unparse(arg.annotation) if arg.annotation else arg.arg
            raise SourceError(
                f"no value for {arg.arg}: {what[:60]} can be typed. Annotate it int, float, bool, str or "
                "tuple[int, ...], or give it a default.",
                arg.lineno,
            )
        if param is None and place == "before":
            raise SourceError(
                f"{arg.arg} is given by its place, and no value for it can be typed.", arg.lineno
            )
        return _Argument(arg.arg, place, default is None, param=param)

    def _param(self, arg: ast.arg, default: Value, required: bool) -> Param | None:
        """Return the parameter that an annotation or a default asks for, or None."""
        make = _annotated(arg.annotation) if arg.annotation else _by_default(default)
        if make is None:
            return None
        name = self._name(arg)
        size = _SIZES.get(name) if required else None
        where = {1: "dimension 1", -1: "the last dimension", None: ""}[size]
        filled = f" Left open, it takes {where} of the first input." if size else ""
        doc = f"An argument of {self.chosen.name}.{filled}"
        optional = required or default is None
        try:
            param = make(name=name, default=default, optional=optional, doc=doc)
            checked = param.check(default)
            return (
                param if checked is default else make(name=name, default=checked, optional=optional, doc=doc)
            )
        except ParameterError:
            return None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        node = node.value
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _parts(annotation: ast.expr | None) -> list[ast.expr]:
    """Return the alternatives of an annotation without None: ``int | None`` is int."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
    if annotation is None or (isinstance(annotation, ast.Constant) and annotation.value is None):
        return []
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return [*_parts(annotation.left), *_parts(annotation.right)]
    if isinstance(annotation, ast.Subscript):
        word = _word(annotation)
        inner = annotation.slice
        if word == "Optional":
            return _parts(inner)
        if word == "Union":
            return [part for each in _elements(inner) for part in _parts(each)]
    return [annotation]


def _elements(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _word(node: ast.expr) -> str:
    return _dotted(node).rpartition(".")[2]


def _kind(annotation: ast.expr | None) -> str:
    """Return ``Tensor`` for a tensor, an empty text without annotation, else ``other``."""
    if annotation is None:
        return ""
    parts = _parts(annotation)
    return "Tensor" if parts and all(_word(part) == "Tensor" for part in parts) else "other"


def _annotated(annotation: ast.expr) -> Callable[..., Param] | None:
    """Return what makes the parameter of an annotation, or None where no value could be typed."""
    found = [_alternative(part) for part in _parts(annotation)]
    if not found or None in found:
        return None
    return found[0] if len(found) == 1 else Plain


def _alternative(part: ast.expr) -> Callable[..., Param] | None:
    word = _word(part)
    if not isinstance(part, ast.Subscript):
        return Plain if word in _ANY else _NAMED.get(word)
    inner = _elements(part.slice)
    if word in _LISTS and _word(inner[0]) == "int":
        return Ints
    words = [each.value for each in inner if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if word == "Literal" and len(words) == len(inner):
        return lambda **given: Choice(choices=tuple(words), **given)
    return None


def _by_default(default: Value) -> Callable[..., Param] | None:
    if isinstance(default, tuple):
        return Ints
    return {bool: Bool, int: Int, float: Float, str: Text}.get(type(default), Plain)


def _literal(node: ast.expr | None) -> tuple[bool, Any]:
    """Return whether a default is a literal, and its value; lists become tuples."""
    if node is None:
        return True, None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False, None
    value = tuple(value) if isinstance(value, list) else value
    return isinstance(value, bool | int | float | str | tuple | None), value


def _outputs(function: ast.stmt | None) -> tuple[list[str], str]:
    """Return the names of what a function returns, and the left side of its line: ``{y1}, ({y2}, {y3})``."""
    annotation = getattr(function, "returns", None)
    part = (_parts(annotation) or [None])[0]
    if part is None:
        counts = {
            len(each.value.elts) if isinstance(each.value, ast.Tuple) else 1
            for each in _returns(getattr(function, "body", []))
            if each.value is not None
        }
        count = counts.pop() if len(counts) == 1 else 1
        part = ast.Tuple([ast.Name("Tensor")] * count) if count > 1 else None
    names: list[str] = []

    def side(node: ast.expr | None, outer: bool) -> str:
        inner = node.elts if isinstance(node, ast.Tuple) else None
        if isinstance(node, ast.Subscript) and _word(node) in ("tuple", "Tuple"):
            inner = _elements(node.slice)
        if inner and not any(isinstance(each, ast.Constant) for each in inner):
            texts = [side(each, False) for each in inner]
            text = ", ".join(texts) + ("," if len(texts) == 1 else "")
            return text if outer else f"({text})"
        names.append(f"y{len(names) + 1}")
        return f"{{{names[-1]}}}"

    assign = side(part, True)
    return (["y"], "") if len(names) == 1 and assign == "{y1}" else (names, assign)


def _makes_data(function: ast.FunctionDef) -> bool:
    """Return whether a function says that it returns a dict."""
    return function.returns is not None and _word(function.returns) in ("dict", "Dict", "Mapping")


def _fields(function: ast.FunctionDef) -> list[str]:
    """Return the names in the dict that a function returns. Raises SourceError where they cannot be read."""
    found: list[str] = []
    for each in _returns(function.body):
        value = each.value
        keys = value.keys if isinstance(value, ast.Dict) else []
        if isinstance(value, ast.Call) and _word(value.func) == "dict" and not value.args:
            keys = [ast.Constant(keyword.arg) for keyword in value.keywords]
        names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        if not names or len(names) != len(keys) or (found and names != found):
            raise SourceError(
                'return a dict whose names can be read here, such as {"image": images, "label": labels}.',
                each.lineno,
            )
        found = names
    bad = [name for name in found if not name.isidentifier() or name.startswith("_") or iskeyword(name)]
    if bad or not found:
        raise SourceError(
            f"{shown(bad[0])} is no name for a field; take a word." if bad else "it returns no data.",
            function.lineno,
        )
    return found


def _returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    for node in body:
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _returns([each for each in ast.walk(node) if isinstance(each, ast.Return)])


def _text(head: str, arguments: list[_Argument], rest: str) -> str:
    """Return the template of a call: what must be given in its place, what may be left away by name."""
    places: list[str] = []
    names: list[str] = []
    for each in arguments:
        hole = f"{{{each.name}}}"
        if each.place in ("before", "star") or (each.required and each.place == "named"):
            places.append(hole)
        elif each.required or (each.param and not rest):
            names.append(f"{each.name}={hole}")
    options = "{options}" if any(each.port and each.port.optional for each in arguments) else ""
    return f"{head}({', '.join([*places, *names])}{options}{rest})"


def _filled(
    ports: tuple[Port, ...], params: list[Param], needed: set[str]
) -> Callable[..., dict[str, Value]] | None:
    """Return the function that gives sizes to what was left open and must not be."""
    if not needed:
        return None
    first = ports[0].name if ports and ports[0].name not in {param.name for param in params} else ""

    def infer(**known: Any) -> dict[str, Value]:
        shape = known.get(first) or ()
        shape = shape[0] if shape and isinstance(shape[0], tuple) else shape
        found = {name: known[name] for name in needed}
        for name, value in found.items():
            place = _SIZES.get(name, 0)
            if value is None and place and len(shape) > 1 and isinstance(shape[place], int):
                found[name] = shape[place]
            elif value is None:
                raise ValueError(f"needs a value for {name}")
        return found

    names = [first, *needed] if first else list(needed)
    kind = inspect.Parameter.KEYWORD_ONLY
    infer.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return infer


def _summary(params: list[Param], values: Mapping[str, Value]) -> str:
    return ", ".join(f"{p.name} {p.text(values[p.name])}" for p in params if values[p.name] != p.default)


def _doc(node: ast.stmt) -> str:
    return (ast.get_docstring(node) or "").strip().partition("\n")[0]
