"""Every lesson opens with its notes, is drawn without a problem, and learns as its notes say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PySide6.QtTest import QTest

from engine.compiler.analyze import analyze
from engine.graph import edits
from engine.graph.document import Document, Edge, Slot
from engine.graph.marks import around
from engine.training.events import Evaluated, Failed
from engine.training.runner import Runner
from presets import SHELVES, presets
from tests.gui.window_help import LEFT, open_window

LESSONS = [name for name, preset in presets().items() if preset.shelf == "Lessons"]


def evaluations(document: Document) -> list[Evaluated]:
    """Train to the end and return what was measured."""
    runner = Runner(document)
    runner.start()
    assert runner.join(120)
    events = runner.events.drain()
    assert not [event.message for event in events if isinstance(event, Failed)]
    return [event for event in events if isinstance(event, Evaluated)]


def of(name: str) -> Document:
    return presets()[name].document()


def last(document: Document, metric: str) -> float:
    return evaluations(document)[-1].metrics[metric]


def test_there_are_six_and_they_come_after_what_one_starts_with():
    assert len(LESSONS) >= 6
    assert SHELVES.index("Lessons") == 1


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_says_what_to_see_to_try_and_to_watch_for(name):
    document = of(name)
    notes = [each.text for each in document.comments.values() if each.kind == "note"]
    heads = {note.splitlines()[0] for note in notes}
    assert {"## What you see", "## Try", "## Watch for"} <= heads
    assert any(each.kind == "frame" for each in document.comments.values())
    for note in notes:
        assert 100 < len(note) < 520
    trying = next(note for note in notes if note.startswith("## Try"))
    assert 2 <= trying.count("\n- ") <= 5
    assert analyze(document).problems == ()


@pytest.mark.parametrize("name", LESSONS)
def test_names_in_bold_are_nodes_or_buttons(name):
    """A note that names a node by a name that it no longer has would mislead."""
    document = of(name)
    known = {*document.nodes, "Run", "|g|"}
    for comment in document.comments.values():
        bold = comment.text.split("**")[1::2]
        assert all(each in known or " " in each or "⁸" in each or "=" in each for each in bold), bold


@pytest.mark.parametrize("name", LESSONS)
def test_notes_lie_on_nothing(name):
    document = of(name)
    notes = [each.box for each in document.comments.values() if each.kind == "note"]
    left, top, width, height = around((*node.position, 176, 120) for node in document.nodes.values())
    for x, y, wide, high in notes:
        assert y + high <= top + 40 or y >= top + height or x + wide <= left or x >= left + width
    for n, (x, y, wide, high) in enumerate(notes):
        for a, b, c, d in notes[n + 1 :]:
            assert x + wide <= a or a + c <= x or y + high <= b or b + d <= y


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_opens_from_its_card_and_trains(qtbot, name):
    with open_window(qtbot) as window:
        window.show_welcome()
        card = window.welcome.cards[name]
        QTest.mouseClick(card, LEFT)
        assert window.at_work
        assert window.bench.store.document.name == presets()[name].title
        qtbot.waitUntil(lambda: window.bench.analysis.document is window.bench.store.document, timeout=60_000)
        assert window.bench.analysis.problems == ()
        losses: list[float] = []
        window.bench.progress.connect(lambda event: losses.extend(event.loss))
        QTest.mouseClick(window.top.run_button, LEFT)
        qtbot.waitUntil(lambda: len(losses) > 5, timeout=60_000)
        assert np.isfinite(losses).all()
        window.bridge.stop()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=20_000)


# What the notes promise.


def test_one_line_parts_two_clouds():
    assert last(of("lesson_neuron"), "val_accuracy") > 0.95


def test_the_bend_makes_the_difference():
    straight = of("lesson_nonlinearity")
    assert last(straight, "val_accuracy") < 0.65
    wire = Edge(straight.edges[Slot("arm", "x")], Slot("arm", "x"))
    bent, _ = edits.insert(straight, "ReLU", wire)
    assert last(bent, "val_accuracy") > 0.9


def test_the_dashed_curve_turns_and_more_data_helps():
    document = of("lesson_overfitting")
    measured = evaluations(document)
    held = [event.metrics["val_loss"] for event in measured]
    best = int(np.argmin(held))
    assert 0 < best < len(held) / 2
    assert held[-1] > 1.3 * held[best]
    assert measured[-1].metrics["loss"] < measured[best].metrics["loss"]
    more = edits.set_params(document, "points", samples=1000)
    assert last(more, "val_loss") < held[-1]


def test_the_filters_read_digits():
    document = of("lesson_convolution")
    assert analyze(document).parameters["filters"] == 400
    assert last(document, "val_accuracy") > 0.95


def test_only_the_network_with_shortcuts_learns():
    metrics = evaluations(of("lesson_vanishing"))[-1].metrics
    assert metrics["val_accuracy"] < 0.65
    assert metrics["val_loss_shortcut_accuracy"] > 0.95


def test_a_wider_bottleneck_draws_better():
    narrow = of("lesson_bottleneck")
    wide = edits.set_params(narrow, "code", out_features=8)
    assert last(wide, "val_loss") < 0.7 * last(narrow, "val_loss")


def test_a_moved_digit_helps_where_digits_are_few():
    document = of("lesson_augmentation")
    plain = edits.delete(document, ["move"], heal=True)
    held = [event.metrics["val_loss"] for event in evaluations(plain)]
    assert held[-1] > min(held)
    assert last(document, "val_loss") < 0.85 * held[-1]


def test_units_that_begin_alike_stay_alike():
    document = of("lesson_initialization")
    runner = Runner(document)
    runner.start()
    assert runner.join(120)
    metrics = [event for event in runner.events.drain() if isinstance(event, Evaluated)][-1].metrics
    assert metrics["val_accuracy"] < 0.75
    assert metrics["val_loss_random_accuracy"] > 0.95
    for layer in (runner.model.alike1, runner.model.alike2):
        assert torch.allclose(layer.weight, layer.weight[:1].expand_as(layer.weight), atol=1e-5)
    assert runner.model.random1.weight.std(0).min() > 0.1
