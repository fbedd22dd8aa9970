"""The few icons there are, drawn as paths on a 16 x 16 grid and tinted with the theme."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF, QTransform

SIZE = 16
_SCALES = (1, 2, 3)


def _bars(*rects: tuple[float, float, float, float]) -> QPainterPath:
    path = QPainterPath()
    for x, y, w, h in rects:
        path.addRoundedRect(QRectF(x, y, w, h), 1, 1)
    return path


def _rounded(x: float, y: float, w: float, h: float) -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(x, y, w, h), h / 2, h / 2)
    return path


def _polygon(*points: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(*point) for point in points]))
    path.closeSubpath()
    return path


def _line(*points: tuple[float, float]) -> QPainterPath:
    path = QPainterPath(QPointF(*points[0]))
    for point in points[1:]:
        path.lineTo(*point)
    return path


def _joined(*paths: QPainterPath) -> QPainterPath:
    whole = QPainterPath()
    for path in paths:
        whole.addPath(path)
    return whole


def _turned(path: QPainterPath, degrees: float) -> QPainterPath:
    """Turn a path about the middle of the grid."""
    turn = QTransform().translate(SIZE / 2, SIZE / 2).rotate(degrees).translate(-SIZE / 2, -SIZE / 2)
    return turn.map(path)


def _circle(x: float, y: float, radius: float) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(x, y), radius, radius)
    return path


_FILLED: dict[str, Callable[[], QPainterPath]] = {
    "play": lambda: _polygon((4.5, 2.8), (13, 8), (4.5, 13.2)),
    "pause": lambda: _bars((4, 3, 2.8, 10), (9.2, 3, 2.8, 10)),
    "step": lambda: _joined(_polygon((3, 3), (10, 8), (3, 13)), _bars((10.6, 3, 2.2, 10))),
    "stop": lambda: _bars((3.5, 3.5, 9, 9)),
    "error": lambda: _circle(8, 8, 6.5),
    "warning": lambda: _polygon((8, 1.8), (15, 14), (1, 14)),
    "info": lambda: _circle(8, 8, 6.5),
}
_STROKED: dict[str, Callable[[], QPainterPath]] = {
    "plus": lambda: _joined(_line((8, 3), (8, 13)), _line((3, 8), (13, 8))),
    "pencil": lambda: _joined(
        _line((3, 13), (3.6, 10.2), (11, 2.8), (13.2, 5), (5.8, 12.4), (3, 13)),
        _line((9.3, 4.5), (11.5, 6.7)),
    ),
    "close": lambda: _joined(_line((4, 4), (12, 12)), _line((12, 4), (4, 12))),
    "check": lambda: _line((3, 8.5), (6.5, 12), (13, 4.5)),
    "chevron": lambda: _line((4.5, 6.5), (8, 10), (11.5, 6.5)),
    "folder": lambda: _line((2, 12.5), (2, 3.5), (6, 3.5), (7.5, 5.5), (14, 5.5), (14, 12.5), (2, 12.5)),
    "copy": lambda: _joined(_bars((5.5, 5.5, 8, 8)), _line((3, 10.5), (2.5, 10.5), (2.5, 2.5), (10.5, 2.5))),
    "link": lambda: _joined(_rounded(1.5, 5, 8, 6), _rounded(6.5, 5, 8, 6)),
    "snowflake": lambda: _joined(
        *(_turned(_line((8, 1.2), (8, 14.8)), angle) for angle in (0, 60, 120)),
        *(_turned(_line((6.2, 2.2), (8, 3.9), (9.8, 2.2)), 60 * place) for place in range(6)),
    ),
    "export": lambda: _joined(
        _line((8, 2.5), (8, 10)), _line((4.8, 6.8), (8, 10), (11.2, 6.8)), _line((2.5, 13.5), (13.5, 13.5))
    ),
    "code": lambda: _joined(_line((5.5, 4), (1.8, 8), (5.5, 12)), _line((10.5, 4), (14.2, 8), (10.5, 12))),
    "cube": lambda: _joined(
        _polygon((8, 1.8), (13.6, 4.9), (13.6, 11.1), (8, 14.2), (2.4, 11.1), (2.4, 4.9)),
        _line((2.4, 4.9), (8, 8), (13.6, 4.9)),
        _line((8, 8), (8, 14.2)),
    ),
    "picture": lambda: _joined(
        _bars((1.8, 2.8, 12.4, 10.4)), _line((2.5, 11.5), (6, 7.5), (8.8, 10.5), (10.6, 8.8), (13.6, 11.8))
    ),
    "rack": lambda: _joined(
        *(_bars((2.2, y, 11.6, 4.4)) for y in (2.6, 9)), *(_line((5, y), (5.8, y)) for y in (4.8, 11.2))
    ),
}
_MARKS = {"error": "!", "warning": "!", "info": "i"}


def paint_icon(painter: QPainter, name: str, color: QColor, x: float, y: float, size: float = SIZE) -> None:
    """Draw an icon with its upper left corner at (x, y)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(x, y)
    painter.scale(size / SIZE, size / SIZE)
    if name in _FILLED:
        painter.fillPath(_FILLED[name](), color)
    else:
        pen = QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(_STROKED[name](), pen)
    if name in _MARKS:
        painter.setPen(QColor("#FFFFFF" if color.lightnessF() < 0.55 else "#14161B"))
        font = painter.font()
        font.setPixelSize(9)
        font.setBold(True)
        painter.setFont(font)
        box = QRectF(0, 2 if name == "warning" else 0, SIZE, SIZE)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _MARKS[name])
    painter.restore()


def icon(name: str, color: QColor, faint: QColor | None = None) -> QIcon:
    """Return an icon in one color, sharp up to three device pixels for a pixel; ``faint`` when disabled."""
    result = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, faint or color)):
        for scale in _SCALES:
            pixmap = QPixmap(SIZE * scale, SIZE * scale)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            paint_icon(painter, name, tint, 0, 0, SIZE * scale)
            painter.end()
            pixmap.setDevicePixelRatio(scale)
            result.addPixmap(pixmap, mode)
    return result
