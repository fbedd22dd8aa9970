"""What lies over the canvas and does not move with it: the title, the invitation, the minimap."""

from __future__ import annotations

import logging

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from engine.graph.document import Document, Way
from engine.graph.interface import ways_to
from gui.canvas import fonts
from gui.canvas.keys import keys_of
from gui.canvas.navigation import Navigator
from gui.style import mix
from gui.theme import RADIUS, TEXT_PX
from gui.views.parts import Stepper
from gui.widgets.basic import button, empty, label, row

MOST_USES = 60
"""Uses of a block that a menu lists."""
_log = logging.getLogger(__name__)


class Caption(QWidget):
    """The document's name and the first line of its notes; over an empty canvas also the invitation."""

    def __init__(self, view: Navigator):
        super().__init__(view)
        self._view = view
        self._left = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        view.bench.keymap.changed.connect(self.show_document)
        self.show_document()

    @property
    def invites(self) -> bool:
        """Whether the canvas is empty."""
        return not self._view.bench.store.document.nodes

    @property
    def invitation(self) -> str:
        """What an empty canvas says."""
        keys = keys_of(self._view.bench, "add_here")
        return f"Drag a layer here, {f'press {keys}, ' if keys else ''}or open an example"

    def show_document(self) -> None:
        """Show another name, or that the canvas is no longer empty."""
        document = self._view.bench.store.document
        self._name = "" if self._view.bench.store.scope else document.name  # the trail tells it
        self._notes = (
            ""
            if self._view.bench.store.scope
            else next((line.strip() for line in document.notes.splitlines() if line.strip()), "")
        )
        self.setAccessibleName(f"{self._name}. {self.invitation}." if self.invites else self._name)
        self.fit()
        self.update()

    def leave_room(self, width: int) -> None:
        """Keep so many pixels at the right free for others."""
        self._left = width
        self.update()

    def fit(self) -> None:
        """Cover the top of the view, or all of it to invite."""
        self.setGeometry(0, 0, self._view.width(), self._view.height() if self.invites else 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        try:
            painter = QPainter(self)
            self._paint(painter)
            painter.end()
        except Exception:  # an exception that leaves an event override can end the process
            _log.exception("The caption could not be painted")

    def _paint(self, painter: QPainter) -> None:
        theme = self._view.bench.theme
        bold, plain = fonts.text_metrics(weight=600), fonts.text_metrics(TEXT_PX)
        room = self.width() - 28.0 - self._left
        name = bold.elidedText(self._name, Qt.TextElideMode.ElideRight, room * 0.6)
        wide = bold.horizontalAdvance(name)
        notes = plain.elidedText(self._notes, Qt.TextElideMode.ElideRight, min(room - wide - 8, 640.0))
        ground = wide + (8 + plain.horizontalAdvance(notes) if notes else 0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("canvas", 215))  # readable where nodes pass below
        painter.drawRoundedRect(QRectF(6, 7, ground + 16, 26), 6, 6)
        line = QRectF(14, 11, wide + 2, 18)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(fonts.text(weight=600))
        painter.setPen(theme.color("text"))
        painter.drawText(line, align, name)
        painter.setFont(fonts.text())
        painter.setPen(theme.color("muted"))
        if notes:
            painter.drawText(line.translated(wide + 8, 0).adjusted(0, 0, 642 - wide, 0), align, notes)
        if self.invites:
            painter.setFont(fonts.text(15))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.invitation)


class Trail(QWidget):
    """The way into the block that is open, each part a button back to it; hidden in the document itself."""

    resized = Signal(int)
    """Tells where it ends."""

    def __init__(self, view: Navigator):
        super().__init__(view)
        self._store = view.bench.store
        self._row = row(self, 2)
        self._row.setContentsMargins(2, 4, 8, 4)
        self.move(6, 5)  # its first word where the caption's stands in the document itself
        self._bench = view.bench
        for signal in (self._store.scope_changed, self._store.turned, self._store.edited):
            signal.connect(self.show_scope)
        self._store.replaced.connect(self.show_scope)
        self._shown: object = None
        self.show_scope()

    def show_scope(self) -> None:
        """Show where the canvas is."""
        rows = self._store.rows()
        uses = ways_to(self._store.whole, self._store.scope[-1]) if self._store.scope else []
        now = self._store.whole.name, self._store.scope, self._store.way, rows, uses
        if now == self._shown:
            return
        self._shown = now
        self.hide()  # what a visible parent is given shows itself only later
        empty(self._row)
        scope = self._store.scope
        for depth, name in enumerate((self._store.whole.name, *scope)):
            if depth:
                self._row.addWidget(label("›", "muted"))
            part = button(
                name, "crumb", "Back to this" if depth < len(scope) else "You are here; Esc goes back"
            )
            part.clicked.connect(lambda _, to=scope[:depth]: self._store.go_to(to))
            part.setEnabled(depth < len(scope))
            self._row.addWidget(part)
            if depth and rows[depth - 1] > 1:
                self._add_places(depth - 1, rows[depth - 1])
        if len(uses) > 1:
            self._add_uses(uses)
        self.setVisible(bool(scope))
        self.adjustSize()
        self.raise_()
        self.resized.emit(self.x() + self.width() if scope else 0)

    def _add_uses(self, uses: list[Way]) -> None:
        """Say which use of the block is looked at, with a menu of them all."""
        here = tuple(id for id, _ in self._store.way)
        place = next((n for n, way in enumerate(uses) if tuple(id for id, _ in way) == here), 0)
        self.uses = button(f"use {place + 1} of {len(uses)}  ▾", "crumb", "Look at another use of this block")
        self.uses.setAccessibleName(f"Use {place + 1} of {len(uses)}")
        menu = QMenu(self.uses)
        for number, way in enumerate(uses[:MOST_USES]):
            words = way_in_words(self._store.whole, way)
            action = menu.addAction(words, lambda way=way: self._store.go_way(way))
            action.setCheckable(True)
            action.setChecked(number == place)
        if len(uses) > MOST_USES:
            menu.addAction(f"and {len(uses) - MOST_USES} more").setEnabled(False)
        self.uses.setMenu(menu)
        self._row.addWidget(self.uses)

    def _add_places(self, depth: int, count: int) -> None:
        """Say which of the blocks in a row is looked at, with arrows to the others."""
        place = min(self._store.way[depth][1], count - 1)
        self._row.addWidget(label(f"{place + 1} of {count}", "muted"))
        stepper = Stepper(self._bench, "The one before", "The next one")
        stepper.enable(place > 0, place < count - 1)
        stepper.stepped.connect(lambda by: self._store.turn(depth, place + by))
        self._row.addWidget(stepper)


def way_in_words(document: Document, way: Way) -> str:
    """Return the titles of the nodes that lead to a use of a block: ``stage1 › cell2``."""
    titles, graph = [], document
    for id, _ in way:
        titles.append(graph.nodes[id].title)
        graph = document.blocks[graph.nodes[id].type]
    return " › ".join(titles)


class Minimap(QWidget):
    """The whole network in a corner, with a frame around what is in view; press or drag to go there.

    It hides while everything is in view, because there is then nowhere to go.
    """

    WIDE, HIGH, INSET = 150, 92, 12

    def __init__(self, view: Navigator):
        super().__init__(view)
        self._view = view
        self._wanted = True
        self._painted: tuple[tuple, QPixmap] | None = None
        self.setAccessibleName("Minimap")
        self.setToolTip("Drag to move over the network")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.resize(self.WIDE, self.HIGH)
        self.hide()

    def set_wanted(self, wanted: bool) -> None:
        """Switch it on or off."""
        self._wanted = wanted
        self.fit()

    @property
    def wanted(self) -> bool:
        """Whether it is switched on."""
        return self._wanted

    def fit(self) -> None:
        """Stand in the bottom left corner, if there is anything out of view."""
        view = self._view
        self.move(self.INSET, view.height() - self.HIGH - self.INSET)
        whole = view.graph.sceneRect() if not view.graph.nodes else self._network()
        useful = bool(view.graph.nodes) and not view.visible_rect().contains(whole)
        roomy = view.width() > 3 * self.WIDE and view.height() > 3 * self.HIGH
        self.setVisible(self._wanted and useful and roomy)
        self.update()

    def _network(self) -> QRectF:
        self._view.graph.overview()
        return self._view.graph.extent

    def _place(self) -> tuple[QRectF, float, QPointF]:
        """Return the area that is shown, its scale, and where its corner is painted."""
        area = self._network().adjusted(-60, -60, 60, 60)
        inner = QRectF(self.rect()).adjusted(6, 6, -6, -6)
        scale = min(inner.width() / area.width(), inner.height() / area.height())
        corner = inner.center() - QPointF(area.width(), area.height()) * scale / 2
        return area, scale, corner

    def paintEvent(self, event: QPaintEvent) -> None:
        try:
            painter = QPainter(self)
            self._paint(painter)
            painter.end()
        except Exception:  # an exception that leaves an event override can end the process
            _log.exception("The minimap could not be painted")

    def _paint(self, painter: QPainter) -> None:
        view, theme = self._view, self._view.bench.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("panel", 235))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        area, scale, corner = self._place()
        painter.setClipRect(self.rect().adjusted(2, 2, -2, -2))
        painter.drawPixmap(0, 0, self._boxes(area, scale, corner))
        seen = view.visible_rect()
        frame = QRectF(corner + (seen.topLeft() - area.topLeft()) * scale, seen.size() * scale)
        painter.setPen(QPen(theme.color("accent", 170), 1.2))
        painter.setBrush(theme.color("accent", 18))
        painter.drawRoundedRect(frame.intersected(QRectF(self.rect()).adjusted(3, 3, -3, -3)), 3, 3)

    def _boxes(self, area: QRectF, scale: float, corner: QPointF) -> QPixmap:
        """Return all nodes as small boxes, painted once for as long as none of them moves."""
        view, theme, sharp = self._view, self._view.bench.theme, self.devicePixelRatioF()
        boxes, _ = view.graph.overview()
        now = (view.graph.edition, theme.name, sharp)
        if self._painted is None or self._painted[0] != now:
            picture = QPixmap(self.size() * sharp)
            picture.setDevicePixelRatio(sharp)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            painter.translate(corner)
            painter.scale(scale, scale)
            painter.translate(-area.topLeft())
            painter.setPen(Qt.PenStyle.NoPen)
            for color, group in boxes.items():
                painter.setBrush(theme.color(mix(theme.panel, theme.color(color).name(), 0.75)))
                painter.drawRects(group)
            painter.end()
            self._painted = (now, picture)
        return self._painted[1]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def _go(self, at: QPointF) -> None:
        area, scale, corner = self._place()
        there = area.topLeft() + (at - corner) / scale
        self._view.pan(-(there - self._view.visible_rect().center()) * self._view.zoom)
