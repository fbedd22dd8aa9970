"""The whole network as a picture: the same nodes and wires, on any painter, without a window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from engine.compiler.analysis import ERROR, Analysis
from engine.errors import FileError
from engine.graph.document import Document, Edge
from gui.canvas import fonts
from gui.canvas.face import Face, face_of, places_of
from gui.canvas.node_paint import Mood, paint_node
from gui.canvas.routing import Route, Router, box_of
from gui.canvas.wire_item import label_box, label_color, label_of, pen_of
from gui.theme import Theme

MARGIN = 40.0
LARGEST = 16_384
"""Pixels along the longer side of a PNG; a larger network is drawn smaller."""


class _Drawing:
    """The faces, places and ways of one document."""

    def __init__(self, document: Document, analysis: Analysis):
        self.analysis = analysis
        places = places_of(document)
        self.faces: dict[str, Face] = {id: face_of(document, id, analysis, places) for id in document.nodes}
        self.at = {id: QPointF(*node.position) for id, node in document.nodes.items()}
        router = Router(box_of(self.body(id)) for id in self.faces)
        self.wires: list[tuple[Edge, Route]] = []
        for target, source in document.edges.items():
            start = self.faces[source.node].spot(source.port, False)
            end = self.faces[target.node].spot(target.port, True)
            if start is not None and end is not None:
                ends = start.at + self.at[source.node], end.at + self.at[target.node]
                self.wires.append((Edge(source, target), router.route(*ends)))

    def body(self, id: str) -> QRectF:
        return self.faces[id].body.translated(self.at[id])

    def bounds(self) -> QRectF:
        box = QRectF()
        for id, face in self.faces.items():
            box = box.united(self.body(id))
            if face.note is not None:
                box = box.united(face.note.rect.translated(self.at[id]))
        for _, route in self.wires:
            box = box.united(route.path.boundingRect())
        if box.isEmpty():
            box = QRectF(0, 0, 320, 160)
        return box.marginsAdded(QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN))

    def paint(self, painter: QPainter, theme: Theme) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        labels: list[tuple[QRectF, str, bool]] = []
        errors = {(p.node, p.port) for p in self.analysis.problems if p.severity == ERROR and p.port}
        for edge, route in self.wires:
            label, dashed = label_of(edge, self.analysis)
            failing = tuple(edge.target) in errors
            painter.setPen(pen_of(theme, dashed, failing))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(route.path)
            if label:
                labels.append((label_box(route, label), label, failing))
        for id, face in self.faces.items():
            painter.save()
            painter.translate(self.at[id])
            paint_node(painter, face, Mood(), theme, 1.0)
            painter.restore()
        painter.setFont(fonts.mono())
        for box, label, failing in labels:
            painter.fillRect(box, theme.color("canvas"))
            painter.setPen(theme.color("error" if failing else label_color(theme)))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)


def paint_document(document: Document, analysis: Analysis, theme: Theme, painter: QPainter) -> QRectF:
    """Paint a whole network at its own coordinates and return the area, margins included."""
    drawing = _Drawing(document, analysis)
    bounds = drawing.bounds()
    painter.fillRect(bounds, theme.color("canvas"))
    drawing.paint(painter, theme)
    return bounds


def picture(
    document: Document, analysis: Analysis, theme: Theme, path: str | Path, scale: float = 2.0
) -> None:
    """Write a network as a PNG or, by the ending of ``path``, as an SVG; ``scale`` is pixels per unit.

    Needs a QGuiApplication but no window. Raises FileError if the file cannot be written.
    """
    drawing = _Drawing(document, analysis)
    bounds = drawing.bounds()
    write = _write_svg if Path(path).suffix.lower() == ".svg" else _write_png
    if not write(drawing, bounds, theme, str(path), scale):
        raise FileError(f"The picture could not be written to {path}.")


def _write_png(drawing: _Drawing, bounds: QRectF, theme: Theme, path: str, scale: float) -> bool:
    scale = min(scale, LARGEST / max(bounds.width(), bounds.height()))
    size = (bounds.size() * scale).toSize().expandedTo(QSize(1, 1))
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(theme.color("canvas"))
    painter = QPainter(image)
    painter.scale(scale, scale)
    painter.translate(-bounds.topLeft())
    drawing.paint(painter, theme)
    painter.end()
    return image.save(path, None if Path(path).suffix else "PNG")


def _write_svg(drawing: _Drawing, bounds: QRectF, theme: Theme, path: str, scale: float) -> bool:
    from PySide6.QtSvg import QSvgGenerator  # a library of its own, needed only here

    generator = QSvgGenerator()
    generator.setFileName(path)
    generator.setTitle("Network")
    generator.setResolution(96)
    generator.setSize(bounds.size().toSize())
    generator.setViewBox(QRectF(QPointF(0, 0), QSizeF(bounds.size())))
    painter = QPainter()
    if not painter.begin(generator):
        return False
    painter.fillRect(QRectF(QPointF(0, 0), bounds.size()), theme.color("canvas"))
    painter.translate(-bounds.topLeft())
    drawing.paint(painter, theme)
    return painter.end()
