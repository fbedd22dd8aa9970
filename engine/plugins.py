"""Layers of installed packages: each entry point of the group names a module that declares some.

A package that the user installed with pip is trusted as every installed package is. Names are read from what
is installed, never from a document. One that cannot be used is told about and left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from engine import modules
from engine.errors import EngineError, shown
from engine.layers.declaration import CATEGORIES, Layer

GROUP = "netwright.layers"


def load_layers(known: Mapping[str, Layer]) -> tuple[dict[str, Layer], list[str]]:
    """Return the layers that installed packages add to the known ones, and what is wrong with the others."""
    found: dict[str, Layer] = {}
    problems: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        try:
            declared = _declared(entry, known)
        except EngineError as error:
            problems.append(f"The plug-in {entry.name} {error.message}")
            continue
        for layer in declared:
            try:
                _check(layer, {**known, **found})
            except EngineError as error:
                problems.append(f"The plug-in {entry.name}: {error.message}")
            else:
                found[layer.type] = layer
    return found, problems


def _declared(entry: EntryPoint, known: Mapping[str, Layer]) -> list[Layer]:
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # whatever a package does when it is imported
        raise EngineError(f"could not be loaded: {type(error).__name__}: {error}.") from error
    values = vars(module).values() if hasattr(module, "__dict__") else ()
    own = {id(layer) for layer in known.values()}
    layers = [value for value in values if isinstance(value, Layer) and id(value) not in own]
    if not layers:
        raise EngineError(f"names {shown(entry.value)}, which is no module that declares a Layer.")
    return layers


def _check(layer: Layer, known: Mapping[str, Layer]) -> None:
    """Raise EngineError if a layer cannot stand beside the known ones."""
    if not layer.type.isidentifier() or layer.type.startswith("_"):
        raise EngineError(f"{shown(layer.type)} cannot name a layer: it is no identifier.")
    if layer.type in known:
        raise EngineError(f"there is a layer {layer.type} already.")
    if layer.category not in CATEGORIES:
        raise EngineError(
            f"{layer.type} has the category {shown(layer.category)}; use {', '.join(CATEGORIES)}."
        )
    if layer.role not in ("layer", "loss", "data"):
        raise EngineError(f"{layer.type} has the role {shown(layer.role)}; use layer, loss or data.")
    if layer.module:
        names = modules.bring(layer.module)
        if layer.init and layer.type not in names:
            raise EngineError(f"{layer.module} does not define {layer.type}.")
