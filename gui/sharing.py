"""Keeping blocks and sharing them as files, with a word about what happened."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.errors import EngineError
from engine.graph import edits
from engine.graph.document import Document
from engine.graph.library import merge_block
from engine.storage.library import BLOCK_SUFFIX, load_block, save_block
from gui.bench import Bench, Offer

_FILTER = f"Blocks (*{BLOCK_SUFFIX} *.netwright)"


def keep(bench: Bench, name: str) -> None:
    """Save a block of the document to the library."""
    try:
        path, before = bench.library.keep(bench.store.whole, name)
    except EngineError as error:
        bench.message.emit(error.message)
        return
    if before is None or before == path.read_bytes():
        bench.offered.emit(Offer(f"{name} is in my blocks; every document can take it from there."))
    else:
        undo = ("Undo", lambda: bench.library.put_back(path, before))
        bench.offered.emit(Offer(f"{name} in my blocks was replaced by this one.", (undo,)))


def forget(bench: Bench, type_: str) -> None:
    """Take a block out of the library; documents that use it have their own copy."""
    try:
        path, before = bench.library.take_out(type_)
    except EngineError as error:
        bench.message.emit(error.message)
        return
    undo = (("Undo", lambda: bench.library.put_back(path, before)),) if before is not None else ()
    bench.offered.emit(Offer(f"{path.stem} was removed from my blocks.", undo))


def block_at_hand(bench: Bench) -> str:
    """Return the block that is meant: that of the selected node, else the one that is open, or nothing."""
    store = bench.store
    types = {store.document.nodes[id].type for id in store.selection if id in store.document.nodes}
    chosen = sorted(types & store.document.blocks.keys())
    return chosen[0] if chosen else store.scope[-1] if store.scope and not store.selection else ""


def export_block(bench: Bench, window: QWidget) -> None:
    """Ask for a file and write the block at hand to it."""
    name = block_at_hand(bench)
    chosen, _ = QFileDialog.getSaveFileName(window, "Export a block", f"{name}{BLOCK_SUFFIX}", _FILTER)
    if not chosen:
        return
    path = Path(chosen) if Path(chosen).suffix else Path(chosen + BLOCK_SUFFIX)
    try:
        save_block(bench.store.whole, name, path)
    except EngineError as error:
        bench.message.emit(error.message)
    else:
        bench.message.emit(f"Wrote {path.name}.")


def ask_for_block(window: QWidget) -> Path | None:
    """Ask for a file to import a block from."""
    name, _ = QFileDialog.getOpenFileName(window, "Import a block", "", _FILTER)
    return Path(name) if name else None


def import_block(bench: Bench, path: Path, at: QPointF) -> None:
    """Add the block in a file, and a node of it at a place of the canvas, as one step."""
    made: list[str] = []

    def edit(document: Document) -> Document:
        library, name = load_block(path)
        document, here = merge_block(document, library, name)
        document, id = edits.add_node(document, here, position=(round(at.x()), round(at.y())))
        made.extend([id, name, here])
        return document

    try:
        bench.store.apply(f"Import {path.stem}", edit)
    except EngineError as error:
        bench.message.emit(error.message)
        return
    id, name, here = made
    bench.store.select([id])
    if here != name:
        bench.offered.emit(Offer(f"This document has another {name}, so it is called {here} here."))
