"""Moving over the canvas: zoom, pan, fit, the grid, and the overview that is painted from afar."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil, floor

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPixmap, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from gui.bench import Bench
from gui.canvas.glide import Glide
from gui.canvas.node_paint import STRIP_FROM, TEXT_FROM
from gui.canvas.scene import CanvasScene
from gui.motion import moves
from gui.session import Place

NEAREST, FARTHEST = 4.0, 0.02
WHEEL = 60
"""Pixels of one notch where the wheel moves the canvas."""
STEP = 1.2
"""Zoom of one notch of the wheel."""
GRID_STEP = 24
MANY = 150
"""Visible nodes from which small ones are painted as an overview."""
_WORLD = QRectF(-1e6, -1e6, 2e6, 2e6)
_log = logging.getLogger(__name__)


class Navigator(QGraphicsView):
    """A view of the scene that can be moved over; it edits nothing."""

    arrived = Signal()
    """What was to be shown is in view now."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self.graph = CanvasScene(bench, self)
        self.setScene(self.graph)
        self.setSceneRect(_WORLD)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setOptimizationFlags(
            QGraphicsView.OptimizationFlag.DontSavePainterState
            | QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing
        )
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fitted = True
        """Whether the view still shows all because nobody has moved over it: it then follows its size."""
        self._gliding_whole = True
        self.wheel_pans = False
        """Whether the wheel moves the canvas, and zooms with Ctrl only."""
        self._grid: tuple[tuple, QPixmap] | None = None
        self._looking = QTimer(self, singleShot=True, interval=120)
        self._looking.timeout.connect(self._look)
        self.graph.arranged.connect(self._looking.start)
        self.graph.grown.connect(self._keep_all)
        self._glide = Glide(self, self._show_place)
        self._glide.finished.connect(self.arrived)
        # Qt forgets where an item stood if its new place is painted, for a label's sake, before the scene has
        # told the view of the move: what was there would stay on the screen.
        self.graph.arranged.connect(lambda: self.viewport().update())

    # -- zoom and pan ----------------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Pixels per unit."""
        return self.transform().m11()

    def zoom_to(self, factor: float, at: QPointF | None = None) -> None:
        """Show the canvas at a scale; the point ``at`` of the viewport, or its middle, stays in place."""
        self._glide.stop()
        factor = min(max(factor, FARTHEST), NEAREST)
        at = at if at is not None else QRectF(self.viewport().rect()).center()
        before = self.map_to_canvas(at)
        self.setTransform(QTransform.fromScale(factor, factor))
        self._hold(before, at)
        self._fitted = False

    def zoom_in(self) -> None:
        """Come one notch nearer."""
        self.zoom_to(self.zoom * STEP)

    def zoom_out(self) -> None:
        """Go one notch farther."""
        self.zoom_to(self.zoom / STEP)

    def map_to_canvas(self, at: QPointF) -> QPointF:
        """Return the place on the canvas under a point of the viewport, to the fraction of a pixel."""
        return self.viewportTransform().inverted()[0].map(at)

    def _hold(self, place: QPointF, at: QPointF) -> None:
        drift = self.viewportTransform().map(place) - at
        self.pan(-drift)

    def pan(self, by: QPointF) -> None:
        """Move the canvas by pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(by.x()))
        down.setValue(down.value() - round(by.y()))
        self._fitted = False
        self.moved()

    def fit_all(self) -> None:
        """Show the whole network, not larger than life."""
        self._fit(self.graph.bounds(), whole=True, eased=True)

    def show_all(self) -> None:
        """Show the whole network at once, as where it comes into view."""
        self._fit(self.graph.bounds(), whole=True)

    def _keep_all(self) -> None:
        if self._fitted and not self.visible_rect().contains(self.graph.bounds()):
            self.fit_all()

    def fit_selection(self) -> None:
        """Show what is selected, or all if nothing is."""
        chosen = self.bench.store.chosen
        if not chosen:
            self.fit_all()
            return
        self._fit(self.graph.bounds(chosen), eased=True)

    def _fit(self, box: QRectF, whole: bool = False, eased: bool = False) -> None:
        self._glide.stop()
        self._gliding_whole = whole
        port = self._port()
        if box.isEmpty() or port.width() < 10 or port.height() < 10:
            self.setTransform(QTransform())
            self.centerOn(box.center())
            self._fitted = whole
            self.moved()
            return
        factor = min(port.width() / box.width(), port.height() / box.height(), 1.0)
        factor = max(factor, FARTHEST)
        self._go(factor, box.center(), eased)

    def _go(self, factor: float, place: QPointF, eased: bool) -> None:
        """Show a place at a scale, on a short way if the window may move by itself."""
        if eased and moves(self):
            middle = self.map_to_canvas(self._port().center())
            self._glide.go((self.zoom, factor), (middle, place))
        else:
            self._show_place(factor, place)
            self.arrived.emit()

    def _show_place(self, factor: float, place: QPointF) -> None:
        """Show a place in the middle of what the caption leaves free."""
        self.setTransform(QTransform.fromScale(factor, factor))
        self._hold(place, self._port().center())
        self._fitted = self._gliding_whole

    def _port(self) -> QRectF:
        return QRectF(self.viewport().rect()).adjusted(28, 52, -28, -28)

    def place(self) -> Place:
        """Return where one looks."""
        return Place(self.zoom, self.map_to_canvas(self._port().center()), self._fitted)

    def go_to(self, place: Place) -> None:
        """Look where one looked before."""
        self._glide.stop()
        if place.whole:
            self.show_all()
        else:
            self._gliding_whole = False
            self._show_place(place.zoom, place.middle)

    def show_node(self, id: str) -> None:
        """Bring a node or a comment into view if it is not, and select it."""
        item = self.graph.item(id)
        if item is None:
            return
        self.bench.store.select({id})
        self._glide.stop()
        near = self.zoom >= TEXT_FROM
        if not near or not self.visible_rect().contains(item.body()):
            self._gliding_whole = False
            self._go(self.zoom if near else 1.0, item.body().center(), eased=True)
        else:
            self.arrived.emit()
        self.moved()

    def visible_rect(self) -> QRectF:
        """Return the part of the canvas that is in view."""
        return self.viewportTransform().inverted()[0].mapRect(QRectF(self.viewport().rect()))

    def moved(self) -> None:
        """Something else is in view now; subclasses tell their overlays."""
        self._looking.start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels = event.pixelDelta()
        fingers = event.phase() != Qt.ScrollPhase.NoScrollPhase and not pixels.isNull()
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if fingers and not control:
            self.pan(QPointF(pixels))
        elif self.wheel_pans and not control:
            way = QPointF(event.angleDelta()) * (WHEEL / 120)
            aside = event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not way.x()
            self.pan(QPointF(way.y(), 0) if aside else way)
        else:
            notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
            self.zoom_to(self.zoom * STEP**notches, event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Wheel, QEvent.Type.MouseButtonPress, QEvent.Type.NativeGesture):
            self._glide.stop()  # the hand is right
        if (
            event.type() == QEvent.Type.NativeGesture
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_to(self.zoom * (1 + event.value()), event.position())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.show_all()
        self.moved()

    def showEvent(self, event: QEvent) -> None:
        super().showEvent(event)
        if self._fitted:
            self.show_all()
        self.moved()

    def hideEvent(self, event: QEvent) -> None:
        super().hideEvent(event)
        self._looking.start()

    def _look(self) -> None:
        """Tell the run which nodes are worth a miniature."""
        seen: frozenset[str] = frozenset()
        if self.isVisible() and self.zoom >= STRIP_FROM and not self.far():
            port = self.visible_rect()
            seen = frozenset(id for id, item in self.graph.nodes.items() if port.intersects(item.body()))
        self.bench.look(visible_nodes=seen)

    # -- painting --------------------------------------------------------------------------------------

    def far(self) -> bool:
        """Whether the nodes are so small, or so many, that only their boxes are painted."""
        if self.zoom >= TEXT_FROM:
            return False
        return self.zoom < 0.16 or len(self.graph.nodes) * self._share_in_view() > MANY

    def _share_in_view(self) -> float:
        """Return about which share of the nodes is in view, without asking each."""
        area, port = self.graph.sceneRect(), self.visible_rect()
        whole = area.width() * area.height()
        common = area.intersected(port)
        return common.width() * common.height() / whole if whole else 0.0

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.far():
            self.graph.exposed = event.region()
            super().paintEvent(event)
            self.graph.exposed = None
            return
        try:
            painter = QPainter(self.viewport())
            self._paint_far(painter, event.rect())
            painter.end()
        except Exception:  # an exception that leaves an event override can end the process
            _log.exception("The overview could not be painted")

    def _paint_far(self, painter: QPainter, exposed: object) -> None:
        theme = self.bench.theme
        painter.fillRect(exposed, theme.color("canvas"))
        painter.setTransform(self.viewportTransform())
        boxes, lines = self.graph.overview()
        self.graph.marks.paint_far(painter)
        painter.setPen(QPen(theme.color("wire"), 0))
        painter.drawLines(lines)
        painter.setPen(Qt.PenStyle.NoPen)
        for color, group in boxes.items():
            painter.setBrush(theme.color(color))
            painter.drawRects(group)
        chosen = [self.graph.nodes[id].body() for id in self.bench.store.selection if id in self.graph.nodes]
        if chosen:
            pen = QPen(theme.color("accent"), 2)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRects(chosen)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        self.paint_safely("background", lambda: self._paint_background(painter, rect))

    def _paint_background(self, painter: QPainter, rect: QRectF) -> None:
        theme = self.bench.theme
        more = 2 / self.zoom  # what is exposed may end within a pixel of the screen, which must not be mixed
        rect = rect.adjusted(-more, -more, more, more)
        painter.fillRect(rect, theme.color("canvas"))
        strength = min(max((self.zoom - 0.35) / 0.35, 0.0), 1.0)
        if strength:
            self._paint_grid(painter, rect, strength)

    def _paint_grid(self, painter: QPainter, rect: QRectF, strength: float) -> None:
        """Paint the dots row by row: a copied row costs a few microseconds, at every zoom the same."""
        top, left = (floor(edge / GRID_STEP - 0.5) for edge in (rect.top(), rect.left()))
        bottom, right = (ceil(edge / GRID_STEP - 0.5) for edge in (rect.bottom(), rect.right()))
        to_screen = painter.transform()
        start = to_screen.map(QPointF(left + 0.5, top + 0.5) * GRID_STEP)
        edge = floor(start.x())
        row = self._grid_row(right - left + 1, start.x() - edge, strength)
        middle = row.deviceIndependentSize().height() / 2
        step = GRID_STEP * self.zoom
        painter.save()
        painter.resetTransform()
        for line in range(bottom - top + 1):
            painter.drawPixmap(QPointF(edge - middle, round(start.y() + line * step) - middle), row)
        painter.restore()

    def _grid_row(self, dots: int, first: float, strength: float) -> QPixmap:
        """Return a row of dots, sharp on any screen; its first stands ``first`` pixels from its place."""
        theme, step, sharp = self.bench.theme, GRID_STEP * self.zoom, self.devicePixelRatioF()
        radius = min(max(self.zoom, 0.7), 2.5)
        middle = ceil(radius) + 1
        key = (dots, round(first, 2), self.zoom, sharp, theme.name)
        if self._grid is None or self._grid[0] != key:
            row = QPixmap(QSize(ceil(2 * middle + dots * step), 2 * middle) * sharp)
            row.setDevicePixelRatio(sharp)
            row.fill(theme.color("canvas"))
            painter = QPainter(row)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("grid", round(255 * strength)))
            for dot in range(dots):
                painter.drawEllipse(QPointF(middle + first + dot * step, middle), radius, radius)
            painter.end()
            self._grid = (key, row)
        return self._grid[1]

    def paint_safely(self, what: str, paint: Callable[[], None]) -> None:
        """Paint, and log instead of raising: an exception here can end the process."""
        try:
            paint()
        except Exception:
            _log.exception("The canvas' %s could not be painted", what)

    def to_view(self, place: QPointF) -> QPoint:
        """Return the point of the viewport at a place of the canvas."""
        return self.viewportTransform().map(place).toPoint()
