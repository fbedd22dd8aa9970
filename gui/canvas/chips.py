"""Small parts of a block that the pointer can use: how many stand in a row, and the way to its inside."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from engine.graph.blocks import ROLE
from engine.graph.document import Node
from engine.layers.declaration import Layer
from engine.layers.formula import Formula
from gui.canvas import fonts
from gui.theme import CAPTION_PX, Theme

REPEAT, EXPAND = "repeat", "expand"
TIPS = {
    EXPAND: "Show the inside of the block here, or close it",
    REPEAT: "How many stand in a row: turn the wheel, drag, or double-click to type it",
}
"""What a tool tip says of each chip."""
TOP, HEIGHT = 27.0, 16.0
"""Where the second line of a node is."""
LEFT, RIGHT = 9.0, 8.0
"""From the node's sides to a chip."""
_LONGEST = 72.0


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of a node by its name; a ``quiet`` one shows only while the pointer is on the node."""

    name: str
    box: QRectF
    text: str = ""
    quiet: bool = False
    on: bool = False


def repeat_text(node: Node, layer: Layer) -> str:
    """Return how many of a block stand in a row, ``×4`` or ``×depth``; nothing where there can be but one."""
    count = node.params.get("repeat", 1)
    single = len(layer.inputs) == 1 and len(layer.outputs_of(node.params)) == 1
    if layer.role != ROLE or (count == 1 and not single):
        return ""
    text = f"× {count.text}" if isinstance(count, Formula) else f"×{count}"
    return fonts.text_metrics(CAPTION_PX).elidedText(text, Qt.TextElideMode.ElideRight, _LONGEST)


def room_of(node: Node, layer: Layer) -> float:
    """Return how much of its second line the repeat count of a node takes."""
    text = repeat_text(node, layer)
    return fonts.text_metrics(CAPTION_PX, 600).horizontalAdvance(text) + 16.0 if text else 0.0


def chips_of(node: Node, layer: Layer, width: float) -> tuple[Chip, ...]:
    """Return the chips of a node that is ``width`` wide."""
    if layer.role != ROLE or node.collapsed:
        return ()
    chips = [Chip(EXPAND, QRectF(LEFT, TOP, HEIGHT, HEIGHT), on=node.expanded is not None)]
    if text := repeat_text(node, layer):
        wide = room_of(node, layer) - 4
        box = QRectF(width - RIGHT - wide, TOP, wide, HEIGHT)
        chips.append(Chip(REPEAT, box, text, quiet=text == "×1"))
    return tuple(chips)


def paint_chip(painter: QPainter, chip: Chip, theme: Theme, hovered: bool, over: bool) -> None:
    """Paint a chip; ``hovered`` says that the pointer is on the node, ``over`` that it is on the chip."""
    if chip.quiet and not hovered:
        return
    if over:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("selection"))
        painter.drawRoundedRect(chip.box, 5, 5)
    if chip.name == EXPAND:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text" if over else "muted"))
        painter.drawPolygon(_triangle(chip))
        return
    painter.setPen(theme.color("text" if over or not chip.quiet else "muted"))
    painter.setFont(fonts.text(CAPTION_PX, 600))
    painter.drawText(chip.box, Qt.AlignmentFlag.AlignCenter, chip.text)


def _triangle(chip: Chip) -> QPolygonF:
    at = chip.box.center()
    points = ((-4, -2.2), (4, -2.2), (0, 3)) if chip.on else ((-2.2, -4), (-2.2, 4), (3, 0))
    return QPolygonF([at + QPointF(x, y) for x, y in points])
