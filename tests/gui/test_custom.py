"""Layers written in Python in the window: typed, applied, followed; what a file brings is reviewed first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from engine.compiler import trust as trusted
from engine.graph.custom import TEMPLATE, add_custom
from engine.graph.document import Document, Slot
from engine.graph.edits import add_node, connect, set_params
from engine.storage.document_file import save_document
from gui import trusted as remembered
from gui.canvas.picture import picture
from gui.custom.editor import CustomEditor
from gui.main_window import MainWindow
from gui.theme import DARK
from gui.trust import Review, TrustBanner, ask_trust
from tests.compiler.test_custom import EVIL
from tests.gui.window_help import LEFT, NONE, answer, click_node, drag_layer, open_window
from tests.gui.window_help import connect as draw_wire

GATE = TEMPLATE.format(name="Gate")
TWO_INPUTS = "def blend(a, b, share: float = 0.5):\n    return a * share + b * (1 - share)\n"


@pytest.fixture(autouse=True)
def nothing_trusted():
    """Begin and end without anything that another test trusted."""
    trusted.distrust(trusted.state())
    yield
    trusted.distrust(trusted.state())


@pytest.fixture
def window(qtbot):
    with open_window(qtbot) as window:
        yield window
        for editor in window.findChildren(CustomEditor):
            editor._source = editor.view.toPlainText()
            editor.close()


def spirals(*sources: str) -> Document:
    """Spirals through the layers into a loss."""
    document, _ = add_node(Document("Spiral gates"), "Spirals", {"samples": 60}, id="data")
    before = Slot("data", "point")
    for source in sources:
        document, name = add_custom(document, source)
        document, id = add_node(document, name)
        document = connect(document, before, Slot(id, "x"))
        before = Slot(id, "y")
    document, _ = add_node(document, "Linear", {"out_features": 3}, id="fc")
    document, _ = add_node(document, "CrossEntropyLoss", id="loss")
    document = connect(document, before, Slot("fc", "x"))
    document = connect(document, Slot("fc", "y"), Slot("loss", "logits"))
    return connect(document, Slot("data", "label"), Slot("loss", "target"))


def opened(window: MainWindow, qtbot: object, path: Path) -> None:
    assert window.files.open(path)
    settled(window, qtbot)


def settled(window: MainWindow, qtbot: object) -> None:
    store = window.bench.store
    qtbot.waitUntil(lambda: window.bench.analysis.document is store.document, timeout=60_000)


def errors(window: MainWindow) -> list[str]:
    return [problem.node for problem in window.bench.analysis.errors]


def banner(window: MainWindow) -> TrustBanner:
    return window.findChild(TrustBanner)


def in_review(do: Callable[[Review], object]) -> list[Review]:
    """Do something in the next review that opens."""
    seen: list[Review] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, Review):
            seen.append(dialog)
            do(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)
    return seen


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, LEFT)


def retype(editor: CustomEditor, text: str) -> None:
    """Select everything and type, as one does; the editor indents by itself, so the text is pasted."""
    editor.view.selectAll()
    QApplication.clipboard().setText(text)
    editor.view.paste()
    editor.look()


def editor_of(window: MainWindow) -> CustomEditor:
    (editor,) = window.findChildren(CustomEditor)
    return editor


def test_add_it_type_apply_connect_and_run(window, qtbot, monkeypatch):
    store, canvas = window.bench.store, window.canvas
    middle = canvas.viewport().rect().center()
    for place, name in enumerate(("Spirals", "Custom layer", "Linear", "Cross-entropy")):
        drag_layer(window, name, middle + QPoint(-440 + 230 * place, -60), monkeypatch)
    data, own, fc, loss = store.document.nodes
    assert store.document.nodes[own].type == "Custom1"
    title = canvas.to_view(canvas.graph.nodes[own].body().center())
    QTest.mouseDClick(canvas.viewport(), LEFT, NONE, title)
    editor = editor_of(window)
    assert editor.view.toPlainText().startswith("class Custom1(nn.Module):")
    retype(editor, TWO_INPUTS)
    assert "Inputs: b" in editor.face.texts
    assert "Settings: share number = 0.5" in editor.face.texts
    QTest.keyClick(editor.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not editor.unapplied
    assert store.document.nodes[own].type == "blend"
    assert [spot.name for spot in canvas.graph.nodes[own].face.inputs] == ["a", "b"]
    editor.close()
    draw_wire(window, (data, "point"), (own, "a"))
    draw_wire(window, (data, "point"), (own, "b"))
    draw_wire(window, (own, "y"), (fc, "x"))
    draw_wire(window, (fc, "y"), (loss, "logits"))
    draw_wire(window, (data, "label"), (loss, "target"))
    store.apply("Classes", lambda d: set_params(d, fc, out_features=3))
    settled(window, qtbot)
    assert errors(window) == []
    assert "def blend(a, b, share: float = 0.5):" in window.bench.analysis.source.text
    assert not banner(window).isVisible()
    window.bridge.run()
    qtbot.waitUntil(lambda: window.bench.state in ("finished", "failed"), timeout=60_000)
    assert window.bench.state == "finished"


def test_what_is_wrong_is_marked_while_one_types(window, qtbot):
    window.canvas.add_layer("new-custom-layer")
    node = next(iter(window.bench.store.document.nodes))
    click_node(window, node)
    press(window.inspector.page.edit_code)
    editor = editor_of(window)
    editor.view.moveCursor(editor.view.textCursor().MoveOperation.End)
    before = window.bench.store.document
    QTest.keyClick(editor.view, Qt.Key.Key_Return)
    qtbot.keyClicks(editor.view, "def broken(")
    qtbot.waitUntil(lambda: editor.view.fault > 0)
    assert "not Python" in editor.said.text()
    assert not editor.apply_button.isEnabled()
    editor.apply()
    assert window.bench.store.document is before
    press(editor.discard_button)
    assert not editor.unapplied
    assert editor.view.fault == 0


def test_data_from_python_is_previewed_changed_and_previewed_again(window, qtbot):
    window.canvas.add_layer("new-custom-data")
    (id,) = window.bench.store.document.nodes
    click_node(window, id)
    preview = window.inspector.page.preview
    qtbot.waitUntil(lambda: preview.note.text().startswith("500 samples"), timeout=60_000)
    window.edit_custom("Custom1")
    editor = editor_of(window)
    retype(editor, editor.view.toPlainText().replace("samples: int = 500", "samples: int = 70"))
    assert {"Outputs: point", "Outputs: label"} <= set(editor.face.texts)
    press(editor.apply_button)
    click_node(window, id)
    note = window.inspector.page.preview.note
    qtbot.waitUntil(lambda: note.text().startswith("70 samples"), timeout=60_000)
    assert not window.bench.analysis.problems_of(id)
    window.canvas.add_layer("Linear")
    assert [spot.name for spot in window.canvas.graph.nodes[id].face.outputs] == ["point", "label"]


def test_applying_is_one_step_of_undo_and_a_new_name_follows(window, qtbot):
    window.canvas.add_layer("new-custom-layer")
    store = window.bench.store
    id = next(iter(store.document.nodes))
    window.edit_custom("Custom1")
    editor = editor_of(window)
    count = window.undo_stack.count()
    retype(editor, editor.view.toPlainText().replace("Custom1", "Mixer"))
    press(editor.apply_button)
    assert window.undo_stack.count() == count + 1
    assert (editor.name, store.document.nodes[id].type) == ("Mixer", "Mixer")
    assert "Mixer" in editor.windowTitle()
    window.undo_stack.undo()
    assert (editor.name, store.document.nodes[id].type) == ("Custom1", "Custom1")
    assert "class Custom1" in editor.view.toPlainText()
    window.undo_stack.redo()
    assert (editor.name, store.document.nodes[id].type) == ("Mixer", "Mixer")
    assert editor.view.toPlainText().startswith("class Mixer")


def test_an_editor_closes_when_its_layer_is_gone(window, qtbot):
    window.canvas.add_layer("new-custom-layer")
    window.edit_custom("Custom1")
    window.undo_stack.undo()
    qtbot.waitUntil(lambda: not window.findChildren(CustomEditor))


def test_leaving_asks_about_what_is_not_applied(window):
    window.canvas.add_layer("new-custom-layer")
    window.edit_custom("Custom1")
    editor = editor_of(window)
    retype(editor, editor.view.toPlainText() + "# more\n")
    said = answer(QMessageBox.StandardButton.Cancel)
    assert not editor.close()
    assert "not applied" in said[0]
    answer(QMessageBox.StandardButton.Discard)
    assert editor.close()


def test_a_setting_that_came_with_the_code_is_in_the_form(window, qtbot):
    window.canvas.add_layer("new-custom-layer")
    window.edit_custom("Custom1")
    editor = editor_of(window)
    assert set(window.inspector.page.form.fields) == {"features", "gate"}
    retype(
        editor, editor.view.toPlainText().replace("gate: float = 0.5", "gate: float = 0.5, deep: bool = True")
    )
    press(editor.apply_button)
    assert set(window.inspector.page.form.fields) == {"features", "gate", "deep"}


def test_a_file_with_code_is_off_until_it_is_trusted_and_remembered(window, qtbot, tmp_path):
    path = tmp_path / "gates.netwright"
    save_document(spirals(GATE, GATE.replace("Gate", "Second")), path)
    opened(window, qtbot, path)
    assert banner(window).isVisible()
    assert "2 custom layers" in banner(window).text.text()
    assert errors(window) == ["gate1", "second1"]
    seen = in_review(lambda review: press(review.trust_button))
    press(banner(window).review_button)
    assert seen
    assert not banner(window).isVisible()
    qtbot.waitUntil(lambda: errors(window) == [])
    trusted.distrust(trusted.state())  # as if the program were started again
    remembered.load()
    window.files.close()
    opened(window, qtbot, path)
    assert not banner(window).isVisible()
    assert errors(window) == []
    window.files.close()
    save_document(spirals(GATE + "# changed by somebody\n", GATE.replace("Gate", "Second")), path)
    opened(window, qtbot, path)
    assert "1 custom layer)" in banner(window).text.text()
    assert errors(window) == ["gate1"]


def test_keep_off_keeps_it_off(window, qtbot, tmp_path):
    path = tmp_path / "gates.netwright"
    save_document(spirals(GATE), path)
    opened(window, qtbot, path)
    in_review(lambda review: press(review.keep_button))
    press(banner(window).review_button)
    assert banner(window).isVisible()
    assert errors(window) == ["gate1"]
    assert not trusted.is_trusted(GATE)


def test_applying_trusts_what_was_typed_and_nothing_else(window, qtbot, tmp_path):
    path = tmp_path / "gates.netwright"
    other = GATE.replace("Gate", "Second")
    save_document(spirals(GATE, other), path)
    opened(window, qtbot, path)
    window.edit_custom("Gate")
    editor = editor_of(window)
    assert editor.apply_button.text() == "Trust and apply"
    assert "not trusted" in editor.said.text()
    retype(editor, GATE.replace("tanh", "sigmoid"))
    press(editor.apply_button)
    settled(window, qtbot)
    assert errors(window) == ["second1"]
    assert not trusted.is_trusted(other)
    assert not trusted.is_trusted(GATE)
    assert editor.apply_button.text() == "Apply"


def test_pasting_between_windows_trusts_nothing(window, qtbot, tmp_path):
    path = tmp_path / "gates.netwright"
    save_document(spirals(GATE), path)
    opened(window, qtbot, path)
    window.bench.store.select(["gate1"])
    window.canvas.copy()
    window.undo_stack.setClean()
    window.files.new()
    window.canvas.paste()
    settled(window, qtbot)
    assert list(window.bench.store.document.customs) == ["Gate"]
    assert banner(window).isVisible()
    assert errors(window) == ["gate1"]


def test_opening_drawing_and_saving_execute_nothing(window, qtbot, tmp_path):
    mark, path = tmp_path / "executed", tmp_path / "evil.netwright"
    save_document(spirals(EVIL.format(path=str(mark))), path)
    opened(window, qtbot, path)
    window.edit_custom("Evil")
    window.bench.store.select(["evil1"])
    for ending in ("png", "svg"):
        picture(window.bench.store.document, window.bench.analysis, DARK, tmp_path / f"net.{ending}")
    window.bench.store.apply("Set k", lambda d: set_params(d, "evil1", k=5))
    settled(window, qtbot)
    window.bridge.run()
    qtbot.waitUntil(lambda: window.bench.state == "failed", timeout=60_000)
    assert window.files.save()
    assert not mark.exists()


def test_asking_elsewhere_uses_the_same_memory(window, qtbot):
    source = "import math\nprint(math.pi)\n"
    seen = in_review(lambda review: press(review.trust_button))
    assert ask_trust(window.bench, "Python code in net.py", {"net.py": source}, window)
    assert seen
    assert ask_trust(window.bench, "Python code in net.py", {"net.py": source}, window)  # and asks nobody
    assert len(seen) == 1


def test_the_palette_lists_it_and_takes_it_out_when_nothing_uses_it(window, qtbot):
    window.canvas.add_layer("new-custom-layer")
    rows = window.palette_.list
    (item,) = rows.findItems("Custom1", Qt.MatchFlag.MatchExactly)
    edit, remove = rows.menu_for(item).actions()
    edit.trigger()
    assert editor_of(window).name == "Custom1"
    said: list[str] = []
    window.bench.message.connect(said.append)
    remove.trigger()
    assert "delete it first" in said[-1]
    window.canvas.select_all()
    window.canvas.delete_selection()
    rows.menu_for(rows.findItems("Custom1", Qt.MatchFlag.MatchExactly)[0]).actions()[1].trigger()
    assert not window.bench.store.document.customs
    assert not rows.findItems("Custom1", Qt.MatchFlag.MatchExactly)
    window.undo_stack.undo()
    assert rows.findItems("Custom1", Qt.MatchFlag.MatchExactly)


def test_what_the_palette_made_is_trusted_the_next_time_too(window, qtbot, tmp_path):
    window.canvas.add_layer("new-custom-layer")
    path = tmp_path / "own.netwright"
    save_document(window.bench.store.whole, path)
    trusted.distrust(trusted.state())
    remembered.load()
    window.undo_stack.setClean()
    opened(window, qtbot, path)
    assert not banner(window).isVisible()


def test_what_goes_wrong_when_it_runs_is_marked_in_the_editor(window, qtbot):
    window.bench.store.open(spirals(GATE))
    window.edit_custom("Gate")
    editor = editor_of(window)
    wrong = GATE.replace("torch.tanh(", "torch.tan_h(")
    retype(editor, wrong)
    press(editor.apply_button)
    line = 1 + wrong[: wrong.index("tan_h")].count("\n")
    qtbot.waitUntil(lambda: editor.view.fault == line)
    assert f"Gate, line {line}: AttributeError" in editor.said.text()
    retype(editor, GATE)
    press(editor.apply_button)
    qtbot.waitUntil(lambda: not errors(window))
    assert editor.view.fault == 0
