"""What a network costs: tints on the canvas with their numbers, tiles in the inspector, totals below."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel

from engine.graph.edits import set_params
from engine.graph.settings import set_training
from engine.training.events import Timed
from gui.cost import COSTS, heats, milliseconds, share, tint
from gui.theme import DARK, LIGHT
from tests.gui.test_panels_style import contrast
from tests.gui.window_help import click_node, open_window


def pixel(window, node: str) -> str:
    """The color of a node's card, beside its words."""
    item = window.canvas.graph.nodes[node]
    at = window.canvas.to_view(item.body().bottomRight()) - QPoint(8, 8)
    return window.canvas.viewport().grab().toImage().pixelColor(at).name()


def texts(widget) -> set[str]:
    return {each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget)}


def test_the_costliest_node_is_tinted_most_and_says_its_share(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.canvas.zoom_to(1.0)
        plain = pixel(window, "fc1")
        window.actions_["heat_parameters"].trigger()
        assert window.actions_["heat_parameters"].isChecked()
        found = {id: item.mood.heat for id, item in window.canvas.graph.nodes.items() if item.mood.heat}
        assert found.keys() == {"conv1", "conv2", "fc1", "fc2", "digit"}
        assert found["fc1"].text == "48.1 k · 78 %"
        assert found["conv1"].text == "156 · <1 %"
        assert found["fc1"].level == 1 > found["fc2"].level > found["conv1"].level > 0.05
        window.canvas.show_node("fc1")
        assert pixel(window, "fc1") == tint(window.bench.theme, 1.0) != plain
        window.actions_["heat_"].trigger()
        assert all(item.mood.heat is None for item in window.canvas.graph.nodes.values())


def test_the_control_on_the_canvas_offers_every_cost(qtbot):
    with open_window(qtbot, "lenet5") as window:
        control = window.canvas.heat
        assert control.button.text() == "Heat map"
        assert not control.scale.isVisible()
        by_name = {action.text(): action for action in control.button.menu().actions()}
        assert list(by_name) == ["Off", "Parameters", "Multiply-adds", "Memory", "Time"]
        by_name["Memory"].trigger()
        assert window.bench.heat == "memory"
        assert control.text.text() == "0 … 19 kB, together 36 kB"
        assert control.scale.isVisible()
        by_name["Time"].trigger()
        assert control.text.text() == "Run to measure"
        by_name["Off"].trigger()
        assert not control.text.isVisible()


def test_an_edit_changes_the_tints_and_the_control_stays_in_its_corner(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.bench.show_heat("parameters")
        click_node(window, "fc1")
        window.bench.store.apply("Less", lambda d: set_params(d, "fc1", out_features=1))
        fc1 = window.canvas.graph.nodes["fc1"]
        qtbot.waitUntil(lambda: fc1.mood.heat.text == "401 · 10 %")
        control = window.canvas.heat
        window.resize(1100, 800)
        corner = window.canvas.rect().topRight() - control.geometry().topRight()
        assert corner.x() == control.INSET
        assert control.geometry().bottom() <= window.canvas.caption.height()


def test_inside_a_block_the_shares_are_of_the_block(qtbot):
    with open_window(qtbot, "resnet18") as window:
        window.bench.show_heat("macs")
        window.bench.store.enter("BasicBlock")
        found = heats(window.bench)
        assert found["conv1"].text.endswith("50 %")
        assert window.canvas.graph.nodes["conv1"].mood.heat == found["conv1"]


def test_inside_a_block_the_times_are_those_of_its_nodes(qtbot):
    with open_window(qtbot, "resnet18-small") as window:
        window.bench.store.apply("Short", lambda d: set_training(d, epochs=1))
        window.bench.show_heat("time")
        window.bridge.run()
        qtbot.waitUntil(lambda: () in window.bench.times, timeout=60_000)
        window.bridge.stop()
        block = next(id for id, n in window.bench.store.document.nodes.items() if n.type == "BasicBlock")
        window.bench.store.enter("BasicBlock", block)
        nodes = window.canvas.graph.nodes
        qtbot.waitUntil(lambda: nodes["conv1"].mood.heat is not None, timeout=60_000)
        assert nodes["x"].mood.heat is None
        inside = window.bench.times[window.bench.store.way].total
        assert 0 < inside < window.bench.times[()].total


def test_after_a_run_the_time_of_every_node_is_known(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.bench.store.apply("Short", lambda d: set_training(d, epochs=2))
        window.bench.show_heat("time")
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        assert isinstance(window.bench.times[()], Timed)
        for node in ("hidden", "relu1", "arm", "loss"):
            assert " ms · " in window.canvas.graph.nodes[node].mood.heat.text
        window.bench.store.select(["hidden"])
        assert "forward of a batch" in texts(window.inspector)


def test_the_inspector_tells_what_a_node_costs_and_what_all_of_it_takes(qtbot):
    with open_window(qtbot, "lenet5") as window:
        told = texts(window.inspector)
        assert {"61,706", "parameters", "multiply-adds", "36 kB", "kept for a sample"} <= told
        assert {
            "Weights",
            "247 kB",
            "Optimizer",
            "494 kB",
            "Activations × 32",
            "1.1 MB",
            "Together",
            "2.1 MB",
        } <= told
        assert "about 2.1 MB to train" in texts(window.status)
        window.bench.store.select(["conv2"])
        assert {"2,416", "240 k", "4.7 kB"} <= texts(window.inspector)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_words_can_be_read_on_every_tint(theme):
    grounds = [tint(theme, step / 10) for step in range(11)]
    assert min(contrast(theme.text, ground) for ground in grounds) > 4.5
    assert len(set(grounds)) == 11


def test_numbers_as_people_read_them():
    assert [milliseconds(value) for value in (0.0341, 1.23, 9.96, 1234)] == [
        "0.034 ms",
        "1.2 ms",
        "10 ms",
        "1,234 ms",
    ]
    assert [share(part, 1000) for part in (1, 6, 14, 1000)] == ["<1 %", "1 %", "1 %", "100 %"]
    assert [cost.key for cost in COSTS] == ["parameters", "macs", "memory", "time"]


def test_from_afar_the_share_stands_beside_the_name(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.bench.show_heat("parameters")
        window.canvas.show_all()
        window.canvas.zoom_to(0.45)
        fc1 = window.canvas.graph.nodes["fc1"]
        assert fc1.mood.heat.share == "78 %"
        with_share = window.canvas.viewport().grab().toImage()
        fc1.set_mood(heat=replace(fc1.mood.heat, share=""))
        assert window.canvas.viewport().grab().toImage() != with_share


def test_in_a_narrow_window_the_way_back_out_of_a_block_stays_free(qtbot):
    with open_window(qtbot, "resnet50") as window:
        window.resize(1000, 700)
        window.bench.show_heat("memory")
        window.bench.store.enter("Bottleneck")
        qtbot.waitUntil(lambda: window.canvas.trail.isVisible())
        assert not window.canvas.trail.geometry().intersects(window.canvas.heat.geometry())
