"""A node on the canvas: one item that paints its body, title, ports and strip."""

from __future__ import annotations

import logging

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QRegion, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.canvas.chips import Chip
from gui.canvas.face import Face, Spot
from gui.canvas.node_paint import Mood, note_box, paint_live, paint_node, strip_box
from gui.theme import NODE_RADIUS, Theme

_log = logging.getLogger(__name__)


class NodeItem(QGraphicsItem):
    """Shows a Face; knows nothing of documents and edits."""

    def __init__(self, face: Face, theme: Theme):
        super().__init__()
        self.face = face
        self.theme = theme
        self.mood = Mood()
        self._broken = False
        self._box = note_box(face)

    def set_face(self, face: Face) -> None:
        """Show other texts or measures."""
        self.prepareGeometryChange()
        self.face = face
        self._box = note_box(face)
        self._broken = False
        self.update()

    def set_mood(self, **changes: object) -> None:
        """Change what the pointer or a run says about the node, and repaint if it differs."""
        if any(getattr(self.mood, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self.mood, name, value)
            self.update()

    def set_live(self, strip: object, health: str, sick: bool) -> None:
        """Show what a snapshot brought; only the strip and the foot are repainted."""
        if strip is not self.mood.strip or health != self.mood.health or sick != self.mood.sick:
            self.mood.strip, self.mood.health, self.mood.sick = strip, health, sick
            self.update(strip_box(self.face))

    def place(self, spot: Spot) -> QPointF:
        """Return where a port is on the canvas."""
        return self.pos() + spot.at

    def body(self) -> QRectF:
        """Return the card on the canvas."""
        return self.face.body.translated(self.pos())

    def chip(self, name: str) -> Chip | None:
        """Return a chip by its name, or None if the node has none."""
        return next((each for each in self.face.chips if each.name == name), None)

    def part_at(self, at: QPointF) -> tuple[tuple[str, ...], str]:
        """Return the node and those drawn inside of it at a place of the node, and the chip that is here."""
        face = self.face
        chip = next((each.name for each in face.chips if each.box.contains(at)), "")
        if chip or face.inner is None:
            return (face.id,), chip
        path, chip = face.inner.path_at(at)
        return (face.id, *path), chip

    def boundingRect(self) -> QRectF:
        return self._box

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._broken:
            self._paint_broken(painter)
            return
        try:
            to_screen = painter.worldTransform()
            part = self._exposed(to_screen)
            if part is None or not paint_live(
                painter, self.face, self.mood, self.theme, part, to_screen.m11()
            ):
                paint_node(painter, self.face, self.mood, self.theme, to_screen.m11())
        except Exception:  # an exception that leaves paint() can end the process
            self._broken = True
            _log.exception("Node %s could not be painted", self.face.id)
            self._paint_broken(painter)

    def _exposed(self, to_screen: QTransform) -> QRectF | None:
        """Return which part of the node is to be painted; None if that is not known, as for a picture."""
        exposed: QRegion | None = getattr(self.scene(), "exposed", None)
        if exposed is None:
            return None
        part = exposed.intersected(to_screen.mapRect(self._box).toAlignedRect()).boundingRect()
        return to_screen.inverted()[0].mapRect(QRectF(part))

    def _paint_broken(self, painter: QPainter) -> None:
        painter.setOpacity(1)
        painter.setPen(QPen(self.theme.color("error"), 2))
        painter.setBrush(self.theme.color("raised"))
        painter.drawRoundedRect(self.face.body, NODE_RADIUS, NODE_RADIUS)
