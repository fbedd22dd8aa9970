"""The page when nothing is selected: the document and how it is trained."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.compiler.analysis import Analysis
from engine.graph.document import Document
from engine.graph.objectives import add_objective, remove_objective
from engine.graph.settings import SETTINGS, set_init, set_training
from engine.inits import INITS
from engine.layers.params import Param, Text, Value
from gui.bench import Bench
from gui.fonts import ui_font
from gui.inspector.form import Form
from gui.inspector.groups import TRAINING, Groups
from gui.inspector.init_part import InitPart
from gui.inspector.objective_card import ObjectiveCard
from gui.inspector.sections import CostSection, FootprintSection
from gui.theme import TITLE_PX
from gui.widgets.basic import IconButton, button, column, label, row, section

_NAME = Text(name="name", default="Untitled", label="Name", doc="What the network is called.")
_BEGIN = "Initialization"


class TrainingPage(QWidget):
    """Name and notes of the document, its objectives, and the other settings of its training."""

    def __init__(self, bench: Bench):
        super().__init__()
        self._bench = bench
        self._word = 0
        self.picking = False
        """Whether nodes are chosen on the canvas for an objective: the selection leaves the page as it is."""
        self.document_form = Form([_NAME], self._set_name)
        self._make_notes()
        self.training = Groups(SETTINGS, TRAINING, self._set_training, "training.")
        self.training.fields["weights"].line.setPlaceholderText("fresh weights")
        self.init = InitPart(self._set_init)
        self.training.folds[_BEGIN].inner.insertWidget(0, self.init)
        self.training.more[_BEGIN] = lambda: self.init.told
        count = len(bench.store.document.training.objectives)
        self.objectives = [ObjectiveCard(bench, place, self._choose) for place in range(count)]
        self.add = IconButton(bench, "plus", "Add an objective", "flat")
        self.add.setToolTip("Another loss, or other nodes, with an optimizer of its own")
        self.shown = button("Show on canvas", "chip", "Color every node by the objective that moves it")
        self.shown.setCheckable(True)
        self.shown.setChecked(bench.objectives_shown)
        self._lay_out()
        self.notes.textChanged.connect(self._set_notes)
        self.add.clicked.connect(self._add)
        self.shown.clicked.connect(bench.show_objectives)
        bench.objectives_changed.connect(self._show_shown)
        bench.steerable_changed.connect(self.show_live)
        for place, each in enumerate(self.objectives):
            each.remove.clicked.connect(lambda _=False, place=place: self._remove(place))
        self.refresh()
        self.show_analysis(bench.analysis)

    def _make_notes(self) -> None:
        self.notes = QPlainTextEdit(self._bench.store.document.notes)
        self.notes.setProperty("kind", "field")
        self.notes.setProperty("lines", "3")
        self.notes.setFont(ui_font())
        self.notes.setPlaceholderText("Notes: what it is for, what to watch")
        self.notes.setAccessibleName("Notes")
        self.notes.setTabChangesFocus(True)
        self.notes.setUndoRedoEnabled(False)
        self.notes.setMaximumHeight(66)

    def _lay_out(self) -> None:
        layout = column(self, 8)
        layout.setContentsMargins(14, 12, 14, 18)
        layout.addWidget(label("Network", px=TITLE_PX, weight=600))
        layout.addWidget(self.document_form)
        layout.addWidget(self.notes)
        layout.addSpacing(6)
        layout.addWidget(section("Training"))
        layout.addWidget(self.training.top)
        several = len(self.objectives) > 1
        if several:
            head = row(spacing=6)
            head.addWidget(section("Objectives"), 1)
            head.addWidget(self.shown)
            layout.addSpacing(6)
            layout.addLayout(head)
        else:
            self.shown.setParent(self)
            self.shown.hide()
            layout.setSpacing(5)
        for each in self.objectives:
            layout.addWidget(each)
        if several:
            layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
            layout.addSpacing(2)
            layout.addWidget(section("Whole run"))
        layout.addWidget(self.training)
        if not several:
            layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self.cost, self.memory = CostSection(), FootprintSection()
        layout.addWidget(self.cost)
        layout.addWidget(self.memory)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)

    def refresh(self) -> None:
        """Show the settings as the document holds them now."""
        document = self._bench.store.document
        training = document.training
        self.document_form.show_values({"name": document.name})
        self.init.show_init(training.init, training.init_options)
        self.training.show_values({param.name: getattr(training, param.name) for param in SETTINGS})
        for each in self.objectives:
            each.show_document()
        if self.notes.toPlainText() != document.notes:
            self.notes.blockSignals(True)
            self.notes.setPlainText(document.notes)
            self.notes.blockSignals(False)
            self._word += 1
        self.show_live()

    def fits(self, document: Document) -> bool:
        """Return whether the page still has the right cards: one for each objective."""
        return len(self.objectives) == len(document.training.objectives)

    def show_analysis(self, analysis: Analysis) -> None:
        """Show what the whole network costs."""
        self.cost.show_total(self._bench)
        self.memory.show_footprint(analysis)

    def show_snapshot(self) -> None:
        """Nothing here comes from the run."""

    def show_picked(self) -> None:
        """Show how many nodes are chosen for the objective that asks."""
        for each in self.objectives:
            each.show_moved()

    def show_live(self) -> None:
        """Mark what a run takes at once."""
        self.training.show_live(self._bench.steerable)

    def apply(self, text: str, edit: Callable[[Document], Document], word: str = "") -> None:
        """Make an edit of the settings."""
        self._bench.store.apply(text, edit, merge=f"training.{word}" if word else "")

    def _show_shown(self) -> None:
        self.shown.setChecked(self._bench.objectives_shown)

    def _choose(self, on: bool) -> None:
        """Begin or end a choice of nodes on the canvas; one at a time."""
        for each in self.objectives if on else ():
            if each.moved.picking and self.picking:
                each.moved.end()
        self.picking = on
        if not on:
            self._bench.store.select(())

    def _add(self) -> None:
        self.apply("Add an objective", add_objective)

    def _remove(self, place: int) -> None:
        self.apply("Remove an objective", lambda document: remove_objective(document, place))

    def _set_name(self, param: Param, value: Value, word: str) -> None:
        self.apply("Rename the network", lambda document: document.with_(name=value), word)

    def _set_training(self, param: Param, value: Value, word: str) -> None:
        edit = f"Set {param.title.lower()}"
        self.apply(edit, lambda document: set_training(document, **{param.name: value}), word)

    def _set_init(self, type_: str, options: dict[str, Value], word: str) -> None:
        text = f"Begin with {INITS[type_].title}" if type_ else "Begin as usual"
        self.apply(text, lambda document: set_init(document, None, type_, **options), word)

    def _set_notes(self) -> None:
        text = self.notes.toPlainText()
        word = f"notes.{id(self)}.{self._word}"
        self.apply("Write notes", lambda document: document.with_(notes=text), word)
