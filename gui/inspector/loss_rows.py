"""Which losses an objective minimizes, each with its weight in the sum."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Container, Mapping

from PySide6.QtWidgets import QWidget

from engine.errors import EngineError
from engine.graph.document import Document, Objective
from engine.graph.objectives import loss_nodes
from engine.layers.params import Float
from gui.inspector.fields import NumericField
from gui.inspector.form import LATER, LIVE, LiveDot
from gui.widgets.basic import Elided, column, label, row, set_role
from gui.widgets.switch import Switch

HELP = "Switched off it is not minimized here."
_WEIGHT = "Its weight in the sum that is minimized."
_LAST = "An objective minimizes something: switch another loss on first, or remove the objective."

Change = Callable[[Mapping[str, float], str], None]
"""Takes the losses with their weights; edits with the same text belong to one undo step."""


class LossRows(QWidget):
    """A switch and a weight for every loss of the document."""

    def __init__(self, change: Change):
        super().__init__()
        self._change = change
        self.rows: dict[str, LossRow] = {}
        self._weights: dict[str, float] = {}
        self._rows = column(self, 4)
        self.note = label("", "muted", 12, wrap=True)
        self.note.hide()
        self._rows.addWidget(self.note)
        self._live: Container[str] | None = None

    def show_losses(self, document: Document, objective: Objective) -> None:
        """Show which losses an objective minimizes."""
        there = loss_nodes(document)
        self._weights = weights_of(document, objective)
        if tuple(self.rows) != there:
            for each in self.rows.values():
                each.hide()
                each.deleteLater()
            self.rows = {id: LossRow(self, id, document.nodes[id].title) for id in there}
            for place, each in enumerate(self.rows.values()):
                self._rows.insertWidget(place, each)
        for id, each in self.rows.items():
            each.show_weight(document.nodes[id].title, self._weights.get(id))
        self.show_live(self._live)

    def show_live(self, live: Container[str] | None) -> None:
        """Mark the losses whose weight a run takes at once."""
        self._live = live
        for id, each in self.rows.items():
            each.live.setVisible(live is not None and id in live)
            each.weight.line.setToolTip(f"{_WEIGHT} {LIVE}" if live is not None and id in live else _WEIGHT)
        if live is None:
            self.say("")

    def switch(self, id: str, on: bool) -> None:
        """Minimize a loss too, or no longer."""
        weights = {**self._weights, id: 1.0}
        if not on:
            del weights[id]
        if not weights:
            self.rows[id].switch.setChecked(True)
            self.say(_LAST, "error")
            return
        # Every loss once is what an objective minimizes that names none: a loss that is drawn later joins.
        every = weights.keys() == self.rows.keys() and set(weights.values()) == {1.0}
        chosen = {} if every else {each: weights[each] for each in self.rows if each in weights}
        self._take(chosen, "", id)

    def weigh(self, id: str, weight: float, word: str) -> None:
        """Give a loss another weight."""
        self._take({**self._weights, id: weight}, f"{id}.{word}", id)

    def _take(self, weights: Mapping[str, float], word: str, id: str) -> None:
        try:
            self._change(weights, word)
        except EngineError as error:
            self.say(error.message, "error")
        else:
            self.say("" if self._live is None or id in self._live else LATER)

    def say(self, text: str, role: str = "muted") -> None:
        """Say something below the losses."""
        set_role(self.note, role)
        self.note.setText(text)
        self.note.setVisible(bool(text))


class LossRow(QWidget):
    """One loss: whether it is minimized, what it is called, and its weight."""

    def __init__(self, rows: LossRows, id: str, title: str):
        super().__init__()
        self._word = 0
        self._key = f"{builtins.id(self)}"
        self.switch = Switch()
        self.title = Elided(title, "muted")
        self.live = LiveDot()
        self.live.hide()
        self.weight = NumericField(
            Float(name=id, default=1.0, min=0, max=1e9, label=f"Weight of {title}", doc=_WEIGHT)
        )
        self.weight.setFixedWidth(72)
        layout = row(self, 8)
        layout.addWidget(self.switch)
        layout.addWidget(self.title, 1)
        layout.addWidget(self.live)
        layout.addWidget(self.weight)
        self.switch.clicked.connect(lambda on: rows.switch(id, on))
        self.weight.edited.connect(lambda value: rows.weigh(id, value, f"{self._key}.{self._word}"))
        self.weight.refused.connect(lambda message: rows.say(message, "error"))
        self.weight.done.connect(self._end_word)

    def show_weight(self, title: str, weight: float | None) -> None:
        """Show the weight of a loss, or that it is not minimized."""
        self.title.set_text(title)
        self.switch.setAccessibleName(f"Minimize {title}")
        self.switch.setToolTip(f"Minimize {title}. {HELP}")
        self.switch.setChecked(weight is not None)
        self.weight.setEnabled(weight is not None)
        self.weight.show_value(1.0 if weight is None else weight)

    def _end_word(self) -> None:
        self._word += 1


def weights_of(document: Document, objective: Objective) -> dict[str, float]:
    """Return the losses that an objective minimizes, with their weights."""
    there = loss_nodes(document)
    if not objective.losses:
        return dict.fromkeys(there, 1.0)
    return {id: objective.losses[id] for id in there if id in objective.losses}


def told_losses(document: Document, objective: Objective) -> tuple[str, bool]:
    """Return in a few words what an objective minimizes, and whether it is not just everything."""
    if not objective.losses:
        return "every loss", False
    weights = weights_of(document, objective)
    words = [
        document.nodes[id].title if weight == 1 else f"{weight:g} × {document.nodes[id].title}"
        for id, weight in weights.items()
    ]
    return " + ".join(words), True
