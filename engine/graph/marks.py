"""What is drawn beside the nodes for the eye alone: comments, and the dots that wires pass through.

A mark has an id as a node has, so that a selection may hold both. That of a comment is ``frame 1`` or
``note 2``, that of a dot its edge's slot with its place along the wire: ``add1.xs.0 2``. No node's id holds
a space.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil

from engine.errors import EditError, shown
from engine.graph.document import COLORS, KINDS, Box, Comment, Document, Point, Slot

LONGEST_TITLE, LONGEST_TEXT = 200, 20_000
SMALLEST = (96.0, 48.0)
"""Width and height that a comment has at least."""
PAD, HEAD, LINE = 28.0, 44.0, 16.0
"""Space between a frame and the nodes that it is put around, for its title, and for a line of its text."""


def dot_id(slot: Slot, place: int) -> str:
    """Return the id of a dot of a wire."""
    return f"{slot.node}.{slot.port} {place}"


def dot_of(id: str) -> tuple[Slot, int] | None:
    """Return the wire and the place that an id means, or None if it is no dot's."""
    slot, space, place = id.rpartition(" ")
    node, dot, port = slot.partition(".")
    return (Slot(node, port), int(place)) if space and dot and place.isdecimal() else None


def dots(document: Document) -> dict[str, Point]:
    """Return where every dot is, by its id."""
    return {dot_id(s, n): at for s, points in document.bends.items() for n, at in enumerate(points)}


def places(document: Document) -> dict[str, Point]:
    """Return where every comment's corner and every dot is, by its id."""
    return {id: each.box[:2] for id, each in document.comments.items()} | dots(document)


def marks(document: Document) -> set[str]:
    """Return the ids of all comments and dots."""
    return document.comments.keys() | dots(document).keys()


def checked_comment(comment: Comment) -> Comment:
    """Return a comment that a canvas can show. Raises EditError for another kind, color or length."""
    if comment.kind not in KINDS:
        raise EditError(f"A comment is {' or '.join(KINDS)}, not {shown(comment.kind)}.")
    if comment.color not in COLORS:
        raise EditError(f"A comment's color is one of {', '.join(COLORS)}, not {shown(comment.color)}.")
    if len(comment.title) > LONGEST_TITLE or len(comment.text) > LONGEST_TEXT:
        raise EditError(f"A comment has at most {LONGEST_TEXT:,} letters, its title {LONGEST_TITLE}.")
    if " " not in comment.id or dot_of(comment.id):
        raise EditError(f'A comment\'s id is such as "note 1", not {shown(comment.id)}.')
    left, top, width, height = comment.box
    box = (left, top, max(width, SMALLEST[0]), max(height, SMALLEST[1]))
    return comment if box == comment.box else replace(comment, box=box)


def add_comment(
    document: Document, kind: str, box: Box, title: str = "", text: str = "", color: str = "blue"
) -> tuple[Document, str]:
    """Return the document with one more frame or note, and its id. Raises what ``checked_comment`` raises."""
    count = 1
    while f"{kind} {count}" in document.comments:
        count += 1
    comment = checked_comment(Comment(f"{kind} {count}", kind, title, text, color, box))
    return document.with_(comments={**document.comments, comment.id: comment}), comment.id


def change_comment(document: Document, id: str, **changes: object) -> Document:
    """Return the document with some fields of a comment changed. Raises what ``checked_comment`` raises."""
    if id not in document.comments:
        raise EditError(f"There is no comment {shown(id)}.")
    comment = checked_comment(replace(document.comments[id], **changes))
    return document.with_(comments={**document.comments, id: comment})


def around(boxes: Iterable[Box], text: str = "") -> Box:
    """Return the box of a frame around others, with room for a text of up to two lines below its title."""
    corners = [(left, top, left + width, top + height) for left, top, width, height in boxes]
    left, top = (min(each[axis] for each in corners) for axis in (0, 1))
    right, bottom = (max(each[axis] for each in corners) for axis in (2, 3))
    width = right - left + 2 * PAD
    head = HEAD + LINE * min(ceil(len(text) * 6.0 / (width - PAD)), 2)
    return (left - PAD, top - head, width, bottom - top + head + PAD)


def height_of(text: str, width: float) -> float:
    """Return about how high a note becomes; only the window knows it exactly."""
    lines = sum(1 + int(len(line) * 6.6 // max(width - 32, 1)) for line in text.strip().splitlines())
    return 28.0 + 19.0 * lines


def add_dot(document: Document, slot: Slot, place: int, at: Point) -> Document:
    """Return the document with a dot in a wire, before the one that is at this place now."""
    if slot not in document.edges:
        raise EditError(f"No wire enters {slot.node}.{slot.port}.")
    points = list(document.bends.get(slot, ()))
    points.insert(place, _rounded(at))
    return document.with_(bends={**document.bends, slot: tuple(points)})


def moved(document: Document, positions: Mapping[str, Point]) -> Document:
    """Return the document with comments and dots at new positions, by their ids."""
    comments, bends = dict(document.comments), {slot: list(each) for slot, each in document.bends.items()}
    for id, (x, y) in positions.items():
        dot = dot_of(id)
        if id in comments:
            comments[id] = replace(comments[id], box=(float(x), float(y), *comments[id].box[2:]))
        elif dot and dot[1] < len(bends.get(dot[0], ())):
            bends[dot[0]][dot[1]] = _rounded((x, y))
        else:
            raise EditError(f"There is no {shown(id)}.")
    return document.with_(comments=comments, bends={slot: tuple(each) for slot, each in bends.items()})


def without(document: Document, ids: Iterable[str]) -> Document:
    """Return the document without these comments and dots."""
    gone = set(ids)
    bends = {
        slot: tuple(at for n, at in enumerate(points) if dot_id(slot, n) not in gone)
        for slot, points in document.bends.items()
    }
    return document.with_(
        comments={id: each for id, each in document.comments.items() if id not in gone},
        bends={slot: points for slot, points in bends.items() if points},
    )


def straightened(document: Document, ids: Iterable[str]) -> Document:
    """Return the document without the dots of wires among these nodes: they are laid out anew."""
    if not document.bends:
        return document
    chosen = set(ids)
    return document.with_(
        bends={
            target: points
            for target, points in document.bends.items()
            if target.node not in chosen or document.edges[target].node not in chosen
        }
    )


def copies(
    document: Document,
    comments: Iterable[Comment],
    bends: Mapping[Slot, Iterable[Point]],
    new: Mapping[str, str],
    offset: Point,
) -> tuple[Document, list[str]]:
    """Return the document with copies of comments and of the bends of copied wires, and the comments' ids.

    ``new`` tells the copy of each node.
    """
    made: list[str] = []
    dx, dy = offset
    for each in comments:
        left, top, *size = each.box
        document, id = add_comment(
            document, each.kind, (left + dx, top + dy, *size), each.title, each.text, each.color
        )
        made.append(id)
    moved = {
        Slot(new[slot.node], slot.port): tuple(_rounded((x + dx, y + dy)) for x, y in points)
        for slot, points in bends.items()
        if slot.node in new
    }
    moved = {slot: points for slot, points in moved.items() if slot in document.edges and points}
    return (document.with_(bends={**document.bends, **moved}) if moved else document), made


def _rounded(at: Point) -> Point:
    return (round(float(at[0]), 2), round(float(at[1]), 2))
