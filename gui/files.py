"""Opening, saving and closing documents: which file each is, and what to ask before its changes are lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from engine.errors import EngineError, FileError
from engine.graph.document import Document
from engine.storage.document_file import SUFFIX, read_document, save_document
from engine.storage.earlier import readable
from gui import earlier
from gui.bench import Bench
from gui.safety import Safety, versions_folder
from gui.session import Session
from presets import preset

FILTER = f"Netwright documents (*{SUFFIX})"
_MOST_RECENT = 8
_NAMED = 8
"""Unsaved documents that are named in a question."""


class Files(QObject):
    """The files behind the open documents; ``changed`` says that a name or a state is another.

    What is opened stands behind what is open already, but for an empty document that nobody has touched.
    """

    changed = Signal()
    opened = Signal()
    emptied = Signal()
    """The last document was closed."""

    def __init__(self, bench: Bench, window: QWidget):
        super().__init__(window)
        self._bench = bench
        self._store = bench.store
        self._window = window
        self.closed: list[Path] = []
        """Files whose tabs were closed, the newest last."""
        self._store.undo_stack.cleanChanged.connect(self.changed)
        self._store.changed.connect(lambda change: self.changed.emit() if change.name else None)
        self._store.arrived.connect(self.changed)
        self.safety = Safety(bench, self, window)

    @property
    def path(self) -> Path | None:
        """The file of the document in front."""
        return self._store.session.path

    @property
    def preset(self) -> str:
        """The ready-made network that the document in front began as."""
        return self._store.session.preset

    @property
    def dirty(self) -> bool:
        """Whether there are changes in front that no file holds."""
        return self._store.session.dirty

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
        """Show an empty document."""
        self._store.show(next((each for each in self._store.sessions if each.untouched), self._store.session))
        return self._open(Document)

    def open_preset(self, name: str) -> bool:
        """Show a preset as a new document, or the one of it that is open and as it was."""
        for session in self._store.sessions:
            if session.preset == name and not (session.path or session.dirty):
                return self.show(session)
        if not self._open(lambda: preset(name).document()):
            return False
        self._store.session.preset = name
        self.changed.emit()
        return True

    def open(self, path: Path | None = None) -> bool:
        """Show the document in a file, asked for if there is none given; one that is open comes to front."""
        if path is None:
            folder = str(self.path.parent) if self.path else ""
            name, _ = QFileDialog.getOpenFileName(self._window, "Open a network", folder, FILTER)
            if not name:
                return False
            path = Path(name)
        if (session := self.session_of(path)) is not None:
            return self.show(session)
        held = self.safety.may_open(path)
        if held is None:
            return False
        try:
            loaded = read_document(path)
        except FileError as error:
            return self._open_last_good(path, error)
        self._open(lambda: loaded.document)
        self._remember(path, loaded.read_only or held)
        return True

    def open_behind(self, path: Path) -> bool:
        """Open a file in the last tab, without turning to it and without asking; False where that fails."""
        if self.session_of(path) is not None:
            return True
        if not self.safety.is_free(path):
            return False
        try:
            loaded = read_document(path)
        except FileError:
            return False
        session = self._store.put(loaded.document)
        session.path = path.resolve()
        self.safety.opened(session, loaded.read_only)
        self.changed.emit()
        return True

    def open_copy(self, document: Document) -> bool:
        """Show a document that no file holds."""
        self._open(lambda: document)
        self._store.undo_stack.resetClean()
        self.changed.emit()
        return True

    def _open_last_good(self, path: Path, error: FileError) -> bool:
        found = next(readable(path, versions_folder()), None)
        if found is None:
            self.show_error("This file cannot be opened", error)
            return False
        return earlier.wants(*found, error, self._window) and self.open_copy(found[1])

    def show_earlier(self) -> None:
        """List the earlier versions of the file and open the one that is chosen as a copy."""
        if self.path is not None:
            dialog = earlier.EarlierDialog(self.path, self._store.whole, versions_folder(), self._window)
            dialog.exec()
            if dialog.chosen is not None:
                self.open_copy(dialog.chosen)

    def restore(self, document: Document, file: str) -> bool:
        """Show a document that was never saved to its file; the file itself stays as it is."""
        if not self._open(lambda: document):
            return False
        self._store.session.path = Path(file) if file else None
        self.safety.opened(self._store.session)
        self._store.undo_stack.resetClean()
        self.changed.emit()
        return True

    def session_of(self, path: Path) -> Session | None:
        """Return the open document of a file, or None."""
        path = path.resolve()
        return next((each for each in self._store.sessions if each.path == path), None)

    def show(self, session: Session) -> bool:
        """Bring an open document to the front."""
        self._store.show(session)
        self.opened.emit()
        return True

    def close(self, session: Session | None = None) -> bool:
        """Close a document, the one in front if none is named; False if the user keeps it."""
        session = session or self._store.session
        if session.dirty:
            self._store.show(session)
            if not self.may_leave([session]):
                return False
        last = len(self._store.sessions) == 1
        if session.path is not None:
            self.closed.append(session.path)
        self._store.close(session)
        if last:
            self.emptied.emit()
        return True

    def save(self) -> bool:
        """Write the document to its file; False if it was not written."""
        if self.path and self._store.session.read_only:
            return self.save_copy()
        return self._write(self.path) if self.path else self.save_as()

    def save_copy(self) -> bool:
        """Tell why a document is read-only, and write it to another file."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"“{self._store.session.name}” is open to read only.")
        why = self._store.session.read_only
        box.setInformativeText(
            f"{why[:1].upper()}{why[1:]}\n\nA copy holds what you see here, and nothing else."
        )
        copy = box.addButton("Save a copy …", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(copy)
        box.exec()
        return box.clickedButton() is copy and self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the document to it."""
        name = self._store.whole.name or "Untitled"
        start = self.path or Path(f"{name}{SUFFIX}")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save the network", str(start), FILTER)
        if not chosen:
            return False
        path = Path(chosen)
        return self._write(path if path.suffix else path.with_suffix(SUFFIX))

    def may_leave(self, sessions: Sequence[Session] | None = None) -> bool:
        """Ask once about unsaved changes, of all documents if none are named; False to stay."""
        unsaved = [each for each in sessions or self._store.sessions if each.dirty]
        if not unsaved:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        if len(unsaved) == 1:
            box.setText(f"Save the changes to “{unsaved[0].name}”?")
            box.setInformativeText("They are lost otherwise.")
        else:
            box.setText(f"Save the changes to {len(unsaved)} networks?")
            names = [f"•  {each.name}" for each in unsaved[:_NAMED]]
            more = [f"and {len(unsaved) - _NAMED} more"] if len(unsaved) > _NAMED else []
            box.setInformativeText("\n".join([*names, *more, "", "They are lost otherwise."]))
        several = len(unsaved) > 1
        buttons = QMessageBox.StandardButton
        save = buttons.SaveAll if several else buttons.Save
        box.setStandardButtons(save | buttons.Discard | buttons.Cancel)
        if several:
            box.button(buttons.Discard).setText("Discard all")
        box.setDefaultButton(save)
        answer = box.exec()
        return answer == buttons.Discard or (answer == save and all(map(self._save_of, unsaved)))

    def _save_of(self, session: Session) -> bool:
        self._store.show(session)
        return self.save()

    def reopen(self) -> bool:
        """Open the file again that was closed last."""
        while self.closed:
            path = self.closed.pop()
            if path.is_file() and self.session_of(path) is None:
                return self.open(path)
        return False

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

    def _open(self, make: Callable[[], Document]) -> bool:
        """Show another document, in the place of one that nobody has touched."""
        try:
            document = make()
        except EngineError as error:
            self.show_error("This file cannot be opened", error)
            return False
        put = self._store.open if self._store.session.untouched else self._store.add
        put(document)
        self.changed.emit()
        self.opened.emit()
        return True

    def _write(self, path: Path) -> bool:
        session = self._store.session
        own = path.resolve() == session.path
        if own and session.read_only:
            self.show_error(
                "Take another name", FileError(f"{path.name} stays as it is: it is read-only here.")
            )
            return False
        if not (self.safety.may_save(session) if own else self.safety.may_replace(path, session)):
            return False
        self.safety.keep(path)
        try:
            save_document(session.whole, path)
        except EngineError as error:
            return self._wants_elsewhere(error) and self.save_as()
        self._remember(path)
        self._store.undo_stack.setClean()
        self._bench.message.emit(f"Saved to {path.name}.")
        self.safety.keep(path)
        self.changed.emit()
        return True

    def _wants_elsewhere(self, error: EngineError) -> bool:
        """Tell why a document was not saved; return whether it shall be saved elsewhere."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText("The network was not saved")
        box.setInformativeText(
            f"{error.message}\n\nNothing is lost: it is open here, and unsaved work is kept."
        )
        elsewhere = box.addButton("Save as …", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(elsewhere)
        box.exec()
        return box.clickedButton() is elsewhere

    def _remember(self, path: Path, read_only: str = "") -> None:
        path = self._store.session.path = path.resolve()
        others = [str(each) for each in self.recent() if each != path]
        QSettings().setValue("files/recent", [str(path), *others][:_MOST_RECENT])
        self.safety.opened(self._store.session, read_only)
        self.changed.emit()
