"""A module's text as the classes and functions in it: parsed, checked, never executed."""

from __future__ import annotations

import ast
import pkgutil
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import engine.modules
from engine.errors import ReadError

_IMPORTS = {"torch", "typing", "copy", "math", "collections", "__future__"}

_CANNOT = {
    ast.For: "a for loop", ast.While: "a while loop", ast.If: "an if", ast.With: "a with block",
    ast.Try: "a try block", ast.FunctionDef: "a function in a function", ast.Delete: "del",
    ast.Assert: "an assert", ast.Raise: "a raise", ast.Lambda: "a lambda", ast.IfExp: "an if",
    ast.ListComp: "a list comprehension", ast.GeneratorExp: "a generator", ast.Await: "an await",
    ast.Match: "a match", ast.Import: "an import in a function", ast.JoinedStr: "an f-string",
    ast.BoolOp: "and, or", ast.NamedExpr: "a := in an expression",
}  # fmt: skip


@dataclass(frozen=True)
class ClassText:
    """One class of ``nn.Module``: the parameters of its constructor with defaults, and its two methods."""

    name: str
    notes: str
    docstring: str
    params: Mapping[str, int | None]
    init: tuple[ast.stmt, ...]
    forward: ast.FunctionDef
    line: int


@dataclass
class ModuleText:
    """What a text defines: classes by name, the model's last, the fields of its result, loss and start."""

    classes: dict[str, ClassText] = field(default_factory=dict)
    model: str = ""
    tuples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    loss: ast.FunctionDef | None = None
    initialize: ast.FunctionDef | None = None


def parse_module(text: str, customs: Mapping[str, str] | None = None) -> ModuleText:
    """Return the classes and functions of a module's text; ``customs`` are sources that stand in it as well.

    Raises ReadError for what is no Python, or nothing that a module of layers holds.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is typed: an odd number is the reader's business
            tree = ast.parse(text)
    except SyntaxError as error:
        raise ReadError(f"this is not Python yet: {error.msg}.", error.lineno or 0) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ReadError(f"this is not Python: {error}.") from None
    module = ModuleText()
    tree.body = _without_brought(tree.body, customs or {})
    tree = _Names(tree).visit(tree)
    for statement in tree.body:
        name = getattr(statement, "name", "")
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
            continue
        if isinstance(statement, ast.ClassDef) and _base(statement) == "NamedTuple":
            module.tuples[name] = tuple(
                ast.unparse(each.target) for each in statement.body if isinstance(each, ast.AnnAssign)
            )
        elif isinstance(statement, ast.ClassDef):
            module.classes[name] = _class(statement)
        elif isinstance(statement, ast.FunctionDef) and name == "loss":
            module.loss = statement
        elif isinstance(statement, ast.FunctionDef) and name == "initialize":
            module.initialize = statement
        else:
            raise ReadError(
                f"`{brief(statement)}` has no place here: a module holds imports, classes of nn.Module and "
                "functions loss and initialize.",
                statement.lineno,
            )
    used = {
        node.id
        for name, each in module.classes.items()
        for statement in each.init
        for node in _names(statement)
        if node.id != name
    }
    free = [name for name in module.classes if name not in used]
    if not free:
        raise ReadError("there is no class of nn.Module that could be the model.")
    module.model = free[-1]
    return module


_SHAPE = re.compile(r"(\w+) (number|\w+(?:×\w+)*)(?=[,\s]|$)")


def told_shapes(docstring: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the shapes that an export's docstring tells, by argument and by result: ``image N×1×28×28``."""
    line = " ".join(docstring.split("\n\n", 1)[1].split()) if "\n\n" in docstring else ""
    takes, arrow, gives = line.partition(" → ")
    return (dict(_SHAPE.findall(takes)), dict(_SHAPE.findall(gives))) if arrow else ({}, {})


def brief(node: ast.AST) -> str:
    """Return the first line of a piece of code, cut short, as a message shows it."""
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 60 else f"{text[:57]}..."


def line_of(node: ast.AST) -> int:
    """Return the line of a piece of code, 0 for one that was made on the way."""
    return getattr(node, "lineno", 0)


def cannot(node: ast.AST, where: str) -> ReadError:
    """Return the error for syntax that no graph can say."""
    what = _CANNOT.get(type(node))
    line = line_of(node)
    if what:
        return ReadError(f"{what} cannot be drawn: {where} is one call after the other.", line)
    return ReadError(f"`{brief(node)}` cannot be drawn.", line)


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Name))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _base(node: ast.ClassDef) -> str:
    return ast.unparse(node.bases[0]).rpartition(".")[2] if node.bases else ""


@cache
def _shipped() -> Mapping[str, str]:
    """Return what the files of ``engine.modules`` define."""
    files = [info.name for info in pkgutil.iter_modules(engine.modules.__path__)]
    return _statements(engine.modules.definitions(name) for name in files)


def _statements(sources: Iterable[str]) -> Mapping[str, str]:
    """Return the statements of some sources, each with the name that it defines."""
    return {_dump(node): getattr(node, "name", "") for text in sources for node in ast.parse(text).body}


def _dump(node: ast.stmt) -> str:
    """Return a statement as text that can be compared; where a docstring breaks its lines is no matter."""
    told = [each for each in ast.walk(node) if isinstance(each, ast.ClassDef | ast.FunctionDef)]
    texts = [each.body[0].value for each in told if _is_text(each.body[0])]
    before = [text.value for text in texts]
    for text in texts:
        text.value = " ".join(text.value.split()) if isinstance(text.value, str) else text.value
    dump = ast.dump(node)
    for text, value in zip(texts, before, strict=True):
        text.value = value
    return dump


def _without_brought(body: list[ast.stmt], customs: Mapping[str, str]) -> list[ast.stmt]:
    """Leave away what layers bring along as it is. Raises ReadError where it was changed."""
    shipped, own = _shipped(), _statements(customs.values())
    places = (("Netwright, which brings it along", shipped), ("its layer, where its code is", own))
    kept = [node for node in body if _dump(node) not in own and _dump(node) not in shipped]
    for node in kept:
        name = getattr(node, "name", "")
        for where, known in places:
            if name and name in known.values():
                raise ReadError(f"{name} belongs to {where}: it cannot be changed here.", node.lineno)
    return kept


def _class(node: ast.ClassDef) -> ClassText:
    if _base(node) != "Module":
        raise ReadError(f"{node.name} is no class of nn.Module.", node.lineno)
    params: dict[str, int | None] = {}
    init: tuple[ast.stmt, ...] = ()
    forward = None
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            params, init = _params(statement), tuple(statement.body)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "forward":
            forward = statement
        elif not _is_text(statement):
            raise ReadError(
                f"`{brief(statement)}` has no place in a class: it holds __init__ and forward.",
                statement.lineno,
            )
    if forward is None:
        raise ReadError(f"{node.name} has no forward: say what it makes of its inputs.", node.lineno)
    docstring = ast.get_docstring(node) or ""
    first = docstring.partition("\n")[0].rstrip(".")
    return ClassText(node.name, first, docstring, params, init, forward, node.lineno)


def _params(function: ast.FunctionDef) -> dict[str, int | None]:
    """Return the parameters of a constructor: whole numbers."""
    given = function.args
    if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
        raise ReadError("a constructor here takes whole numbers by name, no * and no /.", function.lineno)
    names = [each.arg for each in given.args[1:]]
    defaults: list[int | None] = [None] * (len(names) - len(given.defaults))
    for default in given.defaults:
        value = default.value if isinstance(default, ast.Constant) else ...
        if isinstance(value, bool) or not isinstance(value, int | None):
            raise ReadError(
                f"a parameter of a block is a whole number, not {brief(default)}.", default.lineno
            )
        defaults.append(value)
    return dict(zip(names, defaults, strict=True))


class _Names(ast.NodeTransformer):
    """Writes what was imported under other names as generated code does: ``nn.Linear``, ``F.relu``."""

    def __init__(self, tree: ast.Module):
        self.names: dict[str, str] = {}
        for node in tree.body:
            if isinstance(node, ast.Import):
                for each in node.names:
                    self._check(each.name, node.lineno)
                    self.names[each.asname or ""] = each.name
            elif isinstance(node, ast.ImportFrom):
                self._check(node.module or "", node.lineno)
                for each in node.names:
                    if (node.module or "").startswith("torch"):
                        self.names[each.asname or each.name] = f"{node.module}.{each.name}"
        short = {"torch.nn.functional": "F", "torch.nn": "nn", "torch.Tensor": "Tensor"}
        self.names = {name: short.get(full, full) for name, full in self.names.items()}
        self.names = {name: full for name, full in self.names.items() if name and name != full}

    def _check(self, module: str, line: int) -> None:
        if module.partition(".")[0] not in _IMPORTS:
            raise ReadError(f"{module} cannot be imported: a module needs nothing but torch.", line)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.names and isinstance(node.ctx, ast.Load):
            found = ast.parse(self.names[node.id], mode="eval").body
            return ast.copy_location(found, node)
        return node
