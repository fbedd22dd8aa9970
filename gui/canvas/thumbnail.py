"""The small drawing of a network on a card: its blocks by size, its few neurons, or its points."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log2, prod

import networkx as nx
import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from engine.data.source import Source
from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Node
from engine.graph.layout import layout
from engine.graph.view import graph_of
from engine.layers.declaration import Layer
from gui.theme import CATEGORY, CLASSES, Theme

_WIDE = ("out_channels", "hidden_size", "embedding_dim", "num_features")
_UNITS = ("out_features",)
_MOST_NEURONS = 8
_POINTS = 150
SHARPNESS = 2


@dataclass(slots=True)
class _Block:
    """A node as a block: where it stands in the grid of columns and lanes, and its size in parts of 1."""

    id: str
    column: int
    lane: float
    width: float
    height: float
    color: str
    units: int


def thumbnail(document: Document, theme: Theme, size: QSize) -> QImage:
    """Return the small drawing of a network; ``size`` is in pixels of a card, the image is twice as sharp."""
    image = QImage(size * SHARPNESS, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(SHARPNESS)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    try:
        paint_thumbnail(document, theme, painter, QRectF(0, 0, size.width(), size.height()))
    finally:
        painter.end()
    return image


def paint_thumbnail(document: Document, theme: Theme, painter: QPainter, area: QRectF) -> None:
    """Paint the small drawing of a network into an area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(area, theme.color("canvas"))
    blocks = _blocks(document)
    if not blocks:
        return
    inner = area.adjusted(
        area.width() * 0.1, area.height() * 0.14, -area.width() * 0.1, -area.height() * 0.14
    )
    neurons = _neurons(document, blocks)
    points = None if neurons else _points(document)
    if neurons:
        _paint_neurons(painter, inner, neurons, theme)
    elif points is not None:
        _paint_points(painter, inner, *points)
    else:
        _paint_blocks(painter, inner, document, blocks, theme)


def _blocks(document: Document) -> dict[str, _Block]:
    """Give every node a column by depth, a lane by the layout, and a size by its parameters."""
    graph = nx.DiGraph(graph_of(_without_labels(document)))
    if not nx.is_directed_acyclic_graph(graph):
        return {}
    places = layout(document)
    generations = list(nx.topological_generations(graph))
    depth = {id: column for column, ids in enumerate(generations) for id in ids}
    for id in depth:  # a source stands beside its first reader, not at the far left
        readers = [depth[reader] for reader in graph.successors(id)]
        if not list(graph.predecessors(id)) and readers:
            depth[id] = min(readers) - 1
    columns: dict[int, list[str]] = {}
    for id, column in depth.items():
        columns.setdefault(column, []).append(id)
    first = min(columns, default=0)
    blocks: dict[str, _Block] = {}
    extent: dict[str, float] = {}
    for id in nx.topological_sort(graph):
        node = document.nodes[id]
        layer = layer_of(document, node.type)
        mates = sorted(columns[depth[id]], key=lambda each: places[each][1])
        before = [extent[each] for each in graph.predecessors(id)]
        extent[id], width, height, units = _size(node, layer, max(before, default=1.0))
        lane = mates.index(id) - (len(mates) - 1) / 2
        color = CATEGORY.get(layer.category, CATEGORY["Shape"])
        blocks[id] = _Block(id, depth[id] - first, lane, width, height, color, units)
    return blocks


def _without_labels(document: Document) -> Document:
    """Return the document without what only tells the losses the right answer: the model is the picture."""
    roles = {id: layer_of(document, node.type).role for id, node in document.nodes.items()}
    edges = {
        target: source
        for target, source in document.edges.items()
        if roles[target.node] != "loss" or roles[source.node] not in ("data", "input")
    }
    joined = {slot.node for ends in edges.items() for slot in ends}
    nodes = {id: n for id, n in document.nodes.items() if id in joined or roles[id] not in ("data", "input")}
    return document.with_(nodes=nodes or document.nodes, edges=edges)


def _size(node: Node, layer: Layer, extent: float) -> tuple[float, float, float, int]:
    """Return how far the picture has shrunk behind a node, the block's width and height, and its units.

    Heights stand for the picture's extent or the number of units, widths for the number of channels.
    """
    values = layer.values(node.params)
    stride = values.get("stride")
    stride = stride[0] if isinstance(stride, tuple) else stride
    if layer.category == "Pooling" and stride is None:
        stride = values.get("kernel_size", 2)
        stride = stride[0] if isinstance(stride, tuple) else stride
    if isinstance(stride, int) and stride > 1:
        extent *= 0.78
    wide = next((values[name] for name in _WIDE if isinstance(values.get(name), int)), 0)
    units = next((values[name] for name in _UNITS if isinstance(values.get(name), int)), 0)
    if units:
        return extent, 0.5, min(max(log2(units + 1) / 8, 0.22), 1.0), units
    width = min(0.45 + log2(wide + 1) / 14, 1.0) if wide else 0.42
    if layer.role == "loss":
        return extent, 0.5, 0.3, 0
    if layer.category in ("Activation", "Shape", "Arithmetic", "Regularization", "Augmentation"):
        return extent, 0.3, max(extent * 0.5, 0.18), 0
    return extent, width, max(extent, 0.3), 0


def _paint_blocks(
    painter: QPainter, area: QRectF, document: Document, blocks: dict[str, _Block], theme: Theme
) -> None:
    columns = 1 + max(block.column for block in blocks.values())
    lanes = 1 + 2 * max(abs(block.lane) for block in blocks.values())
    step = min(area.width() / columns, 44.0)
    left = area.center().x() - step * columns / 2
    rise = area.height() / lanes
    boxes: dict[str, QRectF] = {}
    for block in blocks.values():
        width = max(step * 0.62 * block.width, 2.5)
        height = max(min(rise * (0.92 if lanes == 1 else 0.66), 66.0) * block.height, 5.0)
        box = QRectF(0, 0, width, height)
        box.moveCenter(QPointF(left + (block.column + 0.5) * step, area.center().y() + block.lane * rise))
        boxes[block.id] = box
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("wire"), 1.3))
    for target, source in _without_labels(document).edges.items():
        a, b = boxes[source.node], boxes[target.node]
        painter.drawPath(_curve(a, b, blocks[target.node].column - blocks[source.node].column, rise))
    painter.setPen(Qt.PenStyle.NoPen)
    for id, box in boxes.items():
        painter.setBrush(QColor(blocks[id].color))
        radius = min(3.0, box.width() / 3)
        painter.drawRoundedRect(box, radius, radius)


def _curve(a: QRectF, b: QRectF, columns: int, rise: float) -> QPainterPath:
    start, end = QPointF(a.right(), a.center().y()), QPointF(b.left(), b.center().y())
    if columns > 1 and abs(start.y() - end.y()) < 1:  # a shortcut: an arc over what it skips
        start, end = QPointF(a.center().x(), a.center().y()), QPointF(b.center().x(), b.center().y())
        lift = min(rise * 0.62, 12.0 + 9.0 * columns)
        path = QPainterPath(start)
        path.cubicTo(start - QPointF(0, lift * 1.33), end - QPointF(0, lift * 1.33), end)
        return path
    reach = max((end.x() - start.x()) / 2, 4.0)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
    return path


def _neurons(document: Document, blocks: dict[str, _Block]) -> list[tuple[int, str]]:
    """Return the layers of a small dense network as numbers of neurons, or nothing if it is not one."""
    dense: list[tuple[int, str]] = []
    for id in sorted(blocks, key=lambda each: blocks[each].column):
        node = document.nodes[id]
        layer = layer_of(document, node.type)
        if node.type == "Linear":
            dense.append((blocks[id].units, blocks[id].color))
        elif layer.category not in ("Data", "Augmentation", "Activation", "Loss", "Regularization"):
            return []
    if not dense or any(count > _MOST_NEURONS for count, _ in dense[:-1]):
        return []
    sizes = [_numbers(document, node) for node in document.nodes.values() if not document.incoming(node.id)]
    inputs = max(sizes, default=0)
    if not 0 < inputs <= _MOST_NEURONS:
        return []
    return [(inputs, CATEGORY["Data"]), *((min(count, _MOST_NEURONS), color) for count, color in dense)]


def _numbers(document: Document, node: Node) -> int:
    """Return how many numbers one sample of a source has, or 0 if that is not known without loading it."""
    layer = layer_of(document, node.type)
    values = layer.values(node.params)
    if isinstance(values.get("shape"), tuple):
        return prod(values["shape"])
    if not isinstance(layer, Source) or any(param.outside for param in layer.params):
        return 0  # a card does not open files
    try:
        return prod(layer.types(values)[0].shape[1:])
    except EngineError:
        return 0


def _points(document: Document) -> tuple[np.ndarray, np.ndarray] | None:
    """Return some of the points in the plane that the network is shown, with their classes, or None."""
    for node in document.nodes.values():
        layer = layer_of(document, node.type)
        if isinstance(layer, Source) and layer.param("samples") is not None and _numbers(document, node) == 2:
            values = {**layer.values(node.params), "samples": _POINTS}
            try:
                fields = list(layer.load(values).fields.values())
            except EngineError:
                return None
            points = np.asarray(fields[0].values, np.float64)[:_POINTS]
            classes = np.asarray(fields[-1].values)[:_POINTS]
            fits = points.ndim == 2 and classes.ndim == 1 and np.issubdtype(classes.dtype, np.integer)
            return (points, classes) if fits else None
    return None


def _paint_points(painter: QPainter, area: QRectF, points: np.ndarray, classes: np.ndarray) -> None:
    low, high = points.min(0), points.max(0)
    scale = min(area.width(), area.height()) / max(float((high - low).max()), 1e-9)
    middle = (low + high) / 2
    painter.setPen(Qt.PenStyle.NoPen)
    for (x, y), label in zip(points - middle, classes, strict=True):
        painter.setBrush(QColor(CLASSES[int(label) % len(CLASSES)]))
        painter.drawEllipse(area.center() + QPointF(x * scale, -y * scale), 2.2, 2.2)


def _paint_neurons(painter: QPainter, area: QRectF, neurons: list[tuple[int, str]], theme: Theme) -> None:
    most = max(count for count, _ in neurons)
    gap = min(area.height() / max(most, 3), 22.0)
    radius = min(gap * 0.3, 5.5)
    step = min(area.width() / max(len(neurons) - 1, 1), 70.0)
    left = area.center().x() - step * (len(neurons) - 1) / 2
    columns = [
        [QPointF(left + place * step, area.center().y() + (n - (count - 1) / 2) * gap) for n in range(count)]
        for place, (count, _) in enumerate(neurons)
    ]
    painter.setPen(QPen(theme.color("wire"), 0.9))
    for before, after in pairwise(columns):
        painter.drawLines([QLineF(a, b) for a in before for b in after])
    painter.setPen(Qt.PenStyle.NoPen)
    for spots, (_, color) in zip(columns, neurons, strict=True):
        painter.setBrush(QColor(color))
        for spot in spots:
            painter.drawEllipse(spot, radius, radius)
