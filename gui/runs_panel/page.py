"""The page of runs: all of them in a table, found by words, and beside it what is known of the chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QSplitter, QStackedWidget

from engine.errors import EngineError, FileError
from engine.runs.filter import HELP, filtered
from engine.runs.library import Entry, Library
from engine.storage.document_file import load_document
from gui.broken_off import can_go_on, go_on
from gui.compare.sources import Side
from gui.panels.words import plural
from gui.runs_panel.reader import Reader
from gui.runs_panel.side import RunSide
from gui.runs_panel.table import RunsTable
from gui.views.parts import Note
from gui.widgets.basic import IconButton, Panel, button, column, label, row

if TYPE_CHECKING:
    from gui.main_window import MainWindow

EMPTY = "Runs appear here: press Run on a network, or train one with netwright train."
NOTHING = "No run is like that."


class RunsPage(Panel):
    """``closed`` says that one is done. It follows the folders of the runs as long as it is shown."""

    closed = Signal()

    def __init__(self, window: MainWindow):
        super().__init__("window")
        self._window = window
        self.library = Library()
        self.reader = Reader(self.library, self)
        self._entries: list[Entry] = []
        self._deleted: list[list[Path]] = []
        """Where deleted runs lie, one list for each deletion: the last is brought back first."""
        self._make()
        self._lay_out()
        self.reader.listed.connect(self._take)
        self.reader.looked.connect(self.side.take)
        self._enable()

    def _make(self) -> None:
        bench = self._window.bench
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: words, #tag, state:done, val_accuracy>0.9")
        self.filter.setAccessibleName("Filter the runs")
        self.filter.setToolTip(HELP)
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(420)
        self.filter.textChanged.connect(lambda _: self._show())
        self.here = button("This network", "chip", "Only runs of the network in front")
        self.here.setCheckable(True)
        self.here.toggled.connect(lambda _: self._show())
        self.count = label("", "muted", 12)
        self.close_button = IconButton(bench, "close", tip="Back to the canvas (Esc)")
        self.close_button.clicked.connect(self.closed)
        self.table = RunsTable()
        self.table.chosen.connect(self._choose)
        self.table.opened.connect(self.open)
        self.table.deleted.connect(self.delete)
        self.note = Note(bench, EMPTY)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.note)
        self.side = RunSide(bench)
        self.side.renamed.connect(lambda run, name: self._say(self.library.rename, run, name))
        self.side.tagged.connect(lambda run, tags: self._say(self.library.tag, run, tags))
        self.side.noted.connect(lambda run, notes: self._say(self.library.note, run, notes))
        self.side.compared.connect(self.compare)
        self.buttons = {
            "open": button("Open the network", "small", "Open what was trained as a new network (Enter)"),
            "resume": button("Continue", "small", "Go on where the run broke off"),
            "report": button("Report …", "small", "Write a page about the run"),
            "folder": button("Show the folder", "small", "Show the files of the run"),
            "delete": button("Delete", "small", "Move the chosen runs into the bin (Del)"),
        }
        for name, each in self.buttons.items():
            each.clicked.connect(getattr(self, name))
        self.said = label("", "muted", 12)
        self.undo_button = button("Bring back", "flat", "Undo the deletion (Ctrl+Z)")
        self.undo_button.clicked.connect(self.undo)

    def _lay_out(self) -> None:
        head = Panel("top")
        head.setFixedHeight(48)
        bar = row(head, 12)
        bar.setContentsMargins(14, 0, 14, 0)
        bar.addWidget(label("Runs", px=14, weight=600))
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.here)
        bar.addWidget(self.count)
        bar.addStretch(1)
        bar.addWidget(self.close_button)
        foot = Panel("foot")
        foot.setFixedHeight(44)
        low = row(foot, 8)
        low.setContentsMargins(14, 0, 14, 0)
        for each in self.buttons.values():
            low.addWidget(each)
        low.addStretch(1)
        low.addWidget(self.said)
        low.addWidget(self.undo_button)
        across = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
        for stretch, part in ((1, self.pages), (0, self.side)):
            across.addWidget(part)
            across.setStretchFactor(across.count() - 1, stretch)
        whole = column(self, 0)
        whole.addWidget(head)
        whole.addWidget(across, 1)
        whole.addWidget(foot)

    # -- what is shown -----------------------------------------------------------------------------------

    @property
    def selected(self) -> list[Entry]:
        """The runs that are chosen."""
        return self.table.selected

    def show_document(self) -> None:
        """Show the runs of the network in front alone."""
        self.here.setChecked(True)

    def _take(self, entries: list[Entry]) -> None:
        first = not self._entries
        self._entries = entries
        self._show()
        if first and self.table.runs.entries and not self.selected:
            self.table.choose({self.table.runs.entries[0].path})

    def _show(self) -> None:
        found = filtered(self._entries, self.filter.text())
        if self.here.isChecked():
            found = [entry for entry in found if self._is_here(entry)]
        self.table.show_entries(found)
        self.note.text = NOTHING if self._entries else EMPTY
        self.pages.setCurrentWidget(self.table if found else self.note)
        whole = plural(len(self._entries), "run")
        self.count.setVisible(bool(self._entries))
        for part in (self.side, self.here, self.filter):
            part.setVisible(bool(self._entries))
        self.count.setText(whole if len(found) == len(self._entries) else f"{len(found)} of {whole}")
        self.side.show_entries(self.selected)
        self._enable()

    def _is_here(self, entry: Entry) -> bool:
        session = self._window.bench.store.session
        return entry.network == session.name or bool(session.path and entry.file == str(session.path))

    def _choose(self) -> None:
        chosen = self.selected
        self.side.show_entries(chosen)
        self.reader.look([entry.path for entry in chosen])
        self._enable()

    def _enable(self) -> None:
        chosen = self.selected
        one = len(chosen) == 1
        for name in ("open", "report", "folder"):
            self.buttons[name].setEnabled(one)
        self.buttons["resume"].setVisible(one and can_go_on(chosen[0]))
        self.buttons["delete"].setEnabled(bool(chosen) and not any(entry.going for entry in chosen))
        self.undo_button.setVisible(bool(self._deleted))

    # -- what can be done --------------------------------------------------------------------------------

    def open(self) -> None:
        """Open what the chosen run trained as a network that no file holds yet."""
        if len(chosen := self.selected) == 1:
            document = self._document(chosen[0])
            if document is not None:
                self._window.files.open_copy(document)

    def resume(self) -> None:
        """Go on with the chosen run, with its network in front."""
        if len(chosen := self.selected) == 1:
            go_on(self._window, chosen[0].path)

    def report(self) -> None:
        """Ask for a file and write a page about the chosen run."""
        if len(chosen := self.selected) != 1:
            return
        entry = chosen[0]
        to, _ = QFileDialog.getSaveFileName(self, "Write a report", f"{entry.id}.html", "Web pages (*.html)")
        if to:
            path = Path(to) if Path(to).suffix else Path(to).with_suffix(".html")
            self.write_report(entry, path)

    def write_report(self, entry: Entry, to: Path) -> None:
        """Write a page about a run, with the drawing of its network."""
        from engine.compiler.analyze import analyze
        from engine.runs.report import write_report
        from gui.canvas.picture import PAPER, svg

        network = ""
        try:
            document = load_document(entry.document)
            network = svg(document, analyze(document), PAPER)
        except EngineError:
            pass  # a page without the drawing is better than none
        try:
            write_report(entry.path, to, network)
        except EngineError as error:
            self._window.files.show_error("The report was not written", error)
            return
        self._tell(f"{to.name} is written.")

    def folder(self) -> None:
        """Show the files of the chosen run."""
        if len(chosen := self.selected) == 1:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(chosen[0].path)))

    def compare(self) -> None:
        """Show the networks of two chosen runs side by side."""
        chosen = self.selected
        documents = [self._document(entry) for entry in chosen]
        if len(chosen) == 2 and all(documents):
            sides = [Side(entry.name, document) for entry, document in zip(chosen, documents, strict=True)]
            self._window.compare.show_sides(*sides)

    def delete(self) -> None:
        """Move the chosen runs into the bin."""
        chosen = self.selected
        try:
            lying = self.library.delete([entry.path for entry in chosen])
        except FileError as error:
            self._tell(error.message)
            return
        if lying:
            self._deleted.append(lying)
            gone = {entry.path for entry in chosen}
            self._take([entry for entry in self._entries if entry.path not in gone])
            self._tell(f"{plural(len(lying), 'run')} in the bin")
            self.reader.poke()

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if not self._deleted:
            return
        try:
            back = self.library.restore(self._deleted.pop())
        except FileError as error:
            self._tell(error.message)
            return
        self._take(self.library.entries())
        self.table.choose(set(back))
        self._tell(f"{plural(len(back), 'run')} brought back")

    def _document(self, entry: Entry):
        try:
            return load_document(entry.document)
        except FileError as error:
            self._window.files.show_error("The network of this run cannot be read", error)
            return None

    def _say(self, change: object, run: Path, what: str | Sequence[str]) -> None:
        """Write down what people say about a run."""
        try:
            change(run, what)
        except FileError as error:
            self._tell(error.message)
        self.reader.poke()

    def _tell(self, text: str) -> None:
        self.said.setText(text)
        self._enable()

    # -- coming and going --------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reader.start()
        self.table.setFocus()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.side.commit()
        self.reader.stop()

    def close(self) -> bool:
        """Keep what was typed and look no more."""
        self.side.commit()
        self.reader.stop()
        return super().close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.filter.hasFocus() and self.filter.text():
                self.filter.clear()
            else:
                self.closed.emit()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Find):
            self.filter.setFocus()
        elif event.key() == Qt.Key.Key_F2:
            self.side.edit_name()
        else:
            super().keyPressEvent(event)
