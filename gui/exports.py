"""Taking things away: everything through one dialog, and the few that have a key of their own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog

from engine.errors import EngineError
from engine.export import EXPORTERS, Exporter, Weights, export
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from gui.export_dialog import ExportDialog

if TYPE_CHECKING:
    from gui.main_window import MainWindow

DRAWINGS = {
    exporter.name: exporter
    for exporter in (
        Exporter("pdf", "PDF", ".pdf", "One page as large as the drawing, sharp at any size.", "Drawing"),
        Exporter("svg", "SVG", ".svg", "For drawing programs and pages of the web.", "Drawing"),
        Exporter("png", "PNG", ".png", "Pixels, for slides and messages.", "Drawing"),
    )
}
"""Pictures of what the canvas shows, which only a window can paint: they have no writer in the engine."""

_FOLDER = "export/folder"


@dataclass(frozen=True)
class _Result:
    """What became of a file: a sentence, or the error."""

    path: Path
    said: str = ""
    error: EngineError | None = None


class Exports(QObject):
    """What the File and Train menus write besides the document itself.

    Whatever torch has to compute is written in a thread; a second export waits until the first has ended.
    """

    _ended = Signal(object)

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self.dialog: ExportDialog | None = None
        """The dialog while it is open."""
        self._thread: threading.Thread | None = None
        self._step = 0
        self._ended.connect(self._tell)
        bench = window.bench
        bench.run_reset.connect(self._forget)
        bench.progress.connect(self._count)

    def export(self) -> None:
        """Open the dialog with every kind of export."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        document = self._document
        self.dialog = ExportDialog(
            self._window,
            document.name or "the network",
            self._all(),
            {"Model": self._whose},
        )
        self.dialog.chosen.connect(self._choose)
        self.dialog.shown.connect(self._show_node)
        self.dialog.finished.connect(self._dialog_closed)
        self.dialog.open()
        if self.busy:
            self.dialog.tell_busy("Another file is still being written …")

    def module(self) -> None:
        """Write the model as Python at once, as the code panel does."""
        self._choose("module")

    def picture(self) -> None:
        """Write the drawing at once, dark on white for papers."""
        self._choose("pdf", *DRAWINGS)

    def save_weights(self) -> None:
        """Write what the last run has learned."""
        from engine.training.checkpoint import save_weights

        runner = self._window.bridge.runner
        path = runner and runner.model is not None and self._ask(EXPORTERS["weights"])
        if path:
            self._end(path, lambda: save_weights(runner.model, path) or f"Wrote {path.name}.")

    def load_weights(self) -> None:
        """Choose weights and begin a run with what of them fits."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Run from weights", "", "Weights (*.safetensors)")
        if name:
            self._window.bridge.start_from(Path(name))

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Wait for the file that is being written."""
        if self._thread is not None:
            self._thread.join()

    # What is written.

    @property
    def _document(self) -> Document:
        return self._window.bench.store.whole

    def _all(self) -> list[Exporter]:
        """Every kind, group by group in the engine's order; pictures before the document itself."""
        groups = list(dict.fromkeys(each.group for each in EXPORTERS.values()))
        return sorted([*DRAWINGS.values(), *EXPORTERS.values()], key=lambda each: groups.index(each.group))

    @property
    def _learned(self) -> bool:
        """Whether the last run's weights are those of what is drawn now."""
        runner = self._window.bridge.runner
        return bool(
            runner and runner.model is not None and _network(runner.document) == _network(self._document)
        )

    @property
    def _whose(self) -> str:
        """Whose weights an export of the model will hold."""
        if self._learned and self._window.bridge.busy:
            return "with the weights of this run, as they are then"
        if self._learned:
            return f"with the weights of the last run, step {self._step:,}"
        if self._window.has_run:
            return "with fresh weights: the network was changed since the last run"
        return "with fresh weights: nothing was trained yet"

    def _weights(self) -> Weights | None:
        """Return a copy of the last run's weights, which may still be learning."""
        if not self._learned:
            return None
        model = self._window.bridge.runner.model
        tensors = {name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()}
        return Weights(tensors, f"weights of the last run, step {self._step:,}")

    def _choose(self, name: str, *others: str) -> None:
        """Ask where to, and write it; ``others`` may be chosen in the file dialog instead."""
        exporters = {each.name: each for each in self._all()}
        exporter = exporters[name]
        path = self._ask(exporter, *(exporters[each] for each in others if each != name))
        if path is None:
            return
        if name in DRAWINGS:
            self._end(path, lambda: self._draw(path))
            return
        document, weights = self._document, self._weights() if exporter.weighs else None
        self._run(path, lambda: export(document, path, name, weights))

    def _draw(self, path: Path) -> str:
        from gui.canvas.picture import PAPER, picture

        picture(self._window.bench.store.document, self._window.bench.analysis, PAPER, path)
        return f"Wrote {path.name}."

    def _ask(self, exporter: Exporter, *others: Exporter) -> Path | None:
        """Ask for a file; its ending is added where it was left away."""
        if self.busy:
            self._window.bench.message.emit("Another file is still being written.")
            return None
        folder = Path(QSettings().value(_FOLDER, "") or Path(self._window.files.path or "").parent)
        filters = ";;".join(f"{each.title} (*{each.suffix})" for each in (exporter, *others))
        start = folder / file_name(self._document.name, exporter)
        name, _ = QFileDialog.getSaveFileName(
            self.dialog or self._window, f"Export: {exporter.title}", str(start), filters
        )
        if not name:
            return None
        path = Path(name) if Path(name).suffix else Path(name + exporter.suffix)
        QSettings().setValue(_FOLDER, str(path.parent))
        return path

    # How it goes.

    def _run(self, path: Path, write: Callable[[], str]) -> None:
        """Write in a thread: tracing a network takes seconds."""
        text = f"Writing {path.name} …"
        self._window.bench.message.emit(text)
        if self.dialog is not None:
            self.dialog.tell_busy(text)
        self._thread = threading.Thread(target=self._end, args=(path, write), name="netwright export")
        self._thread.start()

    def _end(self, path: Path, write: Callable[[], str]) -> None:
        try:
            self._ended.emit(_Result(path, write()))
        except EngineError as error:
            self._ended.emit(_Result(path, error=error))
        except Exception as error:  # what nobody thought of is told as well, and does not end the window
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            self._ended.emit(_Result(path, error=EngineError(f"{path.name} was not written: {reason}")))

    def _tell(self, result: _Result) -> None:
        self.close()
        if result.error is None:
            self._window.bench.message.emit(result.said)
            if self.dialog is not None:
                self.dialog.tell_done(result.said, result.path)
        elif self.dialog is not None:
            node = self._document.nodes.get(result.error.node or "")
            text = result.error.message
            text = text if node is None or node.title in text else f"{node.title}: {text}"
            self.dialog.tell_failed(text, node.id if node else "")
        else:
            self._window.files.show_error(f"{result.path.name} was not written", result.error)

    def _dialog_closed(self) -> None:
        self.dialog = None

    def _show_node(self, node: str) -> None:
        bench = self._window.bench
        bench.store.select([node])
        bench.reveal.emit(node)

    def _count(self, event: object) -> None:
        self._step = int(event.step[-1])

    def _forget(self) -> None:
        self._step = 0


def file_name(title: str, exporter: Exporter) -> str:
    """Return the name that a file is offered under; Python files get one that can be imported."""
    if exporter.suffix == ".py":
        name = re.sub(r"\W+", "_", title.lower(), flags=re.ASCII).strip("_") or "network"
        name = f"net_{name}" if name[0].isdigit() else name
        return f"{name}{'' if exporter.name == 'module' else f'_{exporter.name}'}{exporter.suffix}"
    safe = re.sub(r'[/\\:*?"<>|\x00-\x1f]+', "-", title).strip(" .-")[:100]
    return f"{safe or 'network'}{exporter.suffix}"


def _network(document: Document) -> object:
    """What a model's weights depend on: every node but the losses, and what each reads."""
    nodes = {
        id: (node.type, node.params, node.share)
        for id, node in document.nodes.items()
        if layer_of(document, node.type).role != "loss"
    }
    edges = {slot: source for slot, source in document.edges.items() if slot.node in nodes}
    return nodes, edges, document.blocks, document.customs
