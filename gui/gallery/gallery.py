"""The examples as a column of cards, in the left dock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import QWidget

from gui.bench import Bench
from gui.gallery.entry import Entry
from gui.widgets.basic import Panel, Scroll, column, empty, label, section
from gui.widgets.card import Card, Picture
from gui.widgets.fields import SearchField

_PICTURE = 72


class GalleryPanel(Panel):
    """Cards as on the welcome page; ``chosen`` carries an example's name, ``set_current`` highlights the open
    one. ``looked_at`` asks for the pictures, which nobody draws before.
    """

    chosen = Signal(str)
    looked_at = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self.cards: dict[str, Card] = {}
        self._entries: tuple[Entry, ...] = ()
        self._current = ""
        self.search = SearchField("Search examples")
        self._nothing = label("", "muted", wrap=True)
        self._nothing.setContentsMargins(8, 12, 8, 0)
        body = QWidget()
        self._column = column(body, 8)
        self._column.setContentsMargins(0, 4, 10, 12)
        inset = column()
        inset.setContentsMargins(0, 0, 10, 0)
        inset.addWidget(self.search)
        layout = column(self, 6)
        layout.setContentsMargins(12, 10, 2, 0)
        layout.addLayout(inset)
        layout.addWidget(self._nothing)
        layout.addWidget(Scroll(body), 1)
        self.setFocusProxy(self.search)
        self.search.textChanged.connect(self._filter)
        self.set_entries(())

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these examples in their order."""
        self._entries = tuple(entries)
        empty(self._column)
        self.cards = {}
        self._heads = {}
        for entry in self._entries:
            if entry.row not in self._heads:
                self._heads[entry.row] = head = section(entry.row)
                head.setContentsMargins(2, 8, 0, 0)
                self._column.addWidget(head)
            card = Card(entry.title, entry.subtitle, entry.note, Picture(_PICTURE))
            card.clicked.connect(lambda name=entry.name: self.chosen.emit(name))
            self.cards[entry.name] = card
            self._column.addWidget(card)
        self._column.addStretch(1)
        self.set_current(self._current)
        self._filter(self.search.text())

    def set_pictures(self, pictures: Mapping[str, QImage]) -> None:
        """Show other pictures, for example after the theme changed."""
        for name, image in pictures.items():
            if card := self.cards.get(name):
                card.picture.set_image(image)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.looked_at.emit()

    def set_current(self, name: str) -> None:
        """Highlight the example that is open; an empty name highlights none."""
        self._current = name
        for each, card in self.cards.items():
            card.set_selected(each == name)

    def _filter(self, text: str) -> None:
        shown = {entry.name for entry in self._entries if entry.answers(text)}
        for name, card in self.cards.items():
            card.setVisible(name in shown)
        for each, head in self._heads.items():
            head.setVisible(any(entry.row == each and entry.name in shown for entry in self._entries))
        self._nothing.setText(f"No example answers to “{text.strip()}”." if self._entries else "No examples.")
        self._nothing.setVisible(not shown)
