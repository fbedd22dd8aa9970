"""Class weights of a loss, counted in the data by a button."""

from __future__ import annotations

from threading import Thread

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from engine.errors import EngineError
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.document import Document
from gui.bench import Bench
from gui.widgets.basic import button, label, row, set_role

POLL_MS = 40


class _Count(Thread):
    """Counts the classes; touches nothing of Qt, so that the page may be gone when it ends."""

    def __init__(self, document: Document, loss: str):
        super().__init__(daemon=True)
        self.document, self.loss = document, loss
        self.weights: tuple[float, ...] = ()
        self.error = ""

    def run(self) -> None:
        try:
            from engine.compiler.weighting import weights_by_rarity

            self.weights = weights_by_rarity(self.document, self.loss)
        except EngineError as error:
            self.error = error.message
        except Exception as error:  # a reader's surprise must not end the window
            self.error = f"The classes cannot be counted: {error}"


class BalanceRow(QWidget):
    """Fills in a weight for each class, so that rare ones count as much as frequent ones."""

    def __init__(self, bench: Bench, loss: str):
        super().__init__()
        self._bench, self._loss = bench, loss
        self._count: _Count | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        self.balance = button(
            "Weigh classes by rarity", "small", "Count the classes in the training rows of the data"
        )
        self.note = label("", "muted", 12, wrap=True)
        layout = row(self, 8)
        layout.addWidget(self.balance, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.note, 1)
        self.balance.clicked.connect(self._begin)

    @staticmethod
    def is_for(document: Document, node: str) -> bool:
        """Return whether a node is a loss that takes class weights."""
        return layer_of(document, document.nodes[node].type).param("class_weights") is not None

    def _begin(self) -> None:
        self._count = _Count(self._bench.store.document, self._loss)
        self._count.start()
        self.balance.setEnabled(False)
        self._say("Counting …")
        self._timer.start()

    def _look(self) -> None:
        if self._count is None or self._count.is_alive():
            return
        done, self._count = self._count, None
        self._timer.stop()
        self.balance.setEnabled(True)
        document = self._bench.store.document
        if self._loss not in document.nodes:
            return
        if done.error:
            self._say(done.error, "error")
            return
        self._say("")
        self._bench.store.apply(
            f"Weigh the classes of {document.nodes[self._loss].title}",
            lambda document: edits.set_params(document, self._loss, class_weights=done.weights),
        )

    def _say(self, text: str, role: str = "muted") -> None:
        set_role(self.note, role)
        self.note.setText(text)
