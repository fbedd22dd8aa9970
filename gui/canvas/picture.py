"""The whole network as a picture: the same nodes and wires, on any painter, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFont, QImage, QPageLayout, QPageSize, QPaintDevice, QPainter, QPdfWriter

from engine.compiler.analysis import ERROR, Analysis
from engine.errors import FileError
from engine.graph.document import Document, Edge
from engine.storage.atomic import write_bytes
from gui.canvas import fonts
from gui.canvas.comment_paint import body_of, ground_of, paint_frame, paint_note
from gui.canvas.dot_item import RADIUS as DOT
from gui.canvas.dot_item import paint_dot
from gui.canvas.expand import node_face
from gui.canvas.face import Face, places_of
from gui.canvas.node_paint import Mood, paint_node
from gui.canvas.placing import Tag, label_boxes, tag, words_of
from gui.canvas.routing import Box, Route, Router, box_of
from gui.canvas.wire_item import label_color, label_of, pen_of
from gui.theme import LIGHT, Theme

PAPER = replace(LIGHT, canvas="#FFFFFF")
"""Dark on white, for papers."""

MARGIN = 40.0
LARGEST = 16_384
"""Pixels along the longer side of a PNG; a larger network is drawn smaller."""
LONGEST_PAGE = 14_400.0
"""Points along the longer side of a PDF's page, which is as far as readers go."""
PDF_DPI = 1200
"""Grid of a PDF's coordinates: lines are placed to a fraction of what can be seen."""


class _Drawing:
    """The faces, places and ways of one document."""

    def __init__(self, document: Document, analysis: Analysis):
        self.analysis = analysis
        places = places_of(document)
        self.faces: dict[str, Face] = {id: node_face(document, id, analysis, places) for id in document.nodes}
        self.at = {id: QPointF(*node.position) for id, node in document.nodes.items()}
        router = Router(box_of(self.body(id)) for id in self.faces)
        self.comments = sorted(
            document.comments.values(), key=lambda each: (each.kind == "note", -each.box[2] * each.box[3])
        )
        self.dots = [QPointF(*at) for points in document.bends.values() for at in points]
        self.wires: list[tuple[Edge, Route]] = []
        for target, source in document.edges.items():
            start = self.faces[source.node].spot(source.port, False)
            end = self.faces[target.node].spot(target.port, True)
            if start is not None and end is not None:
                ends = start.at + self.at[source.node], end.at + self.at[target.node]
                bends = [QPointF(*at) for at in document.bends.get(target, ())]
                self.wires.append((Edge(source, target), router.route(*ends, bends)))

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
        for comment in self.comments:
            box = box.united(body_of(comment).translated(*comment.box[:2]))
        if box.isEmpty():
            box = QRectF(0, 0, 320, 160)
        return box.marginsAdded(QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN))

    def paint(self, painter: QPainter, theme: Theme) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        labels: list[tuple[Tag, str, bool]] = []
        self._paint_comments(painter, theme, "frame")
        errors = {(p.node, p.port) for p in self.analysis.problems if p.severity == ERROR and p.port}
        for edge, route in self.wires:
            label, dashed, width = label_of(edge, self.analysis)
            failing = tuple(edge.target) in errors
            painter.setPen(pen_of(theme, dashed, failing, width=width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(route.path)
            if label:
                labels.append((tag(label, route, edge.source, failing, dashed), label, failing))
        self._paint_comments(painter, theme, "note")
        for at in self.dots:
            painter.translate(at)
            paint_dot(painter, theme)
            painter.translate(-at)
        for id, face in self.faces.items():
            painter.save()
            painter.translate(self.at[id])
            paint_node(painter, face, Mood(), theme, 1.0)
            painter.restore()
        painter.setFont(fonts.mono())
        boxes = label_boxes([each for each, _, _ in labels], self._taken())
        for box, (_, label, failing) in zip(boxes, labels, strict=True):
            if box is None:
                continue
            painter.fillRect(box, theme.color(ground_of(box, self.comments, theme)))
            painter.setPen(theme.color("error" if failing else label_color(theme)))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)

    def _taken(self) -> list[Box]:
        """Return the boxes where no label may stand."""
        boxes = [self.body(id) for id in self.faces]
        boxes += [
            face.note.rect.translated(self.at[id]) for id, face in self.faces.items() if face.note is not None
        ]
        for comment in self.comments:
            boxes += words_of(comment, QPointF(*comment.box[:2]))
        boxes += [QRectF(at.x() - DOT, at.y() - DOT, 2 * DOT, 2 * DOT) for at in self.dots]
        return [box_of(box) for box in boxes]

    def _paint_comments(self, painter: QPainter, theme: Theme, kind: str) -> None:
        paint = {"frame": paint_frame, "note": paint_note}[kind]
        for comment in self.comments:
            if comment.kind == kind:
                painter.save()
                painter.translate(*comment.box[:2])
                paint(painter, comment, theme)
                painter.restore()


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
    """Write a network as the ending of ``path`` says; ``scale`` is pixels per unit of a PNG.

    Needs a QGuiApplication but no window. Raises FileError for another ending or a file that cannot be
    written; nothing is left behind then.
    """
    path = Path(path)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise FileError(f"{path.name} should end in .png, .svg or .pdf to tell what to draw.")
    drawing = _Drawing(document, analysis)
    data = QBuffer()
    data.open(QIODevice.OpenModeFlag.WriteOnly)
    if not kind(drawing, drawing.bounds(), theme, data, scale):
        raise FileError(f"The picture could not be drawn for {path}.")
    try:
        write_bytes(path, data.data().data())
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror or error}.") from error


def svg(document: Document, analysis: Analysis, theme: Theme) -> str:
    """Return a network as the text of an SVG, for a page that it is a part of. Raises FileError."""
    drawing, data = _Drawing(document, analysis), QBuffer()
    data.open(QIODevice.OpenModeFlag.WriteOnly)
    if not _svg(drawing, drawing.bounds(), theme, data, 1.0):
        raise FileError("The network could not be drawn.")
    return data.data().data().decode()


def _png(drawing: _Drawing, bounds: QRectF, theme: Theme, to: QIODevice, scale: float) -> bool:
    scale = min(scale, LARGEST / max(bounds.width(), bounds.height()))
    size = (bounds.size() * scale).toSize().expandedTo(QSize(1, 1))
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(theme.color("canvas"))
    painter = QPainter(image)
    painter.scale(scale, scale)
    painter.translate(-bounds.topLeft())
    drawing.paint(painter, theme)
    painter.end()
    return image.save(to, "PNG")


def _svg(drawing: _Drawing, bounds: QRectF, theme: Theme, to: QIODevice, scale: float) -> bool:
    from PySide6.QtSvg import QSvgGenerator  # a library of its own, needed only here

    generator = QSvgGenerator()
    generator.setOutputDevice(to)
    generator.setTitle("Network")
    generator.setResolution(96)
    generator.setSize(bounds.size().toSize())
    generator.setViewBox(QRectF(QPointF(0, 0), QSizeF(bounds.size())))
    return _on_page(generator, drawing, bounds, theme, 1.0)


def _pdf(drawing: _Drawing, bounds: QRectF, theme: Theme, to: QIODevice, scale: float) -> bool:
    """One page as large as the drawing; curves stay curves and words stay words, in embedded fonts."""
    longest = max(bounds.width(), bounds.height())
    points = min(
        0.75, LONGEST_PAGE / longest
    )  # a unit is a pixel of 1/96 inch, where the page is not too large
    writer = QPdfWriter(to)
    writer.setResolution(PDF_DPI)
    writer.setPageMargins(QMarginsF())
    size = QSizeF(bounds.size() * points)
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    # A page that is wider than high is turned otherwise, with its sides exchanged.
    writer.setPageOrientation(QPageLayout.Orientation.Portrait)
    writer.setTitle("Network")
    writer.setCreator("Netwright")
    return _on_page(writer, drawing, bounds, theme, points * PDF_DPI / 72)


class _Typesetter(QPainter):
    """Sets words in plain figures: those of one width are found by no search and copied as other letters."""

    def setFont(self, font: QFont) -> None:
        if hasattr(font, "unsetFeature"):  # Qt 6.7, as where it is set
            font = QFont(font)
            font.unsetFeature(QFont.Tag("tnum"))
        super().setFont(font)


def _on_page(device: QPaintDevice, drawing: _Drawing, bounds: QRectF, theme: Theme, pixels: float) -> bool:
    """Paint the ground and the drawing on a page without its margins; ``pixels`` is how many are a unit."""
    painter = _Typesetter()
    if not painter.begin(device):
        return False
    painter.scale(pixels, pixels)
    painter.fillRect(QRectF(QPointF(0, 0), bounds.size()), theme.color("canvas"))
    painter.translate(-bounds.topLeft())
    drawing.paint(painter, theme)
    return painter.end()


KINDS = {".png": _png, ".svg": _svg, ".pdf": _pdf}
"""How each ending is drawn."""
