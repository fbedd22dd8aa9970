"""Activations, filters, regions and samples: pixels and words of fabricated snapshots."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from engine.compiler.analysis import Analysis
from engine.graph.document import Document, Node, Slot
from engine.layers.declaration import TensorType
from engine.training.events import Activation, Finished, Regions, Samples, Snapshot, Weights
from gui.bench import Bench
from gui.images import lut
from gui.store import Store
from gui.theme import CLASSES, DARK, LIGHT
from gui.views import VIEWS
from gui.views.activations import ActivationsView
from gui.views.filters import FiltersView
from gui.views.grid import fit_grid
from gui.views.learning import LearningView
from gui.views.regions import RegionsView, blend
from gui.views.samples import SamplesView

DIGITS = tuple("0123456789")


@pytest.fixture
def bench():
    nodes = {name: Node(name, "Conv2d") for name in ("conv1", "conv2", "tanh2")}
    return Bench(Store(Document(nodes=nodes)))


@pytest.fixture
def show(qtbot, bench):
    def make(view_class, width=500, height=270):
        view = view_class(bench)
        qtbot.addWidget(view)
        view.resize(width, height)
        view.show()
        return view

    return make


def take(bench, *views, **parts):
    """Send a snapshot and bring the views up to date at once."""
    bench.snapshot = Snapshot(10, 1, **parts)
    bench.snapshot_taken.emit(bench.snapshot)
    for view in views:
        view.throttle.flush()


def activation(maps, shape=None, dead=0.0, labels=()):
    maps = np.asarray(maps, np.float32)
    return Activation(
        shape or maps.shape, maps, float(maps.min()), float(maps.max()), -0.02, 0.61, dead, labels
    )


def color_at(view, point):
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor((QPointF(point) * ratio).toPoint()).name()


def word(color):
    return QColor.fromRgba(int(color)).name()


# activations


def test_feature_maps_are_told_in_words_and_drawn_in_magma(bench, show):
    view = show(ActivationsView)
    maps = np.zeros((16, 10, 10))
    maps[3] = 1
    take(bench, view, selected="conv2", sample=214, detail=activation(maps))
    assert view.heading_text == "conv2 activations · 16 maps of 10 × 10 · sample 214"
    assert view.caption == "Mean −0.02 · deviation 0.61 · none dead"
    view.grab()
    assert color_at(view, view._grid.cell(2).center()) == word(lut("magma")[0])
    assert color_at(view, view._grid.cell(3).center()) == word(lut("magma")[254])


def test_pixels_of_a_map_stay_where_they_are(bench, show):
    view = show(ActivationsView)
    maps = np.zeros((2, 4, 4))
    maps[1, 0, 3] = 1
    take(bench, view, selected="conv1", detail=activation(maps))
    view.grab()
    cell = view._grid.cell(1)
    corner = cell.topRight() + QPointF(-cell.width() / 8, cell.height() / 8)
    assert color_at(view, corner) == word(lut("magma")[254])
    assert color_at(view, cell.center()) == word(lut("magma")[0])
    assert view.tip(corner.x(), corner.y()) == "map 1, row 0, column 3: 1.00"


def test_dead_maps_and_thinned_ones_are_told(bench, show):
    view = show(ActivationsView)
    maps = np.ones((64, 7, 7))
    take(bench, view, selected="conv1", detail=activation(maps, shape=(512, 7, 7), dead=0.25))
    assert "64 of 512 maps of 7 × 7" in view.heading_text
    assert view.caption.endswith("25 % dead")


def test_class_scores_are_bars_with_the_largest_in_full_color(bench, show):
    view = show(ActivationsView)
    scores = np.zeros(10)
    scores[5] = 4.0
    take(bench, view, selected="conv1", detail=activation(scores, labels=DIGITS))
    assert view.heading_text.startswith("conv1 activations · 10 numbers")
    assert DARK.accent.lower() in {color_at(view, QPoint(x, 90)) for x in range(14, 480, 6)}


def test_thousands_of_numbers_are_one_block_that_can_be_read(bench, show):
    view = show(ActivationsView)
    values = np.zeros(4096)
    values[4095] = 1
    take(bench, view, selected="conv1", detail=activation(values))
    assert view.heading_text.startswith("conv1 activations · 4,096 numbers")
    view.grab()
    last = view._grid.cell(4095).center()
    assert color_at(view, last) == word(lut("magma")[254])
    assert view.tip(last.x(), last.y()) == "4095: 1.00"
    assert view._grid.bottom < view.height() - 40


def test_the_target_of_the_sample_is_named_when_it_is_known(bench, show):
    view = show(ActivationsView)
    samples = Samples(np.zeros((3, 1, 4, 4)), np.array([7, 8, 5]), np.array([7, 8, 5]), "class", DIGITS)
    take(bench, view, selected="conv1", sample=1, detail=activation(np.ones((2, 3, 3))), samples=samples)
    assert view.heading_text.endswith("sample 1, an 8")


def test_stepping_through_samples_asks_the_run(qtbot, bench, show):
    view = show(ActivationsView)
    samples = Samples(np.zeros((3, 1, 4, 4)), np.zeros(3), np.zeros(3), "class", DIGITS)
    take(bench, view, selected="conv1", detail=activation(np.ones((2, 3, 3))), samples=samples)
    with qtbot.waitSignal(bench.look_changed):
        qtbot.mouseClick(view.stepper, Qt.MouseButton.LeftButton, pos=QPoint(view.stepper.width() - 5, 10))
    assert bench.sample == 1
    for _ in range(5):
        view.step_sample(1)
    assert bench.sample == 2
    for _ in range(5):
        view.step_sample(-1)
    assert bench.sample == 0


def test_another_selected_node_is_shown_as_its_miniature_at_once(bench, show):
    view = show(ActivationsView)
    parts = {"conv1": activation(np.ones((6, 5, 5))), "tanh2": activation(np.ones((3, 2, 2)))}
    take(bench, view, selected="conv1", detail=parts["conv1"], activations=parts)
    bench.store.select(["tanh2"])
    view.throttle.flush()
    assert view.heading_text.startswith("tanh2 activations · 3 maps of 2 × 2")


def test_the_color_range_does_not_jump(bench, show):
    view = show(ActivationsView)
    take(bench, view, selected="conv1", detail=activation(np.linspace(-1, 1, 18).reshape(2, 3, 3)))
    take(bench, view, selected="conv1", detail=activation(np.linspace(-0.1, 0.1, 18).reshape(2, 3, 3)))
    assert 0.5 < view._picture.high < 1
    take(bench, view, selected="conv2", detail=activation(np.linspace(-0.1, 0.1, 18).reshape(2, 3, 3)))
    assert view._picture.high == pytest.approx(0.1)


# filters


def test_filters_are_signed_around_the_panel(bench, show):
    view = show(FiltersView)
    values = np.zeros((4, 3, 2, 2), np.float32)
    values[1], values[2] = -0.5, 0.5
    take(bench, view, selected="conv2", weights=Weights("weight", values.shape, values, moved=0.18))
    assert view.heading_text == "conv2 filters · 4 × 3 of 2 × 2"
    assert view.caption == "moved 18 % since start"
    view.grab()
    grid = view._grid
    assert color_at(view, grid.cell(0).center()) == DARK.panel.lower()
    assert color_at(view, grid.cell(3).center()) == word(lut("signed", DARK)[0])
    assert color_at(view, grid.cell(6).center()) == word(lut("signed", DARK)[254])
    bench.set_theme(LIGHT)
    view.throttle.flush()
    assert color_at(view, grid.cell(0).center()) == LIGHT.panel.lower()
    assert grid.columns % 3 == 0
    assert view.tip(grid.cell(3).center().x(), grid.cell(3).center().y()).endswith("−0.500")


def test_rows_of_a_linear_layer_on_an_image_are_pictures(bench, show):
    view = show(FiltersView)
    values = np.zeros((10, 64), np.float32)
    take(bench, view, selected="conv1", weights=Weights("weight", (10, 64), values, image=(1, 8, 8)))
    assert view.heading_text == "conv1 filters · 10 × 1 of 8 × 8"
    assert view._filters.shape == (10, 1, 8, 8)


def test_a_plain_matrix_is_one_picture(bench, show):
    view = show(FiltersView)
    values = np.zeros((8, 30), np.float32)
    values[0, 29] = 1
    take(bench, view, selected="conv1", weights=Weights("weight", (84, 120), values))
    assert view.heading_text == "conv1 weights · 84 × 120"
    view.grab()
    box = view._grid.cell(0)
    assert color_at(view, box.topRight() + QPointF(-3, 3)) != color_at(view, box.center())
    assert view.tip(box.right() - 2, box.top() + 2) == "output 0, input 29: 1.00"


def test_more_filters_than_fit_leave_the_view_whole(bench, show):
    view = show(FiltersView, 220, 180)
    values = np.random.default_rng(0).normal(size=(64, 64, 7, 7)).astype(np.float32)
    take(bench, view, selected="conv1", weights=Weights("weight", (512, 256, 7, 7), values))
    assert "512 × 256" in view.heading_text
    view.grab()
    assert view._grid.right <= view.width()
    assert view._grid.bottom <= view.height()


def test_a_node_without_weights_is_told_so(bench, show):
    view = show(FiltersView)
    take(bench, view, selected="tanh2")
    assert view.note == "tanh2 has no weights. Select a layer that learns, such as a convolution."


def test_no_weights_are_promised_to_a_node_that_has_none(bench, show):
    known = {Slot(name, "y"): TensorType(("N", 4)) for name in ("conv1", "tanh2")}
    bench.analysis = Analysis(bench.store.document, (), known, {"conv1": 40})
    view = show(FiltersView)
    for node, note in (("tanh2", "tanh2 has no weights."), ("conv1", "The weights of conv1 appear here")):
        bench.store.select([node])
        view.throttle.flush()
        assert view.note.startswith(note)


# regions


def regions(names=("a", "b")):
    classes = np.zeros((10, 10), int)
    classes[:5] = 1  # the lower half, because row 0 is the smallest y
    points = np.array([[-0.5, -0.5], [0.5, 0.5]])
    return Regions(
        (-1, 1, -1, 1), classes, np.ones((10, 10)), points, np.array([1, 0]), np.array([False, True]), names
    )


def test_regions_take_the_colors_of_their_classes_by_confidence():
    value = regions()
    certain = blend(value, DARK)
    unsure = blend(Regions(**{**value.__dict__, "confidence": np.full((10, 10), 0.5)}), DARK)
    panel = np.array(QColor(DARK.panel).getRgb()[:3])
    first = np.array(QColor(CLASSES[0]).getRgb()[:3])
    assert np.abs(certain[9, 0] - first).sum() < np.abs(unsure[9, 0] - first).sum()
    assert np.abs(unsure[9, 0] - panel).sum() < 0.1 * np.abs(first - panel).sum()


def test_the_smallest_y_is_at_the_bottom(bench, show):
    view = show(RegionsView)
    take(bench, view, regions=regions())
    box = view._box(QRectF(view.rect()).adjusted(14, 34, -14, -10))
    assert box.width() == pytest.approx(box.height())
    colors = blend(regions(), DARK)
    for share, row in ((0.25, 9), (0.75, 0)):
        seen = color_at(view, QPointF(box.left() + 8, box.top() + share * box.height()))
        assert seen == QColor(*(round(c) for c in colors[row, 0])).name()
    assert view.heading_text == "Decision regions · 2 points, 1 held out"


def test_held_out_points_are_rings(bench, show):
    view = show(RegionsView)
    take(bench, view, regions=regions())
    box = view._box(QRectF(view.rect()).adjusted(14, 34, -14, -10))
    learned = QPointF(box.left() + 0.25 * box.width(), box.top() + 0.75 * box.height())
    held_out = QPointF(box.left() + 0.75 * box.width(), box.top() + 0.25 * box.height())
    assert color_at(view, learned) == CLASSES[1].lower()
    assert color_at(view, held_out) == DARK.panel.lower()


def test_regions_are_asked_for_only_while_they_can_be_seen(bench, show):
    view = show(RegionsView)
    assert bench.wants_regions
    other = show(LearningView)
    view.hide()
    assert bench.wants_regions  # the other page still looks
    other.hide()
    assert not bench.wants_regions


def test_what_has_no_room_beside_the_curves_gives_way(qtbot, bench, show):
    page = show(LearningView, 1070, 274)
    parts = page.curves, page.activations, page.filters
    assert [part.isVisible() for part in parts] == [True, True, True]
    assert page.minimumSizeHint().width() < 300  # else the window would grow when a run begins
    page.resize(470, 274)
    qtbot.waitUntil(lambda: not page.filters.isVisible())
    assert page.curves.isVisible()
    assert page.activations.isVisible()
    take(bench, regions=regions())
    assert page.function.isVisible()
    assert not page.activations.isVisible()
    page.resize(1070, 274)
    qtbot.waitUntil(lambda: page.filters.isVisible() and page.activations.isVisible())


def test_a_network_without_regions_is_told_so(bench, show):
    view = show(RegionsView)
    take(bench, view, selected="conv1")
    assert view.note.startswith("This network has no decision regions")


# samples


def classified(wrong=()):
    targets = np.arange(10)
    predictions = targets.copy()
    for index in wrong:
        predictions[index] = (index + 5) % 10
    return Samples(
        np.random.default_rng(0).random((10, 1, 8, 8)),
        targets,
        predictions,
        "class",
        DIGITS,
        np.full(10, 0.75),
    )


def colors_under(view, index):
    box = view._tiles.label(index)
    image = view.grab().toImage()
    xs, ys = range(int(box.left()), int(box.right())), range(int(box.top()), int(box.bottom()))
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


def test_wrong_samples_are_counted_marked_and_explained(bench, show):
    view = show(SamplesView)
    take(bench, view, samples=classified(wrong=[3]))
    assert view.heading_text == "Samples · 9 of 10 right"
    view.grab()

    def nearest(index, tone):
        want = np.array(QColor(tone).getRgb()[:3])
        return min(np.abs(np.array(QColor(c).getRgb()[:3]) - want).max() for c in colors_under(view, index))

    assert nearest(3, DARK.error) < 40 < nearest(3, DARK.ok)
    assert nearest(4, DARK.ok) < 40 < nearest(4, DARK.error)
    tile = view._tiles.tile(3).center()
    assert view.tip(tile.x(), tile.y()) == "sample 3: 8 with 75 % confidence, but it is 3"
    tile = view._tiles.tile(4).center()
    assert view.tip(tile.x(), tile.y()) == "sample 4: 4 with 75 % confidence"


def test_a_yes_or_no_that_comes_as_a_column_is_counted(bench, show):
    view = show(SamplesView)
    targets = np.array([[0], [1], [1], [0]])
    take(
        bench,
        view,
        samples=Samples(np.zeros((4, 3)), targets, np.array([0, 1, 0, 0]), "class", ("no", "yes")),
    )
    assert view.heading_text == "Samples · 3 of 4 right"


def test_a_click_on_a_sample_looks_at_it(qtbot, bench, show):
    view = show(SamplesView)
    take(bench, view, samples=classified())
    view.grab()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view._tiles.tile(6).center().toPoint())
    assert bench.sample == 6


def test_numbers_are_told_with_their_error(bench, show):
    view = show(SamplesView)
    targets = np.array([1.0, 2.0, 3.0])
    take(bench, view, samples=Samples(np.zeros((3, 4)), targets, targets + 0.5, "number"))
    assert view.heading_text == "Prediction against target · 3 samples · off by 0.500 on average"
    image = view.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert DARK.accent.lower() in seen


def test_rebuilt_images_stand_under_their_originals(bench, show):
    view = show(SamplesView)
    inputs = np.zeros((4, 1, 6, 6))
    inputs[0, 0, 0, 0] = 1  # so that the range is known
    rebuilt = np.ones((4, 36))
    take(bench, view, samples=Samples(inputs, inputs, rebuilt, "image"))
    assert view.heading_text.startswith("Originals above, rebuilt below · mean squared error 0.99")
    view.grab()
    tile = view._tiles.tile(2)
    assert color_at(view, tile.center() - QPointF(0, tile.height() / 4)) == "#000000"
    assert color_at(view, tile.center() + QPointF(0, tile.height() / 4)) == "#ffffff"


@pytest.mark.parametrize("shape", [(10, 2), (10, 4), (10, 13), (10, 12, 12), (10, 3, 8, 8), (10,)])
def test_every_form_of_input_has_tiles(bench, show, shape):
    view = show(SamplesView)
    inputs = np.random.default_rng(0).random(shape)
    take(bench, view, samples=Samples(inputs, np.arange(10), np.arange(10), "class"))
    view.grab()
    assert view._tiles.count == 10
    assert not view._failed


# all of them


PARTS = {
    "learning": lambda page: (page.curves, page.activations, page.filters),
    "regions": lambda page: (page.regions,),
}


OF_A_RUN = [view for view in VIEWS if view.name != "data"]
"""Data is there before a run, and stays."""


@pytest.mark.parametrize("view", OF_A_RUN, ids=lambda view: view.name)
def test_every_page_invites_when_empty_and_empties_for_a_new_run(qtbot, bench, view):
    bench.store.select(["conv2"])
    page = view.make(bench)
    qtbot.addWidget(page)
    page.resize(900, 270)
    page.show()
    parts = PARTS.get(view.name, lambda page: (page,))(page)
    assert all("Run" in part.note for part in parts)
    take(
        bench,
        selected="conv2",
        detail=activation(np.ones((4, 3, 3))),
        weights=Weights("weight", (4, 1, 3, 3), np.ones((4, 1, 3, 3))),
        regions=regions(),
        samples=classified(),
    )
    for part in parts:
        part.throttle.flush()
    painted = [part for part in parts if part.note == ""]
    assert len(painted) == (2 if view.name == "learning" else 1)  # no losses came
    bench.finished.emit(Finished("done", 10, 1.0, {}))
    assert all(part.note == "" for part in painted)
    bench.run_reset.emit()
    assert all("Run" in part.note for part in parts)
    assert page.grab().width() > 0


def test_the_learning_page_makes_room_for_what_there_is(bench, show):
    page = show(LearningView, 1070, 274)
    assert not page.function.isVisible()
    assert not page.strip.isVisible()
    take(bench, samples=classified())
    assert page.strip.isVisible()
    assert bench.wants_samples
    take(bench, regions=regions(), samples=classified())
    assert page.function.isVisible()
    bench.run_reset.emit()
    assert not page.function.isVisible()


def test_hidden_pages_do_no_work(bench, show):
    view = show(ActivationsView)
    view.hide()
    bench.snapshot_taken.emit(Snapshot(1, 1, selected="conv1", detail=activation(np.ones((2, 3, 3)))))
    assert view.heading == []
    assert view.throttle.pending


def test_an_error_while_painting_is_shown_and_logged_once(bench, show, caplog):
    view = show(ActivationsView)
    take(bench, view, selected="conv1", detail=activation(np.ones((2, 3, 3))))
    view.draw = lambda painter, area: 1 / 0
    view.grab()
    view.grab()
    assert [record.message for record in caplog.records] == ["ActivationsView could not be painted"]
    # the log keeps the frames: a painter that is freed after its view, and not ended, ends the process
    frame = caplog.records[0].exc_info[2].tb_frame
    assert not frame.f_locals["painter"].isActive()


def test_what_nobody_thought_of_leaves_the_window_alive(bench, show, caplog):
    view = show(SamplesView)
    take(bench, view, samples=Samples(np.zeros((3, 4)), np.zeros(3), np.zeros(3), "unheard of"))
    assert view.note == "This picture could not be drawn."
    assert len(caplog.records) == 1


@pytest.mark.parametrize("count", [1, 5, 16, 33, 64])
@pytest.mark.parametrize("shape", [(10, 10), (1, 40), (28, 14)])
def test_grids_stay_inside_their_area(count, shape):
    area = QRectF(10, 20, 380, 170)
    grid = fit_grid(area, count, shape)
    assert grid.count == count
    assert all(area.adjusted(-1, -1, 1, 1).contains(cell) for cell in grid.cells)
    middle = grid.cell(count - 1).center()
    assert grid.at(middle.x(), middle.y())[0] == count - 1
