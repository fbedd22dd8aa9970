"""The shapes on wires: each can be read, none lies on another or on a node."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtTest import QTest

from engine.compiler.analysis import Analysis
from engine.compiler.analyze import analyze
from engine.graph import edits
from engine.graph.blocks import inside
from engine.graph.build import Builder
from engine.graph.document import Document, Node, Slot, frozen
from engine.graph.marks import add_dot
from engine.layers.declaration import TensorType
from gui.bench import Bench
from gui.canvas.placing import arrange, array_of, overlaps, tag
from gui.canvas.routing import Router
from gui.canvas.scene import CanvasScene
from gui.canvas.view import CanvasView
from gui.store import Store
from presets import presets
from tests.gui.canvas_help import LEFT, NONE, analysis_of, canvas, drag, lenet, point, title

SIZE = (64, 112, 112)


def scene_of(document: Document, analysis: Analysis | None = None) -> CanvasScene:
    bench = Bench(Store(document))
    bench.analysis = analysis if analysis is not None else analyze(document)
    return CanvasScene(bench)


def shapes(document: Document, size: tuple[int, ...] = SIZE) -> Analysis:
    """An analysis in which every node gives one shape."""
    return Analysis(document, (), {source: TensorType(("N", *size)) for source in document.edges.values()})


def grid(columns: int, rows: int, across: float = 170.0, down: float = 84.0) -> Document:
    """Nodes without room between them, each joined to its neighbor and, criss-cross, to a later row."""
    nodes = {
        f"n{x}_{y}": Node(f"n{x}_{y}", "Add", position=(across * x, down * y))
        for x in range(columns)
        for y in range(rows)
    }
    edges: dict[Slot, Slot] = {}
    for x in range(1, columns):
        for y in range(rows):
            edges[Slot(f"n{x}_{y}", "xs.0")] = Slot(f"n{x - 1}_{y}", "y")
            edges[Slot(f"n{x}_{y}", "xs.1")] = Slot(f"n{x - 1}_{(3 * y + 1) % rows}", "y")
    return Document(nodes=frozen(nodes), edges=frozen(edges))


def boxes(scene: CanvasScene) -> dict[Slot, QRectF]:
    """Where labels are painted now."""
    everywhere = QRectF(-1e6, -1e6, 2e6, 2e6)
    return {wire.edge.target: wire.label_box for wire in scene.labels_in(everywhere)}


def check(scene: CanvasScene) -> dict[Slot, QRectF]:
    """Every label can be read: it lies on no other, on no node, note or dot. Returns them."""
    shown = boxes(scene)
    for (one, a), (other, b) in combinations(shown.items(), 2):
        assert not a.intersects(b), f"{one} lies on {other}"
    for target, box in shown.items():
        for id, item in scene.nodes.items():
            assert not box.intersects(item.body()), f"the label of {target} lies on {id}"
        for id, item in scene.marks.items.items():
            if not hasattr(item, "title_box"):
                assert not box.intersects(item.body()), f"the label of {target} lies on {id}"
    return shown


@pytest.fixture
def crowd(qtbot) -> CanvasView:
    view = canvas(qtbot, grid(5, 6, 152))
    view.bench.analysis = shapes(view.bench.store.document)
    view.graph.show_analysis()
    view.zoom_to(1.0)
    return view


def hidden(view: CanvasView) -> list:
    """Wires without room for their label, whose output is told by no other label."""
    graph = view.graph
    shown = boxes(graph)
    told = {graph.wires[target].edge.source for target in shown}
    return [wire for wire in graph.wires.values() if wire.label and wire.edge.source not in told]


# -- where there is room -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(presets()))
def test_no_label_of_a_preset_lies_on_another_or_on_a_node(qapp, name):
    document = presets()[name].document()
    scene = scene_of(document)
    shown = check(scene)
    wires = [wire for wire in scene.wires.values() if wire.label]
    sources = {wire.edge.source for wire in wires}
    assert len({scene.wires[target].edge.source for target in shown}) == len(sources)  # each shape is told
    assert len(shown) == len(sources)  # and only once


@pytest.mark.parametrize("name", ["inception", "googlenet", "resnet18-small"])
def test_no_label_inside_of_a_block_lies_on_another_or_on_a_node(qapp, name):
    document = presets()[name].document()
    for block in document.blocks:
        inner = inside(document, block)
        shown = check(scene_of(inner, shapes(inner, size=(256, 28, 28))))
        assert len(shown) >= len(set(inner.edges.values())) - 1


def test_an_output_that_many_read_is_told_once(qapp):
    g = Builder()
    image = g.add("Input", shape=(3, 32, 32), at=(0, 0))
    for n in range(4):
        g.add("ReLU", image, at=(300, 120 * n))
    assert len(check(scene_of(g.document()))) == 1


def test_labels_keep_away_from_notes_dots_and_the_titles_of_frames(qapp):
    def graph() -> Builder:
        g = Builder()
        image = g.add("Input", shape=(3, 32, 32), at=(0, 0))
        g.add("ReLU", image, at=(400, 0), id="relu")
        return g

    slot = Slot("relu", "x")
    free = boxes(scene_of(graph().document()))[slot]
    g = graph()
    g.note("Look", at=free.center().toTuple(), width=40)
    scene = scene_of(g.document())
    assert check(scene)[slot] != free
    document = graph().document()
    dotted = scene_of(add_dot(document, slot, 0, free.center().toTuple()))
    assert slot in check(dotted)


# -- where there is none -----------------------------------------------------------------------------------


def test_in_a_dense_graph_the_labels_that_remain_can_be_read(crowd):
    assert len(check(crowd.graph)) >= 10
    assert hidden(crowd)


@pytest.mark.parametrize(
    ("failing", "dashed", "shown"),
    [((0, 0), (0, 0), [1, 0]), ((0, 1), (0, 0), [0, 1]), ((0, 0), (1, 0), [0, 1]), ((0, 1), (0, 1), [0, 1])],
    ids=["first come", "what is wrong", "the model before its labels", "wrong labels"],
)
def test_the_more_important_of_two_labels_takes_the_only_place(qapp, failing, dashed, shown):
    route = Router([]).route(QPointF(0, 0), QPointF(120, 0))
    walls = array_of([(-500, -500, 500, -20), (-500, 0, 500, 500)])
    tags = [tag("64×7×7", route, side, bool(failing[side]), bool(dashed[side])) for side in (0, 1)]
    found = arrange(tags, walls)
    assert found.shown.tolist() == shown
    assert found.crowded.tolist() == [not each for each in shown]


def test_a_hidden_label_shows_while_the_pointer_is_on_its_wire(crowd):
    wire = hidden(crowd)[0]
    before = boxes(crowd.graph)
    crowd.light_wire(wire)
    shown = boxes(crowd.graph)
    assert wire.edge.target in shown
    for one, other in combinations(shown.values(), 2):
        assert not one.intersects(other)  # what it would cover gives way
    crowd.light_wire(None)
    assert boxes(crowd.graph) == before


def test_the_hidden_labels_of_a_node_show_while_it_is_selected_or_pointed_at(crowd):
    wire = hidden(crowd)[0]
    id = wire.edge.source.node
    before = boxes(crowd.graph)
    crowd.bench.store.select({id})
    assert wire.edge.source in {crowd.graph.wires[slot].edge.source for slot in boxes(crowd.graph)}
    crowd.bench.store.select(())
    assert boxes(crowd.graph) == before
    crowd.show_node(id)
    QTest.mouseMove(crowd.viewport(), title(crowd, id))
    assert wire.edge.source in {crowd.graph.wires[slot].edge.source for slot in boxes(crowd.graph)}


# -- while one works ---------------------------------------------------------------------------------------


def test_after_a_drop_every_label_can_be_read(qtbot):
    view = canvas(qtbot)
    shown = check(view.graph)
    box = shown[Slot("flatten1", "x")]
    start = title(view, "conv1")
    drag(view, start, start + point(view, box.center()) - point(view, view.graph.nodes["conv1"].pos()))
    assert view.graph.nodes["conv1"].body().intersects(box)
    check(view.graph)


def test_labels_under_what_is_dragged_give_way_and_come_back(qtbot):
    view = canvas(qtbot)
    before = check(view.graph)
    box = before[Slot("fc1", "x")]
    start = title(view, "images")
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    by = point(view, box.center()) - point(view, view.graph.nodes["images"].body().center())
    QTest.mouseMove(view.viewport(), start + by / 2)
    QTest.mouseMove(view.viewport(), start + by)
    assert view.graph.nodes["images"].body().intersects(box)
    assert Slot("fc1", "x") not in check(view.graph)
    view.forget_pointer()  # as when the drag is cancelled
    assert boxes(view.graph) == before


def test_labels_follow_an_edit_and_its_undo(crowd):
    store = crowd.bench.store
    before = check(crowd.graph)
    store.apply("Move", lambda d: edits.move(d, {"n1_1": (400.0, 40.0)}))
    moved = check(crowd.graph)
    assert moved != before
    store.undo_stack.undo()
    assert boxes(crowd.graph) == before


def test_labels_go_with_the_analysis(qtbot):
    view = canvas(qtbot)
    assert boxes(view.graph)
    view.bench.analysis = Analysis(view.bench.store.document)
    view.graph.show_analysis()
    assert not boxes(view.graph)
    view.bench.analysis = analysis_of(lenet())
    view.graph.show_analysis()
    assert len(check(view.graph)) == 6


def test_a_link_that_is_taken_off_takes_its_label_along(qtbot):
    view = canvas(qtbot)
    wire = view.graph.wires[Slot("relu1", "x")]
    wire.setVisible(False)
    assert wire.edge.target not in boxes(view.graph)


# -- boxes -------------------------------------------------------------------------------------------------


def test_overlaps_finds_the_same_pairs_with_and_without_a_grid():
    rng = np.random.default_rng(0)
    corner = rng.uniform(-4000, 4000, (400, 2))
    some = np.concatenate((corner, corner + rng.uniform(5, 700, (400, 2))), 1)
    found = set(zip(*(side.tolist() for side in overlaps(some[:200], some[200:])), strict=True))
    expected = {
        (a, b)
        for a, one in enumerate(some[:200])
        for b, other in enumerate(some[200:])
        if (one[:2] < other[2:]).all() and (one[2:] > other[:2]).all()
    }
    assert len(expected) > 100
    assert found == expected


def test_without_boxes_nothing_overlaps():
    assert not len(overlaps(np.empty((0, 4)), np.ones((3, 4)))[0])
