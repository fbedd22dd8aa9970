"""The learning-rate finder in the window: a short run with a rising rate, its curve, and a rate to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QComboBox, QDialog, QWidget

from engine.graph.objectives import title_of
from engine.graph.settings import set_optimizer
from engine.training.events import Event, Failed
from engine.training.finder import STEPS, Finder, Found, Tried
from gui.bench import Bench
from gui.fonts import ui_font
from gui.theme import TITLE_PX
from gui.views.finder_plot import FinderPlot, rate_text
from gui.widgets.basic import button, column, label, row, set_role

if TYPE_CHECKING:
    from engine.graph.document import Document

_PERIOD = 50
"""Milliseconds between two looks at what the finder has told."""

_PATIENCE = 0.2
"""Seconds that the window may stand still for the last step; a longer one is waited for with a word."""

_WORDS = (
    "A copy of the network takes {steps} steps, each with a higher learning rate, until the loss explodes. "
    "The document and its weights stay as they are."
)


class FinderDialog(QDialog):
    """Begins at once; ``rate`` is what the button would take. Closing it ends the finder.

    Modal, because torch's random numbers are the whole process's: nothing else may train meanwhile.
    """

    def __init__(self, bench: Bench, place: int = 0, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Find a learning rate")
        self.setModal(True)
        self._bench = bench
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._document: Document = bench.store.whole
        self._finder: Finder | None = None
        self._tried = 0
        self._closing: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_PERIOD)
        self._timer.timeout.connect(self._poll)
        whole = column(self, 10)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.addWidget(label("Find a learning rate", px=TITLE_PX, weight=600))
        whole.addWidget(label(_WORDS.format(steps=STEPS), "muted", wrap=True))
        self.objective = QComboBox()
        self.objective.setFont(ui_font())
        self.objective.setAccessibleName("Objective")
        count = len(self._document.training.objectives)
        self.objective.addItems([title_of(self._document, each) for each in range(count)])
        self.objective.setVisible(count > 1)
        self.objective.setCurrentIndex(place)
        whole.addWidget(self.objective)
        self.plot = FinderPlot(bench)
        whole.addWidget(self.plot, 1)
        self.said = label("", "muted", wrap=True)
        self.said.setMinimumHeight(34)
        whole.addWidget(self.said)
        self.again_button = button("Again", tip="Try with other batches and other first weights")
        self.close_button = button("Close")
        self.use_button = button("Use", "primary")
        foot = row(spacing=8)
        foot.addWidget(self.again_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.use_button)
        whole.addLayout(foot)
        for each in (self.again_button, self.close_button):
            each.setAutoDefault(False)
        self.use_button.setDefault(True)
        self.plot.chosen.connect(lambda _: self._offer())
        self.again_button.clicked.connect(self.begin)
        self.close_button.clicked.connect(self.reject)
        self.use_button.clicked.connect(self._use)
        self.objective.currentIndexChanged.connect(lambda _: self.begin())
        self.resize(680, 520)
        self.begin()

    @property
    def place(self) -> int:
        """The objective whose rate is looked for."""
        return max(self.objective.currentIndex(), 0)

    @property
    def rate(self) -> float | None:
        """The rate that would be taken."""
        return self.plot.rate

    def begin(self) -> None:
        """Try the rates, anew if that was done before."""
        document = self._document
        if self._finder is not None:
            self._finder.close()
            self._tried += 1
        self.plot.clear()
        self.plot.note = "Making a copy of the network …"
        self._say("")
        self._finder = Finder(document, self.place, seed=document.training.seed + self._tried)
        self.destroyed.connect(self._finder.cancel)
        self._finder.start()
        self._timer.start()
        self._offer()

    def _poll(self) -> None:
        for event in self._finder.events.drain():
            self._take(event)
        if not self._finder.alive and not len(self._finder.events):
            self._timer.stop()
            self._offer()
            if self._closing is not None:
                super().done(self._closing)

    def _take(self, event: Event) -> None:
        if self._closing is not None:
            return
        if isinstance(event, Tried):
            self.plot.add(event.rates, event.losses)
            self._say(f"Trying {rate_text(float(event.rates[-1]))} …")
        elif isinstance(event, Found):
            self.plot.show_proposal(event.proposal)
            self._say(event.proposal.why, "" if event.proposal.rate else "warning")
        elif isinstance(event, Failed):
            self.plot.note = ""
            self._say(event.message, "error")

    def _say(self, text: str, role: str = "muted") -> None:
        self.said.setText(text)
        set_role(self.said, role)

    def _offer(self) -> None:
        if self._closing is not None:
            return
        self.use_button.setText(f"Use {rate_text(self.rate)}" if self.rate else "Use")
        self.use_button.setEnabled(self.rate is not None)
        for each in (self.again_button, self.objective):
            each.setEnabled(not self._timer.isActive())

    def _use(self) -> None:
        rate, store = self.rate, self._bench.store
        document = set_optimizer(store.whole, place=self.place, lr=rate)
        store.apply_whole(f"Set the learning rate to {rate_text(rate)}", document)
        self.accept()

    def done(self, result: int) -> None:
        """End the finder, then close: what it does to torch must be over before anything else trains."""
        if self._finder is None or self._finder.close(_PATIENCE):
            self._timer.stop()
            super().done(result)
            return
        self._closing = result
        self._say("Ending after the present step …")
        for each in (self.again_button, self.close_button, self.use_button, self.objective):
            each.setEnabled(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        self.reject()
