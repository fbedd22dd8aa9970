"""Running the source of custom layers: only what is trusted, with its own lines in errors, never for ever."""

from __future__ import annotations

import ast
import linecache
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Any

from engine.compiler.trust import check_trusted, digest
from engine.errors import CompileError
from engine.graph.pieces import GIVEN_IMPORTS, pieces
from engine.graph.signature import parse, read_signature

_FILE = "<custom layer "
DEFINING, MEASURING = 60.0, 10.0
"""Seconds of this thread's time that a source may take to be defined (it may import), and to be measured."""


class TookTooLong(BaseException):
    """Code that went on for too long; no ``except Exception`` of it holds this back."""


def known_statements(source: str) -> frozenset[str]:
    """Return the statements at the top of a source as ``ast.dump`` tells them."""
    parts = pieces(source)
    lines = "\n".join(parts.imports)
    imported = (ast.dump(node) for node in ast.parse(lines).body)
    return frozenset(imported) | {dump for piece in parts.body for dump in piece.dumps}


def execute(sources: Iterable[str], namespace: dict[str, Any]) -> None:
    """Define what trusted sources define, each statement once, with the lines of its own source.

    Raises CompileError for a source that is off, and whatever the source raises.
    """
    done: set[str] = set()
    for source in sources:
        check_trusted(source)
        tree, filename = parse(source), _filename(source)
        body = [node for node in tree.body if ast.dump(node) not in done]
        done |= {dump for piece in pieces(source).body for dump in piece.dumps}
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        with running(source, DEFINING):
            exec(compile(ast.Module(body, []), filename, "exec", dont_inherit=True), namespace)


def namespace_of(source: str) -> dict[str, Any]:
    """Return the names that a trusted source defines; errors as ``execute``."""
    check_trusted(source)
    return _namespace(source)


@lru_cache(maxsize=256)
def _namespace(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": _filename(source)}
    exec("".join(f"{line}\n" for line in GIVEN_IMPORTS.values()), names)
    execute([source], names)
    return names


def _filename(source: str) -> str:
    return f"{_FILE}{digest(source)[:16]}>"


def line_of(error: BaseException) -> int:
    """Return the line of a custom layer's source where an error was born, or 0 for another error."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(_FILE)]
    return lines[-1] or 0 if lines else 0


def reason_of(error: BaseException) -> str:
    """Return what an error says, in one line."""
    text = str(error).strip().partition("\n")[0]
    kind = type(error).__name__
    return (
        text
        if text and isinstance(error, RuntimeError | TookTooLong)
        else f"{kind}: {text}"
        if text
        else kind
    )


@contextmanager
def running(source: str, seconds: float) -> Iterator[None]:
    """Turn what is born in a source's own lines into a CompileError, and end it where it runs for too long.

    Only time that this thread itself spends is counted, so that a busy machine changes nothing.
    """
    end = time.thread_time() + seconds
    before = sys.gettrace()

    def each_line(frame: FrameType, event: str, argument: object) -> Any:
        if time.thread_time() > end:
            raise TookTooLong(f"it ran for more than {seconds:g} seconds.")
        return each_line

    def each_call(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(_FILE):
            return None
        frame.f_trace_opcodes = True  # a loop of a single line, such as ``while True: pass``, tells no lines
        return each_line

    sys.settrace(each_call)
    try:
        yield
    except CompileError:
        raise
    except (Exception, SystemExit, TookTooLong) as error:
        if line := line_of(error):
            name = read_signature(source).label
            raise CompileError(f"{name}, line {line}: {reason_of(error)}") from error
        raise
    finally:
        sys.settrace(before)
