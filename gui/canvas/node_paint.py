"""How a node is painted: the same for the canvas and for a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
)

from engine.graph.document import BYPASSED, MUTED
from gui.canvas import fonts
from gui.canvas import strip as strips
from gui.canvas.chips import paint_chip
from gui.canvas.face import FOOT, HEADER, INSET, LINK, PAD, PORT, TITLE_LEFT, Face
from gui.canvas.strip import Strip
from gui.cost import Heat, tint
from gui.icons import paint_icon
from gui.objective_colors import ground
from gui.style import mix
from gui.theme import CAPTION_PX, NODE_RADIUS, Theme

SHADOW = 18.0
"""How far a shadow reaches beyond the card."""

STACK = (6, 3)
"""How far the cards behind a block show below it."""
TEXT_FROM, STRIP_FROM = 7 / 13, 0.34
"""Scale from which all words can be read, and from which a strip and a large title show anything."""
FAINT, PALE = 0.4, 0.55
"""How opaque what is not in the model is, and what is passed by."""
HATCH = 9
"""Distance of the lines across a muted node."""
THROUGH = 2.6
MOST_DOTS = 8
"""Objectives of a node that are told apart."""
NAME_PX = 9.0
"""Pixels of the title where nothing else can be read."""
_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


@dataclass(slots=True)
class Mood:
    """What changes while one works: selection, the pointer, ports during a drag, live values."""

    selected: bool = False
    target: bool = False
    """Whether what is dropped now would replace it."""
    partner: bool = False
    """Whether it shares weights with a selected node."""
    hovered: bool = False
    lit: tuple[str, bool] | None = None
    """The port under the pointer: its name and whether it is an input."""
    dimmed: frozenset[tuple[str, bool]] = frozenset()
    faded: bool = False
    pressed: bool = False
    """Whether the button of the mend is held down."""
    strip: Strip | None = None
    health: str = ""
    sick: bool = False
    heat: Heat | None = None
    objectives: tuple[str, ...] = ()
    """The colors of the objectives that move it, where they are shown."""
    chip: str = ""
    """The chip under the pointer."""


def paint_node(painter: QPainter, face: Face, mood: Mood, theme: Theme, scale: float) -> None:
    """Paint a node at its own origin; ``scale`` is pixels per unit and decides on the detail."""
    faded = mood.faded or face.out
    if faded:
        painter.setOpacity(FAINT)
    words = scale >= TEXT_FROM
    if scale >= STRIP_FROM and not face.flat:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale > 1)
        painter.drawPixmap(QPointF(-SHADOW, -SHADOW), shadow(face.width, face.height, theme.dark))
    _paint_body(painter, face, mood, theme)
    pale = face.mode == BYPASSED and not faded
    if face.mode:
        _paint_mode(painter, face, theme, scale)
        if pale:
            painter.setOpacity(PALE)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(face.color))
    down = face.height / 2 - (18.5 if words or scale < STRIP_FROM else 24) if face.collapsed else 0
    painter.translate(0, down)
    if words:
        painter.drawRoundedRect(QRectF(PAD, 14, 9, 9), 2.5, 2.5)
        _paint_words(painter, face, mood, theme)
        for chip in face.chips:
            paint_chip(painter, chip, theme, mood.hovered or mood.selected, mood.chip == chip.name)
    elif scale >= STRIP_FROM:
        painter.drawRoundedRect(QRectF(PAD, 18, 12, 12), 3.5, 3.5)
        _paint_name(painter, face, theme, scale)
    else:
        painter.drawRoundedRect(QRectF(PAD, 12, face.width - 2 * PAD, 12), 3, 3)
    painter.translate(0, -down)
    if pale:
        painter.setOpacity(1)
    if mood.heat and scale >= STRIP_FROM:
        text, px = (mood.heat.text, CAPTION_PX) if words else (mood.heat.share, min(_name_px(scale), 18))
        _paint_heat(painter, text, mood.heat.level, theme, px)
    if mood.objectives and scale >= STRIP_FROM:
        _paint_objectives(painter, face, mood.objectives, theme)
    if face.strip is not None and scale >= STRIP_FROM:
        paint_strip(painter, face, mood, theme)
    if face.inner is not None:
        face.inner.paint(painter, theme, scale, face.inner.ground(theme, face.color))
    if scale >= STRIP_FROM:
        _paint_ports(painter, face, mood, theme)
    if face.problem is not None:
        _paint_problem(painter, face, mood, theme, words)
    if faded:
        painter.setOpacity(1)


def paint_live(painter: QPainter, face: Face, mood: Mood, theme: Theme, part: QRectF, scale: float) -> bool:
    """Paint only what a snapshot changes, where no more than ``part`` is to be painted; else return False.

    Most nodes of a run are repainted for nothing else, several times a second.
    """
    inside = face.body.adjusted(PORT / 2 + 0.1, HEADER - 4, -PORT / 2 - 0.1, -1.5)  # clear of ports and edge
    plain = not (mood.faded or mood.heat or mood.objectives or face.out or face.mode or face.missing)
    plain = plain and not face.collapsed and face.inner is None and face.problem is None
    if not plain or face.strip is None or scale < TEXT_FROM or not inside.contains(part):
        return False
    painter.fillRect(part, theme.color("raised"))
    paint_strip(painter, face, mood, theme)
    if face.has_foot:
        _paint_foot(painter, face, mood, theme)
    return True


def _paint_body(painter: QPainter, face: Face, mood: Mood, theme: Theme) -> None:
    body, radius = face.body, NODE_RADIUS
    edge, width = theme.color("line"), 1.0
    if (face.failing and not face.missing) or mood.selected:
        color = "accent" if face.missing or not face.failing else "error"
        if mood.selected:
            painter.setPen(QPen(theme.color(color, 70), 4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(-2.5, -2.5, 2.5, 2.5), radius + 2, radius + 2)
        edge, width = theme.color(color), 1.5
    elif mood.partner or mood.target:
        line = Qt.PenStyle.SolidLine if mood.target else Qt.PenStyle.DashLine
        painter.setPen(QPen(theme.color("accent"), 1.5, line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(body.adjusted(-3, -3, 3, 3), radius + 3, radius + 3)
    elif mood.hovered:
        edge = QColor(mix(theme.line, theme.text, 0.22))
    if face.missing and not mood.selected:
        edge, width = theme.color("muted"), 1.4
    painter.setPen(QPen(edge, width, Qt.PenStyle.DashLine if face.missing else Qt.PenStyle.SolidLine))
    fill = "canvas" if face.missing else "raised"
    fill = fill if face.inner is None else face.inner.ground(theme, face.color)
    painter.setBrush(theme.color(tint(theme, mood.heat.level) if mood.heat else fill))
    if mood.objectives and not mood.heat:
        painter.setBrush(_grounds(face.width, mood.objectives, theme))
    for behind in STACK if face.stacked else ():
        painter.drawRoundedRect(body.adjusted(2 * behind, behind, -2 * behind, behind), radius, radius)
    painter.drawRoundedRect(body, radius, radius)


def _paint_mode(painter: QPainter, face: Face, theme: Theme, scale: float) -> None:
    """Hatch a muted node; draw what enters a bypassed one through to its outputs."""
    if face.mode == MUTED:
        if scale >= STRIP_FROM:
            painter.setPen(QPen(theme.color("muted", 130), 1))
            painter.drawLines(_hatching(face.width, face.height))
        return
    painter.setPen(QPen(theme.color("wire"), THROUGH, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    start = face.inputs[0].at if face.inputs else QPointF(0, face.height / 2)
    for spot in face.outputs:
        path = QPainterPath(start)
        reach = QPointF(face.width / 3, 0)
        path.cubicTo(start + reach, spot.at - reach, spot.at)
        painter.drawPath(path)


@lru_cache(maxsize=64)
def _hatching(width: float, height: float) -> list[QLineF]:
    """Return slanted lines that stay inside of a card with round corners."""
    inner = NODE_RADIUS / 3
    box = QRectF(inner, inner, width - 2 * inner, height - 2 * inner)
    lines = []
    for start in range(int(-height), int(width), HATCH):
        left, right = max(start, box.left()), min(start + height, box.right())
        bottom, top = height - (left - start), height - (right - start)
        if bottom > box.bottom():
            left, bottom = left + bottom - box.bottom(), box.bottom()
        if top < box.top():
            right, top = right - (box.top() - top), box.top()
        if right > left:
            lines.append(QLineF(left, bottom, right, top))
    return lines


def _paint_words(painter: QPainter, face: Face, mood: Mood, theme: Theme) -> None:
    width = face.width
    title = QRectF(TITLE_LEFT, 9, width - TITLE_LEFT - PAD, 19)
    painter.setPen(theme.color("text"))
    painter.setFont(fonts.text(weight=600))
    painter.drawText(title, _LEFT | _MIDDLE, face.title)
    tinted = mood.heat or mood.objectives  # on a tint muted words are hard to read
    quiet = theme.color("text" if tinted else "muted")
    painter.setPen(quiet)
    painter.setFont(fonts.caption())
    painter.drawText(title, _RIGHT | _MIDDLE, face.label)
    if face.summary:
        painter.drawText(QRectF(TITLE_LEFT, 27, width - TITLE_LEFT - PAD, 15), _LEFT | _MIDDLE, face.summary)
    if face.has_foot:
        _paint_foot(painter, face, mood, theme)


def _paint_foot(painter: QPainter, face: Face, mood: Mood, theme: Theme) -> None:
    foot = QRectF(PAD, face.height - FOOT, face.width - 2 * PAD, FOOT - 2)
    painter.setPen(theme.color("text" if mood.heat or mood.objectives else "muted"))
    painter.setFont(fonts.caption())
    signs = [name for name, on in (("snowflake", face.frozen), ("link", face.linked)) if on]
    for place, name in enumerate(signs):
        left = PAD - 1 + LINK * place
        paint_icon(painter, name, theme.color("accent"), left, foot.center().y() - 6, 12)
    painter.drawText(foot.adjusted(LINK * len(signs), 0, 0, 0), _LEFT | _MIDDLE, face.foot)
    if mood.health:
        if mood.sick and not mood.heat:
            painter.setPen(theme.color("warning"))
        painter.drawText(foot, _RIGHT | _MIDDLE, mood.health)


def _paint_heat(painter: QPainter, text: str, level: float, theme: Theme, px: int = CAPTION_PX) -> None:
    """Paint the number behind the tint on the upper edge."""
    width, height = fonts.text_metrics(px).horizontalAdvance(text) + 14, px + 6
    box = QRectF(PAD - 4, -3 - height / 2, width, height)
    painter.setPen(QPen(QColor(mix(theme.line, theme.heat, 0.3 + 0.7 * level)), 1))
    painter.setBrush(theme.color("panel"))
    painter.drawRoundedRect(box, height / 2, height / 2)
    painter.setPen(theme.color("text"))
    painter.setFont(fonts.text(px))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _grounds(width: float, colors: tuple[str, ...], theme: Theme) -> QBrush:
    """Return the ground of a node that objectives move: a share of it for each."""
    if len(colors) == 1:
        return QBrush(theme.color(ground(theme, colors[0])))
    ramp = QLinearGradient(0, 0, width, 0)
    for place, color in enumerate(colors):
        for end in (place + 0.001, place + 0.999):
            ramp.setColorAt(end / len(colors), theme.color(ground(theme, color)))
    return QBrush(ramp)


def _paint_objectives(painter: QPainter, face: Face, colors: tuple[str, ...], theme: Theme) -> None:
    """Paint a dot for each objective on the upper edge, at the right."""
    painter.setPen(QPen(theme.color("canvas"), 2))
    right = face.width - (30 if face.problem is not None and not face.failing else 14)
    for place, color in enumerate(reversed(colors[:MOST_DOTS])):
        painter.setBrush(QColor(color))
        painter.drawEllipse(QPointF(right - 13 * place, 0), 6, 6)


def _paint_name(painter: QPainter, face: Face, theme: Theme, scale: float) -> None:
    """Paint the title alone, larger than life, so that it can be read from where all else cannot."""
    px = _name_px(scale)
    room = face.width - 2 * PAD - 18
    painter.setPen(theme.color("text"))
    painter.setFont(fonts.text(px, 600))
    line = QRectF(PAD + 18, 6, room, 36)
    painter.drawText(line, _LEFT | _MIDDLE, _short_name(face.title, px, room))


def _name_px(scale: float) -> int:
    return min(ceil(NAME_PX / scale), 24)


@lru_cache(maxsize=2048)
def _short_name(title: str, px: int, room: float) -> str:
    return fonts.text_metrics(px, 600).elidedText(title, Qt.TextElideMode.ElideRight, room)


def paint_strip(painter: QPainter, face: Face, mood: Mood, theme: Theme) -> None:
    """Paint the box of the strip and what is in it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("field"))
    painter.drawRoundedRect(face.strip, 6, 6)
    if mood.strip is not None:
        strips.paint(painter, face.strip, mood.strip, theme)


def _paint_ports(painter: QPainter, face: Face, mood: Mood, theme: Theme) -> None:
    ring = QPen(QColor(mix(theme.wire, theme.muted, 0.3)), 2)
    accent = QPen(theme.color("accent"), 2.4)
    radius = (PORT - 2) / 2
    for spot in (*face.inputs, *face.outputs):
        key = (spot.name, spot.is_input)
        lit = mood.lit == key
        if key in mood.dimmed:
            painter.setOpacity(0.25)
        painter.setPen(accent if lit else ring)
        painter.setBrush(theme.color("canvas"))
        grown = radius + 1.5 if lit else radius
        painter.drawEllipse(spot.at, grown, grown)
        if key in mood.dimmed:
            painter.setOpacity(FAINT if mood.faded or face.out else 1)


def _paint_problem(painter: QPainter, face: Face, mood: Mood, theme: Theme, words: bool) -> None:
    if not face.failing:
        corner = QPointF(face.width - 7, 0)
        triangle = QPolygonF([corner + QPointF(0, -7), corner + QPointF(7.5, 6), corner + QPointF(-7.5, 6)])
        painter.setPen(QPen(theme.color("canvas"), 2))
        painter.setBrush(theme.color("warning"))
        painter.drawPolygon(triangle)
        painter.setPen(QPen(theme.color("canvas"), 1.6))
        painter.drawLine(corner + QPointF(0, -2.5), corner + QPointF(0, 1))
        painter.drawPoint(corner + QPointF(0, 3.6))
    note = face.note
    if note is None or not words:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("canvas", 230))  # a wire may pass below
    painter.drawRoundedRect(note.rect.adjusted(-4, -3, 4, 3), 4, 4)
    painter.setFont(fonts.caption())
    painter.setPen(theme.color("muted" if face.missing else "error" if face.failing else "warning"))
    step = note.rect.height() / len(note.lines)
    for place, line in enumerate(note.lines):
        spot = QRectF(note.rect.left(), note.rect.top() + place * step, note.rect.width(), step)
        painter.drawText(spot, _LEFT | _MIDDLE, line)
    if note.fix is not None:
        fill = theme.raised if not mood.pressed else theme.selection
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color(fill))
        painter.drawRoundedRect(note.button, 6, 6)
        painter.setPen(theme.color("text"))
        painter.setFont(fonts.text(12, 500))
        painter.drawText(note.button, Qt.AlignmentFlag.AlignCenter, note.fix.title)


def note_box(face: Face) -> QRectF:
    """Return everything that is painted for a node, its shadow and the note under it included."""
    box = face.body.adjusted(-SHADOW, -SHADOW, SHADOW, SHADOW)
    if face.note is not None:
        box = box.united(face.note.rect).united(face.note.button.adjusted(-2, -2, 2, 2))
    return box


def strip_box(face: Face) -> QRectF:
    """Return the part of a node that a snapshot changes: the strip and the foot."""
    top = face.strip.top() if face.strip is not None else face.height - FOOT
    return QRectF(INSET, top - 1, face.width - 2 * INSET, face.height - top - 4)


@lru_cache(maxsize=256)
def shadow(width: float, height: float, dark: bool) -> QPixmap:
    """Return a soft shadow for a card, painted once for each size; blurred, so any zoom can stretch it."""
    wide, high = int(width + 2 * SHADOW), int(height + 2 * SHADOW)
    image = QImage(wide, high, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    steps = 10
    layer = QColor(0, 0, 0, 7) if dark else QColor(22, 34, 62, 2)
    painter.setBrush(layer)
    for step in range(steps):
        reach = (SHADOW - 5) * (1 - step / steps)
        box = QRectF(SHADOW - reach, SHADOW - reach + 3, width + 2 * reach, height + 2 * reach)
        painter.drawRoundedRect(box, NODE_RADIUS + reach, NODE_RADIUS + reach)
    painter.end()
    return QPixmap.fromImage(image)
