"""Objectives in the window: cards, losses, nodes chosen on the canvas, what it shows, how nodes learn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.graph import objectives
from engine.graph.blocks import group
from engine.graph.document import Learning, Objective
from engine.graph.settings import OBJECTIVE, SETTINGS, set_learning
from gui.inspector.groups import REST, RULES, TRAINING, grouped
from gui.inspector.learning import LearningSection
from gui.inspector.training_page import TrainingPage
from gui.objective_colors import color_of
from gui.widgets.fold import Fold
from tests.graph.test_objectives_follow import adversaries
from tests.gui.window_help import LEFT, click_node, open_window

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot):
    """A window with a generator and a discriminator, every fold open."""
    before = set(Fold._opened)
    with open_window(qtbot) as window:
        window.bench.store.open(adversaries())
        window.canvas.layout()
        qtbot.waitUntil(lambda: bool(window.bench.analysis.parameters.get("g1")), timeout=60_000)
        window.canvas.fit_all()
        yield window
    Fold._opened.clear()
    Fold._opened.update(before)


def cards(window):
    return window.inspector.page.objectives


def training(window):
    return window.bench.store.document.training


def press(widget):
    QTest.mouseClick(widget, LEFT)
    QApplication.processEvents()


def retype(field, text):
    field.line.setFocus()
    field.line.selectAll()
    QTest.keyClicks(field.line, text)
    QTest.keyClick(field.line, Qt.Key.Key_Return)


def test_every_setting_has_its_place_and_a_new_one_is_not_lost():
    for params, table in ((SETTINGS, TRAINING), (OBJECTIVE, RULES)):
        groups = grouped(params, table)
        assert REST not in groups
        assert sorted(p.name for group in groups.values() for p in group) == sorted(p.name for p in params)
    assert [each.name for each in grouped(SETTINGS, (("", ("seed",)),))[REST]][:2] == ["epochs", "batch_size"]


def test_a_fold_opens_by_mouse_and_keys_and_is_found_open_again(window):
    fold = window.inspector.page.training.folds["Precision and speed"]
    assert not window.inspector.page.training.fields["precision"].isVisible()
    press(fold.head)
    assert window.inspector.page.training.fields["precision"].isVisible()
    click_node(window, "d1")
    window.bench.store.select(())
    fold = window.inspector.page.training.folds["Precision and speed"]
    assert fold.open
    fold.head.setFocus()
    QTest.keyClick(fold.head, Qt.Key.Key_Left)
    assert not fold.open


def test_a_folded_heading_says_what_differs_from_the_usual(window):
    page = window.inspector.page
    fold = page.training.folds["Precision and speed"]
    assert fold.head.summary == ""
    press(fold.head)
    field = page.training.fields["precision"]
    field.combo.setFocus()
    QTest.keyClick(field.combo, Qt.Key.Key_Down)
    press(page.training.fields["compile"].switch)
    assert (training(window).precision, training(window).compile) == ("tf32", True)
    assert fold.head.summary == "tf32, compile"
    window.undo_stack.undo()
    window.undo_stack.undo()
    assert fold.head.summary == ""


def test_an_objective_is_added_named_and_removed(window):
    press(window.inspector.page.add)
    assert [card.name.text() for card in cards(window)] == [
        "Generator",
        "Discriminator",
        "Minimize every loss",
    ]
    name = cards(window)[2].name
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, "All of it")
    assert objectives.title_of(window.bench.store.document, 2) == "All of it"
    press(cards(window)[0].remove)
    assert [each.name for each in training(window).objectives] == ["Discriminator", "All of it"]
    press(cards(window)[1].remove)
    assert len(cards(window)) == 1
    assert not cards(window)[0].head.isVisible(), "one alone needs no name"
    window.undo_stack.undo()
    window.undo_stack.undo()
    assert [card.name.text() for card in cards(window)] == ["Generator", "Discriminator", "All of it"]


def test_losses_are_switched_and_weighed(window):
    card = cards(window)[1]
    press(card.folds["Losses"].head)
    rows = card.losses.rows
    press(rows["forge"].switch)
    assert training(window).objectives[1].losses == {"judge": 2.0, "forge": 1.0}
    retype(rows["forge"].weight, "0.5")
    assert training(window).objectives[1].losses["forge"] == 0.5
    assert card.folds["Losses"].head.summary == "2 × judge + 0.5 × forge"
    press(rows["judge"].switch)
    press(rows["forge"].switch)
    assert training(window).objectives[1].losses == {"forge": 0.5}, "the last one stays"
    assert "minimizes something" in card.losses.note.text()
    assert rows["forge"].switch.isChecked()


def test_every_loss_once_is_what_an_objective_without_names_minimizes(window):
    card = cards(window)[0]
    press(card.folds["Losses"].head)
    press(card.losses.rows["judge"].switch)
    assert training(window).objectives[0].losses == {}
    assert card.folds["Losses"].head.summary == "every loss"


def test_nodes_are_chosen_on_the_canvas(window):
    card = cards(window)[0]
    press(card.folds["Nodes"].head)
    press(card.moved.choose)
    assert window.bench.store.selection == {"g1", "g3"}, "what it moves now is where the choice begins"
    assert isinstance(window.inspector.page, TrainingPage)
    click_node(window, "g1")
    title = window.canvas.to_view(window.canvas.graph.nodes["d1"].pos() + QPointF(60, 12))
    QTest.mouseClick(window.canvas.viewport(), LEFT, SHIFT, title)
    assert isinstance(window.inspector.page, TrainingPage), "the page stays while one chooses"
    assert card.moved.take.text() == "Take 2 nodes"
    press(card.moved.take)
    assert training(window).objectives[0].nodes == ("g1", "d1")
    assert card.folds["Nodes"].head.summary == "g1, d1"
    press(card.moved.all)
    assert training(window).objectives[0].nodes == ()
    window.undo_stack.undo()
    window.undo_stack.undo()
    assert training(window).objectives[0].nodes == ("g1", "g3")


def test_a_choice_that_is_cancelled_changes_nothing(window):
    card = cards(window)[0]
    press(card.folds["Nodes"].head)
    press(card.moved.choose)
    click_node(window, "d3")
    press(card.moved.cancel)
    assert training(window).objectives[0].nodes == ("g1", "g3")
    click_node(window, "d3")
    assert not isinstance(window.inspector.page, TrainingPage)


def test_the_canvas_shows_who_moves_what_with_a_legend(window):
    window.bench.store.select(())
    press(window.inspector.page.shown)
    moods = {id: item.mood.objectives for id, item in window.canvas.graph.nodes.items()}
    one, two = color_of(0), color_of(1)
    assert moods["g1"] == moods["g3"] == (one,)
    assert moods["d1"] == moods["d3"] == (two,)
    assert moods["g2"] == moods["judge"] == ()
    legend = window.canvas.legend
    assert [row.accessibleName() for row in legend.rows] == ["Generator: 2 nodes", "Discriminator: 2 nodes"]
    assert legend.isVisible()
    window.bench.store.select(["g1"])
    window.actions_["freeze"].trigger()
    assert window.canvas.graph.nodes["g1"].mood.objectives == ()
    assert legend.rows[0].accessibleName() == "Generator: 1 node"
    window.actions_["objectives"].trigger()
    assert not legend.isVisible()
    assert not any(item.mood.objectives for item in window.canvas.graph.nodes.values())


def test_a_card_under_the_pointer_or_the_keyboard_lights_its_nodes(window):
    def lit():
        return {id for id, item in window.canvas.graph.nodes.items() if item.mood.objectives}

    cards(window)[1].rate.form.fields["lr"].line.setFocus()
    QApplication.processEvents()
    assert lit() == {"d1", "d3"}
    cards(window)[0].rate.form.fields["lr"].line.setFocus()
    QApplication.processEvents()
    assert lit() == {"g1", "g3"}
    window.canvas.setFocus()
    QApplication.processEvents()
    assert lit() == set()


def test_inside_of_a_block_the_canvas_shows_who_moves_the_block(window, qtbot):
    store = window.bench.store
    store.apply("Group", lambda d: group(d, ["g1", "g2", "g3"], "Generator")[0])
    window.bench.show_objectives(True)
    store.enter("Generator")
    graph = window.canvas.graph
    qtbot.waitUntil(lambda: graph.nodes["g1"].mood.objectives == (color_of(0),), timeout=60_000)
    assert graph.nodes["g2"].mood.objectives == ()


def test_freezing_by_key_menu_and_page_is_seen_on_the_node(window):
    click_node(window, "g1")
    QTest.keyClick(window.canvas, Qt.Key.Key_F, SHIFT)
    face = window.canvas.graph.nodes["g1"].face
    assert window.bench.store.document.nodes["g1"].learning.frozen
    assert face.frozen
    assert window.actions_["freeze"].isChecked()
    section = window.inspector.page.findChild(LearningSection)
    press(section.head)
    assert section.head.summary == "frozen"
    press(section.form.fields["frozen"].switch)
    assert not window.bench.store.document.nodes["g1"].learning.frozen
    assert not window.canvas.graph.nodes["g1"].face.frozen
    assert window.undo_stack.undoText() == "Unfreeze g1"


def test_several_nodes_learn_alike(window):
    store = window.bench.store
    store.apply("One", lambda d: set_learning(d, ["g1"], rate=0.1))
    store.select(["g1", "g3", "d1"])
    section = window.inspector.page.findChild(LearningSection)
    press(section.head)
    assert section.head.summary == "several values"
    retype(section.form.fields["rate"], "0.5")
    choice = section.init.choice.fields["init"].combo
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    learning = {id: store.document.nodes[id].learning for id in ("g1", "g3", "d1", "d3")}
    assert {id for id, each in learning.items() if (each.rate, each.init) == (0.5, "kaiming_normal")} == {
        "g1",
        "g3",
        "d1",
    }
    assert learning["d3"] == Learning()


def test_only_a_block_is_offered_to_save_memory(window):
    store = window.bench.store
    store.select(["g1"])
    assert "checkpoint" not in window.inspector.page.findChild(LearningSection).form.fields
    store.apply("Group", lambda d: group(d, ["g1", "g2", "g3"], "Generator")[0])
    store.select(["generator"])
    section = window.inspector.page.findChild(LearningSection)
    press(section.head)
    press(section.form.fields["checkpoint"].switch)
    assert store.document.nodes["generator"].learning.checkpoint


def test_the_planned_rate_follows_what_is_set(window, qtbot):
    store = window.bench.store
    store.select(())
    card = cards(window)[0]
    press(card.rules.folds["Schedule"].head)
    curve = card.schedule.plan.curve
    qtbot.waitUntil(lambda: "all the time" in curve.text, timeout=60_000)
    choice = card.schedule.choice.fields["schedule"].combo
    choice.setFocus()
    QTest.keyClicks(choice, "Cosine")
    qtbot.waitUntil(lambda: training(window).objectives[0].schedule == "CosineAnnealingLR")
    retype(card.rules.fields["warmup"], "40")
    qtbot.waitUntil(lambda: "highest" in curve.text, timeout=60_000)
    assert card.rules.folds["Schedule"].head.summary == "cosine, warm up 40"


def test_how_the_whole_document_begins(window):
    page = window.inspector.page
    press(page.training.folds["Initialization"].head)
    choice = page.init.choice.fields["init"].combo
    choice.setFocus()
    QTest.keyClicks(choice, "Trunc")
    assert training(window).init == "trunc_normal"
    retype(page.init.options.form.fields["std"], "0.1")
    assert training(window).init_options["std"] == 0.1
    assert page.training.folds["Initialization"].head.summary == "truncated normal, deviation 0.1"


def test_two_networks_against_each_other_are_set_up_by_hand_and_train(qtbot):
    """What a stranger does: two objectives over a network, each with its loss and its nodes; then Run."""
    before = set(Fold._opened)
    with open_window(qtbot) as window:
        document = adversaries()
        plain = replace(document.training, objectives=(Objective(),), epochs=100_000)
        window.bench.store.open(document.with_(training=plain))
        window.canvas.layout()
        qtbot.waitUntil(lambda: bool(window.bench.analysis.parameters.get("g1")), timeout=60_000)
        window.canvas.fit_all()
        press(window.inspector.page.add)
        for place, (name, loss, nodes) in enumerate(
            (("Generator", "forge", ("g1", "g3")), ("Discriminator", "judge", ("d1", "d3")))
        ):
            card = cards(window)[place]
            card.name.setFocus()
            card.name.selectAll()
            QTest.keyClicks(card.name, name)
            press(card.folds["Losses"].head)
            press(card.losses.rows["judge" if loss == "forge" else "forge"].switch)
            press(card.folds["Nodes"].head)
            press(card.moved.choose)
            click_node(window, nodes[0])
            title = window.canvas.to_view(window.canvas.graph.nodes[nodes[1]].pos() + QPointF(60, 12))
            QTest.mouseClick(window.canvas.viewport(), LEFT, SHIFT, title)
            press(card.moved.take)
        assert [(each.name, dict(each.losses), each.nodes) for each in training(window).objectives] == [
            ("Generator", {"forge": 1.0}, ("g1", "g3")),
            ("Discriminator", {"judge": 1.0}, ("d1", "d3")),
        ]
        told = []
        window.bench.progress.connect(told.append)
        window.top.run_button.click()
        qtbot.waitUntil(lambda: bool(told) and told[-1].step[-1] > 300, timeout=60_000)
        first, last = told[0].parts[:, 0], told[-1].parts[:, -20:].mean(axis=1)
        assert (last < first).all(), "both learn"
        curves = window.views["learning"].curves
        qtbot.waitUntil(lambda: "Generator" in curves.legend.text, timeout=30_000)
        assert "Discriminator" in curves.legend.text
    Fold._opened.clear()
    Fold._opened.update(before)
