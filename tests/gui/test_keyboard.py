"""The keyboard alone: build, wire, train and read a network; the focus is seen wherever it is."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget

from engine.graph.document import Slot
from gui.canvas.wires import wire_between, wires_at
from gui.theme import DARK, LIGHT
from presets import preset
from tests.gui.window_help import open_window

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier
KEY = Qt.Key


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Press a key where the keyboard is."""
    QTest.keyClick(QApplication.focusWidget(), key, modifiers)


def write(text: str) -> None:
    """Type where the keyboard is."""
    QTest.keyClicks(QApplication.focusWidget(), text)


def add(text: str) -> None:
    """Open the palette with Tab, type, Enter."""
    press(KEY.Key_Tab)
    write(text)
    press(KEY.Key_Return)


def spoken(widget: QWidget) -> str:
    """What a screen reader says of a widget."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return f"{interface.text(QAccessible.Text.Name)}. {interface.text(QAccessible.Text.Description)}"


def test_build_wire_train_and_read_by_keys_alone(qtbot):
    with open_window(qtbot) as window:
        store, canvas = window.bench.store, window.canvas
        window.activateWindow()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is canvas)
        for name in ("spirals", "linear", "relu", "linear"):
            add(name)
            qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)
        points, hidden, bent, scores = store.document.nodes
        assert store.document.edges == {
            Slot(hidden, "x"): Slot(points, "point"),
            Slot(bent, "x"): Slot(hidden, "y"),
            Slot(scores, "x"): Slot(bent, "y"),
        }

        # the form: Enter leads into it, Tab to the next field, Escape back to the canvas
        assert store.selection == {scores}
        press(KEY.Key_Return)
        while not (
            isinstance(QApplication.focusWidget(), QLineEdit) and QApplication.focusWidget().text() == "64"
        ):
            press(KEY.Key_Tab)
        assert "units" in spoken(QApplication.focusWidget()).lower()
        QApplication.focusWidget().selectAll()
        write("3")
        press(KEY.Key_Return)
        assert store.document.nodes[scores].params["out_features"] == 3
        press(KEY.Key_Escape)
        assert QApplication.focusWidget() is canvas

        # the loss reads the scores by itself, the labels are connected by name
        add("cross-entropy")
        loss = list(store.document.nodes)[-1]
        assert store.document.edges[Slot(loss, "logits")] == Slot(scores, "y")
        qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)
        press(KEY.Key_C)
        write("label")
        popup = canvas.connect_popup
        assert popup.isVisible()
        assert popup.wires()[0].source == Slot(points, "label")
        press(KEY.Key_Return)
        assert store.document.edges[Slot(loss, "target")] == Slot(points, "label")
        assert QApplication.focusWidget() is canvas
        qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)
        assert window.bench.analysis.problems == ()

        losses: list[float] = []
        window.bench.progress.connect(lambda event: losses.extend(event.loss))
        press(KEY.Key_F5)
        qtbot.waitUntil(lambda: bool(losses), timeout=60_000)
        press(KEY.Key_F5, SHIFT)
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        curves = window.findChild(type(window.views["learning"])).curves
        qtbot.waitUntil(lambda: re.search(r"training [\d.]+", spoken(curves)) is not None)


def test_the_popup_walks_over_ports_and_shows_the_wire(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store, canvas = window.bench.store, window.canvas
        store.apply("Cut", lambda d: d.with_(edges={t: s for t, s in d.edges.items() if t.node != "loss"}))
        store.select(["digit"])
        canvas.setFocus()
        press(KEY.Key_C)
        popup = canvas.connect_popup
        assert next(wire.target for wire in popup.wires() if wire.forward) == Slot("loss", "logits")
        preview = popup._preview
        assert preview.isVisible()
        assert preview.wire == popup.wires()[0]
        assert canvas.graph.nodes["loss"].mood.lit == ("logits", True)
        assert not preview.grab().toImage().isNull()
        press(KEY.Key_Down)
        assert preview.wire == popup.wires()[1]
        press(KEY.Key_Up)
        press(KEY.Key_Escape)
        assert not popup.isVisible()
        assert not preview.isVisible()
        assert canvas.graph.nodes["loss"].mood.lit is None
        assert QApplication.focusWidget() is canvas
        press(KEY.Key_C)
        press(KEY.Key_Return)
        assert store.document.edges[Slot("loss", "logits")] == Slot("digit", "y")
        press(KEY.Key_Z, CONTROL)
        assert Slot("loss", "logits") not in store.document.edges


@pytest.mark.parametrize("up", [40, 240, 500])
def test_the_popup_does_not_cover_the_node_that_it_is_about(qtbot, up):
    with open_window(qtbot, "lenet5") as window:
        store, canvas = window.bench.store, window.canvas
        store.apply("Cut", lambda d: d.with_(edges={t: s for t, s in d.edges.items() if t.node != "loss"}))
        canvas.zoom_to(1.0)
        corner = canvas.to_view(canvas.graph.nodes["digit"].pos())
        canvas.pan(QPointF(300 - corner.x(), canvas.height() - up - corner.y()))
        store.select(["digit"])
        canvas.setFocus()
        press(KEY.Key_C)
        popup = canvas.connect_popup
        body = canvas.viewportTransform().mapRect(canvas.graph.nodes["digit"].body()).toAlignedRect()
        assert popup.isVisible()
        assert canvas.rect().contains(popup.geometry())
        assert not popup.geometry().intersects(body & canvas.rect())


def test_two_selected_nodes_are_connected_by_one_key(qtbot):
    with open_window(qtbot, "spirals") as window:
        store, canvas = window.bench.store, window.canvas
        store.apply("Cut", lambda d: d.with_(edges={t: s for t, s in d.edges.items() if t.node != "arm"}))
        canvas.setFocus()
        relu = next(id for id, node in store.document.nodes.items() if node.type == "ReLU")
        store.select([relu])
        press(KEY.Key_Right, ALT | SHIFT)
        assert store.selection == {relu, "arm"}
        press(KEY.Key_C)
        assert store.document.edges[Slot("arm", "x")] == Slot(relu, "y")
        said: list[str] = []
        window.bench.message.connect(said.append)
        press(KEY.Key_C)
        assert "No wire fits" in said[-1]


def test_wires_that_fit_come_before_those_that_do_not_and_none_closes_a_cycle():
    from engine.compiler.analyze import analyze

    document = preset("lenet5").document()
    document = document.with_(
        edges={t: s for t, s in document.edges.items() if t.node not in ("loss", "digit")}
    )
    types = analyze(document).types
    found = wires_at(document, types, "digit")
    assert found[0].forward
    assert found[0].target == Slot("loss", "logits")
    fits = [not wire.mismatch for wire in found]
    assert fits == sorted(fits, reverse=True)
    assert wire_between(document, types, ["images", "loss"]).source.node == "images"
    assert wire_between(document, types, ["conv1", "conv2"]) is None  # the input is taken; back is a cycle


def test_the_menu_key_opens_the_menu_of_the_selected_node(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.bench.store.select(["hidden"])
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
        QApplication.sendEvent(window.canvas.viewport(), event)
        menu = next(each for each in window.canvas.findChildren(QMenu) if each.isVisible())
        assert "Rename" in [action.text() for action in menu.actions()]
        menu.close()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_whatever_tab_reaches_wears_a_ring(qtbot, theme):
    with open_window(qtbot, "spirals") as window:
        window.bench.set_theme(theme)
        window.activateWindow()
        window.bench.store.select(["hidden"])
        ring, reached = window.focus_ring, set()
        for part in range(1, 7):
            window.canvas.setFocus()
            for _ in range(part):
                press(KEY.Key_F6, CONTROL)
            for _ in range(2):
                widget = QApplication.focusWidget()
                assert ring.on is widget
                assert ring.isVisible(), widget
                box = ring.geometry()
                image = ring.grab().toImage()
                at = image.pixelColor(image.width() // 2, 0)
                assert at.name() == theme.color("accent").name(), (widget, box)
                reached.add(type(widget).__name__)
                if widget is window.canvas:
                    break
                press(KEY.Key_Tab)
        assert {"CanvasView", "QToolButton", "IconButton", "LineField", "QTabBar", "QPushButton"} <= reached
        window.top.run_button.setFocus(Qt.FocusReason.MouseFocusReason)
        assert not ring.isVisible()


def test_the_ring_goes_round_every_part_and_back(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.activateWindow()
        window.canvas.setFocus()
        parts = (window.bottom, window.inspector, window.status, window.top, window.left, window.canvas)
        for part in parts:
            press(KEY.Key_F6, CONTROL)
            here = QApplication.focusWidget()
            assert here is part or part.isAncestorOf(here)
        press(KEY.Key_F6, CONTROL | SHIFT)
        assert window.left.isAncestorOf(QApplication.focusWidget())
        press(KEY.Key_Escape)
        assert QApplication.focusWidget() is window.canvas
