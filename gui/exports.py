"""Taking things away: the model as Python, the drawing as a picture, the weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from engine.errors import EngineError
from gui.theme import LIGHT

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class Exports(QObject):
    """What the File and Train menus write besides the document itself."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window

    def export(self) -> None:
        """Write the model as Python that needs nothing but torch."""
        from engine.export import export

        self._write("Export as Python", ".py", "Python (*.py)", lambda path: export(self._document, path))

    def picture(self) -> None:
        """Write the drawing as PNG or SVG, on white for papers."""
        from gui.canvas.picture import picture

        bench = self._window.bench
        self._write(
            "Save the drawing",
            ".png",
            "Pictures (*.png *.svg)",
            lambda path: picture(bench.store.document, bench.analysis, LIGHT, path),
        )

    def save_weights(self) -> None:
        """Write what the last run has learned."""
        from engine.training.checkpoint import save_weights

        runner = self._window.bridge.runner
        if runner and runner.model is not None:
            filter_ = "Weights (*.safetensors)"
            self._write(
                "Save the weights", ".safetensors", filter_, lambda path: save_weights(runner.model, path)
            )

    def load_weights(self) -> None:
        """Choose weights and begin a run with what of them fits."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Run from weights", "", "Weights (*.safetensors)")
        if name:
            self._window.bridge.start_from(Path(name))

    @property
    def _document(self):
        return self._window.bench.store.whole

    def _write(self, title: str, suffix: str, filter_: str, write: Callable[[Path], object]) -> None:
        start = f"{self._document.name or 'network'}{suffix}"
        name, _ = QFileDialog.getSaveFileName(self._window, title, start, filter_)
        if not name:
            return
        path = Path(name) if Path(name).suffix else Path(name + suffix)
        try:
            write(path)
        except EngineError as error:
            self._window.files.show_error(f"{path.name} was not written", error)
        else:
            self._window.bench.message.emit(f"Wrote {path.name}.")
