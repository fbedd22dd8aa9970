"""Typed, bounded, documented parameters: one value is the form field, the check and the text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.errors import ParameterError, shown
from engine.layers.formula import Formula

Value = bool | int | float | str | tuple | Formula | None


def number(value: float) -> str:
    """Return a number as people write it: 0.001, 1e-08, 10,000 without the comma."""
    return repr(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a layer; subclasses say which values it takes."""

    name: str
    default: Value
    doc: str = ""
    label: str = ""
    optional: bool = False
    kind: ClassVar[str] = "a value"
    formulas: ClassVar[bool] = False
    """Whether a formula over the parameters of a block may stand for the value."""

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
        if isinstance(value, Formula) and self.formulas:
            return value
        checked = self._check(value)
        if checked is None:
            raise ParameterError(f"{self.title} takes {self.expected}, not {shown(value)}.")
        return checked

    def parse(self, text: str) -> Value:
        """Return the value that a typed text means; the same errors as ``check``."""
        text = text.strip()
        if self.optional and text.lower() in ("", "none", "auto"):
            return None
        if self.formulas and text.startswith("="):
            return Formula(text[1:].strip())
        return self.check(self._parse(text))

    def text(self, value: Value) -> str:
        """Return what the form shows for a value; ``parse`` reads it back."""
        if isinstance(value, Formula):
            return f"= {value.text}"
        return "" if value is None else self._text(value)

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
        return number(value)


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
    """A list of whole numbers, such as the sizes of a shape."""

    kind: ClassVar[str] = "whole numbers separated by commas"
    lengths: tuple[int, ...] = ()
    empty: bool = False
    """Whether no number at all is a value too: the shape of a single number."""

    def _check(self, value: Any) -> Value:
        if not isinstance(value, tuple | list):
            value = (value,)
        wholes = tuple(_whole(each) for each in value)
        if not wholes and self.empty:
            return ()
        if not wholes or len(wholes) > 16 or any(each is None or not self._inside(each) for each in wholes):
            return None
        return wholes if not self.lengths or len(wholes) in self.lengths else None

    def _parse(self, text: str) -> Any:
        cleaned = text.strip("()[]").replace("×", ",").replace(" x ", ",")
        return tuple(_read(part.strip()) for part in cleaned.split(",") if part.strip())

    def _text(self, value: Any) -> str:
        return ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, kw_only=True)
class IntPair(Ints):
    """One whole number for both axes, or one for each."""

    kind: ClassVar[str] = "one or two whole numbers"
    formulas: ClassVar[bool] = True
    lengths: tuple[int, ...] = (1, 2)

    def _check(self, value: Any) -> Value:
        pair = super()._check(value)
        return pair[0] if pair and (len(pair) == 1 or pair[0] == pair[1]) else pair


@dataclass(frozen=True, kw_only=True)
class Text(Param):
    """A short text, such as the name of a column."""

    kind: ClassVar[str] = "a short text"

    def _check(self, value: Any) -> str | None:
        return value if isinstance(value, str) and len(value) <= 4096 else None


@dataclass(frozen=True, kw_only=True)
class File(Text):
    """The path of a file on this machine; ``patterns`` are the endings that it may have."""

    kind: ClassVar[str] = "the path of a file"
    patterns: tuple[str, ...] = ()


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
