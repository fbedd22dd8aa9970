"""The browser of the hub in the window: search, look, choose, download, cancel, and what is wrong."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from engine.compiler.data import load_node
from engine.data.hub_client import download
from gui.data.hub_dialog import HubDialog
from gui.data.hub_view import suggested
from tests.data.hub_sets import write_languages, write_large, write_pets, write_reviews
from tests.data.hub_stand_in import stand_in
from tests.gui.window_help import LEFT, open_window

PATIENCE = 60_000


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with three sets, and a machine that has none of them."""
    write_pets(tmp_path / "sets")
    write_reviews(tmp_path / "sets")
    write_large(tmp_path / "sets")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with stand_in(tmp_path / "sets") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def window(qtbot):
    with open_window(qtbot) as window:
        yield window


def browse(window, qtbot) -> HubDialog:
    """Open the browser from the menu and wait for what it finds first."""
    window.actions_["hub"].trigger()
    dialog = window.hub.dialog
    qtbot.waitUntil(lambda: dialog.list.count() > 0, timeout=PATIENCE)
    return dialog


def names(dialog: HubDialog) -> list[str]:
    return [dialog.list.item(row).text() for row in range(dialog.list.count())]


def choose(dialog: HubDialog, name: str, qtbot) -> None:
    """Click on a set and wait until it was looked into."""
    item = dialog.list.item(names(dialog).index(name))
    QTest.mouseClick(dialog.list.viewport(), LEFT, pos=dialog.list.visualItemRect(item).center())
    qtbot.waitUntil(lambda: bool(dialog.view.chips) and not dialog.said.text(), timeout=PATIENCE)


def press(button) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT)


def test_from_the_search_to_a_node_that_gives_data(window, hub, qtbot):
    dialog = browse(window, qtbot)
    assert names(dialog) == ["tester/large", "tester/pets", "tester/reviews"]
    QTest.keyClicks(dialog.field, "pet")
    qtbot.waitUntil(lambda: names(dialog) == ["tester/pets"], timeout=PATIENCE)
    choose(dialog, "tester/pets", qtbot)
    view = dialog.view
    assert view.columns == ("image", "label")
    assert "cc0-1.0" not in view.text.text()
    assert "one color each" in view.text.text()
    assert sum(not each.pixmap().isNull() for each in view.findChildren(QLabel)) == 8
    assert "dog" in [each.text() for each in view.findChildren(QLabel)]
    assert view.held.currentText() == "test"
    assert dialog.main_button.text() == "Download and add it to the canvas"
    press(dialog.main_button)
    qtbot.waitUntil(lambda: window.hub.dialog is None, timeout=PATIENCE)
    document = window.bench.store.document
    (node,) = document.nodes.values()
    assert node.type == "Hub"
    assert dict(node.params) == {"name": "tester/pets", "columns": "image, label", "held_part": "test"}
    assert window.bench.store.selection == {node.id}
    assert load_node(node).rows == 20
    window.undo_stack.undo()
    assert not window.bench.store.document.nodes


@pytest.mark.parametrize(
    ("reading", "said", "offer"),
    [
        ("auto", "is not on this machine yet", "Download and use it"),
        ("network", "was not looked at yet", "Connect and use it"),
    ],
)
def test_a_node_of_a_set_that_is_not_here_is_mended_from_its_form(window, hub, qtbot, reading, said, offer):
    params = {"name": "tester/pets", "columns": "image, label", "reading": reading}
    window.bench.store.apply("Add", lambda document: add(document, **params))
    qtbot.waitUntil(lambda: bool(problems(window)), timeout=PATIENCE)
    assert said in problems(window)[0]
    window.bench.store.select(["data"])
    field = window.inspector.page.form.fields["name"]
    press(field.browse)
    dialog = window.hub.dialog
    qtbot.waitUntil(lambda: bool(dialog.view.chips), timeout=PATIENCE)
    assert dialog.view.title.text() == "tester/pets"
    assert dialog.main_button.text() == offer
    press(dialog.main_button)
    qtbot.waitUntil(lambda: window.hub.dialog is None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: not problems(window), timeout=PATIENCE)
    assert list(window.bench.store.document.nodes) == ["data"]


def test_what_a_node_has_chosen_is_chosen_in_the_browser(window, hub, qtbot):
    write_languages(hub.folder)
    chosen = {"name": "tester/languages", "config": "fr", "part": "everything", "columns": "y"}
    window.bench.store.apply("Add", lambda document: add(document, **chosen))
    window.bench.store.select(["data"])
    press(window.inspector.page.form.fields["name"].browse)
    dialog = window.hub.dialog
    qtbot.waitUntil(lambda: bool(dialog.view.chips), timeout=PATIENCE)
    assert dialog.view.config.isVisible()
    assert dialog.view.params() == {
        "columns": "y", "config": "fr", "revision": "", "part": "everything", "held_part": "",
    }  # fmt: skip


def add(document, **params):
    from engine.graph import edits

    return edits.add_node(document, "Hub", params, id="data")[0]


def problems(window) -> list[str]:
    return [each.message for each in window.bench.analysis.problems_of("data")]


def test_a_download_shows_how_far_it_is_and_can_be_cancelled(window, hub, qtbot):
    dialog = browse(window, qtbot)
    choose(dialog, "tester/large", qtbot)
    hub.hold.clear()
    hub.halfway.clear()
    press(dialog.main_button)
    assert not dialog.list.isEnabled()
    assert dialog.bar.isVisible()
    qtbot.waitUntil(hub.halfway.is_set, timeout=PATIENCE)
    assert dialog.close_button.text() == "Cancel"
    press(dialog.close_button)
    qtbot.waitUntil(lambda: dialog.said.text().startswith("Cancelled"), timeout=PATIENCE)
    assert dialog.list.isEnabled()
    assert not window.bench.store.document.nodes
    said = []
    dialog.work.progressed.connect(lambda progress: said.append(dialog.said.text()))
    hub.hold.set()
    press(dialog.main_button)
    qtbot.waitUntil(lambda: window.hub.dialog is None, timeout=PATIENCE)
    assert any(each.startswith("Downloading, ") and " MB of " in each for each in said)
    assert any(each.startswith("Preparing, ") for each in said)
    assert len(window.bench.store.document.nodes) == 1


def test_columns_and_parts_are_chosen(window, hub, qtbot):
    dialog = browse(window, qtbot)
    choose(dialog, "tester/reviews", qtbot)
    view = dialog.view
    assert view.columns == ("text", "mood") or view.columns == ("text", "stars")
    assert "when" not in view.chips
    for name in view.columns:
        QTest.mouseClick(view.chips[name], LEFT)
    assert not dialog.main_button.isEnabled()
    QTest.mouseClick(view.chips["vector"], LEFT)
    QTest.mouseClick(view.chips["place.x"], LEFT)
    assert dialog.main_button.isEnabled()
    assert view.params()["columns"] == "place.x, vector"
    view.part.setCurrentText("test")
    view.part.textActivated.emit("test")
    qtbot.waitUntil(lambda: dialog.main_button.isEnabled(), timeout=PATIENCE)
    assert view.columns == ("place.x", "vector")
    assert view.params()["part"] == "test"


def test_errors_are_told_and_can_be_tried_again(window, hub, qtbot):
    hub.broken = True
    window.actions_["hub"].trigger()
    dialog = window.hub.dialog
    qtbot.waitUntil(lambda: "The hub refused" in dialog.note.text(), timeout=PATIENCE)
    hub.broken = False
    press(dialog.again_button)
    qtbot.waitUntil(lambda: dialog.list.count() == 3, timeout=PATIENCE)
    hub.gated = {"tester/pets"}
    item = dialog.list.item(1)
    QTest.mouseClick(dialog.list.viewport(), LEFT, pos=dialog.list.visualItemRect(item).center())
    qtbot.waitUntil(lambda: "is gated" in dialog.said.text(), timeout=PATIENCE)
    assert not dialog.main_button.isEnabled()
    QTest.keyClicks(dialog.field, "someone/secret")
    qtbot.waitUntil(lambda: names(dialog) == ["someone/secret"], timeout=PATIENCE)
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: "has no set someone/secret" in dialog.said.text(), timeout=PATIENCE)


def test_without_a_network_the_window_says_so(window, hub, qtbot, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    window.actions_["hub"].trigger()
    dialog = window.hub.dialog
    qtbot.waitUntil(lambda: "cannot be reached" in dialog.note.text(), timeout=PATIENCE)
    assert dialog.again_button.isVisible()
    assert not dialog.main_button.isEnabled()


def test_suggested_columns():
    value = {"_type": "Value"}
    many = {
        "id": value | {"dtype": "int64"},
        "review": value | {"dtype": "string"},
        "stars": value | {"dtype": "int64"},
        "label": {"_type": "ClassLabel", "names": ["a", "b"]},
        "when": value | {"dtype": "date32"},
    }
    assert suggested(many) == ("review", "label")
    assert suggested({"x": value | {"dtype": "float32"}}) == ("x",)
    assert suggested({"when": value | {"dtype": "date32"}}) == ()


def test_a_set_that_is_here_already_is_used_without_a_download(window, hub, qtbot):
    download("tester/pets")
    dialog = browse(window, qtbot)
    choose(dialog, "tester/pets", qtbot)
    assert dialog.main_button.text() == "Add it to the canvas"
    asked = len(hub.asked)
    press(dialog.main_button)
    assert window.hub.dialog is None
    assert len(hub.asked) == asked
    assert [node.type for node in window.bench.store.document.nodes.values()] == ["Hub"]
