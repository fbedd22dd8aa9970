"""The panels around the canvas, with real keys and clicks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage

from engine import catalogue
from engine.compiler.analysis import WARNING, Fix, Problem
from engine.graph import edits
from engine.training.events import Finished, Progress, Started
from gui.bench import Bench
from gui.canvas.layer_drop import MIME
from gui.gallery.entry import Entry
from gui.gallery.gallery import GalleryPanel
from gui.gallery.welcome import WelcomePage
from gui.panels.code import CodePanel
from gui.panels.outline import OutlinePanel
from gui.panels.palette import PalettePanel, drag_picture
from gui.panels.problems import ProblemsPanel
from gui.panels.status_bar import StatusBar
from gui.panels.top_bar import TopBar
from gui.theme import DARK, LIGHT
from gui.widgets.segmented import Segmented, SegmentedStack
from tests.gui.panel_bench import SOURCE, small_bench, tell


@pytest.fixture
def bench(qapp) -> Bench:
    return small_bench()


def shown(qtbot, widget, width: int = 400, height: int = 500):
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def heard(signal) -> list:
    values: list = []
    signal.connect(lambda *args: values.append(args[0] if len(args) == 1 else args))
    return values


ENTRIES = (
    Entry("spirals", "Spirals", "three arms, regions live", "Foundations", "Start here"),
    Entry("lenet5", "LeNet-5", "read handwritten digits", "Convolutional", "Start here", "1 min"),
    Entry("vgg", "VGG16", "small filters, deep", "Convolutional", "Architectures"),
)


# The palette


def test_the_palette_finds_linear_by_fc_and_enter_chooses_it(qtbot, bench):
    panel = shown(qtbot, PalettePanel(bench))
    chosen = heard(panel.chosen)
    qtbot.keyClicks(panel.search, "fc")
    assert panel.list.currentItem().text() == "Linear"
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert chosen == ["Linear"]


def test_the_palette_lists_every_layer_under_its_category(qtbot, bench):
    panel = shown(qtbot, PalettePanel(bench))
    texts = [panel.list.item(row).text() for row in range(panel.list.count())]
    layers = catalogue.layers().values()
    assert len(texts) == len(layers) + len({layer.category for layer in layers}) + 3
    assert texts[0] == "Data"
    assert texts.index("Digits") < texts.index("Data from Python") < texts.index("Custom")
    assert texts[texts.index("Custom") + 1] == "Custom layer"
    assert texts.index("Digits") < texts.index("Custom") < texts.index("Convolution")
    assert texts.index("Convolution") < texts.index("Conv2d") < texts.index("Pooling")


def test_the_palette_is_walked_by_keys_and_double_clicked(qtbot, bench):
    panel = shown(qtbot, PalettePanel(bench), height=900)
    chosen = heard(panel.chosen)
    qtbot.keyClick(panel.search, Qt.Key.Key_Down)
    first = panel.list.currentItem()
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert chosen == [next(iter(catalogue.layers()))]
    place = panel.list.visualItemRect(first).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert len(chosen) == 2


def test_a_row_is_dragged_as_the_type_of_its_layer(qtbot, bench):
    panel = shown(qtbot, PalettePanel(bench))
    qtbot.keyClicks(panel.search, "conv2d")
    data = panel.list.mimeData([panel.list.currentItem()])
    assert bytes(data.data(MIME)) == b"Conv2d"
    assert not drag_picture(catalogue.layer("Conv2d"), LIGHT, 2.0).isNull()


def test_a_search_without_answer_says_so_and_escape_clears_it(qtbot, bench):
    panel = shown(qtbot, PalettePanel(bench))
    qtbot.keyClicks(panel.search, "zzzz")
    assert not panel.list.isVisible()
    qtbot.keyClick(panel.search, Qt.Key.Key_Escape)
    assert panel.list.isVisible()
    assert panel.search.text() == ""


# The outline


def test_outline_and_selection_are_one(qtbot, bench):
    panel = shown(qtbot, OutlinePanel(bench))
    revealed = heard(bench.reveal)
    names = [panel.tree.topLevelItem(row).text(0) for row in range(panel.tree.topLevelItemCount())]
    assert names == ["image", "conv", "flat", "fc", "out"]
    place = panel.tree.visualItemRect(panel.tree.topLevelItem(1)).center()
    qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert bench.store.selection == {"conv"}
    assert revealed == ["conv"]
    qtbot.keyClick(panel.tree, Qt.Key.Key_Down)
    assert bench.store.selection == {"flat"}
    bench.store.select(["fc", "out"])
    assert {item.text(0) for item in panel.tree.selectedItems()} == {"fc", "out"}
    assert revealed == ["conv", "flat"]


def test_the_outline_follows_edits_and_shows_shapes(qtbot, bench):
    panel = shown(qtbot, OutlinePanel(bench))
    assert panel.tree.topLevelItem(1).text(1) == "Conv2d  6×24×24"
    bench.store.select(["conv"])
    bench.store.apply("Rename", lambda document: edits.rename(document, "conv", "eyes"))
    assert panel.tree.topLevelItem(1).text(0) == "eyes"
    bench.store.apply("Delete", lambda document: edits.delete(document, ["flat"]))
    assert panel.tree.topLevelItemCount() == 4
    assert [item.text(0) for item in panel.tree.selectedItems()] == ["eyes"]
    bench.store.undo_stack.undo()
    assert panel.tree.topLevelItemCount() == 5


# The code


def test_a_click_on_a_line_selects_its_node(qtbot, bench):
    panel = shown(qtbot, CodePanel(bench), 600)
    revealed = heard(bench.reveal)
    view = panel.view
    block = view.document().findBlockByNumber(3)
    box = view.blockBoundingGeometry(block).translated(view.contentOffset())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(40, round(box.center().y())))
    assert bench.store.selection == {"fc"}
    assert revealed == ["fc"]
    assert view.marked == (4, 9)


def test_selected_nodes_mark_their_lines(qtbot, bench):
    panel = shown(qtbot, CodePanel(bench))
    bench.store.select(["conv", "flat"])
    assert panel.view.marked == (3, 7, 8)
    bench.store.select(())
    assert panel.view.marked == ()


def test_the_code_is_copied_and_exported(qtbot, bench):
    panel = shown(qtbot, CodePanel(bench))
    exported = []
    panel.export_requested.connect(lambda: exported.append(True))
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == SOURCE.text
    qtbot.mouseClick(panel.export_button, Qt.MouseButton.LeftButton)
    assert exported == [True]


def test_without_source_the_panel_says_why(qtbot, bench):
    panel = shown(qtbot, CodePanel(bench))
    tell(bench, source=None, problems=(Problem("Linear needs an input.", "fc"),))
    assert not panel.view.isVisible()
    assert "fc: Linear needs an input." in panel._why.text()
    assert not panel.copy_button.isEnabled()
    tell(bench)
    assert panel.view.isVisible()


def test_code_is_colored_over_several_lines(qtbot, bench):
    panel = shown(qtbot, CodePanel(bench))
    text = '"""First\nsecond"""\nimport torch\n'
    tell(bench, source=replace(SOURCE, text=text, lines={}))
    second = panel.view.document().findBlockByNumber(1).layout().formats()
    assert second[0].length == len('second"""')
    assert second[0].format.foreground().color() == DARK.color("muted")
    bench.set_theme(LIGHT)
    second = panel.view.document().findBlockByNumber(1).layout().formats()
    assert second[0].format.foreground().color() == LIGHT.color("muted")


# Problems


def test_a_click_on_a_problem_selects_and_reveals_its_node(qtbot, bench):
    panel = shown(qtbot, ProblemsPanel(bench))
    tell(bench, problems=(Problem("It feeds nothing.", "fc", severity=WARNING), Problem("No input.", "conv")))
    rows = panel.rows()
    assert [row.problem.node for row in rows] == ["conv", "fc"]
    revealed = heard(bench.reveal)
    qtbot.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    assert bench.store.selection == {"fc"}
    assert revealed == ["fc"]
    qtbot.keyClick(rows[0], Qt.Key.Key_Return)
    assert bench.store.selection == {"conv"}


def test_a_fix_is_one_undo_step(qtbot, bench):
    panel = shown(qtbot, ProblemsPanel(bench))
    fix = Fix("Delete out", lambda document: edits.delete(document, ["out"]))
    tell(bench, problems=(Problem("Nobody reads this.", "out", fix=fix),))
    qtbot.mouseClick(panel.rows()[0].fix_button, Qt.MouseButton.LeftButton)
    assert "out" not in bench.store.document.nodes
    assert bench.store.undo_stack.undoText() == "Delete out"


def test_a_fix_that_no_longer_fits_says_so(qtbot, bench):
    panel = shown(qtbot, ProblemsPanel(bench))
    said = heard(bench.message)
    fix = Fix("Delete out", lambda document: edits.delete(document, ["gone"]))
    tell(bench, problems=(Problem("Nobody reads this.", "out", fix=fix),))
    qtbot.mouseClick(panel.rows()[0].fix_button, Qt.MouseButton.LeftButton)
    assert "gone" in said[0]


def test_no_problems_are_a_good_word(qtbot, bench):
    panel = shown(qtbot, ProblemsPanel(bench))
    tell(bench, problems=(Problem("No input.", "conv"),))
    assert not panel._empty.isVisible()
    tell(bench)
    assert panel._empty.isVisible()
    assert panel._empty.text() == "No problems"
    assert panel.rows() == []


# Top and bottom


def test_the_run_button_says_and_asks_what_the_state_allows(qtbot, bench):
    bar = shown(qtbot, TopBar(bench), 1200, 48)
    asked = []
    for name in ("run", "pause", "step", "stop"):
        getattr(bar, f"{name}_requested").connect(lambda name=name: asked.append(name))

    def enter(state: str) -> None:
        bench.state = state
        bench.state_changed.emit(state)

    assert bar.run_button.text() == "Run"
    assert not bar.stop_button.isEnabled()
    qtbot.mouseClick(bar.step_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.run_button, Qt.MouseButton.LeftButton)
    enter("starting")
    assert not bar.run_button.isEnabled()
    enter("running")
    assert bar.run_button.text() == "Pause"
    assert not bar.step_button.isEnabled()
    qtbot.mouseClick(bar.run_button, Qt.MouseButton.LeftButton)
    enter("paused")
    assert bar.run_button.text() == "Resume"
    qtbot.mouseClick(bar.run_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.stop_button, Qt.MouseButton.LeftButton)
    assert asked == ["step", "run", "pause", "run", "stop"]


def test_the_top_bar_shows_how_far_the_run_is(qtbot, bench):
    bar = shown(qtbot, TopBar(bench), 1200, 48)
    progress = bar._progress
    bench.started.emit(Started(10, 1250, 125, "cpu", 2, 156))
    assert bar.device_button.text() == "CPU · 2 threads"
    bench.progress.emit(Progress(np.array([374, 375]), np.array([0.2, 0.1]), 3, 0.01, 512.0, 72.0))
    assert progress._what.full_text() == "Epoch 3 of 10 · step 375"
    assert progress._left.text() == "1 min 12 s left"
    assert progress._bar.value() == 300
    bench.finished.emit(Finished("done", 1250, 90.0, {}))
    assert progress._bar.value() == 1000
    bench.run_reset.emit()
    assert not progress._bar.isVisible()


def test_a_small_window_does_not_grow_when_a_run_begins(qtbot, bench):
    bar = shown(qtbot, TopBar(bench), 1000, 48)
    bench.store.apply("Name", lambda document: document.with_(name="A name that is rather long"))
    bar.set_title(bench.store.document.name, True)
    bench.started.emit(Started(100, 12500, 125, "cpu", 16, 156))
    bench.progress.emit(Progress(np.array([374, 375]), np.array([0.2, 0.1]), 3, 0.01, 512.0, 72.0))
    assert bar.minimumSizeHint().width() <= 1000
    assert bar._progress.width() > 150


def test_title_and_devices_of_the_top_bar(qtbot, bench):
    bar = shown(qtbot, TopBar(bench), 1200, 48)
    bar.set_title("LeNet-5", True)
    assert bar._name.full_text() == "LeNet-5 •"
    chosen = heard(bar.device_chosen)
    bar.set_devices([("auto", "Auto"), ("cpu", "CPU")])
    bar.device_button.menu().actions()[1].trigger()
    assert chosen == ["cpu"]
    assert bar.device_button.text() == "CPU"


def test_the_status_bar_counts_and_leads_to_the_problems(qtbot, bench):
    bar = shown(qtbot, StatusBar(bench), 1200, 28)
    assert bar._parameters.text() == "34,726 parameters"
    assert bar.problems_button.text() == "No problems"
    tell(bench, problems=(Problem("No input.", "conv"), Problem("Unused.", "fc", severity=WARNING)))
    assert bar.problems_button.text() == "1 problem"
    asked = []
    bar.problems_requested.connect(lambda: asked.append(True))
    qtbot.mouseClick(bar.problems_button, Qt.MouseButton.LeftButton)
    assert asked == [True]
    bench.progress.emit(Progress(np.array([1]), np.array([0.1]), 1, 0.01, 512.0, 72.0, 0.018))
    assert (bar._cost.text(), bar._speed.text()) == ("live views cost 1.8 %", "512 steps/s")


def test_a_message_leaves_after_a_while(qtbot, bench):
    bar = shown(qtbot, StatusBar(bench), 1200, 28)
    bar._message.timer.setInterval(20)
    bench.message.emit("Saved.")
    assert bar._message.full_text() == "Saved."
    qtbot.waitUntil(lambda: bar._message.full_text() == "")


# The examples


def test_the_gallery_opens_filters_and_highlights(qtbot, bench):
    panel = shown(qtbot, GalleryPanel(bench), 240)
    panel.set_entries(ENTRIES)
    chosen = heard(panel.chosen)
    qtbot.mouseClick(panel.cards["lenet5"], Qt.MouseButton.LeftButton)
    qtbot.keyClick(panel.cards["vgg"], Qt.Key.Key_Return)
    assert chosen == ["lenet5", "vgg"]
    panel.set_current("lenet5")
    assert [name for name, card in panel.cards.items() if card.property("selected")] == ["lenet5"]
    qtbot.keyClicks(panel.search, "digits")
    assert [name for name, card in panel.cards.items() if card.isVisible()] == ["lenet5"]


def test_the_welcome_page_begins_goes_on_and_opens(qtbot, bench):
    page = shown(qtbot, WelcomePage(bench), 1400, 900)
    picture = QImage(40, 20, QImage.Format.Format_RGB32)
    page.set_entries(ENTRIES, {"vgg": picture})
    page.set_recent([("/files/flowers.netwright", "yesterday")])
    asked = []
    page.new_requested.connect(lambda: asked.append("new"))
    page.open_requested.connect(lambda: asked.append("open"))
    page.recent_chosen.connect(asked.append)
    page.chosen.connect(asked.append)
    qtbot.mouseClick(page.new_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page._recent.itemAt(0).widget(), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.cards["spirals"], Qt.MouseButton.LeftButton)
    assert asked == ["new", "open", "/files/flowers.netwright", "spirals"]
    qtbot.mouseClick(page.chip("Convolutional"), Qt.MouseButton.LeftButton)
    assert [name for name, card in page.cards.items() if card.isVisible()] == ["lenet5", "vgg"]
    qtbot.keyClicks(page.search, "vgg")
    assert [name for name, card in page.cards.items() if card.isVisible()] == ["vgg"]


# Widgets


def test_segments_are_exclusive_and_show_their_page(qtbot, bench):
    pages = [(key, key.title(), Segmented([("x", "X")])) for key in ("layers", "gallery")]
    stack = shown(qtbot, SegmentedStack(pages))
    changes = heard(stack.changed)
    qtbot.mouseClick(stack.segments.button("gallery"), Qt.MouseButton.LeftButton)
    assert stack.segments.key == "gallery"
    assert changes == ["gallery"]
    assert pages[1][2].isVisible()
    stack.show_page("layers")
    assert pages[0][2].isVisible()
