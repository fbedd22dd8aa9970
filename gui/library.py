"""The user's own blocks: files in a folder that every document can take from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal

from engine.graph import blocks, custom
from engine.graph.custom import DATA_TEMPLATE, TEMPLATE
from engine.graph.document import Document
from engine.graph.library import merge_block
from engine.graph.signature import read_signature
from engine.layers.declaration import CATEGORIES, Layer
from engine.storage.atomic import write_bytes
from engine.storage.library import Entry, keep, list_blocks, remove
from gui.trusted import remember

CATEGORY = "My blocks"
FOLDER = "NETWRIGHT_BLOCKS"
"""Environment variable that names another folder, such as one that a team shares."""
_KIND = "my-block:"
NEW = replace(
    read_signature(TEMPLATE.format(name="Custom")),
    type="new-custom-layer",
    title="Custom layer",
    doc="A layer that you write in Python: an nn.Module or a function of tensors.",
    synonyms=("python", "code", "own", "module", "function", "script"),
)
"""What the palette offers for a layer that is still to be written."""
NEW_DATA = replace(
    read_signature(DATA_TEMPLATE.format(name="Custom")),
    type="new-custom-data",
    title="Data from Python",
    doc="Data that a function in Python makes or reads: it returns a dict of arrays.",
    synonyms=("python", "code", "own data", "function", "script", "generate"),
)
"""What it offers for data of one's own."""
_WRITTEN = {NEW.type: TEMPLATE, NEW_DATA.type: DATA_TEMPLATE}


class Library(QObject):
    """The blocks in a folder, read when they are first asked for; ``changed`` follows every change.

    Its layers have types of their own, ``my-block:FILE``; ``bring`` copies such a block into a document.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self.folder = _folder()

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {_KIND + entry.path.name: entry for entry in list_blocks(self.folder)}

    def entry(self, type_: str) -> Entry | None:
        """Return the file behind a type, or None where it is no type of the library."""
        return self._entries.get(type_)

    def layers(self) -> list[Layer]:
        """Return the blocks as layers that can be added."""
        return [_layer(type_, each) for type_, each in self._entries.items() if each.block]

    def broken(self) -> dict[str, Entry]:
        """Return the files that hold no block, with their problems, by type."""
        return {type_: each for type_, each in self._entries.items() if each.problem}

    def offer(self, document: Document, scope: Iterable[str]) -> list[Layer]:
        """Return all that can be added to what is shown: the document's blocks, these, and the layers."""
        found = blocks.palette(document, scope)
        own = sum(layer.category == "Blocks" for layer in found)
        found = [*found[:own], *self.layers(), *found[own:]]
        written = [layer for layer in found if layer.category == NEW.category]
        rest = [layer for layer in found if layer.category != NEW.category]
        before = (*CATEGORIES[: CATEGORIES.index(NEW.category)], CATEGORY)
        at = sum(layer.category in before for layer in rest)
        last = sum(layer.category in CATEGORIES[: CATEGORIES.index(NEW_DATA.category) + 1] for layer in rest)
        return [*rest[:last], NEW_DATA, *rest[last:at], *written, NEW, *rest[at:]]

    def layer_of(self, document: Document, type_: str) -> Layer:
        """Return the layer of a type, also of one of the library. Raises EngineError."""
        if type_ in _WRITTEN:
            return NEW if type_ == NEW.type else NEW_DATA
        entry = self.entry(type_)
        return _layer(type_, entry) if entry and entry.block else blocks.layer_of(document, type_)

    def bring(self, document: Document, type_: str) -> tuple[Document, str]:
        """Return the document with what a type of the library needs, and its name there.

        Any other type passes. Raises EngineError.
        """
        if type_ in _WRITTEN:
            source = _WRITTEN[type_].format(name=custom.free_name(document))
            remember([source])  # nobody but this program wrote it
            return custom.add_custom(document, source)
        entry = self.entry(type_)
        if entry is None or not entry.block:
            return document, type_
        return merge_block(document, entry.document, entry.block)

    def keep(self, document: Document, name: str) -> tuple[Path, bytes | None]:
        """Save a block of a document; returns its file and what that held before. Raises EngineError."""
        old = next((each for each in self._entries.values() if each.path.stem == name), None)
        before = _bytes(old.path) if old else None
        path = keep(document, name, self.folder)
        self._read_again()
        return path, before

    def take_out(self, type_: str) -> tuple[Path, bytes | None]:
        """Remove a block; returns its file and what that held. Raises EngineError."""
        path = self._entries[type_].path
        before = _bytes(path)
        remove(path)
        self._read_again()
        return path, before

    def put_back(self, path: Path, held: bytes) -> None:
        """Give a file its former content."""
        write_bytes(path, held)
        self._read_again()

    def _read_again(self) -> None:
        self.__dict__.pop("_entries", None)
        self.changed.emit()


def _folder() -> Path:
    place = QStandardPaths.StandardLocation.AppDataLocation
    return Path(os.environ.get(FOLDER) or Path(QStandardPaths.writableLocation(place)) / "blocks")


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _layer(type_: str, entry: Entry) -> Layer:
    layer = blocks.layer_of(entry.document, entry.block)
    notes = entry.document.blocks[entry.block].notes.strip().partition("\n")[0]
    doc = notes or f"A block of yours; {', '.join(_inside(entry)[:3])} …"
    return replace(layer, type=type_, title=entry.block, category=CATEGORY, doc=doc)


def _inside(entry: Entry) -> list[str]:
    nodes = entry.document.blocks[entry.block].nodes.values()
    return [node.type for node in nodes if node.type not in ("Input", "Output")]
