"""A wire: a native path, so that Python does not run while it is painted."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from engine.compiler.analysis import Analysis
from engine.graph.document import Edge
from engine.layers.declaration import TensorType
from gui.canvas.placing import Tag, tag
from gui.canvas.routing import Route
from gui.style import mix
from gui.theme import Theme

WIDTH = 2.2
_WIDTHS = ((32, 1.6), (1024, WIDTH), (32_768, 2.8))
"""Up to how many numbers a wire is how thick."""
THICKEST = 3.4
REACH = 7.0
"""How near the pointer must be to mean the wire."""


class WireItem(QGraphicsPathItem):
    """One edge; its label is painted by the scene, over the nodes and only where it can be read."""

    def __init__(self, edge: Edge):
        super().__init__()
        self.edge = edge
        self.route: Route | None = None
        self.label = ""
        self.label_box = QRectF()
        """Where the label is shown; empty where it is not."""
        self._tag: Tag | None = None
        self.row = 0
        """Its place in the list of labels."""
        self.dashed = self.failing = self.lit = False
        self.width = WIDTH
        self._shape: QPainterPath | None = None
        self.setZValue(-1)

    def set_route(self, route: Route) -> None:
        """Take another way."""
        self.prepareGeometryChange()  # while the shape is still the old one: what it covered is repainted
        self.route = route
        self._shape = self._tag = None
        self.setPath(route.path)

    def set_label(self, carried: Carried, failing: bool) -> None:
        """Change what is known about the tensor on it."""
        self.label, self.dashed, self.width = carried
        self.failing = failing
        self._tag = None

    def tag(self) -> Tag:
        """Return its label as it is to be placed; it has a route and a label."""
        if self._tag is None:
            self._tag = tag(self.label, self.route, self.edge.source, self.failing, self.dashed)
        return self._tag

    def set_theme(self, theme: Theme) -> None:
        """Choose the pen by state."""
        self.setPen(pen_of(theme, self.dashed, self.failing, self.lit, self.width))

    def shape(self) -> QPainterPath:
        if self.route is None:
            return QPainterPath()
        if self._shape is None:  # from the route, because setPath() asks before the path has changed
            stroker = QPainterPathStroker()
            stroker.setWidth(2 * REACH)
            self._shape = stroker.createStroke(self.route.path)
        return self._shape


@lru_cache(maxsize=64)
def pen_of(theme: Theme, dashed: bool, failing: bool, lit: bool = False, width: float = WIDTH) -> QPen:
    """Return the pen of a wire."""
    color = theme.color("error" if failing else "accent" if lit else "wire")
    pen = QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setWidthF(1.8)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([3.2, 2.6])
    return pen


class Carried(NamedTuple):
    """What a wire tells of its tensor: the words, dashes for whole numbers, and a width for its size."""

    label: str = ""
    dashed: bool = False
    width: float = WIDTH


def label_of(edge: Edge, analysis: Analysis) -> Carried:
    """Return what a wire tells of its tensor."""
    tensor = analysis.type_of(edge)
    if tensor is None:
        return Carried()
    if tensor.dtype in ("int", "bool"):
        return Carried(f"{edge.source.port} · {tensor.sample}", True)
    return Carried(tensor.sample, False, width_of(tensor))


def width_of(tensor: TensorType) -> float:
    """Return how thick a wire is: in steps, by how many numbers one sample holds."""
    numbers = prod(size for size in tensor.shape if isinstance(size, int))
    return next((width for most, width in _WIDTHS if numbers <= most), THICKEST)


def label_color(theme: Theme) -> str:
    """Return the color of a shape on the canvas."""
    return mix(theme.muted, theme.text, 0.25)
