"""The parts of the canvas that need no window: wires, faces, strips, clipboard text, pictures."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QImage

from engine import catalogue
from engine.compiler.analysis import WARNING, Analysis, Fix, Problem
from engine.errors import EngineError, FileError
from engine.graph.build import Builder
from engine.graph.document import Document, Edge, Node, Slot
from engine.graph.layout import LANE
from engine.layers.declaration import TensorType
from engine.training.events import Activation
from gui.canvas import clipboard, fitting, fonts, strip
from gui.canvas.face import PAD, WIDEST, WIDTH, face_of, places_of
from gui.canvas.health import brief
from gui.canvas.picture import PAPER, picture
from gui.canvas.routing import Router, box_of
from gui.canvas.thumbnail import thumbnail
from gui.canvas.wire_item import label_of
from gui.theme import CAPTION_PX, DARK, LIGHT
from tests.gui.canvas_help import analysis_of, lenet

pytestmark = pytest.mark.usefixtures("qapp")


# -- ways of wires -----------------------------------------------------------------------------------------


def _router(*boxes):
    return Router(box_of(box) for box in boxes)


def _inside(route, boxes):
    points = [route.path.pointAtPercent(n / 200) for n in range(201)]
    return [p for p in points if any(b.adjusted(1, 1, -1, -1).contains(p) for b in boxes)]


def test_ports_of_one_height_are_joined_by_a_straight_line():
    route = _router(QRectF(0, 0, 148, 60), QRectF(218, 0, 148, 60)).route(QPointF(148, 25), QPointF(218, 25))
    assert route.path.boundingRect().height() == 0
    assert route.above


def test_a_wire_to_the_next_row_runs_between_the_rows():
    rows = [QRectF(x * 218, y * 192, 148, 122) for y in range(2) for x in range(5)]
    route = _router(*rows).route(QPointF(4 * 218 + 148, 25), QPointF(0, 217))
    assert not _inside(route, rows)
    assert 122 < route.label.y() < 192


def test_a_shortcut_runs_around_what_it_skips():
    boxes = [QRectF(x * 218, 0, 148, 100) for x in range(4)]
    route = _router(*boxes).route(QPointF(148, 25), QPointF(3 * 218, 25))
    assert not _inside(route, boxes)


def test_wires_in_one_corridor_keep_apart():
    boxes = [QRectF(x * 218, y * 192, 148, 100) for y in range(2) for x in range(3)]
    router = _router(*boxes)
    start, end = QPointF(2 * 218 + 148, 25), QPointF(0, 217)
    first, second = router.route(start, end), router.route(start + QPointF(0, 24), end + QPointF(0, 24))
    assert abs(first.label.y() - second.label.y()) >= 8
    assert not _inside(second, boxes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=2, max_size=2))
def test_every_wire_begins_and_ends_at_its_ports(ends):
    start, end = (QPointF(*each) for each in ends)
    path = _router(QRectF(-100, -100, 148, 100)).route(start, end).path
    assert (path.pointAtPercent(0) - start).manhattanLength() < 0.01
    assert (path.pointAtPercent(1) - end).manhattanLength() < 0.01
    assert np.isfinite(path.length())


# -- faces and strips --------------------------------------------------------------------------------------


def test_every_layer_has_a_face_with_ports_on_its_edges():
    for type_, layer in catalogue.layers().items():
        g = Builder()
        g.add(type_, id="node1")
        document = g.document()
        for shows in (False, True):
            face = face_of(document, "node1", Analysis(document), places_of(document), shows)
            assert WIDTH <= face.width <= WIDEST
            assert all(spot.at.x() == 0 and spot.at.y() < face.height for spot in face.inputs)
            assert all(spot.at.x() == face.width for spot in face.outputs)
            assert len(face.outputs) == len(layer.outputs_of({}))
            assert face.strip is None or face.body.contains(face.strip)


def test_a_long_title_is_elided_and_the_node_stays_narrow():
    g = Builder()
    g.add("MultiheadAttention", id="a" * 60)
    document = g.document()
    face = face_of(document, "a" * 60, Analysis(document), {})
    assert face.width == WIDEST
    assert face.title.endswith("…")


def test_a_failing_node_with_its_reason_and_button_ends_above_the_next_row():
    document = Document(nodes={"fc": Node("fc", "Linear")})
    problem = Problem("word " * 60, "fc", fix=Fix("Insert Flatten", lambda d: d))
    face = face_of(document, "fc", Analysis(document, (problem,), {}, {"fc": 12}), {}, shows=True)
    assert face.strip is None
    assert face.note.button.bottom() < LANE - 4
    warned = Problem("beware", "fc", severity=WARNING)
    assert face_of(document, "fc", Analysis(document, (warned,)), {}, shows=True).strip is not None


def test_a_long_reason_is_wrapped_and_has_its_button_below():
    document = lenet()
    problem = Problem("expects numbers " * 40, "fc1", "x", fix=Fix("Insert Flatten", lambda d: d))
    face = face_of(document, "fc1", analysis_of(document, problem), {})
    assert len(face.note.lines) == 4
    assert face.note.button.top() > face.note.rect.bottom() > face.height


def test_a_label_of_a_loss_is_named_after_its_port():
    edge = Edge(Slot("points", "label"), Slot("loss", "target"))
    analysis = Analysis(Document(), types={edge.source: TensorType(("N",), "int")})
    assert label_of(edge, analysis)[:2] == ("label · N", True)
    assert label_of(Edge(Slot("a", "y"), Slot("b", "x")), analysis)[:2] == ("", False)


def _activation(maps, labels=()):
    return Activation(maps.shape, maps, -1.0, 1.0, 0.0, 1.0, 0.0, labels)


def test_each_kind_of_activation_has_its_own_picture():
    conv, linear = catalogue.layer("Conv2d"), catalogue.layer("Linear")
    points = catalogue.layer("Spirals")
    maps = strip.of_activation(_activation(np.zeros((16, 10, 10), np.float32)), conv, -1, 1)
    assert len(maps.cells) == strip.MOST_MAPS
    assert (maps.image.width(), maps.image.height()) == (10, 10 * strip.MOST_MAPS)
    block = strip.of_activation(_activation(np.zeros(120, np.float32)), linear, -1, 1)
    assert block.image.width() * block.image.height() >= 120
    names = tuple("0123456789")
    bars = strip.of_activation(_activation(np.arange(10, dtype=np.float32), names), linear, 0, 9)
    assert bars.bars == tuple(range(10))
    point = strip.of_activation(_activation(np.array([0.5, -0.5], np.float32)), points, -1, 1)
    assert point.point == (0.5, -0.5)
    assert strip.of_activation(_activation(np.zeros((0,), np.float32)), linear, 0, 1) is None


def test_strips_survive_numbers_that_are_none():
    from PySide6.QtGui import QPainter

    linear = catalogue.layer("Linear")
    bad = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    image = QImage(140, 50, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for labels in ((), ("a", "b", "c", "d")):
        strip.paint(
            painter, QRectF(0, 0, 140, 46), strip.of_activation(_activation(bad, labels), linear, 0, 1), DARK
        )
    painter.end()


# -- placing -----------------------------------------------------------------------------------------------


def test_a_new_node_behind_another_takes_a_free_place():
    document, id = fitting.add_behind(lenet(), "ReLU", Slot("images", "y"), {})
    places = [node.position for node in document.nodes.values()]
    assert len(set(places)) == len(places)
    assert document.edges[Slot(id, "x")] == Slot("images", "y")


def test_labels_find_the_port_that_takes_them():
    document = lenet()
    types = {Slot("label", "y"): TensorType(("N",), "int")}
    document, id = fitting.add_behind(document, "CrossEntropyLoss", Slot("label", "y"), types)
    assert document.edges[Slot(id, "target")] == Slot("label", "y")


# -- clipboard ---------------------------------------------------------------------------------------------


def test_text_on_the_clipboard_is_read_back():
    document = lenet()
    after, ids = clipboard.paste(Document(), clipboard.to_text(document, document.nodes), (0, 0))
    assert ids == list(document.nodes)
    assert after.nodes == document.nodes
    assert after.edges == document.edges


def test_a_copy_closes_up_the_places_of_a_variadic_port():
    g = Builder()
    a, b = g.add("Input", id="a"), g.add("Input", id="b")
    g.add("Add", a, b, id="sum")
    after, _ = clipboard.paste(Document(), clipboard.to_text(g.document(), ["b", "sum"]), (0, 0))
    assert after.edges == {Slot("sum", "xs.0"): Slot("b", "y")}


def _text(**changes):
    node = {"id": "a", "type": "ReLU", "name": "", "params": {}, "position": [0, 0], **changes}
    return json.dumps({"netwright-nodes": 1, "nodes": [node], "edges": []})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        "[" * 100_000,
        '{"netwright-nodes": 2, "nodes": [], "edges": []}',
        '{"netwright-nodes": 1, "nodes": {}, "edges": []}',
        '{"netwright-nodes": 1, "nodes": [7]}',
        _text(type="os.system"),
        _text(type=None),
        _text(id=""),
        _text(name=3),
        _text(params=[1]),
        _text(params={"no": 1e400}),
        _text(type="Squash", params={"x": {"y": 1e400}}),
        _text(type="not a name"),
        _text()[:-1] + ', "missing": [["Squash", "x", []]]}',
        _text()[:-1] + ', "missing": {"a": 1}}',
        _text(position=[1e400, 0]),
        _text(position=[10**400, 0]),
        _text(position=[True, False]),
        _text(type="Conv2d", params={"out_channels": -1}),
        _text(type="Conv2d", params={"out_channels": "__import__('os')"}),
        _text()[:-1] + "x",
        json.dumps({"netwright-nodes": 1, "nodes": [{"id": "a", "type": "ReLU"}] * 2, "edges": []}),
        json.dumps({"netwright-nodes": 1, "nodes": [{"id": "a", "type": "ReLU"}], "edges": [[1, 2]]}),
        json.dumps(
            {
                "netwright-nodes": 1,
                "nodes": [{"id": "a", "type": "ReLU"}],
                "edges": [[["a", "y"], ["a", "x"]]],
            }
        ),
    ],
)
def test_foreign_and_hostile_text_is_refused_with_a_sentence(text):
    with pytest.raises(EngineError, match=r"^\w.* .*[.?]$"):
        clipboard.paste(Document(), text, (0, 0))


# -- pictures ----------------------------------------------------------------------------------------------


def test_a_png_holds_the_whole_network(tmp_path):
    document = lenet()
    picture(document, analysis_of(document), LIGHT, tmp_path / "net.png", scale=2)
    image = QImage(str(tmp_path / "net.png"))
    xs, ys = zip(*(node.position for node in document.nodes.values()), strict=True)
    assert image.width() >= 2 * (max(xs) - min(xs) + WIDTH)
    assert image.height() >= 2 * (max(ys) - min(ys))
    assert image.pixelColor(0, 0) == LIGHT.color("canvas")
    dot = QPointF(*document.nodes["images"].position)
    colors = {image.pixelColor(x, y).name() for x in range(60, 160) for y in range(60, 260, 2)}
    assert "#2fb5a8" in colors, dot


def test_an_svg_holds_the_titles(tmp_path):
    document = lenet()
    picture(document, analysis_of(document), DARK, tmp_path / "net.svg")
    root = ElementTree.parse(tmp_path / "net.svg").getroot()
    words = " ".join(root.itertext())
    for title in ("conv1", "relu1", "loss", "4×8×8"):
        assert title in words


def test_a_pdf_is_one_page_of_the_drawing_in_words_that_can_be_copied(tmp_path):
    document = lenet()
    picture(document, analysis_of(document), PAPER, tmp_path / "net.svg")
    picture(document, analysis_of(document), PAPER, tmp_path / "net.pdf")
    content = (tmp_path / "net.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    (page,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    drawn = ElementTree.parse(tmp_path / "net.svg").getroot().get("viewBox").split()[2:]
    assert [float(each) / 0.75 for each in page] == pytest.approx([float(each) for each in drawn], abs=2)
    maps = re.findall(rb"begincmap.*?endcmap", content, re.DOTALL)  # how glyphs are read as letters
    letters = {chr(int(code, 16)) for each in maps for code in re.findall(rb"<(\w{4})>", each)}
    assert set("conv1relu×4058") <= letters
    assert len(re.findall(rb"/FontFile2 ", content)) == len(maps) >= 2  # each embedded


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.storage.atomic._sync", full)
    for name, words in (
        ("net.pdf", "No space left"),
        ("net.png", "No space left"),
        ("net.gif", "svg or .pdf"),
    ):
        with pytest.raises(FileError, match=words):
            picture(lenet(), Analysis(lenet()), DARK, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_network_and_a_bad_path(tmp_path):
    picture(Document(), Analysis(Document()), DARK, tmp_path / "empty.png")
    assert not QImage(str(tmp_path / "empty.png")).isNull()
    with pytest.raises(FileError):
        picture(lenet(), Analysis(lenet()), DARK, tmp_path / "nowhere" / "net.png")


def test_thumbnails_show_the_colors_of_what_is_in_the_network():
    image = thumbnail(lenet(), LIGHT, QSize(230, 90))
    assert image.size() == QSize(460, 180)
    colors = {image.pixelColor(x, y).name() for x in range(460) for y in range(0, 180, 3)}
    assert {"#4c9dff", "#7c86ff", "#f0a63a", "#eb6a75"} <= colors


def test_a_small_dense_network_is_drawn_as_neurons_and_points_as_points():
    g = Builder()
    data = g.add("XOR")
    g.add("Linear", g.add("Tanh", g.add("Linear", data, out_features=4)), out_features=2)
    small = thumbnail(g.document(), LIGHT, QSize(230, 90))
    g = Builder()
    g.add("Linear", g.add("Spirals"), out_features=100)
    g.add("Linear", Slot("fc1", "y"), out_features=3)
    points = thumbnail(g.document(), LIGHT, QSize(230, 90))

    def colors(image):
        return {image.pixelColor(x, y).name() for x in range(0, 460, 2) for y in range(0, 180, 2)}

    assert {"#2fb5a8", "#7c86ff"} <= colors(small)
    assert {"#4c9dff", "#f0a63a", "#eb6a75"} <= colors(points)
    assert "#7c86ff" not in colors(points)


def test_parameters_and_health_never_touch():
    for count in (2, 2_416, 9_999, 10_164, 48_120, 999_400, 25_557_032):
        document = Document(nodes={"fc": Node("fc", "Linear", params={"out_features": 10})})
        face = face_of(document, "fc", Analysis(document, parameters={"fc": count}), {})
        measure = fonts.text_metrics(CAPTION_PX).horizontalAdvance
        for norm in (0.0062, 0.31, 12.0, 4567.0, 2.7e-8, 0.00042, 1e12, float("nan")):
            assert measure(face.foot) + measure(f"|g| {brief(norm)}") + 8 <= face.width - 2 * PAD


def test_norms_are_told_in_few_letters():
    norms = (0, 0.31, 0.0062, 0.00042, 2.7e-8, 12, 1234)
    assert [brief(norm) for norm in norms] == ["0.0", "0.31", "0.0062", "4.2e−4", "2.7e−8", "12", "1.2e3"]


def test_a_node_is_as_wide_as_its_line_needs():
    document = Document(nodes={"points": Node("points", "Spirals")})
    assert face_of(document, "points", Analysis(document), {}).summary == "1,000 points, 3 arms"
