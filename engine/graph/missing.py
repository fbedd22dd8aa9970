"""Layers that are not here: a node of such a type is a placeholder that keeps its settings and links."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from engine import catalogue
from engine.errors import EditError, ParameterError, shown
from engine.graph.document import Document, Missing
from engine.graph.names import is_id
from engine.layers.declaration import Layer, Port
from engine.layers.formula import Formula

ROLE = "missing"
MOST_PORTS = 64
"""Inputs, and outputs, that a placeholder may have: more is no layer but damage."""
_DEEPEST = 16
_DOC = (
    "This layer is not installed here. The node keeps its settings and links as the file holds them; "
    "nothing of it is run."
)


def is_known(document: Document, type_: str) -> bool:
    """Return whether there is a layer of a type: one that ships or is installed, or the document's own."""
    return type_ in document.blocks or type_ in document.customs or type_ in catalogue.layers()


def with_missing(
    document: Document, type_: str, inputs: Iterable[str] = (), outputs: Iterable[str] = ()
) -> Document:
    """Return the document with a type that nothing here declares, and the ports that edges name of it.

    ``inputs`` are slots: ``xs.0`` says that ``xs`` is variadic. Ports that are known already stay; those
    whose names are no identifiers are left out, and what is beyond ``MOST_PORTS``. Raises EditError for a
    type that is no identifier.
    """
    if not is_id(type_):
        near = catalogue.did_you_mean(type_, catalogue.layers())
        raise EditError(f"There is no layer {shown(type_)}.{near}")
    old = document.missing.get(type_, Missing(type_))
    bases = (base + dot for base, dot, _ in (slot.partition(".") for slot in inputs))
    new = Missing(type_, _joined(old.inputs, bases), _joined(old.outputs, outputs))
    if new == document.missing.get(type_):
        return document
    return document.with_(missing={**document.missing, type_: new})


def _joined(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    names = dict.fromkeys(known)
    for each in more:
        if len(names) < MOST_PORTS and each.removesuffix(".").isidentifier():
            names.setdefault(each)
    return tuple(names)


def merged(document: Document, missing: Iterable[Missing]) -> Document:
    """Return the document with types that another one lacks, but for those that are known here."""
    for each in missing:
        if not is_known(document, each.type):
            document = with_missing(document, each.type, each.inputs, each.outputs)
    return document


@lru_cache(maxsize=1024)
def missing_layer(missing: Missing) -> Layer:
    """Return what stands for a layer that is not here: its ports are those that edges name."""
    return Layer(
        missing.type,
        category="Shape",
        doc=_DOC,
        inputs=tuple(
            Port(each.removesuffix("."), dtype="any", variadic=each.endswith(".")) for each in missing.inputs
        ),
        outputs=tuple(Port(each, dtype="any") for each in missing.outputs),
        summary=lambda p: "Not installed here",
        role=ROLE,
    )


@lru_cache(maxsize=256)
def meant(type_: str) -> str:
    """Return the layer whose name a missing one's is but for a letter or two; empty where there is none."""
    names = {name.lower(): name for name in catalogue.layers()}
    near = difflib.get_close_matches(type_.lower(), names, n=1, cutoff=0.8)
    return names[near[0]] if near else ""


def why_missing(type_: str) -> str:
    """Return the sentence about a layer that is not here."""
    near = f" Did you mean {shown(meant(type_))}?" if meant(type_) else ""
    mend = "Install the plug-in that brings it, replace the node, or bypass it."
    return f"Netwright knows no layer {shown(type_)}.{near} {mend}"


def why_unknown(layer: Layer, names: Iterable[str]) -> str:
    """Return the sentence about settings that a layer does not know."""
    names = [shown(name) for name in names]
    which = f"setting {names[0]}" if len(names) == 1 else f"settings {', '.join(names[:4])}"
    near = catalogue.did_you_mean(names[0].strip("'"), [param.name for param in layer.params])
    return f"{layer.label} has no {which} here.{near} A newer version of it may: install that, or remove it."


def check_foreign(params: Mapping[str, Any]) -> None:
    """Raise ParameterError for values that could not be written to a file as they came."""
    for name, value in params.items():
        if not _writable(value, _DEEPEST):
            raise ParameterError(f"The setting {shown(name)} is no value that a file can keep.")


def _writable(value: Any, deep: int) -> bool:
    if isinstance(value, list | tuple):
        return deep > 0 and all(_writable(each, deep - 1) for each in value)
    if isinstance(value, dict):
        return deep > 0 and all(isinstance(k, str) and _writable(v, deep - 1) for k, v in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str | Formula)
