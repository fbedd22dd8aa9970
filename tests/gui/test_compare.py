"""Two networks side by side: chosen, moved over together, every difference marked and listed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from engine.graph import edits
from engine.graph.settings import set_params, set_training
from engine.storage.document_file import save_document
from gui.canvas import fonts
from gui.compare.pane import TONES, ComparePane
from gui.main_window import MainWindow
from presets import preset
from tests.gui.window_help import LEFT, NONE, open_window

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot):
    """A window with a LeNet that was changed, saved as it was before."""
    with open_window(qtbot, "lenet5") as window:
        yield window
        window.compare.wait()


def change(window: MainWindow) -> None:
    """Widen a convolution, take an activation out, add a layer, train for less long."""
    store = window.bench.store
    store.apply("Widen", lambda d: set_params(d, "conv2", out_channels=32))
    store.apply("Take out", lambda d: edits.delete(d, {"tanh3"}, heal=True))
    store.apply("Add", lambda d: edits.add_node(d, "Dropout", position=(1400.0, 60.0))[0])
    store.apply("Train", lambda d: set_training(d, epochs=3))


def choose(window: MainWindow, text: str) -> None:
    """Open the menu by its keys and take a line of it."""
    window.activateWindow()
    QApplication.processEvents()
    QTest.keyClick(window.canvas, Qt.Key.Key_K, CONTROL | ALT)
    menu = window.compare.menu
    assert menu.isVisible()
    action = next(each for each in menu.actions() if each.text() == text)
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())
    QApplication.processEvents()


def against_the_beginning(qtbot, window: MainWindow) -> None:
    change(window)
    choose(window, "Before “Widen”")
    assert window.compare.isVisible()
    qtbot.waitUntil(lambda: window.compare._analyses is not None, timeout=60_000)


def texts(window: MainWindow) -> list[str]:
    role = Qt.ItemDataRole.AccessibleTextRole
    rows = window.compare.list
    return [rows.item(n).data(role) for n in range(rows.count())]


def test_every_difference_is_listed_with_what_it_costs(qtbot, window):
    against_the_beginning(qtbot, window)
    assert texts(window) == [
        "changed: conv2: out_channels 16 → 32. 2,416 → 4,832 parameters",
        "changed: fc2: x from fc1 instead of tanh3.",
        "added: dropout1 (Dropout).",
        "removed: tanh3 (Tanh).",
        f"changed: epochs {preset('lenet5').document().training.epochs} → 3.",
        "changed: fc1, by other shapes. 48,120 → 96,120 parameters",
    ]
    totals = window.compare.totals
    assert totals.itemAtPosition(0, 1).widget().text().startswith("61,706 → ")
    assert "1 added" in window.compare.legend.text()


def test_a_node_has_a_ring_and_a_sign_and_the_list_leads_to_it(qtbot, window):
    against_the_beginning(qtbot, window)
    page = window.compare
    assert page.left.signs["tanh3"] == "-"
    assert page.right.signs == {"conv2": "~", "fc2": "~", "dropout1": "+"}

    def rung(pane: ComparePane, id: str) -> bool:
        tone = QColor(pane.bench.theme.color(TONES[pane.signs[id]]))
        body = pane.graph.nodes[id].body()
        at = pane.to_view(QPointF(body.center().x(), body.bottom() + 2))
        seen = pane.viewport().grab().toImage()
        near = [seen.pixelColor(at + QPoint(0, dy)) for dy in range(-3, 4) if seen.rect().contains(at)]
        return any(abs(c.red() - tone.red()) + abs(c.green() - tone.green()) < 30 for c in near)

    for text, pane, id in (("tanh3 (", page.left, "tanh3"), ("conv2:", page.right, "conv2")):
        row = next(n for n, line in enumerate(texts(window)) if text in line)
        QTest.mouseClick(
            page.list.viewport(), LEFT, NONE, page.list.visualItemRect(page.list.item(row)).center()
        )
        assert pane.visible_rect().contains(pane.graph.nodes[id].body())
        assert rung(pane, id)
    assert page.left.visible_rect().contains(page.left.graph.nodes["conv2"].body())


def test_signs_leave_the_titles_of_all_other_nodes_as_large_as_they_were(qtbot, window):
    before = fonts.text(weight=600).pixelSize()
    against_the_beginning(qtbot, window)
    window.compare.grab()
    assert fonts.text(weight=600).pixelSize() == before


def test_both_are_moved_over_together_until_the_lock_is_released(qtbot, window):
    against_the_beginning(qtbot, window)
    page = window.compare
    left, right = page.left, page.right

    def turn(pane: ComparePane, notches: int) -> None:
        at = QPointF(pane.viewport().rect().center())
        QApplication.sendEvent(
            pane.viewport(),
            QWheelEvent(
                at,
                QPointF(pane.viewport().mapToGlobal(at.toPoint())),
                QPoint(),
                QPoint(0, 120 * notches),
                Qt.MouseButton.NoButton,
                NONE,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )

    def together() -> bool:
        drift = left.place().middle - right.place().middle
        return left.zoom == pytest.approx(right.zoom) and drift.manhattanLength() < 4

    def drag(pane: ComparePane, by: QPoint) -> None:
        port, start = pane.viewport(), QPoint(120, 300)
        QTest.mousePress(port, LEFT, NONE, start)
        QTest.mouseMove(port, start + by / 2)
        QTest.mouseMove(port, start + by)
        QTest.mouseRelease(port, LEFT, NONE, start + by)

    turn(left, 3)
    assert together()
    before = left.place()
    drag(right, QPoint(90, -40))
    assert together()
    assert left.place().middle != before.middle
    QTest.mouseClick(page.lock, LEFT)
    drag(right, QPoint(60, 60))
    turn(right, 2)
    assert not together()
    held = left.place().middle
    QTest.mouseClick(page.lock, LEFT)
    assert left.zoom == pytest.approx(right.zoom)
    assert (left.place().middle - held).manhattanLength() < 4, "locked again, both stay where they are"


def test_a_click_on_a_node_chooses_its_line_and_esc_leads_back(qtbot, window):
    against_the_beginning(qtbot, window)
    page = window.compare
    assert page.right.visible_rect().contains(page.right.graph.bounds()), "all of it is seen at first"
    assert page.list.currentRow() == -1
    QTest.keyClick(page, Qt.Key.Key_Down)
    assert page.list.currentRow() == 0
    page.list.setCurrentRow(3)
    place = page.right.to_view(page.right.graph.nodes["conv2"].body().center())
    QTest.mouseClick(page.right.viewport(), LEFT, NONE, place)
    assert page.list.currentRow() == 0
    QTest.keyClick(page.list, Qt.Key.Key_Escape)
    assert window.canvas.isVisible()
    assert window.bench.store.whole.training.epochs == 3, "comparing changes nothing"


def test_another_tab_its_file_and_any_file_can_be_chosen(qtbot, window, tmp_path, monkeypatch):
    mine, other = tmp_path / "mine.netwright", tmp_path / "other.netwright"
    document = preset("lenet5").document()
    for path in (mine, other):
        save_document(document, path)
    window.open_path(str(mine))
    change(window)
    choose(window, "As it is saved in mine.netwright")
    assert window.compare.titles[0].full_text() == "mine.netwright, as saved"
    assert len(window.compare.found.items) == 5
    QTest.keyClick(window.compare, Qt.Key.Key_Escape)
    choose(window, "LeNet-5")
    assert len(window.compare.found.items) == 5
    QTest.keyClick(window.compare, Qt.Key.Key_Escape)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(other), ""))
    choose(window, "A file …")
    assert window.compare.titles[0].full_text() == "other.netwright, as saved"


def test_the_same_network_says_so_and_themes_follow(qtbot, window, tmp_path):
    path = tmp_path / "mine.netwright"
    save_document(preset("lenet5").document(), path)
    window.open_path(str(path))
    choose(window, "As it is saved in mine.netwright")
    assert not window.compare.found
    assert window.compare.legend.text() == "Both are the same network."
    qtbot.waitUntil(lambda: window.compare._analyses is not None, timeout=60_000)
    shown = [window.compare.totals.itemAtPosition(0, n).widget().text() for n in range(3)]
    assert shown == ["Parameters", "61,706", "as before"]
    for name, darkest in (("light", 200), ("dark", 0)):
        window.actions_[name].trigger()
        seen = window.compare.left.viewport().grab().toImage().pixelColor(2, 2).lightness()
        assert (seen > 150) == (darkest > 150)
    window.actions_["system"].trigger()


def test_curves_of_both_are_drawn_where_there_were_runs(qtbot):
    with open_window(qtbot, "linear_regression") as window:
        name = window.bench.store.session.name
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        window.files.open_preset("spirals")
        choose(window, name)
        page = window.compare
        assert page.plot.isVisible()
        assert len(page.plot.lines["before"].getData()[0]) > 5
        assert page.plot.lines["after"].getData()[0] is None or not len(page.plot.lines["after"].getData()[0])
        page.wait()
