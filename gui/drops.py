"""What is dropped on the window: a table from what it is to what happens, said while it is still dragged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QPointF

from engine import catalogue
from engine.data.images import ENDINGS
from engine.data.source import Source
from engine.errors import EngineError
from engine.graph import edits
from engine.graph.document import Document
from engine.graph.settings import set_training
from engine.importing.report import SUFFIXES
from engine.layers.declaration import Layer
from engine.layers.params import File, Folder
from engine.storage.document_file import SUFFIX
from engine.storage.library import BLOCK_SUFFIX
from gui import sharing
from gui.canvas.face import HEADER, WIDTH
from presets import presets

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_APART = 96.0
"""How far below each other nodes stand that were dropped together."""
_LISTED, _LOOKED_INTO = 6, 40
WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Drop:
    """One kind of thing: whether a path is one, what will happen in a few words, and doing it at a place."""

    is_one: Callable[[Path], bool]
    says: Callable[[Path], str]
    do: Callable[[MainWindow, Path, QPointF], object]


def _is_named(*patterns: str) -> Callable[[Path], bool]:
    return lambda path: any(fnmatch(path.name.lower(), each) for each in patterns) and not path.is_dir()


def _ends(*suffixes: str) -> Callable[[Path], bool]:
    return lambda path: path.suffix.lower() in suffixes and not path.is_dir()


def _preset_of(path: Path) -> str:
    """The preset whose file this is, or an empty text."""
    return (
        path.stem if path.suffix == ".py" and path.parent.name == "presets" and path.stem in presets() else ""
    )


def _holds_classes(*patterns: str) -> Callable[[Path], bool]:
    """Whether a folder holds a folder with such files, as far as a short look tells."""

    def look(path: Path) -> bool:
        try:
            inner = [each for each in islice(path.iterdir(), _LOOKED_INTO) if each.is_dir()]
            found = (file for each in inner for file in islice(each.iterdir(), _LOOKED_INTO))
            return any(_is_named(*patterns)(file) for file in found)
        except OSError:
            return False

    return look


def _open(window: MainWindow, path: Path, at: QPointF) -> None:
    window.files.open(path)


def _open_preset(window: MainWindow, path: Path, at: QPointF) -> None:
    window.files.open_preset(_preset_of(path))


def _import(window: MainWindow, path: Path, at: QPointF) -> None:
    window.imports.open(path)


def _add_block(window: MainWindow, path: Path, at: QPointF) -> None:
    window.show_workbench()
    sharing.import_block(window.bench, path, at)


def _begin_with(window: MainWindow, path: Path, at: QPointF) -> None:
    """Let the next runs of the document in front begin with weights."""
    window.show_workbench()
    store = window.bench.store
    if not store.scope:
        store.apply(f"Begin with {path.name}", lambda document: set_training(document, weights=str(path)))


def _adds(layer: Layer, param: str) -> Callable[[MainWindow, Path, QPointF], object]:
    def add(window: MainWindow, path: Path, at: QPointF) -> None:
        window.show_workbench()
        store, made = window.bench.store, []

        def edit(document: Document) -> Document:
            place = (round(at.x() - WIDTH / 2), round(at.y() - HEADER / 2))
            document, id = edits.add_node(document, layer.type, params={param: str(path)}, position=place)
            made.append(id)
            return document

        store.apply(f"Add {path.name}", edit)
        store.select(made)

    return add


def _data() -> Iterable[Drop]:
    """A node for each source of data that reads a file or a folder, by the endings that it declares."""
    sources = [layer for layer in catalogue.layers().values() if isinstance(layer, Source)]
    for layer in sorted(sources, key=lambda layer: layer.looks is None):
        param = next((each for each in layer.params if isinstance(each, File)), None)
        if param is None or not param.patterns:
            continue
        fits = (_holds_classes if isinstance(param, Folder) else _is_named)(*param.patterns)
        yield Drop(
            lambda path, fits=fits, layer=layer: fits(path) and (layer.looks is None or layer.looks(path)),
            lambda path, layer=layer: f"Add a node “{layer.label}” that reads {path.name}",
            _adds(layer, param.name),
        )


def drops() -> tuple[Drop, ...]:
    """Return every kind of thing that can be dropped; the first that fits is meant."""
    return (
        Drop(_ends(BLOCK_SUFFIX), lambda path: f"Add the block of {path.name}", _add_block),
        Drop(_ends(SUFFIX), lambda path: f"Open {path.name} in a new tab", _open),
        Drop(lambda path: bool(_preset_of(path)), lambda path: f"Open the example {path.stem}", _open_preset),
        Drop(_ends(*SUFFIXES), lambda path: f"Import the network in {path.name}", _import),
        Drop(_ends(WEIGHTS), lambda path: f"Begin the next runs with {path.name}", _begin_with),
        *_data(),
    )


def why_not(path: Path) -> str:
    """Return why nothing can be made of something."""
    if path.is_dir():
        return f"{path.name} holds no folders of images, texts or sounds, one for each class"
    if path.suffix.lower() in ENDINGS:
        return f"{path.name}: drop a folder that holds one folder of images for each class"
    return f"{path.name}: networks, blocks, tables, arrays, texts and weights can be dropped"


def paths_in(data: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that are dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def drop_of(path: Path) -> Drop | None:
    """Return what will happen to a path, or None where nothing can be made of it."""
    return next((each for each in drops() if each.is_one(path)), None)


def take(window: MainWindow, paths: Sequence[Path], at: QPointF) -> None:
    """Do what is to be done with each of what was dropped at a place of the canvas."""
    for path in paths:
        drop = drop_of(path)
        if drop is None:
            window.bench.message.emit(f"{why_not(path)}.")
            continue
        try:
            drop.do(window, path, at)
        except EngineError as error:
            window.bench.message.emit(error.message)
        at = at + QPointF(0, _APART)


def lines(paths: Sequence[Path]) -> list[tuple[str, bool]]:
    """Return a sentence for each path, and whether it can be used; what is too many is counted."""
    said = []
    for path in paths[:_LISTED]:
        drop = drop_of(path)
        said.append((drop.says(path), True) if drop else (why_not(path), False))
    if len(paths) > _LISTED:
        said.append((f"and {len(paths) - _LISTED} more", True))
    return said
