"""Blocks expanded in place and counted on the node, by mouse, wheel and keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from engine.compiler.analyze import analyze
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.layers.formula import Formula
from engine.storage.document_file import from_json, to_json
from engine.training.events import Activation, Snapshot
from gui.canvas.chips import EXPAND, REPEAT, TIPS
from gui.canvas.menus import node_menu
from gui.canvas.node_paint import TEXT_FROM
from gui.canvas.picture import picture
from gui.canvas.stills import MOST_BYTES, STILLS
from gui.theme import DARK, LIGHT
from tests.gui.window_help import LEFT, NONE, open_window

ALT = Qt.KeyboardModifier.AltModifier


def nested() -> Document:
    """A stage of cells beside a plain layer; both blocks have one input and one output."""
    g = Builder("Net")
    with g.block("Cell", channels=4) as b:
        x = b.input("x")
        y = b.add("ReLU", b.add("Conv2d", x, id="conv", out_channels=b["channels"], padding=1), id="act")
        b.output(b.add("Add", y, x, id="sum"))
    with g.block("Stage", depth=2) as b:
        b.output(b.add("Cell", b.add("BatchNorm2d", b.input(), id="norm"), id="cell", repeat=b["depth"]))
    x = g.add("Input", id="image", shape=(4, 8, 8))
    x = g.add("Stage", x, id="stage")
    x = g.add("Cell", x, id="cell", repeat=3)
    x = g.add("Flatten", x, id="flat")
    g.add("Output", g.add("Linear", x, id="fc", out_features=3), id="out")
    return g.document()


@pytest.fixture
def window(qtbot):
    with open_window(qtbot) as window:
        window.bench.store.open(nested())
        qtbot.waitUntil(lambda: bool(window.bench.analysis.types), timeout=60_000)
        window.canvas.zoom_to(1.0)
        see(window, "stage")
        yield window


def see(window, id: str) -> None:
    """Bring a node's upper left corner near the middle of the canvas."""
    canvas = window.canvas
    canvas.pan(QPointF(220, 90) - canvas.viewportTransform().map(canvas.graph.nodes[id].body().topLeft()))
    QApplication.processEvents()


def chip(window, id: str, name: str) -> QPoint:
    item = window.canvas.graph.nodes[id]
    return window.canvas.to_view(item.pos() + item.chip(name).box.center())


def click(window, at: QPoint) -> None:
    QTest.mouseClick(window.canvas.viewport(), LEFT, NONE, at)
    QApplication.processEvents()


def places(document: Document) -> dict[str, tuple[float, float]]:
    return {id: node.position for id, node in document.nodes.items()}


def test_the_triangle_expands_a_block_and_its_neighbors_come_back(window):
    store, scene = window.bench.store, window.canvas.graph
    before = store.document
    small = scene.nodes["stage"].body()
    click(window, chip(window, "stage", EXPAND))
    item = scene.nodes["stage"]
    assert item.body().width() > 2 * small.width()
    assert set(item.face.inner.faces) == {"norm", "cell"}
    for id, other in scene.nodes.items():
        assert id == "stage" or not other.body().intersects(item.body()), f"{id} stands in the frame"
    start, end = scene.ends_of(scene.wires[Slot("stage", "input")].edge)
    assert end.x() == item.body().left()
    assert abs(end.y() - (small.top() + 25)) < 1, "the wire to its first input stays straight"
    assert start.y() == pytest.approx(end.y(), abs=1)
    assert window.undo_stack.undoText() == "Expand stage"
    assert from_json(to_json(store.whole)) == store.whole
    click(window, chip(window, "stage", EXPAND))
    assert store.document == before
    assert scene.nodes["stage"].body() == small
    window.undo_stack.undo()
    window.undo_stack.undo()
    assert store.document == before


def test_it_is_expanded_by_key_menu_and_action(window):
    store = window.bench.store
    store.select(["stage"])
    QTest.keyClick(window.canvas, Qt.Key.Key_E)
    assert store.document.nodes["stage"].expanded is not None
    assert window.actions_["expand"].isChecked()
    QTest.keyClick(window.canvas, Qt.Key.Key_Return, ALT)
    assert store.document.nodes["stage"].expanded is None
    menu = node_menu(window.canvas, "stage")
    next(action for action in menu.actions() if action.text() == "Expand in place").trigger()
    assert store.document.nodes["stage"].expanded is not None
    store.select(["fc"])
    assert not window.actions_["expand"].isEnabled()
    store.select(["stage", "cell"])
    window.actions_["expand"].trigger()
    assert [store.document.nodes[id].expanded is not None for id in ("stage", "cell")] == [True, True]
    window.actions_["expand"].trigger()
    assert places(store.document) == places(nested())


def test_the_shapes_inside_are_those_of_this_use(window):
    window.bench.store.select(["cell"])
    QTest.keyClick(window.canvas, Qt.Key.Key_E)
    inner = window.canvas.graph.nodes["cell"].face.inner
    assert inner.faces["conv"].summary.startswith("4 filters"), "the formula is a number here"
    labels = {edge.target: label for edge, (label, *_) in inner._labels.items()}
    assert labels[Slot("act", "x")] == "4×8×8"
    assert window.canvas.graph.nodes["cell"].face.inner is inner, "it is drawn once"


def test_a_double_click_enters_where_it_was_pressed(window):
    store = window.bench.store
    click(window, chip(window, "stage", EXPAND))
    item = window.canvas.graph.nodes["stage"]
    inner = item.face.inner
    place = inner.to_frame(inner.body("cell").topLeft() + QPointF(60, 12))
    at = window.canvas.to_view(item.pos() + place)
    assert window.canvas.hit(QPointF(at)).path == ("stage", "cell")
    QTest.mouseDClick(window.canvas.viewport(), LEFT, NONE, at)
    assert store.scope == ("Stage", "Cell")
    assert store.way == (("stage", 0), ("cell", 0))
    store.go_to(())
    item = window.canvas.graph.nodes["stage"]
    see(window, "stage")
    place = inner.to_frame(inner.body("norm").topLeft() + QPointF(60, 12))
    QTest.mouseDClick(window.canvas.viewport(), LEFT, NONE, window.canvas.to_view(item.pos() + place))
    assert store.scope == ("Stage",)
    assert store.selection == {"norm"}


def test_a_block_in_an_expanded_block_expands_too(window):
    store, scene = window.bench.store, window.canvas.graph
    click(window, chip(window, "stage", EXPAND))
    before = scene.nodes["stage"].body()
    item = scene.nodes["stage"]
    inner = item.face.inner
    triangle = next(each for each in inner.faces["cell"].chips if each.name == EXPAND)
    place = inner.to_frame(inner.body("cell").topLeft() + triangle.box.center())
    click(window, window.canvas.to_view(item.pos() + place))
    assert store.whole.blocks["Stage"].nodes["cell"].expanded is not None
    face = scene.nodes["stage"].face
    assert set(face.inner.faces["cell"].inner.faces) == {"conv", "act", "sum"}
    assert scene.nodes["stage"].body().width() > before.width()
    assert len(face.inner.boxes()) == 5
    for id, other in scene.nodes.items():
        assert id == "stage" or not other.body().intersects(scene.nodes["stage"].body()), (
            "they gave way again"
        )
    window.undo_stack.undo()
    assert scene.nodes["stage"].body() == before


def test_a_click_in_the_frame_selects_and_a_drag_moves_the_block(window):
    store = window.bench.store
    click(window, chip(window, "stage", EXPAND))
    item = window.canvas.graph.nodes["stage"]
    start = window.canvas.to_view(item.body().bottomLeft() + QPointF(30, -8))
    port = window.canvas.viewport()
    x, _ = store.document.nodes["stage"].position
    QTest.mousePress(port, LEFT, NONE, start)
    for by in (10, 30, 60):
        QTest.mouseMove(port, start + QPoint(by, 0))
    QTest.mouseRelease(port, LEFT, NONE, start + QPoint(60, 0))
    assert store.document.nodes["stage"].position[0] == x + 60
    assert store.selection == {"stage"}


def test_it_is_painted_at_every_zoom_and_from_afar(window, caplog):
    click(window, chip(window, "stage", EXPAND))
    canvas = window.canvas
    for zoom in (3.0, 1.0, 0.6, 0.4, 0.1):
        canvas.zoom_to(zoom)
        see(window, "stage")
        image = canvas.grab().toImage()
        item = canvas.graph.nodes["stage"]
        spot = canvas.to_view(item.pos() + item.face.inner.to_frame(item.face.inner.body("norm").center()))
        frame = canvas.to_view(item.body().bottomLeft() + QPointF(12, -6))
        assert image.pixelColor(spot) != image.pixelColor(frame)
    assert not caplog.records


def test_what_stands_still_is_copied_and_looks_as_it_was_painted(window):
    click(window, chip(window, "stage", EXPAND))
    canvas = window.canvas
    canvas.zoom_to(0.87)
    see(window, "stage")
    QTest.mouseMove(canvas.viewport(), QPoint(3, 300))
    images = [canvas.viewport().grab().toImage() for _ in range(3)]
    assert any(key[0] == canvas.graph.nodes["stage"].face.inner.serial for key in STILLS._kept)
    for image in images[1:]:
        shades = [
            abs(image.pixelColor(x, y).lightness() - images[0].pixelColor(x, y).lightness())
            for x in range(0, image.width(), 3)
            for y in range(0, image.height(), 3)
        ]
        assert max(shades) < 24
    for bytes_ in (STILLS._bytes, sum(4 * each.width() * each.height() for each in STILLS._kept.values())):
        assert 0 < bytes_ <= MOST_BYTES
    window.bench.set_theme(LIGHT if window.bench.theme.dark else DARK)
    assert canvas.viewport().grab().toImage() != images[0], "another theme is painted anew"


def test_what_a_run_shows_does_not_disturb_the_frame(window):
    click(window, chip(window, "stage", EXPAND))
    item = window.canvas.graph.nodes["stage"]
    size = item.body().size()
    maps = np.zeros((4, 8, 8), dtype=np.float32)
    seen = {id: Activation((4, 8, 8), maps, -1.0, 1.0, 0.0, 1.0, 0.0, ()) for id in ("stage", "cell")}
    window.bench.snapshot_taken.emit(Snapshot(0, 0, seen, gradients={"stage": 0.2}))
    assert item.body().size() == size
    assert item.face.strip is None
    assert window.canvas.graph.nodes["cell"].face.strip is not None
    click(window, chip(window, "stage", EXPAND))
    assert item.face.strip is not None
    assert places(window.bench.store.document) == places(nested())


def test_a_picture_shows_it_expanded(tmp_path, qapp):
    from gui.canvas.expand import toggled

    document = nested()
    analysis = analyze(document)
    opened = toggled(document, "stage", analysis)
    for name, shown in (("closed", document), ("open", opened)):
        picture(shown, analysis, LIGHT, tmp_path / f"{name}.svg")
        picture(shown, analysis, LIGHT, tmp_path / f"{name}.pdf")
    assert ">norm<" in (tmp_path / "open.svg").read_text()
    assert ">norm<" not in (tmp_path / "closed.svg").read_text()
    assert (tmp_path / "open.pdf").stat().st_size > (tmp_path / "closed.pdf").stat().st_size
    assert analyze(opened).source.text == analysis.source.text, "code knows nothing of it"


# -- how many in a row ---------------------------------------------------------------------------------------


def wheel(window, at: QPoint, notches: int) -> None:
    port = window.canvas.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(port.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(port, event)


def repeat(window, id: str) -> object:
    return window.bench.store.document.nodes[id].params.get("repeat", 1)


def test_the_wheel_turns_the_count_and_is_one_step(window):
    zoom, steps = window.canvas.zoom, window.undo_stack.count()
    at = chip(window, "cell", REPEAT)
    for _ in range(3):
        wheel(window, at, 1)
    wheel(window, at, -1)
    assert repeat(window, "cell") == 5
    assert window.canvas.graph.nodes["cell"].chip(REPEAT).text == "×5"
    assert window.canvas.zoom == zoom
    assert window.undo_stack.count() == steps + 1
    window.undo_stack.undo()
    assert repeat(window, "cell") == 3
    wheel(window, window.canvas.to_view(window.canvas.graph.nodes["cell"].pos() + QPointF(60, 12)), 1)
    assert window.canvas.zoom > zoom, "beside the count the wheel zooms"


def test_a_drag_changes_the_count_and_escape_leaves_it(window):
    port, at = window.canvas.viewport(), chip(window, "cell", REPEAT)
    QTest.mousePress(port, LEFT, NONE, at)
    for by in (6, 20, 37):
        QTest.mouseMove(port, at + QPoint(by, 0))
    QTest.mouseRelease(port, LEFT, NONE, at + QPoint(37, 0))
    assert repeat(window, "cell") == 7
    at = chip(window, "cell", REPEAT)
    QTest.mousePress(port, LEFT, NONE, at)
    QTest.mouseMove(port, at - QPoint(90, 0))
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(port, LEFT, NONE, at - QPoint(90, 0))
    assert repeat(window, "cell") == 7


@pytest.mark.parametrize(("typed", "count"), [("6", 6), ("×2", 2), ("1", 1), ("0", 3), ("wide + 1", None)])
def test_a_double_click_lets_one_type_it(window, typed, count):
    said: list[str] = []
    window.bench.message.connect(said.append)
    QTest.mouseDClick(window.canvas.viewport(), LEFT, NONE, chip(window, "cell", REPEAT))
    field = QApplication.focusWidget()
    assert field.accessibleName() == "How many in a row"
    assert field.text() == "3"
    QTest.keyClicks(field, typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert repeat(window, "cell") == (Formula("wide + 1") if count is None else count)
    assert bool(said) == (typed == "0")


def test_a_formula_says_the_count_inside_of_a_block(window):
    window.bench.store.enter("Stage", "stage")
    QApplication.processEvents()
    window.canvas.zoom_to(1.0)
    see(window, "cell")
    assert window.canvas.graph.nodes["cell"].chip(REPEAT).text == "× depth"
    wheel(window, chip(window, "cell", REPEAT), 1)
    assert repeat(window, "cell") == Formula("depth"), "a formula is not turned away by the wheel"


def test_a_chip_that_cannot_be_read_is_not_touched(window):
    window.canvas.zoom_to(TEXT_FROM * 0.9)
    before = window.bench.store.document
    click(window, chip(window, "stage", EXPAND))
    assert window.bench.store.document == before
    assert window.bench.store.selection == {"stage"}


def test_a_tip_says_what_a_chip_is_for(window, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda at, text, *_: said.append(text))
    for name in (EXPAND, REPEAT):
        at = chip(window, "cell", name)
        help_ = QHelpEvent(QEvent.Type.ToolTip, at, window.canvas.viewport().mapToGlobal(at))
        QApplication.sendEvent(window.canvas.viewport(), help_)
    assert said == [TIPS[EXPAND], TIPS[REPEAT]]
