"""Tours as tables: what each card says, where it points, and what completes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QWidget

from engine.graph.blocks import layer_of
from engine.graph.document import Slot

if TYPE_CHECKING:
    from gui.main_window import MainWindow

Places = list[QRect]
"""What is lit, in pixels of the window; the card stands at the first."""
Where = Callable[["MainWindow"], Places]
Check = Callable[["MainWindow"], bool]


@dataclass(frozen=True)
class Step:
    """One card. It is completed when ``done`` says so, whoever did it and however.

    What ``lasts`` stays done once it was; of the others the first that is not done is shown, so undoing
    something leads back to its card. ``show`` brings what is pointed at into view when the card appears.
    """

    title: str
    text: str
    where: Where
    done: Check
    lasts: bool = False
    show: Callable[[MainWindow], object] = lambda window: None


@dataclass(frozen=True)
class Tour:
    """A row of steps from an empty canvas; ``end`` is the last card."""

    name: str
    title: str
    steps: tuple[Step, ...]
    end: str


# -- finding things in the drawing ---------------------------------------------------------------------------


def _of_type(window: MainWindow, type_: str) -> list[str]:
    return [id for id, node in window.bench.store.document.nodes.items() if node.type == type_]


def _fed_by(window: MainWindow, node: str, source: str, port: str = "") -> bool:
    document = window.bench.store.document
    if not node or not source:
        return False
    return any(
        slot.node == source and (not port or name == port) for name, slot in document.incoming(node).items()
    )


def _first(window: MainWindow, type_: str) -> str:
    return next(iter(_of_type(window, type_)), "")


def data(window: MainWindow) -> str:
    """Return the points, or an empty text."""
    return _first(window, "Spirals")


def hidden(window: MainWindow) -> str:
    """Return the linear layer that reads the points, or else the first."""
    found = _of_type(window, "Linear")
    return next((id for id in found if _fed_by(window, id, data(window))), next(iter(found), ""))


def bend(window: MainWindow) -> str:
    """Return the ReLU, or an empty text."""
    return _first(window, "ReLU")


def scores(window: MainWindow) -> str:
    """Return the other linear layer, or an empty text."""
    found = [id for id in _of_type(window, "Linear") if id != hidden(window)]
    return next((id for id in found if _fed_by(window, id, bend(window))), next(iter(found), ""))


def loss(window: MainWindow) -> str:
    """Return the loss, or an empty text."""
    return _first(window, "CrossEntropyLoss")


# -- finding things in the window ----------------------------------------------------------------------------


def around(widget: QWidget, box: QRect | None = None) -> QRect:
    """Return where a widget, or a part of it, stands in its window."""
    box = box or widget.rect()
    return QRect(widget.mapTo(widget.window(), box.topLeft()), box.size())


def _layer_item(window: MainWindow, type_: str) -> object:
    label = layer_of(window.bench.store.document, type_).label
    rows = window.palette_.list
    found = rows.findItems(label, Qt.MatchFlag.MatchExactly)
    return next((item for item in found if item.flags() & Qt.ItemFlag.ItemIsEnabled), None)


def layer(type_: str) -> Where:
    """Point at a row of the palette, and light the canvas to drop it on."""

    def where(window: MainWindow) -> Places:
        item = _layer_item(window, type_)
        rows = window.palette_.list
        if item is None or not rows.isVisible():
            return [around(window.left)]
        box = rows.visualItemRect(item) & rows.viewport().rect()
        return [around(rows.viewport(), box), around(window.canvas)]

    return where


def show_layer(type_: str) -> Callable[[MainWindow], None]:
    """Bring a row of the palette into view."""

    def show(window: MainWindow) -> None:
        window.left.show()
        window.left.show_page("layers")
        window.palette_.search.clear()
        if (item := _layer_item(window, type_)) is not None:
            window.palette_.list.scrollToItem(item, window.palette_.list.ScrollHint.PositionAtCenter)

    return show


def wire(
    source: Callable[[MainWindow], str], output: str, target: Callable[[MainWindow], str], entry: str
) -> Where:
    """Point at an output, and light the input that it should be connected with."""

    def where(window: MainWindow) -> Places:
        canvas, places = window.canvas, []
        for node, port, is_input in ((source(window), output, False), (target(window), entry, True)):
            at = canvas.graph.slot_at(Slot(node, port), is_input) if node in canvas.graph.nodes else None
            if at is not None:
                box = QRect(0, 0, 30, 30)
                box.moveCenter(canvas.to_view(at))
                places.append(around(canvas.viewport(), box & canvas.viewport().rect()))
        return places or [around(canvas)]

    return where


def field(node: Callable[[MainWindow], str], param: str) -> Where:
    """Point at a field of a node in the inspector, or at the node while it is not selected."""

    def where(window: MainWindow) -> Places:
        form = getattr(window.inspector.page, "form", None)
        if window.bench.store.selection == {node(window)} and form is not None and param in form.fields:
            return [around(form.fields[param])]
        item = window.canvas.graph.nodes.get(node(window))
        if item is None:
            return [around(window.canvas)]
        box = window.canvas.viewportTransform().mapRect(item.body()).toRect()
        return [around(window.canvas.viewport(), box & window.canvas.viewport().rect())]

    return where


def _value(window: MainWindow, id: str, param: str) -> object:
    node = window.bench.store.document.nodes.get(id)
    return node.params.get(param) if node else None


def _show_learning(window: MainWindow) -> None:
    window.show_page("learning")


# -- the tours -----------------------------------------------------------------------------------------------

FIRST_NETWORK = Tour(
    "first-network",
    "Your first network",
    (
        Step(
            "Something to learn from",
            "Drag Spirals from the list onto the canvas: a thousand points on three arms. "
            "The network will have to tell the arms apart.",
            layer("Spirals"),
            lambda w: bool(data(w)),
            show=show_layer("Spirals"),
        ),
        Step(
            "A layer",
            "Drag Linear to its right. It draws straight lines through the plane, one for each of its units.",
            layer("Linear"),
            lambda w: bool(hidden(w)),
            show=show_layer("Linear"),
        ),
        Step(
            "Connect them",
            "Drag from the ring named point to the ring at the left of the layer. The shape that flows there "
            "appears on the wire. (By keys: select the points, press C.)",
            wire(data, "point", hidden, "x"),
            lambda w: _fed_by(w, hidden(w), data(w)),
        ),
        Step(
            "Bend the lines",
            "Lines alone cannot follow a spiral. Select the layer and double-click ReLU in the list: what is "
            "added behind a selected node is connected at once.",
            layer("ReLU"),
            lambda w: _fed_by(w, bend(w), hidden(w)),
            show=show_layer("ReLU"),
        ),
        Step(
            "One score for each arm",
            "Add another Linear behind the ReLU, the same way or by dragging and connecting it.",
            layer("Linear"),
            lambda w: _fed_by(w, scores(w), bend(w)),
            show=show_layer("Linear"),
        ),
        Step(
            "Three arms, three units",
            "Click the new layer and set its Units to 3.",
            field(scores, "out_features"),
            lambda w: _value(w, scores(w), "out_features") == 3,
        ),
        Step(
            "What it should become better at",
            "Add Cross-entropy behind it. A loss is one number that says how wrong the scores are.",
            layer("CrossEntropyLoss"),
            lambda w: _fed_by(w, loss(w), scores(w)),
            show=show_layer("CrossEntropyLoss"),
        ),
        Step(
            "The right answers",
            "Connect label of the points with target of the loss, so that it knows which arm each is on.",
            wire(data, "label", loss, "target"),
            lambda w: _fed_by(w, loss(w), data(w)),
        ),
        Step(
            "Run",
            "Nothing is wrong and every shape is known. Press Run.",
            lambda w: [around(w.top.run_button)],
            lambda w: w.bench.state in ("running", "finished"),
            lasts=True,
        ),
        Step(
            "Watch it learn",
            "The curve falls, and the colored regions bend around the arms. The nodes show what they see.",
            lambda w: [around(w.bottom), around(w.canvas)],
            lambda w: w.bench.state == "finished",
            lasts=True,
            show=_show_learning,
        ),
    ),
    "You built it, it runs, and under Code it is plain PyTorch that you can take with you. Try fewer units, "
    "or take the ReLU out with Ctrl+Delete and press Run again.",
)

TOURS = {tour.name: tour for tour in (FIRST_NETWORK,)}
