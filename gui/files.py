"""Opening and saving: which file the document is, whether it is saved, and what to ask before it is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.storage.document_file import SUFFIX, load_document, save_document
from gui.bench import Bench
from presets import preset

FILTER = f"Netwright documents (*{SUFFIX})"
_MOST_RECENT = 8


class Files(QObject):
    """The file behind the document; ``changed`` says that its name or state is another."""

    changed = Signal()
    opened = Signal()

    def __init__(self, bench: Bench, window: QWidget):
        super().__init__(window)
        self._bench = bench
        self._window = window
        self.path: Path | None = None
        self.preset = ""
        """The ready-made network that the document began as."""
        bench.store.undo_stack.cleanChanged.connect(self.changed)
        bench.store.changed.connect(lambda change: self.changed.emit() if change.name else None)

    @property
    def dirty(self) -> bool:
        """Whether there are changes that no file holds."""
        return not self._bench.store.undo_stack.isClean()

    @property
    def saved_text(self) -> str:
        """The state in a word, for the status line."""
        if self.dirty:
            return "Unsaved changes"
        return "Saved" if self.path else ""

    def recent(self) -> list[Path]:
        """Return the files that were open lately and still exist, newest first."""
        stored = QSettings().value("files/recent", [])
        paths = [stored] if isinstance(stored, str) else list(stored or [])
        return [Path(path) for path in paths if Path(path).is_file()][:_MOST_RECENT]

    def new(self) -> bool:
        """Show an empty document; False if the user keeps the present one."""
        return self._replace(Document)

    def open_preset(self, name: str) -> bool:
        """Show a preset as a new document."""
        if not self._replace(lambda: preset(name).document()):
            return False
        self.preset = name
        self.changed.emit()
        return True

    def open(self, path: Path | None = None) -> bool:
        """Show the document in a file, asked for if there is none given."""
        if path is None:
            folder = str(self.path.parent) if self.path else ""
            name, _ = QFileDialog.getOpenFileName(self._window, "Open a network", folder, FILTER)
            if not name:
                return False
            path = Path(name)
        if not self._replace(lambda: load_document(path)):
            return False
        self._remember(path)
        return True

    def restore(self, document: Document, file: str) -> bool:
        """Show a document that was never saved to its file; the file itself stays as it is."""
        if not self._replace(lambda: document):
            return False
        self.path = Path(file) if file else None
        self._bench.store.undo_stack.resetClean()
        self.changed.emit()
        return True

    def save(self) -> bool:
        """Write the document to its file; False if it was not written."""
        return self._write(self.path) if self.path else self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the document to it."""
        name = self._bench.store.whole.name or "Untitled"
        start = self.path or Path(f"{name}{SUFFIX}")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save the network", str(start), FILTER)
        if not chosen:
            return False
        path = Path(chosen)
        return self._write(path if path.suffix else path.with_suffix(SUFFIX))

    def may_leave(self) -> bool:
        """Ask about unsaved changes; False if the user wants to stay."""
        if not self.dirty:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Save the changes to “{self._bench.store.whole.name}”?")
        box.setInformativeText("They are lost otherwise.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        return answer == buttons.Discard or (answer == buttons.Save and self.save())

    def show_error(self, title: str, error: EngineError) -> None:
        """Tell what went wrong, with every problem of a bad file."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(title)
        problems = error.problems if isinstance(error, FileError) else (error.message,)
        box.setInformativeText(
            error.message if len(problems) == 1 else "\n".join(f"• {p}" for p in problems[:12])
        )
        box.exec()

    def _replace(self, make: Callable[[], Document]) -> bool:
        if not self.may_leave():
            return False
        try:
            document = make()
        except EngineError as error:
            self.show_error("This file cannot be opened", error)
            return False
        self.path, self.preset = None, ""
        self._bench.store.open(document)
        self.changed.emit()
        self.opened.emit()
        return True

    def _write(self, path: Path) -> bool:
        try:
            save_document(self._bench.store.whole, path)
        except EngineError as error:
            self.show_error("The network was not saved", error)
            return False
        self._remember(path)
        self._bench.store.undo_stack.setClean()
        self._bench.message.emit(f"Saved to {path.name}.")
        self.changed.emit()
        return True

    def _remember(self, path: Path) -> None:
        self.path = path.resolve()
        others = [str(each) for each in self.recent() if each != self.path]
        QSettings().setValue("files/recent", [str(self.path), *others][:_MOST_RECENT])
        self.changed.emit()
