"""The window of the learning-rate finder: it finds, marks, lets one choose, and sets the rate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from engine.graph.document import Document, Objective
from engine.graph.edits import delete
from gui.bench import Bench
from gui.store import Store
from gui.theme import LIGHT
from gui.views.finder import FinderDialog
from tests.gui.window_help import open_window
from tests.training.documents import autoencoder, lenet

LEFT = Qt.MouseButton.LeftButton
LIMIT = 30_000


@pytest.fixture
def show(qtbot) -> Iterator[Callable[[Document], FinderDialog]]:
    parent, made = QWidget(), []
    qtbot.addWidget(parent)

    def show(document: Document) -> FinderDialog:
        dialog = FinderDialog(Bench(Store(document)), parent=parent)
        dialog.show()
        made.append(dialog)
        return dialog

    yield show
    for each in made:
        if isValid(each):
            each.reject()


def over(dialog: FinderDialog) -> Callable[[], bool]:
    return lambda: dialog.again_button.isEnabled()


def lr(store: Store) -> object:
    return store.whole.training.objectives[0].options.get("lr")


def test_the_rate_that_was_found_is_set_in_one_step(show, qtbot):
    dialog = show(autoencoder())
    store = dialog._bench.store
    assert not dialog.use_button.isEnabled()
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    assert "where the loss falls fastest" in dialog.said.text()
    assert 1e-3 < dialog.rate < 0.1
    assert dialog.use_button.text() == f"Use {dialog.rate:g}"
    QTest.mouseClick(dialog.use_button, LEFT)
    assert not dialog.isVisible()
    assert lr(store) == dialog.rate
    assert store.undo_stack.count() == 1
    store.undo_stack.undo()
    assert lr(store) == 0.01


def test_another_rate_is_chosen_with_the_mouse_and_with_keys(show, qtbot):
    dialog = show(autoencoder())
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    plot = dialog.plot
    QTest.mouseClick(plot, LEFT, pos=QPoint(round(plot.x_of(1e-4)), 150))
    assert dialog.rate == pytest.approx(1e-4, rel=0.1)
    before = dialog.rate
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert dialog.rate == pytest.approx(before * 10**0.05, rel=0.06)
    QTest.mouseClick(plot, LEFT, pos=QPoint(2, 150))  # beside the axis: the lowest there is
    assert dialog.rate == 1e-7
    assert dialog.use_button.text() == "Use 1e−07"
    assert plot.accessibleDescription() == "Learning rate 1e−07"


def test_again_takes_other_batches(show, qtbot):
    dialog = show(autoencoder())
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    first = dialog.plot.losses
    QTest.mouseClick(dialog.again_button, LEFT)
    assert not dialog.again_button.isEnabled()
    assert dialog.rate is None
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    second = dialog.plot.losses
    assert len(second) > 20
    assert first[0] != second[0]


def test_closing_it_ends_the_finder_and_changes_nothing(show, qtbot):
    document = lenet()
    dialog = show(document)
    qtbot.waitUntil(lambda: len(dialog.plot.losses) > 0, timeout=LIMIT)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert not dialog._finder.alive
    assert dialog._bench.store.whole is document


def test_a_long_step_is_waited_for_without_freezing_the_window(show, qtbot, monkeypatch):
    began, go = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        began.set()
        assert go.wait(30)

    monkeypatch.setattr("engine.training.finder.find", slow)
    dialog = show(autoencoder())
    assert began.wait(10)
    dialog.close()
    assert dialog.isVisible()
    assert dialog.said.text() == "Ending after the present step …"
    assert not dialog.close_button.isEnabled()
    go.set()
    qtbot.waitUntil(lambda: not isValid(dialog) or not dialog.isVisible(), timeout=LIMIT)


def test_it_says_why_there_is_nothing_to_find(show, qtbot):
    dialog = show(delete(autoencoder(), ["loss"]))
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    assert "nothing to minimize" in dialog.said.text()
    assert not dialog.use_button.isEnabled()


def test_one_of_several_objectives_is_chosen(show, qtbot):
    document = autoencoder()
    objectives = (
        Objective(name="All", options={"lr": 0.5}),
        Objective(name="Decoder alone", nodes=("decoder",), optimizer="SGD"),
    )
    dialog = show(document.with_(training=replace(document.training, objectives=objectives)))
    assert [dialog.objective.itemText(n) for n in range(2)] == ["All", "Decoder alone"]
    assert dialog.objective.isVisible()
    dialog.objective.setCurrentIndex(1)
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    QTest.mouseClick(dialog.plot, LEFT, pos=QPoint(round(dialog.plot.x_of(0.05)), 150))
    chosen = dialog.rate
    QTest.mouseClick(dialog.use_button, LEFT)
    first, second = dialog._bench.store.whole.training.objectives
    assert (first.options["lr"], second.options["lr"]) == (0.5, chosen)


def test_it_is_drawn_in_both_themes(show, qtbot):
    dialog = show(autoencoder())
    qtbot.waitUntil(over(dialog), timeout=LIMIT)
    pictures = [dialog.plot.grab().toImage()]
    dialog._bench.set_theme(LIGHT)
    pictures.append(dialog.plot.grab().toImage())
    x = round(dialog.plot.x_of(dialog.rate))
    colors = {picture.pixelColor(x, picture.height() - 46).name() for picture in pictures}
    assert len(colors) == 2
    corner = pictures[1].pixelColor(20, pictures[1].height() - 20).name()
    assert corner.upper() == LIGHT.field


def test_the_menu_opens_it_unless_something_trains(qtbot):
    with open_window(qtbot, "autoencoder") as window:
        action = window.actions_["find_rate"]
        assert action.isEnabled()
        action.trigger()
        dialog = window.findChild(FinderDialog)
        assert dialog.isModal()
        qtbot.waitUntil(over(dialog), timeout=LIMIT)
        QTest.mouseClick(dialog.use_button, LEFT)
        assert window.bench.store.undo_stack.undoText().startswith("Set the learning rate to")
        window.bridge.run()
        window.actions_.refresh()
        assert not action.isEnabled()
        window.bridge.stop()
        qtbot.waitUntil(lambda: not window.bridge.busy, timeout=LIMIT)


def test_the_training_page_opens_it_for_its_objective(qtbot):
    with open_window(qtbot, "autoencoder") as window:
        (card,) = window.inspector.page.objectives
        card.find.click()
        dialog = window.findChild(FinderDialog)
        assert dialog.isVisible()
        dialog.reject()
        window.bridge.run()
        said = []
        window.bench.message.connect(said.append)
        card.find.click()
        assert any("Stop the run first" in each for each in said)
        window.bridge.stop()
        qtbot.waitUntil(lambda: not window.bridge.busy, timeout=LIMIT)
