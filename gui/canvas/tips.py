"""What the canvas says of what is under the pointer: a port's name beside it, and the longer tips."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from engine.graph.blocks import layer_of
from gui.bench import Bench
from gui.canvas import fitting, fonts
from gui.canvas.chips import TIPS
from gui.canvas.hits import Hit
from gui.cost import costs_of


def tip_of(bench: Bench, hit: Hit) -> str:
    """Return the tip of a port, a chip, a node or a wire; an empty text where there is none."""
    document = bench.store.document
    if hit.spot is not None:
        port = fitting.port_of(document, hit.slot, hit.spot.is_input)
        return port.doc if port is not None else ""
    if hit.chip:
        return TIPS[hit.chip]
    if hit.node is not None:
        id = hit.node.face.id
        problems = [problem.message for problem in bench.analysis.problems_of(id)]
        layer = layer_of(document, document.nodes[id].type)
        text = "\n".join(problems) or f"{document.nodes[id].title} · {layer.label}\n{layer.doc}"
        return "\n".join((text, *costs_of(bench, id)))
    if hit.wire is not None:
        tensor = bench.analysis.type_of(hit.wire.edge)
        return f"{tensor} · {tensor.dtype}" if tensor is not None else ""
    return ""


def port_name(bench: Bench, hit: Hit) -> tuple[QRectF, str]:
    """Return the box and the text of a port's name, outside its node."""
    slot, spot = hit.slot, hit.spot
    tensor = bench.analysis.types.get(slot) if not spot.is_input else None
    text = f"{spot.name} · {tensor}" if tensor is not None else spot.name
    width = fonts.mono_metrics().horizontalAdvance(text) + 14
    at = hit.node.place(spot)
    left = at.x() - 11 - width if spot.is_input else at.x() + 11
    return QRectF(left, at.y() - 22, width, 19), text


def paint_port_name(painter: QPainter, bench: Bench, hit: Hit) -> None:
    """Paint a port's name on a small card."""
    theme = bench.theme
    box, text = port_name(bench, hit)
    painter.setPen(QPen(theme.color("line"), 1))
    painter.setBrush(theme.color("raised"))
    painter.drawRoundedRect(box, 5, 5)
    painter.setFont(fonts.mono())
    painter.setPen(theme.color("text"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
