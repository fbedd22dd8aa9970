"""The export dialog: every kind of file in a list, and what became of the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QLabel, QLayout, QWidget

from engine.export import Exporter
from gui import icons, style
from gui.theme import TITLE_PX
from gui.widgets.basic import Scroll, button, column, label, row, section, set_role
from gui.widgets.card import Card

WIDTH, MARGIN = 560, 20
AROUND = 140
"""Pixels of the dialog above and below its list, with room for a result of two lines."""
_ICONS = {"Code": "code", "Model": "cube", "Drawing": "picture", "Cluster": "rack"}


class ExportDialog(QDialog):
    """Emits ``chosen`` with an exporter's name; whoever writes the file tells how it went.

    It stays open, so that several files can be written one after the other. ``shown`` asks for the node that
    an error is about.
    """

    chosen = Signal(str)
    shown = Signal(str)

    def __init__(self, parent: QWidget, title: str, exporters: Sequence[Exporter], notes: Mapping[str, str]):
        """``notes`` are remarks beside the headings of groups, such as whose weights are written."""
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.cards: dict[str, _Choice] = {}
        self.notes: dict[str, QLabel] = {}
        self._node, self._path = "", Path()
        whole = column(self, 14, 0)
        whole.setContentsMargins(MARGIN, 18, MARGIN, 16)
        whole.addWidget(label(f"Export {title}", px=TITLE_PX, weight=600))
        self._list = QWidget()
        groups = column(self._list, 14)
        for name, members in groupby(exporters, lambda each: each.group):
            groups.addLayout(self._group(name, list(members), notes.get(name, "")))
        groups.addStretch(1)
        self._scroll = Scroll(self._list)
        whole.addWidget(self._scroll, 1)
        whole.addLayout(self._foot())
        height = groups.totalHeightForWidth(WIDTH - 2 * MARGIN) + AROUND
        self.resize(WIDTH, min(height, parent.window().height() - 24))
        next(iter(self.cards.values())).setFocus()

    def _group(self, name: str, members: Sequence[Exporter], note: str) -> QLayout:
        layout = column(spacing=5)
        head = row()
        head.addWidget(section(name))
        head.addStretch(1)
        self.notes[name] = label(note, "muted", 12)
        head.addWidget(self.notes[name])
        layout.addLayout(head)
        for exporter in members:
            card = _Choice(exporter)
            card.clicked.connect(lambda name=exporter.name: self.chosen.emit(name))
            card.moved.connect(lambda step, card=card: self._move(card, step))
            self.cards[exporter.name] = card
            layout.addWidget(card)
        return layout

    def _foot(self) -> QLayout:
        layout = row(spacing=8)
        self.said = label("", px=12.5, wrap=True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder_button = button("Show in folder", tip="Open the folder of the file")
        self.node_button = button("Show the node", tip="Close this and go to the node")
        self.close_button = button("Close")
        layout.addWidget(self.said, 1)
        for each in (self.folder_button, self.node_button, self.close_button):
            each.setAutoDefault(False)  # Enter belongs to the list
            layout.addWidget(each, 0, Qt.AlignmentFlag.AlignBottom)
        self.folder_button.clicked.connect(self._show_folder)
        self.node_button.clicked.connect(self._show_node)
        self.close_button.clicked.connect(self.close)
        self._say("")
        return layout

    def tell_busy(self, text: str) -> None:
        """Say what is being written; nothing else can be chosen meanwhile."""
        self._list.setEnabled(False)
        self._say(text, "muted")

    def tell_done(self, text: str, path: Path) -> None:
        """Say what was written, and offer its folder."""
        self._path = path
        self._say(text, "ok", folder=True)

    def tell_failed(self, text: str, node: str = "") -> None:
        """Say why nothing was written, and offer the node that is the reason."""
        self._node = node
        self._say(text, "error", node=bool(node))

    def _say(self, text: str, role: str = "", folder: bool = False, node: bool = False) -> None:
        if role != "muted":
            self._list.setEnabled(True)
        self.said.setText(text)
        set_role(self.said, role)
        self.folder_button.setVisible(folder)
        self.node_button.setVisible(node)

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

    def _show_node(self) -> None:
        self.close()
        self.shown.emit(self._node)

    def _move(self, card: Card, step: int) -> None:
        """Go to the next card, as in a menu."""
        cards = list(self.cards.values())
        target = cards[(cards.index(card) + step) % len(cards)]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._scroll.ensureWidgetVisible(target)


class _Choice(Card):
    """A kind of file: its icon, what it is called, what it is good for, its ending.

    ``moved`` carries 1 or -1 when an arrow key is pressed.
    """

    moved = Signal(int)
    INDENT = 44

    def __init__(self, exporter: Exporter):
        super().__init__(exporter.title, exporter.doc, exporter.suffix)
        self._icon = _ICONS.get(exporter.group, "export")
        self.layout().itemAt(0).layout().setContentsMargins(self.INDENT, 6, 13, 7)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(event.key(), 0)
        if step:  # before the scroll area takes it
            self.moved.emit(step)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        color = style.current().color("muted" if self.isEnabled() else "faint")
        icons.paint_icon(painter, self._icon, color, (self.INDENT - 20) / 2, (self.height() - 20) / 2, 20)
