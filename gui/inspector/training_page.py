"""The page when nothing is selected: the document and how it is trained."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.compiler.analysis import Analysis
from engine.graph.document import Document, Objective
from engine.graph.settings import SETTINGS, set_optimizer, set_training
from engine.layers.params import Choice, Param, Text, Value
from engine.optimizers import OPTIMIZERS
from gui.bench import Bench
from gui.fonts import ui_font
from gui.inspector.form import Form
from gui.inspector.sections import CostSection, FootprintSection
from gui.theme import TITLE_PX
from gui.widgets.basic import column, label, section

_NAME = Text(name="name", default="Untitled", label="Name", doc="What the network is called.")
_OPTIMIZER = Choice(
    name="optimizer", default="Adam", choices=tuple(OPTIMIZERS), doc="How gradients become steps."
)


class TrainingPage(QWidget):
    """Name and notes of the document, its training settings, and the optimizer of every objective.

    ``tell`` hears of an option of an optimizer that was changed: its name and value.
    """

    def __init__(self, bench: Bench, tell: Callable[[str, Value], None]):
        super().__init__()
        self._bench, self._tell = bench, tell
        document = bench.store.document
        self._losses = _losses(document)
        self._word = 0
        self.document_form = Form([_NAME], self._set_name)
        self.notes = QPlainTextEdit(document.notes)
        self.notes.setProperty("kind", "field")
        self.notes.setFont(ui_font())
        self.notes.setPlaceholderText("Notes: what it is for, what to watch")
        self.notes.setAccessibleName("Notes")
        self.notes.setTabChangesFocus(True)
        self.notes.setUndoRedoEnabled(False)
        self.notes.setFixedHeight(92)
        self.training_form = Form(SETTINGS, self._set_training)
        self.training_form.fields["weights"].line.setPlaceholderText("fresh weights")
        self.optimizers = [
            _OptimizerForms(
                self, place, "Optimizer" if len(self._losses) == 1 else f"Minimize {loss or 'every loss'}"
            )
            for place, loss in enumerate(self._losses)
        ]

        layout = column(self, 8)
        layout.setContentsMargins(14, 12, 14, 18)
        layout.addWidget(label("Network", px=TITLE_PX, weight=600))
        layout.addWidget(self.document_form)
        layout.addWidget(self.notes)
        layout.addSpacing(6)
        layout.addWidget(section("Training"))
        layout.addWidget(self.training_form)
        for each in self.optimizers:
            layout.addSpacing(6)
            layout.addWidget(each)
        self.cost, self.memory = CostSection(), FootprintSection()
        layout.addWidget(self.cost)
        layout.addWidget(self.memory)
        layout.addStretch(1)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.notes.textChanged.connect(self._set_notes)
        self.refresh()
        self.show_analysis(bench.analysis)

    def refresh(self) -> None:
        """Show the settings as the document holds them now."""
        document = self._bench.store.document
        self.document_form.show_values({"name": document.name})
        self.training_form.show_values(
            {param.name: getattr(document.training, param.name) for param in SETTINGS}
        )
        for form, objective in zip(self.optimizers, document.training.objectives, strict=False):
            form.show_objective(objective)
        if self.notes.toPlainText() != document.notes:
            self.notes.blockSignals(True)
            self.notes.setPlainText(document.notes)
            self.notes.blockSignals(False)
            self._word += 1

    def fits(self, document: Document) -> bool:
        """Return whether the page still has the right forms: one optimizer for each objective."""
        return self._losses == _losses(document)

    def show_analysis(self, analysis: Analysis) -> None:
        """Show what the whole network costs."""
        self.cost.show_total(self._bench)
        self.memory.show_footprint(analysis)

    def show_snapshot(self) -> None:
        """Nothing here comes from the run."""

    def apply(self, text: str, edit: Callable[[Document], Document], word: str) -> None:
        """Make an edit of the settings."""
        self._bench.store.apply(text, edit, merge=f"training.{word}")

    def set_option(self, place: int, param: Param, value: Value, word: str) -> None:
        """Change an option of an optimizer, in the document and in the run if one is going."""
        self.apply(
            f"Set {param.title.lower()}",
            lambda document: set_optimizer(document, place=place, **{param.name: value}),
            f"{place}.{word}",
        )
        self._tell(param.name, value)

    def _set_name(self, param: Param, value: Value, word: str) -> None:
        self.apply("Rename the network", lambda document: document.with_(name=value), word)

    def _set_training(self, param: Param, value: Value, word: str) -> None:
        edit = f"Set {param.title.lower()}"
        self.apply(edit, lambda document: set_training(document, **{param.name: value}), word)

    def _set_notes(self) -> None:
        text = self.notes.toPlainText()
        word = f"notes.{id(self)}.{self._word}"
        self.apply("Write notes", lambda document: document.with_(notes=text), word)


def _losses(document: Document) -> tuple[str, ...]:
    return tuple(objective.loss for objective in document.training.objectives)


class _OptimizerForms(QWidget):
    """The choice of an optimizer, and the options of the one that is chosen."""

    def __init__(self, page: TrainingPage, place: int, title: str):
        super().__init__()
        self._page, self._place, self._type = page, place, ""
        self.choice = Form([_OPTIMIZER], self._choose)
        self.options = Form((), self._set)
        self._doc = label("", "muted", 12, wrap=True)
        self._layout = column(self, 5)
        self._layout.addWidget(section(title))
        self._layout.addWidget(self.choice)
        self._layout.addWidget(self.options)
        self._layout.addWidget(self._doc)

    def show_objective(self, objective: Objective) -> None:
        """Show an objective's settings."""
        optimizer = OPTIMIZERS[objective.optimizer]
        if optimizer.type != self._type:
            self._type = optimizer.type
            fresh = Form(optimizer.params, self._set)
            self._layout.replaceWidget(self.options, fresh)
            self.options.deleteLater()
            self.options = fresh
            self._doc.setText(optimizer.doc)
        self.choice.show_values({"optimizer": optimizer.type})
        self.options.show_values(optimizer.values(objective.options))

    def _choose(self, param: Param, value: Value, word: str) -> None:
        place = self._place
        self._page.apply(f"Train with {value}", lambda document: set_optimizer(document, value, place), word)

    def _set(self, param: Param, value: Value, word: str) -> None:
        self._page.set_option(self._place, param, value, word)
