"""The page of runs: what is listed, found, compared, written down, deleted and brought back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from engine.graph import edits
from engine.graph.settings import set_training
from engine.runs.library import Library, read_entry
from engine.training.events import Changed, Progress, State
from engine.training.folder import Folder
from gui.main_window import MainWindow
from gui.runs_panel import reader
from gui.runs_panel.table import COLUMNS
from tests.gui.window_help import LEFT, NONE, open_window
from tests.runs.helpers import aged, made
from tests.training.documents import spirals

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def library() -> Library:
    """Three runs: a good one, a bad one of another network, the oldest with other settings."""
    library = Library()
    made(library.folder / "good", name="Good", tags=["paper"], best=0.9)
    other = edits.add_node(replace(spirals(), name="Other"), "ReLU", position=(0, 0))[0]
    aged(made(library.folder / "bad", other, name="Bad", state="failed", best=0.2), 3600)
    aged(made(library.folder / "old", set_training(spirals(), batch_size=16), name="Old", best=0.5), 86_400)
    return library


@pytest.fixture
def window(qtbot, library, monkeypatch):
    """A window that shows the page of runs, opened by its keys."""
    monkeypatch.setattr(reader, "PERIOD", 0.02)
    with open_window(qtbot) as window:
        window.activateWindow()
        QTest.keyClick(window.canvas, Qt.Key.Key_R, CONTROL | SHIFT)
        qtbot.waitUntil(lambda: len(names(window)) == 3)
        yield window


def names(window: MainWindow) -> list[str]:
    return [entry.name for entry in window.runs.table.runs.entries]


def click(window: MainWindow, name: str, keys: Qt.KeyboardModifier = NONE) -> None:
    table = window.runs.table
    box = table.visualRect(table.runs.index(names(window).index(name), 1))
    QTest.mouseClick(table.viewport(), LEFT, keys, box.center())


def choose(qtbot, window: MainWindow, *chosen: str) -> None:
    """Click on rows, the second and later ones with Ctrl, and wait until they were read."""
    for n, name in enumerate(chosen):
        click(window, name, CONTROL if n else NONE)
    side = window.runs.side
    paths = {entry.path for entry in window.runs.selected}
    assert len(paths) == len(chosen)
    qtbot.waitUntil(lambda: side._looks.keys() == paths)


def rows(grid) -> dict[str, list[str]]:
    """What a grid shows, by the names of its rows."""
    inner, found = grid._grid, {}
    for line in range(1, inner.rowCount()):
        cells = [inner.itemAtPosition(line, n) for n in range(inner.columnCount())]
        texts = [cell.widget().full_text() for cell in cells if cell is not None]
        if texts:
            found[texts[0]] = texts[1:]
    return found


def test_runs_are_listed_the_newest_first_and_the_newest_is_chosen(qtbot, window):
    assert names(window) == ["Good", "Bad", "Old"]
    assert [entry.name for entry in window.runs.selected] == ["Good"]
    model = window.runs.table.runs
    said = {column.title: model.index(1, n).data() for n, column in enumerate(COLUMNS)}
    assert (said["State"], said["Network"], said["Steps"]) == ("Failed", "Other", "40 of 40")
    assert said["Best"] == "val_accuracy 0.2"
    assert window.runs.count.text() == "3 runs"


def test_a_click_on_a_heading_sorts_and_the_choice_stays(qtbot, window):
    table = window.runs.table
    header = table.horizontalHeader()
    place = next(n for n, column in enumerate(COLUMNS) if column.title == "Best")
    at = header.sectionViewportPosition(place) + 10
    QTest.mouseClick(header.viewport(), LEFT, NONE, QPoint(at, 10))
    assert names(window) == ["Good", "Old", "Bad"]
    QTest.mouseClick(header.viewport(), LEFT, NONE, QPoint(at, 10))
    assert names(window) == ["Bad", "Old", "Good"]
    assert [entry.name for entry in window.runs.selected] == ["Good"]


def test_words_in_the_filter_choose_rows(qtbot, window):
    page = window.runs
    QTest.keyClick(page, Qt.Key.Key_F, CONTROL)
    assert page.filter.hasFocus()
    QTest.keyClicks(page.filter, "val_accuracy<0.6 -state:failed")
    assert names(window) == ["Old"]
    assert page.count.text() == "1 of 3 runs"
    QTest.keyClick(page.filter, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(page.filter, "nothing like it")
    assert page.note.isVisible()
    QTest.keyClick(page.filter, Qt.Key.Key_Escape)
    assert len(names(window)) == 3
    window.files.open_copy(replace(spirals(), name="Other"))
    window.show_runs()
    QTest.mouseClick(page.here, LEFT)
    assert names(window) == ["Bad"]


def test_one_run_is_shown_with_its_curves_and_settings(qtbot, window):
    choose(qtbot, window, "Old")
    side = window.runs.side
    assert side.name.text() == "Old"
    assert "40 steps" in side.state.text()
    assert rows(side.settings)["Batch size"] == ["16"]
    assert rows(side.settings)["On disk"][0].endswith(" kB")
    assert rows(side.metrics)["val_accuracy"] == ["0.5"]
    assert len(side.plot.lines["training0"].getData()[0]) == 40
    assert side.plot.lines["alone"].getData()[1][-1] == pytest.approx(1.1 * 0.4)
    side.quantity.menu().actions()[1].trigger()
    assert side.quantity.text() == "Accuracy"
    assert side.plot.lines["alone"].getData()[1].tolist() == pytest.approx([0.125, 0.25, 0.375, 0.5])


def test_several_are_compared_curves_settings_and_networks(qtbot, window):
    choose(qtbot, window, "Good", "Bad", "Old")
    side = window.runs.side
    assert [len(side.plot.lines[f"training{n}"].getData()[0]) for n in range(3)] == [40] * 3
    assert rows(side.metrics)["val_accuracy"] == ["0.9", "0.2", "0.5"]
    assert rows(side.settings) == {"Batch size": ["64", "64", "16"]}
    assert "2: + ReLU" in side.graph.text().replace("relu", "ReLU")
    assert "Good" in side.legend[0].text
    assert not side.compare.isVisible()
    click(window, "Old", CONTROL)
    qtbot.waitUntil(side.compare.isVisible)
    QTest.mouseClick(side.compare, LEFT)
    assert window.compare.isVisible()
    assert [item.sign for item in window.compare.found.items] == ["~", "+"]
    window.compare.wait()


def test_what_is_typed_about_a_run_is_kept(qtbot, window, library):
    choose(qtbot, window, "Old")
    side, page = window.runs.side, window.runs
    QTest.keyClick(page.table, Qt.Key.Key_F2)
    assert side.name.hasFocus()
    QTest.keyClicks(side.name, "Renamed")
    QTest.keyClick(side.name, Qt.Key.Key_Return)
    QTest.mouseClick(side.tags, LEFT)
    QTest.keyClicks(side.tags, "one, #two")
    QTest.mouseClick(side.notes.viewport(), LEFT)
    QTest.keyClicks(side.notes, "It works.")
    click(window, "Good")
    entry = read_entry(library.folder / "old")
    assert (entry.name, entry.tags, entry.notes) == ("Renamed", ("one", "two"), "It works.")
    qtbot.waitUntil(lambda: "Renamed" in names(window))
    assert read_entry(library.folder / "good").name == "Good"


def test_deleted_runs_are_brought_back(qtbot, window, library):
    choose(qtbot, window, "Good", "Old")
    QTest.keyClick(window.runs.table, Qt.Key.Key_Delete)
    assert names(window) == ["Bad"]
    assert [entry.name for entry in library.entries()] == ["Bad"]
    assert window.runs.undo_button.isVisible()
    QTest.keyClick(window.runs.table, Qt.Key.Key_Z, CONTROL)
    assert names(window) == ["Good", "Bad", "Old"]
    assert {entry.name for entry in window.runs.selected} == {"Good", "Old"}
    assert not window.runs.undo_button.isVisible()


def test_the_network_of_a_run_is_opened(qtbot, window):
    choose(qtbot, window, "Old")
    QTest.keyClick(window.runs.table, Qt.Key.Key_Return)
    assert window.workbench.isVisible()
    assert window.bench.store.whole == set_training(spirals(), batch_size=16)
    assert window.files.path is None


def test_a_report_is_written_with_the_networks_drawing(qtbot, window, tmp_path, monkeypatch):
    choose(qtbot, window, "Good")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "page"), ""))
    QTest.mouseClick(window.runs.buttons["report"], LEFT)
    page = (tmp_path / "page.html").read_text()
    assert "data:image/svg+xml;base64" in page
    assert "page.html is written" in window.runs.said.text()


def test_a_run_of_another_process_is_followed(qtbot, window, library):
    run = Folder(library.folder / "new")
    run.begin(spirals(), name="Going on")
    page = window.runs
    try:
        run.tell(State("running"))
        qtbot.waitUntil(lambda: "Going on" in names(window))
        choose(qtbot, window, "Going on")
        assert not page.buttons["delete"].isEnabled()
        run.tell(Progress(np.arange(1, 31), np.ones(30), 1, 0.1, 1.0, 1.0))
        qtbot.waitUntil(lambda: len(page.side.plot.lines["training0"].getData()[0]) == 30)
        run.tell(Changed(30, "optimizer.lr", 0.1, 0.2))
        run.tell(Progress(np.arange(31, 41), np.ones(10), 1, 0.1, 1.0, 1.0))
        qtbot.waitUntil(lambda: rows(page.side.changed) == {"Step 30": ["learning rate 0.1 → 0.2"]})
        assert [(mark.step, mark.text) for mark in page.side.plot.marks] == [(30, "learning rate 0.1 → 0.2")]
        run.finish("done")
        qtbot.waitUntil(lambda: page.selected[0].state == "done")
        assert page.buttons["delete"].isEnabled()
    finally:
        run.close()


def test_a_run_without_its_document_says_so(qtbot, window, library):
    (library.folder / "bad" / "document.netwright").write_text("{")
    choose(qtbot, window, "Bad")
    assert "document.netwright" in window.runs.side.graph.text()


def test_escape_leads_back_and_nothing_is_read_any_more(qtbot, window):
    QTest.keyClick(window.runs.table, Qt.Key.Key_Escape)
    assert window.workbench.isVisible()
    assert window.runs.reader._thread is None
    window.show_runs()
    assert window.runs.reader._thread is not None


def test_without_runs_the_page_says_how_to_get_one(qtbot):
    with open_window(qtbot) as window:
        window.show_runs()
        assert "press Run" in window.runs.note.text
        qtbot.waitUntil(window.runs.note.isVisible)
        assert not window.runs.side.isVisible()
        assert not window.runs.buttons["delete"].isEnabled()
