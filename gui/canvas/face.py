"""What a node shows: every text and measure of its face, worked out once and not while painting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from engine.compiler.analysis import ERROR, Analysis, Fix, Problem
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import Document, Share, Slot
from engine.graph.missing import ROLE as MISSING
from engine.graph.modes import left_out
from engine.layers.declaration import Layer
from gui.canvas import fonts
from gui.canvas.chips import Chip, chips_of, room_of
from gui.theme import CAPTION_PX, CATEGORY, GRID

if TYPE_CHECKING:
    from gui.canvas.expand import Inner

WIDTH, WIDEST = 148.0, 176.0
HEADER, STRIP, FOOT, BOTTOM = 48.0, 46.0, 22.0, 6.0
PORT_TOP, PORT_STEP, PORT = 25.0, 24.0, 11.0
"""Height of the first port, distance to the next, and a port's diameter."""
TITLE_HEIGHT, CLOSE, NARROW = 36.0, 13.0, 76.0
"""Of a collapsed node: its height, the distance of its ports, and its least width."""
INSET = 8.0
"""From a node's side to its strip."""
PAD = 12.0
TITLE_LEFT = 29.0
NOTE_WIDTH = 196.0
"""How wide the reason under a failing node may run."""
FIX_HEIGHT = 24.0
LINK = 15.0
"""Room for the sign of shared weights before the foot's words."""
LONGEST_HEALTH = "|g| 2.7e−8"
"""A node with parameters is wide enough to tell its health beside them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A port on a node's edge; ``at`` is its middle in the node's coordinates."""

    name: str
    at: QPointF
    is_input: bool


@dataclass(frozen=True, slots=True)
class Note:
    """The reason under a node: its lines, where they stand, and the button that mends it."""

    lines: tuple[str, ...]
    rect: QRectF
    fix: Fix | None
    button: QRectF


@dataclass(slots=True)
class Face:
    """The texts and measures of one node, in its own coordinates."""

    id: str
    title: str
    label: str
    summary: str
    color: str
    width: float
    height: float
    inputs: tuple[Spot, ...]
    outputs: tuple[Spot, ...]
    strip: QRectF | None
    has_foot: bool
    foot: str
    problem: Problem | None = None
    note: Note | None = None
    stacked: bool = False
    """Whether it is a block: more cards show behind it."""
    missing: bool = False
    """Whether its layer is not installed here."""
    linked: bool = False
    """Whether it uses another node's weights, as its foot says."""
    frozen: bool = False
    """Whether its weights stay as they are, as the snowflake in its foot says."""
    chips: tuple[Chip, ...] = ()
    inner: Inner | None = None
    """What is drawn in it, where it is a block that is expanded."""
    flat: bool = False
    """Whether it stands in a frame, without a shadow of its own."""
    mode: str = ""
    out: bool = False
    """Whether it is not in the model: muted, or behind what is."""
    collapsed: bool = False

    @property
    def body(self) -> QRectF:
        """The rounded card itself."""
        return QRectF(0, 0, self.width, self.height)

    @property
    def failing(self) -> bool:
        """Whether a problem keeps the node from running."""
        return self.problem is not None and self.problem.severity == ERROR

    def spot(self, port: str, is_input: bool) -> Spot | None:
        """Return a port by its slot name, or None."""
        return next((s for s in (self.inputs if is_input else self.outputs) if s.name == port), None)


def has_strip(layer: Layer) -> bool:
    """Return whether what a node sees is worth a picture: rearranging numbers shows nothing new."""
    return bool(layer.outputs) and (layer.category != "Shape" or any(p.variadic for p in layer.inputs))


Places = Mapping[tuple[str, str], int]
"""How many places of each variadic port are taken, by node and port."""


def places_of(document: Document) -> Places:
    """Return the taken places of every variadic port, in one pass over the edges."""
    parts = ((slot.node, slot.port.partition(".")) for slot in document.edges)
    return Counter((node, base) for node, (base, dot, _) in parts if dot)


def input_names(layer: Layer, id: str, places: Places) -> list[str]:
    """Return the slot names of a node's inputs; a variadic port has at least two places and one is free."""
    names: list[str] = []
    for port in layer.inputs:
        count = max(2, places.get((id, port.name), 0) + 1)
        names += [f"{port.name}.{n}" for n in range(count)] if port.variadic else [port.name]
    return names


def face_of(
    document: Document,
    id: str,
    analysis: Analysis,
    places: Places,
    shows: bool = False,
    problem: Problem | None = None,
) -> Face:
    """Return what a node shows.

    ``shows`` says that there is a picture for its strip; ``problem`` stands before those of the analysis.
    """
    node = document.nodes[id]
    layer = layer_of(document, node.type)
    title_width = fonts.text_metrics(weight=600).horizontalAdvance(node.title)
    label_width = fonts.text_metrics(CAPTION_PX).horizontalAdvance(layer.label)
    summary = layer.summary(layer.values(node.params))
    arriving = analysis.types.get(Slot(id, "y")) if layer.role == "input" else None
    if arriving:  # in a block the shape comes from outside
        summary = " × ".join(map(str, arriving.shape[1:])) or summary
    parameters = analysis.parameters.get(node.id, 0)
    foot = (
        _linked(document, node.share) if node.share else f"{_counted(parameters)} params" * bool(parameters)
    )
    frozen = node.learning.frozen
    foot = foot or "frozen" * frozen
    caption = fonts.text_metrics(CAPTION_PX).horizontalAdvance
    taken = room_of(node, layer)
    lines = (title_width + 8 + label_width, caption(summary) + taken)
    signs = LINK * (bool(node.share) + frozen)
    below = PAD + signs + caption(foot) + 12 + caption(LONGEST_HEALTH) if foot else 0
    wanted = max(TITLE_LEFT + max(lines), below) + PAD
    width = min(WIDEST, max(WIDTH, ceil(wanted / GRID) * GRID))
    room = width - TITLE_LEFT - PAD - 8
    title, label = node.title, layer.label
    if title_width + label_width > room:
        label_width = max(min(label_width, room - title_width), min(label_width, 44.0))
        label = elided(label, label_width, caption=True)
        title = elided(title, room - label_width)
    names = input_names(layer, node.id, places)
    if node.collapsed:  # alone it has all the room
        title = elided(node.title, WIDEST - TITLE_LEFT - PAD)
    outputs = [port.name for port in layer.outputs_of(node.params)]

    problems = [problem] if problem else analysis.problems_of(node.id)
    broken = problem is None and any(each.severity == ERROR for each in problems)
    shows = shows and has_strip(layer) and not broken  # its picture is old, and the reason needs the room
    has_foot = bool(foot) or (shows and layer.category == "Activation")
    chips = chips_of(node, layer, width)
    header = HEADER if summary or shows or chips else HEADER - 10
    height = header + (STRIP + BOTTOM if shows else 0) + (FOOT if has_foot else 0)
    height -= BOTTOM if has_foot and shows else 0
    height = max(height, PORT_TOP * 2 + PORT_STEP * (max(len(names), len(outputs), 1) - 1) - 4)
    strip = QRectF(INSET, header, width - 2 * INSET, STRIP) if shows else None
    if strip and not has_foot:
        strip.setBottom(height - INSET)
    face = Face(
        node.id,
        title,
        label,
        elided(summary, width - TITLE_LEFT - PAD - taken, caption=True),
        CATEGORY.get(layer.category, CATEGORY["Shape"]),
        width,
        height,
        tuple(Spot(n, QPointF(0, PORT_TOP + PORT_STEP * i), True) for i, n in enumerate(names)),
        tuple(Spot(n, QPointF(width, PORT_TOP + PORT_STEP * i), False) for i, n in enumerate(outputs)),
        strip,
        has_foot,
        foot,
        stacked=layer.role == ROLE,
        linked=node.share is not None,
        frozen=frozen,
        missing=layer.role == MISSING,
        chips=chips,
    )
    face.mode, face.out = node.mode, id in left_out(document)
    if node.collapsed:
        _collapse(face, title_width)
    if problems and not face.out:
        face.problem = problems[0]
        if face.failing or problems[0].fix:
            face.note = _note(problems[0], face)
    return face


def _collapse(face: Face, title_width: float) -> None:
    """Leave the title alone, the ports in the middle of the sides."""
    most = max(len(face.inputs), len(face.outputs), 1)
    face.width = min(max(ceil((TITLE_LEFT + title_width + PAD) / GRID) * GRID, NARROW), WIDEST)
    face.height = max(TITLE_HEIGHT, CLOSE * most + 8)
    face.summary, face.label, face.foot, face.strip = "", "", "", None
    face.has_foot = face.linked = face.frozen = False
    face.collapsed = True

    def spread(spots: tuple[Spot, ...], x: float) -> tuple[Spot, ...]:
        first = (face.height - CLOSE * (len(spots) - 1)) / 2
        return tuple(replace(spot, at=QPointF(x, first + CLOSE * i)) for i, spot in enumerate(spots))

    face.inputs, face.outputs = spread(face.inputs, 0), spread(face.outputs, face.width)


_LINKED = {"": "shares {0}", "frozen": "frozen {0}", "average": "follows {0}", "copy": "copies {0}"}


def _linked(document: Document, share: Share) -> str:
    """Return whose weights a node uses, in two words."""
    return elided(_LINKED[share.follow].format(document.nodes[share.node].title), 100, caption=True)


def _note(problem: Problem, face: Face) -> Note:
    metrics = fonts.text_metrics(CAPTION_PX)
    width = max(face.width, NOTE_WIDTH)
    lines = tuple(wrapped(problem.message, width - 8, 4))
    top = face.height + 8
    rect = QRectF(2, top, width, metrics.lineSpacing() * len(lines))
    button = QRectF()
    if problem.fix:
        size = fonts.text_metrics(12, 500).horizontalAdvance(problem.fix.title) + 20
        button = QRectF(2, rect.bottom() + 6, size, FIX_HEIGHT)
    return Note(lines, rect, problem.fix, button)


def wrapped(text: str, width: float, most: int) -> list[str]:
    """Return a text in lines of a width in the caption's font, at most ``most`` of them."""
    metrics = fonts.text_metrics(CAPTION_PX)
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and metrics.horizontalAdvance(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in lines]


def _counted(count: int) -> str:
    """Return a number of parameters that leaves room for the health beside it."""
    if count < 10_000:
        return f"{count:,}"
    if count < 999_500:
        return f"{count / 1e3:.1f} k" if count < 99_950 else f"{count / 1e3:.0f} k"
    return f"{count / 1e6:.1f} M" if count < 999_500_000 else f"{count / 1e9:.1f} B"


def elided(text: str, width: float, caption: bool = False) -> str:
    """Return a text that is no wider than a width, in the caption's font or that of a title."""
    metrics = fonts.text_metrics(CAPTION_PX) if caption else fonts.text_metrics(weight=600)
    if metrics.horizontalAdvance(text) <= width:
        return text
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(width, 0.0))
