"""Modules in Python files. Such a file is a program: it is executed only where the user trusts it."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from engine.catalogue import did_you_mean
from engine.errors import shown
from engine.importing.calls import ImportingError

_LARGEST = 4 * 2**20
_SHOWN = 6


@dataclass(frozen=True)
class Target:
    """A file, and what is meant in it: ``Net``, ``Net(num_classes=5)``, or nothing for the only one."""

    path: Path
    expression: str = ""


def parse_target(text: str) -> Target:
    """Return the file and the class that a text such as ``net.py:Net(num_classes=5)`` names."""
    match = re.fullmatch(r"(.+?\.py):([A-Za-z_].*)", text, re.DOTALL)
    return Target(Path(match[1]), match[2].strip()) if match else Target(Path(text))


def read_source(path: Path) -> str:
    """Return a Python file's text without executing it, for a person to look at.

    Raises ImportingError for what is no Python.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ImportingError(f"{path.name} has more than {_LARGEST // 2**20} MB; that is no Python file.")
        text = path.read_bytes().decode("utf-8-sig")
        ast.parse(text)
    except OSError as error:
        raise ImportingError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ImportingError(f"{path.name} is not Python: it is not text.") from None
    except SyntaxError as error:
        raise ImportingError(f"{path.name} is not Python: line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ImportingError(f"{path.name} is not Python: {error}.") from None
    return text


def names_in(source: str) -> list[str]:
    """Return the classes in a source that seem to be modules, and functions without arguments that make one.

    Nothing is executed: it reads names, for a form to offer.
    """
    classes: dict[str, ast.ClassDef] = {
        n.name: n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)
    }

    def is_module(name: str, seen: tuple[str, ...] = ()) -> bool:
        if name not in classes or name in seen:
            return name.rpartition(".")[2] in ("Module", "Sequential") or name.endswith("PreTrainedModel")
        return any(is_module(ast.unparse(base), (*seen, name)) for base in classes[name].bases)

    return [name for name in classes if is_module(name)]


def load_module(target: Target, trusted: bool = False) -> nn.Module:
    """Execute a file and return the module that is meant, in evaluation mode.

    Raises ImportingError without trust; for a file that fails; where it holds no module, several, or one that
    needs arguments; with the line of the file where there is one.
    """
    source = read_source(target.path)
    if not trusted:
        raise ImportingError(
            f"{target.path.name} is a program, and importing it runs it. Look at it, and import it again "
            f"with --trust if you trust it."
        )
    with _executed(target.path) as namespace, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = _made(namespace, target, source)
    if not isinstance(module, nn.Module):
        raise ImportingError(
            f"{target.expression} of {target.path.name} is {type(module).__name__}, not an nn.Module."
        )
    return module.eval()


@contextlib.contextmanager
def _executed(path: Path) -> Iterator[ModuleType]:
    """Execute a file as a module of its own; it may import files beside it, what it prints is dropped."""
    name = f"netwright_import_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportingError(f"{path.name} is not Python.")
    namespace = importlib.util.module_from_spec(spec)
    sys.modules[name] = namespace
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                spec.loader.exec_module(namespace)
            except (Exception, SystemExit) as error:
                raise ImportingError(f"{path.name} fails when it is run: {_reason(error, path)}") from error
            yield namespace
    finally:
        sys.path.remove(str(path.resolve().parent))


def _made(namespace: ModuleType, target: Target, source: str) -> Any:
    path, text = target.path, target.expression
    own = {
        name: value
        for name, value in vars(namespace).items()
        if not name.startswith("_")
        and (
            isinstance(value, nn.Module)
            or _is_own_class(value, namespace)
            or _is_factory(value, namespace, name)
        )
    }
    if not text:
        text = _only(own, path, namespace)
    name, args, kwargs = _call(text, path)
    value = vars(namespace).get(name)
    if value is None:
        raise ImportingError(
            f"{path.name} has no {shown(name)}.{did_you_mean(name, own)} It has {_offer(own)}."
        )
    if isinstance(value, nn.Module):
        return value
    if not callable(value):
        raise ImportingError(
            f"{name} of {path.name} is {type(value).__name__}, neither a module nor what makes one."
        )
    try:
        inspect.signature(value).bind(*args, **kwargs)
    except (TypeError, ValueError):
        raise ImportingError(_missing(value, name, path)) from None
    try:
        return value(*args, **kwargs)
    except Exception as error:  # whatever the user's own code raises
        raise ImportingError(f"{text} of {path.name} cannot be made: {_reason(error, path)}") from error


def _only(own: dict[str, Any], path: Path, namespace: ModuleType) -> str:
    """Return what is meant where nothing is named: an object, else the class that no other one uses."""
    instances = [name for name, value in own.items() if isinstance(value, nn.Module)]
    if len(instances) == 1:
        return instances[0]
    classes = {name: value for name, value in own.items() if isinstance(value, type)}
    factories = [name for name in own if name not in classes and name not in instances]
    if len(factories) == 1:
        return factories[0]
    used = {
        word
        for value in classes.values()
        for word in re.findall(r"\w+", _source_of(value))
        if word in classes and classes[word] is not value
    }
    mains = [name for name in classes if name not in used]
    if len(mains) == 1:
        return mains[0]
    if not own:
        raise ImportingError(
            f"{path.name} has no nn.Module: a class, an object of one, or a function that makes one."
        )
    offers = mains or list(own)
    raise ImportingError(
        f"{path.name} has several modules; name one: {path.name}:{offers[0]}. It has {_offer(own)}."
    )


def _source_of(value: type) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return ""


def _is_own_class(value: Any, namespace: ModuleType) -> bool:
    return isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == namespace.__name__


def _is_factory(value: Any, namespace: ModuleType, name: str) -> bool:
    """A function of the file that needs no arguments and is named or annotated as one that makes a model."""
    if not inspect.isfunction(value) or value.__module__ != namespace.__name__:
        return False
    parameters = inspect.signature(value).parameters.values()
    free = all(
        each.default is not each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        for each in parameters
    )
    made = str(value.__annotations__.get("return", ""))
    return free and (bool(re.search(r"model|net|build|make|create", name.lower())) or "Module" in made)


def _call(text: str, path: Path) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the name and the arguments, all of them literals, in a text such as ``Net(3)``."""
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Name):
            return tree.id, [], {}
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            raise ValueError
        args = [ast.literal_eval(each) for each in tree.args]
        kwargs = {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ImportingError(
            f"{shown(text)} should name a class with numbers and words as arguments, such as "
            f"{path.name}:Net(num_classes=5)."
        ) from None
    return tree.func.id, args, kwargs


def _missing(value: Any, name: str, path: Path) -> str:
    signature = inspect.signature(value)
    needed = [
        each.name
        for each in signature.parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    example = ", ".join(f"{each}=…" for each in needed) or "…"
    return f"{name} takes {signature}: give its arguments, as in {path.name}:{name}({example})."


def _offer(own: dict[str, Any]) -> str:
    names = list(own)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more


def _reason(error: BaseException, path: Path) -> str:
    """Return an error in one line, with the line of the user's file."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == str(path):
            line = frame.tb_lineno
        frame = frame.tb_next
    text = str(error).strip().partition("\n")[0]
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return (f"line {line}: " if line else "") + words.rstrip(".") + "."
