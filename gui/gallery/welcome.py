"""The first page: begin something new, go on with something old, or open an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from gui.bench import Bench
from gui.fonts import ui_font
from gui.gallery.entry import Entry
from gui.panels.words import plural
from gui.theme import WELCOME_PX
from gui.widgets.basic import Elided, Panel, Scroll, button, column, empty, label, row
from gui.widgets.card import Card, Picture
from gui.widgets.fields import SearchField
from gui.widgets.flow import FlowLayout

_PICTURE = 104
_ALL = "All"


class WelcomePage(Panel):
    """New network, open file, recent files, and the examples with their pictures."""

    new_requested = Signal()
    open_requested = Signal()
    import_requested = Signal()
    tour_requested = Signal()
    recent_chosen = Signal(str)
    chosen = Signal(str)

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("window", parent)
        self.cards: dict[str, Card] = {}
        self._entries: tuple[Entry, ...] = ()
        self._rows: dict[str, QWidget] = {}
        self._group = _ALL
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # no button looks chosen before a key is pressed
        layout = row(self, 0)
        layout.setContentsMargins(44, 0, 6, 0)
        layout.addWidget(self._left())
        layout.addSpacing(46)
        layout.addWidget(self._right(), 1)
        bench.theme_changed.connect(lambda theme: self.update())
        self.set_recent(())
        self.set_entries(())

    def _left(self) -> QWidget:
        self.new_button = button("New network", "primary")
        self.open_button = button("Open file", "wide")
        self.import_button = button("Import PyTorch or ONNX", "wide")
        self.new_button.setProperty("wide", True)
        self.new_button.clicked.connect(self.new_requested)
        self.open_button.clicked.connect(self.open_requested)
        self.import_button.clicked.connect(self.import_requested)
        self.tour_button = _TourButton()
        self.tour_button.clicked.connect(self.tour_requested)
        self._recent_head = label("Recent", weight=600)
        self._recent = column(spacing=0)
        side = QWidget()
        side.setFixedWidth(237)
        layout = column(side, 9)
        layout.setContentsMargins(0, 32, 0, 20)
        layout.addWidget(label("What will you build?", px=WELCOME_PX, weight=600))
        layout.addWidget(label("Draw a network, press Run,\nwatch it learn.", "muted", wrap=True))
        layout.addSpacing(8)
        layout.addWidget(self.new_button)
        layout.addWidget(self.open_button)
        layout.addWidget(self.import_button)
        layout.addSpacing(6)
        layout.addWidget(self.tour_button)
        layout.addSpacing(14)
        layout.addWidget(self._recent_head)
        layout.addLayout(self._recent)
        layout.addStretch(1)
        return side

    def _right(self) -> QWidget:
        self.search = SearchField("Search examples")
        self.search.setFixedWidth(300)
        self.search.textChanged.connect(self._filter)
        self._chips = QWidget()
        self._chip_group = QButtonGroup(self)
        self._chip_layout = FlowLayout(self._chips, 6)
        head = row(spacing=14)
        head.setContentsMargins(0, 0, 38, 0)
        head.addWidget(self.search, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._chips, 1)
        self._nothing = label("", "muted")
        body = QWidget()
        self._column = column(body, 22)
        self._column.setContentsMargins(0, 4, 38, 28)
        right = QWidget()
        layout = column(right, 16)
        layout.setContentsMargins(0, 30, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self._nothing)
        layout.addWidget(Scroll(body), 1)
        return right

    def set_tour(self, begun: bool) -> None:
        """Offer the tour, or to go on with it."""
        self.tour_button.show_begun(begun)

    def set_recent(self, paths: Sequence[tuple[str, str]]) -> None:
        """Show recent files as ``(path, note)``, the note such as ``yesterday`` or empty."""
        empty(self._recent)
        for path, note in paths:
            shown = _Recent(path, note)
            shown.clicked.connect(lambda _=False, path=path: self.recent_chosen.emit(path))
            self._recent.addWidget(shown)
        self._recent_head.setVisible(bool(paths))

    def set_entries(self, entries: Sequence[Entry], pictures: Mapping[str, QImage] | None = None) -> None:
        """Show these examples in their rows; ``pictures`` are by name and may come later."""
        self._entries = tuple(entries)
        empty(self._column)
        self.cards, self._rows = {}, {}
        flows: dict[str, FlowLayout] = {}
        for entry in self._entries:
            if entry.row not in flows:
                self._rows[entry.row], flows[entry.row] = _row_of_cards(entry.row)
                self._column.addWidget(self._rows[entry.row])
            card = Card(entry.title, entry.subtitle, entry.note, Picture(_PICTURE))
            card.clicked.connect(lambda name=entry.name: self.chosen.emit(name))
            flows[entry.row].addWidget(card)
            self.cards[entry.name] = card
        self._column.addStretch(1)
        self.search.setPlaceholderText(f"Search {plural(len(self._entries), 'example')}")
        self._make_chips()
        self.set_pictures(pictures or {})
        self._filter()

    def set_pictures(self, pictures: Mapping[str, QImage]) -> None:
        """Show other pictures, for example after the theme changed."""
        for name, image in pictures.items():
            if card := self.cards.get(name):
                card.picture.set_image(image)

    def _make_chips(self) -> None:
        empty(self._chip_layout)
        groups = [_ALL, *dict.fromkeys(entry.group for entry in self._entries)]
        self._group = self._group if self._group in groups else _ALL
        for group in groups:
            chip = button(group, "chip")
            chip.setCheckable(True)
            chip.setChecked(group == self._group)
            chip.clicked.connect(lambda _=False, group=group: self._show_group(group))
            self._chip_group.addButton(chip)
            self._chip_layout.addWidget(chip)
        self._chips.setVisible(len(groups) > 2)

    def chip(self, group: str) -> QPushButton:
        """Return the button of a subject."""
        return next(chip for chip in self._chip_group.buttons() if chip.text() == group)

    def _show_group(self, group: str) -> None:
        self._group = group
        self._filter()

    def _filter(self) -> None:
        text = self.search.text()
        shown = {e.name for e in self._entries if e.answers(text) and self._group in (_ALL, e.group)}
        for name, card in self.cards.items():
            card.setVisible(name in shown)
        for each, widget in self._rows.items():
            widget.setVisible(any(entry.row == each and entry.name in shown for entry in self._entries))
        self._nothing.setText(f"No example answers to “{text.strip()}” here." if self._entries else "")
        self._nothing.setVisible(bool(self._entries) and not shown)


def _row_of_cards(title: str) -> tuple[QWidget, FlowLayout]:
    shown = QWidget()
    layout: QVBoxLayout = column(shown, 11)
    layout.addWidget(label(title, px=15, weight=600))
    flow = FlowLayout(gap=18, width=244, widest=300)
    layout.addLayout(flow)
    return shown, flow


class _TourButton(QPushButton):
    """The way into the tour: what it is, and how long it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "tour")
        self._title = label("", weight=600)
        about = label(
            "Build and train your first network by your own hands, step by step.", "muted", wrap=True
        )
        layout = column(self, 3)
        layout.setContentsMargins(14, 12, 14, 12)
        for shown in (self._title, about):
            shown.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(shown)
        self.show_begun(False)

    def show_begun(self, begun: bool) -> None:
        """Say whether it begins or goes on."""
        text = "Go on with the tour" if begun else "Take the tour"
        self._title.setText(f"{text} · 2 min")
        self.setAccessibleName(f"{text}: build and train your first network, two minutes")


class _Recent(QPushButton):
    """A recent file: its name, and below when or where."""

    def __init__(self, path: str, note: str):
        super().__init__()
        self.setProperty("kind", "recent")
        self.setFont(ui_font())
        self.setToolTip(path)
        name = Path(path).stem
        self.setAccessibleName(f"{name}, {note or path}")
        layout = column(self, 1)
        layout.setContentsMargins(0, 7, 0, 7)
        for shown in (Elided(name), Elided(note or str(Path(path).parent), "muted", 11)):
            shown.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(shown)
        self.setMinimumHeight(50)
