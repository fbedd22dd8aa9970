"""Several documents in one window: opened, walked, dragged, closed, trained, kept after a crash."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from engine.graph.blocks import group
from engine.graph.edits import rename
from engine.graph.settings import set_params, set_training
from engine.storage.document_file import load_document, save_document
from engine.storage.journal import read_entry
from gui.canvas.scene import CanvasScene
from gui.main_window import MainWindow
from presets import preset
from tests.gui.test_recovery import journals, left_behind
from tests.gui.window_help import LEFT, NONE, answer, click_node, open_window

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
MIDDLE = Qt.MouseButton.MiddleButton


def names(window: MainWindow) -> list[str]:
    """The tabs from left to right, as they stand on the screen."""
    tabs = sorted(window.tabs.tabs.values(), key=lambda tab: tab.x())
    return [tab.text() for tab in tabs]


def place(window: MainWindow, name: str) -> QPoint:
    tab = next(tab for tab in window.tabs.tabs.values() if tab.text() == name)
    return tab.geometry().topLeft() + QPoint(24, 15)


def click(window: MainWindow, name: str, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseClick(window.tabs, button, NONE, place(window, name))
    QApplication.processEvents()


def analyzed(qtbot, window: MainWindow) -> None:
    bench = window.bench
    qtbot.waitUntil(lambda: bench.analysis.document is bench.store.document, timeout=60_000)


def touch(window: MainWindow, title: str = "touched") -> None:
    """Make a change that no file holds."""
    first = next(iter(window.bench.store.document.nodes))
    window.bench.store.apply("Rename", lambda d: rename(d, first, title))


def test_turning_to_a_tab_makes_each_face_and_each_way_of_a_wire_once(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        analyzed(qtbot, window)
        made, sent = [], []
        face, send = CanvasScene._face, CanvasScene._send
        monkeypatch.setattr(CanvasScene, "_face", lambda *told: made.append(told[1]) or face(*told))
        monkeypatch.setattr(CanvasScene, "_send", lambda *told: sent.append(told[1]) or send(*told))
        click(window, "LeNet-5")
        document = window.bench.store.document
        assert sorted(made) == sorted(document.nodes)
        assert len(sent) == len(document.edges)
        assert window.canvas.graph.nodes.keys() == document.nodes.keys()


def test_what_is_opened_gets_a_tab_and_an_untouched_empty_one_makes_room(qtbot):
    with open_window(qtbot) as window:
        assert window.tabs.isHidden(), "one document needs no tab"
        window.files.open_preset("lenet5")
        assert window.tabs.isHidden()
        assert [each.name for each in window.bench.store.sessions] == ["LeNet-5"]
        window.files.open_preset("spirals")
        assert window.tabs.isVisible()
        assert names(window) == ["LeNet-5", "Spirals"]
        QTest.keyClick(window.canvas, Qt.Key.Key_N, CONTROL)
        assert names(window) == ["LeNet-5", "Spirals", "Untitled"]
        QTest.keyClick(window.canvas, Qt.Key.Key_T, CONTROL)
        assert names(window) == ["LeNet-5", "Spirals", "Untitled"], "one empty document is enough"
        window.files.open_preset("lenet5")
        assert window.bench.store.session.name == "LeNet-5"
        assert len(window.bench.store.sessions) == 3, "the one that is as it was comes to the front"


def test_each_tab_keeps_its_own_history_selection_block_and_place(qtbot):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        click_node(window, "conv2")
        window.canvas.zoom_to(1.5)
        window.canvas.pan(QPointF(-140, 33))
        touch(window, "first")
        before = window.canvas.place()
        window.files.open_preset("spirals")
        assert not window.undo_stack.canUndo()
        assert store.selection == frozenset()
        touch(window, "second")
        assert window.actions_["undo"].text() == "Undo Rename"
        click(window, "LeNet-5")
        assert store.whole.name == "LeNet-5"
        assert store.selection == {"conv2"}
        assert set(window.canvas.graph.nodes) == set(store.document.nodes)
        after = window.canvas.place()
        assert after.zoom == before.zoom
        assert (after.middle - before.middle).manhattanLength() < 2
        QTest.keyClick(window.canvas, Qt.Key.Key_Z, CONTROL)
        assert not window.undo_stack.canUndo()
        click(window, "Spirals")
        assert window.undo_stack.canUndo(), "the other's history is untouched"
        assert "second" in {node.title for node in store.document.nodes.values()}


def test_keys_walk_the_tabs_as_a_ring(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        window.files.open_preset("linear_regression")
        here = lambda: window.bench.store.session.preset  # noqa: E731
        for key, modifiers, wanted in (
            (Qt.Key.Key_Tab, CONTROL, "lenet5"),
            (Qt.Key.Key_Tab, CONTROL, "spirals"),
            (Qt.Key.Key_Backtab, CONTROL | SHIFT, "lenet5"),
            (Qt.Key.Key_PageUp, CONTROL, "linear_regression"),
            (Qt.Key.Key_PageDown, CONTROL, "lenet5"),
        ):
            QTest.keyClick(window.canvas, key, modifiers)
            assert here() == wanted


def test_dragging_a_tab_reorders_and_middle_click_and_the_mark_close(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        window.files.open_preset("linear_regression")
        title = window.bench.store.session.name
        tabs = window.tabs
        start, end = place(window, title), place(window, "LeNet-5") - QPoint(20, 0)
        QTest.mousePress(tabs, LEFT, NONE, start)
        for share in (0.2, 0.5, 0.8, 1.0):
            QTest.mouseMove(tabs, start + (end - start) * share)
        QTest.mouseRelease(tabs, LEFT, NONE, end)
        assert names(window) == [title, "LeNet-5", "Spirals"]
        assert [each.name for each in window.bench.store.sessions] == names(window)
        click(window, "LeNet-5", MIDDLE)
        assert names(window) == [title, "Spirals"]
        tab = next(tab for tab in tabs.tabs.values() if tab.text() == "Spirals")
        mark = tab.pos() + tab.mark_box().center().toPoint()
        QTest.mouseClick(tabs, LEFT, NONE, mark)
        assert [each.name for each in window.bench.store.sessions] == [title]
        assert tabs.isHidden()


def test_closing_asks_for_what_is_unsaved_and_the_last_one_leads_to_the_examples(qtbot, tmp_path):
    with open_window(qtbot, "lenet5") as window:
        touch(window)
        answer(QMessageBox.StandardButton.Cancel)
        QTest.keyClick(window.canvas, Qt.Key.Key_W, CONTROL)
        assert window.bench.store.session.name == "LeNet-5"
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        said = answer(QMessageBox.StandardButton.Discard)
        QTest.keyClick(window.canvas, Qt.Key.Key_W, CONTROL)
        assert "LeNet-5" in said[0]
        assert window.welcome.isVisible()
        assert [each.untouched for each in window.bench.store.sessions] == [True]


def test_a_dot_a_tooltip_and_words_tell_the_state(qtbot, tmp_path):
    path = tmp_path / "mine.netwright"
    save_document(preset("lenet5").document(), path)
    with open_window(qtbot, "spirals") as window:
        assert window.open_path(str(path))
        tab = window.tabs.tabs[window.bench.store.session]
        assert tab.toolTip() == str(path)
        saved = tab.grab().toImage()
        touch(window)
        assert tab.accessibleName() == "LeNet-5, not saved"
        assert tab.grab().toImage() != saved
        window.files.save()
        assert tab.accessibleName() == "LeNet-5"


def test_a_file_that_is_open_is_not_opened_twice(qtbot, tmp_path):
    path = tmp_path / "mine.netwright"
    save_document(preset("lenet5").document(), path)
    with open_window(qtbot) as window:
        assert window.open_path(str(path))
        touch(window)
        window.files.open_preset("spirals")
        assert window.open_path(str(tmp_path / "." / "mine.netwright"))
        assert len(window.bench.store.sessions) == 2
        assert window.files.dirty, "and what was changed is still there"


def test_the_window_asks_once_for_everything_unsaved(qtbot, tmp_path):
    paths = [tmp_path / "one.netwright", tmp_path / "two.netwright"]
    for path in paths:
        save_document(preset("spirals").document(), path)
    with open_window(qtbot) as window:
        for path in paths:
            window.open_path(str(path))
            window.bench.store.apply("Set", lambda d: set_params(d, "hidden", out_features=7))
        said = answer(QMessageBox.StandardButton.SaveAll)
        assert window.close()
        assert len(said) == 1
        assert "2 networks" in said[0]
        assert all(load_document(path).nodes["hidden"].params["out_features"] == 7 for path in paths)
        assert journals() == []


def test_every_tab_with_unsaved_work_has_its_journal(qtbot):
    with open_window(qtbot, "lenet5") as window:
        touch(window)
        window.files.open_preset("spirals")  # at once: the first must be kept all the same
        touch(window)
        qtbot.waitUntil(lambda: len(journals()) == 2, timeout=10_000)
        assert {read_entry(path).document.name for path in journals()} == {"LeNet-5", "Spirals"}
        window.undo_stack.undo()
        assert [read_entry(path).document.name for path in journals()] == ["LeNet-5"]
        window.undo_stack.redo()
        answer(QMessageBox.StandardButton.Discard)
        click(window, "Spirals", MIDDLE)
        assert len(journals()) == 1
    assert journals() == []


def test_a_crash_with_several_tabs_is_asked_about_once(qtbot, tmp_path):
    left_behind("First")
    left_behind("Second", str(tmp_path / "second.netwright"))
    with open_window(qtbot) as window:
        said = answer("Restore")
        assert window.recovery.offer()
        assert "2 networks" in said[0]
        assert sorted(names(window)) == ["First", "Second"]
        assert all(each.dirty for each in window.bench.store.sessions)
        qtbot.waitUntil(lambda: len(journals()) == 2, timeout=10_000)


def longer(window: MainWindow) -> None:
    window.bench.store.apply("Longer", lambda d: set_training(d, epochs=100_000))


def test_a_run_goes_on_behind_another_tab_and_is_shown_again(qtbot):
    with open_window(qtbot, "spirals") as window:
        longer(window)
        window.bridge.run()
        learning = window.views["learning"]
        qtbot.waitUntil(lambda: learning.curves.training.count > 20, timeout=60_000)
        runner = window.bridge.runner
        window.files.open_preset("lenet5")
        assert window.bench.state == "idle"
        assert learning.curves.empty
        assert window.bridge.runner is None
        session = window.bridge.active
        assert session.name == "Spirals"
        assert window.actions_["pause"].text() == "Pause Spirals"
        assert window.top.stop_button.toolTip() == "End the run of Spirals"
        assert window.top._progress._what.full_text().startswith("Spirals · Epoch")
        assert window.actions_["stop"].isEnabled()
        step = int(session.run.latest.step[-1])
        qtbot.waitUntil(lambda: int(session.run.latest.step[-1]) > step + 50, timeout=60_000)
        assert "training" in window.tabs.tabs[session].accessibleName()
        assert learning.curves.empty, "nothing of it is shown here"
        analyzed(qtbot, window)
        offers = []
        window.bench.offered.connect(offers.append)
        window.bridge.run()
        assert "Spirals is training in another tab" in offers[0].text
        assert window.bench.state == "idle"
        click(window, "Spirals")
        assert window.bridge.runner is runner
        assert window.bench.state == "running"
        assert learning.curves.training.count > 70
        assert learning.curves.training.last_step >= step
        qtbot.waitUntil(lambda: window.bench.snapshot is not None, timeout=60_000)
        click(window, "LeNet-5")
        dict(offers[0].actions)["Stop it and run this"]()
        assert session.run.state == "finished"
        qtbot.waitUntil(lambda: window.bench.state == "running", timeout=60_000)
        assert window.bridge.active.name == "LeNet-5"


def test_a_run_that_ends_behind_another_tab_says_so(qtbot):
    with open_window(qtbot, "linear_regression") as window:
        name = window.bench.store.session.name
        offers = []
        window.bench.offered.connect(offers.append)
        window.bridge.set_pace(20)
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "running", timeout=60_000)
        window.files.open_preset("lenet5")
        window.bridge.set_pace(0)
        qtbot.waitUntil(lambda: len(offers) > 0, timeout=60_000)
        assert offers[0].text.startswith(f"{name} has finished after")
        dict(offers[0].actions)["Show it"]()
        assert window.bench.store.session.name == name
        assert window.bench.state == "finished"
        assert window.top._progress._what.full_text().startswith("Done after")
        assert not window.views["learning"].curves.empty


def test_a_closed_tab_ends_its_run_and_is_forgotten(qtbot):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        longer(window)
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.snapshot is not None, timeout=60_000)
        runner, session = window.bridge.runner, weakref.ref(window.bench.store.session)
        answer(QMessageBox.StandardButton.Discard)
        QTest.keyClick(window.canvas, Qt.Key.Key_W, CONTROL)
        assert not runner.alive
        del runner
        analyzed(qtbot, window)
        QApplication.sendPostedEvents(None, 52)  # deferred deletions
        gc.collect()
        assert session() is None


def test_typed_code_waits_for_its_own_tab(qtbot):
    with open_window(qtbot, "spirals") as window:
        window.edit_code()
        view = window.code.view
        view.setPlainText(view.toPlainText().replace("nn.Linear(2,", "nn.Linear(2 ,"))
        typed = view.toPlainText()
        window.files.open_preset("lenet5")
        assert view.toPlainText() == typed
        assert "belongs to Spirals" in window.code.bar.message.full_text()
        assert not window.code.bar.apply_button.isEnabled()
        click(window, "Spirals")
        assert "belongs to" not in window.code.bar.message.full_text()
        window.code.discard()


@pytest.mark.parametrize("count", [30])
def test_many_tabs_shrink_and_the_one_in_front_is_in_view(qtbot, count):
    with open_window(qtbot) as window:
        for _ in range(count):
            window.bench.store.add(preset("spirals").document())
        tabs = window.tabs
        front = tabs.tabs[window.bench.store.session]
        assert 0 <= front.x() <= tabs.width() - front.width()
        QTest.keyClick(window.canvas, Qt.Key.Key_PageDown, CONTROL)
        front = tabs.tabs[window.bench.store.session]
        assert window.bench.store.sessions.index(window.bench.store.session) == 0
        assert 0 <= front.x() < 20


def drag_to_tab(window: MainWindow, node: str, name: str, monkeypatch, then) -> list[str]:
    """Drag a node with the mouse onto a tab; the platform's drag that follows is delivered by ``then``."""
    texts: list[str] = []

    def exec_(drag: QDrag, *_: object) -> Qt.DropAction:
        texts.append(drag.mimeData().text())
        then(drag.mimeData())
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", exec_)
    canvas, port = window.canvas, window.canvas.viewport()
    start = canvas.to_view(canvas.graph.nodes[node].pos() + QPointF(60, 12))
    end = port.mapFromGlobal(window.tabs.mapToGlobal(place(window, name)))
    QTest.mousePress(port, LEFT, NONE, start)
    for share in (0.2, 0.6, 1.0):
        QTest.mouseMove(port, start + (end - start) * share)
    QTest.mouseRelease(port, LEFT, NONE, end)
    return texts


def send(target, kind, at: QPoint, data) -> bool:
    at = QPointF(at) if kind is QDropEvent else at
    event = kind(at, Qt.DropAction.CopyAction, data, LEFT, NONE)
    QApplication.sendEvent(target, event)
    return event.isAccepted()


def dropped(target, at: QPoint):
    """Deliver what the platform sends while something is dropped."""

    def drop(data) -> None:
        for kind in (QDragEnterEvent, QDragMoveEvent, QDropEvent):
            assert send(target, kind, at, data)

    return drop


def test_a_node_dragged_onto_a_tab_is_copied_where_it_is_dropped(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        click(window, "LeNet-5")
        store = window.bench.store
        lenet, count = store.whole, len(store.sessions[1].whole.nodes)
        aim = QPoint(300, 200)

        def carried(data) -> None:
            assert send(window.tabs, QDragEnterEvent, place(window, "Spirals"), data)
            assert store.session.name == "LeNet-5", "only after a moment"
            qtbot.waitUntil(lambda: store.session.name == "Spirals", timeout=5000)
            assert send(window.canvas.viewport(), QDragEnterEvent, aim, data)
            assert send(window.canvas.viewport(), QDragMoveEvent, aim, data)
            assert send(window.canvas.viewport(), QDropEvent, aim, data)

        texts = drag_to_tab(window, "conv2", "Spirals", monkeypatch, carried)
        assert '"conv2"' in texts[0]
        assert store.session.name == "Spirals"
        assert len(store.document.nodes) == count + 1
        (new,) = store.selection
        assert store.document.nodes[new].params["out_channels"] == 16
        body = window.canvas.graph.nodes[new].body()
        assert body.contains(window.canvas.map_to_canvas(QPointF(aim)))
        click(window, "LeNet-5")
        assert store.whole == lenet, "it stays where it was"


def test_a_block_dropped_on_a_tab_brings_its_inside_along(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        store = window.bench.store
        store.apply("Group", lambda d: group(d, ["conv1", "tanh1"], "Stem")[0])
        block = store.whole.blocks["Stem"]
        id = next(id for id, node in store.document.nodes.items() if node.type == "Stem")
        window.files.open_preset("spirals")
        click(window, "LeNet-5")
        drag_to_tab(window, id, "Spirals", monkeypatch, dropped(window.tabs, place(window, "Spirals")))
        assert store.session.name == "Spirals"
        assert store.whole.blocks["Stem"] == block
        (new,) = store.selection
        assert store.document.nodes[new].type == "Stem"


def test_a_node_that_comes_back_is_moved(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        window.files.open_preset("spirals")
        click(window, "LeNet-5")
        store, aim = window.bench.store, QPoint(200, 300)
        count = len(store.document.nodes)
        drag_to_tab(window, "conv2", "Spirals", monkeypatch, dropped(window.canvas.viewport(), aim))
        assert len(store.document.nodes) == count
        assert window.canvas.graph.nodes["conv2"].body().contains(window.canvas.map_to_canvas(QPointF(aim)))


@pytest.mark.parametrize(
    "chat",
    [
        "Try this:\n```json\n{}\n```\nGood luck with {it}!",
        "> you wrote [] and then {}",
        "{}\nSent from my phone",
    ],
)
def test_nodes_in_the_words_of_a_chat_are_pasted_into_another_tab(qtbot, chat):
    with open_window(qtbot, "lenet5") as window:
        click_node(window, "conv2")
        QTest.keyClick(window.canvas, Qt.Key.Key_C, CONTROL)
        clipboard = QApplication.clipboard()
        clipboard.setText(chat.replace("{}", clipboard.text(), 1))
        window.files.open_preset("spirals")
        count = len(window.bench.store.document.nodes)
        QTest.keyClick(window.canvas, Qt.Key.Key_V, CONTROL)
        assert len(window.bench.store.document.nodes) == count + 1


KILLED = """
import sys
from engine.graph.edits import rename
from gui.app import make_window, _wait
from gui.recovery import folder

window = make_window()
window.show()
for name in ("lenet5", "spirals", "linear_regression"):
    window.files.open_preset(name)
    first = next(iter(window.bench.store.document.nodes))
    window.bench.store.apply("Rename", lambda d: rename(d, first, f"{name} was touched"))
while len(list(folder().glob("*.journal"))) < 3:
    _wait(20)
print("ready", flush=True)
_wait(60_000)
"""


def test_killed_with_three_tabs_nothing_of_them_is_lost(qtbot):
    program = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline().strip() == "ready"
    finally:
        program.kill()
        program.communicate()
    with open_window(qtbot) as window:
        said = answer("Restore")
        assert window.recovery.offer()
        assert "3 networks" in said[0]
        titles = {node.title for each in window.bench.store.sessions for node in each.whole.nodes.values()}
        assert {f"{name} was touched" for name in ("lenet5", "spirals", "linear_regression")} <= titles
        assert all(each.dirty for each in window.bench.store.sessions)


def test_a_closed_file_is_opened_again_where_it_was(qtbot, tmp_path):
    paths = [tmp_path / "one.netwright", tmp_path / "two.netwright"]
    for path in paths:
        save_document(preset("spirals").document(), path)
    with open_window(qtbot) as window:
        assert not window.actions_["reopen_tab"].isEnabled()
        for path in paths:
            window.open_path(str(path))
        QTest.keyClick(window.canvas, Qt.Key.Key_W, CONTROL)
        QTest.keyClick(window.canvas, Qt.Key.Key_W, CONTROL)
        assert window.welcome.isVisible()
        for path in paths:  # the one that was closed last comes first
            assert window.actions_["reopen_tab"].isEnabled()
            window.actions_["reopen_tab"].trigger()
            assert window.files.path == path
        assert not window.actions_["reopen_tab"].isEnabled()


def test_a_failed_run_is_told_again_without_moving_anything(qtbot):
    with open_window(qtbot) as window:
        window.canvas.add_layer("Linear")
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "failed", timeout=60_000)
        window.bench.store.select(())
        window.files.open_preset("spirals")
        said = []
        window.bench.message.connect(said.append)
        QTest.keyClick(window.canvas, Qt.Key.Key_PageUp, CONTROL)
        assert window.bench.state == "failed"
        assert window.views["learning"].curves.banner.isVisible()
        assert said == []
        assert window.bench.store.selection == frozenset()


def test_the_second_keys_give_way_to_what_the_user_chose(qtbot):
    with open_window(qtbot, "lenet5") as window:
        keymap = window.bench.keymap
        keymap.choose({"select_all": "Ctrl+T"}, {"select_all": "Ctrl+A"})
        try:
            QTest.keyClick(window.canvas, Qt.Key.Key_T, CONTROL)
            assert len(window.bench.store.sessions) == 1
            assert window.bench.store.selection == window.bench.store.document.nodes.keys()
        finally:
            keymap.reset()
        QTest.keyClick(window.canvas, Qt.Key.Key_T, CONTROL)
        assert len(window.bench.store.sessions) == 2
