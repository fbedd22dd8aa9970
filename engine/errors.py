"""What can go wrong, always with the node and the port that it is about."""

from __future__ import annotations

from typing import Any


def shown(value: Any) -> str:
    """Return a value as a message shows it: its repr, at most 60 letters of it."""
    if isinstance(value, str):
        value = value[:60]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class EngineError(Exception):
    """A sentence for the user: what was expected, what came, how to mend it.

    ``node`` and ``port`` name the place in the document, where there is one.
    """

    def __init__(self, message: str, node: str | None = None, port: str | None = None):
        super().__init__(message)
        self.message = message
        self.node = node
        self.port = port


class ParameterError(EngineError):
    """A value that a parameter cannot take."""


class ConnectError(EngineError):
    """An edge that the rules of the graph refuse."""


class EditError(EngineError):
    """An edit that names something the document does not hold."""


class FileError(EngineError):
    """A file that cannot be read; ``problems`` holds every reason, not only the first."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()):
        super().__init__(message)
        self.problems = problems or (message,)


class ReadError(EngineError):
    """Code that says something which cannot be drawn; ``line`` counts from 1, 0 where it is not known."""

    def __init__(self, message: str, line: int = 0):
        super().__init__(f"Line {line}: {message}" if line else message)
        self.reason = message
        self.line = line


class CompileError(EngineError):
    """A document that cannot become a module."""


class DataError(EngineError):
    """Data that cannot be read or does not have the form that its node promises."""


class TrainingError(EngineError):
    """A run that cannot start or had to end."""
