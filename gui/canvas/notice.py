"""A sentence over the canvas with what can be done about it; it goes away by itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QFrame, QWidget

from gui.bench import Bench, Offer
from gui.theme import RADIUS, Theme
from gui.widgets.basic import IconButton, button, empty, label, row

STAYS_MS = 15_000
_BELOW = 16


class Notice(QFrame):
    """Shows one Offer in the middle of the lower edge; an edit, a new offer or some time ends it."""

    def __init__(self, parent: QWidget, bench: Bench):
        super().__init__(parent)
        self._bench = bench
        self.setObjectName("offer")
        self._row = row(self, 8)
        self._row.setContentsMargins(14, 7, 7, 7)
        self._timer = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._timer.timeout.connect(self.hide)
        bench.offered.connect(self.show_offer)
        bench.store.undo_stack.indexChanged.connect(self.hide)
        bench.store.replaced.connect(self.hide)
        bench.theme_changed.connect(self._set_theme)
        self._set_theme(bench.theme)
        self.hide()

    def show_offer(self, offer: Offer) -> None:
        """Show a sentence with its buttons."""
        self.hide()  # what a visible parent is given shows itself only later
        empty(self._row)
        self._text = label(offer.text)
        self.setAccessibleName(offer.text)
        self._row.addWidget(self._text)
        for word, call in offer.actions:
            action = button(word, "small")
            action.clicked.connect(lambda _, call=call: self._do(call))
            self._row.addWidget(action)
        close = IconButton(self._bench, "close", tip="Close")
        close.clicked.connect(self.hide)
        self._row.addWidget(close)
        self._timer.start()
        self.show()
        self.fit()
        self.raise_()

    def fit(self) -> None:
        """Stand in the middle of the lower edge; a long sentence takes a second line."""
        if self.isHidden():
            return
        room = self.parentWidget().width() - 24
        self._text.setWordWrap(False)
        self._row.activate()
        wide = self._row.totalSizeHint().width()
        if wide > room:
            self._text.setWordWrap(True)
            self._row.activate()
            wide = room
        high = self._row.totalHeightForWidth(wide) if self._row.hasHeightForWidth() else 0
        self.resize(wide, max(high, self._row.totalSizeHint().height()))
        parent = self.parentWidget()
        self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - _BELOW)

    def enterEvent(self, event: QEvent) -> None:
        """Stay while it is read."""
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()
        super().leaveEvent(event)

    def _do(self, call: Callable[[], object]) -> None:
        self.hide()
        call()

    def _set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"#offer {{ background: {theme.raised}; border: 1px solid {theme.line};"
            f" border-radius: {RADIUS + 3}px; }} #offer QLabel {{ background: transparent; }}"
        )
