"""The format of document files: its number, and how a file of an older one becomes one of this."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine.errors import FileError, shown

VERSION = 3
"""Raised with every addition to the format: a Netwright that does not know it then says so."""


def _with_looks(raw: dict[str, Any]) -> dict[str, Any]:
    """Format 2 added comments, bends, modes and words about parameters; without them nothing changes."""
    return raw


def _with_sums(raw: dict[str, Any]) -> dict[str, Any]:
    """In format 3 an objective minimizes a sum of ``losses`` with weights; before it named one ``loss``."""
    training = raw.get("training")
    objectives = training.get("objectives") if isinstance(training, dict) else None
    for objective in objectives if isinstance(objectives, list) else ():
        if isinstance(objective, dict) and isinstance(loss := objective.pop("loss", ""), str) and loss:
            objective["losses"] = {loss: 1.0}
    _with_scales(raw)
    return raw


def _with_scales(raw: dict[str, Any]) -> None:
    """In format 3 a table's ``normalize`` is one of several; before it was ``standardize``, yes or no."""
    nodes = raw.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        params = node.get("params") if isinstance(node, dict) else None
        table = isinstance(params, dict) and node.get("type") in ("CSV", "SampleTable")
        if table and "standardize" in params:
            params["normalize"] = "none" if params.pop("standardize") is False else "standardize"


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {1: _with_looks, 2: _with_sums}
)
"""For each older format, what makes a parsed file of it one of the next."""


class NewerError(FileError):
    """A file of a newer format where only a whole one will do."""


class Newer(dict):
    """An object in a file of a newer format: parts of it that are not known here are passed over."""


def parsed(text: str) -> dict[str, Any]:
    """Return a file's text as an object of this format; as a ``Newer`` one where it is of a newer format.

    Raises FileError for what is no document.
    """
    raw = _json(text)
    if not isinstance(raw, dict) or "netwright" not in raw:
        raise FileError('this is not a Netwright document: it has no "netwright" version.')
    version = raw["netwright"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FileError(f"the version should be a whole number from 1 to {VERSION}, not {shown(version)}.")
    if version > VERSION:
        return _json(text, Newer)
    for older in range(version, VERSION):
        raw = MIGRATIONS[older](raw)
    return raw


def why_newer(raw: Mapping[str, Any], left_out: int) -> str:
    """Return the sentence about a file of a newer format, of which some parts could not be read."""
    lost = f"; {left_out} of its parts could not be read" if left_out else ""
    format_ = f"format {shown(raw['netwright'])}; this one reads {VERSION}"
    return f"it was written by a newer Netwright ({format_}){lost}."


def _json(text: str, kind: type[dict] | None = None) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, object_hook=kind)
    except RecursionError:
        raise FileError("this is not a Netwright document: it is nested too deeply.") from None
    except ValueError as error:
        raise FileError(f"this is not a Netwright document: {error}.") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number")
