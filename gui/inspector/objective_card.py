"""One objective: what it minimizes, which nodes it moves, with which optimizer and how fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from engine.graph import objectives
from engine.graph.document import Document, Objective
from engine.graph.settings import OBJECTIVE, set_optimizer, set_rule, set_schedule
from engine.layers.params import Param, Value
from engine.optimizers import OPTIMIZERS
from gui.bench import Bench
from gui.fonts import ui_font
from gui.inspector.groups import RULES, Groups
from gui.inspector.kinds import KindChoice, KindOptions, told
from gui.inspector.loss_rows import LossRows, told_losses
from gui.inspector.moved_nodes import MovedNodes, told_nodes
from gui.inspector.schedule_part import SchedulePart, told_schedule
from gui.objective_colors import color_of
from gui.widgets.basic import Dot, IconButton, button, column, row, set_role
from gui.widgets.fields import LineField
from gui.widgets.fold import Fold

RATE = "lr"
"""The option of every optimizer that stands on top."""
_PACE, _OPTIONS = "Schedule", "Options"


class ObjectiveCard(QFrame):
    """Everything about one objective; a frame with its name and color stands around it where it is not alone.

    ``remove`` is asked for where it is to go. The canvas lights its nodes while the pointer or the keyboard
    is in it.
    """

    def __init__(self, bench: Bench, place: int, choosing: Callable[[bool], None]):
        super().__init__()
        self._bench, self._place, self._word = bench, place, 0
        self._prefix = f"objective{place + 1}." if place else ""
        self._alone: bool | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._make(bench, place, choosing)
        self._lay_out()
        self.name.textEdited.connect(self._rename)
        self.name.editingFinished.connect(self._end_word)
        QApplication.instance().focusChanged.connect(self._follow_focus)
        bench.steerable_changed.connect(self.show_live)

    def _make(self, bench: Bench, place: int, choosing: Callable[[bool], None]) -> None:
        self.name = LineField()
        self.name.setProperty("plain", True)
        self.name.setFont(ui_font(13, 600))
        self.name.setMaxLength(200)
        self.name.setToolTip("Rename the objective")
        self.remove = IconButton(bench, "close", kind="flat", tip="Remove this objective")
        self.remove.setFixedWidth(24)
        self.choice = KindChoice(
            "optimizer", OPTIMIZERS, self._choose_optimizer, doc="How gradients become steps."
        )
        self.rate = KindOptions(self._set_option, lambda name: name == RATE, doc=False)
        self.options = KindOptions(self._set_option, lambda name: name != RATE)
        self.losses = LossRows(self._set_losses)
        self.moved = MovedNodes(
            bench, place, self._set_moved, lambda: choosing(True), lambda: choosing(False)
        )
        self.schedule = SchedulePart(bench, place, self._choose_schedule, self._set_schedule)
        self.find = button("Find a learning rate …", "small", "A short run with a rising rate proposes one")
        self.find.clicked.connect(self._find_rate)
        self.rules = Groups(OBJECTIVE, RULES, self._set_rule, f"objective{place}.")
        self.folds = {
            title: Fold(title, f"objective{place}.{title}") for title in (_OPTIONS, "Losses", "Nodes")
        }

    def _lay_out(self) -> None:
        self.head = QWidget()
        head = row(self.head, 5)
        head.addWidget(Dot(color_of(self._place)))
        head.addWidget(self.name, 1)
        head.addWidget(self.remove)
        for title, part in zip(self.folds, (self.options, self.losses, self.moved), strict=True):
            self.folds[title].add(part)
        self.rules.folds[_PACE].inner.insertWidget(0, self.schedule)
        self.rules.folds[_PACE].add(self.find)
        self.rules.more[_PACE] = lambda: told_schedule(self._objective)
        self._layout = column(self, 0)
        for part in (self.head, self.choice, self.rate):
            self._layout.addWidget(part)
            self._layout.addSpacing(5)
        pace, *rules = self.rules.folds.values()
        for part in (pace, *self.folds.values(), *rules):
            self._layout.addWidget(part)
        self.rules.setParent(self)
        self.rules.hide()  # its folds stand between those of the card

    def _find_rate(self) -> None:
        from gui.views.finder import FinderDialog  # it needs torch, which loads beside the window

        if self._bench.active is not None:
            self._bench.message.emit("Stop the run first: a search for a learning rate trains too.")
            return
        FinderDialog(self._bench, self._place, self.window()).open()

    @property
    def _objective(self) -> Objective:
        return self._bench.store.document.training.objectives[self._place]

    def show_document(self) -> None:
        """Show the objective as the document holds it now; nothing where it has just been removed."""
        if self._place >= len(self._bench.store.document.training.objectives):
            return
        document, objective = self._bench.store.document, self._objective
        self._surround(alone=len(document.training.objectives) == 1)
        title = objectives.title_of(document, self._place)
        if not self.name.hasFocus():
            self.name.setText(objective.name or title)
            self.name.setCursorPosition(0)
        self.name.setAccessibleName(f"Name of the objective {title}")
        self.remove.setAccessibleName(f"Remove the objective {title}")
        self.setAccessibleName(title)
        optimizer = OPTIMIZERS[objective.optimizer]
        self.choice.show_kind(objective.optimizer)
        self.rate.show_kind(optimizer, objective.options)
        self.options.show_kind(optimizer, objective.options)
        said = told(self.options.params, objective.options)
        self.folds[_OPTIONS].say(said, bool(said))
        losses = objectives.loss_nodes(document)
        self.folds["Losses"].setVisible(len(losses) > 1 or bool(objective.losses))
        self.losses.show_losses(document, objective)
        self.folds["Losses"].say(*told_losses(document, objective))
        self.show_moved()
        self.schedule.show_objective(objective)
        self.rules.show_values({param.name: getattr(objective, param.name) for param in OBJECTIVE})
        self.show_live()

    def show_moved(self) -> None:
        """Show which nodes it moves, or which would be taken."""
        self.moved.show_nodes()
        self.folds["Nodes"].say(*told_nodes(self._bench.store.document, self._objective.nodes))

    def show_live(self) -> None:
        """Mark what a run takes at once."""
        names = self._bench.steerable

        def under(prefix: str) -> frozenset[str] | None:
            if names is None:
                return None
            return frozenset(each[len(prefix) :] for each in names if each.startswith(prefix))

        options = under(f"{self._prefix}optimizer.")
        for part in (self.rate, self.options):
            part.show_live(options)
        self.losses.show_live(under(f"{self._prefix}loss."))
        self.rules.show_live(under(self._prefix))
        self.choice.show_live(under(self._prefix))
        self.schedule.show_live(under(f"{self._prefix}schedule."))

    def _surround(self, alone: bool) -> None:
        """Frame it where there are others."""
        if alone != self._alone:
            self._alone = alone
            self.head.setVisible(not alone)
            set_role(self, "" if alone else "objective", "widget")
            edge = 0 if alone else 9
            self._layout.setContentsMargins(edge, edge and 5, edge, edge and 5)

    # -- edits -------------------------------------------------------------------------------------------

    def _apply(self, text: str, edit: Callable[[Document], Document], word: str = "") -> None:
        merge = f"training.{self._place}.{word}" if word else ""
        self._bench.store.apply(text, edit, merge=merge)

    def _choose_optimizer(self, type_: str) -> None:
        place = self._place
        self._apply(f"Train with {type_}", lambda document: set_optimizer(document, type_, place))

    def _set_option(self, param: Param, value: Value, word: str) -> None:
        place = self._place
        self._apply(
            f"Set {param.title.lower()}",
            lambda document: set_optimizer(document, place=place, **{param.name: value}),
            word,
        )

    def _choose_schedule(self, type_: str) -> None:
        place = self._place
        self._apply("Choose the schedule", lambda document: set_schedule(document, type_, place))

    def _set_schedule(self, param: Param, value: Value, word: str) -> None:
        place = self._place
        self._apply(
            f"Set {param.title.lower()} of the schedule",
            lambda document: set_schedule(document, None, place, **{param.name: value}),
            word,
        )

    def _set_rule(self, param: Param, value: Value, word: str) -> None:
        place = self._place
        self._apply(
            f"Set {param.title.lower()}",
            lambda document: set_rule(document, place, **{param.name: value}),
            word,
        )

    def _set_losses(self, weights: Mapping[str, float], word: str) -> None:
        place = self._place
        text = "Set the weight of a loss" if word else "Choose the losses"
        self._apply(text, lambda document: objectives.set_losses(document, place, weights), word)

    def _set_moved(self, nodes: Iterable[str]) -> None:
        place, chosen = self._place, tuple(nodes)
        self._apply("Choose the nodes", lambda document: objectives.set_moved(document, place, chosen))

    def _rename(self, text: str) -> None:
        place = self._place
        self._apply(
            "Rename the objective",
            lambda document: objectives.name_objective(document, place, text),
            f"name.{id(self)}.{self._word}",
        )

    def _end_word(self) -> None:
        self._word += 1
        self.show_document()

    # -- lighting its nodes ------------------------------------------------------------------------------

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._light(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._light(self.isAncestorOf(QApplication.focusWidget()) if QApplication.focusWidget() else False)

    def hideEvent(self, event: QEvent) -> None:
        super().hideEvent(event)
        self._light(False)

    def _follow_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        within = new is not None and self.isAncestorOf(new)
        if within or (old is not None and self.isAncestorOf(old)):
            self._light(within or self.underMouse())

    def _light(self, on: bool) -> None:
        if self._alone:
            return
        if on:
            self._bench.light_objective(self._place)
        elif self._bench.objective_lit == self._place:
            self._bench.light_objective(None)
