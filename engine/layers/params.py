"""Typed, bounded, documented parameters: one value is the form field, the check and the text."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.errors import ParameterError, shown
from engine.layers.formula import Formula

_EQUATION = re.compile("[a-zA-Z]{1,8}(,[a-zA-Z]{1,8}){0,7}->[a-zA-Z]{0,8}")

Value = bool | int | float | str | tuple | Formula | None


def number(value: float) -> str:
    """Return a number as people write it: 0.001, 1e-08, 10,000 without the comma."""
    return repr(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a layer; subclasses say which values it takes, ``words`` are values beside those.

    ``unset`` is the word for an ``optional`` one that has no value. ``code`` is what it adds to the call in
    place of ``{options}`` where it has one.
    """

    name: str
    default: Value
    doc: str = ""
    label: str = ""
    optional: bool = False
    unset: str = "automatic"
    words: tuple[str, ...] = ()
    code: str = ""
    kind: ClassVar[str] = "a value"
    formulas: ClassVar[bool] = False
    """Whether a formula over the parameters of a block may stand for the value."""
    outside: ClassVar[bool] = False
    """Whether it names something that does not lie in the document: a file, a set of the hub."""

    @property
    def title(self) -> str:
        """The name in sentence case, for a form."""
        return self.label or self.name.replace("_", " ").capitalize()

    def check(self, value: Any) -> Value:
        """Return the value in its canonical type.

        Raises ParameterError that says what was expected and what came.
        """
        if value is None and self.optional:
            return None
        if (isinstance(value, Formula) and self.formulas) or (isinstance(value, str) and value in self.words):
            return value
        checked = self._check(value)
        if checked is None:
            expected = ", or ".join([self.expected, *self.words])
            raise ParameterError(f"{self.title} takes {expected}, not {shown(value)}.")
        return checked

    def parse(self, text: str) -> Value:
        """Return the value that a typed text means; the same errors as ``check``."""
        text = text.strip()
        if self.optional and text.lower() in ("", "none", "auto"):
            return None
        if self.formulas and text.startswith("="):
            return Formula(text[1:].strip())
        return self.check(text if text in self.words else self._parse(text))

    def text(self, value: Value) -> str:
        """Return what the form shows for a value; ``parse`` reads it back."""
        if isinstance(value, Formula):
            return f"= {value.text}"
        return value if isinstance(value, str) else "" if value is None else self._text(value)

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        return self.kind

    def _check(self, value: Any) -> Value:
        raise NotImplementedError

    def _parse(self, text: str) -> Any:
        return text

    def _text(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, kw_only=True)
class _Bounded(Param):
    min: float | None = None
    max: float | None = None

    @property
    def expected(self) -> str:
        if self.min is not None and self.max is not None:
            return f"{self.kind} from {number(self.min)} to {number(self.max)}"
        if self.min is not None:
            return f"{self.kind} of at least {number(self.min)}"
        if self.max is not None:
            return f"{self.kind} of at most {number(self.max)}"
        return self.kind

    def _inside(self, value: float) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


def _whole(value: Any) -> int | None:
    """The int that a JSON or form value stands for, else None; True is not a number, 10**30 not a size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(value) if abs(value) < 2**53 and value == int(value) else None


def _read(text: str) -> int | float | str:
    """The number that a text spells, or the text itself for the check to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@dataclass(frozen=True, kw_only=True)
class Int(_Bounded):
    """A whole number."""

    kind: ClassVar[str] = "a whole number"
    formulas: ClassVar[bool] = True

    def _check(self, value: Any) -> int | None:
        whole = _whole(value)
        return whole if whole is not None and self._inside(whole) else None

    def _parse(self, text: str) -> Any:
        return _read(text)


@dataclass(frozen=True, kw_only=True)
class Float(_Bounded):
    """A finite number."""

    kind: ClassVar[str] = "a number"

    def _check(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if isinstance(value, int) and abs(value) > 2**53:
            return None
        return float(value) if math.isfinite(value) and self._inside(value) else None

    def _parse(self, text: str) -> Any:
        return _read(text)

    def _text(self, value: Any) -> str:
        short = number(
            value
        )  # without the noise of the last bits, but never so short that another number is meant
        return short if math.isclose(float(short), value, rel_tol=1e-9) else repr(value)


@dataclass(frozen=True, kw_only=True)
class Bool(Param):
    """Yes or no."""

    kind: ClassVar[str] = "yes or no"

    def _check(self, value: Any) -> bool | None:
        return value if isinstance(value, bool) else None

    def _parse(self, text: str) -> Any:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
            text.lower(), text
        )


@dataclass(frozen=True, kw_only=True)
class Choice(Param):
    """One of a few words."""

    choices: tuple[str, ...]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.choices)

    def _check(self, value: Any) -> str | None:
        return value if isinstance(value, str) and value in self.choices else None


@dataclass(frozen=True, kw_only=True)
class Ints(_Bounded):
    """A list of whole numbers, such as the sizes of a shape.

    ``lengths`` are how many there may be, any number if empty; ``empty`` says whether none at all is a value
    too: the shape of a single number; ``alone`` whether a single one stands without a tuple: 3, not (3,).
    """

    kind: ClassVar[str] = "whole numbers separated by commas"
    lengths: tuple[int, ...] = ()
    empty: bool = False
    alone: bool = False

    def _check(self, value: Any) -> Value:
        if not isinstance(value, tuple | list):
            value = (value,)
        wholes = tuple(_whole(each) for each in value)
        if not wholes and self.empty:
            return ()
        if not wholes or len(wholes) > 16 or any(each is None or not self._inside(each) for each in wholes):
            return None
        if self.lengths and len(wholes) not in self.lengths:
            return None
        return wholes[0] if self.alone and len(wholes) == 1 else wholes

    def _parse(self, text: str) -> Any:
        cleaned = text.strip("()[]").replace("×", ",").replace(" x ", ",")
        return tuple(_read(part.strip()) for part in cleaned.split(",") if part.strip())

    def _text(self, value: Any) -> str:
        return ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, kw_only=True)
class Sizes(Ints):
    """One whole number for all axes of a window, or one for each."""

    formulas: ClassVar[bool] = True
    axes: int = 2
    alone: bool = True

    @property
    def expected(self) -> str:
        """The values it takes, in words."""
        count = {1: "a whole number", 2: "one or two whole numbers", 3: "one or three whole numbers"}[
            self.axes
        ]
        return super().expected.replace(self.kind, count)

    def _check(self, value: Any) -> Value:
        sizes = super()._check(value)
        if not isinstance(sizes, tuple):
            return sizes
        if len(sizes) != self.axes:
            return None
        return sizes[0] if len(set(sizes)) == 1 else sizes


@dataclass(frozen=True, kw_only=True)
class Floats(_Bounded):
    """A list of numbers, such as a weight for each class."""

    kind: ClassVar[str] = "numbers separated by commas"

    def _check(self, value: Any) -> Value:
        if not isinstance(value, tuple | list) or not 1 <= len(value) <= 10_000:
            return None
        good = all(
            isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)
            for each in value
        )
        return tuple(map(float, value)) if good and all(map(self._inside, value)) else None

    def _parse(self, text: str) -> Any:
        return tuple(_read(part.strip()) for part in text.strip("()[]").split(",") if part.strip())

    def _text(self, value: Any) -> str:
        return ", ".join(f"{each:g}" if float(f"{each:g}") == each else repr(each) for each in value)


@dataclass(frozen=True, kw_only=True)
class Text(Param):
    """A short text, such as the name of a column."""

    kind: ClassVar[str] = "a short text"

    def _check(self, value: Any) -> str | None:
        return value if isinstance(value, str) and len(value) <= 4096 else None


@dataclass(frozen=True, kw_only=True)
class Plain(Param):
    """A value as Python writes it: a number, a text, True or False, or several in parentheses."""

    kind: ClassVar[str] = "a number, a text, True or False, or several in parentheses"

    def _check(self, value: Any) -> Value:
        parts = value if isinstance(value, tuple | list) else (value,)
        plain = all(isinstance(each, bool | int | float | str) for each in parts) and len(repr(parts)) <= 4096
        finite = all(math.isfinite(each) for each in parts if isinstance(each, float))
        return (tuple(value) if isinstance(value, list) else value) if plain and finite else None

    def _parse(self, text: str) -> Any:
        try:
            return ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return text

    def _text(self, value: Any) -> str:
        return repr(value)


@dataclass(frozen=True, kw_only=True)
class Equation(Text):
    """The letters of a sum of products, as ``torch.einsum`` reads them: ``bij,bjk->bik``."""

    kind: ClassVar[str] = "letters such as bij,bjk->bik, the result's among those of the inputs and each once"

    def _check(self, value: Any) -> str | None:
        text = super()._check(value)
        text = text.replace(" ", "") if text else ""
        if not _EQUATION.fullmatch(text):
            return None
        inputs, result = text.split("->")
        return text if len(set(result)) == len(result) and set(result) <= set(inputs) else None


@dataclass(frozen=True, kw_only=True)
class File(Text):
    """The path of a file on this machine; ``patterns`` are the endings that it may have."""

    kind: ClassVar[str] = "the path of a file"
    outside: ClassVar[bool] = True
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Folder(File):
    """The path of a folder on this machine."""

    kind: ClassVar[str] = "the path of a folder"


@dataclass(frozen=True, kw_only=True)
class HubName(Text):
    """The name of a data set on the Hugging Face hub."""

    kind: ClassVar[str] = "the name of a data set, owner/name"
    outside: ClassVar[bool] = True


def check_params(params: Iterable[Param], values: dict[str, Any]) -> dict[str, Value]:
    """Return every parameter's checked value, defaults filled in.

    Raises ParameterError for the first value that is refused or has no parameter.
    """
    known = {param.name: param for param in params}
    for name in values:
        if name not in known:
            raise ParameterError(
                f"There is no parameter {shown(name)}; there are {', '.join(known) or 'none'}."
            )
    return {name: param.check(values.get(name, param.default)) for name, param in known.items()}
